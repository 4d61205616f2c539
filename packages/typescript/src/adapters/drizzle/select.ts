import {
  and,
  unknownValue,
  type Predicate,
  type Query,
  type Span,
  type Step,
  type Target,
  type Value,
} from '@tenant-lint/model';
import { stepsOf, type BuilderStep } from './builder.js';
import { lowerWhere } from './condition.js';
import {
  combine,
  conjunctsOf,
  draft,
  targetOf,
  type Conjunct,
  type Draft,
  type Joined,
  type JoinKind,
  type Leaf,
} from './joins.js';
import type { Call } from '../query-text/calls.js';
import { callOf, chainOf, functionCall, joins, selectStarts, setFunctions } from './names.js';
import { identify, Scope, tableSource, unknownTable, type Build } from './scope.js';
import { fieldReader, fieldsOf, isAggregate, outputOf, type OutputItem } from './output.js';
import { whereOf } from './where.js';

/** A select: its steps from `select` on. */
export interface Builder {
  readonly steps: readonly BuilderStep[];
  readonly call: Call;
  readonly span: Span;
}

/** What a select reaches and gives. */
export interface Rows extends Leaf {
  readonly output: readonly OutputItem[];
  field(path: readonly string[]): Value;
  /** Of a set operation: its sides, where both add rows. */
  readonly arms?: readonly Rows[];
  /** One row even where nothing matches: an aggregate without groups. */
  readonly single?: boolean;
}

/** The select that a value is: a chain that starts with one, or a set function over several. */
export function builderOf(value: Value, scope: Scope): Builder | undefined {
  const chain = chainOf(value, scope.context);
  // What was awaited is rows, not a query.
  if (!chain || chain.awaited || (value.kind === 'result' && scope.context.chain(value.chain)?.awaited))
    return undefined;
  const call = callOf(chain);
  const steps = stepsOf(call, scope.context);
  const start = steps.findIndex((s) => selectStarts.has(s.name) && s.arguments);
  if (start >= 0 && steps.slice(start).some((s) => s.name === 'from'))
    return { steps: steps.slice(start), call, span: chain.span };
  const f = functionCall(call, scope.context, scope.isOperators);
  return f && setFunctions.has(f.name) ? { steps: call.steps, call, span: chain.span } : undefined;
}

/** A select in the place of an expression or condition; its targets are targets of the access too. */
export function lowerQuery(builder: Builder, outer: Scope): Query {
  const rows = lowerSelect(builder, outer.build, outer, 'subquery');
  outer.build.subs.push(...rows.drafts);
  return queryOf(rows, builder.span);
}

function queryOf(rows: Rows, span: Span): Query {
  if (rows.arms) {
    const arms = rows.arms.map((a) => queryOf(a, span));
    const [first] = arms;
    if (first) return { targets: [], condition: first.condition, output: first.output, arms, span };
  }
  const dropped = new Set(rows.optional);
  return {
    targets: rows.own.filter((d) => !dropped.has(d.target.ref)).map(targetOf),
    condition: and(...rows.exposed.map((c) => c.predicate)),
    output: rows.output.map((o) => ('star' in o ? { kind: 'column', target: o.star, column: '*' } : o.value)),
    span,
  };
}

/** `db.$count(table, filter)`. */
export function lowerCountRows(
  call: Call,
  build: Build,
  outer: Scope | undefined,
  role: Target['role'],
): Rows | undefined {
  const step = call.steps.find((s) => s.name === '$count' && s.arguments);
  const [table, filter] = step?.arguments ?? [];
  if (!table) return undefined;
  const scope = new Scope(build, outer);
  const leaf = addSource(table, scope, role, call.chain.span);
  const { predicate, subs } = collecting(build, () => lowerWhere(filter, scope));
  const level = combine([{ leaf, kind: 'inner', on: [] }], conjunctsOf(predicate, subs), [], vacuousOf(predicate));
  return {
    ...level,
    output: [{ value: { kind: 'apply', function: 'count', to: [] } }],
    field: () => unknownValue('a count'),
    single: true,
  };
}

