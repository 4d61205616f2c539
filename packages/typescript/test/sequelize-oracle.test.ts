import { lowerEmbedded } from '@tenant-lint/sql';
import type { Access, Predicate, Target, Value } from '@tenant-lint/model';
import * as library from 'sequelize';
import { describe, expect, test } from 'vitest';
import { sequelize as adapter } from '../src/adapters/sequelize/index.js';
import { substitutePlaceholders } from '../src/adapters/substitute.js';
import { fakeContext } from './support/context.js';
import { factsOf, loweredBy } from './support/drizzle.js';
import { showPredicate, showValue } from './support/render.js';

/**
 * The library is the oracle: each query is built by Sequelize itself, and the SQL it would send is lowered by the SQL front end. The
 * adapter's reading of the same source must reach the same rows.
 */
const where: Readonly<Record<string, string>> = {
  'one key': `{ orgId: 'o' }`,
  'two keys': `{ orgId: 'o', total: 3 }`,
  'no key': `{}`,
  null: `{ number: null }`,
  'a list': `{ id: ['a', 'b'] }`,
  'Op.eq': `{ orgId: { [Op.eq]: 'o' } }`,
  'Op.ne': `{ orgId: { [Op.ne]: 'o' } }`,
  'Op.ne null': `{ number: { [Op.ne]: null } }`,
  'Op.not null': `{ number: { [Op.not]: null } }`,
  'Op.is null': `{ number: { [Op.is]: null } }`,
  'Op.gt and Op.lte': `{ total: { [Op.gt]: 1, [Op.lte]: 9 } }`,
  'Op.gte and Op.lt': `{ total: { [Op.gte]: 1, [Op.lt]: 9 } }`,
  'Op.in': `{ id: { [Op.in]: ['a', 'b'] } }`,
  'Op.notIn': `{ id: { [Op.notIn]: ['a', 'b'] } }`,
  'Op.like': `{ number: { [Op.like]: 'a%' } }`,
  'Op.iLike': `{ number: { [Op.iLike]: 'a%' } }`,
  'Op.notLike': `{ number: { [Op.notLike]: 'a%' } }`,
  'Op.startsWith': `{ number: { [Op.startsWith]: 'a' } }`,
  'Op.endsWith': `{ number: { [Op.endsWith]: 'a' } }`,
  'Op.substring': `{ number: { [Op.substring]: 'a' } }`,
  'Op.between': `{ total: { [Op.between]: [1, 9] } }`,
  'Op.or of objects': `{ [Op.or]: [{ orgId: 'o' }, { total: 0 }] }`,
  'Op.or of keys': `{ [Op.or]: { orgId: 'o', total: 0 } }`,
  'Op.or beside a key': `{ orgId: 'o', [Op.or]: [{ number: 'x' }, { total: { [Op.gt]: 3 } }] }`,
  'Op.or in a key': `{ total: { [Op.or]: [1, 2] } }`,
  'Op.or of operators in a key': `{ total: { [Op.or]: { [Op.lt]: 1, [Op.gt]: 9 } } }`,
  'Op.and of objects': `{ [Op.and]: [{ orgId: 'o' }, { total: 0 }] }`,
  'Op.and of keys': `{ [Op.and]: { orgId: 'o', total: 0 } }`,
  'Op.and of nothing': `{ [Op.and]: [] }`,
  'Op.and of an empty object': `{ [Op.and]: [{}] }`,
  'Op.or of nothing in a key': `{ orgId: 'o', [Op.and]: [{ [Op.or]: [{ number: 'a' }, { number: 'b' }] }, { total: 1 }] }`,
  'Op.not of an object': `{ [Op.not]: { orgId: 'o' } }`,
  'Op.not of a value': `{ orgId: { [Op.not]: 'o' } }`,
  'a list as where': `[{ number: 'x' }, { total: 1 }]`,
  'a spread': `{ ...base, total: 1 }`,
  'a spread that replaces': `{ orgId: 'other', ...base }`,
  'a key after the spread': `{ ...base, orgId: 'other' }`,
  'a key of other name': `{ authorId: 'u' }`,
};

const queries: Readonly<Record<string, string>> = {
  ...Object.fromEntries(Object.entries(where).map(([name, w]) => [name, `Invoice.findAll({ where: ${w} })`])),
  'all rows': `Invoice.findAll()`,
  findOne: `Invoice.findOne({ where: { orgId: 'o' } })`,
  findByPk: `Invoice.findByPk('i')`,
  count: `Invoice.count({ where: { orgId: 'o' } })`,
  sum: `Invoice.sum('total', { where: { orgId: 'o' } })`,
  max: `Invoice.max('total')`,
  destroy: `Invoice.destroy({ where: { orgId: 'o', id: 'i' } })`,
  update: `Invoice.update({ total: 1 }, { where: { orgId: 'o' } })`,
  'default scope': `Note.findAll()`,
  'default scope and a condition': `Note.findAll({ where: { text: 't' } })`,
  'the call replaces a key of the default scope': `Note.findAll({ where: { orgId: 'other' } })`,
  'a scope replaces the default one': `Note.scope('open').findAll()`,
  'two scopes': `Note.scope('defaultScope', 'open').findAll()`,
  'no scope': `Note.unscoped().findAll()`,
  'default scope and the key': `Note.findByPk(1)`,
  'default scope and a change': `Note.update({ text: 'x' }, { where: { id: 1 } })`,
};

