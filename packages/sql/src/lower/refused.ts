import type { Node } from '@pgsql/types';

/** Kinds of statement in which Postgres takes bind parameters. */
const taking = new Set([
  'SelectStmt',
  'InsertStmt',
  'UpdateStmt',
  'DeleteStmt',
  'MergeStmt',
  'CallStmt',
  'ExplainStmt',
  'DeclareCursorStmt',
  'CreateTableAsStmt',
  // Its own parameters: PREPARE name AS SELECT ... $1.
  'PrepareStmt',
]);

/** A parameter that the parser reads although the database refuses it. */
export interface Refused {
  readonly name: string;
  readonly location: number;
  /** What to do instead. */
  readonly instead: string;
}

/**
 * The first bind parameter of a statement that takes none: the grammar of the parser is wider than the database's and reads `SET x TO $1`.
 * `sent` tells whether a parameter of this name reaches the database at all.
 */
export function refusedParameter(node: Node, sent: (name: string) => boolean): Refused | undefined {
  const [kind = ''] = Object.keys(node);
  if (taking.has(kind)) return undefined;
  const found = firstParameter(node, sent);
  if (!found) return undefined;
  const instead =
    kind === 'VariableSetStmt' ? 'use set_config' : 'make it part of the text, quoted by format or by the driver';
  return { ...found, instead };
}

function firstParameter(part: unknown, sent: (name: string) => boolean): Omit<Refused, 'instead'> | undefined {
  if (part === null || typeof part !== 'object') return undefined;
  if ('ParamRef' in part) {
    const { number = 0, location = 0 } = part.ParamRef as { number?: number; location?: number };
    return sent(String(number)) ? { name: String(number), location } : undefined;
  }
  for (const value of Object.values(part)) {
    const found = firstParameter(value, sent);
    if (found) return found;
  }
  return undefined;
}
