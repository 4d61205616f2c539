import { propertyOf, unknownValue, type Entry, type Path, type Value } from '@tenant-lint/model';
import type { Variable } from './state.js';

/** A value heavier than this is not written again where a variable that holds it is used. */
const inlineLimit = 250;
/** An argument or binding heavier than this is data, not code. */
const dataLimit = 4000;
/** Entries that statements append to one object or list. */
export const appendLimit = 400;

const composite = new Set<Value['kind']>([
  'object',
  'list',
  'apply',
  'choice',
  'text',
  'element',
  'missing-able',
  'instance',
]);
const weights = new WeakMap<Value, number>();

/** How many nodes the value has when it is written out; shared parts count every time. */
function weigh(value: Value): number {
  if (!composite.has(value.kind)) return 1;
  const seen = weights.get(value);
  if (seen !== undefined) return seen;
  let weight = 1;
  switch (value.kind) {
    case 'object':
      for (const entry of value.entries) weight += weighEntry(entry);
      break;
    case 'list':
      for (const item of value.of) weight += weigh(item.value);
      break;
    case 'apply':
      for (const operand of value.to) weight += weigh(operand);
      break;
    case 'choice':
      for (const one of value.of) weight += weigh(one);
      if (value.test) weight += weigh(value.test);
      break;
    case 'text':
      for (const part of value.parts) weight += 'hole' in part ? weigh(part.hole) : 1;
      break;
    case 'element':
    case 'missing-able':
      weight += weigh(value.of);
      break;
    case 'instance':
      weight += weigh(value.of);
      for (const argument of value.arguments) weight += weigh(argument);
      break;
    default:
      return 1;
  }
  weights.set(value, weight);
  return weight;
}

const weighEntry = (entry: Entry): number =>
  'spread' in entry ? weigh(entry.spread) : weigh(entry.value) + ('computed' in entry ? weigh(entry.computed) : 0);

export const inlined = (value: Value): Value => (weigh(value) > inlineLimit ? unknownValue('too deep') : value);
export const bounded = (value: Value): Value => (weigh(value) > dataLimit ? unknownValue('too large') : value);

/** The property of a value; a name read from a namespace is the import of that name. */
export function property(value: Value, name: string): Value {
  if (value.kind === 'import' && value.name === '*' && value.path.length === 0 && name !== '*')
    return { ...value, name };
  if (value.kind === 'missing-able') {
    const of = property(value.of, name);
    return of.kind === 'undefined' || of.kind === 'unknown' ? of : { ...value, of };
  }
  return propertyOf(value, name);
}

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
