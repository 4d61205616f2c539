import {
  constant,
  equal,
  mapPredicate,
  mapValue,
  unknownValue,
  type Entry,
  type Operation,
  type Table,
  type Value,
  type Writes,
} from '@tenant-lint/model';
import type { BuilderStep } from './builder.js';
import { itemsOf, lowerWhere } from './condition.js';
import { expression } from './expression.js';
import { combine, conjunctsOf, type Draft, type Joined, type Leaf } from './joins.js';
import { splitPath, type Call } from '../query-text/calls.js';
import { joins } from './names.js';
import { addSource, builderOf, collecting, lowerSelect, queryIn } from './select.js';
import type { OutputItem } from './output.js';
import { columnName, Scope, unknownTable, type Build } from './scope.js';
import { whereOf } from './where.js';

/** What a write reaches: the targets, and which columns come back. */
export interface Written {
  readonly drafts: readonly Draft[];
  readonly output: readonly OutputItem[];
}

/** Lowers `insert(T)`, `update(T)` and `delete(T)` from that step on. */
export function lowerWrite(steps: readonly BuilderStep[], build: Build, call: Call): Written {
  const [start] = steps;
  const table = start?.arguments?.[0];
  if (!start || !table) return { drafts: [], output: [] };
  const scope = new Scope(build);
  const operation: Operation = start.name === 'insert' ? 'create' : start.name === 'update' ? 'update' : 'delete';
  const leaf = addSource(table, scope, 'root', call.chain.span, operation);
  return operation === 'create' ? insert(steps, leaf, scope) : change(steps, leaf, scope);
}

function change(steps: readonly BuilderStep[], root: Leaf, scope: Scope): Written {
  const { build } = scope;
  const items: Joined[] = [{ leaf: root, kind: 'inner', on: [] }];
  for (const step of steps) {
    const table = step.arguments?.[0];
    const join = joins[step.name];
    if (!table || !(join || step.name === 'from')) continue;
    const leaf = addSource(table, scope, 'join', step.span);
    const on = join && join !== 'cross' ? collecting(build, () => lowerWhere(step.arguments?.[1], scope)) : undefined;
    items.push({
      leaf,
      kind: join && join !== 'cross' ? join : 'inner',
      on: on ? conjunctsOf(on.predicate, on.subs) : [],
    });
  }
  const where = collecting(build, () => whereOf(steps, 'where', scope));
  const set = steps.findLast((s) => s.name === 'set')?.arguments?.[0];
  const rest = collecting(build, () => ({
    writes: set && writesOf(set, scope, root),
    output: returning(steps, scope, root),
  }));
  const vacuous = where.predicate.kind === 'always' ? where.predicate.why : undefined;
  const level = combine(items, conjunctsOf(where.predicate, where.subs), rest.subs, vacuous);
  const { writes } = rest.predicate;
  const output = [...rest.predicate.output, ...written(writes)];
  return {
    drafts: writes
      ? level.drafts.map((d) => (root.own.includes(d) ? { ...d, target: { ...d.target, writes } } : d))
      : level.drafts,
    output,
  };
}

/** What another row gets is shown there; a value that is not known is no column of this query. */
const written = (writes: Writes | undefined): readonly OutputItem[] =>
  Object.values(writes?.set ?? {}).map((value) => ({
    value: mapValue(value, (v) => (v.kind === 'unknown' ? constant(null) : v)),
  }));

function insert(steps: readonly BuilderStep[], root: Leaf, scope: Scope): Written {
  const { build } = scope;
  const [own] = root.own;
  if (!own) return { drafts: root.drafts, output: [] };
  own.vacuous = 'a new row';
  const values = steps.findLast((s) => s.name === 'values')?.arguments?.[0];
  const source = queryIn(steps.findLast((s) => s.name === 'select')?.arguments?.[0], scope);
  const builder = !values && source ? builderOf(source, scope) : undefined;
  const rows = builder && lowerSelect(builder, build, scope, 'subquery');
  const { predicate: writes, subs } = collecting(build, (): Writes | undefined =>
    values
      ? writesOf(values, scope, root)
      : rows && builder
        ? selectedWrites(builder.steps, scope, root, rows.field)
        : source
          ? { set: {}, open: true }
          : undefined,
  );
  if (rows && !rows.single) own.conditions.push(...rows.exposed.map((c) => c.predicate));
  const upsert = conflict(steps, writes, scope, own, root);
  const result = collecting(build, () => returning(steps, scope, root));
  const target: Draft['target'] = { ...own.target, ...(writes ? { writes } : {}), ...upsert.target };
  const made: Draft = { ...own, target };
  return {
    drafts: [made, ...(rows?.drafts ?? []), ...subs, ...upsert.subs, ...result.subs],
    output: [...result.predicate, ...(rows?.output ?? []), ...written(writes), ...written(upsert.target.updates)],
  };
}

/** The reference of the row that was to be inserted, until its columns are replaced by what was written. */
const excluded = 'excluded';

