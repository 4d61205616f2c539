import { propertyOf, unknownValue, type Entry, type Path, type Value } from '@tenant-lint/model';
import type { Variable } from './state.js';

/** A value heavier than this is not written again where a variable that holds it is used. */
const inlineLimit = 250;
/** An argument or binding heavier than this is data, not code. */
const dataLimit = 4000;
/** Entries that statements append to one object or list. */
export const appendLimit = 400;

/** What is left of `budget` when every node of the value took one; negative as soon as it is exceeded. Shared parts count every time. */
function spend(budget: number, value: Value): number {
  let left = budget - 1;
  switch (value.kind) {
    case 'object':
      for (const entry of value.entries) {
        if (left < 0) return left;
        left = spend(left, 'spread' in entry ? entry.spread : entry.value);
        if ('computed' in entry) left = spend(left, entry.computed);
      }
      return left;
    case 'list':
      for (const item of value.of) {
        if (left < 0) return left;
        left = spend(left, item.value);
      }
      return left;
    case 'apply':
      return spendAll(left, value.to);
    case 'choice':
      left = spendAll(left, value.of);
      return value.test ? spend(left, value.test) : left;
    case 'text':
      for (const part of value.parts) {
        if (left < 0) return left;
        left = 'hole' in part ? spend(left, part.hole) : left - 1;
      }
      return left;
    case 'element':
    case 'missing-able':
      return spend(left, value.of);
    case 'instance':
      return spendAll(spend(left, value.of), value.arguments);
    default:
      return left;
  }
}

function spendAll(budget: number, values: readonly Value[]): number {
  let left = budget;
  for (const value of values) {
    if (left < 0) return left;
    left = spend(left, value);
  }
  return left;
}

export const inlined = (value: Value): Value => (spend(inlineLimit, value) < 0 ? unknownValue('too deep') : value);
export const bounded = (value: Value): Value => (spend(dataLimit, value) < 0 ? unknownValue('too large') : value);

/** The property of a value; a name read from a namespace is the import of that name. The kinds that come most often are made directly. */
export function property(value: Value, name: string): Value {
  switch (value.kind) {
    case 'parameter':
      return { kind: 'parameter', function: value.function, index: value.index, path: [...value.path, name] };
    case 'result':
      return { kind: 'result', chain: value.chain, path: [...value.path, name] };
    case 'import':
      if (value.name === '*' && value.path.length === 0 && name !== '*') return { ...value, name };
      return { kind: 'import', from: value.from, module: value.module, name: value.name, path: [...value.path, name] };
    case 'missing-able': {
      const of = property(value.of, name);
      return of.kind === 'undefined' || of.kind === 'unknown' ? of : { ...value, of };
    }
    case 'apply': {
      // `session?.user ?? {}`: a property of the one, or of the literal that takes its place.
      const [given, fallback] = value.to;
      if ((value.function !== '??' && value.function !== '||') || !given || fallback?.kind !== 'object')
        return propertyOf(value, name);
      const [one, other] = [property(surely(given), name), property(fallback, name)];
      return other.kind === 'undefined' ? missing(one) : { kind: 'choice', of: [one, other], test: given };
    }
    default:
      return propertyOf(value, name);
  }
}

/** The value where it may be missing, and syntax shows that it may. What is no place has nothing to be missing. */
export const missing = (of: Value): Value =>
  of.kind === 'missing-able' ||
  of.kind === 'undefined' ||
  of.kind === 'unknown' ||
  of.kind === 'constant' ||
  of.kind === 'object'
    ? of
    : { kind: 'missing-able', of, how: 'undefined', certain: true };

/** The value where it is neither undefined nor null: what a property is read from without `?.`, since that throws otherwise. */
export function surely(value: Value): Value {
  if (value.kind === 'missing-able') return value.of;
  if (value.kind !== 'choice') return value;
  const of = value.of.filter((one) => !isNullish(one)).map(surely);
  const [only] = of;
  if (only && of.length === 1) return only;
  if (of.length === 0) return value;
  if (of.length === value.of.length) return of.every((one, i) => one === value.of[i]) ? value : { ...value, of };
  return { kind: 'choice', of };
}

export const isNullish = (value: Value): boolean =>
  value.kind === 'undefined' || (value.kind === 'constant' && value.value === null);

/** What a variable holds, with the properties assigned to it since. */
export function valueOfVariable(variable: Variable): Value {
  if (!variable.added) return variable.value;
  return { kind: 'object', entries: [{ spread: variable.value }, ...variable.added] };
}

/** A property of what a variable holds. Unlike propertyOf, a value that is no literal is not a choice when another property was assigned. */
export function propertyOfVariable(variable: Variable, name: string): Value {
  const entry = variable.added?.findLast((e) => !('set' in e) || e.set === name);
  if (!entry) return property(variable.value, name);
  if (!('set' in entry)) return property(valueOfVariable(variable), name);
  return entry.maybe ? { kind: 'choice', of: [entry.value, property(variable.value, name)] } : entry.value;
}

/** The object after `path` of it was set. */
export function withEntry(
  entries: readonly Entry[],
  path: Path,
  value: Value,
  base?: Value,
): readonly Entry[] | undefined {
  if (entries.length > appendLimit) return undefined;
  const [name, ...rest] = path;
  if (name === undefined) return undefined;
  if (rest.length === 0)
    return [...entries, name === '*' ? { computed: unknownValue('computed'), value } : { set: name, value }];
  const inner = property({ kind: 'object', entries: base ? [{ spread: base }, ...entries] : entries }, name);
  const nested = inner.kind === 'object' ? withEntry(inner.entries, rest, value) : undefined;
  if (inner.kind === 'object' && nested) return [...entries, { set: name, value: { ...inner, entries: nested } }];
  const added = withEntry([{ spread: inner }], rest, value);
  return added && [...entries, { set: name, value: { kind: 'object', entries: added } }];
}

/** Without the mark that it may be missing: a condition on such a value is one on the value itself. */
export function bare(value: Value): Value {
  switch (value.kind) {
    case 'missing-able':
      return bare(value.of);
    case 'apply': {
      const to = value.to.map(bare);
      return to.every((operand, i) => operand === value.to[i]) ? value : { ...value, to };
    }
    case 'choice': {
      const of = value.of.map(bare);
      return of.every((one, i) => one === value.of[i]) ? value : { ...value, of };
    }
    case 'element': {
      const of = bare(value.of);
      return of === value.of ? value : { ...value, of };
    }
    default:
      return value;
  }
}
