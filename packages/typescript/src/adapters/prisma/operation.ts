import type { Access, CallChain, LowerContext, Lowered, Predicate, Target, Value } from '@tenant-lint/model';
import { dataOf, equated, newRow } from './data.js';
import { included, related, selectedColumns } from './include.js';
import {
  describe,
  knownColumn,
  modelNamed,
  newLowering,
  spanOf,
  unknownCondition,
  type Lowering,
  type Rows,
} from './lowering.js';
import type { Recognised } from './recognise.js';
import { linkNamed, modelOfProperty } from './relation.js';
import { readList } from './list.js';
import { readObject, type ReadObject } from './object.js';
import { settled } from './shape.js';
import { whereCondition } from './where.js';

type ModelCall = Extract<Recognised, { kind: 'model' }>;

/** Lowers an operation on a model to one access: the root, what is loaded with it, and what nested writes reach. */
export function lowerOperation(chain: CallChain, call: ModelCall, context: LowerContext): Lowered {
  if (call.model === '*') return { unknown: 'the model is chosen at run time', span: chain.span };
  const l = newLowering(context, call.step.span);
  const upper = call.model.charAt(0).toUpperCase() + call.model.slice(1);
  const name = modelOfProperty(call.model, l) ?? { by: 'model' as const, library: 'prisma', name: upper };
  const rows: Rows = { ...modelNamed(name, l), ref: l.target() };
  const [given] = call.step.arguments ?? [];
  const args = given === undefined ? nothing : (readObject(given, l) ?? unseen(given));
  const targets =
    call.of.operation === 'create' ? createdRows(args, rows, call, l) : [reached(args, rows, call, l)].flat();
  const loaded = [...included(args, rows, l), ...fluent(call, rows, l)];
  const access: Access = {
    id: chain.id,
    library: 'prisma',
    method: call.method,
    operation: call.of.operation,
    targets: [...targets, ...loaded],
    client: call.client,
    span: chain.span,
    chain: chain.id,
    function: chain.function,
    ...(l.unchecked.length > 0 ? { unchecked: l.unchecked } : {}),
    ...(l.lost.length > 0 ? { lost: l.lost } : {}),
  };
  return { accesses: [access] };
}

const nothing: ReadObject = { properties: new Map(), unseen: [], rest: [] };
const unseen = (value: Value): ReadObject => ({
  properties: new Map(),
  unseen: [`the arguments are ${describe(value)}`],
  rest: [value],
});

/** The condition in `where`; where the arguments are not fully seen, it may be there without being seen. */
function conditionIn(args: ReadObject, rows: Rows, l: Lowering): Predicate {
  const where = args.properties.get('where');
  if (where === undefined)
    return args.unseen[0] ? unknownCondition(args.unseen[0], l.span) : whereCondition(undefined, rows, l);
  const condition = whereCondition(where.value, rows, l);
  return where.replaced
    ? { kind: 'either', of: [condition, unknownCondition(`'where' may be replaced: ${where.replaced}`, where.span)] }
    : condition;
}

function reached(args: ReadObject, rows: Rows, call: ModelCall, l: Lowering): Target[] {
  const raw = call.method === 'findRaw' || call.method === 'aggregateRaw';
  const predicate = raw ? unknownCondition('a filter of MongoDB', l.span) : conditionIn(args, rows, l);
  const value = (key: string): Value | undefined => args.properties.get(key)?.value;
  const columns = call.of.counts
    ? []
    : call.method === 'aggregate' || call.method === 'groupBy'
      ? aggregated(args, rows, l)
      : selectedColumns(args, rows, l);
  const root: Target = {
    ref: rows.ref,
    table: { known: true, value: rows.name },
    role: 'root',
    operation: call.of.operation,
    predicate,
    cardinality: call.of.cardinality,
    ...(columns ? { columns } : {}),
    span: call.step.span,
  };
  const open = args.unseen.length > 0;
  const dataFor = (key: string): ReturnType<typeof dataOf> => {
    const data = dataOf(value(key), rows, l);
    return open ? { ...data, writes: { ...data.writes, open } } : data;
  };
  if (call.of.operation === 'update') {
    const data = dataFor('data');
    return [{ ...root, writes: data.writes }, ...data.nested];
  }
  if (call.of.operation === 'upsert') {
    const created = dataFor('create');
    const updated = dataFor('update');
    const conflict = equated(predicate, rows);
    return [
      { ...root, writes: created.writes, updates: updated.writes, conflict },
      ...created.nested,
      ...updated.nested,
    ];
  }
  return [root];
}

/** One target for every row that `data` shows; for a list that is not seen, one for all of them. */
function createdRows(args: ReadObject, rows: Rows, call: ModelCall, l: Lowering): Target[] {
  const value = args.properties.get('data')?.value;
  const list = value && call.of.cardinality === 'many' ? readList(value, l) : undefined;
  const items = list ? list : [{ value }];
  const columns = call.of.counts ? [] : selectedColumns(args, rows, l);
  return items.flatMap((item, i) => {
    const here: Rows = i === 0 ? rows : { ...rows, ref: l.target() };
    const hidden = args.unseen.length > 0 || ('spread' in item && item.spread === true);
    const data = dataOf(hidden && list ? undefined : item.value, here, l);
    const root: Target = {
      ref: here.ref,
      table: { known: true, value: rows.name },
      role: 'root',
      operation: 'create',
      predicate: newRow,
      writes: { ...data.writes, open: data.writes.open || hidden },
      cardinality: list && list.length > 1 ? 'one' : call.of.cardinality,
      ...(columns ? { columns } : {}),
      span: item.value ? spanOf(item.value, call.step.span) : call.step.span,
    };
    return [root, ...data.nested];
  });
}

/** The columns that an aggregate or a grouping tells about. */
function aggregated(args: ReadObject, rows: Rows, l: Lowering): readonly string[] | undefined {
  if (args.unseen.length > 0) return undefined;
  const columns = new Set<string>();
  for (const { name, value } of args.properties.values()) {
    if (name === 'by') {
      const list = readList(value, l);
      const items = list ? list.map((i) => i.value) : [value];
      for (const item of items) {
        const field = settled(item, l);
        if (field.kind !== 'constant') return undefined;
        columns.add(knownColumn(rows, String(field.value)) ?? String(field.value));
      }
    } else if (['_sum', '_avg', '_min', '_max'].includes(name)) {
      for (const field of readObject(value, l)?.properties.keys() ?? []) columns.add(knownColumn(rows, field) ?? field);
    }
  }
  return [...columns];
}

/** `prisma.invoice.findUnique(...).customer({ where })`: each further call loads a relation of the row before it. */
function fluent(call: ModelCall, rows: Rows, l: Lowering): Target[] {
  const targets: Target[] = [];
  let from = rows;
  for (const step of call.rest) {
    const link = step.arguments ? linkNamed(from, step.name, l) : undefined;
    if (!link) break;
    const [value] = step.arguments ?? [];
    const loaded = related(link, value ?? { kind: 'constant', value: true }, from, l);
    targets.push(...loaded);
    from = { ...link.to, ref: loaded[0]!.ref };
  }
  return targets;
}
