import { unknownValue, type Step, type Value } from '@tenant-lint/model';
import type { Build } from '../query-text/build.js';
import type { BuilderStep } from '../query-text/calls.js';
import { bind, isSpliced, isTrue, joined, quoted, sql, unknownName, type Frag } from '../query-text/frag.js';
import { itemsOf } from '../query-text/items.js';
import { clause } from './conditions.js';
import { linesOfValue, type Line } from './line.js';
import { functionOf } from '../query-text/functions.js';
import { madeExpression, referenceOf, stepsOnParameter } from './operands.js';
import { joins, starts, unions } from './words.js';
import { writeText } from './write.js';

/** The statement that a builder stands for, without a semicolon. */
export function queryText(line: Line, build: Build): Frag {
  const at = line.steps.findIndex((s) => s.arguments && starts.has(s.name));
  const start = line.steps[at];
  if (!start) return bind(unknownValue('a query that was not followed'), build.chain.span);
  const steps = withoutCleared(line.steps.slice(at));
  const schema = line.steps.slice(0, at).findLast((s) => s.name === 'withSchema')?.arguments?.[0];
  nameTables(steps, build, schema);
  const ctes = withText(line.steps.slice(0, at), build);
  const body = start.name.startsWith('select') ? selectText(steps, build, schema) : writeText(steps, build, schema);
  return sql(start.span, ctes, body);
}

const clears: Readonly<Record<string, readonly string[]>> = {
  clearWhere: ['where', 'whereRef'],
  clearHaving: ['having', 'havingRef'],
  clearSelect: ['select', 'selectAll'],
  clearReturning: ['returning', 'returningAll'],
};

/** The step that takes the conditions of a builder away, with the builder as it would be without that step; undefined where none does. */
export function cleared(line: Line): { line: Line; at: BuilderStep } | undefined {
  const at = line.steps.findLast((s) => s.name === 'clearWhere');
  if (!at || withoutCleared(line.steps).length === line.steps.length) return undefined;
  return { line: { ...line, steps: line.steps.filter((s) => s.name !== 'clearWhere') }, at };
}

/** Leaves out what a later `clearWhere()` removes. */
function withoutCleared(steps: readonly BuilderStep[]): readonly BuilderStep[] {
  return steps.filter(
    (s, i) => !steps.slice(i + 1).some((later) => !later.when && clears[later.name]?.includes(s.name)),
  );
}

/** Looks up every table first, so that columns are spelled as their tables have them. */
function nameTables(steps: readonly BuilderStep[], build: Build, schema: Value | undefined): void {
  for (const step of steps) {
    const [given] = step.arguments ?? [];
    if (!given || !(starts.has(step.name) || step.name in joins || step.name === 'from' || step.name === 'using'))
      continue;
    const list = build.value(given);
    for (const one of list.kind === 'list' ? list.of.map((i) => i.value) : [list]) {
      const [name] = build.text(one)?.split(/\s+as\s+/i) ?? [];
      if (name !== undefined) build.table(name, step.span, build.text(schema));
    }
  }
}

function withText(steps: readonly BuilderStep[], build: Build): Frag {
  const own = steps.filter((s) => (s.name === 'with' || s.name === 'withRecursive') && s.arguments);
  const [first] = own;
  if (!first) return [];
  const parts = own.map((s): Frag => {
    const [name, made] = s.arguments ?? [];
    const spelled = build.text(name) ?? 'common_table';
    const [, own_, columns] = /^\s*([^(\s]+)\s*\(([^)]*)\)\s*$/.exec(spelled) ?? [];
    const list =
      columns === undefined
        ? ''
        : ` (${columns
            .split(',')
            .map((c) => quoted(c.trim()))
            .join(', ')})`;
    return sql(s.span, `${quoted(own_ ?? spelled)}${list} AS (`, innerQuery(made, build, s), ')');
  });
  const recursive = own.some((s) => s.name === 'withRecursive');
  return sql(first.span, recursive ? 'WITH RECURSIVE ' : 'WITH ', joined(parts, ', ', first.span), ' ');
}

