import { unknownValue, type CallChain, type Value } from '@tenant-lint/model';
import type { Build } from '../query-text/build.js';
import { functionOf } from '../query-text/functions.js';
import { callOf, chainOf, type Builder, type BuilderStep, type Call } from '../query-text/calls.js';
import { bind, isSpliced, isTrue, joined, quoted, sql, unknownName, type Frag } from '../query-text/frag.js';
import { itemsOf } from '../query-text/items.js';
import { receiverOf } from './client.js';
import { clause } from './conditions.js';
import { addedSteps, originOf, stepsIn } from './family.js';
import { expandedSteps } from './modify.js';
import { callbackQuery, columnOf, madeText, named } from './operands.js';
import { rawText } from './raw.js';
import { aggregates, ctes, isBuilderStep, joins, tables, unions, writes } from './words.js';
import { writeText } from './write.js';

/** The builder that a chain is or goes on with; undefined where it starts none that is known. */
export function builderOf(chain: CallChain, build: Build, until = Infinity): Builder | undefined {
  return build.guard(`builder:${chain.id}`, () => make(chain, build, until), undefined);
}

/** `until`: what statements after this place add does not count. */
function make(chain: CallChain, build: Build, until: number): Builder | undefined {
  const root = originOf(chain, build.context);
  const start = startOf(root, build);
  if (!start) return undefined;
  const own = root.id === chain.id ? [] : callOf(chain).steps;
  const steps = [...start.steps, ...addedSteps(root, chain, build, until), ...own];
  return isOurs(start, steps, build) ? { ...start, steps: expandedSteps(steps, build) } : undefined;
}

/** Whether something is a query at all: a call with a text is one of a function like any other, and `first()` a step of many things. */
function isOurs(start: Builder, steps: readonly BuilderStep[], build: Build): boolean {
  if (start.sure) return true;
  if (start.called && steps.some((s) => s.arguments && isBuilderStep(s.name))) return true;
  if (!start.called && steps.some((s) => s.arguments && tables.has(s.name))) return true;
  return receiverOf(start.base, start.reads, build.context).certain;
}

function startOf(root: CallChain, build: Build): Builder | undefined {
  const call = callOf(root);
  const at = call.steps.findIndex((s) => s.arguments !== undefined);
  const step = call.steps[at];
  if (at < 0 || !step?.arguments) return undefined;
  const other = build.starts?.(root);
  if (other) return other;
  const made = { base: call.base, reads: call.steps.slice(0, at) };
  if (step.name === 'clone' && at === 0) {
    const before = chainOf(call.base, build.context);
    const builder = before && builderOf(before, build, root.span.end);
    return builder && { ...builder, steps: [...builder.steps, ...call.steps.slice(1)] };
  }
  if (isBuilderStep(step.name)) return { ...made, called: false, steps: call.steps.slice(at) };
  const from = calledBuilder(call, at, build);
  if (from) return from;
  const next = step.arguments.length === 0 && call.steps[at + 1]?.name === '' ? at + 1 : at;
  const opening = call.steps[next]!;
  const [table] = opening.arguments ?? [];
  if (!table || !mayBeTable(table, build)) return undefined;
  const reads = [...made.reads, ...(next > at ? [step] : []), { name: opening.name, span: opening.span }];
  return { base: call.base, reads, table, called: true, steps: call.steps.slice(next + 1) };
}

function mayBeTable(table: Value, build: Build): boolean {
  const value = build.value(table);
  if (build.text(value) !== undefined) return true;
  if (value.kind === 'object') return value.entries.length > 0 && value.entries.every((e) => 'set' in e);
  return ['parameter', 'text', 'this', 'element', 'result', 'choice'].includes(value.kind);
}

