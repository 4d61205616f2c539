import type { Context } from '../identity.js';

/** What is tried on rows of the other tenant. */
export type Command =
  'read' | 'insert' | 'update' | 'delete' | 'move' | 'upsert' | 'truncate' | 'reference' | 'cascade' | 'call';

/** By what the rows are reached. */
export interface Way {
  readonly kind: 'table' | 'partition' | 'view' | 'function';
  /** Schema and name; of a function with its parameter types. */
  readonly name: string;
}

/**
 * One try of the application to reach a row of tenant B. In its savepoint: `prepare` as the owner, `statement` as the role in its context,
 * `between` as the owner, then `probe`. It leaks where the statement gives a row (`rowsLeak`) or the probe does.
 */
export interface Attempt {
  readonly table: string;
  readonly way: Way;
  readonly command: Command;
  readonly role: string;
  readonly context: Context;
  readonly prepare: readonly string[];
  readonly statement: string;
  readonly rowsLeak: boolean;
  readonly between?: readonly string[];
  readonly probe?: string;
  /** The probe runs as the role too. */
  readonly probeAsRole?: true;
  /** What it means when this is what leaks: 'a row of B whose is_public is true'. */
  readonly world?: string;
  /** Where the constraint of a reference refuses, the isolation holds. */
  readonly constraintBlocks?: true;
  /** Gives a row where the role reaches tenant A's own: without that, reaching none of B's says little. */
  readonly control?: string;
}

/** One cell of the matrix before it is tried: its attempts, of which the first that leaks counts, or why there is none. */
export interface Planned {
  readonly table: string;
  readonly way: Way;
  readonly command: Command;
  readonly role: string;
  readonly context: Context['name'];
  readonly attempts: readonly Attempt[];
  readonly notTried?: string;
}

export type CellOutcome = 'blocked' | 'leaked' | 'refused' | 'not tried';

/** One cell of the matrix. */
export interface Cell {
  readonly table: string;
  readonly way: Way;
  readonly command: Command;
  readonly role: string;
  readonly context: Context['name'];
  readonly outcome: CellOutcome;
  readonly reason: string;
  /** The attempt whose outcome this is. */
  readonly attempt?: Attempt;
  /** The right to it comes from the defaults of the platform, which no migration shows. */
  readonly grantedByPlatform?: true;
}

/** The name of a cell in messages. */
export const cellName = (c: Pick<Cell, 'table' | 'way' | 'command' | 'role' | 'context'>): string =>
  `${c.command} of ${c.table} by ${c.way.kind} ${c.way.name} as ${c.role}${c.context === '' ? '' : `, ${c.context}`}`;
