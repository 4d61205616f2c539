import { PGlite } from '@electric-sql/pglite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { extractSql, lowerEmbedded, withSqlParser, type SqlParser } from '../src/index.js';
import { showTargets } from './render.js';
import { corpus } from './second-corpus.js';

/** What a parser makes of a query: its targets and predicates, or undefined where it refuses it. */
function read(parser: SqlParser, text: string): readonly string[] | undefined {
  const span = { file: 'a.ts', start: 0, end: text.length };
  const lowered = withSqlParser(parser, () =>
    lowerEmbedded({ file: 'a.ts', text, idPrefix: 'q', library: 'pg', span, position: (o) => o }),
  );
  return lowered.unchecked.length > 0 ? undefined : lowered.accesses.flatMap((a) => [a.operation, ...showTargets(a)]);
}

/** Conditions that the two read differently: as PostgreSQL's own grammar does, and as the other parser does. */
const divergences: readonly { readonly text: string; readonly first: string; readonly second: string }[] = [
  {
    text: 'tenant_id = $1 is true',
    first: '(tenant_id = $1) is true',
    second: 'tenant_id = ($1 is true)',
  },
  {
    text: 'tenant_id = $1 is false',
    first: '(tenant_id = $1) is false',
    second: 'tenant_id = ($1 is false)',
  },
  {
    text: 'tenant_id = $1 is not true or paid',
    first: '((tenant_id = $1) is not true) or paid',
    second: 'tenant_id = ($1 is not true) or paid',
  },
];

/** Conditions that only the other parser reads: comparisons do not chain. */
const chains = ['tenant_id = customer_id = paid', 'total > 1 = paid', 'paid = total > 1'];

const query = (condition: string): string => `select id from orders o where ${condition}`;

describe('both parsers', () => {
  const known = new Set(divergences.map((d) => query(d.text)));
  const both = corpus.filter((text) => read('libpg-query', text) && read('pgsql-ast-parser', text));

  test('read most of the corpus', () => {
    expect(new Set(corpus).size).toBe(corpus.length);
    expect(both.length).toBeGreaterThanOrEqual(190);
  });

  test('find equal targets and predicates', () => {
    const different = both.filter(
      (text) => JSON.stringify(read('libpg-query', text)) !== JSON.stringify(read('pgsql-ast-parser', text)),
    );
    expect(different).toEqual([...known]);
  });

  test.each(divergences)('read differently: $text', ({ text, first, second }) => {
    expect(read('libpg-query', query(text))).toEqual(read('libpg-query', query(first)));
    expect(read('pgsql-ast-parser', query(text))).toEqual(read('libpg-query', query(second)));
  });
});

describe('Postgres', () => {
  let db: PGlite;
  beforeAll(async () => {
    db = await PGlite.create();
    await db.exec(`create table orders (id int, tenant_id int, customer_id int, total int, paid bool);
      insert into orders values (1, 1, 1, 5, false), (2, 2, 1, 1, false), (3, null, 2, 0, false), (4, 2, 2, 9, true)`);
  });
  afterAll(async () => db.close());
  const rows = async (condition: string): Promise<unknown> => {
    try {
      return (await db.query(query(condition.replaceAll('$1', '2')))).rows;
    } catch (error) {
      return error instanceof Error ? error.message : error;
    }
  };

  test.each(divergences)('decides for the first one: $text', async ({ text, first, second }) => {
    expect(await rows(text)).toEqual(await rows(first));
    expect(await rows(text)).not.toEqual(await rows(second));
  });

  test.each(chains)('refuses %s, and so does the first parser', async (condition) => {
    expect(await rows(condition)).toMatch(/syntax error/);
    expect(read('libpg-query', query(condition))).toBeUndefined();
    expect(read('pgsql-ast-parser', query(condition))).toBeDefined();
  });
});

const definitions = [
  'create table t (id int primary key, b varchar(20) not null default 1, c text[] unique, d timestamptz, check (b <> id))',
  'create table if not exists a.t (id bigint, o uuid references a.o (id) on delete cascade, constraint k primary key (id, o))',
  'create table t (id serial, foreign key (id) references x (y) on update set null, unique (id))',
  'create index i on t (a, lower(b)) where a is not null',
  'create unique index i on t using btree (tenant_id, id)',
  'alter table t add column x decimal(10, 2) not null',
  'alter table t drop column x',
  'alter table t rename column a to b',
  'alter table t rename to u',
  'alter table t alter column a set not null',
  'alter table t alter column a drop not null, alter column b set default 3',
  'alter table t alter column a set data type text',
  'alter table t add constraint u unique (a, b)',
  'alter table t add constraint f foreign key (a) references o (id) on delete restrict',
  'alter table t drop constraint u',
  'create view v as select id from t where tenant_id = 1',
  "create type mood as enum ('a', 'b')",
  'create schema app',
  'drop table if exists t cascade',
  'drop index i',
];

const events = (parser: SqlParser, sql: string): unknown => {
  const { schema, unchecked } = withSqlParser(parser, () => extractSql(sql, { file: 'migrations/1.sql' }));
  const plain = JSON.stringify({ schema, unchecked }, (key, v: unknown) =>
    /^(?:span|start|end)$/.test(key) ? undefined : v,
  );
  return JSON.parse(plain) as unknown;
};

describe('plain DDL with the second parser', () => {
  test.each(definitions)('%s', (sql) => {
    expect(events('pgsql-ast-parser', sql)).toEqual(events('libpg-query', sql));
  });

  test.each([
    'alter table t enable row level security',
    'create policy p on t using (tenant_id = 1)',
    'create function f() returns int language sql security definer as $$ select 1 $$',
    'grant select on t to api',
  ])('is unchecked: %s', (sql) => {
    const facts = withSqlParser('pgsql-ast-parser', () => extractSql(sql, { file: 'migrations/1.sql' }));
    expect(facts.schema).toEqual([]);
    expect(facts.unchecked.map((u) => u.reason)).toEqual(['unsupported']);
  });
});

test('places are those of the text, behind characters of several bytes too', () => {
  const text = "select 'ä€𝄞', id from orders where tenant_id = $1";
  const places = (['libpg-query', 'pgsql-ast-parser'] as const).map((parser) =>
    withSqlParser(parser, () => {
      const span = { file: 'a.ts', start: 0, end: text.length };
      const lowered = lowerEmbedded({ file: 'a.ts', text, idPrefix: 'q', library: 'pg', span, position: (o) => o });
      const target = lowered.accesses[0]?.targets[0];
      return text.slice(target?.span.start, target?.span.end);
    }),
  );
  expect(places).toEqual(['orders', 'orders']);
});

test('the choice ends with what it was made for, also where that throws', () => {
  expect(() =>
    withSqlParser('pgsql-ast-parser', () => {
      throw new Error('x');
    }),
  ).toThrow('x');
  expect(extractSql('alter table t enable row level security', { file: 'migrations/1.sql' }).unchecked).toEqual([]);
});
