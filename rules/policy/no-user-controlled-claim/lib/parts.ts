import { identityOf, userControlled, type Model } from '@tenant-lint/analysis';
import type { Policy, Value } from '@tenant-lint/model';
import { bareValue, comparisonsIn, nodesIn, remembered } from '../../../lib/conditions.js';

/** A part of a condition that rests on what the user can choose or change. */
export type Part =
  /** `key`: it is compared with a tenant key. */
  | { readonly is: 'metadata'; readonly key: boolean }
  | { readonly is: 'client' | 'pattern' | 'list' | 'session user' | 'email' | 'stale' }
  | { readonly is: 'role'; readonly role: string };

/** Postgres' own roles and those that the hosted platform makes outside of the migrations. */
const knownRoles = new Set([
  'anon',
  'authenticated',
  'service_role',
  'postgres',
  'supabase_admin',
  'authenticator',
  'public',
]);
const sessionRoles = new Set(['current_user', 'session_user', 'current_role', 'user']);

/** What the conditions of a policy, and the functions they call, owe to the user. In the order in which they stand there. */
export function* controlledParts(
  trees: readonly object[],
  policy: Policy,
  keys: readonly string[],
  model: Model,
): Iterable<Part> {
  for (const tree of trees) {
    for (const { operator, sides } of comparisonsIn(tree)) {
      const withKey = sides.some((side) => keys.some((key) => factsOf(side).columns.has(key)));
      for (const side of sides) yield* inSide(side, withKey, operator);
      yield* ofRoles(sides, model);
      const writes = policy.command !== 'select' && policy.command !== 'delete';
      if (withKey && writes && sides.some((side) => factsOf(side).tenantClaim)) yield { is: 'stale' };
    }
    if (holdsMetadata(tree)) yield { is: 'metadata', key: false };
  }
}

function* inSide(side: Value, withKey: boolean, operator: string): Iterable<Part> {
  const { controlled, session, split } = factsOf(side);
  if (controlled === 'metadata') yield { is: 'metadata', key: withKey };
  if (controlled === 'client' && withKey) yield { is: 'client' };
  if (controlled === 'email') yield { is: 'email' };
  if (!withKey) return;
  if (session && /^(?:i?like|similar to|~\*?|\^@)$/.test(operator)) yield { is: 'pattern' };
  if (session && split) yield { is: 'list' };
  const bare = bareValue(side);
  if (bare.kind === 'apply' && bare.to.length === 0 && sessionRoles.has(bare.function)) yield { is: 'session user' };
}

/** `auth.role() = 'admin'`: what platforms call a role is a role of the database, not one of the application. */
function* ofRoles(sides: readonly Value[], model: Model): Iterable<Part> {
  const asked = sides.some((side) => {
    const bare = bareValue(side);
    return bare.kind === 'apply' && bare.function === 'auth.role' && bare.to.length === 0;
  });
  if (!asked) return;
  for (const side of sides) {
    const bare = bareValue(side);
    if (bare.kind !== 'constant' || typeof bare.value !== 'string') continue;
    if (!knownRoles.has(bare.value) && !model.schema.roles.has(bare.value)) yield { is: 'role', role: bare.value };
  }
}

/** A claim of a verified token that is no identity: the tenants, say. */
const isTenantClaim = (value: Value): boolean =>
  (value.kind === 'apply' || value.kind === 'element') && identityOf(value) === 'tenant-verified';

interface SideFacts {
  readonly columns: ReadonlySet<string>;
  readonly controlled: ReturnType<typeof userControlled>;
  /** It holds something of the session. */
  readonly session: boolean;
  /** A text is split into a list. */
  readonly split: boolean;
  readonly tenantClaim: boolean;
}

/** What one side of a comparison is made of. */
const factsOf = remembered((side: Value): SideFacts => {
  const columns = new Set<string>();
  let controlled: SideFacts['controlled'];
  let [session, split, tenantClaim] = [false, false, false];
  for (const node of nodesIn(side)) {
    if (!('kind' in node)) continue;
    const value = node as unknown as Value;
    controlled ??= userControlled(value);
    if ('ref' in node) continue;
    if (value.kind === 'column') columns.add(value.column);
    session ||= value.kind === 'setting' || value.kind === 'tenant' || identityOf(value) === 'tenant-verified';
    split ||= value.kind === 'apply' && /^(?:string_to_array|regexp_split_to_(?:array|table))$/.test(value.function);
    tenantClaim ||= isTenantClaim(value);
  }
  return { columns, controlled, session, split, tenantClaim };
});

const holdsMetadata = remembered((tree: object): boolean => {
  for (const node of nodesIn(tree))
    if ('kind' in node && !('ref' in node) && userControlled(node as unknown as Value) === 'metadata') return true;
  return false;
});
