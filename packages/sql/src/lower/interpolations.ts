import type { Node } from '@pgsql/types';
import type { Interpolation } from '@tenant-lint/model';
import type { Context } from './context.js';
import { holeValue, holesIn } from './holes.js';
import { spanAt } from './spans.js';

type Position = Interpolation['position'];

/**
 * The holes of a statement with the place in the grammar where each stands. A hole that the tree does not hold (it was blanked because
 * the text could not be parsed with it) is a fragment.
 */
export function findInterpolations(node: Node, context: Context): Interpolation[] {
  const text = context.text;
  if (text === undefined || !text.includes('__hole_')) return [];
  const positions = new Map<number, Position>();
  walk(node, [], (value, path) => {
    for (const { n } of holesIn(value)) if (!positions.has(n)) positions.set(n, positionOf(value, path));
  });
  return interpolationsOf(text, context, positions);
}

/** One entry for each hole in the text, in order; holes without a known position are fragments. */
export function interpolationsOf(
  text: string,
  context: Context,
  positions: ReadonlyMap<number, Position>,
): Interpolation[] {
  return holesIn(text).map(({ n, start, end }) => ({
    position: positions.get(n) ?? 'fragment',
    value: holeValue(n),
    quoted: false,
    span: spanAt(context, start, end),
    around: around(text, start, end),
  }));
}

interface Step {
  readonly key: string;
  readonly of: Readonly<Record<string, unknown>>;
}

function walk(part: unknown, path: readonly Step[], visit: (value: string, path: readonly Step[]) => void): void {
  if (Array.isArray(part)) for (const item of part) walk(item, path, visit);
  else if (part !== null && typeof part === 'object') {
    const of = part as Readonly<Record<string, unknown>>;
    for (const [key, value] of Object.entries(of)) {
      const next = [...path, { key, of }];
      if (typeof value === 'string') visit(value, next);
      else walk(value, next, visit);
    }
  }
}

/** Node kinds in which every name is a schema, or one part of a list is. */
const schemaObject = (body: unknown): boolean =>
  typeof body === 'object' &&
  body !== null &&
  ['objtype', 'removeType', 'renameType', 'objectType'].some(
    (key) => (body as Record<string, unknown>)[key] === 'OBJECT_SCHEMA',
  );

function positionOf(value: string, path: readonly Step[]): Position {
  const key = path.at(-1)?.key ?? '';
  const kinds = path.map((step) => step.key);
  const has = (kind: string): boolean => kinds.includes(kind);
  const nearest = (...among: string[]): string | undefined => [...kinds].reverse().find((k) => among.includes(k));
  if (key === 'schemaname' || key === 'newschema') return 'schema';
  if (key === 'relname' || key === 'catalogname' || key === 'dbname' || key === 'rolename') return 'identifier';
  if (key === 'aliasname' || key === 'colname') return 'fragment';
  if (has('CreateSchemaStmt')) return 'schema';
  if (has('VariableSetStmt')) {
    const set = path.find((step) => step.key === 'VariableSetStmt')?.of['VariableSetStmt'] as
      { name?: string } | undefined;
    return set?.name === 'search_path' && key === 'sval'
      ? 'schema'
      : set?.name === 'role' || set?.name === 'session_authorization'
        ? 'identifier'
        : 'value';
  }
  const inner = nearest('ColumnRef', 'funcname', 'A_Const', 'names', 'RangeVar', 'cols');
  const among = namesAround(path);
  const index = among.indexOf(value);
  if (inner === 'A_Const') return 'value';
  if (inner === 'ColumnRef') {
    if (among.length === 1) return isOperand(kinds) ? 'value' : 'fragment';
    return among.length === 3 && index === 0 ? 'schema' : index < among.length - 1 ? 'identifier' : 'fragment';
  }
  if (inner === 'cols') return 'fragment';
  if (inner === 'funcname' || inner === 'names') return among.length > 1 && index === 0 ? 'schema' : 'identifier';
  if (path.some((step) => schemaObject(step.of[step.key]))) return 'schema';
  if (has('DropStmt') || has('GrantStmt') || has('CommentStmt'))
    return among.length > 1 && index === 0 ? 'schema' : 'identifier';
  if (['DropdbStmt', 'CreatedbStmt', 'DropRoleStmt', 'CreateRoleStmt', 'AlterRoleStmt'].some(has)) return 'identifier';
  if (has('RenameStmt') && key === 'newname') return 'identifier';
  return 'unknown';
}

/** The names of the list of String nodes in which the innermost value stands. */
function namesAround(path: readonly Step[]): string[] {
  for (let i = path.length - 1; i >= 0; i--) {
    const list = path[i]?.of[path[i]?.key ?? ''];
    if (!Array.isArray(list)) continue;
    const names = list.flatMap((item: unknown) =>
      typeof item === 'object' && item !== null && 'String' in item
        ? [(item.String as { sval?: string }).sval ?? '']
        : [],
    );
    if (names.length > 0) return names;
  }
  return [];
}

/** True if the column reference is an operand, an argument or a written value: not a whole condition, select item or sort key. */
function isOperand(kinds: readonly string[]): boolean {
  const above = kinds.slice(0, kinds.lastIndexOf('ColumnRef')).reverse();
  const nearest = above.find((k) => !['val', 'arg', 'args', 'lexpr', 'rexpr', 'List', 'items', 'elements'].includes(k));
  if (nearest === undefined) return false;
  if (
    [
      'A_Expr',
      'FuncCall',
      'TypeCast',
      'A_ArrayExpr',
      'RowExpr',
      'CoalesceExpr',
      'limitCount',
      'limitOffset',
      'valuesLists',
    ].includes(nearest)
  )
    return true;
  if (nearest !== 'ResTarget') return false;
  return ['UpdateStmt', 'InsertStmt', 'OnConflictClause', 'onConflictClause'].includes(
    above.find((k) => /Stmt$|Conflict/.test(k)) ?? '',
  );
}

/** The words around a hole on one line; holes are shown as `?`. */
function around(text: string, start: number, end: number): string {
  const before = text.slice(Math.max(0, start - 40), start);
  const after = text.slice(end, end + 24);
  const cut =
    (start > 40 ? before.replace(/^\S*\s/, '') : before) +
    '?' +
    (text.length > end + 24 ? after.replace(/\s\S*$/, '') : after);
  return cut
    .replace(/__hole_\d+__/g, '?')
    .replace(/\s+/g, ' ')
    .trim();
}

/** The place of a hole in a text that cannot be parsed, as far as the words beside it tell. */
export function positionByText(text: string, start: number, end: number): Position {
  const before = text.slice(Math.max(0, start - 60), start).replace(/["']\w*$/, '');
  if (/search_path\s*(?:=|\bto\b)[^;]*$/i.test(before) || /\bschema\s+(?:if\s+(?:not\s+)?exists\s+)?$/i.test(before))
    return 'schema';
  if (/^\w*"?\s*\./.test(text.slice(end, end + 40))) return 'schema';
  if (/\b(?:from|join|into|update|table|database|truncate)\s+(?:only\s+)?$/i.test(before)) return 'identifier';
  return 'unknown';
}