const mapWrites = (writes: Writes, f: (value: Value) => Value): Writes => ({
  ...writes,
  set: Object.fromEntries(Object.entries(writes.set).map(([name, value]) => [name, mapValue(value, f)])),
});

/** ON CONFLICT DO UPDATE: the rows it overwrites are those that equal the new one in the arbiter and pass its condition. */
function conflict(
  steps: readonly BuilderStep[],
  writes: Writes | undefined,
  scope: Scope,
  own: Draft,
  root: Leaf,
): { target: Partial<Draft['target']>; subs: readonly Draft[] } {
  const config = steps.findLast((s) => s.name === 'onConflictDoUpdate' || s.name === 'onDuplicateKeyUpdate')
    ?.arguments?.[0];
  if (!config) return { target: {}, subs: [] };
  const option = (name: string): Value | undefined => {
    const value = propertyIn(config, name, scope);
    return value.kind === 'undefined' ? undefined : value;
  };
  const set = option('set');
  // `excluded` in templates is the row that was to be inserted.
  const inner = new Scope(scope.build, scope);
  inner.sources.push({ key: 'excluded', table: unknownTable('the new row'), ref: excluded, name: 'excluded' });
  const newRow = (column: string): Value => writes?.set[column] ?? unknownValue(`value of ${column} in the new row`);
  const resolved = (value: Value): Value =>
    value.kind === 'column' && value.target === excluded ? newRow(value.column) : value;
  const arbiter = conflictOf(option('target'), scope);
  const { predicate: done, subs } = collecting(scope.build, () => ({
    updates: set && writesOf(set, inner, root),
    conditions: [option('targetWhere'), option('setWhere') ?? option('where')].flatMap((w) =>
      w ? [mapPredicate(lowerWhere(w, inner), resolved)] : [],
    ),
  }));
  for (const column of arbiter.conflict ?? []) {
    own.conditions.push(equal({ kind: 'column', target: own.target.ref, column }, newRow(column)));
  }
  if (!arbiter.conflict) own.conditions.push({ kind: 'unknown', reason: 'conflict on any constraint' });
  own.conditions.push(...done.conditions.flatMap((p) => (p.kind === 'always' ? [] : p.kind === 'and' ? p.of : [p])));
  const updates = done.updates && mapWrites(done.updates, resolved);
  return { target: { operation: 'upsert', ...(updates ? { updates } : {}), ...arbiter }, subs };
}

function conflictOf(value: Value | undefined, scope: Scope): { conflict?: readonly string[] } {
  if (!value) return {};
  const items = value.kind === 'list' ? value.of.map((i) => i.value) : [value];
  const columns = items.map((v) => scope.column(v));
  return columns.every((c) => c?.kind === 'column')
    ? { conflict: columns.map((c) => (c?.kind === 'column' ? c.column : '')) }
    : {};
}

/** The columns that RETURNING gives back. */
function returning(steps: readonly BuilderStep[], scope: Scope, root: Leaf): readonly OutputItem[] {
  const step = steps.findLast((s) => s.name === 'returning');
  if (!step) return [];
  const given = step.arguments?.[0];
  const all = root.own.map((d): OutputItem => ({ star: d.target.ref }));
  if (!given) return all;
  const resolved = given.kind === 'object' ? given : scope.context.resolve(given);
  if (resolved.kind !== 'object') return all;
  return resolved.entries.flatMap((e) => ('set' in e ? [{ value: expression(e.value, scope) }] : all));
}

/** The columns that an object, or a list of objects, sets. A column that not every row sets may be undefined. */
function writesOf(value: Value, scope: Scope, root: Leaf): Writes {
  const rows = rowsOf(value, scope, 0);
  if (!rows) return { set: {}, open: true, rest: { of: [value], except: [] } };
  const parts = rows.map((row) => objectWrites(row, scope, root));
  const [first] = parts;
  if (parts.length <= 1) return first ?? { set: {}, open: false };
  const names = new Set(parts.flatMap((p) => Object.keys(p.set)));
  const set: Record<string, Value> = {};
  for (const name of names) {
    const of = parts.map(
      (p): Value => p.set[name] ?? (p.open ? unknownValue('may be set by a spread') : { kind: 'undefined' }),
    );
    set[name] = { kind: 'choice', of };
  }
  const rests = parts.flatMap((p) => p.rest ?? []);
  // What one row leaves to its spread, all do.
  const except = (rests[0]?.except ?? []).filter((name) => rests.every((r) => r.except.includes(name)));
  const rest = rests.length > 0 ? { rest: { of: rests.flatMap((r) => r.of), except } } : {};
  return { set, open: parts.some((p) => p.open), ...rest };
}

