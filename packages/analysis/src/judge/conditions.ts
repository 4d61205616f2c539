import { keyOfValue, sameValue, type FunctionFacts, type Value } from '@tenant-lint/model';

/** An atomic condition known to hold (or, with `holds: false`, known not to). */
export interface Atom {
  readonly value: Value;
  readonly holds: boolean;
}

/** A value without what says only that it may be missing. */
export const stripped = (value: Value): Value => (value.kind === 'missing-able' ? stripped(value.of) : value);

/** The atomic conditions that a JavaScript condition entails: `!(!a || b !== c)` entails a, and b === c. */
export function entailed(condition: Value, holds = true): readonly Atom[] {
  if (condition.kind === 'missing-able') return entailed(condition.of, holds);
  if (condition.kind !== 'apply') return [{ value: condition, holds }];
  const [left, right] = condition.to;
  switch (condition.function) {
    case '!':
      return left ? entailed(left, !holds) : [];
    case '&&':
      return holds && left && right ? [...entailed(left), ...entailed(right)] : [];
    case '||':
      return !holds && left && right ? [...entailed(left, false), ...entailed(right, false)] : [];
    case '!=':
    case '!==':
      return [{ value: { ...condition, function: '===' }, holds: !holds }];
    case '==':
      return [{ value: { ...condition, function: '===' }, holds }];
    default:
      return [{ value: condition, holds }];
  }
}

/** Whether block `inner` is `outer` or lies below it in the dominator tree: every path to `inner` goes through `outer`. */
export function dominates(f: FunctionFacts, outer: number, inner: number): boolean {
  for (let block: number | undefined = inner; block !== undefined; block = f.blocks[block]?.parent)
    if (block === outer) return true;
  return false;
}

/**
 * Whether every path to `inner` goes through `outer`, conditions counted: a branch whose condition holds at `inner` too was taken on the way,
 * as in `if (id) check(id); ... if (id) use(id)`. Values are symbolic, so that an equal condition is the same one. `there` is taken to be
 * there at `inner`.
 */
export function precedes(f: FunctionFacts, outer: number, inner: number, there?: Value): boolean {
  let at = outer;
  for (let steps = 0; steps <= f.blocks.length; steps++) {
    if (dominates(f, at, inner)) return true;
    const block = f.blocks[at];
    if (block?.parent === undefined) return false;
    // The other way left the function before.
    if (block.because !== 'exit') {
      const asked = block.because === 'branch' && block.holds ? entailed(block.holds) : [];
      const known = [...atomsAt(f, inner), ...(there ? [{ value: there, holds: true }] : [])];
      if (asked.length === 0 || !asked.every((atom) => isKnown(known, atom))) return false;
    }
    at = block.parent;
  }
  return false;
}

const memo = new WeakMap<FunctionFacts, Map<number, readonly Atom[]>>();

/** The atoms that hold in a block, with those of its dominators, and what follows from a disjunction of which all but one part is refuted. */
export function atomsAt(f: FunctionFacts, block: number): readonly Atom[] {
  let known = memo.get(f);
  if (!known) memo.set(f, (known = new Map()));
  let found = known.get(block);
  if (!found) known.set(block, (found = atomsOf(f, block)));
  return found;
}

function atomsOf(f: FunctionFacts, block: number): readonly Atom[] {
  const atoms: Atom[] = [];
  const open: Disjunction[] = [];
  for (let at: number | undefined = block; at !== undefined; at = f.blocks[at]?.parent) {
    const holds: Value | undefined = f.blocks[at]?.holds;
    if (!holds) continue;
    atoms.push(...entailed(holds));
    open.push(...disjunctionsOf(holds, true));
  }
  for (let again = true; again;) {
    again = false;
    for (let i = open.length - 1; i >= 0; i--) {
      const left = open[i]!.filter((part) => !isRefuted(atoms, part));
      const only = left[0];
      if (left.length !== 1 || !only) continue;
      open.splice(i, 1);
      const learned = entailed(only.value, only.holds);
      if (learned.length > 0) again = true;
      atoms.push(...learned);
      open.push(...disjunctionsOf(only.value, only.holds));
    }
  }
  return atoms;
}

type Disjunction = readonly Atom[];

/** The disjunctions that a condition is made of: `!(a && b)` is not a, or not b. */
function disjunctionsOf(condition: Value, holds: boolean): Disjunction[] {
  if (condition.kind === 'missing-able') return disjunctionsOf(condition.of, holds);
  if (condition.kind !== 'apply') return [];
  const [left, right] = condition.to;
  if (condition.function === '!' && left) return disjunctionsOf(left, !holds);
  if (condition.function !== '&&' && condition.function !== '||') return [];
  if ((condition.function === '&&') === holds) return condition.to.flatMap((part) => disjunctionsOf(part, holds));
  return left && right ? [partsOf(condition, condition.function, holds)] : [];
}

function partsOf(condition: Value, operator: string, holds: boolean): Atom[] {
  if (condition.kind === 'apply' && condition.function === operator)
    return condition.to.flatMap((part) => partsOf(part, operator, holds));
  return [{ value: condition, holds }];
}

/** A condition is refuted where one of what it entails is known not to hold. */
const isRefuted = (known: readonly Atom[], { value, holds }: Atom): boolean =>
  entailed(value, holds).some((atom) => isKnown(known, { ...atom, holds: !atom.holds }));

/** Whether an atom is among the known ones; that something is equal to a text or an object says that it is truthy. */
export function isKnown(known: readonly Atom[], atom: Atom): boolean {
  const wanted = stripped(atom.value);
  return known.some((k) => k.holds === atom.holds && sameValue(stripped(k.value), wanted)) || isByAbsence(known, atom);
}

/** `x` is known by `x !== undefined` or `x !== null` too, and the other way round. */
function isByAbsence(known: readonly Atom[], atom: Atom): boolean {
  const own = presenceOf(atom);
  if (own === undefined) return false;
  const key = keyOfValue(own.value);
  return known.some((k) => {
    const other = presenceOf(k);
    return other !== undefined && other.holds === own.holds && keyOfValue(other.value) === key;
  });
}

/** An atom as a statement that something is there: `x`, `x !== null`; undefined where it says something else. */
export function presenceOf({ value, holds }: Atom): Atom | undefined {
  const own = stripped(value);
  if (own.kind !== 'apply')
    return own.kind === 'unknown' || own.kind === 'constant' ? undefined : { value: own, holds };
  if (own.function !== '===') return undefined;
  const nothing = own.to.findIndex((s) => s.kind === 'undefined' || (s.kind === 'constant' && s.value === null));
  const other = own.to[1 - nothing];
  return nothing < 0 || !other ? undefined : { value: stripped(other), holds: !holds };
}

/** The value of a choice where conditions known to hold decide it: `c ? a : b` where c holds is a. */
export function chosen(value: Value, known: readonly Atom[]): Value {
  const own = stripped(value);
  if (own.kind !== 'choice' || !own.test || own.of.length !== 2) return own;
  const whether = (holds: boolean): boolean => {
    const atoms = entailed(own.test!, holds);
    return atoms.length > 0 && atoms.every((atom) => isKnown(known, atom));
  };
  if (whether(true)) return chosen(own.of[0]!, known);
  return whether(false) ? chosen(own.of[1]!, known) : own;
}
