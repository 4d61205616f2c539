import type { Item, Value } from '@tenant-lint/model';
import type { Lowering } from './lowering.js';
import { asChoice, settled } from './shape.js';

/** An item of a list: `each` stands for any number of such items (`ids.map(...)`); `test` is what decides whether a `maybe` one is there. */
export type ReadItem = Item & { readonly each?: true; readonly test?: Value };

/** The items of a value that is a list as far as syntax shows, or made by mapping one; undefined where it is neither. */
export function readList(value: Value, l: Lowering): readonly ReadItem[] | undefined {
  return l.deeper(
    () => undefined,
    () => {
      const v = settled(value, l);
      if (v.kind === 'list') return v.of.flatMap((item) => (item.spread ? spreadItems(item, l) : [item]));
      return mappedBy(v, l)?.map((one): ReadItem => ({ value: one, each: true, maybe: true }));
    },
  );
}

function spreadItems(item: Item, l: Lowering): readonly ReadItem[] {
  const v = settled(item.value, l);
  if (v.kind === 'undefined' || v.kind === 'constant') return [];
  const choice = v.kind === 'missing-able' ? { of: [v.of], test: v } : asChoice(v);
  if (!choice) {
    const inner = readList(v, l);
    return inner ? inner.map((i) => (item.maybe ? { ...i, maybe: true as const } : i)) : [item];
  }
  const parts = choice.of.map((one) => spreadItems({ value: one, spread: true }, l));
  const filled = parts.filter((p) => p.length > 0);
  // With one part that has items and one that has none, the test tells when they are there.
  const test = filled.length === 1 && parts[0] === filled[0] ? choice.test : undefined;
  return filled.flat().map((i): ReadItem => ({ ...i, maybe: true, ...(test && !i.maybe ? { test } : {}) }));
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
