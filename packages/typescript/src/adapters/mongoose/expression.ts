import { and, column, not, or, type Operator, type Predicate, type Value } from '@tenant-lint/model';
import { readList } from '../prisma/list.js';
import { describe, spanOf, unknownCondition, type Rows } from '../prisma/lowering.js';
import { readObject } from '../prisma/object.js';
import { settled } from '../prisma/shape.js';
import type { Mongo } from './shapes.js';

/** What `$$name` stands for in the pipeline of a $lookup. */
export type Variables = Readonly<Record<string, Value>>;

const operators: Readonly<Record<string, Operator>> = {
  $eq: '=',
  $ne: 'is distinct from',
  $gt: '>',
  $gte: '>=',
  $lt: '<',
  $lte: '<=',
};

/** Lowers `$expr`: conditions over aggregation expressions. */
export function expressionCondition(value: Value, rows: Rows, l: Mongo, variables: Variables = {}): Predicate {
  return l.deeper(
    () => unknownCondition('nested too deeply'),
    () => {
      const object = readObject(value, l);
      const [only, more] = object ? [...object.properties.values()] : [];
      if (!object || !only || more || object.unseen.length > 0)
        return unknownCondition(`the expression is ${describe(settled(value, l))}`, spanOf(value, l.span));
      const inner = (): readonly Predicate[] =>
        readList(only.value, l)?.map((i) =>
          i.spread || i.maybe
            ? unknownCondition('a part of the expression is not known', l.span)
            : expressionCondition(i.value, rows, l, variables),
        ) ?? [unknownCondition('a part of the expression is not known', l.span)];
      if (only.name === '$and') return and(...inner());
      if (only.name === '$or') return or(...inner());
      if (only.name === '$not') return not(and(...inner()));
      const operator = operators[only.name];
      const list = readList(only.value, l);
      const [a, b] = list ?? [];
      if (only.name === '$in' && a && b) {
        const left = operand(a.value, rows, variables);
        const items = readList(b.value, l);
        if (items && items.every((i) => !i.spread))
          return { kind: 'in', left, right: items.map((i) => operand(i.value, rows, variables)) };
        return { kind: 'in', left, right: [{ kind: 'element', of: b.value, path: ['*'] }], open: true };
      }
      if (operator && a && b && list?.length === 2)
        return {
          kind: 'compare',
          left: operand(a.value, rows, variables),
          operator,
          right: operand(b.value, rows, variables),
          ...(only.span ? { span: only.span } : {}),
        };
      return unknownCondition(`the expression ${only.name} is not understood`, only.span);
    },
  );
}

/** `'$orgId'` is a field, `'$$org'` a variable; anything else is itself. */
export function operand(value: Value, rows: Rows, variables: Variables): Value {
  if (value.kind === 'object' && value.entries.length === 1) {
    const [only] = value.entries;
    // Conversions keep what the value identifies; $literal is the value.
    if (only && 'set' in only && ['$literal', '$toObjectId', '$toString'].includes(only.set))
      return operand(only.value, rows, variables);
  }
  if (value.kind !== 'constant' || typeof value.value !== 'string' || !value.value.startsWith('$')) return value;
  if (!value.value.startsWith('$$')) return column(rows.ref, value.value.slice(1));
  const [name = '', ...path] = value.value.slice(2).split('.');
  if (name === 'ROOT' || name === 'CURRENT') return column(rows.ref, path.join('.'));
  const variable = variables[name];
  if (variable?.kind === 'column' && path.length > 0)
    return { ...variable, column: [variable.column, ...path].join('.') };
  return variable ?? { kind: 'unknown', reason: `$$${name} is not known` };
}
