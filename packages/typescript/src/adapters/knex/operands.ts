import { unknownValue, type Step, type Value } from '@tenant-lint/model';
import type { Build } from '../query-text/build.js';
import { callOf, chainOf, type BuilderStep } from '../query-text/calls.js';
import { bind, quoted, sql, unknownCondition, unknownName, type Frag } from '../query-text/frag.js';
import { stepsIn } from './family.js';
import { builderOf, queryText, textOfSteps } from './query.js';
import { rawText } from './raw.js';

/** A value: raw SQL, a sub-query, a reference, or a bound value. */
export function operandOf(given: Value, build: Build, step: BuilderStep): Frag {
  const value = build.value(given);
  return madeText(value, build, step) ?? bind(value, step.span);
}

/** What stands for the name of a column: text names one, raw SQL stands for itself. */
export function columnOf(given: Value | undefined, build: Build, step: BuilderStep): Frag {
  const value = build.value(given ?? { kind: 'undefined' });
  const made = madeText(value, build, step);
  if (made) return made;
  const text = build.text(value);
  return text === undefined ? unknownName(value, step.span) : named(text, build, step);
}

/** `table.column as alias`. */
export function named(text: string, build: Build, step: Step): Frag {
  const [name, alias] = text.split(/\s+as\s+/i);
  const column = build.column(name ?? text, step.span);
  return alias === undefined ? column : sql(step.span, column, ` AS ${quoted(alias.trim())}`);
}

/** The SQL that a value of the library is; undefined where it is none. */
export function madeText(value: Value, build: Build, step: BuilderStep): Frag | undefined {
  if (value.kind === 'function') return sql(step.span, '(', callbackQuery(value.function, build, step), ')');
  if (value.kind === 'missing-able') return madeText(value.of, build, step);
  const chain = chainOf(value, build.context);
  if (!chain) return undefined;
  return build.guard(`made:${chain.id}`, () => chainText(value, build, step), undefined);
}

function chainText(value: Value, build: Build, step: BuilderStep): Frag | undefined {
  const chain = chainOf(value, build.context)!;
  const call = callOf(chain);
  const at = call.steps.findIndex((s) => s.arguments !== undefined);
  const own = call.steps[at];
  const as = call.steps.findLast((s) => s.name === 'as' && s.arguments);
  const alias = as ? ` AS ${quoted(build.text(as.arguments?.[0]) ?? 'sub_query')}` : '';
  // `raw(...)` and `ref(...)` imported by name.
  const { base } = call;
  const name = own?.name || (base.kind === 'import' && base.module === 'objection' ? base.name : '');
  if (own?.arguments && name === 'raw')
    return sql(step.span, rawText(own.arguments, build, { ...step, span: own.span }), alias);
  if (own?.arguments && name === 'ref') return sql(step.span, columnOf(own.arguments[0], build, step), alias);
  if (own?.arguments && call.steps[at - 1]?.name === 'fn') return bind(unknownValue(`fn.${own.name}()`), step.span);
  const builder = chain.awaited ? undefined : builderOf(chain, build);
  if (builder) return sql(step.span, '(', queryText(builder, build), ')', alias);
  return undefined;
}

/** The query that a callback makes on what it gets, or returns. */
export function callbackQuery(id: string, build: Build, step: BuilderStep): Frag {
  const steps = stepsIn(id, build);
  if (steps.length > 0) return build.guard(`callback:${id}`, () => textOfSteps(steps, build), notFollowed(step));
  const [returned] = build.context.function(id)?.returns ?? [];
  const chain = returned && chainOf(build.value(returned.value), build.context);
  const builder = chain && builderOf(chain, build);
  return builder ? queryText(builder, build) : notFollowed(step);
}

const notFollowed = (step: BuilderStep): Frag =>
  sql(step.span, 'SELECT * FROM ', unknownName(unknownValue('a query that was not followed'), step.span));

export const lost = (step: BuilderStep): Frag =>
  unknownCondition('what a function adds to the query was not followed', step.span);
