import { positionAt, type Finding } from '@tenant-lint/model';
import type { Unrepaired } from '@tenant-lint/engine';
import { plural } from '../report/words.js';

/** What became of the findings, a line each, for people. Pure. */
export function fixText(
  repaired: readonly Finding[],
  left: readonly Unrepaired[],
  files: readonly string[],
  written: boolean,
  lineStarts: Readonly<Record<string, readonly number[]>>,
): string[] {
  const all = repaired.length + left.length;
  const lines = [
    all === 0
      ? 'Nothing to repair.'
      : `${repaired.length} of ${plural(all, 'finding')} ${written ? 'repaired' : 'can be repaired'}${files.length === 0 ? '.' : `, in ${files.join(', ')}.`}`,
  ];
  const shown = (f: Finding): string => `${placeOf(f, lineStarts)}  ${f.rule}`;
  if (repaired.length > 0)
    lines.push(written ? 'Repaired:' : 'Repaired by the diff below:', ...repaired.map((f) => `  ${shown(f)}`));
  if (left.length > 0)
    lines.push('Left to you:', ...left.flatMap(({ finding, reason }) => [`  ${shown(finding)}`, `    ${reason}`]));
  return lines;
}

function placeOf({ span, subject }: Finding, lineStarts: Readonly<Record<string, readonly number[]>>): string {
  if (!span) return subject ?? '-';
  const { line, column } = positionAt(lineStarts[span.file] ?? [0], span.start);
  return `${span.file}:${line}:${column}`;
}
