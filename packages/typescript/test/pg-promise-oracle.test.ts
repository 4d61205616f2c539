import { createRequire } from 'node:module';
import { describe, expect, test } from 'vitest';
import { pgPromise } from '../src/adapters/pg-promise/index.js';
import { bySql, comparable, lowerWith } from './support/driver-oracle.js';

/**
 * The library is the oracle: each statement is formatted by pg-promise itself, and the text that it would send is lowered by the SQL front
 * end. The adapter's reading of the same source must reach the same tables under the same conditions.
 */
const queries: Readonly<Record<string, readonly [string, string?]>> = {
  'all rows': [`'select * from invoices'`],
  'one value': [`'select * from invoices where org_id = $1'`, `'o'`],
  'a list of values': [`'select * from invoices where org_id = $1 and total > $2'`, `['o', 3]`],
  'a value used twice': [`'select * from invoices where org_id = $1 or number = $1'`, `['o']`],
  'values in another order': [`'select * from invoices where org_id = $2 and total > $1'`, `[3, 'o']`],
  null: [`'select * from invoices where org_id = $1'`, `[null]`],
  'is null': [`'select * from invoices where org_id is $1'`, `[null]`],
  'named in braces': ["'select * from invoices where org_id = ${org}'", `{ org: 'o' }`],
  'named in parentheses': [`'select * from invoices where org_id = $(org)'`, `{ org: 'o' }`],
  'named in angle brackets': [`'select * from invoices where org_id = $<org>'`, `{ org: 'o' }`],
  'named in square brackets': [`'select * from invoices where org_id = $[org]'`, `{ org: 'o' }`],
  'named in slashes': [`'select * from invoices where org_id = $/org/'`, `{ org: 'o' }`],
  'with spaces': [`'select * from invoices where org_id = $( org )'`, `{ org: 'o' }`],
  'a nested property': [`'select * from invoices where org_id = $(user.org)'`, `{ user: { org: 'o' } }`],
  'a name': [`'select * from $1:name where org_id = $2'`, `['invoices', 'o']`],
  'a name by its short form': [`'select * from $1~ where org_id = $2'`, `['invoices', 'o']`],
  'a named name': [`'select * from $(table:name) where org_id = $(org)'`, `{ table: 'invoices', org: 'o' }`],
  'a column': [`'select * from invoices where $1:name = $2'`, `['org_id', 'o']`],
  'a list of columns': [`'select $1:name from invoices where org_id = $2'`, `[['id', 'total'], 'o']`],
  'the columns of an object': [`'insert into lines ($1:name) values ($1:csv)'`, `[{ id: 'l', text: 't' }]`],
  'all columns': [`'select $1:name from invoices where org_id = $2'`, `['*', 'o']`],
  'an alias': [`'select * from $1:alias where org_id = $2'`, `['invoices', 'o']`],
  'in a list': [`'select * from invoices where id in ($1:csv)'`, `[['a', 'b']]`],
  'in a list by its other name': [
    `'select * from invoices where id in ($1:list) and org_id = $2'`,
    `[['a', 'b'], 'o']`,
  ],
  'in a named list': [`'select * from invoices where id in ($(ids:csv))'`, `{ ids: ['a', 'b'] }`],
  'raw text': [`'select * from invoices where $1:raw'`, `["org_id = 'o'"]`],
  'raw text by its short form': [`'select * from invoices where org_id = $1 $2^'`, `['o', 'order by id']`],
  'an open value': [`"select * from invoices where number like '%$1:value%' and org_id = $2"`, `['a', 'o']`],
  'an open value by its short form': [`"select * from invoices where number like '$1#%'"`, `['a']`],
  insert: [`'insert into lines (id, text) values ($1, $2)'`, `['l', 't']`],
  'insert of named values': [`'insert into lines (id, text) values ($(id), $(text))'`, `{ id: 'l', text: 't' }`],
  upsert: [
    `'insert into lines (id, text) values ($1, $2) on conflict (id) do update set text = excluded.text where lines.invoice_id = $3'`,
    `['l', 't', 'i']`,
  ],
  update: [`'update invoices set number = $1 where id = $2 and org_id = $3'`, `['n', 'i', 'o']`],
  'update of everything': [`'update invoices set number = $1'`, `'n'`],
  delete: [`'delete from invoices where id = $1'`, `'i'`],
  'delete of a list': [`'delete from invoices where id in ($1:csv)'`, `[['a', 'b']]`],
  'inner join': [`'select i.* from invoices i join orgs o on o.id = i.org_id where o.slug = $1'`, `'s'`],
  'left join': [
    `'select * from invoices i left join lines l on l.invoice_id = i.id and l.text = $1 where i.org_id = $2'`,
    `['t', 'o']`,
  ],
  'a sub-query': [`'select * from invoices where org_id in (select id from orgs where slug = $1)'`, `['s']`],
  exists: [
    `'select * from invoices i where exists (select 1 from orgs o where o.id = i.org_id and o.slug = $1)'`,
    `['s']`,
  ],
  union: [`'select id from invoices where org_id = $1 union select id from lines'`, `['o']`],
  concatenated: [`'select * from invoices ' + 'where org_id = $1'`, `['o']`],
  'a template': ['`select * from invoices\n where org_id = $1`', `['o']`],
  'a cast': [`'select * from invoices where org_id = $1::text'`, `['o']`],
  'two digits': [
    `'select * from invoices where id in ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)'`,
    `['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j']`,
  ],
};

interface Library {
  readonly as: { readonly format: (text: string, values?: unknown) => string };
}
const { as } = createRequire(import.meta.url)('pg-promise') as Library;

function sent([text, values]: readonly [string, string?]): string {
  const build = new Function(`return [${text}, ${values ?? 'undefined'}];`) as () => [string, unknown];
  return as.format(...build());
}

const top = `import pgPromise from 'pg-promise';\nconst pgp = pgPromise();\nconst db = pgp(process.env.DATABASE_URL);`;

describe('what the adapter reads is what pg-promise sends', () => {
  test.each(Object.entries(queries))('%s', (_name, query) => {
    const call = query.filter((part) => part !== undefined).join(', ');
    const own = lowerWith(pgPromise, `${top}\nexport async function run() {\n  return await db.any(${call});\n}`);
    expect(comparable(own)).toEqual(comparable(bySql(sent(query), () => undefined)));
  });
});
