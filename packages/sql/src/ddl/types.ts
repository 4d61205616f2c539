import type { TypeName } from '@pgsql/types';
import { plainText, strings } from './names.js';

/** Spellings of built-in types to the name that Postgres prints (format_type). */
const printed = new Map<string, string>([
  ['int2', 'smallint'],
  ['int4', 'integer'],
  ['int', 'integer'],
  ['int8', 'bigint'],
  ['float4', 'real'],
  ['float8', 'double precision'],
  ['bool', 'boolean'],
  ['bpchar', 'character'],
  ['varchar', 'character varying'],
  ['decimal', 'numeric'],
  ['varbit', 'bit varying'],
]);

const withTimeZone = new Map<string, readonly [string, string]>([
  ['timestamp', ['timestamp', ' without time zone']],
  ['timestamptz', ['timestamp', ' with time zone']],
  ['time', ['time', ' without time zone']],
  ['timetz', ['time', ' with time zone']],
]);

const serials = new Map([
  ['serial', 'integer'],
  ['serial4', 'integer'],
  ['serial2', 'smallint'],
  ['smallserial', 'smallint'],
  ['serial8', 'bigint'],
  ['bigserial', 'bigint'],
]);

/** The integer type behind a serial one, undefined for other types. */
export function serialBase(type: TypeName | undefined): string | undefined {
  const names = strings(type?.names);
  return names.length === 1 ? serials.get(names[0] ?? '') : undefined;
}

/** A type as Postgres prints it: `character varying(255)`, `timestamp with time zone`, `uuid[]`; a user's own type as it is named. */
export function printType(type: TypeName | undefined): string {
  if (type === undefined) return '';
  const names = strings(type.names);
  const builtIn = names.length === 1 || names[0] === 'pg_catalog';
  const name = names.at(-1) ?? '';
  const array = (type.arrayBounds?.length ?? 0) > 0 ? '[]' : '';
  const modifiers = (type.typmods ?? []).map(plainText);
  const set = type.setof ? 'setof ' : '';
  if (type.pct_type) return `${set}${names.join('.')}%type`;
  if (!builtIn) return `${set}${names.join('.')}${array}`;
  const zoned = withTimeZone.get(name);
  if (zoned) return `${set}${zoned[0]}${parentheses(modifiers)}${zoned[1]}${array}`;
  // An interval's first modifier is a mask of its fields.
  if (name === 'interval') return `${set}interval${parentheses(modifiers.slice(1))}${array}`;
  return `${set}${serials.get(name) ?? printed.get(name) ?? name}${parentheses(modifiers)}${array}`;
}

const parentheses = (modifiers: readonly string[]): string => (modifiers.length > 0 ? `(${modifiers.join(',')})` : '');
