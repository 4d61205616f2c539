import type { Model } from '@tenant-lint/analysis';
import { confidences, spanContains, type Confidence, type Finding } from '@tenant-lint/model';
import { oneFindingPerCause, type Cause } from './cause.js';
import { fingerprinter } from './fingerprint.js';
import { figuresOf, lineStartsFor, summarize } from './figures.js';
import { uncheckedWithoutLivePlaces, withoutLivePlaces } from './live.js';
import { render } from './render.js';
import type { Draft, Need, Rule, SubjectKind, Subjects } from './rule.js';
import type { Report } from './report.js';
import { rulesByPlace, type Override } from './overrides.js';
import { severityOf, type ActiveRule, type RuleSetting } from './settings.js';
import { suppressionsOf } from './suppress.js';
import { isMet, subjectsOf } from './subjects.js';

export interface RunOptions {
  /** `rules` of the configuration. */
  readonly settings?: Readonly<Record<string, RuleSetting>>;
  /** What differs in parts of the project; later ones win. */
  readonly overrides?: readonly Override[];
  /** Only these rules run. */
  readonly only?: readonly string[];
  /** The weakest confidence that is reported; 'likely' if absent. */
  readonly confidence?: Confidence;
  /** Fingerprints of accepted findings. */
  readonly baseline?: ReadonlySet<string>;
  /** Declared cross-tenant code: why a file is one, undefined if it is not. */
  readonly intended?: (file: string) => string | undefined;
  /** The nearest of some names to a misspelt one. */
  readonly nearest?: (name: string, among: readonly string[]) => string | undefined;
}

interface Found {
  readonly rule: string;
  readonly cause: Cause;
  readonly active: ActiveRule;
  readonly draft: Draft;
}

/**
 * Runs rules over a model: collects drafts, leaves one per cause, judges them (severity, suppression, baseline, confidence) and renders
 * their messages. Pure; the order of the result is by file, position, rule. Throws only where a rule is defective.
 */
export function runRules(model: Model, rules: readonly Rule[], options: RunOptions = {}): Report {
  const { active, holdsAt } = rulesByPlace(rules, options);
  const unmet = unmetNeeds(active, model);
  const skipped = new Set(unmet.flatMap((u) => u.rules));
  const running = active.filter((a) => !skipped.has(a.rule.meta.id));
  const ran = new Set(running.map((a) => a.rule.meta.id));

  const suppressions = suppressionsOf(model.files, rules);
  const drafts = textsAsOne(oneFindingPerCause(running.flatMap((a) => [...draftsOf(a, model, holdsAt)]))).sort(byPlace);
  const fingerprint = fingerprinter();
  const judged = drafts.map((found) => judge(found, fingerprint, options, suppressions.covering));

  const nearest = (name: string): string | undefined =>
    options.nearest?.(
      name,
      rules.map((rule) => rule.meta.id),
    );
  const { only: _, ...unasked } = options;
  // A rule that lacks what it needs has nothing to say, comment or not.
  const on = new Set(
    rulesByPlace(rules, unasked)
      .active.map((a) => a.rule.meta.id)
      .filter((id) => !skipped.has(id)),
  );
  for (const a of running.filter((r) => r.rule.subject === 'suppression')) {
    for (const subject of suppressions.subjects(ran, on, nearest)) {
      for (const draft of a.rule.check(subject, model, a.options)) {
        if (!holdsAt(a, draft.span?.file)) continue;
        judged.push(judge({ rule: a.rule.meta.id, cause: undefined, active: a, draft }, fingerprint, options));
      }
    }
  }

  const weakest = confidences.indexOf(options.confidence ?? 'likely');
  const findings = judged
    .filter((f) => confidences.indexOf(f.confidence) <= weakest)
    .map((f) => withoutLivePlaces(f, model.files))
    .sort(findingOrder);
  const unchecked = model.unchecked.map((u) => uncheckedWithoutLivePlaces(u, model.files));
  return {
    findings,
    unchecked,
    model: figuresOf(model),
    summary: summarize(findings, unchecked),
    rules: running
      .filter((a, i) => running.findIndex((b) => b.rule === a.rule) === i)
      .map(({ rule, severity }) => ({ meta: rule.meta, severity })),
    unmet,
    libraries: model.libraries,
    hiddenPossible: judged.filter((f) => confidences.indexOf(f.confidence) > weakest && !f.suppressed && !f.baselined)
      .length,
    lineStarts: lineStartsFor(model, findings, unchecked),
  };
}

function unmetNeeds(active: readonly ActiveRule[], model: Model): Report['unmet'] {
  const needs: readonly Need[] = ['schema', 'migrations', 'code'];
  return needs
    .filter((need) => !isMet(need, model))
    .map((need) => ({
      need,
      rules: [...new Set(active.filter((a) => a.rule.meta.needs?.includes(need)).map((a) => a.rule.meta.id))],
    }))
    .filter(({ rules }) => rules.length > 0);
}

