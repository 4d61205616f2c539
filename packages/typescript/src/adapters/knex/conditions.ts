import type { Value } from '@tenant-lint/model';
import type { Build } from '../query-text/build.js';
import type { BuilderStep } from '../query-text/calls.js';
import {
  bind,
  isFalse,
  isNegation,
  isTrue,
  joined,
  sql,
  unknownCondition,
  vacuous,
  type Frag,
} from '../query-text/frag.js';
import { itemsOf } from '../query-text/items.js';
import { stepsIn } from './family.js';
import { callbackQuery, columnOf, lost, madeText, operandOf } from './operands.js';
import { expandedSteps, lostStep } from './modify.js';
import { rawText } from './raw.js';
import { conditionWord, type ConditionWord } from './words.js';

/** One condition in a list that the library writes without parentheses: `a and b or c`. */
interface Part {
  readonly bool: 'AND' | 'OR';
  readonly text: Frag;
  readonly when?: Value;
}

const emptyObject = 'Knex makes nothing of where({})';
const onSomePaths = 'the condition is added on some paths only';

/** All conditions of a clause in order; undefined where there are none. */
export function clause(given: readonly BuilderStep[], names: ConditionWord['clause'], build: Build): Frag | undefined {
  const steps = withoutCleared(given, names);
  const parts = steps.flatMap((s): readonly Part[] => {
    const when = s.when ? { when: s.when } : {};
    if (s.name === lostStep) return names === 'where' ? [{ bool: 'AND', text: lost(s), ...when }] : [];
    const word = s.arguments && conditionWord(s.name);
    if (!word || word.clause !== names) return [];
    return partsOf(word, s, build).map((p) => ({ ...p, ...when }));
  });
  const [first] = steps;
  return first && parts.length > 0 ? assembled(parts, build, first) : undefined;
}

/** Leaves out what `clearWhere()` and `clear('where')` remove. */
function withoutCleared(steps: readonly BuilderStep[], names: ConditionWord['clause']): readonly BuilderStep[] {
  const clears = (s: BuilderStep): boolean => {
    const [what] = s.arguments ?? [];
    const named = what?.kind === 'constant' ? what.value : undefined;
    return (
      !s.when &&
      (s.name === `clear${names === 'where' ? 'Where' : 'Having'}` || (s.name === 'clear' && named === names))
    );
  };
  const last = steps.findLastIndex(clears);
  return steps.slice(last + 1);
}

function assembled(parts: readonly Part[], build: Build, step: BuilderStep): Frag {
  const done = new Set<Part>();
  const out: Frag[] = [];
  for (const part of parts) {
    if (done.has(part)) continue;
    done.add(part);
    const lead = out.length === 0 ? '' : ` ${part.bool} `;
    if (!part.when) {
      out.push(sql(step.span, lead, part.text));
      continue;
    }
    const { when } = part;
    const rest = parts.filter((p) => p.when && p.bool === 'AND' && part.bool === 'AND' && !done.has(p));
    const same = rest.filter((p) => JSON.stringify(p.when) === JSON.stringify(when));
    const other = rest.filter((p) => p.when && isNegation(p.when, when));
    for (const p of [...same, ...other]) done.add(p);
    const all = (list: readonly Part[]): Frag =>
      joined(
        list.map((p) => p.text),
        ' AND ',
        step.span,
      );
    const absent = part.bool === 'AND' || out.length === 0 ? isTrue : isFalse;
    const choice =
      other.length > 0
        ? ({ kind: 'either', on: when, why: 'one of two conditions is added' } as const)
        : ({ kind: 'drop', on: when, why: onSomePaths } as const);
    const text = build.choices.write(choice, all([part, ...same]), other.length > 0 ? all(other) : absent, step.span);
    out.push(sql(step.span, lead, text));
  }
  return out.flat();
}

