import { unknownValue, type Step, type Value } from '@tenant-lint/model';
import type { Build } from '../query-text/build.js';
import { callOf, chainOf, type Call } from '../query-text/calls.js';
import { bind, joined, quoted, sql, unknownCondition, unknownName, type Frag } from '../query-text/frag.js';
import { itemsOf } from '../query-text/items.js';
import { comparison, conditionOf, junction } from './conditions.js';
import { linesOf, linesOfValue } from './line.js';
import { functionOf } from '../query-text/functions.js';
import { queryText } from './select.js';
import { isKysely, sqlFunction, sqlText } from './template.js';
import { starts } from './words.js';

/** A value where the library takes an expression: an expression of its own, or a bound value. */
export function expressionOf(given: Value, build: Build, step: Step): Frag {
  const value = build.value(given);
  return madeExpression(value, build, step) ?? bind(value, step.span);
}

/** A value where the library takes the name of a column: text names one, everything else is an expression. */
export function referenceOf(given: Value | undefined, build: Build, step: Step): Frag {
  const value = build.value(given ?? { kind: 'undefined' });
  const made = madeExpression(value, build, step);
  if (made) return made;
  const text = build.text(value);
  return text === undefined ? unknownName(value, step.span) : named(text, build, step);
}

/** `table.column as alias`. */
function named(text: string, build: Build, step: Step): Frag {
  const [name, alias] = text.split(/\s+as\s+/i);
  const column = build.column(name ?? text, step.span);
  return alias === undefined ? column : sql(step.span, column, ` AS ${quoted(alias.trim())}`);
}

/** The expression that a value is, undefined where it is none of the library. */
export function madeExpression(value: Value, build: Build, step: Step): Frag | undefined {
  if (value.kind === 'function') return callbackText(value.function, build, step);
  if (value.kind === 'missing-able') return madeExpression(value.of, build, step);
  if (value.kind === 'choice') {
    const arms = value.of.map((v) => madeExpression(v, build, step));
    const [first, second] = arms;
    if (arms.length !== 2 || !first || !second) return undefined;
    const why = 'one of two expressions is used';
    return build.choices.write({ kind: 'either', on: value.test ?? value, why }, first, second, step.span);
  }
  const chain = chainOf(value, build.context);
  if (!chain) return undefined;
  return build.guard(`expression:${chain.id}`, () => chainText(callOf(chain), build, step), undefined);
}

/** What a function that the library calls with an expression builder gives. */
function callbackText(id: string, build: Build, step: Step): Frag | undefined {
  const f = build.context.function(id);
  if (!f || f.returns.length === 0) return undefined;
  build.callbacks.add(id);
  const [only] = f.returns;
  if (f.returns.length === 1 && only) return build.guard(id, () => expressionOf(only.value, build, step), undefined);
  return unknownCondition('a callback with several results', step.span);
}

/** Whether a value is the expression builder that the library hands to a callback. */
export function isBuilder(base: Value, build: Build): boolean {
  const value = build.value(base);
  if (value.kind === 'parameter' && value.path.length === 0)
    return build.callbacks.has(value.function) || /\bExpressionBuilder\b/.test(build.context.typeOf(value)?.text ?? '');
  const chain = chainOf(value, build.context);
  const from = chain?.receiver;
  return from?.kind === 'import' && from.name === 'expressionBuilder' && isKysely(from.module);
}

function chainText(call: Call, build: Build, step: Step): Frag | undefined {
  const f = sqlFunction(call, build);
  if (f) return decorated(sqlText(f.name, { ...f.step, span: step.span }, build), f.rest, build, step);
  const base = build.value(call.base);
  const { base: root, steps } =
    base === call.base ? call : callOf({ ...call.chain, receiver: build.value(call.chain.receiver) });
  if (isBuilder(root, build) && !steps.some((s) => s.arguments && (starts.has(s.name) || s.name === 'with')))
    return builderText(steps, build, step);
  const helper = helperText(call, build, step);
  if (helper) return helper;
  const lines = linesOf(call.chain, build).filter((l) => l.steps.some((s) => s.arguments && starts.has(s.name)));
  const [line, ...others] = lines;
  if (line && !call.chain.awaited) {
    if (others.length > 0) return unknownCondition('a sub-query that is made in several ways', step.span);
    const as = line.steps.findLast((s) => s.name === 'as' && s.arguments);
    const text = queryText(line, build);
    const alias = build.text(as?.arguments?.[0]);
    return sql(step.span, '(', text, ')', as ? ` AS ${quoted(alias ?? 'sub_query')}` : '');
  }
  return calledText(call, build, step);
}

