import type { Value, ValueOf } from '@tenant-lint/model';
import type { Extraction, Presence } from './state.js';
import { isNullish, surely } from './values.js';

const opposite: Readonly<Record<string, string>> = { '===': '!==', '!==': '===', '==': '!=', '!=': '==' };

/** The condition that holds where `value` does not, with the negation moved inwards as far as it goes. */
export function negated(value: Value): Value {
  if (value.kind === 'apply') {
    const [first] = value.to;
    if (value.function === '!' && first) return first;
    const turned = opposite[value.function];
    if (turned) return { ...value, function: turned };
    if (value.function === '&&' || value.function === '||')
      return { ...value, function: value.function === '&&' ? '||' : '&&', to: value.to.map(negated) };
  }
  return { kind: 'apply', function: '!', to: [value] };
}

/** Choices are places by identity: names of those that a condition asked for, and the choices that others were narrowed from. */
const choiceNames = new WeakMap<Value, string>();
const origins = new WeakMap<Value, Value>();
let choicesNamed = 0;
const originOf = (value: Value): Value => origins.get(value) ?? value;

/** A short name for what a place is a property of. Undefined for values that are computed. */
function rootOf(value: Value): string | undefined {
  switch (value.kind) {
    case 'parameter':
      return `p${value.index} ${value.function}`;
    case 'result':
      return value.chain;
    case 'import':
      return `i${value.name} ${value.module}`;
    case 'binding':
      return `b${value.name}`;
    case 'global':
      return `g${value.name}`;
    case 'this':
      return `t${value.class}`;
    case 'choice':
      return choiceNames.get(originOf(value));
    default:
      return undefined;
  }
}

/** A short name for a value that is a place: the same name means the same value. */
function placeOf(value: Value): string | undefined {
  if (value.kind === 'missing-able') return placeOf(value.of);
  const root = rootOf(value);
  return root === undefined || !('path' in value) || value.path.length === 0 ? root : `${root}.${value.path.join('.')}`;
}

const strength: Record<Presence, number> = { defined: 1, 'not null': 2, truthy: 3 };

/** Remembers that the place is present, and whatever it is a property of. */
function remember(x: Extraction, given: Value, presence: Presence): void {
  const value = given.kind === 'missing-able' ? given.of : given;
  if (value.kind === 'choice') {
    const origin = originOf(value);
    if (!choiceNames.has(origin)) choiceNames.set(origin, `c${choicesNamed++}`);
  }
  let key = rootOf(value);
  if (key === undefined) return;
  if (!('path' in value)) return rememberKey(x, key, presence);
  for (const name of value.path) {
    rememberKey(x, key, 'not null');
    key += `.${name}`;
  }
  rememberKey(x, key, presence);
}

function rememberKey(x: Extraction, key: string, presence: Presence): void {
  const before = x.present.get(key);
  if (before !== undefined && strength[before] >= strength[presence]) return;
  x.presentLog.push({ key, before });
  x.present.set(key, presence);
}

/** Forgets what was learned since the log had `length` entries. Returns what was known by then. */
export function forget(x: Extraction, length: number): ReadonlyMap<string, Presence> | undefined {
  if (x.presentLog.length === length) return undefined;
  const known = new Map(x.present);
  while (x.presentLog.length > length) {
    const step = x.presentLog.pop();
    if (!step) break;
    if (step.before === undefined) x.present.delete(step.key);
    else x.present.set(step.key, step.before);
  }
  return known;
}

/** Learns again what a branch had learned: for a branch that is the only way on. */
export function recall(x: Extraction, known: ReadonlyMap<string, Presence> | undefined): void {
  if (!known) return;
  for (const [key, presence] of known) {
    const before = x.present.get(key);
    if (before === presence) continue;
    x.presentLog.push({ key, before });
    x.present.set(key, presence);
  }
}

/** Learns what is present where the condition has the given truth. */
export function learn(x: Extraction, condition: Value, truth: boolean): void {
  if (condition.kind !== 'apply') {
    if (truth) remember(x, condition, 'truthy');
    return;
  }
  const [left, right] = condition.to;
  if (!left) return;
  switch (condition.function) {
    case '!':
      return learn(x, left, !truth);
    case '&&':
    case '||':
      if (truth === (condition.function === '&&')) for (const operand of condition.to) learn(x, operand, truth);
      return;
    case '===':
    case '==':
    case '!==':
    case '!=': {
      if (!right) return;
      const equal = (condition.function[0] === '=') === truth;
      learnComparison(x, left, right, equal, condition.function.length === 2);
      learnComparison(x, right, left, equal, condition.function.length === 2);
      return;
    }
    default:
  }
}

