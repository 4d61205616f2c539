import {
  always,
  and,
  column,
  equal,
  propertyOf,
  unknownValue,
  type Access,
  type CallChain,
  type LowerContext,
  type Lowered,
  type Operation,
  type Predicate,
  type Step,
  type Target,
  type Value,
  type Writes,
} from '@tenant-lint/model';
import { readList } from '../prisma/list.js';
import {
  columnNamed,
  describe,
  modelNamed,
  newLowering,
  unknownCondition,
  type Lowering,
  type Rows,
} from '../prisma/lowering.js';
import { readObject, type ReadObject } from '../prisma/object.js';
import { settled } from '../prisma/shape.js';
import { openWrites, restOf } from '../writes.js';
import { attributesOf, included } from './include.js';
import { literalsIn } from './literals.js';
import { lowerQuery } from './raw.js';
import { isConnection, modelOf, type ModelRef } from './receiver.js';
import { scopesOf } from './scopes.js';
import { fieldCondition, whereCondition, type Joined } from './where.js';

interface Kind {
  readonly operation: Operation;
  readonly cardinality: 'one' | 'many';
  /** Where the options are. */
  readonly options: 0 | 1;
  /** The first argument is the key, or the values that are written. */
  readonly first?: 'key' | 'values' | 'list' | 'field';
  readonly counts?: true;
  /** A name that other things have too: only with a proven model, or with options that show it. */
  readonly common?: true;
}

const read = (more: Partial<Kind> = {}): Kind => ({ operation: 'read', cardinality: 'many', options: 0, ...more });

const operations: Readonly<Record<string, Kind>> = {
  findAll: read(),
  findOne: read({ common: true }),
  findAndCountAll: read(),
  findAndCount: read(),
  findByPk: read({ options: 1, first: 'key', cardinality: 'one' }),
  count: read({ counts: true, common: true }),
  min: read({ options: 1, first: 'field', common: true }),
  max: read({ options: 1, first: 'field', common: true }),
  sum: read({ options: 1, first: 'field', common: true }),
  aggregate: read({ options: 1, first: 'field', common: true }),
  findOrCreate: { operation: 'upsert', cardinality: 'many', options: 0 },
  findOrBuild: read(),
  findCreateFind: { operation: 'upsert', cardinality: 'many', options: 0 },
  create: { operation: 'create', cardinality: 'one', options: 1, first: 'values', common: true },
  bulkCreate: { operation: 'create', cardinality: 'many', options: 1, first: 'list' },
  upsert: { operation: 'upsert', cardinality: 'one', options: 1, first: 'values', common: true },
  update: { operation: 'update', cardinality: 'many', options: 1, first: 'values', counts: true, common: true },
  destroy: { operation: 'delete', cardinality: 'many', options: 0, counts: true },
  restore: { operation: 'update', cardinality: 'many', options: 0, counts: true },
  increment: { operation: 'update', cardinality: 'many', options: 1, counts: true, common: true },
  decrement: { operation: 'update', cardinality: 'many', options: 1, counts: true, common: true },
  truncate: { operation: 'truncate', cardinality: 'many', options: 0, counts: true, common: true },
};

/** Lowers a call on a model, on a row that was loaded, or SQL text on a connection. */
export function lower(chain: CallChain, context: LowerContext): Lowered {
  const { steps } = chain;
  const query = steps.findIndex((s) => s.name === 'query' && s.arguments !== undefined);
  if (query >= 0 && steps.slice(0, query).every((s) => s.arguments === undefined)) {
    const receiver = steps.slice(0, query).reduce<Value>((v, s) => propertyOf(v, s.name), chain.receiver);
    return isConnection(receiver, context) ? lowerQuery(chain, steps[query]!, receiver, context) : 'not mine';
  }
  const at = steps.findIndex((s) => s.arguments !== undefined && Object.hasOwn(operations, s.name));
  const step = steps[at];
  if (!step?.arguments) return 'not mine';
  const kind = operations[step.name]!;
  const model = modelOf(chain.receiver, steps.slice(0, at), context);
  if (model && isCall(model, step, kind, context)) return lowerModel(chain, step, kind, model, context);
  return at === 0 ? lowerRow(chain, step, context) : 'not mine';
}

/** What is only called like a model is one where the call has the options of Sequelize. */
function isCall(model: ModelRef, step: Step, kind: Kind, context: LowerContext): boolean {
  if (model.proven || !kind.common) return true;
  const options = step.arguments?.[kind.options] ?? step.arguments?.[0];
  const v = options && context.resolve(options);
  if (v?.kind !== 'object') return false;
  const keys = v.entries.flatMap((e) => ('set' in e ? [e.set] : []));
  return keys.some((k) => ['where', 'include', 'attributes', 'transaction', 'order', 'limit', 'raw'].includes(k));
}

