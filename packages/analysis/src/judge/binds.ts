import type { Predicate, Query, Target, TargetRef, Value } from '@tenant-lint/model';
import type { World } from '../prove/index.js';

/**
 * With what a condition compares tenant keys: with a `value` that may be the tenant, with such a value but on the key of another table only
 * (`elsewhere`), with a `constant` only, or with `nothing` of either kind (other columns, NULL).
 */
export function bindsKey(
  target: Target,
  predicate: Predicate,
  others: readonly Target[],
  world: World,
  /** Whether parts that may be left out count. */
  optional: boolean,
): 'value' | 'elsewhere' | 'constant' | 'nothing' {
  const targets = new Map<TargetRef, Target>([...others, target].map((t) => [t.ref, t]));
  let found: 'value' | 'elsewhere' | 'constant' | 'nothing' = 'nothing';
  const isOwn = (value: Value): boolean =>
    value.kind === 'apply' ? value.to.some(isOwn) : value.kind === 'column' && value.target === target.ref;
  const isKey = (value: Value): boolean => {
    if (value.kind === 'apply') return value.to.some(isKey);
    if (value.kind !== 'column' || value.target === undefined) return false;
    const of = targets.get(value.target);
    const role = of && world.column(of, value.column).role;
    return role === 'key' || role === 'user';
  };
  const see = (values: readonly Value[]): void => {
    if (!values.some(isKey)) return;
    const rest = values.filter((v) => !isKey(v));
    if (rest.some((v) => v.kind !== 'constant' && v.kind !== 'column' && v.kind !== 'query' && v.kind !== 'undefined'))
      found = found === 'value' || values.some((v) => isKey(v) && isOwn(v)) ? 'value' : 'elsewhere';
    else if (found === 'nothing' && rest.some((v) => v.kind === 'constant' && v.value !== null)) found = 'constant';
  };
  const query = (q: Query): void => {
    for (const t of q.targets) {
      targets.set(t.ref, t);
      visit(t.predicate);
    }
    visit(q.condition);
    q.arms?.forEach(query);
  };
  const visit = (p: Predicate): void => {
    switch (p.kind) {
      case 'and':
      case 'or':
      case 'either':
        return p.of.forEach(visit);
      case 'not':
      case 'is':
        return visit(p.of);
      case 'compare':
        // A key compared with itself is no condition, but an attempt at one.
        if (
          p.left.kind === 'column' &&
          p.right.kind === 'column' &&
          p.left.target === p.right.target &&
          p.left.column === p.right.column &&
          isKey(p.left)
        )
          found = 'value';
        return see([p.left, p.right]);
      case 'in':
        return see([p.left, ...p.right]);
      case 'in-query':
        see(p.left);
        return query(p.query);
      case 'exists':
        return query(p.query);
      case 'case':
        for (const [when, then] of p.of) [when, then].forEach(visit);
        return visit(p.otherwise);
      case 'optional':
        return (optional ? [p.of, p.otherwise] : [p.otherwise]).forEach(visit);
      case 'value':
        return see([p.of]);
      default:
        return undefined;
    }
  };
  visit(predicate);
  return found;
}
