import type { Change, Model } from '@tenant-lint/analysis';
import type { Report } from '@tenant-lint/engine';
import type { Cell } from '@tenant-lint/prove';
import { positionAt, type Finding, type Span, type Unchecked } from '@tenant-lint/model';

export interface State {
  readonly model: Model;
  readonly report: Report;
}

/** What a change does, as its reviewer is told. */
export interface Review {
  readonly since: string;
  /** How many files differ. */
  readonly files: number;
  readonly after: State;
  /** Absent where nothing said before the change which rows belong to which tenant. */
  readonly before?: State;
  readonly changes: readonly Change[];
  /** Not suppressed, accepted ones included. */
  readonly introduced: readonly Finding[];
  readonly fixed: readonly Finding[];
  /** What could not be checked, and was or was not there before. */
  readonly unchecked: readonly Unchecked[];
  /** With --prove. */
  readonly executed?: Executed;
}

/** What execution shows of the tables that a change is about. */
export type Executed =
  | {
      readonly database: string;
      /** Statements of the migrations that ran, of all. */
      readonly statements: { readonly applied: number; readonly total: number };
      /** Tables, views and functions, by name. */
      readonly about: readonly string[];
      readonly cells: readonly ExecutedCell[];
    }
  /** Why nothing was executed. */
  | { readonly failed: string };

export interface ExecutedCell {
  readonly cell: Cell;
  /** A leak that closes the gate: the database should isolate the row, and the state before did. */
  readonly isNew: boolean;
  /** What came of the same before the change; absent where that was not tried. */
  readonly before?: Cell['outcome'];
}

/** Whether the gate closes. Weaker isolation weighs as much as an error. */
export function failsReview({ changes, introduced, executed }: Review, failOn: 'error' | 'warning' | 'never'): boolean {
  if (failOn === 'never') return false;
  const open = introduced.filter((f) => !f.baselined);
  return (
    changes.some((c) => c.effect === 'weaker') ||
    (executed !== undefined && 'cells' in executed && executed.cells.some((c) => c.isNew)) ||
    open.some((f) => f.severity === 'error' || (failOn === 'warning' && f.severity === 'warning'))
  );
}

/** `file:line` of a place in one of the two states. */
export function lineOf(span: Span, { model }: State): string {
  const { line } = positionAt(model.files.get(span.file)?.lineStarts ?? [0], span.start);
  return `${span.file}:${line}`;
}