/** `db.$count(table, filter)` as an expression. */
export function countOf(call: Call, scope: Scope): Query | undefined {
  const rows = lowerCountRows(call, scope.build, scope, 'subquery');
  if (!rows) return undefined;
  scope.build.subs.push(...rows.drafts);
  return queryOf(rows, call.chain.span);
}

/** Lowers a select with its joins, sub-queries and set operations; `role` is that of its first target. */
export function lowerSelect(builder: Builder, build: Build, outer: Scope | undefined, role: Target['role']): Rows {
  const armRole: Target['role'] = role === 'root' ? 'union-arm' : role;
  const f = functionCall(builder.call, build.context);
  if (f && setFunctions.has(f.name) && !selectStarts.has(builder.steps[0]?.name ?? '')) {
    return unite(
      f.name,
      f.arguments.map((a) => armOf(a, build, outer, armRole)),
    );
  }
  const operations = builder.steps.filter((s) => setFunctions.has(s.name) && s.arguments?.[0]);
  const rows = lowerPlain(builder, build, outer, operations.length > 0 ? armRole : role);
  return operations.reduce((left, s) => unite(s.name, [left, armOf(s.arguments![0]!, build, outer, armRole)]), rows);
}

function lowerPlain(builder: Builder, build: Build, outer: Scope | undefined, role: Target['role']): Rows {
  const scope = new Scope(build, outer);
  const items: Joined[] = [];
  const joinRole: Target['role'] = role === 'root' || role === 'union-arm' ? 'join' : role;
  for (const step of builder.steps) {
    const table = step.arguments?.[0];
    const join = joins[step.name];
    if (!table || !(join || step.name === 'from')) continue;
    const leaf = addSource(table, scope, join ? joinRole : role, step.span);
    items.push(join ? { leaf, ...onOf(step, join, scope) } : { leaf, kind: 'inner', on: [] });
  }
  const where = collecting(build, () => whereOf(builder.steps, 'where', scope));
  const having = collecting(build, () => whereOf(builder.steps, 'having', scope));
  const fields = fieldsOf(builder.steps, scope);
  // In the fields of a query on one table, Drizzle writes the columns of a template without the table's name.
  scope.bareColumns = items.length === 1;
  const { predicate: output, subs } = collecting(build, () => outputOf(fields, scope));
  scope.bareColumns = false;
  const conditions: readonly Conjunct[] = [
    ...conjunctsOf(where.predicate, where.subs),
    ...conjunctsOf(having.predicate, having.subs),
  ];
  const level = combine(items, conditions, subs, vacuousOf(where.predicate));
  const grouped = builder.steps.some((s) => s.name === 'groupBy');
  const single = !grouped && output.some((o) => 'value' in o && isAggregate(o.value));
  return { ...level, output, field: fieldReader(fields, scope), ...(single ? { single } : {}) };
}

function onOf(
  step: Step,
  join: NonNullable<(typeof joins)[string]>,
  scope: Scope,
): { kind: JoinKind; on: readonly Conjunct[] } {
  if (join === 'cross') return { kind: 'inner', on: [] };
  const { predicate, subs } = collecting(scope.build, () => lowerWhere(step.arguments?.[1], scope));
  return { kind: join, on: conjunctsOf(predicate, subs) };
}

const vacuousOf = (predicate: Predicate): string | undefined =>
  predicate.kind === 'always' ? predicate.why : undefined;

/** Runs `lower` and returns, beside its result, the targets of the sub-queries that it met. */
export function collecting<T>(build: Build, lower: () => T): { predicate: T; subs: readonly Draft[] } {
  const before = build.subs;
  build.subs = [];
  try {
    return { predicate: lower(), subs: build.subs };
  } finally {
    build.subs = before;
  }
}

