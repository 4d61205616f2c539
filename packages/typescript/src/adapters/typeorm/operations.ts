import {
  always,
  and,
  column,
  equal,
  or,
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
  type Writes,
} from '@tenant-lint/model';
import {
  columnNamed,
  describe,
  knownColumn,
  modelNamed,
  newLowering,
  spanOf,
  unknownCondition,
  type Lowering,
  type Rows,
} from '../prisma/lowering.js';
import { readList } from '../prisma/list.js';
import { readObject } from '../prisma/object.js';
import { linkNamed } from '../prisma/relation.js';
import { settled } from '../prisma/shape.js';
import { linksOf } from '../entities/links.js';
import { referredKey } from '../entities/references.js';
import { receiverAt, tableOfEntity, type Receiver } from './client.js';
import { loaded } from './relations.js';
import { throwsOnMissing } from './names.js';
import { droppedByTypeorm, whereCondition } from './where.js';

/** How an operation takes its arguments, those after the entity of a manager's. */
export interface Kind {
  readonly operation: Operation;
  /** `options`: FindOptions; `where`: a bare condition; `criteria`: a condition or a key; `second`: a condition after a column. */
  readonly takes: 'options' | 'where' | 'criteria' | 'second' | 'keys' | 'key' | 'rows' | 'nothing' | 'set';
  readonly counts?: true;
}

const find = (takes: Kind['takes'], counts?: true): Kind => ({
  operation: 'read',
  takes,
  ...(counts ? { counts } : {}),
});

/** Operations of repositories, managers and BaseEntity, by name. */
export const operations: Readonly<Record<string, Kind>> = {
  find: find('options'),
  findAndCount: find('options'),
  findOne: find('options'),
  findOneOrFail: find('options'),
  count: find('options', true),
  exists: find('options', true),
  exist: find('options', true),
  findBy: find('where'),
  findAndCountBy: find('where'),
  findOneBy: find('where'),
  findOneByOrFail: find('where'),
  countBy: find('where', true),
  existsBy: find('where', true),
  existBy: find('where', true),
  findOneById: find('key'),
  findByIds: find('keys'),
  sum: find('second', true),
  average: find('second', true),
  minimum: find('second', true),
  maximum: find('second', true),
  update: { operation: 'update', takes: 'criteria' },
  delete: { operation: 'delete', takes: 'criteria' },
  softDelete: { operation: 'update', takes: 'criteria' },
  restore: { operation: 'update', takes: 'criteria' },
  increment: { operation: 'update', takes: 'criteria' },
  decrement: { operation: 'update', takes: 'criteria' },
  updateAll: { operation: 'update', takes: 'set' },
  deleteAll: { operation: 'delete', takes: 'nothing' },
  clear: { operation: 'truncate', takes: 'nothing' },
  insert: { operation: 'create', takes: 'rows' },
  upsert: { operation: 'upsert', takes: 'rows' },
  save: { operation: 'upsert', takes: 'rows' },
  preload: { operation: 'read', takes: 'rows' },
  remove: { operation: 'delete', takes: 'rows' },
  softRemove: { operation: 'update', takes: 'rows' },
  recover: { operation: 'update', takes: 'rows' },
};

/** Lowers one operation on an entity to an access. */
export function lowerOperation(
  chain: CallChain,
  on: Receiver,
  method: Step,
  context: LowerContext,
  receiver: Value,
): Lowered {
  const of = operations[method.name]!;
  const given = method.arguments ?? [];
  const { table, args } = entityAndArguments(on, of, given, context);
  if (!table.known) return { unknown: `unresolved: the entity of ${method.name}: ${table.reason}`, span: method.span };
  const base = newLowering(context, method.span);
  const strict = throwsOnMissing(method.span.file, context) && on.missing !== 'ignored';
  const l: Lowering = { ...base, strict, dropped: droppedByTypeorm };
  const rows: Rows = { ...modelNamed(table.value, l), ref: l.target() };
  const targets =
    of.takes === 'rows' ? written(of, method.name, args, rows, l) : reached(of, method.name, args, rows, l);
  const access: Access = {
    id: chain.id,
    library: 'typeorm',
    method: method.name,
    operation: of.operation === 'upsert' ? (targets[0]?.operation ?? 'upsert') : of.operation,
    targets,
    client: { receiver, kind: on.client },
    span: chain.span,
    chain: chain.id,
    function: chain.function,
    ...(l.unchecked.length > 0 ? { unchecked: l.unchecked } : {}),
  };
  return { accesses: [access] };
}

