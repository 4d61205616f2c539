import {
  always,
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
import { expression } from './expression.js';
import { callOf, chainOf, functionCall, joins, selectStarts, setFunctions, type Call } from './names.js';
import { columnName, identify, Scope, tableSource, unknownTable, withPath, type Build, type Source } from './scope.js';

/** A select: its steps from `select` on. */
export interface Builder {
  readonly steps: readonly BuilderStep[];
  readonly call: Call;
  readonly span: Span;
}

/** What a select reaches and gives. */
export interface Selection {
  readonly targets: readonly Target[];
  readonly condition: Predicate;
  readonly output: readonly Value[];
  field(path: readonly string[]): Value;
  readonly arms?: readonly Query[];
}

/** The select that a value is: a chain that starts with one, or a set function over several. */
export function builderOf(value: Value, scope: Scope): Builder | undefined {
  const chain = chainOf(value, scope.context);
  if (!chain) return undefined;
  const call = callOf(chain);
  const steps = stepsOf(call, scope.context);
  const start = steps.findIndex((s) => selectStarts.has(s.name) && s.arguments);
  if (start >= 0 && steps.slice(start).some((s) => s.name === 'from'))
    return { steps: steps.slice(start), call, span: chain.span };
  const f = functionCall(call, scope.context, scope.isOperators);
  return f && setFunctions.has(f.name) ? { steps: call.steps, call, span: chain.span } : undefined;
}

/** A select in the place of an expression or condition. */
export function lowerQuery(builder: Builder, outer: Scope): Query {
  const selection = lowerSelect(builder, outer, 'subquery');
  return {
    targets: selection.targets,
    condition: selection.condition,
    output: selection.output,
    ...(selection.arms ? { arms: selection.arms } : {}),
    span: builder.span,
  };
}

/** `db.$count(table, filter)` as a query. */
export function countOf(call: Call, scope: Scope): Query | undefined {
  const at = call.steps.findIndex((s) => s.name === '$count' && s.arguments);
  const [table, filter] = call.steps[at]?.arguments ?? [];
  if (!table) return undefined;
  const inner = new Scope(scope.build, scope);
  const targets = addSource(table, inner, 'subquery', call.chain.span);
  const condition = lowerWhere(filter, inner);
  return {
    targets: targets.map((t) => ({ ...t, predicate: condition, columns: [] })),
    condition,
    output: [{ kind: 'apply', function: 'count', to: [] }],
    span: call.chain.span,
  };
}

/** Lowers a select with its joins, sub-queries, set operations; `role` is that of its first target. */
export function lowerSelect(
  builder: Builder,
  outer: Scope | undefined,
  role: Target['role'],
  build?: Build,
): Selection {
  const shared = outer?.build ?? build!;
  const f = functionCall(builder.call, shared.context);
  if (f && setFunctions.has(f.name) && !selectStarts.has(builder.steps[0]?.name ?? '')) {
    return unite(
      f.name,
      f.arguments.map((a) => armOf(a, shared, outer, role)),
      builder.span,
    );
  }
  const scope = new Scope(shared, outer);
  const drafts: { target: Target; on: Predicate[] }[] = [];
  const add = (value: Value, as: Target['role'], span: Span): { target: Target; on: Predicate[] }[] => {
    const added = addSource(value, scope, as, span).map((target) => ({ target, on: [target.predicate] }));
    drafts.push(...added);
    return added;
  };
  const from = builder.steps.find((s) => s.name === 'from');
  if (from?.arguments?.[0]) add(from.arguments[0], role, from.span);
  // Conditions that hold for every row of what is joined so far.
  let left: Predicate[] = [];
  for (const step of builder.steps) {
    const kind = joins[step.name];
    const table = step.arguments?.[0];
    if (!kind || !table) continue;
    const before = [...drafts];
    const added = add(table, 'join', step.span);
    const on = kind === 'cross' ? always('no condition') : lowerWhere(step.arguments?.[1], scope);
    if (kind === 'inner' || kind === 'cross' || kind === 'right') for (const draft of before) draft.on.push(on);
    if (kind === 'inner' || kind === 'cross') left = [...left, on];
    for (const draft of added) if (kind === 'left') draft.on.push(...left, on);
    for (const draft of added) if (kind === 'inner' || kind === 'cross') draft.on.push(...left);
    if (kind === 'right' || kind === 'full') left = [];
  }
  const where = whereOf(builder.steps, scope);
  const fields = fieldsOf(builder.steps, scope);
  const shown = columnsOf(fields, scope);
  const targets = drafts.map(({ target, on }): Target => {
    const columns =
      shown && !(target.role === 'subquery' || target.role === 'cte') ? (shown.get(target.ref) ?? []) : target.columns;
    const predicate = and(where, ...on);
    const { columns: _all, ...rest } = target;
    return { ...rest, predicate: withVacuous(predicate, where), ...(columns ? { columns } : {}) };
  });
  const selection: Selection = {
    targets,
    condition: and(where, ...new Set(drafts.flatMap((d) => d.on))),
    output: fields ? [...fields.values()].map((v) => expression(v, scope)) : [],
    field: fieldReader(fields, scope),
  };
  const arms = builder.steps.flatMap((s) =>
    setFunctions.has(s.name) && s.arguments?.[0] ? [armOf(s.arguments[0], shared, outer, 'union-arm')] : [],
  );
  return arms.length === 0 ? selection : unite('union', [selection, ...arms], builder.span);
}

const withVacuous = (predicate: Predicate, where: Predicate): Predicate =>
  predicate.kind === 'always' && where.kind === 'always' ? where : predicate;

/** The where that counts: a later one replaces an earlier one; one that only some paths add is one of two conditions. */
export function whereOf(steps: readonly BuilderStep[], scope: Scope): Predicate {
  let result: Predicate = always('no condition');
  let last: { test: Value; before: Predicate } | undefined;
  for (const step of steps) {
    if (step.name !== 'where' || !step.arguments) continue;
    const next = lowerWhere(step.arguments[0], scope);
    if (!step.when) {
      result = next;
      last = undefined;
      continue;
    }
    const otherBranch: boolean = last !== undefined && isNegation(step.when, last.test);
    if (otherBranch && result.kind !== 'always') {
      const first: Predicate =
        result.kind === 'optional' ? result.of : result.kind === 'either' ? (result.of[0] ?? result) : result;
      result = { kind: 'either', of: [first, next], test: last!.test };
    } else {
      last = { test: step.when, before: result };
      result =
        result.kind === 'always'
          ? {
              kind: 'optional',
              of: next,
              on: step.when,
              otherwise: result,
              why: 'the condition is added on some paths only',
            }
          : { kind: 'either', of: [next, result], test: step.when };
    }
  }
  return result;
}

const opposites: Readonly<Record<string, string>> = { '===': '!==', '!==': '===', '==': '!=', '!=': '==' };
const isNegation = (a: Value, b: Value): boolean => {
  const same = (x: Value, y: Value | undefined): boolean => y !== undefined && JSON.stringify(x) === JSON.stringify(y);
  if (a.kind === 'apply' && a.function === '!' && same(b, a.to[0])) return true;
  if (b.kind === 'apply' && b.function === '!' && same(a, b.to[0])) return true;
  return (
    a.kind === 'apply' &&
    b.kind === 'apply' &&
    opposites[a.function] === b.function &&
    JSON.stringify(a.to) === JSON.stringify(b.to)
  );
};

function armOf(value: Value, build: Build, outer: Scope | undefined, role: Target['role']): Selection {
  const builder = builderOf(value, outer ?? new Scope(build));
  if (builder) return lowerSelect(builder, outer, role, build);
  const target: Target = {
    ref: build.ref(),
    table: unknownTable('an arm of the union that was not followed'),
    role,
    operation: 'read',
    predicate: { kind: 'unknown', reason: 'not followed' },
    cardinality: 'many',
    span: build.span,
  };
  return {
    targets: [target],
    condition: target.predicate,
    output: [],
    field: () => unknownValue('a column of a union'),
  };
}

function unite(_name: string, arms: readonly Selection[], span: Span): Selection {
  const [first, ...others] = arms;
  const targets = arms.flatMap((arm, i) =>
    arm.targets.map((t): Target => (i > 0 && t.role === 'root' ? { ...t, role: 'union-arm' } : t)),
  );
  const query = (s: Selection): Query => ({
    targets: s.targets,
    condition: s.condition,
    output: s.output,
    ...(s.arms ? { arms: s.arms } : {}),
    span,
  });
  return {
    targets,
    condition: first?.condition ?? always('no condition'),
    output: first?.output ?? [],
    field: first?.field ?? (() => unknownValue('a column of a union')),
    arms: [...(first ? [query(first)] : []), ...others.map(query)],
  };
}

/**
 * Brings what a value names into scope, and returns the targets it reaches: one for a table or alias, those inside for a sub-query or
 * common table expression, whose columns then are what it selects.
 */
export function addSource(
  value: Value,
  scope: Scope,
  role: Target['role'],
  span: Span,
  operation: Target['operation'] = 'read',
): readonly Target[] {
  const { build, context } = scope;
  const named = identify(value, context);
  if (named && !named.table) {
    const inner = subSelection(value, scope);
    if (inner) {
      scope.sources.push({
        key: named.key,
        table: unknownTable('a sub-query'),
        name: inner.name,
        field: inner.selection.field,
      });
      return inner.selection.targets;
    }
  }
  const ref = build.ref();
  const plain = { ref, role, operation, predicate: always('no condition'), cardinality: 'many' as const, span };
  if (!named?.table) {
    return [{ ...plain, table: unknownTable('the table was not found') }];
  }
  const chain = named.chain === undefined ? undefined : context.chain(named.chain);
  const alias = chain && functionCall(callOf(chain), context)?.arguments[1];
  const aliasName = alias?.kind === 'constant' ? String(alias.value) : undefined;
  // The same table twice without an alias is not possible; an alias has a key of its own.
  const source: Source = tableSource(named.key, named.table, ref, context, aliasName);
  scope.sources.push(source);
  return [{ ...plain, table: named.table, ...(aliasName === undefined ? {} : { alias: aliasName }) }];
}

/** The select behind `.as('name')` or `$with('name').as(...)`. */
function subSelection(value: Value, scope: Scope): { name: string; selection: Selection } | undefined {
  const chain = chainOf(value, scope.context);
  if (!chain) return undefined;
  return scope.build.guard(
    `sub:${chain.id}`,
    () => {
      const call = callOf(chain);
      const withStep = call.steps.find((s) => s.name === '$with');
      const as = call.steps.findLast((s) => s.name === 'as' && s.arguments);
      const name = constantText((withStep ?? as)?.arguments?.[0]) ?? 'sub-query';
      if (!withStep) {
        const builder = builderOf(value, scope);
        return builder && { name, selection: lowerSelect(builder, scope, 'subquery') };
      }
      const inner = as?.arguments?.[0];
      const query = inner?.kind === 'function' ? scope.context.function(inner.function)?.returns[0]?.value : inner;
      const builder = query && builderOf(query, scope);
      return builder && { name, selection: lowerSelect(builder, scope, 'cte') };
    },
    undefined,
  );
}

const constantText = (value: Value | undefined): string | undefined =>
  value?.kind === 'constant' ? String(value.value) : undefined;

/** The selected fields by name; undefined where all columns are selected, or what is selected is not known. */
function fieldsOf(steps: readonly Step[], scope: Scope): Map<string, Value> | undefined {
  const step = steps.find((s) => selectStarts.has(s.name));
  const given = step?.name === 'selectDistinctOn' ? step.arguments?.[1] : step?.arguments?.[0];
  if (!given) return undefined;
  const resolved = given.kind === 'object' ? given : scope.context.resolve(given);
  if (resolved.kind !== 'object') return undefined;
  const fields = new Map<string, Value>();
  for (const entry of resolved.entries) {
    if (!('set' in entry)) return undefined;
    fields.set(entry.set, entry.value);
  }
  return fields;
}

function fieldReader(fields: Map<string, Value> | undefined, scope: Scope): (path: readonly string[]) => Value {
  return (path) => {
    const [name, ...rest] = path;
    if (name === undefined) return unknownValue('a whole row');
    if (!fields) {
      const only = scope.sources.length === 1 ? scope.sources[0] : scope.sources.find((s) => s.name === name);
      const inner = scope.sources.length === 1 ? path : rest;
      if (!only || inner[0] === undefined) return unknownValue(`column ${name} of a sub-query`);
      if (only.field) return only.field(inner);
      return {
        kind: 'column',
        ...(only.ref === undefined ? {} : { target: only.ref }),
        column: columnName(only.known, inner[0]),
      };
    }
    const value = fields.get(name);
    return value
      ? expression(rest.length > 0 ? withPath(value, rest) : value, scope)
      : unknownValue(`column ${name} of a sub-query`);
  };
}

/** Which columns of each target are selected; undefined where all are. A target that no field names gives none. */
function columnsOf(fields: Map<string, Value> | undefined, scope: Scope): Map<string, readonly string[]> | undefined {
  if (!fields) return undefined;
  const found = new Map<string, string[]>();
  const visit = (value: Value): boolean => {
    if (value.kind === 'object') return value.entries.every((e) => 'set' in e && visit(e.value));
    if (scope.source(value)) return false;
    return collect(expression(value, scope));
  };
  const collect = (value: Value): boolean => {
    if (value.kind === 'column') {
      if (value.target === undefined) return value.candidates === undefined;
      found.set(value.target, [...new Set([...(found.get(value.target) ?? []), value.column])]);
      return true;
    }
    if (value.kind === 'apply') return value.to.every(collect);
    if (value.kind === 'query') {
      scope.build.extra.push(...value.query.targets);
      return true;
    }
    return value.kind === 'constant' || value.kind === 'predicate' || value.kind === 'choice';
  };
  let complete = true;
  for (const value of fields.values()) complete = visit(value) && complete;
  return complete ? found : undefined;
}
