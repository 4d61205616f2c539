import type { Model } from '@tenant-lint/analysis';
import { positionAt, type Finding } from '@tenant-lint/model';
import type { Cell, Comparison, Proof } from '@tenant-lint/prove';
import { version } from '../version.js';
import { wayText } from './proof-text.js';

/** The proof as json, version 1. Equal proofs give equal bytes. */
export function proofJson(proof: Proof, comparison: Comparison, model: Model): string {
  const about = (f: Finding): Record<string, unknown> => ({
    rule: f.rule,
    fingerprint: f.fingerprint,
    ...(f.span ? { file: f.span.file, line: lineOf(model, f.span) } : { file: null, subject: f.subject }),
    ...(f.table === undefined ? {} : { table: f.table }),
  });
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
        line: lineOf(model, e),
        what: e.kind,
        reason: e.reason,
      })),
    },
    standIns: proof.standIns,
    roles: proof.roles,
    unfilled: proof.unfilled,
    isolatedByApplication: comparison.open,
    findings: comparison.executed.map((e) => ({
      ...about(e.finding),
      outcome: e.outcome,
      reason: e.reason,
      ...(e.statement === undefined ? {} : { statement: e.statement }),
    })),
    disagreements: comparison.disagreements.map((d) => ({
      kind: d.kind,
      text: d.text,
      ...(d.finding ? about(d.finding) : {}),
      ...(d.cell ? { table: d.cell.table, way: wayText(d.cell), command: d.cell.command } : {}),
    })),
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

/** The line of a place in a file of the project, from 1. */
export const lineOf = (model: Model, place: { readonly file: string; readonly start: number }): number =>
  positionAt(model.files.get(place.file)?.lineStarts ?? [0], place.start).line;