/** A manager is told the entity first; `save(entity)` takes it from where the entity was made. */
function entityAndArguments(
  on: Receiver,
  of: Kind,
  given: readonly Value[],
  context: LowerContext,
): { table: Known<TableName>; args: readonly Value[] } {
  if (on.is !== 'manager') return { table: on.table ?? { known: false, reason: 'no entity' }, args: given };
  const [first, ...rest] = given;
  const named = first ? tableGiven(first, context) : undefined;
  if (named) return { table: named, args: rest };
  if (of.takes !== 'rows') return { table: { known: false, reason: 'the entity was not found' }, args: rest };
  return { table: first ? tableOfInstance(first, context) : { known: false, reason: 'nothing is given' }, args: given };
}

function tableGiven(value: Value, context: LowerContext): Known<TableName> | undefined {
  const table = tableOfEntity(value, context);
  return table.known ? table : undefined;
}

/** The table of an entity that `new Invoice()`, `manager.create(Invoice, ...)` or a find made. */
function tableOfInstance(value: Value, context: LowerContext): Known<TableName> {
  const v = value.kind === 'missing-able' ? value.of : value;
  for (const one of [v, context.resolve(v)]) {
    if (one.kind === 'instance') return context.tableOf(one.of);
    if (one.kind === 'list' && one.of[0]) return tableOfInstance(one.of[0].value, context);
    // A row that was loaded, and some properties of which were set since.
    const loaded = one.kind === 'object' ? one.entries.find((e) => 'spread' in e) : undefined;
    if (loaded && 'spread' in loaded) return tableOfInstance(loaded.spread, context);
    const chain = one.kind === 'result' && one.path.length === 0 ? context.chain(one.chain) : undefined;
    const links = chain && linksOf(chain);
    const call = links?.links.at(-1);
    if (!links || !call?.step?.arguments) continue;
    const on = receiverAt(links, links.links.length - 1, context);
    if (on?.table?.known) return on.table;
    if (on?.is === 'manager' && call.step.arguments[0]) return tableOfEntity(call.step.arguments[0], context);
  }
  const type = context.typeOf(v);
  return type?.name ? context.tableOf(type.name) : { known: false, reason: `the entity is ${describe(v)}` };
}

function reached(of: Kind, method: string, args: readonly Value[], rows: Rows, l: Lowering): Target[] {
  const { predicate, options } = conditionOf(of, args, rows, l);
  const set = setOf(of, method, args, rows, l);
  const columns = of.counts ? [] : options && selected(options, rows, l);
  const target: Target = {
    ref: rows.ref,
    table: { known: true, value: rows.name },
    role: 'root',
    operation: of.operation,
    predicate,
    cardinality: 'many',
    ...(set ? { writes: set } : {}),
    ...(columns ? { columns } : {}),
    span: l.span,
  };
  return [target, ...(options && !of.counts ? loaded(options, rows, l) : [])];
}

/** Options of find operations, of all versions. */
const optionNames = new Set(
  ['where', 'relations', 'select', 'join', 'order', 'cache', 'lock', 'withDeleted', 'skip', 'take'].concat([
    'loadRelationIds',
    'loadEagerRelations',
    'relationLoadStrategy',
    'transaction',
    'comment',
  ]),
);

function takesBareConditions(l: Lowering): boolean {
  const version = /(\d+)\.(\d+)/.exec(l.context.version(l.file, 'typeorm') ?? '');
  return version === null || (version[1] === '0' && Number(version[2]) < 3);
}

