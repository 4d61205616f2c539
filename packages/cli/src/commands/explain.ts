import type { LinkedAccess, Model } from '@tenant-lint/analysis';
import { describePredicate } from '@tenant-lint/analysis';
import { ruleNamed, type Report } from '@tenant-lint/engine';
import { positionAt, type Finding, type Span } from '@tenant-lint/model';
import { rules } from '@tenant-lint/rules';
import { checkRuleName, Failure, hint, readSource } from '@tenant-lint/workspace';
import { analyse } from '../analyse.js';
import { explainTexts } from '../gen/explain.gen.js';
import type { Io } from '../main.js';
import { open } from '../open.js';
import { placed, placeOf } from '../report/place.js';
import { oneLine, printable } from '../report/printable.js';
import { textReport } from '../report/text.js';

export interface ExplainFlags {
  readonly config?: string;
  readonly configCode: boolean;
  readonly cache: boolean;
  readonly types?: boolean;
}

/**
 * `tenant-lint explain RULE|FINDING`: a rule by its name, or a finding by its fingerprint, the beginning of one, or `file:line`. Returns 0;
 * throws Failure for what names neither.
 */
export async function explain(subject: string, flags: ExplainFlags, io: Io): Promise<number> {
  if (ruleNamed(rules, subject)) return explainRule(subject, io);
  const at = /^(.+?):(\d+)(?::\d+)?$/.exec(subject);
  const isFingerprint = /^[0-9a-f]{4,64}$/i.test(subject);
  if (!at && !isFingerprint) {
    checkRuleName(subject, rules);
    return 2;
  }
  const opened = await open([], flags, io.cwd);
  const { built, report } = analyse(opened, { rule: [], severity: {}, ...flags, confidence: 'possible' }, io);
  const found = at
    ? findingsAt(report, at[1]!.replace(/^\.\//, ''), Number(at[2]))
    : report.findings.filter((f) => f.fingerprint.startsWith(subject.toLowerCase()));
  const exact = found.filter((f) => f.fingerprint === subject.toLowerCase());
  const chosen = at ? found : exact.length > 0 ? exact : found;
  if (!at && chosen.length > 1) {
    throw new Failure(`${chosen.length} findings begin with ${subject}.`, {
      advice: `Give more of it: ${chosen.map((f) => f.fingerprint).join(', ')}.`,
    });
  }
  const lines = chosen.flatMap((f, i) => [...(i > 0 ? [''] : []), ...explained(f, report, built.model, opened.root)]);
  if (chosen.length === 0 && at) lines.push(...understoodAt(built.model, at[1]!.replace(/^\.\//, ''), Number(at[2])));
  if (lines.length === 0) {
    throw new Failure(
      at
        ? `There is no finding and no access at ${subject}.`
        : `There is no finding ${subject}${hint(
            subject,
            report.findings.map((f) => f.fingerprint),
          )}`,
      {
        advice: 'tenant-lint check --format json --confidence possible lists every finding with its fingerprint.',
      },
    );
  }
  io.stdout.write(`${lines.join('\n')}\n`);
  return 0;
}

function explainRule(name: string, io: Io): number {
  const { meta } = ruleNamed(rules, name)!;
  const text = (explainTexts as Readonly<Record<string, string>>)[meta.id];
  const lines = [
    `${meta.id} (${meta.group}, ${meta.severity}${meta.recommended ? '' : ', off unless asked for'})`,
    `  ${meta.summary}`,
    ...Object.values(meta.messages).flatMap((m) => ['', `  what  ${m.what}`, `  why   ${m.why}`, `  fix   ${m.fix}`]),
    '',
    `  catalogue: ${meta.catalogue.join(', ') || 'none'}`,
    ...(text === undefined ? [] : ['', text]),
  ];
  io.stdout.write(`${lines.join('\n')}\n`);
  return 0;
}

function findingsAt(report: Report, file: string, line: number): Finding[] {
  const covering = report.findings.filter((f) => {
    if (f.span?.file !== file) return false;
    const { start, end } = placeOf(report, f.span);
    return start.line <= line && line <= end.line;
  });
  const starting = covering.filter((f) => placeOf(report, f.span!).start.line === line);
  return starting.length > 0 ? starting : covering;
}

/** The finding as `check` shows it, and behind it what it was decided from. */
function explained(f: Finding, report: Report, model: Model, root: string): string[] {
  const alone: Report = { ...report, findings: [{ ...f, suppressed: false, baselined: false }], unchecked: [] };
  const shown = textReport(alone, {
    color: false,
    quiet: false,
    verbose: true,
    textOf: (file) => {
      const read = readSource(root, file);
      return 'text' in read ? read.text : undefined;
    },
  })
    .split('\n\n')
    .slice(0, -1)
    .join('\n\n');
  const lines = [
    shown,
    '',
    `fingerprint  ${f.fingerprint}`,
    `confidence   ${f.confidence}${f.suppressed ? `; suppressed: ${oneLine(f.suppressReason ?? 'no reason')}` : ''}${f.baselined ? '; in the baseline' : ''}`,
  ];
  const accesses = f.span ? accessesIn(model, f.span) : [];
  if (accesses.length > 0) lines.push('', 'as understood', ...accesses.flatMap((a) => understood(a, model)));
  return [...lines, '', `tenant-lint explain ${f.rule} explains the rule.`];
}

const accessesIn = (model: Model, span: Span): LinkedAccess[] =>
  model.accesses.filter(
    (a) =>
      a.file === span.file &&
      (a.targets.some((t) => t.span.start <= span.start && span.end <= t.span.end) ||
        (span.start <= a.span.start && a.span.end <= span.end)),
  );

function understoodAt(model: Model, file: string, line: number): string[] {
  const starts = model.files.get(file)?.lineStarts;
  if (!starts) return [];
  const here = model.accesses.filter(
    (a) =>
      a.file === file && positionAt(starts, a.span.start).line <= line && line <= positionAt(starts, a.span.end).line,
  );
  if (here.length === 0) return [];
  return [
    `No finding at ${file}:${line}. What stands there, as understood:`,
    ...here.flatMap((a) => understood(a, model)),
  ];
}

/** One access: how each of its targets is reached, under which condition, and what the verdict rests on. */
function understood(access: LinkedAccess, model: Model): string[] {
  return access.targets.flatMap((target) => {
    const verdict = model.verdict(access, target);
    const table = model.tableOf(target);
    const name = table?.id ?? (target.table.known ? target.table.value.name : 'a table that is not known');
    const tenancy = table ? model.tenancyOf(table.id) : undefined;
    const { pinnedBy, source } = model.selection(access, target);
    const reasons = verdict.kind === 'unknown' ? verdict.hangsOn : verdict.because;
    return [
      `  ${access.library}.${access.method} reaches ${name} (${target.role}, ${target.operation})`,
      ...(tenancy ? [`    tenancy    ${tenancy.kind}: ${tenancy.why}`] : []),
      `    condition  ${named(describePredicate(target.predicate), access, model)}`,
      ...(pinnedBy.length > 0
        ? [`    one row    by ${pinnedBy.join(', ')}${source ? `: ${placed(source, model)}` : ''}`]
        : []),
      `    verdict    ${verdict.kind} (${verdict.evidence})${verdict.kind === 'leak' ? `: ${verdict.witness.text}` : ''}`,
      ...reasons.map((r) => `    because    ${placed(r, model)}`),
    ].map((line) => printable(line));
  });
}

/** The condition with the names of tables where the model has references. */
const named = (condition: string, access: LinkedAccess, model: Model): string =>
  condition.replace(/\bt\d+(?=\.)/g, (ref) => {
    const target = access.targets.find((t) => t.ref === ref);
    return (target && (target.alias ?? model.tableOf(target)?.name.name)) ?? ref;
  });
