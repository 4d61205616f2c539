import type { Policy, Table } from '@tenant-lint/model';
import type { Model, PolicyWeakening } from '../model.js';
import { matched, withoutPlaces, type Change } from './change.js';

/**
 * What became of the policies of a table, by meaning: they are weaker where they let a foreign row through that the earlier ones held back,
 * and stricter the other way round, whatever became of their text.
 */
export function policyChanges(earlier: Table, later: Table, before: Model, after: Model): Change[] {
  const { removed, added, both } = matched(earlier.policies, later.policies, (p) => p.name);
  const changed = both.filter(([was, is]) => withoutPlaces(was) !== withoutPlaces(is));
  if (removed.length === 0 && added.length === 0 && changed.length === 0) return [];

  const opened = after.policyWeakenings(later, earlier.policies);
  const closed = before.policyWeakenings(earlier, later.policies);
  const undecided = after.policyUnknowns(later);
  const weaker = opened.map((w) => weakened(w, later, [...removed, ...changed.map(([was]) => was)][0]));
  const named = new Set(opened.map((w) => w.policy.name));
  const effectOf = (policy: Policy): Change['effect'] => {
    if (undecided.some((u) => u.policy.name === policy.name)) return 'unknown';
    return closed.some((c) => c.policy.name === policy.name) ? 'stricter' : 'neutral';
  };
  const change = (what: Change['what'], policy: Policy, effect: Change['effect'], text: string): Change => ({
    thing: 'policy',
    what,
    name: policy.name,
    table: later.id,
    effect,
    text,
    ...(what === 'removed' ? { before: placeOf(policy) } : { after: placeOf(policy) }),
  });
  return [
    ...weaker,
    ...removed.map((p) => change('removed', p, effectOf(p), `policy ${p.name} of ${later.id} is gone`)),
    ...added
      .filter((p) => !named.has(p.name))
      .map((p) => change('added', p, effectOf(p), `policy ${p.name} of ${later.id} is new`)),
    ...changed
      .filter(([, p]) => !named.has(p.name))
      .map(([, p]) => {
        const effect = effectOf(p);
        const same = effect === 'neutral' ? ', and lets through no foreign row that it held back' : '';
        return change('changed', p, effect, `policy ${p.name} of ${later.id} reads otherwise${same}`);
      }),
  ];
}

const placeOf = (policy: Policy): Policy['origin']['created'] => policy.origin.changed.at(-1) ?? policy.origin.created;

const done = { select: 'read', insert: 'added', update: 'changed', delete: 'deleted' } as const;

const weakened = (w: PolicyWeakening, table: Table, was: Policy | undefined): Change => ({
  thing: 'policy',
  what: 'changed',
  name: w.policy.name,
  table: table.id,
  effect: 'weaker',
  text: `policy ${w.policy.name} of ${table.id} now lets through ${w.witness.text}, so that rows of other tenants can be ${done[w.command]}`,
  after: placeOf(w.policy),
  ...(was ? { before: placeOf(was) } : {}),
});