/** `invoicesOf(tenant).where(...)`: a function of the program starts the builder. */
function calledBuilder(call: Call, at: number, build: Build): Builder | undefined {
  const step = call.steps[at]!;
  const read = call.steps
    .slice(0, at + 1)
    .reduce<Value>(
      (v, s) =>
        s.name === ''
          ? v
          : 'path' in v
            ? { ...v, path: [...v.path, s.name] }
            : { kind: 'element', of: v, path: [s.name] },
      call.base,
    );
  const callee = build.resolved(read);
  const f = callee.kind === 'function' ? build.context.function(callee.function) : undefined;
  const [returned] = f?.returns ?? [];
  if (!f || f.returns.length !== 1 || !returned) return undefined;
  build.called(f.id, step.arguments ?? []);
  const inner = chainOf(build.value(returned.value), build.context);
  const builder = inner && !inner.awaited ? builderOf(inner, build) : undefined;
  return builder && { ...builder, steps: [...builder.steps, ...call.steps.slice(at + 1)] };
}

/** The statement that a builder stands for, without a semicolon. */
export function queryText(builder: Builder, build: Build): Frag {
  return textOfSteps(builder.steps, build, builder.table);
}

/** The statement that steps make; `table` is the one the builder was started with. */
export function textOfSteps(steps: readonly BuilderStep[], build: Build, table?: Value): Frag {
  const span = steps[0]?.span ?? build.chain.span;
  const schema = build.text(steps.findLast((s) => s.name === 'withSchema')?.arguments?.[0]);
  const from = steps.findLast((s) => s.arguments?.[0] && tables.has(s.name));
  const into = [table, ...steps.filter((s) => s.name in joins).map((s) => s.arguments?.[0]), from?.arguments?.[0]];
  for (const one of into) if (one) nameTable(one, build, schema);
  const source: Frag =
    from?.name === 'fromRaw'
      ? rawText(from.arguments ?? [], build, from)
      : from
        ? tableText(from.arguments![0]!, build, from, schema)
        : table
          ? tableText(table, build, { name: '', span }, schema)
          : [];
  const write = steps.findLast((s) => s.arguments && writes.has(s.name));
  const body = write ? writeText(write, steps, source, build) : selectText(steps, source, build, schema);
  return sql(span, withText(steps, build), body);
}

function nameTable(given: Value, build: Build, schema: string | undefined): void {
  const value = build.value(given);
  const list = value.kind === 'object' ? value.entries.flatMap((e) => ('set' in e ? [e.value] : [])) : [value];
  for (const one of list) {
    const [name] = build.text(one)?.split(/\s+as\s+/i) ?? [];
    if (name !== undefined) build.table(name, build.chain.span, schema);
  }
}

/** What stands in FROM for `'invoices as i'`, `{ i: 'invoices' }`, or a sub-query. */
export function tableText(given: Value, build: Build, step: BuilderStep, schema?: string): Frag {
  const value = build.value(given);
  const text = build.text(value);
  if (text !== undefined) {
    const [name, alias] = text.split(/\s+as\s+/i);
    const table = build.table(name ?? text, step.span, schema);
    return sql(step.span, table, alias === undefined ? '' : ` AS ${quoted(alias.trim())}`);
  }
  if (value.kind === 'object') {
    const list = value.entries.flatMap((e): readonly Frag[] =>
      'set' in e ? [sql(step.span, tableText(e.value, build, step, schema), ` AS ${quoted(e.set)}`)] : [],
    );
    return joined(list, ', ', step.span);
  }
  if (value.kind === 'function') return sql(step.span, madeText(value, build, step) ?? [], ' AS "sub_query"');
  return madeText(value, build, step) ?? unknownName(value, step.span);
}

function withText(steps: readonly BuilderStep[], build: Build): Frag {
  const own = steps.filter((s) => s.arguments && ctes.has(s.name));
  const [first] = own;
  if (!first) return [];
  const parts = own.map((s): Frag => {
    const [name, a, b] = s.arguments ?? [];
    const spelled = build.text(name) ?? 'common_table';
    const list = b && a ? itemsOf(a, build)?.map((i) => build.name(i.value, s.span)) : undefined;
    const columns = list ? sql(s.span, ' (', joined(list, ', ', s.span), ')') : [];
    const query = b && list ? b : a;
    const id = query && functionOf(query, build);
    const text =
      s.name === 'withRaw' && query
        ? sql(s.span, '(', rawText([query, ...(b ? [b] : [])], build, s), ')')
        : id !== undefined
          ? sql(s.span, '(', callbackQuery(id, build, s), ')')
          : query && madeText(build.value(query), build, s);
    return sql(s.span, quoted(spelled), columns, ' AS ', inParentheses(text, s));
  });
  const recursive = own.some((s) => s.name === 'withRecursive');
  return sql(first.span, recursive ? 'WITH RECURSIVE ' : 'WITH ', joined(parts, ', ', first.span), ' ');
}

