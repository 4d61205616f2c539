import type { Model } from '@tenant-lint/analysis';
import type { Finding } from '@tenant-lint/model';
import type { Cell, Comparison, Proof } from '@tenant-lint/prove';
import { counts, lineOf } from './proof-json.js';

/** The proof for a person: the matrix, a line for each way to a table, and what was not run, filled or tried. */
export function proofText(proof: Proof, comparison: Comparison, model: Model): string {
  const found = counts(proof.cells);
  const { applied } = proof;
  const isOpen = new Set(comparison.open);
  const at = (f: Finding): string => (f.span ? `${f.span.file}:${lineOf(model, f.span)}` : (f.subject ?? ''));
  const lines = [
    ...matrixLines(proof.cells),
    '',
    ...witnessLines(proof.cells.filter((c) => !isOpen.has(c.table))),
    ...(isOpen.size > 0
      ? [`Isolated by the application, the database lets every row through: ${comparison.open.join(', ')}`, '']
      : []),
    ...comparison.executed.flatMap((e) => [
      `${at(e.finding)}  ${e.finding.rule}  ${e.outcome}: ${e.reason}`,
      ...(e.statement === undefined ? [] : [`  ${e.statement}`]),
    ]),
    ...comparison.disagreements.map((d) =>
      d.cell
        ? `missed   ${d.cell.table}  ${d.cell.command} by ${wayText(d.cell)}: ${d.text}`
        : `refuted  ${d.finding ? `${at(d.finding)}  ${d.finding.rule}` : ''}: ${d.text}`,
    ),
    `${proof.database}: ${applied.applied} of ${applied.total} statements ran`,
    ...applied.exceptions
      .filter((e) => e.reason !== 'everything runs in one transaction')
      .map((e) => `  ${e.file}:${lineOf(model, e)}  ${e.kind}: ${e.reason}`),
    ...proof.standIns.map((s) => `  stand-in  ${s}`),
    ...proof.roles.map((r) => `  role ${r.name}: ${r.why}`),
    ...proof.unfilled.map((u) => `  ${u.table} has no rows: ${u.reason}`),
    `${found.leaked} leaked, ${found.blocked} blocked, ${found.refused} refused, ${found['not tried']} not tried; ${comparison.disagreements.length} disagreements with the static side`,
  ];
  return `${lines.join('\n')}\n`;
}

/** By what and as whom, in words. */
export const wayText = (c: Pick<Cell, 'way' | 'role' | 'context'>): string =>
  `${c.way.kind} ${c.way.name} as ${c.role}${c.context === '' ? '' : `, ${c.context}`}`;

const letters: Readonly<Record<Cell['outcome'], string>> = {
  blocked: 'blocked',
  leaked: 'LEAKED',
  refused: 'refused',
  'not tried': '-',
};

function matrixLines(cells: readonly Cell[]): readonly string[] {
  const lines: string[] = [];
  let table = '';
  const ways = new Map<string, Cell[]>();
  for (const c of cells) {
    const key = `${c.table}\n${wayText(c)}`;
    ways.set(key, [...(ways.get(key) ?? []), c]);
  }
  for (const of of ways.values()) {
    const [first] = of;
    if (!first) continue;
    if (first.table !== table) lines.push(first.table);
    table = first.table;
    const notTried = of.length === 1 && first.outcome === 'not tried' ? `not tried: ${first.reason}` : undefined;
    lines.push(
      `  ${wayText(first)}`,
      `    ${notTried ?? of.map((c) => `${c.command} ${letters[c.outcome]}`).join(', ')}`,
    );
  }
  return lines;
}

function witnessLines(cells: readonly Cell[]): readonly string[] {
  return cells.flatMap((c) =>
    c.outcome === 'leaked' && c.attempt
      ? [`${c.table}  ${c.command} by ${wayText(c)}`, `  ${c.reason}`, `  ${c.attempt.statement}`, '']
      : [],
  );
}
