import {
  mapAccess,
  mapPredicate,
  mapValue,
  type Access,
  type Predicate,
  type Query,
  type Target,
  type Value,
} from '@tenant-lint/model';

/** What stands for a placeholder, by its name; undefined leaves the placeholder as it is. */
export type Substitution = (name: string) => Value | undefined;

const replace =
  (by: Substitution) =>
  (value: Value): Value =>
    value.kind === 'placeholder' ? (by(value.name) ?? value) : value;

/** Replaces the placeholders of an access in predicates, writes and interpolations; a placeholder used as a condition may become one. */
export function substitutePlaceholders(access: Access, by: Substitution): Access {
  const mapped = mapAccess(access, replace(by));
  return { ...mapped, targets: mapped.targets.map(unwrapTarget) };
}

/** Like substitutePlaceholders, for one value. */
export const substituteInValue = (value: Value, by: Substitution): Value => unwrapValue(mapValue(value, replace(by)));

/** Like substitutePlaceholders, for one condition. */
export const substituteInPredicate = (predicate: Predicate, by: Substitution): Predicate =>
  rewritePredicate(mapPredicate(predicate, replace(by)), unwrapCondition);

const unwrapCondition = (p: Predicate): Predicate =>
  p.kind === 'value' && p.of.kind === 'predicate' ? p.of.predicate : p;
const unwrapTarget = (target: Target): Target => rewriteTarget(target, unwrapCondition);
const unwrapValue = (value: Value): Value => rewriteValue(value, unwrapCondition);

/** Rewrites a condition bottom-up, those of its sub-queries included. */
export function rewritePredicate(predicate: Predicate, f: (p: Predicate) => Predicate): Predicate {
  const go = (p: Predicate): Predicate => rewritePredicate(p, f);
  const value = (v: Value): Value => rewriteValue(v, f);
  switch (predicate.kind) {
    case 'and':
    case 'or':
    case 'either':
      return f({ ...predicate, of: predicate.of.map(go) });
    case 'not':
    case 'is':
      return f({ ...predicate, of: go(predicate.of) });
    case 'compare':
      return f({ ...predicate, left: value(predicate.left), right: value(predicate.right) });
    case 'in':
      return f({ ...predicate, left: value(predicate.left), right: predicate.right.map(value) });
    case 'null':
    case 'value':
      return f({ ...predicate, of: value(predicate.of) });
    case 'in-query':
      return f({ ...predicate, left: predicate.left.map(value), query: rewriteQuery(predicate.query, f) });
    case 'exists':
      return f({ ...predicate, query: rewriteQuery(predicate.query, f) });
    case 'case':
      return f({
        ...predicate,
        of: predicate.of.map(([when, then]) => [go(when), go(then)] as const),
        otherwise: go(predicate.otherwise),
      });
    case 'optional':
      return f({ ...predicate, of: go(predicate.of), otherwise: go(predicate.otherwise) });
    default:
      return f(predicate);
  }
}

/** Rewrites the conditions of a sub-query, see rewritePredicate. */
export const rewriteQuery = (query: Query, f: (p: Predicate) => Predicate): Query => ({
  ...query,
  targets: query.targets.map((t) => rewriteTarget(t, f)),
  condition: rewritePredicate(query.condition, f),
  output: query.output.map((v) => rewriteValue(v, f)),
  ...(query.arms ? { arms: query.arms.map((a) => rewriteQuery(a, f)) } : {}),
});

/** Rewrites the conditions of a target, see rewritePredicate. */
export const rewriteTarget = (target: Target, f: (p: Predicate) => Predicate): Target => ({
  ...target,
  predicate: rewritePredicate(target.predicate, f),
});

/** Rewrites the conditions that occur as, or in sub-queries of, a value. */
export const rewriteValue = (value: Value, f: (p: Predicate) => Predicate): Value =>
  mapValue(value, (v) => {
    if (v.kind === 'predicate') return { ...v, predicate: rewritePredicate(v.predicate, f) };
    if (v.kind === 'query') return { ...v, query: rewriteQuery(v.query, f) };
    return v;
  });