/** A query; raw text is written without parentheses of its own. */
function inParentheses(text: Frag | undefined, step: BuilderStep): Frag {
  if (!text) {
    const unknown = unknownName(unknownValue('a query that was not followed'), step.span);
    return sql(step.span, '(SELECT * FROM ', unknown, ')');
  }
  const [head] = text;
  return head && 'text' in head && head.text.startsWith('(') ? text : sql(step.span, '(', text, ')');
}

/** The joins of a statement, in order. */
function joinsText(steps: readonly BuilderStep[], build: Build, schema: string | undefined): Frag {
  return steps.flatMap((s): Frag => {
    const args = s.arguments ?? [];
    if (s.name === 'joinRaw' && args[0]) return sql(s.span, ' ', rawText(args, build, s));
    const word = Object.hasOwn(joins, s.name) ? joins[s.name] : undefined;
    const [table, ...on] = args;
    if (!word || !table) return [];
    // What only some paths join must not narrow the others.
    const kind = s.when ? word.replace('INNER', 'LEFT') : word;
    const source = tableText(table, build, s, schema);
    if (kind.startsWith('CROSS')) return sql(s.span, ` ${kind} `, source);
    return sql(s.span, ` ${kind} `, source, onText(on, build, s));
  });
}

function onText(args: readonly Value[], build: Build, step: BuilderStep): Frag {
  const [first] = args;
  const { span } = step;
  if (!first) return sql(span, ' ON ', isTrue);
  const value = build.value(first);
  if (value.kind === 'function') {
    const steps = stepsIn(value.function, build);
    const using = steps.find((s) => s.name === 'using')?.arguments?.[0];
    const columns = using && (itemsOf(using, build) ?? [{ value: using }]).map((i) => build.name(i.value, span));
    if (columns) return sql(span, ' USING (', joined(columns, ', ', span), ')');
    return sql(span, ' ON ', clause(steps, 'on', build) ?? isTrue);
  }
  const step_: BuilderStep = { name: 'on', arguments: args, span };
  return sql(span, ' ON ', clause([step_], 'on', build) ?? isTrue);
}

function selectText(steps: readonly BuilderStep[], source: Frag, build: Build, schema: string | undefined): Frag {
  const span = steps[0]?.span ?? build.chain.span;
  const joins_ = joinsText(steps, build, schema);
  const where = clause(steps, 'where', build);
  const having = clause(steps, 'having', build);
  const output = selections(steps, build);
  const distinct = steps.some((s) => s.name === 'distinct' && s.arguments) ? 'DISTINCT ' : '';
  const body = sql(
    span,
    `SELECT ${distinct}`,
    output.length === 0 ? '*' : joined(output, ', ', span),
    source.length === 0 ? [] : sql(span, ' FROM ', source),
    joins_,
    ...(where ? [' WHERE ', where] : []),
    groupText(steps, build),
    ...(having ? [' HAVING ', having] : []),
    orderText(steps, build),
    limitText(steps, build),
  );
  const operations = steps.filter((s) => s.arguments && Object.hasOwn(unions, s.name));
  if (operations.length === 0) return body;
  return operations.reduce<Frag>(
    (before, s) => armsOf(s, build).reduce<Frag>((b, arm) => sql(s.span, b, ` ${unions[s.name]!} `, arm), before),
    sql(span, '(', body, ')'),
  );
}

/** `first()` reads one row, and an earlier limit does not count then. */
function limitText(steps: readonly BuilderStep[], build: Build): string {
  if (steps.some((s) => s.name === 'first' && s.arguments)) return ' LIMIT 1';
  const limit = steps.findLast((s) => s.name === 'limit' && s.arguments)?.arguments?.[0];
  const value = limit && build.value(limit);
  return value?.kind === 'constant' && typeof value.value === 'number' ? ` LIMIT ${value.value}` : '';
}

