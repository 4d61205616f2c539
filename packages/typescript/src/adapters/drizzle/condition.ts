import {
  always,
  and,
  constant,
  equal,
  never,
  not,
  or,
  propertyOf,
  type Item,
  type Predicate,
  type Query,
  type Span,
  type Value,
} from '@tenant-lint/model';
import { onlyIf } from '../query-text/frag.js';
import { builderOf, lowerQuery } from './select.js';
import { expression } from './expression.js';
import { callOf, chainOf, comparisons, functionCall, type FunctionCall } from './names.js';
import type { Scope } from './scope.js';
import { sqlCondition } from './sql-template.js';

/**
 * A condition with whether it is there at all. Drizzle leaves out what is undefined: as an operand, and as a whole `where`. `on`: the
 * value on which its presence hangs.
 */
export interface Condition {
  readonly predicate: Predicate;
  readonly present: boolean | { readonly on: Value };
}

const dropsOperand = 'Drizzle leaves out an operand that is undefined';
const dropsWhere = 'Drizzle leaves out a where that is undefined';

const there = (predicate: Predicate): Condition => ({ predicate, present: true });
const absent: Condition = { predicate: always(dropsWhere), present: false };
const unclear = (reason: string, span?: Span): Condition =>
  there({ kind: 'unknown', reason, ...(span ? { span } : {}) });

/** What `.where(value)` does to the rows. */
export function lowerWhere(value: Value | undefined, scope: Scope): Predicate {
  if (value === undefined) return always('no condition');
  const condition = lowerCondition(value, scope);
  if (condition.present === false) return always(dropsWhere);
  return condition.present === true
    ? condition.predicate
    : onlyIf(condition.predicate, condition.present.on, always(dropsWhere), dropsWhere);
}

/** Lowers a value that is used as a condition. */
export function lowerCondition(value: Value, scope: Scope): Condition {
  switch (value.kind) {
    case 'undefined':
      return absent;
    case 'predicate':
      return there(value.predicate);
    case 'constant':
      return value.value === null || value.value === false || value.value === ''
        ? absent
        : unclear('a constant in place of a condition');
    case 'unknown':
      return unclear(value.reason);
    case 'missing-able': {
      const inner = lowerCondition(value.of, scope);
      return inner.present === true ? { ...inner, present: { on: value } } : inner;
    }
    case 'choice':
      return lowerChoice(value, scope);
    case 'apply': {
      const [left, right] = value.to;
      if (value.function === '&&' && left && right) return whenever(lowerCondition(right, scope), left);
      if ((value.function === '||' || value.function === '??') && left && right)
        return lowerChoice({ kind: 'choice', of: [left, right], test: left }, scope);
      return unclear(`a condition made with ${value.function}`, value.span);
    }
    default:
      break;
  }
  const column = scope.column(value);
  if (column) return there({ kind: 'value', of: column });
  return scope.build.guard(
    `condition:${JSON.stringify(value)}`,
    () => lowerReference(value, scope),
    unclear('the condition refers to itself'),
  );
}

function lowerReference(value: Value, scope: Scope): Condition {
  const chain = chainOf(value, scope.context);
  if (chain) {
    const call = callOf(chain);
    const f = functionCall(call, scope.context, scope.isOperators);
    if (f) return lowerOperator(f, chain.span, scope);
    return unclear('the condition is made by a call that was not followed', chain.span);
  }
  const resolved = scope.context.resolve(value);
  if (resolved !== value && resolved.kind !== value.kind) return lowerCondition(resolved, scope);
  return unclear(`the condition is a ${value.kind === 'parameter' ? 'parameter' : 'value'} that was not followed`);
}

function lowerChoice(value: Extract<Value, { kind: 'choice' }>, scope: Scope): Condition {
  const arms = value.of.map((v) => lowerCondition(v, scope));
  if (value.test && value.of.length === 2 && surelyFilled(value.test, scope)) return arms[0]!;
  const filled = arms.filter((a) => a.present !== false);
  const on: Value = value.test ?? value;
  if (filled.length === 0) return absent;
  if (filled.length === 1 && arms.length === 2) {
    const absentFirst = arms[0]!.present === false;
    const test: Value = absentFirst && value.test ? { kind: 'apply', function: '!', to: [value.test] } : on;
    return whenever(filled[0]!, test);
  }
  const predicates = arms.map((a) => asWhole(a));
  return there({
    kind: 'either',
    of: predicates,
    ...(value.test && predicates.length === 2 ? { test: value.test } : {}),
  });
}

