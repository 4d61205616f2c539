import { codeFrameColumns } from '@babel/code-frame';
import pc from 'picocolors';
import type { Finding, Span } from '@tenant-lint/model';
import type { Report } from '@tenant-lint/engine';
import { groupsOf, type Group } from './groups.js';
import { located, placeOf, whereOf } from './place.js';
import { oneLine, printable, shownFindings } from './printable.js';
import { plural } from './words.js';

export interface TextOptions {
  readonly color: boolean;
  /** Errors only. */
  readonly quiet: boolean;
  /** Every finding in full, every unchecked entry. */
  readonly verbose: boolean;
  readonly textOf: (file: string) => string | undefined;
}

/** A frame of more lines than this shows the beginning only. */
const frameLines = 9;
const uncheckedShown = 5;
/** More rules than this are counted, not named. */
const unmetShown = 5;
/** A report of more findings than this is grouped: the first of each group in full, of the others the place. */
const shownInFull = 30;
const placesShown = 10;

/**
 * The report for a person: each finding with its code, why, what to do, and the lines it rests on. Many findings are grouped by rule and
 * message, the worst first.
 */
export function textReport(report: Report, options: TextOptions): string {
  const colors = pc.createColors(options.color);
  const shown = shownFindings(report, options.quiet);
  const texts = new Map<string, string | undefined>();
  const textOf = (file: string): string | undefined => {
    if (!texts.has(file)) texts.set(file, options.textOf(file));
    return texts.get(file);
  };
  const view: View = { report, colors, color: options.color, textOf };
  const blocks =
    options.verbose || shown.length <= shownInFull
      ? shown.map((f) => findingBlock(f, view))
      : groupsOf(shown).map((group) => groupBlock(group, view));
  return `${[...blocks, ...uncheckedBlock(report, options, colors), summaryBlock(report, options, colors, shown.length > shownInFull)].join('\n\n')}\n`;
}

type Colors = ReturnType<typeof pc.createColors>;

interface View {
  readonly report: Report;
  readonly colors: Colors;
  readonly color: boolean;
  readonly textOf: (file: string) => string | undefined;
}

function groupBlock({ first, others }: Group, view: View): string {
  const { colors, report } = view;
  if (others.length === 0) return findingBlock(first, view);
  const places = others.slice(0, placesShown).map((f) => {
    const about = f.table === undefined ? '' : colors.dim(`  ${oneLine(f.table)}`);
    return `            ${f.span ? oneLine(located(report, f.span)) : oneLine(f.subject ?? '')}${about}`;
  });
  if (others.length > placesShown) places.push(colors.dim(`            ... and ${others.length - placesShown} more`));
  return [
    findingBlock(first, view),
    `  ${colors.bold(`the same in ${others.length} more ${others.length === 1 ? 'place' : 'places'}`)}`,
    ...places,
  ].join('\n');
}

function findingBlock(f: Finding, { report, colors, color, textOf }: View): string {
  const paint = f.severity === 'error' ? colors.red : f.severity === 'warning' ? colors.yellow : colors.cyan;
  const where = f.span ? oneLine(located(report, f.span)) : oneLine(f.subject ?? '');
  const lines = [
    `${colors.bold(where)}  ${paint(f.severity)}  ${colors.dim(f.rule)}${f.confidence === 'certain' ? '' : colors.dim(`  ${f.confidence}`)}`,
  ];
  lines.push(`  ${oneLine(f.text.what)}`, `  ${oneLine(f.text.why)}`);
  const text = f.span && textOf(f.span.file);
  if (f.span && text !== undefined) lines.push('', indented(frame(text, report, f.span, color)), '');
  lines.push(`  ${colors.green('fix')}  ${oneLine(f.text.fix)}`);
  if (f.witness !== undefined) lines.push(`  ${colors.dim('shows')}  ${oneLine(f.witness)}`);
  for (const r of f.related)
    lines.push(
      `  ${colors.dim('rests on')}  ${oneLine(whereOf(report, r))}  ${oneLine(r.text)}${r.span ? quoted(textOf(r.span.file), report, r.span, colors) : ''}`,
    );
  return lines.join('\n');
}

