import {
  and,
  column,
  or,
  propertyOf,
  type CallChain,
  type ChainId,
  type Predicate,
  type Step,
  type Target,
  type Value,
} from '@tenant-lint/model';
import { unknownCondition, type Rows } from '../prisma/lowering.js';
import { filterCondition, listCondition } from './filter.js';
import { fieldCondition } from './operators.js';
import { comparisonSteps, operations, querySteps, type Kind } from './operations.js';
import { populated } from './populate.js';
import { projected } from './projection.js';
import { noFilter, type Mongo } from './shapes.js';

/** What a query does once all its steps are taken. */
export interface QueryState {
  readonly method: string;
  readonly kind: Kind;
  readonly condition: Predicate;
  readonly update?: Value;
  readonly options?: Value;
  readonly columns?: readonly string[];
  readonly included: readonly Target[];
}

interface Draft {
  method: string;
  kind: Kind;
  /** Filters that are merged key by key; the later ones win. */
  filters: Value[];
  ands: Predicate[];
  ors: Value[];
  conditions: Predicate[];
  path: Value | undefined;
  update?: Value;
  options?: Value;
  columns?: readonly string[] | undefined;
  included: Target[];
}

/** Takes the steps of a query, the first of which is its operation, in order. */
export function runQuery(steps: readonly Step[], kind: Kind, rows: Rows, l: Mongo): QueryState {
  const draft: Draft = {
    method: steps[0]?.name ?? '',
    kind,
    filters: [],
    ands: [],
    ors: [],
    conditions: [],
    path: undefined,
    included: [],
  };
  for (const step of steps) take(step, draft, rows, l);
  return {
    method: draft.method,
    kind: draft.kind,
    condition: conditionOf(draft, rows, l),
    ...(draft.update ? { update: draft.update } : {}),
    ...(draft.options ? { options: draft.options } : {}),
    ...(draft.columns ? { columns: draft.columns } : {}),
    included: draft.included,
  };
}

function take(step: Step, draft: Draft, rows: Rows, l: Mongo): void {
  const args = step.arguments ?? [];
  const [first, second] = args;
  if (comparisonSteps.has(step.name)) return compare(step, draft, rows, l);
  switch (step.name) {
    case 'where':
      if (!first) return;
      if (l.context.resolve(first).kind === 'constant') {
        draft.path = first;
        if (second) draft.conditions.push(pathCondition(first, second, rows, l));
      } else draft.filters.push(first);
      return;
    case 'and':
      if (first) draft.ands.push(listCondition(first, rows, l, 'and', step.span));
      return;
    case 'or':
      if (first) draft.ors.push(first);
      return;
    case 'nor':
      if (first) draft.ands.push(filterCondition(object('$nor', first), rows, l));
      return;
    case 'merge':
      if (first) draft.filters.push(first);
      return;
    case 'setQuery':
      draft.filters = first ? [first] : [];
      draft.ands = [];
      draft.ors = [];
      draft.conditions = [];
      return;
    case 'populate':
      draft.included.push(...populated(args, rows, l));
      return;
    case 'select':
      draft.columns = first && projected(first, l);
      return;
    case 'setOptions':
      if (first) draft.options = first;
      return;
  }
  const kind = operations[step.name];
  if (!kind) return;
  draft.method = step.name;
  draft.kind = kind;
  const filter = kind.filter === 'id' ? undefined : kind.filter === undefined ? undefined : args[kind.filter];
  if (kind.filter === 'id')
    draft.conditions.push(fieldCondition(rows, '_id', first ?? { kind: 'undefined' }, l, step.span));
  else if (filter) draft.filters.push(filter);
  if (kind.projection !== undefined && args[kind.projection]) {
    const columns = projected(args[kind.projection]!, l);
    if (columns) draft.columns = columns;
  }
  if (kind.update !== undefined && args[kind.update]) draft.update = args[kind.update]!;
  if (kind.options !== undefined && args[kind.options]) {
    draft.options = args[kind.options]!;
    const populate = propertyOf(draft.options, 'populate');
    if (populate.kind === 'constant' || populate.kind === 'object' || populate.kind === 'list')
      draft.included.push(...populated([populate], rows, l));
  }
  if (step.name === 'distinct' && first?.kind === 'constant') draft.columns = [String(first.value)];
  if (step.name === 'exists') draft.columns = ['_id'];
}

