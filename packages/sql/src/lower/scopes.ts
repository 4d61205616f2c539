import type { ObjectName } from '@tenant-lint/model';
import type { ParsedStatement } from '../parser/index.js';
import { newContext } from './context.js';
import type { Parameters, Scope } from './scope.js';
import { tableSource } from './scope.js';

/** The statement in which an expression stands: where its nodes are in the file, and its text for the ends of spans. */
export type Origin = Pick<ParsedStatement, 'start' | 'text' | 'offset'>;

const contextOf = (file: string, { start, text, offset }: Origin): ReturnType<typeof newContext> =>
  newContext({ file, library: 'sql', text, offset: (byte) => offset(byte) - start, place: (at) => at + start });

/**
 * The scope of an expression over one row of a table: a policy's USING and WITH CHECK. The row is the target `self`; the table's own name
 * qualifies it. Sub-queries get targets t0, t1 ...
 */
export function policyScope(file: string, table: ObjectName, statement: Origin): Scope {
  const source = tableSource('self', table.name, table.schema);
  return { context: contextOf(file, statement), levels: [{ sources: [source], merged: new Map() }], ctes: new Map() };
}

/** The same for CHECK constraints, generated columns and the expressions of an index. */
export const checkScope = policyScope;

/**
 * The scope of an expression in a function's body. A name means a column first and then a parameter, as in SQL functions; PL/pgSQL refuses a
 * name that could be both when it runs, so the column is assumed there too. Parameters may be qualified by the function's name.
 */
export const functionBodyScope = (file: string, parameters: Parameters, statement: Origin): Scope => ({
  context: contextOf(file, statement),
  levels: [],
  ctes: new Map(),
  parameters,
});
