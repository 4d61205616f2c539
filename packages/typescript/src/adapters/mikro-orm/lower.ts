import {
  always,
  and,
  column,
  equal,
  propertyOf,
  type Access,
  type CallChain,
  type Known,
  type LowerContext,
  type Lowered,
  type Operation,
  type Predicate,
  type Step,
  type TableName,
  type Target,
  type Value,
} from '@tenant-lint/model';
import { linksOf, readFrom, readsOf } from '../entities/links.js';
import type { Receiver } from '../entities/receivers.js';
import { makesReference, referredKey } from '../entities/references.js';
import { knownColumn, modelNamed, newLowering, type Lowering, type Rows } from '../prisma/lowering.js';
import { readList } from '../prisma/list.js';
import { readObject } from '../prisma/object.js';
import { rowOf } from '../typeorm/operations.js';
import { loaded } from '../typeorm/relations.js';
import { receiverAt, tableOfEntity } from './client.js';
import { filterCondition } from './filters.js';
import { comparedWithNull, keyColumn, whereCondition } from './where.js';

interface Kind {
  readonly operation: Operation;
  /** `where`, or the `where` of options, or data, or a loaded entity. */
  readonly takes: 'where' | 'options' | 'data' | 'entity';
  readonly counts?: true;
}

const find: Kind = { operation: 'read', takes: 'where' };

/** Operations of managers (behind the entity) and repositories. */
const operations: Readonly<Record<string, Kind>> = {
  find,
  findOne: find,
  findOneOrFail: find,
  findAndCount: find,
  findByCursor: find,
  findAll: { operation: 'read', takes: 'options' },
  count: { ...find, counts: true },
  nativeUpdate: { operation: 'update', takes: 'where' },
  nativeDelete: { operation: 'delete', takes: 'where' },
  insert: { operation: 'create', takes: 'data' },
  insertMany: { operation: 'create', takes: 'data' },
  create: { operation: 'create', takes: 'data' },
  upsert: { operation: 'upsert', takes: 'data' },
  upsertMany: { operation: 'upsert', takes: 'data' },
  remove: { operation: 'delete', takes: 'entity' },
  removeAndFlush: { operation: 'delete', takes: 'entity' },
};

/** Calls that reach no rows by themselves. */
const silent = new Set([
  'transactional',
  'flush',
  'persist',
  'persistAndFlush',
  'assign',
  'getReference',
  'fork',
  'clear',
]);
const builders = new Set(['createQueryBuilder', 'qb', 'getKnex', 'execute']);

/** Lowers a chain to what MikroORM does with it. */
export function lower(chain: CallChain, context: LowerContext): Lowered {
  const { receiver: base, steps } = chain;
  if (base.kind === 'list' || base.kind === 'object' || base.kind === 'constant' || base.kind === 'text')
    return 'not mine';
  if (makesReference(chain, context)) return 'no access';
  const mine = (name: string): boolean => Object.hasOwn(operations, name) || silent.has(name) || builders.has(name);
  if (!steps.some((s) => s.arguments && mine(s.name))) return 'not mine';
  const links = linksOf(chain);
  const at = links.links.findIndex(
    ({ name, step }) => step?.arguments && (Object.hasOwn(operations, name) || builders.has(name)),
  );
  if (at < 0) {
    const last = links.links.findLastIndex(({ name, step }) => step?.arguments && silent.has(name));
    return last >= 0 && receiverAt(links, last, context) ? 'no access' : 'not mine';
  }
  const { name, step } = links.links[at]!;
  const direct = receiverAt(links, at, context);
  if (builders.has(name)) {
    const connection = name === 'execute' && links.links[at - 1]?.name === 'getConnection';
    const on = direct ?? (connection ? receiverAt(links, at - 1, context) : undefined);
    return on ? { unknown: `unresolved: ${name} of MikroORM is not followed`, span: chain.span } : 'not mine';
  }
  if (!direct || !step || direct.is === 'source' || direct.is === 'runner') return 'not mine';
  return lowerOperation(chain, direct, step, context, readFrom(links, Math.min(at, readsOf(links))));
}

function lowerOperation(chain: CallChain, on: Receiver, method: Step, context: LowerContext, receiver: Value): Lowered {
  const of = operations[method.name]!;
  const given = method.arguments ?? [];
  const entity = on.is === 'manager' && of.takes !== 'entity' ? given[0] : undefined;
  const args = on.is === 'manager' && of.takes !== 'entity' ? given.slice(1) : given;
  const table: Known<TableName> =
    of.takes === 'entity'
      ? tableOfRow(given[0], on, context)
      : on.is === 'manager'
        ? tableOfEntity(entity, context)
        : (on.table ?? { known: false, reason: 'no entity' });
  if (!table.known) return { unknown: `unresolved: the entity of ${method.name}: ${table.reason}`, span: method.span };
  const l: Lowering = { ...newLowering(context, method.span), strict: false, dropped: comparedWithNull };
  const rows: Rows = { ...modelNamed(table.value, l), ref: l.target() };
  const access: Access = {
    id: chain.id,
    library: 'mikro-orm',
    method: method.name,
    operation: of.operation,
    targets: of.takes === 'data' ? made(of, args[0], rows, l) : reached(of, method.name, args, rows, l),
    client: { receiver, kind: on.client },
    span: chain.span,
    chain: chain.id,
    function: chain.function,
    ...(l.unchecked.length > 0 ? { unchecked: l.unchecked } : {}),
    ...(l.lost.length > 0 ? { lost: l.lost } : {}),
  };
  return { accesses: [access] };
}