function learnComparison(x: Extraction, place: Value, other: Value, equal: boolean, loose: boolean): void {
  if (place.kind === 'apply' && place.function === 'typeof' && place.to[0] && other.kind === 'constant') {
    if (equal !== (other.value === 'undefined')) remember(x, place.to[0], 'defined');
    return;
  }
  if (equal) {
    if (other.kind === 'constant' && other.value !== null) remember(x, place, other.value ? 'truthy' : 'not null');
  } else if (isNullish(other)) {
    // `x !== null` alone says nothing about undefined.
    if (loose) remember(x, place, 'not null');
    else if (other.kind === 'undefined') remember(x, place, 'defined');
  }
}

const needed: Record<'undefined' | 'null' | 'empty', Presence> = {
  undefined: 'defined',
  null: 'not null',
  empty: 'truthy',
};

/** Values in which nothing may be missing; asked for every use of a variable, so remembered. */
const complete = new WeakSet<Value>();

/** The value, with what is known to be present here no longer marked as missing-able. */
export function narrowed(x: Extraction, value: Value): Value {
  if (
    x.present.size === 0 ||
    !('of' in value || value.kind === 'object' || value.kind === 'apply') ||
    complete.has(value)
  )
    return value;
  const found = { missing: false };
  const result = narrow(x, value, found);
  if (!found.missing) complete.add(value);
  return result;
}

function narrow(x: Extraction, value: Value, found: { missing: boolean }): Value {
  switch (value.kind) {
    case 'missing-able': {
      found.missing = true;
      const place = placeOf(value.of);
      const presence = place === undefined ? undefined : x.present.get(place);
      return presence && strength[presence] >= strength[needed[value.how]] ? value.of : value;
    }
    case 'object': {
      let changed = false;
      const entries = value.entries.map((entry) => {
        const inner = 'spread' in entry ? entry.spread : entry.value;
        const next = narrow(x, inner, found);
        if (next === inner) return entry;
        changed = true;
        return 'spread' in entry ? { ...entry, spread: next } : { ...entry, value: next };
      });
      return changed ? { ...value, entries } : value;
    }
    case 'list': {
      const items = value.of.map((item) => {
        const next = narrow(x, item.value, found);
        return next === item.value ? item : { ...item, value: next };
      });
      return items.some((item, i) => item !== value.of[i]) ? { ...value, of: items } : value;
    }
    case 'apply':
      return narrowOperands(x, value, found);
    case 'choice': {
      if (value.of.some(isNullish)) found.missing = true;
      const of = value.of.map((one) => narrow(x, one, found));
      const next: Value = of.some((one, i) => one !== value.of[i]) ? { ...value, of } : value;
      const name = choiceNames.get(originOf(value));
      const presence = name === undefined ? undefined : x.present.get(name);
      if (presence && presence !== 'defined') return surely(next);
      if (next !== value) origins.set(next, originOf(value));
      return next;
    }
    default:
      return value;
  }
}

/** `a && b` where a is known to be there is b; `a ?? b` and `a || b` are a then. */
function narrowOperands(x: Extraction, value: ValueOf<'apply'>, found: { missing: boolean }): Value {
  const to = value.to.map((operand) => narrow(x, operand, found));
  const [first, second] = to;
  if (first && second && to.length === 2 && logical.has(value.function)) {
    // What is known of an operand differs from place to place, whether it is marked or not.
    found.missing = true;
    const truth = truthOf(x, first);
    if (truth && value.function === '&&') return second;
    if (truth && value.function === '||') return first;
    if (value.function === '??' && isPresent(x, first)) return first;
  }
  return to.some((operand, i) => operand !== value.to[i]) ? { ...value, to } : value;
}

const logical = new Set(['&&', '||', '??']);

/** Whether the condition is known to hold, or not to hold; undefined where it may do either. */
export function truthOf(x: Extraction, condition: Value): boolean | undefined {
  if (x.present.size === 0) return undefined;
  if (condition.kind !== 'apply') {
    const place = placeOf(condition);
    return place !== undefined && x.present.get(place) === 'truthy' ? true : undefined;
  }
  const [left, right] = condition.to;
  if (!left) return undefined;
  if (condition.function === '!') {
    const inner = truthOf(x, left);
    return inner === undefined ? undefined : !inner;
  }
  if (!right || !opposite[condition.function] || !isNullish(right)) return undefined;
  return isPresent(x, left) ? condition.function.startsWith('!') : undefined;
}

/** Whether the value is known to be neither undefined nor null here. */
export function isPresent(x: Extraction, value: Value): boolean {
  if (x.present.size === 0) return false;
  const place = placeOf(value);
  const presence = place === undefined ? undefined : x.present.get(place);
  return presence === 'not null' || presence === 'truthy';
}
