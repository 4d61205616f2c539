import type { Step, Value } from '@tenant-lint/model';
import type { Build } from '../query-text/build.js';
import {
  isNegation,
  isTrue,
  isFalse,
  bind,
  joined,
  sql,
  unknownCondition,
  vacuous,
  type Frag,
} from '../query-text/frag.js';
import type { BuilderStep } from '../query-text/calls.js';
import { itemsOf } from '../query-text/items.js';
import { expressionOf, madeExpression, referenceOf } from './operands.js';
import { lostStep } from './line.js';
import { operators } from './words.js';

const emptyAnd = 'Kysely makes true of eb.and() without conditions';
const dropsKey = 'Kysely leaves out what is undefined in eb.and({...})';
const onSomePaths = 'the condition is added on some paths only';

type Operand = (value: Value, build: Build, step: Step) => Frag;

/** `left operator right`. */
export function comparison(
  args: readonly Value[],
  build: Build,
  step: Step,
  left: (value: Value | undefined, build: Build, step: Step) => Frag,
  right: Operand,
): Frag {
  const [lhs, op, rhs = { kind: 'undefined' } as Value] = args;
  const { span } = step;
  const operator = build.text(op)?.toLowerCase();
  if (operator === undefined || !operators.has(operator))
    return unknownCondition(`an operator that was not followed`, span);
  // One column or another: `isUuid(x) ? 'id' : 'slug'`.
  const column = build.value(lhs ?? { kind: 'undefined' });
  if (column.kind === 'choice' && column.of.length === 2) {
    const [one, other] = column.of.map((of) => comparison([of, ...args.slice(1)], build, step, left, right));
    const why = 'one of two columns is compared';
    return build.choices.write({ kind: 'either', on: column.test ?? column, why }, one!, other!, span);
  }
  const a = left(lhs, build, step);
  const b = build.value(rhs);
  if (operator === 'is' || operator === 'is not') {
    if (b.kind === 'constant' && (b.value === null || typeof b.value === 'boolean'))
      return sql(span, a, ` ${operator.toUpperCase()} ${b.value === null ? 'NULL' : String(b.value).toUpperCase()}`);
    return unknownCondition('IS with a value that is not known', span);
  }
  if (operator === 'in' || operator === 'not in') return membership(a, operator, b, build, step);
  return sql(span, a, ` ${operator === '==' ? '=' : operator.toUpperCase()} `, right(b, build, step));
}

function membership(left: Frag, operator: 'in' | 'not in', list: Value, build: Build, step: Step): Frag {
  const { span } = step;
  const word = operator === 'in' ? ' IN ' : ' NOT IN ';
  const made = madeExpression(list, build, step);
  if (made) return sql(span, left, word, made);
  const items = itemsOf(list, build);
  if (items && items.every((i) => !i.spread && !i.maybe)) {
    // The library sends IN () then, which Postgres refuses.
    if (items.length === 0) return isFalse;
    const values = items.map((i) => expressionOf(i.value, build, step));
    return sql(span, left, word, '(', joined(values, ', ', span), ')');
  }
  const of = list.kind === 'missing-able' ? list.of : list;
  return sql(span, left, operator === 'in' ? ' = ANY(' : ' <> ALL(', bind(of, span), ')');
}

/** A condition: an expression of the library, or a value that stands for one. */
export function conditionOf(given: Value, build: Build, step: Step): Frag {
  const value = build.value(given);
  const made = madeExpression(value, build, step);
  if (made) return made;
  if (value.kind === 'choice' && value.of.length === 2) {
    const [a, b] = value.of as [Value, Value];
    const why = 'one of two conditions is used';
    return build.choices.write(
      { kind: 'either', on: value.test ?? value, why },
      conditionOf(a, build, step),
      conditionOf(b, build, step),
      step.span,
    );
  }
  const reason = value.kind === 'unknown' ? value.reason : 'a condition that was not followed';
  return unknownCondition(reason, step.span);
}