function* draftsOf(
  active: ActiveRule,
  model: Model,
  holdsAt: (active: ActiveRule, file: string | undefined) => boolean,
): Iterable<Found> {
  const { rule, options } = active;
  if (rule.subject === 'suppression') return;
  for (const subject of subjectsOf(rule.subject, model)) {
    for (const draft of rule.check(subject, model, options)) {
      if (!holdsAt(active, draft.span?.file)) continue;
      if (!active.informs && rule.meta.messages[draft.message]?.severity === 'info') continue;
      yield { rule: rule.meta.id, cause: draft.cause ?? causeOf(rule.subject, subject), active, draft };
    }
  }
}

/**
 * Text that the program puts together in several ways is an access for each of them. What is said of all is said once: of the one it is
 * surest of, and of those the longest text.
 */
function textsAsOne(found: readonly Found[]): Found[] {
  const groups = new Map<string, Found[]>();
  for (const [i, one] of found.entries()) {
    const { draft, rule } = one;
    const { message, data, span, table, key } = draft;
    const name = span ? JSON.stringify([rule, message, data, span.file, table, key]) : String(i);
    const group = groups.get(name) ?? [];
    groups.set(name, group);
    // One text may be a part of the other: what the conditions are put into, and what is left where there are none.
    const at = group.findIndex((other) => isSameText(other.draft, draft));
    const before = group[at];
    const surer = before ? confidences.indexOf(draft.confidence) - confidences.indexOf(before.draft.confidence) : -1;
    if (!before) group.push(one);
    else if (surer < 0 || (surer === 0 && (span?.end ?? 0) > (before.draft.span?.end ?? 0))) group[at] = one;
  }
  const kept = new Set([...groups.values()].flat());
  return found.filter((one) => kept.has(one));
}

/** Whether the accesses of two drafts begin at the same place, or one stands within the other. */
function isSameText(one: Draft, other: Draft): boolean {
  const [a, b] = [one.access ?? one.span, other.access ?? other.span];
  return a !== undefined && b !== undefined && (a.start === b.start || spanContains(a, b) || spanContains(b, a));
}

/** Within a target or a policy all rules speak of the same cause, unless a draft says otherwise. */
function causeOf(kind: SubjectKind, subject: Subjects[SubjectKind]): string | undefined {
  if (kind === 'target') {
    const { access, target } = subject as Subjects['target'];
    return `target ${access.id} ${target.ref}`;
  }
  if (kind === 'policy') {
    const { table, policy } = subject as Subjects['policy'];
    return `policy ${table.id} ${policy.name}`;
  }
  return undefined;
}

function judge(
  { active, draft }: Found,
  fingerprint: (rule: string, key: string) => string,
  options: RunOptions,
  covering?: ReturnType<typeof suppressionsOf>['covering'],
): Finding {
  const { meta } = active.rule;
  const template = meta.messages[draft.message];
  if (template === undefined) throw new Error(`rule ${meta.id} has no message "${draft.message}"`);
  const places = [draft.access, draft.span].flatMap((span) => span ?? []);
  const directive = places.map((span) => covering?.(active.rule, span)).find((d) => d !== undefined);
  const intended = draft.span && covering ? options.intended?.(draft.span.file) : undefined;
  const reason = directive?.reason ?? intended;
  const print = fingerprint(meta.id, draft.key);
  return {
    rule: meta.id,
    message: draft.message,
    severity: severityOf(active, template),
    confidence: draft.confidence,
    text: render(template, draft.data),
    ...(draft.span ? { span: draft.span } : {}),
    ...(draft.subject === undefined ? {} : { subject: draft.subject }),
    ...(draft.table === undefined ? {} : { table: draft.table }),
    ...(draft.evidence === undefined ? {} : { evidence: draft.evidence }),
    ...(draft.witness === undefined ? {} : { witness: draft.witness }),
    fingerprint: print,
    suppressed: directive !== undefined || intended !== undefined,
    ...(reason === undefined ? {} : { suppressReason: reason }),
    baselined: options.baseline?.has(print) ?? false,
    related: draft.related ?? [],
    fixes: draft.fixes ?? [],
  };
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Findings without a file come first, by what they are about. */
function comparePlace(
  a: { readonly span?: Finding['span']; readonly subject?: string },
  b: { readonly span?: Finding['span']; readonly subject?: string },
): number {
  return (
    compareText(a.span?.file ?? '', b.span?.file ?? '') ||
    (a.span?.start ?? 0) - (b.span?.start ?? 0) ||
    (a.span?.end ?? 0) - (b.span?.end ?? 0) ||
    compareText(a.subject ?? '', b.subject ?? '')
  );
}

const byPlace = (a: Found, b: Found): number =>
  comparePlace(a.draft, b.draft) || compareText(a.rule, b.rule) || compareText(a.draft.key, b.draft.key);

/** By file, position, rule; ties by message and fingerprint, so that the order is total. */
export const findingOrder = (a: Finding, b: Finding): number =>
  comparePlace(a, b) ||
  compareText(a.rule, b.rule) ||
  compareText(a.message, b.message) ||
  compareText(a.fingerprint, b.fingerprint);
