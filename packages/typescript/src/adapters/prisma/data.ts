import {
  and,
  always,
  column,
  undefinedValue,
  unknownValue,
  type Operation,
  type Predicate,
  type Span,
  type Target,
  type Value,
  type Writes,
} from '@tenant-lint/model';
import { columnNamed, describe, knownColumn, spanOf, type Lowering, type Rows } from './lowering.js';
import { joinOf, linkNamed, type Link } from './relation.js';
import { readList } from './list.js';
import { readObject, type ReadObject } from './object.js';
import { isFalse, isTrue, settled, whenPresent } from './shape.js';
import { queryOver, whereCondition } from './where.js';

/** What a write does: the values of columns, and the rows of other tables that it reaches. */
export interface Data {
  readonly writes: Writes;
  readonly nested: readonly Target[];
}

export const newRow: Predicate = always('a new row');

/** Lowers the `data` of a create or update of `rows`. Undefined sets nothing; what is not seen leaves the writes open. */
export function dataOf(value: Value | undefined, rows: Rows, l: Lowering): Data {
  return l.deeper<Data>(
    () => ({ writes: { set: {}, open: true }, nested: [] }),
    () => {
      const object = value && readObject(value, l);
      if (!object)
        return {
          writes: { set: {}, open: value !== undefined, ...(value ? { rest: { of: [value], except: [] } } : {}) },
          nested: [],
        };
      const set: Record<string, Value> = {};
      const nested: Target[] = [];
      let open = object.unseen.length > 0;
      for (const { name, value: given, replaced } of object.properties.values()) {
        const v = settled(given, l);
        if (v.kind === 'undefined') continue;
        const link = linkNamed(rows, name, l);
        if (link) {
          const inner = relationData(link, given, rows, l);
          Object.assign(set, inner.set);
          nested.push(...inner.nested);
          open ||= inner.open;
        } else {
          const here = scalarData(given, v, rows, name, l);
          set[columnNamed(rows, name)] = replaced ? { kind: 'choice', of: [here, unknownValue(replaced)] } : here;
        }
      }
      const settledNames = [...object.properties.values()].flatMap((p) =>
        p.replaced ? [] : (linkNamed(rows, p.name, l)?.pairs.map(([mine]) => mine) ?? [columnNamed(rows, p.name)]),
      );
      const rest = object.rest?.length ? { rest: { of: object.rest, except: settledNames } } : {};
      return { writes: { set, open, ...rest }, nested };
    },
  );
}

/** `{ set: x }` is x, `{ increment: n }` something computed; any other value is itself. */
function scalarData(given: Value, v: Value, rows: Rows, name: string, l: Lowering): Value {
  if (v.kind !== 'object') return given;
  const type = rows.table?.columns.get(knownColumn(rows, name) ?? '')?.type ?? '';
  if (/^jsonb?$/.test(type)) return given;
  const object = readObject(v, l);
  const [only] = object ? [...object.properties.values()] : [];
  if (!only || object!.properties.size !== 1) return given;
  if (only.name === 'set') return only.value;
  const operators: Readonly<Record<string, string>> = {
    increment: '+',
    decrement: '-',
    multiply: '*',
    divide: '/',
    push: '||',
  };
  const operator = operators[only.name];
  return operator
    ? { kind: 'apply', function: operator, to: [column(rows.ref, columnNamed(rows, name)), only.value] }
    : given;
}

interface RelationData {
  readonly set: Record<string, Value>;
  readonly nested: Target[];
  open: boolean;
}

/** `customer: { connect: ... }`: rows of the other model that are reached, and the columns of this one that tie them. */
function relationData(link: Link, value: Value, rows: Rows, l: Lowering): RelationData {
  const result: RelationData = { set: {}, nested: [], open: false };
  const object = readObject(value, l);
  if (!object || object.unseen.length > 0) {
    const reason = object ? object.unseen[0]! : describe(value);
    l.unchecked.push({
      reason: `what is written to '${link.name}' is not known: ${reason}`,
      span: spanOf(value, l.span),
    });
    result.open = true;
  }
  for (const operation of object?.properties.values() ?? []) {
    const { of, sure } = whenPresent(operation.value, l);
    const before = { ...result.set };
    for (const item of of.flatMap((one) => itemsOf(one, l))) nestedWrite(operation.name, link, item, rows, l, result);
    if (sure) continue;
    for (const [name, value] of Object.entries(result.set)) {
      if (before[name] !== value) result.set[name] = { kind: 'choice', of: [value, before[name] ?? undefinedValue] };
    }
  }
  return result;
}

/** The items of a list, or the one thing that is given in its place. */
function itemsOf(value: Value, l: Lowering): readonly Value[] {
  const list = readList(value, l);
  return list
    ? list.map((item) => (item.spread ? { kind: 'element', of: item.value, path: ['*'] } : item.value))
    : [value];
}