const whenever = (condition: Condition, on: Value): Condition =>
  condition.present === true ? { ...condition, present: { on } } : condition;

/** A condition where nothing around it decides what its absence means: all rows. */
const asWhole = (c: Condition): Predicate =>
  c.present === true
    ? c.predicate
    : c.present === false
      ? always(dropsWhere)
      : onlyIf(c.predicate, c.present.on, always(dropsWhere), dropsWhere);

/** `conditions.length > 0` of a list that always has something in it. */
function surelyFilled(test: Value, scope: Scope): boolean {
  const counted =
    test.kind === 'apply' &&
    (test.function === '>' || test.function === '>=' || test.function === '!==' || test.function === '!=')
      ? test.to[0]
      : test;
  if (counted?.kind !== 'element' || counted.path.length !== 1 || counted.path[0] !== 'length') return false;
  const list = scope.context.resolve(counted.of);
  return (
    list.kind === 'list' &&
    list.of.some((i) => !i.maybe && !i.spread && lowerCondition(i.value, scope).present === true)
  );
}

function lowerOperator(f: FunctionCall, span: Span, scope: Scope): Condition {
  const [left, right, third] = f.arguments;
  const operator = comparisons[f.name];
  if (operator !== undefined) return there(compare(operator, left, right, span, scope));
  switch (f.name) {
    case 'and':
      return junction('and', f.arguments, scope);
    case 'or':
      return junction('or', f.arguments, scope);
    case 'not': {
      const inner = left ? lowerCondition(left, scope) : absent;
      if (inner.present === false) return unclear('not() without a condition', span);
      return { predicate: not(inner.predicate), present: inner.present };
    }
    case 'isNull':
    case 'isNotNull': {
      const predicate: Predicate = { kind: 'null', of: expression(left ?? { kind: 'undefined' }, scope), span };
      return there(f.name === 'isNull' ? predicate : not(predicate));
    }
    case 'inArray':
      return there(inList(left, right, span, scope));
    case 'notInArray': {
      const within = inList(left, right, span, scope);
      return there(
        within.kind === 'never' ? always('Drizzle makes true of notInArray with an empty list') : not(within),
      );
    }
    case 'between':
    case 'notBetween': {
      const predicate = and(compare('>=', left, right, span, scope), compare('<=', left, third, span, scope));
      return there(f.name === 'between' ? predicate : not(predicate));
    }
    case 'exists':
    case 'notExists': {
      const query = left ? subquery(left, scope) : undefined;
      if (!query) return unclear('exists of something that was not followed', span);
      const predicate: Predicate = { kind: 'exists', query, span };
      return there(f.name === 'exists' ? predicate : not(predicate));
    }
    case 'sql':
    case 'sql.raw':
    case 'sql.join':
    case 'sql.fromList':
      return there(sqlCondition(f, span, scope));
    default:
      return unclear(`a condition made with ${f.name}()`, span);
  }
}

/** `and()` and `or()` leave out undefined operands; without any operand left they are undefined themselves. */
function junction(kind: 'and' | 'or', operands: readonly Value[], scope: Scope): Condition {
  const conditions = operands.flatMap((o) => spreadOf(o, scope)).filter((c) => c.present !== false);
  if (conditions.length === 0) return absent;
  const only = conditions[0]!;
  if (conditions.length === 1) return only;
  const join = kind === 'and' ? and : or;
  const otherwise = kind === 'and' ? always(dropsOperand) : never;
  const certain = conditions.some((c) => c.present === true);
  // Where all operands may be absent, so may be the whole; then every row is reached, which `or` of absent operands must not hide.
  const rest = certain ? otherwise : always(dropsWhere);
  const of = conditions.map((c) =>
    typeof c.present === 'object' ? onlyIf(c.predicate, c.present.on, rest, dropsOperand) : c.predicate,
  );
  return there(join(...of));
}

