import {
  always,
  and,
  column,
  equal,
  never,
  not,
  or,
  propertyOf,
  type Operator,
  type Predicate,
  type Span,
  type Value,
} from '@tenant-lint/model';
import { settledOrLost } from '../overridden.js';
import { combined, noCondition } from '../prisma/drops.js';
import { describe, knownColumn, spanOf, unknownCondition, type Lowering, type Rows } from '../prisma/lowering.js';
import { readList } from '../prisma/list.js';
import { readObject, unseenConditions, type Property, type ReadObject } from '../prisma/object.js';
import { joinOf, linkNamed, type Link } from '../prisma/relation.js';
import { byShape } from '../prisma/shape.js';
import { queryOver } from '../prisma/where.js';
import { importedAs } from '../entities/classes.js';
import { isTypeorm } from './names.js';

export const droppedByTypeorm = 'TypeORM drops a filter whose value is undefined';
const dropped: Predicate = always(droppedByTypeorm);
const same = (p: Predicate): Predicate => p;

/** Whether null is left out of a condition like undefined (before 1.0), or throws. */
const onNull = (l: Lowering): Predicate => (l.strict ? never : dropped);

/** Lowers FindOptionsWhere, an object or a list of alternatives, to the condition on rows of one entity. */
export function whereCondition(value: Value | undefined, rows: Rows, l: Lowering): Predicate {
  if (value === undefined) return always(noCondition);
  return byShape(
    value,
    { ...l, strict: false },
    {
      absent: always(noCondition),
      isNull: () => always(noCondition),
      leaf: (v) => {
        const list = readList(v, l);
        if (list) return alternatives(list, rows, l, v);
        const object = v.kind === 'object' ? readObject(v, l) : undefined;
        if (!object) return unknownCondition(`the condition is ${describe(v)}`, spanOf(v, l.span), v);
        return and(...conjuncts(object, [], rows, l));
      },
    },
  );
}

/** An array of conditions: any of them suffices, and one that asks nothing is left out. */
function alternatives(list: NonNullable<ReturnType<typeof readList>>, rows: Rows, l: Lowering, at: Value): Predicate {
  if (list.length === 0) return always('TypeORM takes an empty list of conditions as none');
  const parts = list.map((item): Predicate => {
    if (item.spread || item.each)
      return item.spread
        ? unknownCondition(`some conditions are ${describe(item.value)}`, spanOf(item.value, l.span))
        : whereCondition(item.value, rows, l);
    const object = readObject(item.value, l);
    if (!object) return unknownCondition(`a condition is ${describe(item.value)}`, spanOf(at, l.span));
    const inner = conjuncts(object, [], rows, l);
    return list.length === 1 ? and(...inner) : combined(inner, same, never);
  });
  return parts.every((p) => p.kind === 'never') ? always(noCondition) : or(...parts);
}

/** One condition for every key; those that are dropped are `always`. `path`: the embedded property that holds the object. */
function conjuncts(object: ReadObject, path: readonly string[], rows: Rows, l: Lowering): Predicate[] {
  const conditions = [...object.properties.values()].map((property): Predicate => {
    const condition = propertyCondition(property, path, rows, l);
    return settledOrLost(property, condition, l);
  });
  return [...conditions, ...unseenConditions(object, l.span)];
}

function propertyCondition(property: Property, path: readonly string[], rows: Rows, l: Lowering): Predicate {
  const { name, value, span } = property;
  const full = [...path, name].join('.');
  const link = linkNamed(rows, full, l);
  if (link) return relationCondition(link, rows, value, l, span);
  const known = knownColumn(rows, full);
  if (known === undefined && isEmbedded(rows, full)) {
    return byShape(value, l, {
      absent: dropped,
      isNull: () => onNull(l),
      ...(span ? { span } : {}),
      leaf: (v) => {
        const object = readObject(v, l);
        return object
          ? and(...conjuncts(object, [...path, name], rows, l))
          : unknownCondition(`'${full}' is ${describe(v)}`, span);
      },
    });
  }
  if (known === undefined && rows.table?.complete)
    return unknownCondition(`'${full}' is no property of the entity that was found`, span);
  return scalarCondition(column(rows.ref, known ?? name), rows, value, l, span);
}

const isEmbedded = (rows: Rows, name: string): boolean =>
  [...(rows.table?.columns.values() ?? [])].some((c) => c.property?.startsWith(`${name}.`));

/** `property: value`, or an operator of the library around it. */
export function scalarCondition(left: Value, rows: Rows, value: Value, l: Lowering, span?: Span): Predicate {
  return byShape(value, l, {
    absent: dropped,
    isNull: () => onNull(l),
    ...(span ? { span } : {}),
    leaf: (v) => operatorCondition(left, v, l, span) ?? orNull(equal(left, v, span), v, l, span),
  });
}