/** A query handed over as such or as a callback, without parentheses. */
export function innerQuery(given: Value | undefined, build: Build, step: Step): Frag {
  const missing = sql(
    step.span,
    'SELECT * FROM ',
    unknownName(unknownValue('a query that was not followed'), step.span),
  );
  if (!given) return missing;
  const id = functionOf(given, build);
  if (id !== undefined) {
    build.callbacks.add(id);
    const f = build.context.function(id);
    const [returned] = f?.returns ?? [];
    return f?.returns.length === 1 && returned
      ? build.guard(id, () => innerQuery(returned.value, build, step), missing)
      : missing;
  }
  const [line, ...others] = linesOfValue(build.value(given), build);
  if (line && others.length === 0 && line.steps.some((s) => starts.has(s.name))) return queryText(line, build);
  return madeExpression(build.value(given), build, step) ?? missing;
}

/** What stands in FROM for a value: `'table as alias'`, a sub-query, a template. */
export function sourceText(given: Value, build: Build, step: Step, schema?: Value): Frag {
  const value = build.value(given);
  const text = build.text(value);
  if (text !== undefined) {
    const [name, alias] = text.split(/\s+as\s+/i);
    const table = build.table(name ?? text, step.span, build.text(schema));
    return sql(step.span, table, alias === undefined ? '' : ` AS ${quoted(alias.trim())}`);
  }
  const made = madeExpression(value, build, step);
  return made ?? unknownName(value, step.span);
}

export function sourcesText(given: Value | undefined, build: Build, step: Step, schema?: Value): Frag {
  if (!given) return unknownName(unknownValue('no table'), step.span);
  const value = build.value(given);
  const items = value.kind === 'list' ? value.of.map((i) => i.value) : [value];
  return joined(
    items.map((v) => sourceText(v, build, step, schema)),
    ', ',
    step.span,
  );
}

/** The joins of a statement, in order. */
export function joinsText(steps: readonly BuilderStep[], build: Build, schema?: Value): Frag {
  return steps.flatMap((s): Frag => {
    const word = Object.hasOwn(joins, s.name) ? joins[s.name] : undefined;
    const [table, left, right] = s.arguments ?? [];
    if (!word || !table) return [];
    // What only some paths join must not narrow the others.
    const kind = s.when ? word.replace('INNER', 'LEFT') : word;
    const source = sourceText(table, build, s, schema);
    if (kind.startsWith('CROSS')) return sql(s.span, ` ${kind} `, source);
    return sql(s.span, ` ${kind} `, source, ' ON ', onText(left, right, build, s));
  });
}

function onText(left: Value | undefined, right: Value | undefined, build: Build, step: Step): Frag {
  if (!left) return isTrue;
  if (right) return sql(step.span, referenceOf(left, build, step), ' = ', referenceOf(right, build, step));
  const steps = stepsOnParameter(left, build);
  if (!steps) return bind(unknownValue('the condition of a join was not followed'), step.span);
  return clause(steps, ['on', 'onRef', 'onTrue'], build) ?? isTrue;
}

function selectText(steps: readonly BuilderStep[], build: Build, schema: Value | undefined): Frag {
  const [start] = steps as [BuilderStep];
  const { span } = start;
  const [from] = start.arguments ?? [];
  const sources = start.name === 'selectFrom' ? sql(span, ' FROM ', sourcesText(from, build, start, schema)) : [];
  const joined_ = joinsText(steps, build, schema);
  const where = clause(steps, ['where', 'whereRef'], build);
  const having = clause(steps, ['having', 'havingRef'], build);
  const grouped = groupText(steps, build);
  const output = selections(steps, build);
  const distinct = steps.some((s) => s.name === 'distinct' && s.arguments) ? 'DISTINCT ' : '';
  const body = sql(
    span,
    `SELECT ${distinct}`,
    output,
    sources,
    joined_,
    ...(where ? [' WHERE ', where] : []),
    grouped,
    ...(having ? [' HAVING ', having] : []),
    orderText(steps, build),
  );
  const limit = steps.findLast((s) => s.name === 'limit' && s.arguments)?.arguments?.[0];
  const limited = limit?.kind === 'constant' && typeof limit.value === 'number' ? ` LIMIT ${limit.value}` : '';
  const operations = steps.filter((s) => s.arguments && Object.hasOwn(unions, s.name));
  if (operations.length === 0) return sql(span, body, limited);
  return operations.reduce<Frag>(
    (before, s) =>
      operands(s, build).reduce<Frag>((b, arm) => sql(span, b, ` ${unions[s.name]!} `, '(', arm, ')'), before),
    sql(span, '(', body, ')'),
  );
}