/** The table of a row that was loaded: by the call that loaded it. */
function tableOfRow(value: Value | undefined, on: Receiver, context: LowerContext): Known<TableName> {
  const v = value?.kind === 'missing-able' ? value.of : value;
  const chain = v?.kind === 'result' && v.path.length === 0 ? context.chain(v.chain) : undefined;
  const links = chain && linksOf(chain);
  const call = links?.links.at(-1);
  const by = links && receiverAt(links, links.links.length - 1, context);
  if (by?.table?.known) return by.table;
  if (by?.is === 'manager') return tableOfEntity(call?.step?.arguments?.[0], context);
  const type = v && context.typeOf(v);
  if (type?.name) return context.tableOf(type.name);
  return on.table ?? { known: false, reason: 'where the row was loaded was not found' };
}

function reached(of: Kind, method: string, args: readonly Value[], rows: Rows, l: Lowering): Target[] {
  const [first, second] = args;
  const options = of.takes === 'options' ? first : method === 'nativeUpdate' ? args[2] : second;
  const condition = ((): Predicate => {
    if (of.takes === 'entity') return byRow(first, rows, l);
    if (of.takes === 'where') return whereCondition(first, rows, l);
    const where = options && readObject(options, l)?.properties.get('where')?.value;
    return whereCondition(where, rows, l);
  })();
  // Removing a loaded row deletes it by its key; filters are for what is queried.
  const filter = of.takes === 'entity' ? always('no filter') : filterCondition(rows, options, l);
  const columns = of.counts ? [] : fieldsOf(options, rows, l);
  const target: Target = {
    ref: rows.ref,
    table: { known: true, value: rows.name },
    role: 'root',
    operation: of.operation,
    predicate: and(condition, filter),
    cardinality: of.takes === 'entity' ? 'one' : 'many',
    ...(method === 'nativeUpdate' ? { writes: rowOf(second, rows, l) } : {}),
    ...(columns ? { columns } : {}),
    span: l.span,
  };
  const related = options && of.operation === 'read' ? loaded(options, rows, l, 'populate') : [];
  return [target, ...related.map((t) => filtered(t, options, l))];
}

/** Filters hold for what is populated as well. */
function filtered(target: Target, options: Value | undefined, l: Lowering): Target {
  if (!target.table.known) return target;
  const rows: Rows = { ...modelNamed(target.table.value, l), ref: target.ref };
  return { ...target, predicate: and(target.predicate, filterCondition(rows, options, l)) };
}

function byRow(value: Value | undefined, rows: Rows, l: Lowering): Predicate {
  const key = keyColumn(rows);
  const property = rows.table?.columns.get(key)?.property ?? key;
  const v = value?.kind === 'missing-able' ? value.of : value;
  return v
    ? equal(column(rows.ref, key), referredKey(v, property, l) ?? propertyOf(v, property))
    : always('no condition');
}

/** The columns that `fields` of the options names; undefined: all. */
function fieldsOf(options: Value | undefined, rows: Rows, l: Lowering): readonly string[] | undefined {
  const value = options && readObject(options, l)?.properties.get('fields')?.value;
  const list = value && readList(value, l);
  if (!list || list.length === 0 || list.some((i) => i.spread || i.value.kind !== 'constant')) return undefined;
  return list.flatMap((i) => (i.value.kind === 'constant' ? (knownColumn(rows, String(i.value.value)) ?? []) : []));
}

function made(of: Kind, data: Value | undefined, rows: Rows, l: Lowering): Target[] {
  const list = data && readList(data, l);
  return (list ?? [{ value: data, spread: undefined }]).map((item, i): Target => {
    const here: Rows = i === 0 ? rows : { ...rows, ref: l.target() };
    const writes = rowOf(item.spread ? undefined : item.value, here, l);
    const key = keyColumn(here);
    const given = writes.set[key];
    const upsert = of.operation === 'upsert';
    return {
      ref: here.ref,
      table: { known: true, value: here.name },
      role: 'root',
      operation: of.operation,
      predicate:
        upsert && given
          ? equal(column(here.ref, key), given)
          : upsert
            ? { kind: 'unknown', reason: 'the unique columns of the row were not found' }
            : always('a new row'),
      cardinality: 'one',
      writes: item.spread ? { ...writes, open: true } : writes,
      ...(upsert ? { updates: writes, conflict: given ? [key] : [] } : {}),
      span: l.span,
    };
  });
}
