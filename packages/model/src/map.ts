import type { Access, Interpolation, OutputColumn, Target, Writes } from './access.js';
import type { Predicate, Query } from './predicate.js';
import type { Entry, Item, Value } from './value.js';

/**
 * Rewrites a value bottom-up: every value inside it, predicates and queries included, is rebuilt and handed to `f`. Unchanged parts are
 * not copied.
 */
export function mapValue(value: Value, f: (value: Value) => Value): Value {
  return f(mapInside(value, f));
}

function mapInside(value: Value, f: (value: Value) => Value): Value {
  switch (value.kind) {
    case 'column': {
      const otherwise = value.otherwise && mapValue(value.otherwise, f);
      return otherwise === value.otherwise || !otherwise ? value : { ...value, otherwise };
    }
    case 'missing-able':
    case 'element': {
      const of = mapValue(value.of, f);
      return of === value.of ? value : { ...value, of };
    }
    case 'instance': {
      const of = mapValue(value.of, f);
      const args = mapList(value.arguments, (v) => mapValue(v, f));
      return of === value.of && args === value.arguments ? value : { ...value, of, arguments: args };
    }
    case 'object': {
      const entries = mapList(value.entries, (e) => mapEntry(e, f));
      return entries === value.entries ? value : { ...value, entries };
    }
    case 'list': {
      const of = mapList(value.of, (item): Item => {
        const inner = mapValue(item.value, f);
        return inner === item.value ? item : { ...item, value: inner };
      });
      return of === value.of ? value : { ...value, of };
    }
    case 'apply': {
      const to = mapList(value.to, (v) => mapValue(v, f));
      return to === value.to ? value : { ...value, to };
    }
    case 'choice': {
      const of = mapList(value.of, (v) => mapValue(v, f));
      const test = value.test && mapValue(value.test, f);
      return of === value.of && test === value.test ? value : { ...value, of, ...(test ? { test } : {}) };
    }
    case 'text': {
      const parts = mapList(value.parts, (part) => {
        if (!('hole' in part)) return part;
        const hole = mapValue(part.hole, f);
        return hole === part.hole ? part : { ...part, hole };
      });
      return parts === value.parts ? value : { ...value, parts };
    }
    case 'query': {
      const query = mapQuery(value.query, f);
      return query === value.query ? value : { ...value, query };
    }
    case 'predicate': {
      const predicate = mapPredicate(value.predicate, f);
      return predicate === value.predicate ? value : { ...value, predicate };
    }
    default:
      return value;
  }
}

function mapEntry(given: Entry, f: (value: Value) => Value): Entry {
  const test = given.test && mapValue(given.test, f);
  const entry = test === given.test || test === undefined ? given : { ...given, test };
  if ('spread' in entry) {
    const spread = mapValue(entry.spread, f);
    return spread === entry.spread ? entry : { ...entry, spread };
  }
  const value = mapValue(entry.value, f);
  if ('computed' in entry) {
    const computed = mapValue(entry.computed, f);
    return value === entry.value && computed === entry.computed ? entry : { ...entry, computed, value };
  }
  return value === entry.value ? entry : { ...entry, value };
}