function conditionOf(
  of: Kind,
  args: readonly Value[],
  rows: Rows,
  l: Lowering,
): { predicate: Predicate; options?: Value } {
  const [first, second] = args;
  switch (of.takes) {
    case 'options': {
      if (first === undefined) return { predicate: always('no condition') };
      const v = settled(first, l);
      // Before 0.3 the key was given by itself.
      if (v.kind !== 'object' && isKey(v, l)) return { predicate: byKey(v, rows) };
      const options = readObject(v, l);
      if (!options) return { predicate: unknownCondition(`the options are ${describe(v)}`, l.span) };
      const where = options.properties.get('where');
      // Before 0.3 an object without any option was the condition itself.
      const names = [...options.properties.keys()];
      if (names.length > 0 && !names.some((n) => optionNames.has(n)) && takesBareConditions(l))
        return { predicate: whereCondition(v, rows, l) };
      if (!where)
        return {
          predicate: options.unseen[0] ? unknownCondition(options.unseen[0], l.span) : always('no condition'),
          options: v,
        };
      const condition = whereCondition(where.value, rows, l);
      const predicate: Predicate = where.replaced
        ? {
            kind: 'either',
            of: [condition, unknownCondition(`'where' may be replaced: ${where.replaced}`, where.span)],
          }
        : condition;
      return { predicate, options: v };
    }
    case 'where':
      return { predicate: whereCondition(first, rows, l) };
    case 'second':
      return { predicate: whereCondition(second, rows, l) };
    case 'key':
      return { predicate: first ? byKey(first, rows) : always('no condition') };
    case 'keys':
      return { predicate: first ? byKeys(first, rows, l) : always('no condition') };
    case 'criteria':
      return { predicate: criteria(first, rows, l) };
    default:
      return { predicate: always('no condition') };
  }
}

/** What `update` and `delete` select by: a key, keys, or a condition in which a missing value equals nothing. */
function criteria(value: Value | undefined, rows: Rows, l: Lowering): Predicate {
  if (value === undefined) return { kind: 'never' };
  const v = settled(value, l);
  if (v.kind === 'object') return whereCondition(v, rows, { ...l, strict: true });
  const list = readList(v, l);
  if (list) {
    const objects = list.every((i) => readObject(i.value, l) !== undefined && settled(i.value, l).kind === 'object');
    return objects && list.length > 0
      ? or(...list.map((i) => whereCondition(i.value, rows, { ...l, strict: true })))
      : byKeys(v, rows, l);
  }
  if (isKey(v, l)) return byKey(v, rows);
  return unknownCondition(`the condition is ${describe(v)}`, spanOf(v, l.span), v);
}

/** Whether a value is one key rather than a condition: its type, or its name, says so. */
function isKey(value: Value, l: Lowering): boolean {
  if (value.kind === 'missing-able') return isKey(value.of, l);
  if (value.kind === 'constant') return value.value !== null;
  if (value.kind === 'text' || value.kind === 'apply') return true;
  const type = l.context.typeOf(value);
  if (type) return /^(?:string|number|bigint|\w*(?:Id|ID|UUID|Uuid))\b/.test(type.text);
  if (value.kind === 'row' || value.kind === 'input') return value.path.length > 0;
  const last = 'path' in value ? value.path.at(-1) : undefined;
  if (last !== undefined) return true;
  if (value.kind !== 'parameter') return false;
  const name = l.context.function(value.function)?.parameters[value.index]?.name;
  return name !== undefined && /id$/i.test(name);
}

const keyColumn = (rows: Rows): string =>
  rows.table?.constraints.find((c) => c.kind === 'primary key')?.columns[0] ?? 'id';

const byKey = (value: Value, rows: Rows): Predicate => equal(column(rows.ref, keyColumn(rows)), value);

function byKeys(value: Value, rows: Rows, l: Lowering): Predicate {
  const left = column(rows.ref, keyColumn(rows));
  const list = readList(value, l);
  if (!list) return { kind: 'in', left, right: [{ kind: 'element', of: value, path: ['*'] }], open: true };
  const open = list.some((i) => i.spread || i.each);
  const right = list.map((i): Value => (i.spread ? { kind: 'element', of: i.value, path: ['*'] } : i.value));
  return right.length === 0 ? { kind: 'never' } : { kind: 'in', left, right, ...(open ? { open: true } : {}) };
}

/** What `update` and its kin set. */
function setOf(of: Kind, method: string, args: readonly Value[], rows: Rows, l: Lowering): Writes | undefined {
  if (of.operation !== 'update') return undefined;
  if (method === 'increment' || method === 'decrement') {
    const name = args[1]?.kind === 'constant' ? String(args[1].value) : undefined;
    return name === undefined
      ? { set: {}, open: true }
      : { set: { [columnNamed(rows, name)]: { kind: 'unknown', reason: 'a computed value' } }, open: false };
  }
  if (method === 'softDelete' || method === 'restore') return { set: {}, open: false };
  return rowOf(of.takes === 'set' ? args[0] : args[1], rows, l);
}

