import {
  always,
  and,
  column,
  equal,
  not,
  or,
  propertyOf,
  type Operator,
  type Predicate,
  type Span,
  type Value,
} from '@tenant-lint/model';
import { settledOrLost } from '../overridden.js';
import { noCondition } from '../prisma/drops.js';
import { describe, knownColumn, spanOf, unknownCondition, type Lowering, type Rows } from '../prisma/lowering.js';
import { readList } from '../prisma/list.js';
import { readObject, unseenConditions, type Property, type ReadObject } from '../prisma/object.js';
import { joinOf, linkNamed, type Link } from '../prisma/relation.js';
import { byShape } from '../prisma/shape.js';
import { queryOver } from '../prisma/where.js';

/** What MikroORM does with a missing value: it is compared with IS NULL, so that nothing is opened. */
export const comparedWithNull = 'MikroORM compares a missing value with IS NULL';

/** The column that identifies the rows. */
export const keyColumn = (rows: Rows): string =>
  rows.table?.constraints.find((c) => c.kind === 'primary key')?.columns[0] ?? 'id';

/** Lowers a FilterQuery: an object, or the key of a row, or keys. */
export function whereCondition(value: Value | undefined, rows: Rows, l: Lowering): Predicate {
  if (value === undefined) return always(noCondition);
  return byShape(value, l, {
    absent: always(noCondition),
    isNull: () => always(noCondition),
    leaf: (v) => {
      const list = readList(v, l);
      if (list) return inCondition(column(rows.ref, keyColumn(rows)), v, l);
      const object = v.kind === 'object' ? readObject(v, l) : undefined;
      if (object) return and(...conjuncts(object, [], rows, l));
      return isKey(v, l)
        ? equal(column(rows.ref, keyColumn(rows)), v)
        : unknownCondition(`the condition is ${describe(v)}`, spanOf(v, l.span), v);
    },
  });
}

/** Whether a value is one key rather than a condition: its type, or its name, says so. */
function isKey(value: Value, l: Lowering): boolean {
  if (value.kind === 'constant' || value.kind === 'text') return true;
  const type = l.context.typeOf(value);
  if (type) return /^(?:string|number|bigint|\w*(?:Id|ID|UUID|Uuid))\b/.test(type.text);
  if (value.kind === 'row' || value.kind === 'input') return value.path.length > 0;
  const last = 'path' in value ? value.path.at(-1) : undefined;
  if (last !== undefined) return /id$/i.test(last);
  if (value.kind !== 'parameter') return false;
  return /id$/i.test(l.context.function(value.function)?.parameters[value.index]?.name ?? '');
}

function conjuncts(object: ReadObject, path: readonly string[], rows: Rows, l: Lowering): Predicate[] {
  const conditions = [...object.properties.values()].map((p): Predicate => {
    const condition = propertyCondition(p, path, rows, l);
    return settledOrLost(p, condition, l);
  });
  return [...conditions, ...unseenConditions(object, l.span)];
}

function propertyCondition(property: Property, path: readonly string[], rows: Rows, l: Lowering): Predicate {
  const { name, value, span } = property;
  if (name === '$and' || name === '$or') return junction(name, value, rows, l);
  if (name === '$not') return not(whereCondition(value, rows, l));
  const full = [...path, name].join('.');
  const link = linkNamed(rows, full, l);
  if (link) return relationCondition(link, rows, value, l, span);
  const known = knownColumn(rows, full);
  if (known !== undefined || !rows.table) return scalarCondition(column(rows.ref, known ?? name), value, l, span);
  const embedded = [...rows.table.columns.values()].some((c) => c.property?.startsWith(`${full}.`));
  const object = embedded ? readObject(value, l) : undefined;
  return object
    ? and(...conjuncts(object, [...path, name], rows, l))
    : unknownCondition(`'${full}' is no property of the entity that was found`, span);
}

/** `$and: [...]`, `$or: [...]`. */
function junction(name: '$and' | '$or', value: Value, rows: Rows, l: Lowering): Predicate {
  const list = readList(value, l);
  if (!list) return unknownCondition(`the conditions are ${describe(value)}`, spanOf(value, l.span));
  if (list.length === 0) return always('an empty list of conditions');
  const parts = list.map((item): Predicate => {
    if (item.spread) return unknownCondition(`some conditions are ${describe(item.value)}`, spanOf(item.value, l.span));
    const condition = whereCondition(item.value, rows, l);
    return item.maybe && name === '$and' ? { kind: 'either', of: [condition, always(noCondition)] } : condition;
  });
  return name === '$and' ? and(...parts) : or(...parts);
}

