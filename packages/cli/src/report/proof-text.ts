import type { Model } from '@tenant-lint/analysis';
import { positionAt } from '@tenant-lint/model';
import type { Cell, Proof } from '@tenant-lint/prove';
import { counts } from './proof-json.js';

/** The proof for a person: the matrix, a line for each way to a table, and what was not run, filled or tried. */
export function proofText(proof: Proof, model: Model): string {
  const found = counts(proof.cells);
  const { applied } = proof;
  const lines = [
    ...matrixLines(proof.cells),
    '',
    ...witnessLines(proof.cells),
    `${proof.database}: ${applied.applied} of ${applied.total} statements ran`,
    ...applied.exceptions
      .filter((e) => e.reason !== 'everything runs in one transaction')
      .map(
        (e) =>
          `  ${e.file}:${positionAt(model.files.get(e.file)?.lineStarts ?? [0], e.start).line}  ${e.kind}: ${e.reason}`,
      ),
    ...proof.standIns.map((s) => `  stand-in  ${s}`),
    ...proof.roles.map((r) => `  role ${r.name}: ${r.why}`),
    ...proof.unfilled.map((u) => `  ${u.table} has no rows: ${u.reason}`),
    `${found.leaked} leaked, ${found.blocked} blocked, ${found.refused} refused, ${found['not tried']} not tried`,
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
