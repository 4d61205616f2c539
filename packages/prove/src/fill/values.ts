import type { CatalogColumn } from '../catalog.js';

/** Whose row. `A` is the current tenant, `B` the other one. */
export type Side = 'A' | 'B';

/** What values are told apart by; every value is the same from run to run. */
const numbers = { A: 9001, B: 9002 } as const;
const letters = { A: 'a', B: 'b' } as const;

/** A UUID of one side. `n` numbers the class. */
export const uuidOf = (side: Side, n: number): string =>
  `${letters[side].repeat(8)}-0000-4000-8000-${String(n).padStart(12, '0')}`;

/**
 * A value of a column's type for one side, as text that Postgres reads as that type: a string without a cast takes the type of the place.
 * `n` tells UUIDs of different classes apart. Null where no value of the type is known.
 */
export function valueOf(column: CatalogColumn, side: Side, n: number): string | null {
  if (column.kind === 'enum') return column.labels[0] ?? null;
  if (column.kind === 'array') return '{}';
  if (column.kind === 'composite' || column.kind === 'pseudo') return null;
  const type = column.base.toLowerCase().replace(/^pg_catalog\./, '');
  const length = /\((\d+)\)/.exec(type)?.[1];
  const name = type.replace(/\s*\(.*?\)/, '');
  const day = side === 'A' ? '01' : '02';
  switch (name) {
    case 'uuid':
      return uuidOf(side, n);
    case 'smallint':
    case 'integer':
    case 'bigint':
    case 'oid':
      return String(numbers[side]);
    case 'numeric':
    case 'real':
    case 'double precision':
    case 'money':
      return side === 'A' ? '1' : '2';
    case 'boolean':
      return 'false';
    case 'text':
    case 'character varying':
    case 'character':
    case 'citext':
    case 'name':
    case '"char"':
      return textOf(
        column.name,
        side,
        name === '"char"' ? 1 : length === undefined ? (name === 'character' ? 1 : undefined) : Number(length),
      );
    case 'date':
      return `2024-01-${day}`;
    case 'timestamp without time zone':
    case 'timestamp with time zone':
      return `2024-01-${day} 00:00:00+00`;
    case 'time without time zone':
    case 'time with time zone':
      return `${day}:00:00`;
    case 'interval':
      return `${day} days`;
    case 'json':
    case 'jsonb':
      return '{}';
    case 'bytea':
      return side === 'A' ? '\\xaa' : '\\xbb';
    case 'inet':
    case 'cidr':
      return `10.0.0.${side === 'A' ? 1 : 2}`;
    case 'macaddr':
      return `08:00:2b:01:02:0${side === 'A' ? 1 : 2}`;
    case 'bit':
    case 'bit varying':
      return (side === 'A' ? '0' : '1').repeat(Number(length ?? 1));
    case 'point':
      return side === 'A' ? '(1,1)' : '(2,2)';
    case 'xml':
      return `<${letters[side]}/>`;
    case 'tsvector':
    case 'tsquery':
    case 'hstore':
      return '';
    case 'ltree':
      return letters[side];
    case 'int4range':
    case 'int8range':
    case 'numrange':
      return side === 'A' ? '[1,2)' : '[2,3)';
    case 'daterange':
    case 'tsrange':
    case 'tstzrange':
      return side === 'A' ? '[2024-01-01,2024-01-02)' : '[2024-01-02,2024-01-03)';
    default:
      return column.kind === 'multirange' ? '{}' : column.kind === 'base' ? letters[side] : null;
  }
}

/** A text of a side, in the form that the column's name asks for. */
function textOf(column: string, side: Side, length: number | undefined): string {
  const own = letters[side];
  const word = column.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');
  const text = /e-?mail/.test(word)
    ? `${own}@${own}.example.test`
    : /url|website|link|href/.test(word)
      ? `https://${own}.example.test/${word}`
      : /domain|host/.test(word)
        ? `${own}.example.test`
        : /phone/.test(word)
          ? `+1555000000${side === 'A' ? 1 : 2}`
          : `${own}-${word}`;
  return length === undefined || text.length <= length
    ? text
    : length >= 3
      ? text.slice(0, length)
      : own.repeat(Math.max(1, Math.min(length, 1)));
}

/** Further values to try where a constraint refused the first: those that its text names, and some that formats often ask for. */
export function alternatives(column: CatalogColumn, side: Side, definition: string): readonly (string | null)[] {
  const found = new Set<string | null>();
  const own = letters[side];
  if (column.kind === 'enum') for (const label of column.labels) found.add(label);
  else if (/^boolean/.test(column.base)) for (const b of ['true', 'false']) found.add(b);
  else if (/int|numeric|real|double/.test(column.base)) {
    for (const [n] of definition.matchAll(/-?\d+(?:\.\d+)?/g))
      for (const d of [0, 1, -1]) found.add(String(Number(n) + d));
    for (const n of ['1', '0', '50', '100']) found.add(n);
  } else if (/^(?:text|character|citext)/.test(column.base)) {
    for (const [, quoted] of definition.matchAll(/'((?:[^']|'')*)'/g)) {
      const text = (quoted ?? '').replaceAll("''", "'");
      if (text !== '') found.add(text.replaceAll('%', own));
    }
    for (const [n] of definition.matchAll(/\b\d{1,3}\b/g)) if (Number(n) > 0) found.add(own.repeat(Number(n)));
    for (const t of [
      `${own}slug`,
      own.toUpperCase().repeat(3),
      own.repeat(2),
      `https://${own}.example.test`,
      `${own}@${own}.example.test`,
      `#${own.repeat(6)}`,
      '2024-01',
      '1.0.0',
      '1',
    ])
      found.add(t);
  } else if (column.kind === 'array') for (const a of [`{${own}}`, '{1}', '{}']) found.add(a);
  else if (/^json/.test(column.base)) for (const j of ['{}', '[]', '{"type":"a"}']) found.add(j);
  else if (/^(?:date|timestamp)/.test(column.base))
    for (const d of ['2024-01-01', '2024-02-01', '2030-01-01', '2000-01-01']) found.add(d);
  if (!column.notNull) found.add(null);
  return [...found].slice(0, 24);
}