function nestedWrite(name: string, link: Link, item: Value, from: Rows, l: Lowering, result: RelationData): void {
  const rows: Rows = { ...link.to, ref: l.target() };
  const join = joinOf(link, from, rows);
  const args = readObject(item, l);
  const part = (key: string): Value | undefined => args?.properties.get(key)?.value;
  const where = (value: Value | undefined): Predicate => whereCondition(value, rows, l);
  const tied: Record<string, Value> = link.owned
    ? {}
    : Object.fromEntries(link.pairs.map(([mine, theirs]) => [theirs, column(from.ref, mine)]));
  const cut: Record<string, Value> = link.owned
    ? {}
    : Object.fromEntries(link.pairs.map(([, theirs]) => [theirs, { kind: 'constant', value: null }]));
  const add = (
    operation: Operation,
    predicate: Predicate,
    more: Partial<Pick<Target, 'writes' | 'updates' | 'conflict' | 'cardinality'>> = {},
    nested: readonly Target[] = [],
  ): void => {
    const target: Target = {
      ref: rows.ref,
      table: { known: true, value: rows.name },
      role: 'nested-write',
      operation,
      predicate,
      cardinality: 'one',
      ...more,
      span: spanOf(item, l.span),
    };
    result.nested.push(target, ...nested);
  };
  const writing = (
    value: Value | undefined,
    extra: Record<string, Value> = {},
  ): { writes: Writes; nested: readonly Target[] } => {
    const data = dataOf(value, rows, l);
    return { writes: { set: { ...data.writes.set, ...extra }, open: data.writes.open }, nested: data.nested };
  };
  const keep = (value: (reference: string) => Value): void => {
    if (link.owned) for (const [mine, theirs] of link.pairs) result.set[mine] = value(theirs);
  };
  /** To-one relations take `true` or a condition, to-many ones the condition of a row. */
  const here = (): Predicate =>
    isTrue(settled(item, l)) ? join : and(join, where(part('where') && !link.many ? part('where') : item));

  switch (name) {
    case 'create': {
      const data = writing(item, tied);
      add('create', newRow, { writes: data.writes }, data.nested);
      return keep((reference) => data.writes.set[reference] ?? column(rows.ref, reference));
    }
    case 'createMany':
      for (const row of itemsOf(part('data') ?? item, l)) nestedWrite('create', link, row, from, l, result);
      return;
    case 'connect':
    case 'set': {
      const predicate = where(item);
      add('update', predicate, Object.keys(tied).length > 0 ? { writes: { set: tied, open: false } } : {});
      return keep((reference) => connected(reference, item, args, rows, predicate, l));
    }
    case 'connectOrCreate': {
      const predicate = where(part('where'));
      const data = writing(part('create'), tied);
      const conflict = equated(predicate, rows);
      add('upsert', predicate, { writes: data.writes, updates: { set: tied, open: false }, conflict }, data.nested);
      return keep((reference) => connected(reference, part('where'), undefined, rows, predicate, l));
    }
    case 'update': {
      const data = writing(part('data') ?? item);
      const condition = part('where') ? where(part('where')) : always('the related row');
      return add('update', and(join, condition), { writes: data.writes }, data.nested);
    }
    case 'updateMany': {
      const data = writing(part('data'));
      return add('update', and(join, where(part('where'))), { writes: data.writes, cardinality: 'many' }, data.nested);
    }
    case 'upsert': {
      const condition = part('where') ? where(part('where')) : always('the related row');
      const created = writing(part('create'), tied);
      const updated = writing(part('update'));
      const conflict = equated(condition, rows);
      add('upsert', and(join, condition), { writes: created.writes, updates: updated.writes, conflict }, [
        ...created.nested,
        ...updated.nested,
      ]);
      return keep((reference) => created.writes.set[reference] ?? column(rows.ref, reference));
    }
    case 'delete':
    case 'deleteMany':
      if (isFalse(settled(item, l))) return;
      return add('delete', name === 'delete' ? here() : and(join, where(item)), {
        cardinality: name === 'delete' ? 'one' : 'many',
      });
    case 'disconnect':
      if (isFalse(settled(item, l))) return;
      if (link.owned) return keep(() => ({ kind: 'constant', value: null }));
      return add('update', here(), { writes: { set: cut, open: false } });
    default:
      l.unchecked.push({ reason: `'${name}' is no nested write`, span: spanOf(item, l.span) });
      result.open = true;
  }
}

/** The value that `reference` of the connected row has: given where the row is chosen by it, else looked up. */
function connected(
  reference: string,
  item: Value | undefined,
  args: ReadObject | undefined,
  rows: Rows,
  predicate: Predicate,
  l: Lowering,
): Value {
  for (const p of args?.properties.values() ?? []) {
    if (columnNamed(rows, p.name) === reference) return p.value;
    const inner = settled(p.value, l).kind === 'object' ? readObject(p.value, l) : undefined;
    for (const part of inner?.properties.values() ?? [])
      if (columnNamed(rows, part.name) === reference) return part.value;
  }
  const span: Span = item ? spanOf(item, l.span) : l.span;
  return { kind: 'query', query: { ...queryOver(rows, predicate, span), output: [column(rows.ref, reference)] } };
}

/** The columns of `rows` that a condition binds to a value. */
export function equated(predicate: Predicate, rows: Rows): readonly string[] {
  if (predicate.kind === 'and') return predicate.of.flatMap((p) => equated(p, rows));
  if (predicate.kind === 'optional') return equated(predicate.of, rows);
  if (predicate.kind !== 'compare' || predicate.operator !== '=') return [];
  const { left } = predicate;
  return left.kind === 'column' && left.target === rows.ref ? [left.column] : [];
}