/** The operands that an argument is: itself, or the items of a list that is spread. */
function spreadOf(value: Value, scope: Scope): readonly Condition[] {
  const spread = spreadValue(value);
  if (!spread) return [lowerCondition(value, scope)];
  const list = itemsOf(spread, scope);
  if (!list)
    return [
      { predicate: { kind: 'unknown', reason: 'a list of conditions that was not followed' }, present: { on: spread } },
    ];
  return list.flatMap((item): readonly Condition[] => {
    if (item.spread) return spreadOf({ kind: 'apply', function: '...', to: [item.value] }, scope);
    const condition = lowerCondition(item.value, scope);
    return [item.maybe ? whenever(condition, onOf(item)) : condition];
  });
}

/** On what hangs whether an item that is pushed on some paths only is in the list. */
const onOf = (item: Item): Value => ({ kind: 'missing-able', of: item.value, how: 'undefined', certain: true });

/** The value that an argument spreads. */
const spreadValue = (value: Value): Value | undefined =>
  value.kind === 'apply' && value.function === '...' ? value.to[0] : undefined;

/** The items of a list, through bindings, concatenations and `filter(Boolean)`; undefined where the list is not known. */
export function itemsOf(value: Value, scope: Scope): readonly Item[] | undefined {
  if (value.kind === 'missing-able') return itemsOf(value.of, scope);
  const resolved = value.kind === 'list' ? value : scope.context.resolve(value);
  if (resolved.kind === 'list') return resolved.of;
  if (resolved.kind === 'undefined') return [];
  if (resolved.kind === 'choice') {
    const arms = resolved.of.map((v) => itemsOf(v, scope));
    return arms.every((a) => a !== undefined) ? arms.flat().map((i) => ({ ...i, maybe: true as const })) : undefined;
  }
  if (resolved.kind === 'result' && resolved.path.length === 0) {
    const chain = scope.context.chain(resolved.chain);
    const step = chain?.steps[0];
    const before = chain && itemsOf(chain.receiver, scope);
    if (!chain || chain.steps.length !== 1 || !before || !step?.arguments) return undefined;
    // filter(Boolean) and filter((c) => c !== undefined) leave out what Drizzle leaves out anyway; another filter may leave out more.
    if (step.name === 'filter')
      return step.arguments[0]?.kind === 'global' ? before : before.map((i) => ({ ...i, maybe: true as const }));
    if (step.name === 'concat') return [...before, ...step.arguments.map((a): Item => ({ value: a, spread: true }))];
  }
  return undefined;
}

function compare(
  operator: string,
  left: Value | undefined,
  right: Value | undefined,
  span: Span,
  scope: Scope,
): Predicate {
  // A missing value is bound as NULL, with which nothing compares.
  const a = operand(left, scope) ?? constant(null);
  const b = operand(right, scope) ?? constant(null);
  return operator === '=' ? equal(a, b, span) : { kind: 'compare', left: a, operator, right: b, span };
}

/** An operand of a comparison; undefined where it is surely missing. A value that may be missing compares like the value, or not at all. */
function operand(value: Value | undefined, scope: Scope): Value | undefined {
  if (value === undefined || value.kind === 'undefined' || (value.kind === 'constant' && value.value === null))
    return undefined;
  if (value.kind === 'missing-able' && value.how !== 'empty') return operand(value.of, scope);
  if (value.kind === 'choice') {
    const of = value.of.map((v) => operand(v, scope)).filter((v) => v !== undefined);
    return of.length <= 1 ? of[0] : { ...value, of };
  }
  return expression(value, scope);
}

function inList(left: Value | undefined, right: Value | undefined, span: Span, scope: Scope): Predicate {
  if (!left || !right) return { kind: 'unknown', reason: 'inArray without its arguments', span };
  const column = expression(left, scope);
  const query = subquery(right, scope);
  if (query) return { kind: 'in-query', left: [column], query, span };
  const items = itemsOf(right, scope);
  if (!items) {
    const list = right.kind === 'missing-able' ? right.of : right;
    return { kind: 'in', left: column, right: [propertyOf(expression(list, scope), '*')], open: true, span };
  }
  if (items.length === 0) return never;
  const values = items.map((i) => (i.spread ? propertyOf(i.value, '*') : expression(i.value, scope)));
  return {
    kind: 'in',
    left: column,
    right: values,
    ...(items.some((i) => i.spread) ? { open: true as const } : {}),
    span,
  };
}

/** The sub-query that a value is, if it is one. */
function subquery(value: Value, scope: Scope): Query | undefined {
  const builder = builderOf(value, scope);
  return builder && lowerQuery(builder, scope);
}