function frame(text: string, report: Report, span: Span, color: boolean): string {
  const { start, end } = placeOf(report, span);
  const last = end.line - start.line >= frameLines ? undefined : end;
  const shown = text
    .split(/\r\n|[\n\r]/)
    .map((line) => printable(line))
    .join('\n');
  return codeFrameColumns(shown, last ? { start, end: last } : { start }, {
    linesAbove: 1,
    linesBelow: 1,
    highlightCode: false,
    ...(color ? { forceColor: true } : {}),
  });
}

/** The line a step of the trail points at, shortened. */
function quoted(text: string | undefined, report: Report, span: Span, colors: Colors): string {
  if (text === undefined) return '';
  const line = printable((text.split(/\r\n|\n|\r/)[placeOf(report, span).start.line - 1] ?? '').trim());
  return line === '' ? '' : `\n            ${colors.dim(line.length > 110 ? `${line.slice(0, 107)}...` : line)}`;
}

const indented = (text: string): string =>
  text
    .split('\n')
    .map((line) => `  ${line}`)
    .join('\n');

function uncheckedBlock(report: Report, options: TextOptions, colors: Colors): string[] {
  if (report.unchecked.length === 0 || options.quiet) return [];
  const groups = new Map<string, number>();
  for (const u of report.unchecked) groups.set(u.reason, (groups.get(u.reason) ?? 0) + 1);
  const lines = [colors.bold(`Not checked: ${report.unchecked.length}`)];
  for (const [reason, count] of [...groups].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))) {
    lines.push(`  ${oneLine(reason)}: ${count}`);
    const entries = report.unchecked.filter((u) => u.reason === reason);
    for (const u of options.verbose ? entries : entries.slice(0, count <= uncheckedShown ? count : 2)) {
      lines.push(
        `    ${u.span ? oneLine(located(report, u.span)) : oneLine(u.file)}${u.detail === undefined ? '' : `  ${printable(u.detail.split('\n')[0]!)}`}`,
      );
    }
    if (!options.verbose && count > uncheckedShown) lines.push(`    ... and ${count - 2} more (--verbose lists them)`);
  }
  return [lines.join('\n')];
}

function summaryBlock(report: Report, options: TextOptions, colors: Colors, many: boolean): string {
  const { summary, model } = report;
  const counts = [
    plural(summary.error, 'error'),
    plural(summary.warning, 'warning'),
    ...(summary.info > 0 ? [`${summary.info} info`] : []),
    ...(summary.suppressed > 0 ? [`${summary.suppressed} suppressed`] : []),
    ...(summary.baselined > 0 ? [`${summary.baselined} in the baseline`] : []),
    ...(summary.unchecked > 0 ? [`${summary.unchecked} not checked`] : []),
    ...(report.hiddenPossible > 0 ? [`${report.hiddenPossible} possible (--confidence possible shows them)`] : []),
  ];
  const evidence = Object.entries(model.evidence)
    .map(([kind, count]) => `${kind} ${count}`)
    .join(', ');
  const lines = [
    (summary.error > 0 ? colors.red : summary.warning > 0 ? colors.yellow : colors.green)(counts.join(', ')),
    colors.dim(
      `${plural(model.tables, 'table')}, ${model.keyed} with a tenant key; ${plural(model.accesses, 'access', 'accesses')}${evidence === '' ? '' : `: ${evidence}`}`,
    ),
    ...(report.libraries.length > 0 ? [colors.dim(`looked for: ${report.libraries.join(', ')}`)] : []),
    ...report.unmet.map((u) =>
      colors.dim(
        options.verbose || u.rules.length <= unmetShown
          ? `no ${u.need} found: ${u.rules.join(', ')} did not run`
          : `no ${u.need} found: ${u.rules.length} rules did not run (--verbose names them)`,
      ),
    ),
    ...(many ? ['All of them in full: --verbose. To see only what is new from now on: tenant-lint baseline.'] : []),
  ];
  return lines.join('\n');
}
