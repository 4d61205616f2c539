import { unknownValue, type Entry, type Item, type Value } from '@tenant-lint/model';
import type { Build } from './build.js';

/** The items of a list, through bindings, concatenations and `filter`; undefined where the list is not known. */
export function itemsOf(given: Value, build: Build, depth = 0): readonly Item[] | undefined {
  if (depth > 8) return undefined;
  const value = build.value(given);
  if (value.kind === 'missing-able') return itemsOf(value.of, build, depth + 1);
  const resolved = value.kind === 'list' ? value : build.context.resolve(value);
  if (resolved.kind === 'list') {
    const items = resolved.of.map((i): readonly Item[] => {
      const inner = i.spread ? itemsOf(i.value, build, depth + 1) : undefined;
      return inner ? inner.map((n) => (i.maybe ? { ...n, maybe: true as const } : n)) : [i];
    });
    return items.flat();
  }
  if (resolved.kind === 'undefined') return [];
  if (resolved.kind === 'choice') {
    const arms = resolved.of.map((v) => itemsOf(v, build, depth + 1));
    return arms.every((a) => a !== undefined) ? arms.flat().map((i) => ({ ...i, maybe: true as const })) : undefined;
  }
  if (resolved.kind !== 'result' || resolved.path.length > 0) return undefined;
  const chain = build.context.chain(resolved.chain);
  const step = chain?.steps[0];
  if (!chain || chain.steps.length !== 1 || !step?.arguments) return undefined;
  const [made] = step.arguments;
  if (step.name === 'map' && made?.kind === 'function') {
    // One condition for every element: the list may be empty.
    const returned = build.context.function(made.function)?.returns[0]?.value;
    return returned ? [{ value: returned, maybe: true }] : undefined;
  }
  const before = itemsOf(chain.receiver, build, depth + 1);
  if (!before) return undefined;
  if (step.name === 'filter')
    return made?.kind === 'global' ? before : before.map((i) => ({ ...i, maybe: true as const }));
  if (step.name === 'concat')
    return [
      ...before,
      ...step.arguments.flatMap((a) => itemsOf(a, build, depth + 1) ?? [{ value: a, spread: true as const }]),
    ];
  return undefined;
}

/** What an object sets, by name; `open`: further names may be set. */
export interface Fields {
  readonly set: ReadonlyMap<string, Value>;
  readonly open: boolean;
  /** The objects behind `open`, where they are values, and the names that are set after them. */
  readonly rest: readonly Value[];
  readonly settled: ReadonlySet<string>;
}

/** The properties of an object, or of all objects of a list. One that only some objects have may be undefined. */
export function fieldsOf(given: Value, build: Build, depth = 0): Fields {
  const whole = { set: new Map<string, Value>(), open: true, settled: new Set<string>() };
  if (depth > 6) return { ...whole, rest: [given] };
  const value = build.value(given);
  const rows = rowsOf(value, build, depth);
  if (rows && rows.length > 1) return merged(rows.map((r) => fieldsOf(r, build, depth + 1)));
  const [row] = rows ?? [value];
  const own = row?.kind === 'object' ? row : row && build.context.resolve(row);
  if (own?.kind !== 'object') return { ...whole, rest: own ? [own] : [] };
  const set = new Map<string, Value>();
  const into: Into = { set, build, depth, rest: [], settled: new Set() };
  const open = put(own.entries, false, into);
  return { set, open, rest: into.rest, settled: into.settled };
}

function rowsOf(value: Value, build: Build, depth: number): readonly Value[] | undefined {
  if (value.kind === 'object') return undefined;
  if (value.kind === 'choice') return value.of;
  const items = itemsOf(value, build, depth + 1);
  if (!items) return undefined;
  return items.every((i) => !i.spread) ? items.map((i) => i.value) : undefined;
}

function merged(parts: readonly Fields[]): Fields {
  const names = new Set(parts.flatMap((p) => [...p.set.keys()]));
  const set = new Map<string, Value>();
  for (const name of names) {
    const of = parts.map(
      (p): Value => p.set.get(name) ?? (p.open ? unknownValue('may be set by a spread') : { kind: 'undefined' }),
    );
    set.set(name, { kind: 'choice', of });
  }
  const settled = [...names].filter((name) => parts.every((p) => p.settled.has(name)));
  return {
    set,
    open: parts.some((p) => p.open),
    rest: parts.flatMap((p) => p.rest),
    settled: new Set(settled),
  };
}

interface Into {
  readonly set: Map<string, Value>;
  readonly build: Build;
  readonly depth: number;
  readonly rest: Value[];
  readonly settled: Set<string>;
}

/** Adds entries in order; whether further names may be set. */
function put(entries: readonly Entry[], maybe: boolean, into: Into): boolean {
  const { set, build, depth } = into;
  let open = false;
  for (const entry of entries) {
    if ('computed' in entry) {
      open = true;
    } else if ('spread' in entry) {
      const spread = build.resolved(entry.spread);
      const own = spread.kind === 'object' ? spread : build.context.resolve(spread);
      if (own.kind === 'object' && depth < 8) open = put(own.entries, maybe || entry.maybe === true, into) || open;
      else if (own.kind !== 'undefined' && !conditional(own, into)) {
        for (const [name, value] of set)
          set.set(name, { kind: 'choice', of: [value, unknownValue('may be replaced by a later spread')] });
        into.rest.push(own);
        into.settled.clear();
        open = true;
      }
    } else {
      const value = build.value(entry.value);
      if (!maybe && !entry.maybe) into.settled.add(entry.set);
      const before: Value = set.get(entry.set) ?? { kind: 'undefined' };
      set.set(entry.set, maybe || entry.maybe ? { kind: 'choice', of: [value, before] } : value);
    }
  }
  return open;
}

/** `...(x && { a })`, `...(x ? { a } : {})`: its entries are set on some paths. */
function conditional(value: Value, into: Into): boolean {
  const arms =
    value.kind === 'choice' ? value.of : value.kind === 'apply' && value.function === '&&' ? value.to.slice(1) : [];
  if (arms.length === 0 || !arms.every((a) => ['object', 'undefined', 'constant'].includes(a.kind))) return false;
  for (const arm of arms) if (arm.kind === 'object') put(arm.entries, true, into);
  return true;
}
