import type { A_Const, Node, TypeName } from '@pgsql/types';
import type { Value } from '@tenant-lint/model';
import { constant, unknownValue } from '@tenant-lint/model';
import { holesIn, holeValue } from './holes.js';

/** The texts of a list of String nodes; stars and other nodes are left out. */
export const strings = (nodes: readonly Node[] | undefined): string[] =>
  (nodes ?? []).flatMap((node) => ('String' in node ? [node.String.sval ?? ''] : []));

/** The nodes of a List node, or the node itself. */
export const listItems = (node: Node | undefined): readonly Node[] => {
  if (!node) return [];
  return 'List' in node ? (node.List.items ?? []) : [node];
};

/** The literal; integers beyond what a number holds exactly stay text. The parser leaves out zero, false and empty fields. */
export function constantOf(node: A_Const): Value {
  if (node.isnull) return constant(null);
  if (node.ival) return constant(node.ival.ival ?? 0);
  if (node.boolval) return constant(node.boolval.boolval ?? false);
  if (node.sval) return textOf(node.sval.sval ?? '');
  if (node.bsval) return constant(node.bsval.bsval ?? '');
  if (node.fval) {
    const text = node.fval.fval ?? '0';
    const value = Number(text);
    return constant(/^-?\d+$/.test(text) && !Number.isSafeInteger(value) ? text : value);
  }
  return unknownValue('constant of an unknown kind');
}

/** A string; values that the program put into it are joined to its constant parts. */
function textOf(text: string): Value {
  const holes = holesIn(text);
  if (holes.length === 0) return constant(text);
  const parts: Value[] = [];
  let from = 0;
  for (const { n, start, end } of holes) {
    if (start > from) parts.push(constant(text.slice(from, start)));
    parts.push(holeValue(n));
    from = end;
  }
  if (from < text.length) parts.push(constant(text.slice(from)));
  const [only] = parts;
  return parts.length === 1 && only ? only : { kind: 'apply', function: 'concat', to: parts };
}

/** Names of types as the parser has them, and as Postgres prints them. */
const printed: Readonly<Record<string, string>> = {
  int2: 'smallint',
  int4: 'integer',
  int8: 'bigint',
  float4: 'real',
  float8: 'double precision',
  bool: 'boolean',
  varchar: 'character varying',
  bpchar: 'character',
  timestamptz: 'timestamp with time zone',
  timestamp: 'timestamp without time zone',
  timetz: 'time with time zone',
  time: 'time without time zone',
  varbit: 'bit varying',
};

/** A type's name as Postgres prints it, without its modifier: 'uuid', 'character varying', 'integer[]'. */
export function typeText(type: TypeName | undefined): string {
  const names = strings(type?.names).filter((name, i) => !(i === 0 && name === 'pg_catalog'));
  const name = names.join('.');
  return (printed[name] ?? name) + '[]'.repeat(type?.arrayBounds?.length ?? 0);
}

/** A function's or operator's qualified name without pg_catalog; the parser has folded what is not quoted to lower case. */
export const qualifiedName = (nodes: readonly Node[] | undefined): string =>
  strings(nodes)
    .filter((name, i) => !(i === 0 && name === 'pg_catalog'))
    .join('.');

/** True if a FROM item without schema anywhere inside has this name. */
export function namesTable(node: unknown, name: string): boolean {
  if (Array.isArray(node)) return node.some((item) => namesTable(item, name));
  if (node === null || typeof node !== 'object') return false;
  if ('relname' in node && node.relname === name && !('schemaname' in node)) return true;
  return Object.values(node).some((item) => typeof item === 'object' && namesTable(item, name));
}