/** Rewrites every value of a predicate, see mapValue. */
export function mapPredicate(predicate: Predicate, f: (value: Value) => Value): Predicate {
  switch (predicate.kind) {
    case 'and':
    case 'or': {
      const of = mapList(predicate.of, (p) => mapPredicate(p, f));
      return of === predicate.of ? predicate : { ...predicate, of };
    }
    case 'not':
    case 'is': {
      const of = mapPredicate(predicate.of, f);
      return of === predicate.of ? predicate : { ...predicate, of };
    }
    case 'compare': {
      const left = mapValue(predicate.left, f);
      const right = mapValue(predicate.right, f);
      return left === predicate.left && right === predicate.right ? predicate : { ...predicate, left, right };
    }
    case 'null':
    case 'value': {
      const of = mapValue(predicate.of, f);
      return of === predicate.of ? predicate : { ...predicate, of };
    }
    case 'in': {
      const left = mapValue(predicate.left, f);
      const right = mapList(predicate.right, (v) => mapValue(v, f));
      return left === predicate.left && right === predicate.right ? predicate : { ...predicate, left, right };
    }
    case 'in-query': {
      const left = mapList(predicate.left, (v) => mapValue(v, f));
      const query = mapQuery(predicate.query, f);
      return left === predicate.left && query === predicate.query ? predicate : { ...predicate, left, query };
    }
    case 'exists': {
      const query = mapQuery(predicate.query, f);
      return query === predicate.query ? predicate : { ...predicate, query };
    }
    case 'case': {
      const of = mapList(predicate.of, (pair): readonly [Predicate, Predicate] => {
        const when = mapPredicate(pair[0], f);
        const then = mapPredicate(pair[1], f);
        return when === pair[0] && then === pair[1] ? pair : [when, then];
      });
      const otherwise = mapPredicate(predicate.otherwise, f);
      return of === predicate.of && otherwise === predicate.otherwise ? predicate : { ...predicate, of, otherwise };
    }
    case 'optional': {
      const of = mapPredicate(predicate.of, f);
      const on = mapValue(predicate.on, f);
      const otherwise = mapPredicate(predicate.otherwise, f);
      return of === predicate.of && on === predicate.on && otherwise === predicate.otherwise
        ? predicate
        : { ...predicate, of, on, otherwise };
    }
    case 'either': {
      const of = mapList(predicate.of, (p) => mapPredicate(p, f));
      const test = predicate.test && mapValue(predicate.test, f);
      return of === predicate.of && test === predicate.test
        ? predicate
        : { ...predicate, of, ...(test ? { test } : {}) };
    }
    default:
      return predicate;
  }
}

/** Rewrites every value of a sub-query, see mapValue. */
export function mapQuery(query: Query, f: (value: Value) => Value): Query {
  const targets = mapList(query.targets, (t) => mapTarget(t, f));
  const condition = mapPredicate(query.condition, f);
  const output = mapList(query.output, (v) => mapValue(v, f));
  const arms = query.arms && mapList(query.arms, (q) => mapQuery(q, f));
  return targets === query.targets && condition === query.condition && output === query.output && arms === query.arms
    ? query
    : { ...query, targets, condition, output, ...(arms ? { arms } : {}) };
}

/** Rewrites every value of a target, see mapValue. */
export function mapTarget(target: Target, f: (value: Value) => Value): Target {
  const predicate = mapPredicate(target.predicate, f);
  const writes = target.writes && mapWrites(target.writes, f);
  const updates = target.updates && mapWrites(target.updates, f);
  return predicate === target.predicate && writes === target.writes && updates === target.updates
    ? target
    : { ...target, predicate, ...(writes ? { writes } : {}), ...(updates ? { updates } : {}) };
}

function mapWrites(writes: Writes, f: (value: Value) => Value): Writes {
  let changed = false;
  const set: Record<string, Value> = {};
  for (const [name, value] of Object.entries(writes.set)) {
    const mapped = mapValue(value, f);
    changed ||= mapped !== value;
    set[name] = mapped;
  }
  return changed ? { ...writes, set } : writes;
}

/** Rewrites every value of an access: targets, client, interpolations. */
export function mapAccess(access: Access, f: (value: Value) => Value): Access {
  const targets = mapList(access.targets, (t) => mapTarget(t, f));
  const receiver = mapValue(access.client.receiver, f);
  const interpolations =
    access.interpolations &&
    mapList(access.interpolations, (i): Interpolation => {
      const value = mapValue(i.value, f);
      return value === i.value ? i : { ...i, value };
    });
  const output =
    access.output &&
    mapList(access.output, (o): OutputColumn => {
      if ('star' in o) return o;
      const value = mapValue(o.value, f);
      return value === o.value ? o : { ...o, value };
    });
  return {
    ...access,
    targets,
    ...(output ? { output } : {}),
    client: receiver === access.client.receiver ? access.client : { ...access.client, receiver },
    ...(interpolations ? { interpolations } : {}),
  };
}

function mapList<T>(list: readonly T[], f: (item: T) => T): readonly T[] {
  let changed = false;
  const mapped = list.map((item) => {
    const next = f(item);
    changed ||= next !== item;
    return next;
  });
  return changed ? mapped : list;
}
