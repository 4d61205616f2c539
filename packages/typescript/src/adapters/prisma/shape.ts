import {
  always,
  undefinedValue,
  type Entry,
  type Item,
  type Predicate,
  type Span,
  type Value,
} from '@tenant-lint/model';
import { chosen, undefinedFilter, unlessUndefined } from './drops.js';
import { describe, unknownCondition, type Lowering } from './lowering.js';

/** A property of an object that was put together from literals, spreads and conditional parts. */
export interface Property {
  readonly name: string;
  readonly value: Value;
  readonly span?: Span;
  /** Something unseen comes after it and may set it anew. */
  readonly replaced?: string;
}

export interface ReadObject {
  readonly properties: ReadonlyMap<string, Property>;
  /** Parts whose properties are not known: why. */
  readonly unseen: readonly string[];
}

/** `Prisma.skip` leaves its field out, whatever the settings. */
const isSkip = (v: Value): boolean =>
  v.kind === 'import' && (v.name === 'Prisma' ? v.path.join('.') === 'skip' : v.path.join('.') === 'Prisma.skip');

/** Resolves names only as far as the result shows structure: an object, a list, a choice, null or undefined. Otherwise the value itself. */
export function settled(value: Value, l: Lowering): Value {
  if (structural.has(value.kind)) return value;
  if (isSkip(value)) return value;
  const resolved = l.context.resolve(value);
  if (isSkip(resolved)) return resolved;
  if (resolved.kind === 'constant') return resolved.value === null ? resolved : value;
  return structural.has(resolved.kind) || resolved.kind === 'missing-able' || asChoice(resolved) ? resolved : value;
}

const structural = new Set<Value['kind']>(['object', 'list', 'choice', 'undefined', 'constant', 'text', 'predicate']);

/** `a && b`, `a ?? b` and `a || b` as a choice. `a || b` and `a ?? b` only where `b` is a missing value or a literal object: otherwise a value. */
function asChoice(value: Value): { of: readonly Value[]; test?: Value } | undefined {
  if (value.kind === 'choice') return value;
  if (value.kind !== 'apply' || value.to.length < 2) return undefined;
  const last = value.to[value.to.length - 1]!;
  const before = value.to.slice(0, -1);
  const test = before.length === 1 ? before[0]! : { ...value, to: before };
  if (value.function === '&&') return { of: [last, undefinedValue], test };
  if (value.function !== '??' && value.function !== '||') return undefined;
  const plain = last.kind === 'constant' ? last.value === null : ['undefined', 'object', 'list'].includes(last.kind);
  return plain ? { of: [test.kind === 'missing-able' ? test.of : test, last], test } : undefined;
}

/**
 * Lowers a value that may be there or not, or one of several. `leaf` gets what is left: values that are one thing. `absent` takes the place of
 * undefined, `isNull` that of null.
 */
export function byShape(
  value: Value,
  l: Lowering,
  to: { absent: Predicate; isNull: () => Predicate; leaf: (v: Value) => Predicate; span?: Span },
): Predicate {
  return l.deeper(
    () => unknownCondition('nested too deeply'),
    () => {
      const v = settled(value, l);
      if (v.kind === 'undefined') return l.strict ? { kind: 'never' } : to.absent;
      if (isSkip(v)) return to.absent;
      if (v.kind === 'constant' && v.value === null) return to.isNull();
      if (v.kind === 'missing-able') {
        const of = byShape(v.of, l, to);
        if (v.how === 'undefined') return unlessUndefined(of, v, to.absent, l, to.span);
        return v.how === 'null'
          ? { kind: 'optional', of, on: v, otherwise: to.isNull(), why: 'null is compared with IS NULL' }
          : of;
      }
      const choice = asChoice(v);
      if (choice)
        return chosen(
          choice.of.map((one) => byShape(one, l, to)),
          choice.test,
          to.span,
        );
      return to.leaf(v);
    },
  );
}

/** What a dropped filter is replaced by outside of OR and NOT. */
export const droppedFilter: Predicate = always(undefinedFilter);

/** The properties of a value that is an object as far as syntax shows; undefined where it is none. */
export function readObject(value: Value, l: Lowering): ReadObject | undefined {
  return l.deeper(
    () => undefined,
    () => {
      const v = settled(value, l);
      if (v.kind === 'object') return readEntries(v.entries, l);
      if (v.kind === 'undefined' || v.kind === 'constant') return { properties: new Map(), unseen: [] };
      if (v.kind === 'missing-able') return readObject({ kind: 'choice', of: [v.of, undefinedValue], test: v }, l);
      const choice = asChoice(v);
      if (!choice) return undefined;
      const read = choice.of.map((one) => readObject(one, l));
      return read.some((r) => r === undefined) ? undefined : merged(read as ReadObject[], new Map(), choice.test);
    },
  );
}