const comparisons: Readonly<Record<string, Operator>> = {
  $eq: '=',
  $ne: '<>',
  $gt: '>',
  $gte: '>=',
  $lt: '<',
  $lte: '<=',
  $like: 'like',
  $ilike: 'ilike',
  $re: '~',
  $fulltext: '@@',
  $overlap: '&&',
  $contains: '@>',
  $contained: '<@',
};

/** A value, a list of values, or an object of operators. */
export function scalarCondition(left: Value, value: Value, l: Lowering, span?: Span): Predicate {
  const at = span ? { span } : {};
  const isNull: Predicate = { kind: 'null', of: left, ...at };
  return byShape(value, l, {
    absent: isNull,
    isNull: () => isNull,
    ...at,
    leaf: (v) => {
      if (readList(v, l)) return inCondition(left, v, l, span);
      const object = v.kind === 'object' ? readObject(v, l) : undefined;
      if (!object) return equal(left, v, span);
      const conditions = [...object.properties.values()].map((p) => operatorCondition(left, p, l, span));
      return and(...conditions, ...unseenConditions(object, span));
    },
  });
}

function operatorCondition(left: Value, { name, value }: Property, l: Lowering, span?: Span): Predicate {
  const at = span ? { span } : {};
  if (name === '$in') return inCondition(left, value, l, span);
  if (name === '$nin') return not(inCondition(left, value, l, span));
  if (name === '$not') return not(scalarCondition(left, value, l, span));
  if (name === '$eq') return scalarCondition(left, value, l, span);
  if (name === '$exists') return unknownCondition('$exists', span);
  const operator = comparisons[name];
  if (!operator) return unknownCondition(`the operator ${name} is not known`, span);
  if (name === '$ne') return not(scalarCondition(left, value, l, span));
  return { kind: 'compare', left, operator, right: value, ...at };
}

function inCondition(left: Value, value: Value, l: Lowering, span?: Span): Predicate {
  const at = span ? { span } : {};
  const list = readList(value, l);
  if (!list) return { kind: 'in', left, right: [{ kind: 'element', of: value, path: ['*'] }], open: true, ...at };
  if (list.length === 0) return { kind: 'never' };
  const open = list.some((i) => i.spread || i.each);
  const right = list.map((i): Value => (i.spread ? { kind: 'element', of: i.value, path: ['*'] } : i.value));
  return { kind: 'in', left, right, ...(open ? { open: true } : {}), ...at };
}

/** A key, a loaded entity, or a condition on the rows that the relation leads to. */
function relationCondition(link: Link, rows: Rows, value: Value, l: Lowering, span?: Span): Predicate {
  const [pair] = link.pairs;
  const own = link.owned && link.pairs.length === 1 && pair ? pair : undefined;
  const left = own && column(rows.ref, own[0]);
  const missing: Predicate = left
    ? { kind: 'null', of: left }
    : unknownCondition('a relation compared with null', span);
  return byShape(value, l, {
    absent: missing,
    isNull: () => missing,
    ...(span ? { span } : {}),
    leaf: (v) => {
      const list = readList(v, l);
      const object = list ? undefined : v.kind === 'object' ? readObject(v, l) : undefined;
      if (!object) {
        if (left && list) return inCondition(left, v, l, span);
        if (left) return equal(left, isEntity(v) ? propertyOf(v, propertyFor(link, own[1])) : v, span);
        return exists(link, rows, v, l, span);
      }
      const names = [...object.properties.keys()];
      const first = names[0] ?? '';
      if (left && names.length > 0 && names.every((n) => n.startsWith('$') && n !== '$or' && n !== '$and'))
        return scalarCondition(left, v, l, span);
      if (left && names.length === 1 && object.unseen.length === 0 && knownColumn(link.to, first) === own[1])
        return scalarCondition(left, object.properties.get(first)!.value, l, span);
      const inner =
        object.properties.get('$some')?.value ?? (names.some((n) => /^\$(?:none|every)$/.test(n)) ? undefined : v);
      if (inner) return exists(link, rows, inner, l, span);
      const none = object.properties.get('$none')?.value;
      return none ? not(exists(link, rows, none, l, span)) : unknownCondition('a condition on all related rows', span);
    },
  });
}

const isEntity = (value: Value): boolean => value.kind === 'result' && value.path.length === 0;
const propertyFor = (link: Link, name: string): string => link.to.table?.columns.get(name)?.property ?? name;

function exists(link: Link, rows: Rows, value: Value, l: Lowering, span?: Span): Predicate {
  const to: Rows = { ...link.to, ref: l.target() };
  const condition = and(joinOf(link, rows, to), whereCondition(value, to, l));
  return { kind: 'exists', query: queryOver(to, condition, spanOf(value, span ?? l.span)), ...(span ? { span } : {}) };
}
