import {
  always,
  and,
  column,
  never,
  not,
  or,
  type Entry,
  type Operator,
  type Predicate,
  type Span,
  type Value,
} from '@tenant-lint/model';
import { settledOrLost } from '../overridden.js';
import { chosen } from '../prisma/drops.js';
import { readList } from '../prisma/list.js';
import { columnNamed, describe, spanOf, unknownCondition, type Lowering, type Rows } from '../prisma/lowering.js';
import { readObject, unseenConditions, type Group, type Property, type ReadObject } from '../prisma/object.js';
import { asChoice, settled } from '../prisma/shape.js';
import { exportOf } from './models.js';

export const noCondition: Predicate = always('no condition');

/** The rows that `$name.column$` may speak of, by the name of their association. */
export type Joined = ReadonlyMap<string, Rows>;

/** Sequelize's operators are symbols: `[Op.or]` becomes a key of its own. */
export function withOperators(value: Value, l: Lowering): Value {
  return l.deeper<Value>(
    () => value,
    () => {
      const v = settled(value, l);
      if (v.kind === 'choice') return { ...v, of: v.of.map((o) => withOperators(o, l)) };
      if (v.kind === 'missing-able') return { ...v, of: withOperators(v.of, l) };
      if (v.kind !== 'object') return v;
      return {
        ...v,
        entries: v.entries.map((entry): Entry => {
          if ('spread' in entry) return { ...entry, spread: withOperators(entry.spread, l) };
          if (!('computed' in entry)) return entry;
          const name = operatorOf(entry.computed, l);
          if (name === undefined) return entry;
          const { computed: _, ...rest } = entry;
          return { ...rest, set: `@${name}` };
        }),
      };
    },
  );
}

/** `Op.or`, `Sequelize.Op.or`, through whatever names. */
function operatorOf(value: Value, l: Lowering): string | undefined {
  for (const v of [value, l.context.resolve(value)]) {
    const path = exportOf(v)?.split('.') ?? ('path' in v ? ['name' in v ? v.name : '', ...v.path] : []);
    if (path.at(-2) === 'Op') return path.at(-1);
  }
  return undefined;
}

export const readWhere = (value: Value, l: Lowering): ReadObject | undefined => readObject(withOperators(value, l), l);

/** What a value that is missing becomes: Sequelize throws for undefined, and asks IS NULL for null. */
function shaped(
  value: Value,
  l: Lowering,
  isNull: () => Predicate,
  leaf: (v: Value) => Predicate,
  span?: Span,
): Predicate {
  return l.deeper(
    () => unknownCondition('nested too deeply'),
    () => {
      const v = settled(value, l);
      if (v.kind === 'undefined') return never;
      if (v.kind === 'constant' && v.value === null) return isNull();
      if (v.kind === 'missing-able') {
        const of = shaped(v.of, l, isNull, leaf, span);
        return v.how === 'null'
          ? { kind: 'optional', of, on: v, otherwise: isNull(), why: 'null is compared with IS NULL' }
          : of;
      }
      const choice = asChoice(v);
      if (!choice) return leaf(v);
      return chosen(
        choice.of.map((one) => shaped(one, l, isNull, leaf, span)),
        choice.test,
        span,
      );
    },
  );
}

/** Lowers a `where`: an object, or a list whose conditions all hold. An absent one, null and `{}` are no condition. */
export function whereCondition(value: Value | undefined, rows: Rows, l: Lowering, joined?: Joined): Predicate {
  if (value === undefined) return noCondition;
  return l.deeper(
    () => unknownCondition('nested too deeply'),
    () => {
      const v = withOperators(value, l);
      if (v.kind === 'undefined' || (v.kind === 'constant' && v.value === null)) return noCondition;
      if (v.kind === 'missing-able') {
        const of = whereCondition(v.of, rows, l, joined);
        if (v.how === 'empty' || of.kind === 'always') return of;
        return { kind: 'optional', of, on: v, otherwise: noCondition, why: 'without a condition all rows are meant' };
      }
      if (v.kind === 'list') return groupCondition('and', v, rows, l, joined);
      const choice = asChoice(v);
      if (choice)
        return chosen(
          choice.of.map((one) => whereCondition(one, rows, l, joined)),
          choice.test,
        );
      const object = v.kind === 'object' ? readObject(v, l) : undefined;
      if (object) return and(...conjuncts(object, rows, l, joined));
      return unknownCondition(`the condition is ${describe(v)}`, spanOf(v, l.span), v);
    },
  );
}

