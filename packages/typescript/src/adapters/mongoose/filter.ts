import {
  always,
  and,
  column,
  never,
  not,
  or,
  undefinedValue,
  type Predicate,
  type Span,
  type Value,
} from '@tenant-lint/model';
import { settledOrLost } from '../overridden.js';
import { chosen } from '../prisma/drops.js';
import { readList } from '../prisma/list.js';
import { describe, spanOf, unknownCondition, type Rows } from '../prisma/lowering.js';
import { readObject, unseenConditions, type Group, type Property, type ReadObject } from '../prisma/object.js';
import { settled } from '../prisma/shape.js';
import { expressionCondition } from './expression.js';
import { fieldCondition } from './operators.js';
import { noFilter, shaped, type Mongo } from './shapes.js';

const emptyList = 'Mongoose drops an empty list of conditions';

/** Lowers a filter: the condition on documents of one collection. An absent one is no condition. */
export function filterCondition(value: Value | undefined, rows: Rows, l: Mongo): Predicate {
  if (value === undefined) return noFilter;
  return shaped(value, l, {
    absent: always('a filter that is undefined holds for every document'),
    isNull: () => noFilter,
    why: 'a filter that is undefined holds for every document',
    leaf: (v) => {
      const object = v.kind === 'object' ? readObject(v, l) : undefined;
      return object
        ? objectCondition(object, rows, l)
        : unknownCondition(`the filter is ${describe(v)}`, spanOf(v, l.span), v);
    },
  });
}

/** The conjunction of a filter's keys. */
export function objectCondition(object: ReadObject, rows: Rows, l: Mongo): Predicate {
  return and(...conjuncts(object, rows, l));
}

function conjuncts(object: ReadObject, rows: Rows, l: Mongo): Predicate[] {
  const groups = new Set<Group>();
  const conditions = [...object.properties.values()].flatMap((property): Predicate[] => {
    const { group } = property;
    if (group) {
      if (groups.has(group)) return [];
      groups.add(group);
      return [
        chosen(
          group.of.map((o) => objectCondition(o, rows, l)),
          group.test,
        ),
      ];
    }
    const condition = keyCondition(property, rows, l);
    return [settledOrLost(property, condition, l)];
  });
  conditions.push(...unseenConditions(object, l.span));
  return conditions;
}

function keyCondition({ name, value, span }: Property, rows: Rows, l: Mongo): Predicate {
  switch (name) {
    case '$and':
      return listCondition(value, rows, l, 'and', span);
    case '$or':
      return listCondition(value, rows, l, 'or', span);
    case '$nor':
      return notTrue(listCondition(value, rows, l, 'or', span));
    case '$expr':
      return expressionCondition(value, rows, l);
    case '$comment':
      return noFilter;
  }
  // $text, $where, $jsonSchema and their like let fewer documents through; which ones is not known.
  if (name.startsWith('$'))
    return { kind: 'compare', left: column(rows.ref, '_id'), operator: name, right: value, ...(span ? { span } : {}) };
  if (!l.strips(rows) || isKnownPath(rows, name)) return fieldCondition(rows, name, value, l, span);
  // What was meant: the path that is only written otherwise, or nothing that a document has.
  const meant = [...(rows.table?.columns.keys() ?? [])].find((c) => plainName(c) === plainName(name));
  const condition = meant === undefined ? never : fieldCondition(rows, meant, value, l, span);
  const why = `Mongoose takes '${name}', which its schema does not know, out of the filter`;
  return {
    kind: 'optional',
    of: condition,
    on: undefinedValue,
    otherwise: always(why),
    why,
    ...(span ? { span } : {}),
  };
}

/** MongoDB knows two truth values: where a field is missing, a comparison is false and its negation true. */
export const notTrue = (of: Predicate): Predicate =>
  of.kind === 'always' ? never : of.kind === 'never' ? noFilter : not({ kind: 'is', of, test: true });

const plainName = (path: string): string => path.replace(/_/g, '').toLowerCase();

/** Whether the schema has the path, or something that it is a part of. */
function isKnownPath(rows: Rows, path: string): boolean {
  const columns = rows.table?.columns;
  if (!columns) return true;
  const parts = path.split('.');
  return parts.some((_, i) => columns.has(parts.slice(0, i + 1).join('.')));
}

/** `$and`, `$or` and `$nor`: lists of filters. */
export function listCondition(value: Value, rows: Rows, l: Mongo, kind: 'and' | 'or', span?: Span): Predicate {
  const dropped = l.odm ? always(emptyList) : never;
  return shaped(value, l, {
    absent: l.odm ? never : noFilter,
    isNull: () => never,
    why: 'there is no list of conditions',
    span,
    leaf: (v) => {
      const list = readList(v, l);
      if (!list) return unknownCondition(`the conditions are ${describe(settled(v, l))}`, spanOf(v, l.span));
      if (list.length === 0) return dropped;
      const parts = list.map((item): Predicate => {
        if (item.spread)
          return unknownCondition(`some conditions are ${describe(item.value)}`, spanOf(item.value, l.span));
        const inner = filterCondition(item.value, rows, l);
        if (!item.maybe || kind === 'or') return inner;
        return chosen([inner, noFilter], item.test);
      });
      if (kind === 'and') return and(...parts);
      const whole = or(...parts);
      const first = list[0];
      if (!first || !list.every((i) => i.maybe) || !l.odm || whole.kind === 'always') return whole;
      // Where no item is there, no condition is left.
      const on: Value = { kind: 'missing-able', of: value, how: 'empty', certain: false };
      return { kind: 'optional', of: whole, on, otherwise: dropped, why: emptyList, ...(span ? { span } : {}) };
    },
  });
}