/** The rows that a value is: an object, a list of them, or what a function makes of each item of a list. */
function rowsOf(value: Value, scope: Scope, depth: number): readonly Value[] | undefined {
  if (depth > 6) return undefined;
  switch (value.kind) {
    case 'object':
      return [value];
    case 'missing-able':
      return rowsOf(value.of, scope, depth + 1);
    case 'choice': {
      const arms = value.of.map((v) => rowsOf(v, scope, depth + 1));
      return arms.every((a) => a !== undefined) ? arms.flat() : undefined;
    }
    case 'result': {
      const chain = value.path.length === 0 ? scope.context.chain(value.chain) : undefined;
      const last = chain?.steps.at(-1);
      const made = last?.arguments?.[0];
      if (last && (last.name === 'map' || last.name === 'flatMap') && made?.kind === 'function') {
        const returned = scope.context.function(made.function)?.returns.map((r) => rowsOf(r.value, scope, depth + 1));
        if (returned && returned.length > 0 && returned.every((r) => r !== undefined)) return returned.flat();
        return undefined;
      }
      break;
    }
    default:
  }
  const items = value.kind === 'list' ? value.of : itemsOf(value, scope);
  if (items) {
    const rows = items.map((i) => rowsOf(i.value, scope, depth + 1));
    return rows.every((r) => r !== undefined) ? rows.flat() : undefined;
  }
  const resolved = scope.context.resolve(value);
  if (resolved !== value && resolved.kind !== value.kind) return rowsOf(resolved, scope, depth + 1);
  return [value];
}

function tableOf(root: Leaf, scope: Scope): Table | undefined {
  const named = root.own[0]?.target.table;
  return named?.known ? scope.context.table(named.value) : undefined;
}

function objectWrites(row: Value, scope: Scope, root: Leaf): Writes {
  const table = tableOf(root, scope);
  const set: Record<string, Value> = {};
  let open = false;
  const rest: Value[] = [];
  const except = new Set<string>();
  const put = (entries: readonly Entry[], maybe: boolean): void => {
    for (const entry of entries) {
      if ('spread' in entry) {
        const resolved = entry.spread.kind === 'object' ? entry.spread : scope.context.resolve(entry.spread);
        if (resolved.kind === 'object') put(resolved.entries, maybe || entry.maybe === true);
        else if (resolved.kind === 'undefined') continue;
        else if (!conditionalSpread(resolved, maybe)) open = overwrite(entry.spread);
      } else if ('computed' in entry) open = true;
      else {
        const name = columnName(table, entry.set);
        const value = expression(entry.value, scope);
        if (!maybe && !entry.maybe) except.add(name);
        set[name] = maybe || entry.maybe ? { kind: 'choice', of: [value, set[name] ?? { kind: 'undefined' }] } : value;
      }
    }
  };
  /** A spread of something unknown may replace what was set before it. */
  const overwrite = (spread: Value): true => {
    rest.push(spread);
    except.clear();
    for (const name of Object.keys(set))
      set[name] = { kind: 'choice', of: [set[name]!, unknownValue('may be replaced by a later spread')] };
    return true;
  };
  /** `...(x && { a })`, `...(x ? { a } : {})`: its entries are set on some paths. */
  const conditionalSpread = (value: Value, maybe: boolean): boolean => {
    const arms =
      value.kind === 'choice'
        ? value.of
        : value.kind === 'apply' && value.function === '&&'
          ? value.to.slice(1)
          : undefined;
    if (!arms?.every((a) => a.kind === 'object' || a.kind === 'undefined' || a.kind === 'constant')) return false;
    for (const arm of arms) if (arm.kind === 'object') put(arm.entries, true);
    void maybe;
    return true;
  };
  if (row.kind === 'object') put(row.entries, false);
  else {
    open = true;
    rest.push(row);
  }
  return { set, open, ...(rest.length > 0 ? { rest: { of: rest, except: [...except] } } : {}) };
}

function selectedWrites(
  steps: readonly BuilderStep[],
  scope: Scope,
  root: Leaf,
  field: (path: readonly string[]) => Value,
): Writes {
  const given = steps[0]?.arguments?.[0];
  const table = tableOf(root, scope);
  if (given?.kind !== 'object') return { set: {}, open: true };
  const set: Record<string, Value> = {};
  for (const entry of given.entries) {
    if (!('set' in entry)) return { set, open: true };
    set[columnName(table, entry.set)] = field([entry.set]);
  }
  return { set, open: false };
}

/** A property of an object that may be behind a name. */
export function propertyIn(value: Value, name: string, scope: Scope): Value {
  const resolved = value.kind === 'object' ? value : scope.context.resolve(value);
  if (resolved.kind !== 'object')
    return splitPath(resolved).path.length >= 0 && resolved.kind === 'undefined'
      ? resolved
      : { kind: 'unknown', reason: `the option ${name} was not found` };
  for (let i = resolved.entries.length - 1; i >= 0; i--) {
    const entry = resolved.entries[i]!;
    if ('set' in entry && entry.set === name)
      return entry.maybe ? { kind: 'missing-able', of: entry.value, how: 'undefined', certain: true } : entry.value;
    if ('spread' in entry) {
      const inner = propertyIn(entry.spread, name, scope);
      if (inner.kind !== 'undefined') return inner;
    }
  }
  return { kind: 'undefined' };
}
