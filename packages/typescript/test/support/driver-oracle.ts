import { extractSql, lowerEmbedded } from '@tenant-lint/sql';
import { mapPredicate, type Access, type Adapter, type Predicate, type Target, type Value } from '@tenant-lint/model';
import { expect } from 'vitest';
import { substitutePlaceholders } from '../../src/adapters/substitute.js';
import { fakeContext } from './context.js';
import { factsOf, loweredBy } from './drizzle.js';
import { showPredicate, showValue } from './render.js';

const migration = extractSql(
  `create table orgs (id text primary key, slug text, name text);
   create table invoices (id text primary key, org_id text references orgs (id), number text, total int, meta jsonb);
   create table lines (id text primary key, invoice_id text references invoices (id), text text);`,
  { file: 'migrations/1.sql', role: 'migration' },
);

/** The only access of a file, as an adapter lowers it. */
export function lowerWith(adapter: Adapter, code: string): Access {
  const facts = factsOf({ 'query.ts': code });
  const { accesses, unknown } = loweredBy(adapter, facts, fakeContext([...facts, migration]));
  expect(unknown).toEqual([]);
  expect(accesses).toHaveLength(1);
  expect(accesses[0]!.unchecked).toBeUndefined();
  expect(accesses[0]!.client.kind).toBe('plain');
  return accesses[0]!;
}

/** What the SQL front end reads in a statement and its parameters. */
export function bySql(text: string, valueOf: (name: string) => unknown): Access {
  const { accesses, unchecked } = lowerEmbedded({
    file: 'sent.sql',
    text,
    idPrefix: 'q',
    library: 'sql',
    span: { file: 'sent.sql', start: 0, end: text.length },
    position: (n) => n,
  });
  expect(unchecked).toEqual([]);
  expect(accesses).toHaveLength(1);
  return substitutePlaceholders(accesses[0]!, (name) => literal(valueOf(name)));
}

function literal(value: unknown): Value {
  if (Array.isArray(value)) return { kind: 'list', of: value.map((v) => ({ value: literal(v) })) };
  // What a driver wraps for its type is the value.
  if (typeof value === 'object' && value !== null && 'value' in value) return literal(value.value);
  if (typeof value === 'object' && value !== null)
    return { kind: 'object', entries: Object.entries(value).map(([set, v]) => ({ set, value: literal(v) })) };
  return { kind: 'constant', value: value === undefined ? null : (value as string | number | boolean | null) };
}

/** The targets of an access in one line each: tables, conditions and writes, without regard to the order of operands. */
export function comparable(access: Access): readonly string[] {
  const plain = (v: Value): Value => {
    if (v.kind === 'apply' && v.function.startsWith('cast:')) return v.to[0]!;
    if (v.kind !== 'column') return v;
    return { kind: 'column', target: v.target ?? v.candidates?.[0]?.[0] ?? '?', column: v.column };
  };
  const go = (q: Predicate): string => {
    if (q.kind === 'and' || q.kind === 'or') return `(${q.of.map(go).sort().join(` ${q.kind} `)})`;
    if (q.kind === 'not') return `not ${go(q.of)}`;
    return showPredicate(q);
  };
  const writes = (t: Target['writes']): string =>
    Object.entries(t?.set ?? {})
      .map(([k, v]) => `${k}=${showValue(plain(v))}`)
      .sort()
      .join();
  return access.targets.map(
    (t) =>
      `${t.ref} ${t.role} ${t.operation} ${t.table.known ? t.table.value.name : '?'} [${writes(t.writes)}|${writes(t.updates)}] ${t.columns?.join() ?? '*'}: ${go(mapPredicate(t.predicate, plain))}`,
  );
}
