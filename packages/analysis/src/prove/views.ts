import { always, type Predicate, type Target, type View } from '@tenant-lint/model';
import type { ViewReach } from '../model.js';
import type { Tables } from '../link/tables.js';
import type { PolicyContext } from './policies.js';
import { PolicyWorld } from './policy-world.js';
import { prove } from './prove.js';
import { refsIn } from './walk.js';

/** The world of a query that runs with rights to which no policy applies: looked-up tables show all their rows. */
class OwnerWorld extends PolicyWorld {
  override rowSecurity(): Predicate | undefined {
    return undefined;
  }
}

/**
 * The tables of tenants' rows that the query of a view reads, and whether its own conditions hold each to the current tenant, as if no
 * policy did. Views that it reads are questions of their own. Never throws.
 */
export function viewReaches(view: View, tables: Tables, context: PolicyContext): readonly ViewReach[] {
  const targets = view.query?.targets ?? [];
  if (targets.length === 0) return [];
  const world = new OwnerWorld(context, { name: 'public', all: new Set(['public']), assumed: false });
  return targets.flatMap((target): ViewReach[] => {
    const table = target.table.known ? tables.find(target.table.value) : undefined;
    if (!table || !('rowSecurity' in table)) return [];
    const { kind } = world.tenancy(target);
    if (kind === 'shared' || kind === 'unknown') return [];
    return [{ table, target, proof: prove(question(target, targets, world)) }];
  });
}

function question(target: Target, targets: readonly Target[], world: PolicyWorld): Parameters<typeof prove>[0] {
  const mentioned = refsIn(target.predicate);
  const others = targets
    .filter((t) => t !== target && mentioned.has(t.ref))
    .map((t) => ({ ...t, predicate: always('stated by the question') }));
  return { target, predicate: target.predicate, others, world };
}