function readEntries(entries: readonly Entry[], l: Lowering): ReadObject {
  const properties = new Map<string, Property>();
  const unseen: string[] = [];
  const put = (p: Property, maybe: boolean): void => {
    const value: Value = maybe
      ? { kind: 'choice', of: [p.value, properties.get(p.name)?.value ?? undefinedValue] }
      : p.value;
    properties.set(p.name, { ...p, value });
  };
  const hide = (reason: string): void => {
    unseen.push(reason);
    for (const p of properties.values()) properties.set(p.name, { ...p, replaced: reason });
  };
  for (const entry of entries) {
    const at = entry.span ? { span: entry.span } : {};
    if ('set' in entry) {
      put({ name: entry.set, value: entry.value, ...at }, entry.maybe === true);
    } else if ('computed' in entry) {
      const key = l.context.resolve(entry.computed);
      if (key.kind === 'constant') put({ name: String(key.value), value: entry.value, ...at }, entry.maybe === true);
      else hide('a key is computed');
    } else {
      const inner = readObject(entry.spread, l);
      if (inner === undefined) {
        hide(`a spread is ${describe(entry.spread)}`);
        continue;
      }
      const test = entry.spread.kind === 'missing-able' ? entry.spread : undefined;
      const sources = entry.maybe ? [inner, { properties: new Map(), unseen: [] }] : [inner];
      const result = merged(sources, properties, test);
      for (const reason of result.unseen) hide(reason);
      for (const p of result.properties.values()) properties.set(p.name, p);
    }
  }
  return { properties, unseen };
}

/** Objects of which one is taken, put over `before`: a property that one lacks keeps what was there. */
function merged(of: readonly ReadObject[], before: ReadonlyMap<string, Property>, test: Value | undefined): ReadObject {
  const [only] = of;
  if (of.length === 1 && only) return { properties: new Map([...before, ...only.properties]), unseen: only.unseen };
  const properties = new Map(before);
  for (const name of new Set(of.flatMap((o) => [...o.properties.keys()]))) {
    const found = of.map((o) => o.properties.get(name) ?? before.get(name));
    const shown = found.find((p) => p !== undefined)!;
    const values = found.map((p) => p?.value ?? undefinedValue);
    const value: Value = { kind: 'choice', of: values, ...(test && values.length === 2 ? { test } : {}) };
    const replaced = found.find((p) => p?.replaced)?.replaced;
    properties.set(name, {
      name,
      value,
      ...(shown.span ? { span: shown.span } : {}),
      ...(replaced ? { replaced } : {}),
    });
  }
  return { properties, unseen: of.flatMap((o) => o.unseen) };
}

/** The items of a value that is a list, or one thing in place of a list. `each`: one item stands for any number of them (`ids.map(...)`). */
export interface ReadList {
  readonly items: readonly (Item & { readonly each?: true })[];
}

/** Undefined where the value is neither a list nor made by mapping one. */
export function readList(value: Value, l: Lowering): ReadList | undefined {
  return l.deeper(
    () => undefined,
    () => {
      const v = settled(value, l);
      if (v.kind === 'list') {
        const items = v.of.flatMap((item): ReadList['items'] => {
          if (!item.spread) return [item];
          const inner = readList(item.value, l);
          return inner ? inner.items.map((i) => (item.maybe ? { ...i, maybe: true as const } : i)) : [item];
        });
        return { items };
      }
      const mapped = mappedBy(v, l);
      return mapped ? { items: mapped.map((one) => ({ value: one, each: true, maybe: true })) } : undefined;
    },
  );
}

/** What the function returns that `xs.map(...)` calls for each element. */
function mappedBy(value: Value, l: Lowering): readonly Value[] | undefined {
  if (value.kind !== 'result' || value.path.length > 0) return undefined;
  const last = l.context.chain(value.chain)?.steps.at(-1);
  const callback = last?.name === 'map' ? last.arguments?.[0] : undefined;
  if (!callback) return undefined;
  const target = l.context.resolve(callback);
  const found = target.kind === 'function' ? l.context.function(target.function) : undefined;
  return found && found.returns.length > 0 ? found.returns.map((r) => r.value) : undefined;
}

export const isTrue = (v: Value): boolean => v.kind === 'constant' && v.value === true;
export const isFalse = (v: Value): boolean =>
  v.kind === 'undefined' || (v.kind === 'constant' && (v.value === false || v.value === null));