function armsOf(step: BuilderStep, build: Build): readonly Frag[] {
  const given = (step.arguments ?? []).map((a) => build.value(a));
  const list = given.flatMap((v) => (v.kind === 'list' ? v.of.map((i) => i.value) : [v]));
  return list
    .filter((v) => v.kind !== 'constant')
    .map((v) => inParentheses(madeText(build.value(v), build, step), step));
}

function groupText(steps: readonly BuilderStep[], build: Build): Frag {
  const parts = steps.flatMap((s): readonly Frag[] => {
    if (!s.arguments) return [];
    if (s.name === 'groupByRaw') return [rawText(s.arguments, build, s)];
    return s.name === 'groupBy' ? listed(s.arguments, build).map((v) => columnOf(v, build, s)) : [];
  });
  const span = steps[0]?.span ?? build.chain.span;
  return parts.length > 0 ? sql(span, ' GROUP BY ', joined(parts, ', ', span)) : [];
}

/** The sort keys that are text of the program; others say nothing about rows. */
function orderText(steps: readonly BuilderStep[], build: Build): Frag {
  const parts = steps.flatMap((s): readonly Frag[] => {
    if (!s.arguments || (s.name !== 'orderByRaw' && s.name !== 'orderBy')) return [];
    const written = s.name === 'orderByRaw' ? rawText(s.arguments, build, s) : madeText(s.arguments[0]!, build, s);
    return written && isSpliced(written) ? [written] : [];
  });
  const span = steps[0]?.span ?? build.chain.span;
  return parts.length > 0 ? sql(span, ' ORDER BY ', joined(parts, ', ', span)) : [];
}

const listed = (args: readonly Value[], build: Build): readonly Value[] =>
  args.flatMap((a) => {
    const items = build.value(a).kind === 'list' ? itemsOf(a, build) : undefined;
    return items && items.every((i) => !i.spread) ? items.map((i) => i.value) : [a];
  });

/** What is selected; empty where everything is. */
function selections(given: readonly BuilderStep[], build: Build): readonly Frag[] {
  const cleared = given.findLastIndex((s) => s.name === 'clearSelect');
  return given.slice(cleared + 1).flatMap((s): readonly Frag[] => {
    const args = s.arguments;
    if (!args) return [];
    const aggregate = Object.hasOwn(aggregates, s.name) ? aggregates[s.name] : undefined;
    if (aggregate !== undefined) return [aggregateText(aggregate, args[0], build, s)];
    if (!['select', 'column', 'columns', 'distinct', 'first', 'pluck'].includes(s.name)) return [];
    return columnsText(args, build, s);
  });
}

function aggregateText(name: string, given: Value | undefined, build: Build, step: BuilderStep): Frag {
  const value = given && build.value(given);
  const open = name.includes('(') ? `${name} ` : `${name}(`;
  const entry = value?.kind === 'object' ? value.entries.find((e) => 'set' in e) : undefined;
  const own = entry && 'set' in entry ? entry.value : value;
  const [column, alias] = (own && build.text(own)?.split(/\s+as\s+/i)) ?? [];
  const as = entry && 'set' in entry ? entry.set : alias;
  const inside =
    !own || column === '*'
      ? sql(step.span, '*')
      : column === undefined
        ? columnOf(own, build, step)
        : build.column(column, step.span);
  return sql(step.span, open, inside, ')', as === undefined ? '' : ` AS ${quoted(as)}`);
}

/** Columns by name, `{ alias: 'column' }`, raw text and sub-queries. */
export function columnsText(args: readonly Value[], build: Build, step: BuilderStep): readonly Frag[] {
  return listed(args, build).flatMap((given): readonly Frag[] => {
    const value = build.value(given);
    if (value.kind === 'object')
      return value.entries.flatMap((e) =>
        'set' in e ? [sql(step.span, columnOf(e.value, build, step), ` AS ${quoted(e.set)}`)] : [],
      );
    const made = madeText(value, build, step);
    if (made) return [made];
    const text = build.text(value);
    if (text !== undefined) return [named(text, build, step)];
    return [bind(unknownValue('a selected column that was not followed'), step.span)];
  });
}
