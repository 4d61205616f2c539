import { describe, expect, test } from 'vitest';
import { betterSqlite3 } from '../src/adapters/better-sqlite3/index.js';
import { mysql2 } from '../src/adapters/mysql2/index.js';
import { extractSql } from '@tenant-lint/sql';
import { fakeContext } from './support/context.js';
import { bySql, comparable, lowerWith } from './support/driver-oracle.js';
import { factsOf, loweredBy } from './support/drizzle.js';

/** A call, and the statement that it means, in the dialect that the SQL front end reads. */
type Pair = readonly [string, string];

const own = "select * from invoices where org_id = 'o'";

describe('mysql2', () => {
  const top = `import mysql from 'mysql2/promise';\nconst pool = mysql.createPool(process.env.DATABASE_URL);`;
  const pairs: Readonly<Record<string, Pair>> = {
    'all rows': [`pool.query('select * from invoices')`, 'select * from invoices'],
    'a value': [`pool.query('select * from invoices where org_id = ?', ['o'])`, own],
    'an only value': [`pool.query('select * from invoices where org_id = ?', 'o')`, own],
    'a prepared statement': [`pool.execute('select * from invoices where org_id = ?', ['o'])`, own],
    'a config object': [`pool.query({ sql: 'select * from invoices where org_id = ?', values: ['o'] })`, own],
    'a name': [`pool.query('select * from ?? where ?? = ?', ['invoices', 'org_id', 'o'])`, own],
    'a name with its schema': [`pool.query('select * from ?? where org_id = ?', ['public.invoices', 'o'])`, own],
    'names of columns': [
      `pool.query('select ?? from invoices where org_id = ?', [['id', 'total'], 'o'])`,
      "select id, total from invoices where org_id = 'o'",
    ],
    'quotes of its own': ['pool.query("select * from `invoices` where `org_id` = ?", ["o"])', own],
    'a text in double quotes': [`pool.query('select * from invoices where org_id = "o"')`, own],
    'a question mark in a text': [
      `pool.query("select * from invoices where number = 'a?' and org_id = ?", ['o'])`,
      "select * from invoices where number = 'a?' and org_id = 'o'",
    ],
    'a list': [
      `pool.query('select * from invoices where id in (?)', [['a', 'b']])`,
      "select * from invoices where id in ('a', 'b')",
    ],
    'assignments of an object': [
      `pool.query('update invoices set ? where id = ?', [{ number: 'n', total: 5 }, 'i'])`,
      "update invoices set number = 'n', total = 5 where id = 'i'",
    ],
    'rows of a list': [
      `pool.query('insert into \`lines\` (id, text) values ?', [[['l', 't'], ['m', 'u']]])`,
      "insert into lines (id, text) values ('l', 't'), ('m', 'u')",
    ],
    'named values': [`pool.execute('select * from invoices where org_id = :org', { org: 'o' })`, own],
    'a connection of the pool': [
      `(await pool.getConnection()).query('delete from invoices where id = ?', ['i'])`,
      "delete from invoices where id = 'i'",
    ],
  };
  test.each(Object.entries(pairs))('%s', (_name, [call, sql]) => {
    const read = lowerWith(
      mysql2,
      `${top}\nexport async function run() {\n  const [rows] = await ${call};\n  return rows;\n}`,
    );
    expect(comparable(read)).toEqual(comparable(bySql(sql, () => undefined)));
  });

  test('what only MySQL understands is said to be unchecked', () => {
    const facts = factsOf({
      'query.ts': `${top}\nexport const run = () => pool.query('insert into t set ? on duplicate key update a = 1', [{ a: 1 }]);`,
    });
    expect(loweredBy(mysql2, facts, fakeContext(facts)).unknown).toEqual(['a statement that only MySQL understands']);
  });

  test('a receiver that is none of its clients is left alone', () => {
    const facts = factsOf({
      'query.ts': `import { Pool } from 'pg';\nconst pool = new Pool();\nexport const run = (o: string) => pool.query('select * from invoices where org_id = $1', [o]);`,
    });
    expect(loweredBy(mysql2, facts, fakeContext(facts))).toEqual({ accesses: [], unknown: [] });
  });
});

describe('better-sqlite3', () => {
  const top = `import Database from 'better-sqlite3';\nconst db = new Database('app.db');\nconst byOrg = db.prepare('select * from invoices where org_id = ?');`;
  const pairs: Readonly<Record<string, Pair>> = {
    'all rows': [`db.prepare('select * from invoices').all()`, 'select * from invoices'],
    'a value': [`db.prepare('select * from invoices where org_id = ?').all('o')`, own],
    'values in a list': [
      `db.prepare('select * from invoices where org_id = ? and id = ?').get(['o', 'i'])`,
      "select * from invoices where org_id = 'o' and id = 'i'",
    ],
    'numbered values': [
      `db.prepare('select * from invoices where org_id = ?2 and id = ?1').get('i', 'o')`,
      "select * from invoices where org_id = 'o' and id = 'i'",
    ],
    'a named value': [`db.prepare('select * from invoices where org_id = @org').iterate({ org: 'o' })`, own],
    'the other marks of names': [
      `db.prepare('select * from invoices where org_id = :org and id = $id').all({ org: 'o', id: 'i' })`,
      "select * from invoices where org_id = 'o' and id = 'i'",
    ],
    'a statement of a variable': [`byOrg.all('o')`, own],
    plucked: [`byOrg.pluck().get('o')`, own],
    'values bound before': [`db.prepare('select * from invoices where org_id = ?').bind('o').all()`, own],
    'a change': [
      `db.prepare('update invoices set number = ? where id = ?').run('n', 'i')`,
      "update invoices set number = 'n' where id = 'i'",
    ],
    'text that is run at once': [`db.exec('delete from invoices')`, 'delete from invoices'],
  };
  test.each(Object.entries(pairs))('%s', (_name, [call, sql]) => {
    const read = lowerWith(betterSqlite3, `${top}\nexport function run() {\n  return ${call};\n}`);
    expect(comparable(read)).toEqual(comparable(bySql(sql, () => undefined)));
  });

  test('a statement that is prepared and not run reaches nothing', () => {
    const facts = factsOf({ 'query.ts': top });
    const migration = extractSql('create table invoices (id text, org_id text);', {
      file: 'm/1.sql',
      role: 'migration',
    });
    expect(loweredBy(betterSqlite3, facts, fakeContext([...facts, migration]))).toEqual({ accesses: [], unknown: [] });
  });
});