function operands(step: Step, build: Build): readonly Frag[] {
  const [given] = step.arguments ?? [];
  const value = given && build.value(given);
  const list = value?.kind === 'list' ? value.of.map((i) => i.value) : value ? [value] : [];
  return list.map((v) => innerQuery(v, build, step));
}

function groupText(steps: readonly BuilderStep[], build: Build): Frag {
  const own = steps.filter((s) => s.name === 'groupBy' && s.arguments?.[0]);
  const parts = own.flatMap((s) => {
    const items = itemsOf(s.arguments![0]!, build) ?? [{ value: s.arguments![0]! }];
    return items.map((i) => referenceOf(i.value, build, s));
  });
  const [first] = own;
  return first && parts.length > 0 ? sql(first.span, ' GROUP BY ', joined(parts, ', ', first.span)) : [];
}

/** The sort keys that are text of the program; others say nothing about rows. */
function orderText(steps: readonly BuilderStep[], build: Build): Frag {
  const parts = steps.flatMap((s): readonly Frag[] => {
    const [given] = s.name === 'orderBy' ? (s.arguments ?? []) : [];
    const written = given ? referenceOf(given, build, s) : [];
    return isSpliced(written) ? [written] : [];
  });
  const [first] = steps;
  return first && parts.length > 0 ? sql(first.span, ' ORDER BY ', joined(parts, ', ', first.span)) : [];
}

function selections(steps: readonly BuilderStep[], build: Build): Frag {
  const parts = steps.flatMap((s): readonly Frag[] => {
    const [given] = s.arguments ?? [];
    if (s.name === 'selectAll' && s.arguments) return allOf(given, build, s);
    return s.name === 'select' && given ? selected(given, build, s) : [];
  });
  const [first] = steps;
  return joined(parts, ', ', first?.span ?? build.chain.span);
}

export function allOf(given: Value | undefined, build: Build, step: Step): readonly Frag[] {
  if (!given) return [sql(step.span, '*')];
  const items = itemsOf(given, build) ?? [{ value: given }];
  return items.map((i) => {
    const text = build.text(i.value);
    return text === undefined ? sql(step.span, '*') : build.column(`${text}.*`, step.span);
  });
}

/** What `select(...)` or `returning(...)` lists. */
export function selected(given: Value, build: Build, step: Step): readonly Frag[] {
  const value = build.value(given);
  const id = functionOf(value, build);
  if (id !== undefined) {
    build.callbacks.add(id);
    const f = build.context.function(id);
    const [returned] = f?.returns ?? [];
    if (f?.returns.length !== 1 || !returned)
      return [bind(unknownValue('a selection that was not followed'), step.span)];
    return build.guard(`select:${id}`, () => selected(returned.value, build, step), []);
  }
  const items = value.kind === 'constant' ? [{ value }] : itemsOf(value, build);
  if (!items) {
    const made = madeExpression(value, build, step);
    return [made ?? bind(unknownValue('a selection that was not followed'), step.span)];
  }
  return items.map((i) =>
    'spread' in i && i.spread
      ? bind(unknownValue('a selection that was not followed'), step.span)
      : build.text(i.value) !== undefined || i.value.kind !== 'constant'
        ? selectedOne(i.value, build, step)
        : bind(i.value, step.span),
  );
}

function selectedOne(value: Value, build: Build, step: Step): Frag {
  const made = madeExpression(build.value(value), build, step);
  if (made) return made;
  return build.text(value) === undefined
    ? bind(unknownValue('a selected column that was not followed'), step.span)
    : referenceOf(value, build, step);
}
