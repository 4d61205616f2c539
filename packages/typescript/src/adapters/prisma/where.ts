import { always, and, never, not, or, type Predicate, type Query, type Span, type Value } from '@tenant-lint/model';
import { chosen, combined, isDropped, negated, noCondition } from './drops.js';
import { settledOrLost } from '../overridden.js';
import { columnNamed, describe, knownColumn, spanOf, unknownCondition, type Lowering, type Rows } from './lowering.js';
import { joinOf, linkNamed, type Link } from './relation.js';
import { isScalarFilter, scalarCondition } from './scalar.js';
import { readList } from './list.js';
import { readObject, unseenConditions, type Group, type Property, type ReadObject } from './object.js';
import { byShape, droppedFilter } from './shape.js';

/** Lowers a `where`: the condition on rows of one model. An absent one is no condition. */
export function whereCondition(value: Value | undefined, rows: Rows, l: Lowering): Predicate {
  if (value === undefined) return always(noCondition);
  return byShape(value, l, {
    absent: always(noCondition),
    isNull: () => always(noCondition),
    leaf: (v) => {
      const object = v.kind === 'object' ? readObject(v, l) : undefined;
      if (!object) return unknownCondition(`the condition is ${describe(v)}`, spanOf(v, l.span), v);
      return and(...conjuncts(object, rows, l));
    },
  });
}

/** The conditions of a filter object, one for every key or group of keys; those that are dropped are `always`. */
function conjuncts(object: ReadObject, rows: Rows, l: Lowering): Predicate[] {
  const groups = new Set<Group>();
  const conditions = [...object.properties.values()].flatMap((property): Predicate[] => {
    const { group } = property;
    if (group && groups.has(group)) return [];
    if (group) groups.add(group);
    const condition = group ? groupCondition(group, rows, l) : propertyCondition(property, rows, l);
    return [settledOrLost(property, condition, l)];
  });
  return [...conditions, ...unseenConditions(object, l.span)];
}

const groupCondition = (group: Group, rows: Rows, l: Lowering): Predicate =>
  chosen(
    group.of.map((object) => combined(conjuncts(object, rows, l), same, always(noCondition))),
    group.test,
  );

function propertyCondition(property: Property, rows: Rows, l: Lowering): Predicate {
  const { name, value, span } = property;
  switch (name) {
    case 'AND':
      return junction(
        value,
        rows,
        l,
        (parts) => and(...parts.map((p) => combined(p, same, always(noCondition)))),
        'all',
      );
    case 'OR':
      return junction(value, rows, l, (parts) => or(...parts.map((p) => combined(p, same, never))), 'any');
    case 'NOT':
      return junction(value, rows, l, (parts) => and(...parts.map(negated)), 'all');
  }
  const link = linkNamed(rows, name, l);
  if (link) return relationCondition(link, rows, value, l, span);
  const column = knownColumn(rows, name);
  if (column !== undefined) return scalarCondition(rows, column, value, l, span);
  return byShape(value, l, {
    absent: droppedFilter,
    isNull: () => scalarCondition(rows, name, { kind: 'constant', value: null }, l, span),
    ...(span ? { span } : {}),
    leaf: (v) => {
      const object = v.kind === 'object' ? readObject(v, l) : undefined;
      if (!object || isScalarFilter(object)) return scalarCondition(rows, columnNamed(rows, name), v, l, span);
      const fields = compoundKey(rows, name, object);
      if (!fields) return unknownCondition(`'${name}' is no field of the schema that was found`, span);
      return and(
        ...fields.map((field) => {
          const part = object.properties.get(field);
          return part
            ? scalarCondition(rows, columnNamed(rows, field), part.value, l, part.span ?? span)
            : unknownCondition(`${field} was not found`, span);
        }),
      );
    },
  });
}

const same = (p: Predicate): Predicate => p;

/** AND, OR and NOT take an object or a list of objects. `parts` are the conditions of each object. */
function junction(
  value: Value,
  rows: Rows,
  l: Lowering,
  join: (parts: readonly (readonly Predicate[])[]) => Predicate,
  empty: 'all' | 'any',
): Predicate {
  const partsOf = (v: Value): readonly Predicate[] => {
    const condition = whereParts(v, rows, l);
    return Array.isArray(condition) ? condition : [condition as Predicate];
  };
  return byShape(value, l, {
    absent: droppedFilter,
    isNull: () => droppedFilter,
    leaf: (v) => {
      const list = readList(v, l);
      if (!list)
        return v.kind === 'object'
          ? join([partsOf(v)])
          : unknownCondition(`the conditions are ${describe(v)}`, spanOf(v, l.span));
      if (list.length === 0)
        return empty === 'any' ? never : always('Prisma takes an empty list of conditions as true');
      const parts = list.map((item): readonly Predicate[] => {
        if (item.spread)
          return [unknownCondition(`some conditions are ${describe(item.value)}`, spanOf(item.value, l.span))];
        const inner = partsOf(item.value);
        // One more alternative never makes OR narrower, so only AND and NOT lose by its absence.
        if (!item.maybe || empty === 'any') return inner;
        return [chosen([combined(inner, same, always(noCondition)), always(noCondition)], item.test)];
      });
      return join(parts);
    },
  });
}

