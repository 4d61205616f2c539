import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Sql } from 'postgres';
import { describe, expect, test } from 'vitest';
import { postgresJs } from '../src/adapters/postgres-js/index.js';
import { bySql, comparable, lowerWith } from './support/driver-oracle.js';

/**
 * The library is the oracle: each template is made by postgres.js itself, and the text it would send, with its parameters, is lowered by the
 * SQL front end. The adapter's reading of the same source must reach the same tables under the same conditions.
 */
const queries: Readonly<Record<string, string>> = {
  'all rows': 'sql`select * from invoices`',
  parameters: "sql`select * from invoices where org_id = ${'o'} and total > ${3}`",
  'a parameter that is null': 'sql`select * from invoices where org_id = ${null}`',
  'a fragment': "sql`select * from invoices where ${sql`org_id = ${'o'}`}`",
  'fragments in fragments': "sql`select * from invoices ${sql`where ${sql`org_id = ${'o'}`} and total > ${1}`}`",
  'a fragment of a variable': 'sql`select * from invoices where ${own}`',
  'an empty fragment': 'sql`select * from invoices where org_id = ${"o"} ${sql``}`',
  'several fragments':
    "sql`select * from invoices where org_id = ${'o'} ${[sql`and total > ${1}`, sql`and total < ${9}`]}`",
  'a name': "sql`select * from ${sql('invoices')} where org_id = ${'o'}`",
  'a name with its schema': "sql`select * from ${sql('public.invoices')} where org_id = ${'o'}`",
  'a column': "sql`select * from invoices where ${sql('org_id')} = ${'o'}`",
  'a list of columns': "sql`select ${sql(['id', 'total'])} from invoices where org_id = ${'o'}`",
  'columns one by one': "sql`select ${sql('id', 'total')} from invoices where org_id = ${'o'}`",
  'columns behind a parenthesis': "sql`insert into lines (${sql(['id', 'text'])}) values (${'l'}, ${'t'})`",
  'in a list': "sql`select * from invoices where id in ${sql(['a', 'b'])}`",
  'in a list of a variable': 'sql`select * from invoices where id in ${sql(ids)} and org_id = ${"o"}`',
  'in an empty list': 'sql`select * from invoices where id in ${sql([])}`',
  'any of a list': "sql`select * from invoices where id = any(${['a', 'b']})`",
  'insert of an object': "sql`insert into lines ${sql({ id: 'l', invoice_id: 'i', text: 't' })}`",
  'insert of some columns': "sql`insert into lines ${sql(line, 'id', 'text')}`",
  'insert of a list of columns': "sql`insert into lines ${sql(line, ['id', 'text'])}`",
  'insert of several rows': "sql`insert into lines ${sql([{ id: 'l', text: 't' }, { id: 'm', text: 'u' }])}`",
  'insert with returning': 'sql`insert into lines ${sql(line)} returning *`',
  'update of an object':
    "sql`update invoices set ${sql({ number: 'n', total: 5 })} where id = ${'i'} and org_id = ${'o'}`",
  'update of some columns': "sql`update lines set ${sql(line, 'text')} where id = ${'l'}`",
  'update of everything': "sql`update invoices set number = ${'n'}`",
  delete: "sql`delete from invoices where id = ${'i'}`",
  'delete of a list': 'sql`delete from invoices where id in ${sql(ids)}`',
  'delete of everything': 'sql`delete from invoices`',
  upsert:
    "sql`insert into lines ${sql(line)} on conflict (id) do update set text = excluded.text where lines.invoice_id = ${'i'}`",
  'raw text': "sql`select * from invoices where org_id = ${'o'} ${sql.unsafe('order by id')}`",
  'raw condition': 'sql`select * from invoices where ${sql.unsafe("org_id = \'o\'")}`',
  'unsafe text with parameters': "sql.unsafe('select * from invoices where org_id = $1 and id = $2', ['o', 'i'])",
  'unsafe text without parameters': "sql.unsafe('select * from invoices')",
  'a typed value': "sql`select * from invoices where org_id = ${sql.typed('o', 25)}`",
  json: 'sql`select * from invoices where meta = ${sql.json({ a: 1 })}`',
  'an array': "sql`select * from invoices where id = any(${sql.array(['a', 'b'])})`",
  'inner join': "sql`select i.* from invoices i join orgs o on o.id = i.org_id where o.slug = ${'s'}`",
  'left join':
    "sql`select * from invoices i left join lines l on l.invoice_id = i.id and l.text = ${'t'} where i.org_id = ${'o'}`",
  'a sub-query as fragment':
    "sql`select * from invoices where org_id in (${sql`select id from orgs where slug = ${'s'}`})`",
  exists: "sql`select * from invoices i where exists (select 1 from orgs o where o.id = i.org_id and o.slug = ${'s'})`",
  'common table expression':
    "sql`with own as (select * from invoices where org_id = ${'o'}) select * from own where total > ${3}`",
  union: "sql`select id from invoices where org_id = ${'o'} union select id from lines`",
  'values as a table': "sql`select * from invoices where (id, org_id) in ((${'i'}, ${'o'}))`",
  limit: "sql`select * from invoices where org_id = ${'o'} order by id limit ${5} offset ${0}`",
  'types of the result': "sql`select count(*)::int from invoices where org_id = ${'o'}::text`",
  'a name beside a name': "sql`select ${sql('id')}, ${sql('total')} from ${sql('invoices')} where org_id = ${'o'}`",
  'an object selected': "sql`select ${sql({ a: 'x' })} from invoices where org_id = ${'o'}`",
  returning: "sql`delete from invoices where id = ${'i'} returning ${sql(['id', 'total'])}`",
};

const bindings = `
  const own = sql\`org_id = \${'o'}\`;
  const ids = ['a', 'b'];
  const line = { id: 'l', invoice_id: 'i', text: 't' };`;

interface Query {
  readonly strings: readonly string[];
  readonly args: readonly unknown[];
}
const require = createRequire(import.meta.url);
const { stringify } = require(join(dirname(require.resolve('postgres')), 'types.js')) as {
  stringify: (q: Query, text: string, value: unknown, values: unknown[], types: unknown[], options: unknown) => string;
};
const postgres = require('postgres') as (url: string, options: object) => Sql;
const sql = postgres('postgres://localhost/none', { max: 0 });

/** What the library would send. */
function sent(source: string): { text: string; values: readonly unknown[] } {
  const build = new Function('sql', `${bindings}\n return (${source});`) as (tag: unknown) => Query;
  const query = build(sql);
  if (query.strings.length === 1) return { text: query.strings[0]!, values: query.args };
  const values: unknown[] = [];
  return { text: stringify(query, query.strings[0]!, query.args[0], values, [], sql.options), values };
}

const top = `import postgres from 'postgres';\nconst sql = postgres(process.env.DATABASE_URL);`;

describe('what the adapter reads is what postgres.js sends', () => {
  test.each(Object.entries(queries))('%s', (_name, source) => {
    const { text, values } = sent(source);
    const own = lowerWith(postgresJs, `${top}\nexport async function run() {${bindings}\n  return await ${source};\n}`);
    expect(comparable(own)).toEqual(comparable(bySql(text, (name) => values[Number(name) - 1])));
  });
});
