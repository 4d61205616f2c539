import { positionAt, type Span } from '@tenant-lint/model';
import { version } from '../version.js';
import { findingJson } from './json.js';
import { printableJson } from './printable.js';
import { wayText } from './proof-text.js';
import type { Executed, Review, State } from './review.js';

/** The review for machines, version 1. Equal reviews give equal bytes. */
export function reviewJson(review: Review): string {
  const { after, before } = review;
  const place = (span: Span | undefined, state: State | undefined): unknown => {
    if (!span || !state) return undefined;
    const starts = state.model.files.get(span.file)?.lineStarts ?? [0];
    return { file: span.file, start: positionAt(starts, span.start), end: positionAt(starts, span.end) };
  };
  const count = (effect: string): number => review.changes.filter((c) => c.effect === effect).length;
  const value = {
    version: 1,
    tool: { name: 'tenant-lint', version },
    since: review.since,
    summary: {
      files: review.files,
      weaker: count('weaker'),
      stricter: count('stricter'),
      undecided: count('unknown'),
      neutral: count('neutral'),
      introduced: review.introduced.length,
      fixed: review.fixed.length,
      unchecked: review.unchecked.length,
      compared: before !== undefined,
    },
    changes: review.changes.map((c) => ({
      thing: c.thing,
      what: c.what,
      name: c.name,
      ...(c.table === undefined ? {} : { table: c.table }),
      effect: c.effect,
      text: c.text,
      ...(c.after ? { after: place(c.after, after) } : {}),
      ...(c.before && before ? { before: place(c.before, before) } : {}),
    })),
    introduced: review.introduced.map((f) => findingJson(f, after.report)),
    fixed: before ? review.fixed.map((f) => findingJson(f, before.report)) : [],
    unchecked: review.unchecked.map((u) => ({
      file: u.file,
      reason: u.reason,
      ...(u.detail === undefined ? {} : { detail: u.detail }),
    })),
    ...(review.executed ? { executed: executedJson(review.executed) } : {}),
  };
  return `${printableJson(JSON.stringify(value, undefined, 2))}\n`;
}

const executedJson = (executed: Executed): unknown =>
  'failed' in executed
    ? executed
    : {
        database: executed.database,
        statements: executed.statements,
        tables: executed.about,
        matrix: executed.cells.map(({ cell, isNew, before }) => ({
          table: cell.table,
          way: wayText(cell),
          command: cell.command,
          outcome: cell.outcome,
          reason: cell.reason,
          isNew,
          ...(before === undefined ? {} : { before }),
          ...(cell.outcome === 'leaked' && cell.attempt ? { statement: cell.attempt.statement } : {}),
        })),
      };