/** The conditions of a filter object one by one, where the value is one; else the whole condition. */
function whereParts(value: Value, rows: Rows, l: Lowering): readonly Predicate[] | Predicate {
  if (value.kind !== 'object') return whereCondition(value, rows, l);
  const object = readObject(value, l);
  return object ? conjuncts(object, rows, l) : whereCondition(value, rows, l);
}

/** The fields of a compound key, in the order of the key, if `name` is the name of one. */
export function compoundKey(rows: Rows, name: string, object: ReadObject): readonly string[] | undefined {
  const keys = [...object.properties.keys()];
  const given = rows.table?.constraints.find(
    (c) => (c.kind === 'unique' || c.kind === 'primary key') && c.property === name,
  );
  if (given || keys.join('_') === name) return keys;
  if (!rows.table) return undefined;
  return keys.length > 0 && keys.every((key) => knownColumn(rows, key) !== undefined) ? keys : undefined;
}

const quantifiers = new Set(['some', 'every', 'none', 'is', 'isNot']);

function relationCondition(link: Link, rows: Rows, value: Value, l: Lowering, span?: Span): Predicate {
  const missing = (): Predicate => noRelatedRow(link, rows, l, span);
  return byShape(value, l, {
    absent: droppedFilter,
    isNull: missing,
    ...(span ? { span } : {}),
    leaf: (v) => {
      const object = readObject(v, l);
      if (!object) return exists(link, rows, v, l, span);
      const keys = [...object.properties.keys()];
      if (!keys.some((key) => quantifiers.has(key))) return exists(link, rows, v, l, span);
      const conditions = [...object.properties.values()].map((p) => quantified(link, rows, p, l));
      return and(...conditions, ...unseenConditions(object, span));
    },
  });
}

function quantified(link: Link, rows: Rows, { name, value, span }: Property, l: Lowering): Predicate {
  const missing = (): Predicate => noRelatedRow(link, rows, l, span);
  const by = (isNull: () => Predicate, leaf: (v: Value) => Predicate): Predicate =>
    byShape(value, l, { absent: droppedFilter, isNull, leaf, ...(span ? { span } : {}) });
  switch (name) {
    case 'some':
    case 'is':
      return by(missing, (v) => exists(link, rows, v, l, span));
    case 'none':
    case 'isNot':
      return by(
        () => not(missing()),
        (v) => not(exists(link, rows, v, l, span)),
      );
    case 'every':
      return by(missing, (v) => not(exists(link, rows, v, l, span, not)));
    default:
      return unknownCondition(`'${name}' is no filter on a relation`, span);
  }
}

/** A related row that fulfils the condition exists. */
function exists(
  link: Link,
  rows: Rows,
  value: Value,
  l: Lowering,
  span?: Span,
  inner: (p: Predicate) => Predicate = same,
): Predicate {
  const to: Rows = { ...link.to, ref: l.target() };
  const where = whereCondition(value, to, l);
  // `every: {}` asks nothing of the related rows: none fails.
  const condition = and(joinOf(link, rows, to), inner(isDropped(where) ? always(noCondition) : where));
  return { kind: 'exists', query: queryOver(to, condition, spanOf(value, span ?? l.span)), ...(span ? { span } : {}) };
}

export function queryOver(rows: Rows, condition: Predicate, span: Span): Query {
  return {
    targets: [
      {
        ref: rows.ref,
        table: { known: true, value: rows.name },
        role: 'subquery',
        operation: 'read',
        predicate: condition,
        cardinality: 'many',
        span,
      },
    ],
    condition,
    output: [],
    span,
  };
}

/** `relation: null`. */
function noRelatedRow(link: Link, rows: Rows, l: Lowering, span?: Span): Predicate {
  const [first] = link.pairs;
  if (link.owned && first)
    return { kind: 'null', of: { kind: 'column', target: rows.ref, column: first[0] }, ...(span ? { span } : {}) };
  const to: Rows = { ...link.to, ref: l.target() };
  return not({ kind: 'exists', query: queryOver(to, joinOf(link, rows, to), span ?? l.span) });
}
