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

  // Without row security the earlier policies held nothing back.
  const opened = earlier.rowSecurity.enabled ? after.policyWeakenings(later, earlier.policies) : [];
  const closed = before.policyWeakenings(earlier, later.policies);
  const undecided = after.policyUnknowns(later);
  const weaker = opened.map((w) => weakened(w, later, [...removed, ...changed.map(([was]) => was)][0]));
  const named = new Set(opened.map((w) => w.policy.name));
  const meant = newlyMeant(earlier, later, before, after);
  const effectOf = (policy: Policy): Change['effect'] => {
    if (undecided.some((u) => u.policy.name === policy.name) || meant.has(policy.name)) return 'unknown';
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
      .map((p) => change('added', p, effectOf(p), `policy ${p.name} of ${later.id} is new${meant.get(p.name) ?? ''}`)),
    ...changed
      .filter(([, p]) => !named.has(p.name))
      .map(([, p]) => {
        const effect = effectOf(p);
        const same = effect === 'neutral' ? ', and lets through no foreign row that it held back' : '';
        return change(
          'changed',
          p,
          effect,
          `policy ${p.name} of ${later.id} reads otherwise${meant.get(p.name) ?? same}`,
        );
      }),
  ];
}

/** Policies that let foreign rows through which may be meant for whoever asks, and did not before; whether they are is for a person to say. */
function newlyMeant(earlier: Table, later: Table, before: Model, after: Model): ReadonlyMap<string, string> {
  if (!earlier.rowSecurity.enabled) return new Map();
  const excuses = (model: Model, table: Table): readonly (readonly [string, string])[] =>
    model
      .policyLeaks(table)
      .flatMap(({ policy, excuse }) => (excuse === undefined ? [] : [[policy.name, said[excuse]] as const]));
  const known = new Set(excuses(before, earlier).map((one) => one.join()));
  return new Map(excuses(after, later).filter((one) => !known.has(one.join())));
}

const said = {
  named: ', and lets through rows that name the caller, whatever their tenant',
  published: ', and lets through rows that are marked as meant for everybody',
  open: ', and shows rows of every tenant to whoever has not signed in',
} as const;

const placeOf = (policy: Policy): Policy['origin']['created'] => policy.origin.changed.at(-1) ?? policy.origin.created;

const done = { select: 'read', insert: 'added', update: 'changed', delete: 'deleted' } as const;

const couldBe = ({ command, side }: PolicyWeakening): string =>
  command === 'update' && side === 'check'
    ? 'rows can be moved to other tenants'
    : `rows of other tenants can be ${done[command]}`;

const weakened = (w: PolicyWeakening, table: Table, was: Policy | undefined): Change => ({
  thing: 'policy',
  what: 'changed',
  name: w.policy.name,
  table: table.id,
  effect: 'weaker',
  text: `policy ${w.policy.name} of ${table.id} now lets through ${w.witness.text}, so that ${couldBe(w)}`,
  after: placeOf(w.policy),
  ...(was ? { before: placeOf(was) } : {}),
});