/** A value whose type admits null, before 1.0: then the filter is left out. */
function orNull(of: Predicate, value: Value, l: Lowering, span?: Span): Predicate {
  if (l.strict || !l.context.typeOf(value)?.nullable) return of;
  const on: Value = { kind: 'missing-able', of: value, how: 'null', certain: true };
  return { kind: 'optional', of, on, otherwise: dropped, why: droppedByTypeorm, ...(span ? { span } : {}) };
}

const comparisons: Readonly<Record<string, Operator>> = {
  LessThan: '<',
  LessThanOrEqual: '<=',
  MoreThan: '>',
  MoreThanOrEqual: '>=',
  Like: 'like',
  ILike: 'ilike',
  ArrayContains: '@>',
  ArrayContainedBy: '<@',
  ArrayOverlap: '&&',
  JsonContains: '@>',
};

/** The call of an operator of the library that a value is. */
function operatorCall(value: Value, l: Lowering): { name: string; arguments: readonly Value[] } | undefined {
  if (value.kind !== 'result' || value.path.length > 0) return undefined;
  const chain = l.context.chain(value.chain);
  const from = chain && importedAs(chain.receiver, l.context);
  const call = chain?.steps.at(-1);
  if (!from || !isTypeorm(from.module) || !call?.arguments) return undefined;
  return { name: call.name === '' ? from.name : call.name, arguments: call.arguments };
}

/** What `In(...)`, `Not(...)`, `Raw(...)` ask of a column; undefined for a plain value. */
export function operatorCondition(left: Value, value: Value, l: Lowering, span?: Span): Predicate | undefined {
  const call = operatorCall(value, l);
  if (!call) return undefined;
  const at = span ? { span } : {};
  const [first, second] = call.arguments;
  const given = first ?? { kind: 'undefined' };
  const inner = (v: Value): Predicate => operatorCondition(left, v, l, span) ?? equal(left, v, span);
  const comparison = comparisons[call.name];
  if (comparison) return { kind: 'compare', left, operator: comparison, right: given, ...at };
  switch (call.name) {
    case 'Equal':
      return equal(left, given, span);
    case 'In':
    case 'Any': {
      const list = readList(given, l);
      if (!list) return { kind: 'in', left, right: [{ kind: 'element', of: given, path: ['*'] }], open: true, ...at };
      if (list.length === 0) return never;
      const open = list.some((i) => i.spread || i.each);
      const right = list.map((i): Value => (i.spread ? { kind: 'element', of: i.value, path: ['*'] } : i.value));
      return { kind: 'in', left, right, ...(open ? { open: true } : {}), ...at };
    }
    case 'IsNull':
      return { kind: 'null', of: left, ...at };
    case 'Not':
      return not(inner(given));
    case 'And':
      return and(...call.arguments.map(inner));
    case 'Or':
      return or(...call.arguments.map(inner));
    case 'Between':
      return and(
        { kind: 'compare', left, operator: '>=', right: given, ...at },
        { kind: 'compare', left, operator: '<=', right: second ?? { kind: 'undefined' }, ...at },
      );
    default:
      return unknownCondition(`the operator ${call.name} takes SQL text or is not known`, span);
  }
}

/** Whether a value is a loaded entity, of which the key is compared, rather than a key. */
const isEntity = (value: Value, l: Lowering): boolean =>
  value.kind === 'result' &&
  value.path.length === 0 &&
  !/^(?:string|number)$/.test(l.context.typeOf(value)?.text ?? '');

const propertyFor = (link: Link, name: string): string => link.to.table?.columns.get(name)?.property ?? name;

/** A nested object on a relation joins it; a bare value is compared with the column that holds the reference. */
function relationCondition(link: Link, rows: Rows, value: Value, l: Lowering, span?: Span): Predicate {
  const [pair] = link.pairs;
  const own = link.owned && link.pairs.length === 1 && pair ? pair : undefined;
  return byShape(value, l, {
    absent: dropped,
    isNull: () => onNull(l),
    ...(span ? { span } : {}),
    leaf: (v) => {
      const operator = own && operatorCondition(column(rows.ref, own[0]), v, l, span);
      if (operator) return operator;
      const object = v.kind === 'object' || v.kind === 'choice' ? readObject(v, l) : undefined;
      if (!object) {
        if (!own) return unknownCondition(`the condition on '${link.name}' is ${describe(v)}`, span);
        return equal(column(rows.ref, own[0]), isEntity(v, l) ? propertyOf(v, propertyFor(link, own[1])) : v, span);
      }
      const names = [...object.properties.keys()];
      const onKey =
        own && object.unseen.length === 0 && names.length === 1 && knownColumn(link.to, names[0]!) === own[1];
      if (onKey)
        return scalarCondition(column(rows.ref, own[0]), rows, object.properties.get(names[0]!)!.value, l, span);
      const to: Rows = { ...link.to, ref: l.target() };
      const wrap = (p: Predicate): Predicate => ({
        kind: 'exists',
        query: queryOver(to, and(joinOf(link, rows, to), p), spanOf(value, span ?? l.span)),
        ...(span ? { span } : {}),
      });
      return combined(conjuncts(object, [], to, l), wrap, dropped);
    },
  });
}
