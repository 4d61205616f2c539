import type { Model } from '@tenant-lint/analysis';
import { positionAt } from '@tenant-lint/model';
import type { Cell, Proof } from '@tenant-lint/prove';
import { version } from '../version.js';
import { wayText } from './proof-text.js';

/** The proof as json, version 1. Equal proofs give equal bytes. */
export function proofJson(proof: Proof, model: Model): string {
  const value = {
    version: 1,
    tool: { name: 'tenant-lint', version },
    database: proof.database,
    summary: counts(proof.cells),
    migrations: {
      statements: proof.applied.total,
      applied: proof.applied.applied,
      exceptions: proof.applied.exceptions.map((e) => ({
        file: e.file,
        line: positionAt(model.files.get(e.file)?.lineStarts ?? [0], e.start).line,
        what: e.kind,
        reason: e.reason,
      })),
    },
    standIns: proof.standIns,
    roles: proof.roles,
    unfilled: proof.unfilled,
    matrix: proof.cells.map((c) => ({
      table: c.table,
      way: wayText(c),
      command: c.command,
      outcome: c.outcome,
      reason: c.reason,
      ...(c.outcome === 'leaked' && c.attempt ? { statement: c.attempt.statement } : {}),
    })),
  };
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

/** How many cells have which outcome. */
export function counts(cells: readonly Cell[]): Readonly<Record<Cell['outcome'], number>> {
  const found = { blocked: 0, leaked: 0, refused: 0, 'not tried': 0 };
  for (const c of cells) found[c.outcome]++;
  return found;
}