/** A function of the program that makes an expression. */
function calledText(call: Call, build: Build, step: Step): Frag | undefined {
  const at = call.steps.findIndex((s) => s.arguments !== undefined);
  const own = call.steps[at];
  if (at < 0 || !own?.arguments) return undefined;
  const read = call.steps
    .slice(0, at + 1)
    .reduce<Value>(
      (v, s) =>
        s.name === ''
          ? v
          : 'path' in v
            ? { ...v, path: [...v.path, s.name] }
            : { kind: 'element', of: v, path: [s.name] },
      build.value(call.base),
    );
  const callee = build.resolved(read);
  const f = callee.kind === 'function' ? build.context.function(callee.function) : undefined;
  const [returned] = f?.returns ?? [];
  if (!f || !returned || f.returns.length !== 1 || f.async) return undefined;
  build.called(f.id, own.arguments);
  const inner = build.guard(
    `called:${f.id}`,
    () => madeExpression(build.value(returned.value), build, step),
    undefined,
  );
  return inner && decorated(inner, call.steps.slice(at + 1), build, step);
}

/** `jsonArrayFrom(query)` and its like. */
function helperText(call: Call, build: Build, step: Step): Frag | undefined {
  const { base } = call;
  if (base.kind !== 'import' || !/^kysely\/helpers\//.test(base.module)) return undefined;
  const [own, ...rest] = call.steps;
  const given = own?.arguments?.[0];
  if (!given) return undefined;
  const lines = linesOfValue(given, build);
  const made = madeExpression(build.value(given), build, step);
  const text =
    lines.length > 0 && made
      ? sql(step.span, '(SELECT json_agg("agg") FROM ', made, ' AS "agg")')
      : bind(unknownValue(`${base.name}()`), step.span);
  return decorated(text, rest, build, step);
}

/** `.as('name')`, `.and(...)`, `.or(...)` after an expression. */
function decorated(text: Frag, rest: readonly Step[], build: Build, step: Step): Frag {
  return rest.reduce<Frag>((before, s) => {
    const args = s.arguments;
    if (!args) return before;
    if (s.name === 'as') return sql(step.span, before, ` AS ${quoted(build.text(args[0]) ?? 'column')}`);
    if (s.name === 'and' || s.name === 'or') {
      const word = s.name === 'and' ? ' AND ' : ' OR ';
      const right =
        args.length === 1 ? conditionOf(args[0]!, build, s) : comparison(args, build, s, referenceOf, expressionOf);
      return sql(step.span, '(', before, word, right, ')');
    }
    return before;
  }, text);
}

const aggregates: ReadonlySet<string> = new Set(['sum', 'avg', 'min', 'max', 'count', 'coalesce', 'any', 'jsonAgg']);
const functionNames: Readonly<Record<string, string>> = { jsonAgg: 'json_agg', toJson: 'to_json', countAll: 'count' };

/** What the expression builder makes: `eb('a', '=', 1)`, `eb.and([...])`, `eb.fn.count('id')` ... */
function builderText(steps: readonly Step[], build: Build, outer: Step): Frag | undefined {
  const at = steps.findIndex((s) => s.arguments !== undefined);
  const step = steps[at];
  if (at < 0 || !step?.arguments) return undefined;
  const names = steps.slice(0, at + 1).flatMap((s) => (s.name === '' ? [] : [s.name]));
  const rest = steps.slice(at + 1);
  const text =
    names[0] === 'fn' ? functionText(names.slice(1), step, build) : operatorText(names[0] ?? '', step, rest, build);
  return text && decorated(text, rest, build, outer);
}

function functionText(path: readonly string[], step: Step, build: Build): Frag {
  const args = step.arguments ?? [];
  const [kind] = path;
  if (kind === 'countAll') return sql(step.span, 'count(*)');
  if (kind === undefined || kind === 'agg') {
    const name = build.text(args[0])?.replace(/[^\w.]/g, '');
    const items = args[1] ? itemsOf(args[1], build) : [];
    if (!name || !items) return bind(unknownValue('a function that was not followed'), step.span);
    return call(
      name,
      items.map((i) => referenceOf(i.value, build, step)),
      step,
    );
  }
  const name = aggregates.has(kind) || kind === 'toJson' ? (functionNames[kind] ?? kind) : undefined;
  if (!name) return bind(unknownValue(`fn.${kind}()`), step.span);
  const written = args.map((a) =>
    kind === 'coalesce' || kind === 'any' ? referenceOf(a, build, step) : columnOrRow(a, build, step),
  );
  return call(name, written, step);
}

/** `fn.jsonAgg('table')` and `fn.toJson('table')` name a whole row. */
const columnOrRow = (value: Value, build: Build, step: Step): Frag => referenceOf(value, build, step);

const call = (name: string, args: readonly Frag[], step: Step): Frag =>
  sql(step.span, `${name}(`, joined(args, ', ', step.span), ')');

function operatorText(name: string, step: Step, rest: readonly Step[], build: Build): Frag | undefined {
  const args = step.arguments ?? [];
  const [first, second, third] = args;
  const unknown = (): Frag => unknownCondition(`an expression made with eb.${name}()`, step.span);
  switch (name) {
    case '':
    case 'eb':
    case 'cmpr':
    case 'bxp':
      return args.length === 3 ? comparison(args, build, step, referenceOf, expressionOf) : unknown();
    case 'and':
    case 'or':
      return first ? junction(name, first, build, step) : unknown();
    case 'not':
      return first ? sql(step.span, 'NOT (', conditionOf(first, build, step), ')') : unknown();
    case 'exists':
      return first
        ? sql(step.span, 'EXISTS ', madeExpression(build.value(first), build, step) ?? unknown())
        : unknown();
    case 'parens':
      return args.length === 1
        ? sql(step.span, '(', conditionOf(first!, build, step), ')')
        : sql(step.span, '(', comparison(args, build, step, referenceOf, expressionOf), ')');
    case 'ref':
    case 'column':
      return rest.some((s) => s.name === 'key' || s.name === 'at' || s.name === 'at')
        ? bind(unknownValue('a part of a JSON column'), step.span)
        : referenceOf(first, build, step);
    case 'table':
      return build.name(first, step.span);
    case 'val':
    case 'value':
    case 'lit':
      return bind(build.value(first ?? { kind: 'undefined' }), step.span);
    case 'between':
    case 'betweenSymmetric':
      return first && second && third
        ? sql(
            step.span,
            '(',
            referenceOf(first, build, step),
            name === 'between' ? ' BETWEEN ' : ' BETWEEN SYMMETRIC ',
            expressionOf(second, build, step),
            ' AND ',
            expressionOf(third, build, step),
            ')',
          )
        : unknown();
    case 'tuple':
    case 'refTuple':
      return sql(
        step.span,
        '(',
        joined(
          args.map((a) => (name === 'tuple' ? expressionOf(a, build, step) : referenceOf(a, build, step))),
          ', ',
          step.span,
        ),
        ')',
      );
    case 'unary':
      return build.text(first) === 'not' && second
        ? sql(step.span, 'NOT (', conditionOf(second, build, step), ')')
        : unknown();
    case 'cast':
      return first ? referenceOf(first, build, step) : unknown();
    case 'jsonPath':
      return bind(unknownValue('a path into JSON'), step.span);
    case 'case':
      return caseText(first, rest, build, step);
    default:
      return unknown();
  }
}

/** `eb.case().when(...).then(...).else(...).end()`; other forms of CASE are values that nobody compares with. */
function caseText(subject: Value | undefined, rest: readonly Step[], build: Build, step: Step): Frag {
  if (subject) return bind(unknownValue('CASE'), step.span);
  const parts = rest.flatMap((s): readonly (string | Frag)[] => {
    const args = s.arguments ?? [];
    const [first] = args;
    if (!first) return [];
    if (s.name === 'when')
      return [
        ' WHEN ',
        args.length === 1 ? conditionOf(first, build, s) : comparison(args, build, s, referenceOf, expressionOf),
      ];
    if (s.name === 'then') return [' THEN ', expressionOf(first, build, s)];
    return s.name === 'else' ? [' ELSE ', expressionOf(first, build, s)] : [];
  });
  return sql(step.span, 'CASE', ...parts, ' END');
}

/** A callback of `join` and `onConflict`: the steps that it calls on what it gets. */
export function stepsOnParameter(given: Value, build: Build): readonly Step[] | undefined {
  const id = functionOf(given, build);
  const [returned] = (id !== undefined && build.context.function(id)?.returns) || [];
  if (id === undefined || !returned) return undefined;
  const [line, ...more] = linesOfValue(returned.value, build);
  if (line && more.length === 0) return line.steps;
  return undefined;
}
