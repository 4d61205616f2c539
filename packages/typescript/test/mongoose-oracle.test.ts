import { createRequire } from 'node:module';
import type { Access, Predicate, Value } from '@tenant-lint/model';
import mongodb from 'mongoose';
import { describe, expect, test } from 'vitest';
import { mongoose as adapter } from '../src/adapters/mongoose/index.js';
import { fakeContext } from './support/context.js';
import { factsOf, loweredBy } from './support/drizzle.js';
import { showPredicate } from './support/render.js';

/**
 * The library is the oracle: each query is built by Mongoose, cast by its schema, and the filter it would send is evaluated over documents
 * by the matcher that Mongoose itself uses. The adapter's condition must let the same documents through. No server is asked.
 */
type Matcher = (filter: unknown) => (document: unknown) => boolean;
const matcher = createRequire(createRequire(import.meta.url).resolve('mongoose'))('sift') as {
  default?: Matcher;
} & Matcher;
const sift: Matcher = matcher.default ?? matcher;

const queries: Readonly<Record<string, string>> = {
  'all documents': `Invoice.find()`,
  'an empty filter': `Invoice.find({})`,
  'one key': `Invoice.find({ orgId: 'o' })`,
  'two keys': `Invoice.find({ orgId: 'o', total: 3 })`,
  null: `Invoice.find({ number: null })`,
  undefined: `Invoice.find({ number: undefined })`,
  'findOne without a filter': `Invoice.findOne(undefined)`,
  $eq: `Invoice.find({ orgId: { $eq: 'o' } })`,
  $ne: `Invoice.find({ orgId: { $ne: 'o' } })`,
  '$ne null': `Invoice.find({ number: { $ne: null } })`,
  $in: `Invoice.find({ orgId: { $in: ['o', 'q'] } })`,
  '$in of nothing': `Invoice.find({ orgId: { $in: [] } })`,
  $nin: `Invoice.find({ orgId: { $nin: ['o'] } })`,
  '$nin of nothing': `Invoice.find({ orgId: { $nin: [] } })`,
  'a list is $in': `Invoice.find({ orgId: ['o', 'p'] })`,
  '$gt and $lte': `Invoice.find({ total: { $gt: 1, $lte: 3 } })`,
  '$gte and $lt': `Invoice.find({ total: { $gte: 1, $lt: 3 } })`,
  $exists: `Invoice.find({ number: { $exists: true } })`,
  '$exists false': `Invoice.find({ number: { $exists: false } })`,
  $not: `Invoice.find({ total: { $not: { $gt: 1 } } })`,
  $and: `Invoice.find({ $and: [{ orgId: 'o' }, { total: 3 }] })`,
  $or: `Invoice.find({ $or: [{ orgId: 'o' }, { total: 3 }] })`,
  '$or beside a key': `Invoice.find({ orgId: 'o', $or: [{ number: 'n' }, { total: 3 }] })`,
  $nor: `Invoice.find({ $nor: [{ orgId: 'o' }, { total: 3 }] })`,
  '$and of nothing': `Invoice.find({ $and: [] })`,
  '$or of nothing': `Invoice.find({ $or: [] })`,
  '$or with an empty filter': `Invoice.find({ $or: [{ orgId: 'o' }, {}] })`,
  'nested lists': `Invoice.find({ $and: [{ $or: [{ orgId: 'o' }, { orgId: 'p' }] }, { total: { $gt: 1 } }] })`,
  'where and equals': `Invoice.find().where('orgId').equals('o')`,
  'where with two arguments': `Invoice.find().where('orgId', 'o')`,
  'where with a filter': `Invoice.where({ orgId: 'o' }).find({ total: 3 })`,
  'comparison steps': `Invoice.find({ orgId: 'o' }).where('total').gt(1).lt(4)`,
  'steps with their path': `Invoice.find({ orgId: 'o' }).gte('total', 3)`,
  'in and nin': `Invoice.find().where('orgId').in(['o', 'p']).where('total').nin([3])`,
  'ne as a step': `Invoice.find().where('orgId').ne('o')`,
  'exists as a step': `Invoice.find().where('number').exists(false)`,
  'and as a step': `Invoice.find({ orgId: 'o' }).and([{ total: 3 }, { number: 'n' }])`,
  'or as a step': `Invoice.find({ orgId: 'o' }).or([{ total: 3 }, { number: 'm' }])`,
  'or as a step joins the alternatives': `Invoice.find({ $or: [{ orgId: 'o' }] }).or([{ total: 1 }])`,
  'nor as a step': `Invoice.find().nor([{ orgId: 'o' }])`,
  'a second filter': `Invoice.find({ orgId: 'o' }).find({ total: 3 })`,
  'a second filter replaces a key': `Invoice.find({ orgId: 'o' }).find({ orgId: 'p' })`,
  'merge replaces a key': `Invoice.find({ orgId: 'o', total: 3 }).merge({ orgId: 'p' })`,
  'a spread': `Invoice.find({ ...base, total: 3 })`,
  'a spread that replaces': `Invoice.find({ orgId: 'p', ...base })`,
  findById: `Invoice.findById('000000000000000000000001')`,
  countDocuments: `Invoice.countDocuments({ orgId: 'o' })`,
  distinct: `Invoice.distinct('number', { orgId: 'o' })`,
  updateMany: `Invoice.updateMany({ orgId: 'o' }, { $set: { total: 1 } })`,
  deleteMany: `Invoice.deleteMany({ orgId: 'o' })`,
  'deleteMany without a filter': `Invoice.deleteMany()`,
  findOneAndUpdate: `Invoice.findOneAndUpdate({ orgId: 'o' }, { total: 1 })`,
  findByIdAndDelete: `Invoice.findByIdAndDelete('000000000000000000000001')`,
  'an unknown key is sent': `Invoice.find({ organisation: 'o' })`,
  'an unknown key is taken out': `Strict.find({ organisation: 'o' })`,
  'an unknown key is taken out of a list': `Strict.find({ orgId: 'o', total: 3, organisation: 'o' })`,
};

