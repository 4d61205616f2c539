import { createRequire } from 'node:module';
import { describe, expect, test } from 'vitest';
import { slonik } from '../src/adapters/slonik/index.js';
import { bySql, comparable, lowerWith } from './support/driver-oracle.js';

/**
 * The library is the oracle: each statement is made by slonik itself, whose objects carry the text and the values that it sends. The
 * adapter's reading of the same source must reach the same tables under the same conditions.
 */
const queries: Readonly<Record<string, string>> = {
  'all rows': 'sql.unsafe`select * from invoices`',
  parameters: "sql.unsafe`select * from invoices where org_id = ${'o'} and total > ${3}`",
  'a type alias': "typed.typeAlias('row')`select * from invoices where org_id = ${'o'}`",
  'a type': "sql.type(row)`select id from invoices where id = ${'i'}`",
  null: 'sql.unsafe`select * from invoices where org_id = ${null}`',
  'a fragment': "sql.unsafe`select * from invoices where ${sql.fragment`org_id = ${'o'}`}`",
  'fragments in fragments':
    "sql.unsafe`select * from invoices ${sql.fragment`where ${sql.fragment`org_id = ${'o'}`} and total > ${1}`}`",
  'a fragment of a variable': 'sql.unsafe`select * from invoices where ${own}`',
  'an empty fragment': 'sql.unsafe`select * from invoices where org_id = ${"o"} ${sql.fragment``}`',
  'a name': "sql.unsafe`select * from ${sql.identifier(['invoices'])} where org_id = ${'o'}`",
  'a name with its schema': "sql.unsafe`select * from ${sql.identifier(['public', 'invoices'])} where org_id = ${'o'}`",
  'a column': "sql.unsafe`select * from invoices where ${sql.identifier(['org_id'])} = ${'o'}`",
  'a column with its table': "sql.unsafe`select * from invoices i where ${sql.identifier(['i', 'org_id'])} = ${'o'}`",
  'conditions joined by AND':
    "sql.unsafe`select * from invoices where ${sql.join([sql.fragment`org_id = ${'o'}`, sql.fragment`total > ${1}`], sql.fragment` AND `)}`",
  'conditions joined by OR':
    "sql.unsafe`select * from invoices where ${sql.join([sql.fragment`org_id = ${'o'}`, sql.fragment`total > ${1}`], sql.fragment` OR `)}`",
  'conditions of a variable': 'sql.unsafe`select * from invoices where ${sql.join(conditions, sql.fragment` and `)}`',
  'a joined list of values':
    "sql.unsafe`select * from invoices where id in (${sql.join(['a', 'b'], sql.fragment`, `)})`",
  'joined names':
    "sql.unsafe`select ${sql.join([sql.identifier(['id']), sql.identifier(['total'])], sql.fragment`, `)} from invoices where org_id = ${'o'}`",
  'an array': "sql.unsafe`select * from invoices where id = any(${sql.array(['a', 'b'], 'text')})`",
  'an array with a fragment for its type':
    "sql.unsafe`select * from invoices where id = any(${sql.array(['a', 'b'], sql.fragment`text[]`)})`",
  'a cast': "sql.unsafe`select * from invoices where org_id = ${'o'}::text`",
  'a literal value': "sql.unsafe`select * from invoices where org_id = ${sql.literalValue('o')}`",
  unnest:
    "sql.unsafe`insert into lines (id, text) select * from ${sql.unnest([['l', 't'], ['m', 'u']], ['text', 'text'])}`",
  insert: "sql.unsafe`insert into lines (id, text) values (${'l'}, ${'t'})`",
  'insert of joined values':
    "sql.unsafe`insert into lines (id, text) values (${sql.join(['l', 't'], sql.fragment`, `)})`",
  'insert of joined rows':
    "sql.unsafe`insert into lines (id, text) values ${sql.join([sql.fragment`(${'l'}, ${'t'})`, sql.fragment`(${'m'}, ${'u'})`], sql.fragment`, `)}`",
  upsert:
    "sql.unsafe`insert into lines (id, text) values (${'l'}, ${'t'}) on conflict (id) do update set text = excluded.text where lines.invoice_id = ${'i'}`",
  update: "sql.unsafe`update invoices set number = ${'n'} where id = ${'i'} and org_id = ${'o'}`",
  'update of joined assignments':
    "sql.unsafe`update invoices set ${sql.join([sql.fragment`number = ${'n'}`, sql.fragment`total = ${5}`], sql.fragment`, `)} where id = ${'i'}`",
  'update of everything': "sql.unsafe`update invoices set number = ${'n'}`",
  delete: "sql.unsafe`delete from invoices where id = ${'i'}`",
  'delete of everything': 'sql.unsafe`delete from invoices`',
  'inner join': "sql.unsafe`select i.* from invoices i join orgs o on o.id = i.org_id where o.slug = ${'s'}`",
  'left join':
    "sql.unsafe`select * from invoices i left join lines l on l.invoice_id = i.id and l.text = ${'t'} where i.org_id = ${'o'}`",
  'a sub-query as fragment':
    "sql.unsafe`select * from invoices where org_id in (${sql.fragment`select id from orgs where slug = ${'s'}`})`",
  'a statement in a statement':
    "sql.unsafe`select * from invoices where org_id in (${sql.unsafe`select id from orgs where slug = ${'s'}`})`",
  exists:
    "sql.unsafe`select * from invoices i where exists (select 1 from orgs o where o.id = i.org_id and o.slug = ${'s'})`",
  'common table expression':
    "sql.unsafe`with own as (select * from invoices where org_id = ${'o'}) select * from own where total > ${3}`",
  union: 'sql.unsafe`select id from invoices where org_id = ${"o"} union select id from lines`',
  'sub-select in the output':
    "sql.unsafe`select id, (select count(*) from lines l where l.invoice_id = i.id) from invoices i where org_id = ${'o'}`",
  'is not distinct from': "sql.unsafe`select * from invoices where org_id is not distinct from ${'o'}`",
  'not in':
    "sql.unsafe`select * from invoices where id not in (${sql.join(['a', 'b'], sql.fragment`, `)}) and org_id = ${'o'}`",
  between: 'sql.unsafe`select * from invoices where total between ${1} and ${9}`',
  'order and limit': "sql.unsafe`select * from invoices where org_id = ${'o'} order by id limit ${5}`",
};