const object = (name: string, value: Value): Value => ({ kind: 'object', entries: [{ set: name, value }] });

/** `.where('orgId').equals(x)`, `.gt('total', 3)`. */
function compare(step: Step, draft: Draft, rows: Rows, l: Mongo): void {
  const args = step.arguments ?? [];
  const isPath = args.length > 1 && step.name !== 'mod';
  const path = isPath ? args[0] : draft.path;
  const value = isPath ? args[1] : (args[0] ?? ({ kind: 'constant', value: true } as const));
  if (!path || !value) return;
  const plain = step.name === 'equals' || step.name === 'eq';
  draft.conditions.push(pathCondition(path, plain ? value : object(`$${step.name}`, value), rows, l));
}

function pathCondition(path: Value, value: Value, rows: Rows, l: Mongo): Predicate {
  const name = path.kind === 'constant' ? path : l.context.resolve(path);
  if (name.kind !== 'constant') return unknownCondition('a path is computed', l.span);
  return filterCondition(object(String(name.value), value), rows, l);
}

function conditionOf(draft: Draft, rows: Rows, l: Mongo): Predicate {
  const { filters } = draft;
  const [only] = filters;
  const merged: Value =
    filters.length > 1
      ? { kind: 'object', entries: filters.map((spread) => ({ spread })) }
      : (only ?? { kind: 'undefined' });
  const parts = [...draft.conditions, ...draft.ands];
  if (draft.ors.length === 0) return and(filters.length === 0 ? noFilter : filterCondition(merged, rows, l), ...parts);
  // The alternatives of `.or()` go to those that the filter has already.
  const own = filters.length === 0 ? undefined : propertyOf(l.context.resolve(merged), '$or');
  const given = draft.ors.map((v) => listCondition(v, rows, l, 'or', l.span));
  if (own === undefined || own.kind === 'undefined')
    return and(filters.length === 0 ? noFilter : filterCondition(merged, rows, l), ...parts, or(...given));
  const rest: Value = {
    kind: 'object',
    entries: [{ spread: merged }, { set: '$or', value: { kind: 'list', of: [] } }],
  };
  const without = filterCondition(rest, rows, l);
  return and(without, ...parts, or(listCondition(own, rows, l, 'or', l.span), ...given));
}

/** A document that is surely one row: the column is `_id`. */
export const idOf = (rows: Rows): Value => column(rows.ref, '_id');

/** The chains that go on with a query that is kept in a variable, in source order, and whether every path takes them. */
export function continuations(
  root: CallChain,
  chains: readonly CallChain[],
): readonly { chain: CallChain; sure: boolean }[] {
  const members = new Set<ChainId>([root.id]);
  const found: { chain: CallChain; sure: boolean }[] = [];
  for (const chain of chains) {
    if (chain === root || chain.function !== root.function || chain.span.start < root.span.start) continue;
    const [step] = chain.steps;
    if (!step?.arguments || !querySteps.has(step.name)) continue;
    if (!continued(chain.receiver).some((id) => members.has(id))) continue;
    members.add(chain.id);
    found.push({ chain, sure: chain.block === root.block });
  }
  return found;
}

/** The chains whose result a value may be. */
export function continued(value: Value): readonly ChainId[] {
  switch (value.kind) {
    case 'result':
      return value.path.length === 0 ? [value.chain] : [];
    case 'choice':
      return value.of.flatMap(continued);
    case 'missing-able':
      return continued(value.of);
    default:
      return [];
  }
}