function accessOf(
  chain: CallChain,
  method: string,
  operation: Operation,
  targets: readonly Target[],
  options: Value | undefined,
  l: Lowering,
): Access {
  const transaction = options && propertyOf(l.context.resolve(options), 'transaction');
  const inside = transaction !== undefined && transaction.kind !== 'undefined';
  const interpolations = literalsIn(chain.steps.at(-1)?.arguments ?? [], l.context);
  return {
    id: chain.id,
    library: 'sequelize',
    method,
    operation,
    targets,
    client: { receiver: chain.receiver, kind: inside ? 'transaction' : 'plain', ...(inside ? { transaction } : {}) },
    span: chain.span,
    chain: chain.id,
    function: chain.function,
    ...(l.unchecked.length > 0 ? { unchecked: l.unchecked } : {}),
    ...(l.lost.length > 0 ? { lost: l.lost } : {}),
    ...(interpolations.length > 0 ? { interpolations } : {}),
  };
}

function lowerModel(chain: CallChain, step: Step, kind: Kind, model: ModelRef, context: LowerContext): Lowered {
  const l = newLowering(context, step.span);
  const rows: Rows = { ...modelNamed(model.name, l), ref: l.target() };
  const args = step.arguments ?? [];
  const given = args[kind.options];
  const object = given ? readObject(given, l) : nothing;
  const options = object ?? unseenOptions(given!);
  const part = (name: string): Value | undefined => options.properties.get(name)?.value;
  const root = (operation: Operation, predicate: Predicate, more: Partial<Target> = {}): Target => ({
    ref: rows.ref,
    table: { known: true, value: rows.name },
    role: 'root',
    operation,
    predicate,
    cardinality: kind.cardinality,
    span: step.span,
    ...more,
  });
  const done = (...targets: Target[]): Lowered => ({
    accesses: [accessOf(chain, step.name, kind.operation, targets, given, l)],
  });
  if (kind.operation === 'create' || step.name === 'upsert') {
    const list = kind.first === 'list' && args[0] ? readList(args[0], l) : undefined;
    const values = list
      ? list.map((i) => ({ value: i.value, open: i.spread === true }))
      : [{ value: args[0], open: kind.first === 'list' }];
    return done(
      ...values.map(({ value, open }, i): Target => {
        const here: Rows = i === 0 ? rows : { ...rows, ref: l.target() };
        const writes = open ? { set: {}, open: true } : writesOf(value, here, l);
        const updates = part('updateOnDuplicate') ?? (step.name === 'upsert' ? value : undefined);
        return root(kind.operation, always('a new row'), {
          ref: here.ref,
          writes,
          ...(updates ? { updates: writes, conflict: keyOf(rows) } : {}),
        });
      }),
    );
  }
  const { targets, required, joined } = included(part('include'), rows, l);
  const own = conditionOf(options, kind, step, model, rows, l, joined);
  const condition = and(own, ...required);
  const columns = kind.counts
    ? []
    : kind.first === 'field' && args[0]?.kind === 'constant'
      ? [columnNamed(rows, String(args[0].value))]
      : attributesOf(part('attributes'), rows, l);
  const shown = columns ? { columns } : {};
  if (kind.operation === 'upsert') {
    const writes = writesOf(part('defaults'), rows, l);
    const found = equalities(own, rows);
    return done(
      root('upsert', condition, {
        ...shown,
        writes: { set: { ...found, ...writes.set }, open: writes.open },
        updates: { set: {}, open: false },
        conflict: Object.keys(found),
      }),
    );
  }
  if (kind.operation === 'update') {
    const writes = kind.first === 'values' ? writesOf(args[0], rows, l) : { set: {}, open: step.name !== 'restore' };
    return done(root('update', condition, { ...shown, writes }));
  }
  return done(root(kind.operation, condition, shown), ...targets);
}

const nothing: ReadObject = { properties: new Map(), unseen: [] };
const unseenOptions = (value: Value): ReadObject => ({
  properties: new Map(),
  unseen: [`the options are ${describe(value)}`],
});