const bindings = `
  const own = sql.fragment\`org_id = \${'o'}\`;
  const conditions = [own, sql.fragment\`total > \${1}\`];`;

interface Statement {
  readonly sql: string;
  readonly values: readonly unknown[];
}
interface Library {
  readonly sql: unknown;
  readonly createSqlTag: (options: unknown) => unknown;
}
const require = createRequire(import.meta.url);
const library = require('slonik') as Library;
const { z } = createRequire(require.resolve('slonik'))('zod') as { z: { object: (shape: object) => unknown } };
const row = z.object({});

function sent(source: string): Statement {
  const build = new Function('sql', 'typed', 'row', `${bindings}\n return (${source});`) as (
    ...values: unknown[]
  ) => Statement;
  return build(library.sql, library.createSqlTag({ typeAliases: { row } }), row);
}

const top = `import { createPool, createSqlTag, sql } from 'slonik';
import { row } from './rows.js';
const typed = createSqlTag({ typeAliases: { row } });
const pool = await createPool(process.env.DATABASE_URL);`;

describe('what the adapter reads is what slonik sends', () => {
  test.each(Object.entries(queries))('%s', (_name, source) => {
    const { sql, values } = sent(source);
    const text = sql.replace(/\$slonik_(\d+)/g, '$$$1');
    const own = lowerWith(
      slonik,
      `${top}\nexport async function run() {${bindings}\n  return await pool.any(${source});\n}`,
    );
    expect(comparable(own)).toEqual(comparable(bySql(text, (name) => values[Number(name) - 1])));
  });
});
