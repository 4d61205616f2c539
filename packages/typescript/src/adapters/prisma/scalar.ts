import {
  always,
  and,
  column,
  equal,
  never,
  not,
  type Operator,
  type Predicate,
  type Span,
  type Value,
} from '@tenant-lint/model';
import { columnNamed, unknownCondition, type Lowering, type Rows } from './lowering.js';
import { noCondition } from './drops.js';
import { readList } from './list.js';
import { readObject, type ReadObject } from './object.js';
import { byShape, droppedFilter } from './shape.js';

const comparisons: Readonly<Record<string, Operator>> = { lt: '<', lte: '<=', gt: '>', gte: '>=' };
const patterns: Readonly<Record<string, readonly [string, string]>> = {
  contains: ['%', '%'],
  startsWith: ['', '%'],
  endsWith: ['%', ''],
};
/** Filters on lists and JSON: they compare something that is not the column's value. */
const opaque: Readonly<Record<string, string>> = {
  has: '@>',
  hasEvery: '@>',
  hasSome: '&&',
  isEmpty: 'is empty',
  isSet: 'is set',
  search: '@@',
  array_contains: '@>',
  array_starts_with: '@>',
  array_ends_with: '@>',
  string_contains: 'like',
  string_starts_with: 'like',
  string_ends_with: 'like',
};

const filterKeys = new Set([
  'equals',
  'not',
  'in',
  'notIn',
  'mode',
  'path',
  ...Object.keys(comparisons),
  ...Object.keys(patterns),
  ...Object.keys(opaque),
]);

/** Whether an object is a filter on a column rather than a JSON value or a relation's condition. */
export const isScalarFilter = (object: ReadObject): boolean =>
  object.unseen.length === 0 && [...object.properties.keys()].every((name) => filterKeys.has(name));

/** `field: value` or `field: { ...filter }` of a where. */
export function scalarCondition(rows: Rows, name: string, value: Value, l: Lowering, span?: Span): Predicate {
  const left = column(rows.ref, name);
  return byShape(value, l, {
    absent: droppedFilter,
    isNull: () => ({ kind: 'null', of: left, ...(span ? { span } : {}) }),
    ...(span ? { span } : {}),
    leaf: (v) => {
      if (v.kind !== 'object') return equal(left, operand(v, rows), span);
      const object = readObject(v, l);
      return object ? filterCondition(rows, left, object, l, span) : unknownCondition('the filter was not found', span);
    },
  });
}

function filterCondition(rows: Rows, column: Value, object: ReadObject, l: Lowering, span?: Span): Predicate {
  const of = (name: string): Value | undefined => object.properties.get(name)?.value;
  const mode = of('mode');
  const insensitive = mode !== undefined && mode.kind === 'constant' && mode.value === 'insensitive';
  const left: Value = of('path')
    ? { kind: 'apply', function: 'jsonb_extract_path', to: [column, of('path')!] }
    : column;
  const conditions: Predicate[] = object.unseen.map((reason) => unknownCondition(reason, span));
  const compare = (operator: Operator, value: Value, right: (v: Value) => Value = (v) => operand(v, rows)): Predicate =>
    byShape(value, l, {
      absent: droppedFilter,
      isNull: () => ({ kind: 'null', of: left }),
      ...(span ? { span } : {}),
      leaf: (v) => ({ kind: 'compare', left, operator, right: right(v), ...(span ? { span } : {}) }),
    });
  for (const { name, value, replaced } of object.properties.values()) {
    if (replaced) conditions.push(unknownCondition(`${name} may be replaced: ${replaced}`, span));
    else if (name === 'equals') conditions.push(compare(insensitive ? 'ilike' : '=', value));
    else if (name === 'not') conditions.push(notCondition(rows, left, value, l, span));
    else if (name === 'in' || name === 'notIn') conditions.push(inCondition(left, value, name === 'notIn', l, span));
    else if (comparisons[name]) conditions.push(compare(comparisons[name], value));
    else if (patterns[name]) {
      const [before, after] = patterns[name];
      const pattern = (v: Value): Value => ({
        kind: 'apply',
        function: 'concat',
        to: [text(before), v, text(after)].filter((t) => t.kind !== 'constant' || t.value !== ''),
      });
      conditions.push(compare(insensitive ? 'ilike' : 'like', value, pattern));
    } else if (opaque[name]) conditions.push(compare(opaque[name], value));
    else if (name !== 'mode' && name !== 'path')
      conditions.push(unknownCondition(`the filter '${name}' is not one of Prisma's`, span));
  }
  return conditions.length === 0 ? always(noCondition) : and(...conditions);
}

const text = (value: string): Value => ({ kind: 'constant', value });

function notCondition(rows: Rows, left: Value, value: Value, l: Lowering, span?: Span): Predicate {
  return byShape(value, l, {
    absent: droppedFilter,
    isNull: () => not({ kind: 'null', of: left }),
    ...(span ? { span } : {}),
    leaf: (v) => {
      if (v.kind !== 'object')
        return { kind: 'compare', left, operator: '<>', right: operand(v, rows), ...(span ? { span } : {}) };
      const object = readObject(v, l);
      if (!object) return unknownCondition('the filter was not found', span);
      const inner = filterCondition(rows, left, object, l, span);
      return inner.kind === 'always'
        ? inner
        : inner.kind === 'optional' && inner.otherwise.kind === 'always'
          ? { ...inner, of: not(inner.of) }
          : not(inner);
    },
  });
}

function inCondition(left: Value, value: Value, negative: boolean, l: Lowering, span?: Span): Predicate {
  const at = span ? { span } : {};
  const sign = (p: Predicate): Predicate =>
    negative ? (p.kind === 'never' ? always('NOT IN of an empty list holds for every row') : not(p)) : p;
  return byShape(value, l, {
    absent: droppedFilter,
    isNull: () => never,
    ...at,
    leaf: (v) => {
      const list = v.kind === 'list' ? readList(v, l) : undefined;
      if (!list) return sign({ kind: 'in', left, right: [{ kind: 'element', of: v, path: ['*'] }], open: true, ...at });
      if (list.length === 0) return sign(never);
      const open = list.some((i) => i.spread || i.each);
      const right = list.map((i): Value => (i.spread ? { kind: 'element', of: i.value, path: ['*'] } : i.value));
      return sign({ kind: 'in', left, right, ...(open ? { open: true } : {}), ...at });
    },
  });
}

/** `prisma.invoice.fields.total` is a column of the same row; anything else is itself. */
function operand(value: Value, rows: Rows): Value {
  const path = 'path' in value ? value.path : [];
  const [model, fields, name] = path.slice(-3);
  if (fields !== 'fields' || name === undefined || model === undefined || rows.name.by !== 'model') return value;
  return model.toLowerCase() === rows.name.name.toLowerCase() ? column(rows.ref, columnNamed(rows, name)) : value;
}
