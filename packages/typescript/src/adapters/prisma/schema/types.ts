import type { Attribute, Member } from './parse.js';

/** What a Prisma scalar is in Postgres when no `@db` attribute says otherwise. */
const scalars: Readonly<Record<string, string>> = {
  String: 'text',
  Boolean: 'boolean',
  Int: 'integer',
  BigInt: 'bigint',
  Float: 'double precision',
  Decimal: 'numeric(65,30)',
  DateTime: 'timestamp(3) without time zone',
  Json: 'jsonb',
  Bytes: 'bytea',
};

/** `@db` types whose Postgres name is not their own in lower case; `*` takes the arguments. */
const native: Readonly<Record<string, string>> = {
  varchar: 'character varying*',
  char: 'character*',
  bit: 'bit*',
  varbit: 'bit varying*',
  decimal: 'numeric*',
  timestamp: 'timestamp* without time zone',
  timestamptz: 'timestamp* with time zone',
  time: 'time* without time zone',
  timetz: 'time* with time zone',
  doubleprecision: 'double precision',
};

export const isScalar = (type: string): boolean => type in scalars || type === 'Unsupported';

/** The type of a field's column as Postgres prints it; an enum keeps the name it has in the database. */
export function columnType(field: Member, enums: ReadonlyMap<string, string>): string {
  const base = baseType(field, enums);
  return field.list ? `${base}[]` : base;
}

function baseType(field: Member, enums: ReadonlyMap<string, string>): string {
  const db = field.attributes.find((a) => a.name.startsWith('db.'));
  if (db) return nativeType(db);
  const type = field.type ?? 'unknown';
  if (type === 'Unsupported') return textOf(field.typeArguments?.[0]?.value) ?? 'unknown';
  return scalars[type] ?? enums.get(type) ?? type;
}

function nativeType(db: Attribute): string {
  const name = db.name.slice('db.'.length).toLowerCase();
  const args = db.arguments.map((a) => ('text' in a.value ? a.value.text : '')).join(',');
  return (native[name] ?? name).replace('*', args === '' ? '' : `(${args})`);
}

const textOf = (value: { readonly kind: string } | undefined): string | undefined =>
  value?.kind === 'string' ? (value as { text?: string }).text : undefined;
