import { extractSql, lowerEmbedded } from '@tenant-lint/sql';
import {
  and,
  or,
  type Access,
  type Adapter,
  type FileFacts,
  type Predicate,
  type Target,
  type Value,
} from '@tenant-lint/model';
import { expect } from 'vitest';
import { rewritePredicate, substitutePlaceholders } from '../../src/adapters/substitute.js';
import { extractTypescript } from '../../src/extract/index.js';
import { fakeContext, type ContextSettings } from './context.js';
import { showTarget } from './render.js';

/** The tables of queries that are built with a library and compared with the SQL that it sends. */
export const tables = extractSql(
  `CREATE TABLE orgs (id text PRIMARY KEY, name text NOT NULL, slug text UNIQUE);
   CREATE TABLE users (id text PRIMARY KEY, email text);
   CREATE TABLE members (user_id text REFERENCES users, org_id text REFERENCES orgs, role text);
   CREATE TABLE invoices (id text PRIMARY KEY, org_id text NOT NULL REFERENCES orgs, author_id text, total int, number text, data jsonb);
   CREATE TABLE lines (id text PRIMARY KEY, invoice_id text NOT NULL REFERENCES invoices, text text);`,
  { file: 'migrations/0001.sql' },
);

/** What a library would send. */
export interface Sent {
  readonly sql: string;
  readonly params: readonly unknown[];
}

/** The access that the SQL front end reads in what is sent. */
export function bySql({ sql, params }: Sent): Access {
  const { accesses, unchecked } = lowerEmbedded({
    file: 'sent.sql',
    text: sql,
    idPrefix: 'q',
    library: 'sql',
    span: { file: 'sent.sql', start: 0, end: sql.length },
    position: (n) => n,
  });
  expect(unchecked).toEqual([]);
  const [only, ...more] = accesses;
  expect(more).toEqual([]);
  return substitutePlaceholders(only!, (name) => {
    const value = params[Number(name) - 1];
    return { kind: 'constant', value: value === undefined ? null : (value as string | number) };
  });
}

/** Everything that an adapter makes of code. */
export function lowered(
  adapter: Adapter,
  code: string,
  settings: ContextSettings = {},
): { accesses: Access[]; unknown: string[] } {
  const facts: FileFacts[] = [tables, extractTypescript(code, { file: 'query.ts' })];
  const context = fakeContext(facts, settings);
  const accesses: Access[] = [];
  const unknown: string[] = [];
  for (const chain of facts.flatMap((f) => f.chains)) {
    const one = adapter.lower(chain, context);
    if (typeof one === 'string') continue;
    if ('unknown' in one) unknown.push(one.unknown);
    else accesses.push(...one.accesses);
  }
  return { accesses, unknown };
}

/** Targets in comparable form: what a library writes as `1 = 1` holds always, a cast of a value is the value. */
export const shape = (access: Access): readonly string[] => access.targets.map((t) => showTarget(simple(t)));

function simple(target: Target): Target {
  const number = (v: Value): number | undefined =>
    v.kind === 'constant' && typeof v.value === 'number' ? v.value : undefined;
  const condition = (p: Predicate): Predicate => {
    if (p.kind === 'and') return and(...p.of);
    if (p.kind === 'or') return or(...p.of);
    if (p.kind !== 'compare' || p.operator !== '=' || number(p.left) === undefined) return p;
    return number(p.left) === number(p.right) ? { kind: 'always', why: '' } : { kind: 'never' };
  };
  const { writes, updates } = target;
  const filled = (w: NonNullable<Target['writes']>): NonNullable<Target['writes']> => ({
    ...w,
    set: Object.fromEntries(Object.entries(w.set).filter(([, v]) => v.kind !== 'undefined')),
  });
  return {
    ...target,
    predicate: rewritePredicate(target.predicate, condition),
    ...(writes ? { writes: filled(writes) } : {}),
    ...(updates ? { updates: filled(updates) } : {}),
  };
}