function conjuncts(object: ReadObject, rows: Rows, l: Lowering, joined?: Joined): Predicate[] {
  const groups = new Set<Group>();
  const conditions = [...object.properties.values()].flatMap((property): Predicate[] => {
    const { group } = property;
    if (group) {
      if (groups.has(group)) return [];
      groups.add(group);
      return [
        chosen(
          group.of.map((o) => and(...conjuncts(o, rows, l, joined))),
          group.test,
        ),
      ];
    }
    const condition = keyCondition(property, rows, l, joined);
    return [settledOrLost(property, condition, l)];
  });
  conditions.push(...unseenConditions(object, l.span));
  return conditions.length === 0 ? [noCondition] : conditions;
}

function keyCondition({ name, value, span }: Property, rows: Rows, l: Lowering, joined?: Joined): Predicate {
  if (name === '@and' || name === '@or') return groupCondition(name === '@and' ? 'and' : 'or', value, rows, l, joined);
  if (name === '@not') {
    const inner = groupCondition('and', value, rows, l, joined);
    return inner.kind === 'always' ? inner : not(inner);
  }
  const path = /^\$(.+)\.([^.]+)\$$/.exec(name);
  if (path) {
    const to = joined?.get(path[1]!);
    return to
      ? fieldCondition(column(to.ref, columnNamed(to, path[2]!)), value, l, span)
      : unknownCondition(`the rows of '${path[1]!}' were not found`, span);
  }
  const [field = name] = name.split('.');
  const left = column(rows.ref, columnNamed(rows, field));
  if (field !== name) return { kind: 'compare', left, operator: '#>>', right: value, ...(span ? { span } : {}) };
  return fieldCondition(left, value, l, span);
}

/** `[Op.and]` and `[Op.or]`: lists of conditions, or an object whose keys are the conditions. */
function groupCondition(kind: 'and' | 'or', value: Value, rows: Rows, l: Lowering, joined?: Joined): Predicate {
  const v = withOperators(value, l);
  const join = kind === 'and' ? and : or;
  const list = readList(v, l);
  if (!list) {
    const object = v.kind === 'object' ? readObject(v, l) : undefined;
    if (object) return join(...conjuncts(object, rows, l, joined));
    return v.kind === 'missing-able' || asChoice(v)
      ? whereCondition(v, rows, l, joined)
      : unknownCondition(`the conditions are ${describe(v)}`, spanOf(v, l.span));
  }
  if (list.length === 0) return kind === 'and' ? noCondition : never;
  // Conditions without any key are left out of a list.
  const parts = list.map((item): Predicate => {
    if (item.spread) return unknownCondition(`some conditions are ${describe(item.value)}`, spanOf(item.value, l.span));
    const inner = whereCondition(item.value, rows, l, joined);
    return item.maybe && kind === 'and' ? chosen([inner, noCondition], item.test) : inner;
  });
  if (kind === 'and') return and(...parts);
  const present = parts.filter((p) => p.kind !== 'always');
  return present.length === 0 ? noCondition : or(...present);
}

const comparisons: Readonly<Record<string, Operator>> = {
  gt: '>',
  gte: '>=',
  lt: '<',
  lte: '<=',
  like: 'like',
  notLike: 'not like',
  iLike: 'ilike',
  notILike: 'not ilike',
  regexp: '~',
  notRegexp: '!~',
  iRegexp: '~*',
  notIRegexp: '!~*',
  contains: '@>',
  contained: '<@',
  overlap: '&&',
};

const patterns: Readonly<Record<string, readonly [before: string, after: string]>> = {
  startsWith: ['', '%'],
  endsWith: ['%', ''],
  substring: ['%', '%'],
};

const patternOf = (value: Value, [before, after]: readonly [string, string]): Value => {
  if (value.kind === 'constant') return { kind: 'constant', value: `${before}${String(value.value)}${after}` };
  const parts = [before, value, after].filter((p) => p !== '');
  return {
    kind: 'apply',
    function: 'concat',
    to: parts.map((p) => (typeof p === 'string' ? { kind: 'constant', value: p } : p)),
  };
};