/** `eb.and([...])`, `eb.or({...})`. */
export function junction(kind: 'and' | 'or', given: Value, build: Build, step: Step): Frag {
  const { span } = step;
  const value = build.resolved(given);
  const word = kind === 'and' ? ' AND ' : ' OR ';
  const nothing = kind === 'and' ? vacuous(emptyAnd, span) : isFalse;
  const absent = kind === 'and' ? isTrue : isFalse;
  if (value.kind === 'object') {
    const parts = value.entries.map((e): Frag => {
      if (!('set' in e)) return unknownCondition('conditions by computed names', span);
      const of = build.value(e.value);
      const one = keyCondition(e.set, of, build, step);
      if (of.kind === 'undefined') return absent;
      const missing = of.kind === 'missing-able' && of.how === 'undefined';
      return missing || e.maybe
        ? build.choices.write({ kind: 'drop', on: e.test ?? of, why: dropsKey }, one, absent, span)
        : one;
    });
    const there = parts.filter((p) => p !== absent);
    return there.length === 0 ? nothing : sql(span, '(', joined(there, word, span), ')');
  }
  const items = itemsOf(value, build);
  if (!items) return unknownCondition('a list of conditions that was not followed', span);
  const parts = items.map((i): Frag => {
    if (i.spread) return unknownCondition('a list of conditions that was not followed', span);
    const one = conditionOf(i.value, build, step);
    if (!i.maybe) return one;
    const on: Value = { kind: 'missing-able', of: i.value, how: 'undefined', certain: true };
    return build.choices.write({ kind: 'drop', on, why: onSomePaths }, one, absent, span);
  });
  return parts.length === 0 ? nothing : sql(span, '(', joined(parts, word, span), ')');
}

function keyCondition(name: string, value: Value, build: Build, step: Step): Frag {
  const column = build.column(name, step.span);
  if (value.kind === 'constant' && (value.value === null || typeof value.value === 'boolean'))
    return sql(step.span, column, value.value === null ? ' IS NULL' : ` IS ${String(value.value).toUpperCase()}`);
  return sql(step.span, column, ' = ', expressionOf(value, build, step));
}

/** One `where`, `having` or `on`. */
export function oneCondition(step: Step, build: Build): Frag {
  const args = step.arguments ?? [];
  if (step.name.endsWith('Ref')) return comparison(args, build, step, referenceOf, referenceOf);
  if (step.name === 'onTrue') return isTrue;
  if (args.length === 1 && args[0]) return sql(step.span, '(', conditionOf(args[0], build, step), ')');
  return comparison(args, build, step, referenceOf, expressionOf);
}

/** All conditions of a clause, joined by AND; those that only some paths add say so. Undefined where there are none. */
export function clause(steps: readonly BuilderStep[], names: readonly string[], build: Build): Frag | undefined {
  const own = steps.filter((s) => s.arguments && (names.includes(s.name) || s.name === lostStep));
  const write = (s: BuilderStep): Frag =>
    s.name === lostStep
      ? unknownCondition('what a function adds to the query was not followed', s.span)
      : oneCondition(s, build);
  const [head] = own;
  if (!head) return undefined;
  const done = new Set<BuilderStep>();
  const parts: Frag[] = [];
  for (const s of own) {
    if (done.has(s)) continue;
    done.add(s);
    if (!s.when) {
      parts.push(write(s));
      continue;
    }
    const { when } = s;
    const rest = own.filter((o) => o.when && !done.has(o));
    const same = rest.filter((o) => JSON.stringify(o.when) === JSON.stringify(when));
    const other = rest.filter((o) => o.when && isNegation(o.when, when));
    for (const o of [...same, ...other]) done.add(o);
    const all = (list: readonly BuilderStep[]): Frag => joined(list.map(write), ' AND ', s.span);
    const choice =
      other.length > 0
        ? ({ kind: 'either', on: when, why: 'one of two conditions is added' } as const)
        : ({ kind: 'drop', on: when, why: onSomePaths } as const);
    parts.push(build.choices.write(choice, all([s, ...same]), other.length > 0 ? all(other) : isTrue, s.span));
  }
  return joined(parts, ' AND ', head.span);
}