/** The condition on the rows: scopes, whose keys the call replaces, the key, and `where`. */
function conditionOf(
  options: ReadObject,
  kind: Kind,
  step: Step,
  model: ModelRef,
  rows: Rows,
  l: Lowering,
  joined: Joined,
): Predicate {
  const scoped = scopesOf(model.steps, rows, l);
  const without = model.steps.find((s) => ['unscoped', 'scope', 'withScope'].includes(s.name));
  if (without) {
    const [own, ...more] = scopesOf([], rows, l).wheres;
    const of =
      more.length > 0 ? { kind: 'object' as const, entries: [own!, ...more].map((spread) => ({ spread })) } : own;
    if (of) l.lost.push({ how: 'disabled', predicate: whereCondition(of, rows, l, joined), at: without.span });
  }
  const where = options.properties.get('where');
  const wheres = [...scoped.wheres, ...(where ? [where.value] : [])];
  const merged: Value | undefined =
    wheres.length > 1 ? { kind: 'object', entries: wheres.map((spread) => ({ spread })) } : wheres[0];
  const parts: Predicate[] = [];
  if (kind.first === 'key') {
    const [key = 'id'] = keyOf(rows);
    parts.push(fieldCondition(column(rows.ref, key), step.arguments?.[0] ?? { kind: 'undefined' }, l, step.span));
  }
  const condition = whereCondition(merged, rows, l, joined);
  const replaced = where?.replaced ?? (where ? undefined : options.unseen[0]);
  if (replaced) parts.push(unknownCondition(replaced, l.span));
  if (scoped.unknown) parts.push(scoped.unknown);
  return and(condition, ...parts);
}

const keyOf = (rows: Rows): readonly string[] => {
  const key = rows.table?.constraints.find((c) => c.kind === 'primary key');
  return key?.kind === 'primary key' ? key.columns : ['id'];
};

function writesOf(value: Value | undefined, rows: Rows, l: Lowering): Writes {
  const object = value && readObject(value, l);
  if (!object) return openWrites(value);
  const set: Record<string, Value> = {};
  for (const { name, value: given, replaced } of object.properties.values()) {
    if (settled(given, l).kind === 'undefined') continue;
    set[columnNamed(rows, name)] = replaced ? { kind: 'choice', of: [given, unknownValue(replaced)] } : given;
  }
  return { set, open: object.unseen.length > 0, ...restOf(object, (name) => columnNamed(rows, name)) };
}

function equalities(predicate: Predicate, rows: Rows): Record<string, Value> {
  const found: Record<string, Value> = {};
  for (const p of predicate.kind === 'and' ? predicate.of : [predicate])
    if (p.kind === 'compare' && p.operator === '=' && p.left.kind === 'column' && p.left.target === rows.ref)
      found[p.left.column] = p.right;
  return found;
}

const single = new Set(['findOne', 'findByPk', 'create']);

/** `invoice.update({...})`, `invoice.destroy()`: a row that was loaded. */
function lowerRow(chain: CallChain, step: Step, context: LowerContext): Lowered {
  if (!['update', 'destroy', 'save', 'increment', 'decrement', 'restore'].includes(step.name)) return 'not mine';
  const loaded = rowIn(chain.receiver, context, 0);
  if (!loaded) return 'not mine';
  const l = newLowering(context, step.span);
  const rows: Rows = { ...modelNamed(loaded.model.name, l), ref: l.target() };
  const [key = 'id'] = keyOf(rows);
  const property = rows.table?.columns.get(key)?.property ?? key;
  const operation: Operation = step.name === 'destroy' ? 'delete' : 'update';
  const writes = step.name === 'update' ? writesOf(step.arguments?.[0], rows, l) : { set: {}, open: true };
  const target: Target = {
    ref: rows.ref,
    table: { known: true, value: rows.name },
    role: 'root',
    operation,
    predicate: equal(column(rows.ref, key), propertyOf(loaded.row, property)),
    cardinality: 'one',
    ...(operation === 'update' ? { writes } : {}),
    span: step.span,
  };
  return {
    accesses: [accessOf(chain, step.name, operation, [target], step.arguments?.[step.name === 'update' ? 1 : 0], l)],
  };
}

function rowIn(value: Value, context: LowerContext, depth: number): { model: ModelRef; row: Value } | undefined {
  if (depth > 6) return undefined;
  if (value.kind === 'missing-able') return rowIn(value.of, context, depth + 1);
  if (value.kind === 'object') {
    const [first] = value.entries;
    return first && 'spread' in first ? rowIn(first.spread, context, depth + 1) : undefined;
  }
  if (value.kind !== 'result' || value.path.length > 0) return undefined;
  const chain = context.chain(value.chain);
  const at = chain?.steps.findIndex((s) => s.arguments !== undefined && single.has(s.name)) ?? -1;
  const step = chain?.steps[at];
  const model = chain && step && modelOf(chain.receiver, chain.steps.slice(0, at), context);
  return model?.proven || (model && step?.name === 'findByPk') ? { model, row: value } : undefined;
}