function partsOf(word: ConditionWord, step: BuilderStep, build: Build): readonly Part[] {
  const { bool } = word;
  const args = step.arguments ?? [];
  const one = (text: Frag): readonly Part[] => [{ bool, text }];
  const negated = (text: Frag): Frag => (word.not ? sql(step.span, 'NOT (', text, ')') : text);
  const [first, second, third] = args;
  const { span } = step;
  if (!first) return one(unknownCondition('a condition without arguments', span));
  switch (word.kind) {
    case '':
    case 'Wrapped':
    case 'Val':
      return basic(word, args, step, build);
    case 'Raw':
      return one(negated(sql(span, '(', rawText(args, build, step), ')')));
    case 'Null':
      return one(sql(span, columnOf(first, build, step), word.not ? ' IS NOT NULL' : ' IS NULL'));
    case 'In':
      return second ? one(membership(first, second, word.not, step, build)) : [];
    case 'Exists': {
      const query = build.value(first);
      const text =
        query.kind === 'function'
          ? sql(span, '(', callbackQuery(query.function, build, step), ')')
          : madeText(query, build, step);
      return one(
        text ? negated(sql(span, 'EXISTS ', text)) : unknownCondition('EXISTS of what was not followed', span),
      );
    }
    case 'Between': {
      const items = second && itemsOf(second, build);
      const [low, high] = items ?? [];
      if (!low || !high) return one(unknownCondition('BETWEEN values that were not followed', span));
      const word_ = word.not ? ' NOT BETWEEN ' : ' BETWEEN ';
      return one(
        sql(
          span,
          columnOf(first, build, step),
          word_,
          operandOf(low.value, build, step),
          ' AND ',
          operandOf(high.value, build, step),
        ),
      );
    }
    case 'Column': {
      const [operator, right] = third ? [build.text(second), third] : ['=', second];
      if (operator === undefined || !right) return one(unknownCondition('columns that were not followed', span));
      return one(negated(sql(span, columnOf(first, build, step), ` ${operator} `, columnOf(right, build, step))));
    }
    case 'Like':
    case 'ILike': {
      const operator = word.kind === 'Like' ? ' LIKE ' : ' ILIKE ';
      return second
        ? one(negated(sql(span, columnOf(first, build, step), operator, operandOf(second, build, step))))
        : [];
    }
    default:
      return one(unknownCondition(`${step.name}()`, span));
  }
}

/** `where(column, operator, value)` and its other forms. */
function basic(word: ConditionWord, args: readonly Value[], step: BuilderStep, build: Build): readonly Part[] {
  const { bool } = word;
  const { span } = step;
  const [given] = args;
  const first = build.value(given ?? { kind: 'undefined' });
  const one = (text: Frag): readonly Part[] => [{ bool, text }];
  const negated = (text: Frag): Frag => (word.not ? sql(span, 'NOT (', text, ')') : text);
  if (args.length === 1) {
    if (first.kind === 'function') {
      const inner = grouped(first.function, word.clause, build);
      return inner ? one(negated(sql(span, '(', inner, ')'))) : [];
    }
    if (first.kind === 'constant' && typeof first.value === 'boolean')
      return one(first.value ? vacuous('Knex makes 1 = 1 of where(true)', span) : isFalse);
    const made = madeText(first, build, step);
    if (made) return one(negated(sql(span, '(', made, ')')));
    // orWhere({...}) puts its keys in parentheses, and joins them by AND.
    if (bool !== 'OR' || word.not) return byObject(word, first, step, build);
    const parts = byObject({ ...word, bool: 'AND' }, first, step, build);
    return parts.length === 0 ? [] : one(sql(span, '(', assembled(parts, build, step), ')'));
  }
  const second = build.value(args[1]!);
  if (args.length === 2) {
    const right = word.clause === 'on' && word.kind !== 'Val' ? columnOf(second, build, step) : undefined;
    return one(negated(equals(first, second, right, step, build)));
  }
  const operator = build.text(second)?.toLowerCase().trim();
  const value = args[2]!;
  if (operator === undefined || operator.includes('?'))
    return one(unknownCondition('an operator that was not followed', span));
  if (operator === 'in' || operator === 'not in')
    return one(membership(first, value, word.not !== (operator === 'not in'), step, build));
  if (operator.endsWith('between'))
    return partsOf(
      { ...word, kind: 'Between', not: word.not !== operator.startsWith('not') },
      { ...step, arguments: [first, value] },
      build,
    );
  const left = columnOf(first, build, step);
  const own = build.value(value);
  if (own.kind === 'constant' && own.value === null && /^is(?: not)?$/.test(operator))
    return one(negated(sql(span, left, ` ${operator.toUpperCase()} NULL`)));
  const right = word.clause === 'on' && word.kind !== 'Val' ? columnOf(own, build, step) : operandOf(own, build, step);
  return one(negated(sql(span, left, ` ${operator.toUpperCase()} `, right)));
}