/** The columns that an entity or a part of one sets. */
export function rowOf(value: Value | undefined, rows: Rows, l: Lowering): Writes {
  const object = value && readObject(value, l);
  if (!object) return { set: {}, open: value !== undefined, ...(value ? { rest: { of: [value], except: [] } } : {}) };
  const set: Record<string, Value> = {};
  let open = object.unseen.length > 0;
  for (const { name, value: given, replaced } of object.properties.values()) {
    const v = settled(given, l);
    if (v.kind === 'undefined') continue;
    const link = linkNamed(rows, name, l);
    if (!link) {
      if (isEmbeddedIn(rows, name)) open = true;
      else set[columnNamed(rows, name)] = v.kind === 'function' ? { kind: 'unknown', reason: 'SQL text' } : given;
    } else if (link.owned) {
      for (const [mine, theirs] of link.pairs) {
        const property = link.to.table?.columns.get(theirs)?.property ?? theirs;
        const unloaded = referredKey(v, property, l);
        const inner = unloaded ?? readObject(madeOf(v, l).value, l)?.properties.get(property)?.value;
        set[mine] =
          inner ?? (v.kind === 'object' ? { kind: 'unknown', reason: 'a nested entity' } : keyOf(v, property));
      }
    } else open = true;
    if (replaced) open = true;
  }
  const rest = object.rest?.filter((r) => r.kind !== 'instance') ?? [];
  if (rest.length === 0) return { set, open };
  const named = [...object.properties.values()].filter((p) => p.replaced === undefined);
  const except = named.flatMap(
    (p) => linkNamed(rows, p.name, l)?.pairs.map(([mine]) => mine) ?? [columnNamed(rows, p.name)],
  );
  return { set, open, rest: { of: rest, except } };
}

const keyOf = (value: Value, property: string): Value =>
  value.kind === 'constant' ? value : { kind: 'element', of: value, path: [property] };

const isEmbeddedIn = (rows: Rows, name: string): boolean =>
  knownColumn(rows, name) === undefined &&
  [...(rows.table?.columns.values() ?? [])].some((c) => c.property?.startsWith(`${name}.`));

/** Rows that are inserted, saved or removed as entities: each item of a list is one. */
function written(of: Kind, method: string, args: readonly Value[], rows: Rows, l: Lowering): Target[] {
  const [first, second] = args;
  const list = first && readList(first, l);
  const items: readonly { value: Value | undefined; spread?: true }[] = list ?? [{ value: first }];
  return items.map((item, i): Target => {
    const here: Rows = i === 0 ? rows : { ...rows, ref: l.target() };
    const value = item.value && madeOf(item.value, l);
    return oneRow(of, method, value, item.spread === true, second, here, l);
  });
}

function oneRow(
  of: Kind,
  method: string,
  made: Made | undefined,
  spread: boolean,
  options: Value | undefined,
  rows: Rows,
  l: Lowering,
): Target {
  const value = made?.value;
  const data = rowOf(spread ? undefined : value, rows, l);
  const writes: Writes = made?.changed || spread ? { ...data, open: true } : data;
  const plain = {
    ref: rows.ref,
    table: { known: true, value: rows.name } as const,
    role: 'root' as const,
    span: l.span,
  };
  const fresh: Predicate = always('a new row');
  if (method === 'insert') return { ...plain, operation: 'create', predicate: fresh, cardinality: 'one', writes };
  if (method === 'upsert') {
    const conflict = conflictOf(options, rows, l);
    const predicate = and(
      ...conflict.map((c) => equal(column(rows.ref, c), writes.set[c] ?? { kind: 'unknown', reason: 'not seen' })),
    );
    return { ...plain, operation: 'upsert', predicate, cardinality: 'one', writes, updates: writes, conflict };
  }
  const key = keyColumn(rows);
  const given = writes.set[key];
  const isRow = value !== undefined && readObject(value, l) === undefined;
  const property = rows.table?.columns.get(key)?.property ?? key;
  const predicate: Predicate = given
    ? equal(column(rows.ref, key), given)
    : isRow
      ? equal(column(rows.ref, key), elementOf(value, property))
      : unknownCondition('the key of the row was not found', l.span);
  if (method !== 'save')
    return {
      ...plain,
      operation: of.operation,
      predicate,
      cardinality: 'one',
      ...(of.operation === 'update' ? { writes: { set: {}, open: false } } : {}),
    };
  if (isRow) {
    const known = loadedRow(value);
    return {
      ...plain,
      operation: known ? 'update' : 'upsert',
      predicate: known ? predicate : unknownCondition(`what is saved is ${describe(value)}`, l.span),
      cardinality: 'one',
      writes: { set: {}, open: true, rest: { of: [value], except: [] } },
    };
  }
  const changed = given ? undefined : writes.rest?.of.find(loadedRow);
  if (changed) {
    const own = equal(column(rows.ref, key), elementOf(changed, property));
    return { ...plain, operation: 'update', predicate: own, cardinality: 'one', writes };
  }
  if (!given && !writes.open) return { ...plain, operation: 'create', predicate: fresh, cardinality: 'one', writes };
  return {
    ...plain,
    operation: given ? 'upsert' : 'create',
    predicate: given ? predicate : fresh,
    cardinality: 'one',
    writes,
    ...(given ? { updates: writes, conflict: [key] } : {}),
  };
}

