import {
  always,
  and,
  unknownValue,
  type Entry,
  type Operation,
  type Predicate,
  type Target,
  type Value,
  type Writes,
} from '@tenant-lint/model';
import { lowerWhere, itemsOf } from './condition.js';
import { expression } from './expression.js';
import { joins, splitPath, type Call } from './names.js';
import { addSource, builderOf, lowerSelect, whereOf } from './select.js';
import { columnName, Scope, type Build } from './scope.js';
import type { BuilderStep } from './builder.js';

/** Lowers `insert(T)`, `update(T)` and `delete(T)` from that step on. */
export function lowerWrite(steps: readonly BuilderStep[], build: Build, call: Call): readonly Target[] {
  const [start] = steps;
  const table = start?.arguments?.[0];
  if (!start || !table) return [];
  const scope = new Scope(build);
  const operation: Operation = start.name === 'insert' ? 'create' : start.name === 'update' ? 'update' : 'delete';
  const [root, ...inside] = addSource(table, scope, 'root', call.chain.span, operation);
  if (!root) return [];
  return operation === 'create' ? insert(steps, root, scope) : [...change(steps, root, scope), ...inside];
}

function change(steps: readonly BuilderStep[], root: Target, scope: Scope): readonly Target[] {
  const others: { target: Target; on: Predicate }[] = [];
  for (const step of steps) {
    const table = step.arguments?.[0];
    const kind = joins[step.name];
    if (!table || !(kind || step.name === 'from')) continue;
    const added = addSource(table, scope, 'join', step.span);
    const on = kind && kind !== 'cross' ? lowerWhere(step.arguments?.[1], scope) : always('no condition');
    for (const target of added) others.push({ target, on: kind === 'left' ? always('no condition') : on });
  }
  const where = whereOf(steps, scope);
  const on = others.map((o) => o.on);
  const set = steps.findLast((s) => s.name === 'set')?.arguments?.[0];
  const predicate = and(where, ...on);
  return [
    { ...root, predicate, ...(set ? { writes: writesOf(set, scope, root) } : {}), ...returning(steps, scope, root) },
    ...others.map(({ target }) => ({ ...target, predicate, columns: [] })),
  ];
}

/** A create is not chosen by a condition; the rows that an upsert overwrites are. */
const created = always('rows are created');

function insert(steps: readonly BuilderStep[], root: Target, scope: Scope): readonly Target[] {
  const values = steps.findLast((s) => s.name === 'values')?.arguments?.[0];
  const source = steps.findLast((s) => s.name === 'select')?.arguments?.[0];
  const update = steps.findLast((s) => s.name === 'onConflictDoUpdate' || s.name === 'onDuplicateKeyUpdate');
  const read: Target[] = [];
  let writes: Writes | undefined;
  if (values) writes = writesOf(values, scope, root);
  else if (source) {
    const query = source.kind === 'function' ? scope.context.function(source.function)?.returns[0]?.value : source;
    const builder = query && builderOf(query, scope);
    const selection = builder && lowerSelect(builder, scope, 'subquery');
    if (selection) read.push(...selection.targets);
    writes = selection ? selectedWrites(builder.steps, scope, root, selection.field) : { set: {}, open: true };
  }
  const config = update?.arguments?.[0];
  if (!config) {
    return [{ ...root, predicate: created, ...(writes ? { writes } : {}), ...returning(steps, scope, root) }, ...read];
  }
  const option = (name: string): Value | undefined => {
    const value = propertyIn(config, name, scope);
    return value.kind === 'undefined' ? undefined : value;
  };
  const where = option('setWhere') ?? option('where');
  const set = option('set');
  const target: Target = {
    ...root,
    operation: 'upsert',
    predicate: lowerWhere(where, scope),
    ...(writes ? { writes } : {}),
    ...(set ? { updates: writesOf(set, scope, root) } : {}),
    ...conflictOf(option('target'), scope),
    ...returning(steps, scope, root),
  };
  return [target, ...read];
}

function conflictOf(value: Value | undefined, scope: Scope): { conflict?: readonly string[] } {
  if (!value) return {};
  const items = value.kind === 'list' ? value.of.map((i) => i.value) : [value];
  const columns = items.map((v) => scope.column(v));
  return columns.every((c) => c?.kind === 'column')
    ? { conflict: columns.map((c) => (c?.kind === 'column' ? c.column : '')) }
    : {};
}

function returning(steps: readonly BuilderStep[], scope: Scope, root: Target): { columns?: readonly string[] } {
  const step = steps.findLast((s) => s.name === 'returning');
  if (!step) return { columns: [] };
  const given = step.arguments?.[0];
  if (given?.kind !== 'object') return {};
  const columns: string[] = [];
  for (const entry of given.entries) {
    const value = 'set' in entry ? expression(entry.value, scope) : undefined;
    if (value?.kind !== 'column' || value.target !== root.ref) return {};
    columns.push(value.column);
  }
  return { columns };
}

/** The columns that an object, or a list of objects, sets. A column that not every row sets may be undefined. */
function writesOf(value: Value, scope: Scope, root: Target): Writes {
  const rows = rowsOf(value, scope, 0);
  if (!rows) return { set: {}, open: true };
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
  return { set, open: parts.some((p) => p.open) };
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

function objectWrites(row: Value, scope: Scope, root: Target): Writes {
  const table = root.table.known ? scope.context.table(root.table.value) : undefined;
  const set: Record<string, Value> = {};
  let open = false;
  const put = (entries: readonly Entry[], maybe: boolean): void => {
    for (const entry of entries) {
      if ('spread' in entry) {
        const resolved = entry.spread.kind === 'object' ? entry.spread : scope.context.resolve(entry.spread);
        if (resolved.kind === 'object') put(resolved.entries, maybe || entry.maybe === true);
        else if (resolved.kind === 'undefined') continue;
        else if (!conditionalSpread(resolved, maybe)) open = overwrite();
      } else if ('computed' in entry) open = true;
      else {
        const name = columnName(table, entry.set);
        const value = expression(entry.value, scope);
        set[name] = maybe || entry.maybe ? { kind: 'choice', of: [value, set[name] ?? { kind: 'undefined' }] } : value;
      }
    }
  };
  /** A spread of something unknown may replace what was set before it. */
  const overwrite = (): true => {
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
  else open = true;
  return { set, open };
}

function selectedWrites(
  steps: readonly BuilderStep[],
  scope: Scope,
  root: Target,
  field: (path: readonly string[]) => Value,
): Writes {
  const given = steps[0]?.arguments?.[0];
  const table = root.table.known ? scope.context.table(root.table.value) : undefined;
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
