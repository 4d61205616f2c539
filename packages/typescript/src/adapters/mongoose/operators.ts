import {
  always,
  and,
  column,
  never,
  not,
  or,
  type Operator,
  type Predicate,
  type Span,
  type Value,
} from '@tenant-lint/model';
import { readList } from '../prisma/list.js';
import { describe, unknownCondition, type Rows } from '../prisma/lowering.js';
import { readObject, type ReadObject } from '../prisma/object.js';
import { settled } from '../prisma/shape.js';
import { shaped, type Mongo } from './shapes.js';

const sentAsNull = 'an undefined value is sent as null, which matches documents without the field';
const leftOut = 'the driver leaves out a key whose value is undefined (ignoreUndefined)';

const comparisons: Readonly<Record<string, Operator>> = { $gt: '>', $gte: '>=', $lt: '<', $lte: '<=' };

/** The condition that a filter puts on one path: a value, a list, or an object of operators. */
export function fieldCondition(rows: Rows, path: string, value: Value, l: Mongo, span?: Span): Predicate {
  const left = column(rows.ref, path);
  return shaped(value, l, {
    ...missingValue(left, l, span),
    leaf: (v) => {
      if (v.kind === 'object') {
        const object = readObject(v, l);
        if (object && isOperators(object)) return operatorsCondition(left, object, l, span);
      }
      // Mongoose takes a list for a field that is none as $in.
      if (v.kind === 'list' && l.odm && !rows.table?.columns.get(path)?.type.endsWith('[]'))
        return inCondition(left, v, l, span);
      return equality(left, v, span);
    },
  });
}

/** A comparison with something that is missing: with null, unless the driver leaves the key out. */
const missingValue = (
  left: Value,
  l: Mongo,
  span: Span | undefined,
): { absent: Predicate; isNull: () => Predicate; why: string; span: Span | undefined } => ({
  absent: l.ignoreUndefined ? always(leftOut) : { kind: 'null', of: left },
  isNull: () => ({ kind: 'null', of: left }),
  why: l.ignoreUndefined ? leftOut : sentAsNull,
  span,
});

const isPattern = (v: Value): boolean =>
  (v.kind === 'apply' && v.function === 'regexp') ||
  (v.kind === 'instance' && v.of.kind === 'global' && v.of.name === 'RegExp');

function equality(left: Value, right: Value, span?: Span): Predicate {
  return { kind: 'compare', left, operator: isPattern(right) ? '~' : '=', right, ...(span ? { span } : {}) };
}

const isOperators = (object: ReadObject): boolean =>
  object.properties.size > 0 && [...object.properties.keys()].every((key) => key.startsWith('$'));

function operatorsCondition(left: Value, object: ReadObject, l: Mongo, span?: Span): Predicate {
  const conditions: Predicate[] = object.unseen.map((reason) => unknownCondition(reason, span));
  for (const { name, value, replaced } of object.properties.values()) {
    if (replaced) conditions.push(unknownCondition(`${name} may be replaced: ${replaced}`, span));
    else conditions.push(operatorCondition(left, name, value, l, span));
  }
  return and(...conditions);
}

function operatorCondition(left: Value, name: string, value: Value, l: Mongo, span?: Span): Predicate {
  const at = span ? { span } : {};
  const isNull: Predicate = { kind: 'null', of: left };
  const compare = (operator: Operator, v: Value): Predicate => ({ kind: 'compare', left, operator, right: v, ...at });
  const by = (leaf: (v: Value) => Predicate, missing: Partial<ReturnType<typeof missingValue>> = {}): Predicate =>
    shaped(value, l, { ...missingValue(left, l, span), ...missing, leaf });
  const ordering = comparisons[name];
  if (ordering) return by((v) => compare(ordering, v));
  switch (name) {
    case '$eq':
      return by((v) => equality(left, v, span));
    case '$ne':
      return by((v) => compare('is distinct from', v), { absent: not(isNull), isNull: () => not(isNull) });
    case '$in':
      return by((v) => inCondition(left, v, l, span), { absent: never, isNull: () => never });
    case '$nin':
      return by(
        (v) => {
          const inner = inCondition(left, v, l, span);
          return inner.kind === 'never'
            ? always('$nin of an empty list holds for every document')
            : or(not(inner), isNull);
        },
        { absent: never, isNull: () => never },
      );
    case '$exists': {
      const v = settled(value, l);
      if (v.kind !== 'constant') return unknownCondition('whether the field must exist is not known', span);
      return v.value ? not(isNull) : isNull;
    }
    case '$not': {
      const v = settled(value, l);
      const object = v.kind === 'object' ? readObject(v, l) : undefined;
      const inner = object ? operatorsCondition(left, object, l, span) : compare('~', v);
      return or(not(inner), isNull);
    }
    case '$regex':
      return compare('~', value);
    case '$options':
      return always('no condition');
    // $all, $elemMatch, $size, $type, $mod and what is about places: fewer documents, and nothing about equality.
    default:
      return compare(name, value);
  }
}

/** `$in`: one of the items of a list. */
export function inCondition(left: Value, value: Value, l: Mongo, span?: Span): Predicate {
  const at = span ? { span } : {};
  const list = readList(value, l);
  if (!list) return { kind: 'in', left, right: [{ kind: 'element', of: value, path: ['*'] }], open: true, ...at };
  if (list.length === 0) return never;
  const open = list.some((i) => i.spread || i.each);
  const right = list.map((i): Value => (i.spread ? { kind: 'element', of: i.value, path: ['*'] } : i.value));
  return { kind: 'in', left, right, ...(open ? { open: true } : {}), ...at };
}

export const notAFilter = (value: Value, span?: Span): Predicate =>
  unknownCondition(`the filter is ${describe(value)}`, span);