/** Whether a value is what an earlier call gave, a row that was loaded. */
const loadedRow = (value: Value): boolean => {
  const v = value.kind === 'missing-able' ? value.of : value;
  return v.kind === 'result' || v.kind === 'row';
};

function elementOf(value: Value, property: string): Value {
  const v = value.kind === 'missing-able' ? value.of : value;
  return propertyOf(v, property);
}

interface Made {
  readonly value: Value;
  /** Further properties may have been set since. */
  readonly changed: boolean;
}

/** What an entity was made of: `repository.create({...})`, `new Invoice()`, `merge`; otherwise the value itself. */
function madeOf(value: Value, l: Lowering): Made {
  const v = value.kind === 'missing-able' ? value.of : value;
  const resolved = l.context.resolve(v);
  const made = resolved.kind === 'instance' ? resolved : v;
  if (made.kind === 'instance') return { value: { kind: 'object', entries: [] }, changed: true };
  const chain = made.kind === 'result' && made.path.length === 0 ? l.context.chain(made.chain) : undefined;
  const call = chain?.steps.at(-1);
  if (!chain || call?.name !== 'create' || !call.arguments) return { value, changed: false };
  const links = linksOf(chain);
  const on = receiverAt(links, links.links.length - 1, l.context);
  if (!on) return { value, changed: false };
  const given = on.is === 'manager' ? call.arguments[1] : call.arguments[0];
  const list = given && readList(given, l);
  if (list) return { value: list[0]?.value ?? { kind: 'object', entries: [] }, changed: list.length > 1 };
  return { value: given ?? { kind: 'object', entries: [] }, changed: given === undefined };
}

function conflictOf(options: Value | undefined, rows: Rows, l: Lowering): readonly string[] {
  const direct = options && readList(options, l);
  const inner = options && !direct ? readObject(options, l)?.properties.get('conflictPaths')?.value : undefined;
  const list = direct ?? (inner && readList(inner, l)) ?? [];
  const names = list.flatMap((i) => (i.value.kind === 'constant' ? [String(i.value.value)] : []));
  const keyed = inner && names.length === 0 ? [...(readObject(inner, l)?.properties.keys() ?? [])] : names;
  return keyed.map((n) => linkNamed(rows, n, l)?.pairs[0]?.[0] ?? columnNamed(rows, n));
}

/** The columns that `select` names, as a list or an object; undefined: all. */
function selected(options: Value, rows: Rows, l: Lowering): readonly string[] | undefined {
  const value = readObject(options, l)?.properties.get('select')?.value;
  if (!value) return undefined;
  const list = readList(value, l);
  const object = list ? undefined : readObject(value, l);
  if (object && (object.unseen.length > 0 || object.properties.size === 0)) return undefined;
  const names = list
    ? list.map((i) => (i.value.kind === 'constant' && !i.spread ? String(i.value.value) : undefined))
    : [...(object?.properties.keys() ?? [])];
  if (names.some((n) => n === undefined) || names.length === 0) return undefined;
  return names.flatMap((n) => knownColumn(rows, n!) ?? []);
}