const models = `
export const Invoice = sequelize.define('Invoice', {
  id: { type: DataTypes.STRING, primaryKey: true },
  orgId: { type: DataTypes.STRING, allowNull: false, field: 'org_id' },
  number: DataTypes.STRING,
  total: DataTypes.INTEGER,
  authorId: { type: DataTypes.STRING, field: 'created_by' },
}, { timestamps: false, tableName: 'invoices' });
export const Note = sequelize.define('Note', { orgId: DataTypes.STRING, text: DataTypes.STRING }, {
  timestamps: false,
  defaultScope: { where: { orgId: 'o' } },
  scopes: { open: { where: { text: 'open' } } },
});
const base = { orgId: 'o' };`;

interface Sent {
  readonly sql: string;
  readonly bind: readonly unknown[];
}

/** What the library would send for a query. */
async function sent(query: string): Promise<Sent> {
  const connection = new library.Sequelize({
    dialect: 'postgres',
    logging: false,
    dialectModule: { Client: Object, types: { setTypeParser: () => undefined, builtins: {} }, defaults: {} },
  });
  const seen: Sent[] = [];
  const record = (sql: string | { query: string; bind?: readonly unknown[] }): Promise<unknown> => {
    seen.push(typeof sql === 'string' ? { sql, bind: [] } : { sql: sql.query, bind: sql.bind ?? [] });
    return Promise.resolve([[], 0]);
  };
  Object.assign(connection, { query: record });
  const code = `${models.replace(/export /g, '')}\n return ${query};`;
  const run = new Function('sequelize', 'DataTypes', 'Op', code) as (...values: unknown[]) => Promise<unknown>;
  // The answer is none that the library can go on with; what it sent is there by then.
  await run(connection, library.DataTypes, library.Op).catch(() => undefined);
  expect(seen).toHaveLength(1);
  return seen[0]!;
}

function bySql({ sql, bind }: Sent): Access {
  const { accesses, unchecked } = lowerEmbedded({
    file: 'sent.sql',
    text: sql,
    idPrefix: 'q',
    library: 'sql',
    span: { file: 'sent.sql', start: 0, end: sql.length },
    position: (n) => n,
  });
  expect(unchecked).toEqual([]);
  expect(accesses).toHaveLength(1);
  return substitutePlaceholders(accesses[0]!, (name) => ({
    kind: 'constant',
    value: (bind[Number(name) - 1] ?? null) as string | number | null,
  }));
}

function byAdapter(query: string): Access {
  const code = `
import { DataTypes, Op, Sequelize } from 'sequelize';
const sequelize = new Sequelize(url);
${models}
export async function run() { return await ${query}; }`;
  const facts = factsOf({ 'query.ts': code });
  const { accesses, unknown } = loweredBy(adapter, facts, fakeContext(facts, { adapter }));
  expect(unknown).toEqual([]);
  expect(accesses).toHaveLength(1);
  expect(accesses[0]!.unchecked).toBeUndefined();
  return accesses[0]!;
}

const isValue = (v: unknown): v is Value => typeof v === 'object' && v !== null && 'kind' in v;

/** The table, what is done, and the condition, whatever the order of its parts. */
function shape(access: Access, table: (t: Target) => string): string {
  const [root, ...more] = access.targets;
  expect(more).toEqual([]);
  const plain = (v: Value): Value => {
    if (v.kind === 'apply' && v.function.startsWith('cast:')) return v.to[0]!;
    return v.kind === 'column' ? { kind: 'column', target: 't', column: v.column } : v;
  };
  const renamed = JSON.parse(JSON.stringify(root!.predicate), (_key, v: unknown) =>
    isValue(v) ? plain(v) : v,
  ) as Predicate;
  const show = (p: Predicate): string => {
    if (p.kind === 'and' || p.kind === 'or') return `(${p.of.map(show).sort().join(` ${p.kind} `)})`;
    if (p.kind === 'not')
      return p.of.kind === 'compare' && p.of.operator === '=' ? show({ ...p.of, operator: '<>' }) : `not ${show(p.of)}`;
    if (p.kind === 'in' && p.right.length === 1) return `${showValue(p.left)} = ${showValue(p.right[0]!)}`;
    return showPredicate(p);
  };
  return `${table(root!)} ${root!.operation}: ${show(renamed)}`;
}

const tableOf = (t: Target): string => {
  const name = t.table.known ? t.table.value.name : '?';
  return ({ Invoice: 'invoices', Note: 'Notes' } as Record<string, string>)[name] ?? name;
};

describe('what the adapter reads is what Sequelize sends', () => {
  test.each(Object.entries(queries))('%s', async (_name, query) => {
    expect(shape(byAdapter(query), tableOf)).toBe(shape(bySql(await sent(query)), tableOf));
  });
});

describe('what Sequelize refuses', () => {
  test.each([`{ orgId: undefined }`, `{ number: 'n', orgId: undefined }`])('%s', async (condition) => {
    const connection = new library.Sequelize({
      dialect: 'postgres',
      logging: false,
      dialectModule: { Client: Object, types: { setTypeParser: () => undefined, builtins: {} }, defaults: {} },
    });
    const code = `${models.replace(/export /g, '')}\n return Invoice.findAll({ where: ${condition} });`;
    const run = new Function('sequelize', 'DataTypes', 'Op', code) as (...values: unknown[]) => Promise<unknown>;
    await expect(run(connection, library.DataTypes, library.Op)).rejects.toThrow('undefined');
    expect(showPredicate(byAdapter(`Invoice.findAll({ where: ${condition} })`).targets[0]!.predicate)).toBe('never');
  });
});