/** `column = value`; null, written so, is IS NULL. */
function equals(column: Value, value: Value, right: Frag | undefined, step: BuilderStep, build: Build): Frag {
  const left = columnOf(column, build, step);
  if (!right && value.kind === 'constant' && value.value === null) return sql(step.span, left, ' IS NULL');
  return sql(step.span, left, ' = ', right ?? operandOf(value, build, step));
}

/** `where({ a: 1, b: 2 })`: each key a condition of its own, all joined as the method says. */
function byObject(word: ConditionWord, given: Value, step: BuilderStep, build: Build): readonly Part[] {
  const { span } = step;
  const { bool } = word;
  const unknown: readonly Part[] = [{ bool, text: bind(given, span) }];
  if (given.kind === 'choice' && given.of.length === 2) {
    const [a, b] = given.of.map((v) => {
      const parts = byObject(word, build.value(v), step, build);
      return parts.length === 0 ? vacuous(emptyObject, span) : assembled(parts, build, step);
    }) as [Frag, Frag];
    const choice = { kind: 'either', on: given.test ?? given, why: 'one of two conditions is used' } as const;
    return [{ bool, text: build.choices.write(choice, a, b, span) }];
  }
  const object = given.kind === 'object' ? given : build.context.resolve(given);
  if (object.kind === 'missing-able') return byObject(word, object.of, step, build);
  if (object.kind !== 'object') return unknown;
  return object.entries.flatMap((e): readonly Part[] => {
    if ('spread' in e) {
      const inner = byObject(word, build.value(e.spread), step, build);
      const on = e.test ?? (e.maybe ? e.spread : undefined);
      return on ? inner.map((p) => ({ ...p, when: on })) : inner;
    }
    if ('computed' in e) return unknown;
    const column: Value = { kind: 'constant', value: e.set };
    const value = build.value(e.value);
    const right = word.clause === 'on' && word.kind !== 'Val' ? columnOf(value, build, step) : undefined;
    const text = equals(column, value, right, step, build);
    const when = e.maybe ? { when: e.test ?? e.value } : {};
    return [{ bool, text: word.not ? sql(span, 'NOT (', text, ')') : text, ...when }];
  });
}

function membership(column: Value, given: Value, not: boolean, step: BuilderStep, build: Build): Frag {
  const { span } = step;
  const list = build.value(column);
  const columns = list.kind === 'list' ? list.of.map((i) => columnOf(i.value, build, step)) : undefined;
  const left = columns ? sql(span, '(', joined(columns, ', ', span), ')') : columnOf(list, build, step);
  const word = not ? ' NOT IN ' : ' IN ';
  const value = build.value(given);
  const query = madeText(value, build, step);
  if (query) return sql(span, left, word, query);
  const items = itemsOf(value, build);
  if (items && items.every((i) => !i.spread && !i.maybe)) {
    if (items.length === 0) return not ? vacuous('Knex makes 1 = 1 of whereNotIn with an empty list', span) : isFalse;
    const values = items.map((i) => {
      const row = columns && i.value.kind === 'list' ? i.value.of : undefined;
      return row
        ? sql(
            span,
            '(',
            joined(
              row.map((r) => operandOf(r.value, build, step)),
              ', ',
              span,
            ),
            ')',
          )
        : operandOf(i.value, build, step);
    });
    return sql(span, left, word, '(', joined(values, ', ', span), ')');
  }
  const of = value.kind === 'missing-able' ? value.of : value;
  return sql(span, left, not ? ' <> ALL(' : ' = ANY(', bind(of, span), ')');
}

/** The conditions that a callback adds, which the library puts in parentheses; undefined where it adds none. */
function grouped(id: string, names: ConditionWord['clause'], build: Build): Frag | undefined {
  return build.guard(`group:${id}`, () => clause(expandedSteps(stepsIn(id, build), build), names, build), undefined);
}