/** The condition that a `where` puts on one column. */
export function fieldCondition(left: Value, value: Value, l: Lowering, span?: Span): Predicate {
  const at = span ? { span } : {};
  const isNull = (): Predicate => ({ kind: 'null', of: left });
  return shaped(
    value,
    l,
    isNull,
    (v) => {
      const list = v.kind === 'list' ? v : undefined;
      if (list) return inCondition(left, list, l, span);
      const object = v.kind === 'object' ? readWhere(v, l) : undefined;
      if (!object) return { kind: 'compare', left, operator: '=', right: v, ...at };
      const names = [...object.properties.keys()];
      if (!names.every((n) => n.startsWith('@'))) return { kind: 'compare', left, operator: '#>>', right: v, ...at };
      return and(
        ...[...object.properties.values()].map((p) => operatorCondition(left, p.name.slice(1), p.value, l, span)),
        ...unseenConditions(object, span),
        noCondition,
      );
    },
    span,
  );
}

function operatorCondition(left: Value, name: string, value: Value, l: Lowering, span?: Span): Predicate {
  const at = span ? { span } : {};
  const isNull: Predicate = { kind: 'null', of: left };
  const by = (leaf: (v: Value) => Predicate, none: Predicate = isNull): Predicate =>
    shaped(value, l, () => none, leaf, span);
  const pattern = patterns[name];
  if (pattern) return by((v) => ({ kind: 'compare', left, operator: 'like', right: patternOf(v, pattern), ...at }));
  const ordering = comparisons[name];
  if (ordering) return by((v) => ({ kind: 'compare', left, operator: ordering, right: v, ...at }));
  switch (name) {
    case 'eq':
    case 'is':
      return fieldCondition(left, value, l, span);
    case 'ne':
      return by((v) => ({ kind: 'compare', left, operator: '<>', right: v, ...at }), not(isNull));
    case 'not':
      return by((v) => {
        if (v.kind === 'list') return not(inCondition(left, v, l, span));
        if (v.kind === 'object') return not(fieldCondition(left, v, l, span));
        return { kind: 'compare', left, operator: '<>', right: v, ...at };
      }, not(isNull));
    case 'in':
      return by((v) => inCondition(left, v, l, span), never);
    case 'notIn':
      return by((v) => {
        const list = readList(v, l);
        return list?.length === 0
          ? always('NOT IN of an empty list holds for every row')
          : not(inCondition(left, v, l, span));
      });
    case 'between':
    case 'notBetween': {
      const [from, to] = readList(value, l) ?? [];
      if (!from || !to) return unknownCondition('the bounds are not known', span);
      const inside = and(
        { kind: 'compare', left, operator: '>=', right: from.value, ...at },
        { kind: 'compare', left, operator: '<=', right: to.value, ...at },
      );
      return name === 'between' ? inside : not(inside);
    }
    case 'and':
    case 'or': {
      const v = withOperators(value, l);
      const items = readList(v, l);
      const parts = items
        ? items.map((i) =>
            i.spread ? unknownCondition('some values are not known', span) : fieldCondition(left, i.value, l, span),
          )
        : [...(readWhere(v, l)?.properties.values() ?? [])].map((p) =>
            operatorCondition(left, p.name.slice(1), p.value, l, span),
          );
      if (parts.length === 0) return name === 'and' ? noCondition : never;
      return name === 'and' ? and(...parts) : or(...parts);
    }
    case 'col': {
      const path = settled(value, l);
      const text = path.kind === 'constant' ? String(path.value) : '';
      return { kind: 'compare', left, operator: '=', right: { kind: 'unknown', reason: `column ${text}` }, ...at };
    }
    default:
      return { kind: 'compare', left, operator: name, right: value, ...at };
  }
}

function inCondition(left: Value, value: Value, l: Lowering, span?: Span): Predicate {
  const at = span ? { span } : {};
  const list = readList(value, l);
  if (!list) return { kind: 'in', left, right: [{ kind: 'element', of: value, path: ['*'] }], open: true, ...at };
  if (list.length === 0) return never;
  const open = list.some((i) => i.spread || i.each);
  const right = list.map((i): Value => (i.spread ? { kind: 'element', of: i.value, path: ['*'] } : i.value));
  return { kind: 'in', left, right, ...(open ? { open: true } : {}), ...at };
}