function armOf(value: Value, build: Build, outer: Scope | undefined, role: Target['role']): Rows {
  const builder = builderOf(value, outer ?? new Scope(build));
  if (builder) return lowerSelect(builder, build, outer, role);
  const one = draft({
    ref: build.ref(),
    table: unknownTable('an arm of the union that was not followed'),
    role,
    operation: 'read',
    cardinality: 'many',
    span: build.span,
  });
  one.conditions.push({ kind: 'unknown', reason: 'an arm of the union that was not followed' });
  return {
    drafts: [one],
    own: [one],
    exposed: [],
    optional: [],
    output: [],
    field: () => unknownValue('a column of a union'),
  };
}

/** The rows of a set operation. Only UNION's right side adds rows; that of INTERSECT and EXCEPT is read all the same. */
function unite(name: string, parts: readonly Rows[]): Rows {
  const [first] = parts;
  const adds = name.startsWith('union');
  const all: Leaf = {
    drafts: parts.flatMap((p) => p.drafts),
    own: parts.flatMap((p) => p.own),
    exposed: [],
    optional: parts.flatMap((p) => p.optional),
  };
  return {
    ...all,
    output: adds ? parts.flatMap((p) => p.output) : (first?.output ?? []),
    field: () => unknownValue('a column of a union'),
    ...(adds ? { arms: parts.flatMap((p) => p.arms ?? [p]) } : first ? { own: first.own } : {}),
  };
}

/**
 * Brings what a value names into scope: a table or alias with a target of its own; or a sub-query or common table expression, whose
 * columns then are what it selects.
 */
export function addSource(
  value: Value,
  scope: Scope,
  role: Target['role'],
  span: Span,
  operation: Target['operation'] = 'read',
): Leaf {
  const { build, context } = scope;
  const named = identify(value, context);
  const inner = named && !named.table ? subSelection(value, scope) : undefined;
  if (named && inner) {
    const { rows, name } = inner;
    scope.sources.push({
      key: named.key,
      table: unknownTable('a sub-query'),
      name,
      field: rows.field,
      output: rows.output,
    });
    const optional = rows.single ? rows.own.map((d) => d.target.ref) : rows.optional;
    return { drafts: rows.drafts, own: rows.own, exposed: rows.single ? [] : rows.exposed, optional };
  }
  const ref = build.ref();
  const table = named?.table ?? unknownTable('the table was not found');
  const chain = named?.chain === undefined ? undefined : context.chain(named.chain);
  const given = chain && functionCall(callOf(chain), context)?.arguments[1];
  const alias = given?.kind === 'constant' ? String(given.value) : undefined;
  scope.sources.push(tableSource(named?.key ?? ref, table, ref, context, alias));
  const one = draft({
    ref,
    role,
    operation,
    cardinality: 'many',
    span,
    table,
    ...(alias === undefined ? {} : { alias }),
  });
  return { drafts: [one], own: [one], exposed: [], optional: [] };
}

/** The select behind `.as('name')` or `$with('name').as(...)`. */
function subSelection(value: Value, scope: Scope): { name: string; rows: Rows } | undefined {
  const chain = chainOf(value, scope.context);
  if (!chain) return undefined;
  const lower = (): { name: string; rows: Rows } | undefined => {
    const { steps } = callOf(chain);
    const withStep = steps.find((s) => s.name === '$with');
    const as = steps.findLast((s) => s.name === 'as' && s.arguments);
    const first = (withStep ?? as)?.arguments?.[0];
    const name = first?.kind === 'constant' ? String(first.value) : 'sub-query';
    const inner = withStep ? queryIn(as?.arguments?.[0], scope) : value;
    const builder = inner && builderOf(inner, scope);
    return builder && { name, rows: lowerSelect(builder, scope.build, scope.parent, withStep ? 'cte' : 'subquery') };
  };
  return scope.build.guard(`sub:${chain.id}`, lower, undefined);
}

/** A query given as such or as `(qb) => qb.select()...`. */
export const queryIn = (value: Value | undefined, scope: Scope): Value | undefined =>
  value?.kind === 'function' ? scope.context.function(value.function)?.returns[0]?.value : value;