const declared = `
const Invoice = model('Invoice', new Schema({ orgId: String, number: String, total: Number }));
const Strict = model('Strict', new Schema({ orgId: String, number: String, total: Number }, { strictQuery: true }));
const base = { orgId: 'o' };`;

/** A field that is null and one that is missing are one to the model: only `$exists` tells them apart, and no document has null here. */
const documents = ['o', 'p', undefined].flatMap((orgId) =>
  [1, 3, undefined].flatMap((total) =>
    ['n', 'm', undefined].map((number, i) => ({
      _id: `00000000000000000000000${String(i)}`,
      ...(orgId === undefined ? {} : { orgId }),
      ...(total === undefined ? {} : { total }),
      ...(number === undefined ? {} : { number }),
    })),
  ),
);
type Document = (typeof documents)[number];

interface Built {
  getFilter(): Record<string, unknown>;
  _castConditions(): void;
  error(): unknown;
}

/** The filter that the library would send, after its schema has had its way with it. */
function sent(query: string): unknown {
  const connection = mongodb.createConnection();
  const run = new Function('model', 'Schema', `${declared}\n return ${query};`) as (...values: unknown[]) => Built;
  const built = run(connection.model.bind(connection), mongodb.Schema);
  built._castConditions();
  expect(built.error()).toBeFalsy();
  // Identifiers as text, and undefined as the null that the driver sends.
  return JSON.parse(JSON.stringify(built.getFilter(), (_key, v: unknown) => (v === undefined ? null : v)));
}

function byAdapter(query: string): Access {
  const code = `
import { model, Schema } from 'mongoose';
${declared.replace(/const (Invoice|Strict)/g, 'export const $1')}
export async function run() { return await ${query}; }`;
  const facts = factsOf({ 'query.ts': code });
  const { accesses, unknown } = loweredBy(adapter, facts, fakeContext(facts, { adapter }));
  expect(unknown).toEqual([]);
  expect(accesses).toHaveLength(1);
  expect(accesses[0]!.unchecked).toBeUndefined();
  return accesses[0]!;
}

/** Whether a document fulfils a condition, in three-valued logic: null is not known. */
function holds(p: Predicate, document: Document): boolean | null {
  const valueOf = (v: Value): unknown => {
    if (v.kind === 'column') return (document as Record<string, unknown>)[v.column] ?? null;
    if (v.kind === 'constant') return v.value;
    throw new Error(`not a plain value: ${v.kind}`);
  };
  switch (p.kind) {
    case 'always':
      return true;
    case 'never':
      return false;
    case 'and': {
      const all = p.of.map((one) => holds(one, document));
      return all.includes(false) ? false : all.includes(null) ? null : true;
    }
    case 'or': {
      const all = p.of.map((one) => holds(one, document));
      return all.includes(true) ? true : all.includes(null) ? null : false;
    }
    case 'not': {
      const inner = holds(p.of, document);
      return inner === null ? null : !inner;
    }
    case 'is':
      return holds(p.of, document) === p.test;
    case 'null':
      return valueOf(p.of) === null;
    case 'optional':
      return holds(p.on.kind === 'undefined' ? p.otherwise : p.of, document);
    case 'in': {
      const left = valueOf(p.left);
      return left === null ? null : p.right.some((r) => valueOf(r) === left);
    }
    case 'compare': {
      const [left, right] = [valueOf(p.left), valueOf(p.right)] as [number | null, number | null];
      if (p.operator === 'is distinct from') return left !== right;
      if (left === null || right === null) return null;
      if (p.operator === '=') return left === right;
      if (p.operator === '>') return left > right;
      if (p.operator === '>=') return left >= right;
      if (p.operator === '<') return left < right;
      if (p.operator === '<=') return left <= right;
      throw new Error(`operator ${p.operator}`);
    }
    default:
      throw new Error(showPredicate(p));
  }
}

describe('what the adapter reads is what Mongoose sends', () => {
  test.each(Object.entries(queries))('%s', (_name, query) => {
    const { predicate } = byAdapter(query).targets[0]!;
    const matches = sift(sent(query));
    const own = documents.filter((d) => holds(predicate, d) === true);
    expect(own, showPredicate(predicate)).toEqual(documents.filter((d) => matches(d)));
  });
});
