import { sameValue, type Table, type Target, type Value } from '@tenant-lint/model';
import type { Claim, LinkedAccess, Standing } from '../model.js';
import { areVerified } from '../trace/provenance.js';
import { stripped } from './conditions.js';
import { isSecret, worst } from './confidence.js';
import type { Ground } from './ground.js';
import { guardOf, staffOnly } from './guard.js';
import { keyColumns, referringColumns } from './keys.js';
import { readsOnlyTheTenant } from './likelihood.js';
import { isCredential } from './own.js';
import { isPublished } from './publicity.js';
import { pinsOf, wholeCondition } from './selection.js';
import { asksForMember, isTiedToOwn } from './tied.js';

/** What of the request says which tenant an access works for; see Model. */
export function claimOf(access: LinkedAccess, target: Target, ground: Ground): Claim | undefined {
  const verdict = ground.verdict(access, target);
  const values = ground.restsOn.get(`${access.id}/${target.ref}`);
  const table = ground.tableOf(target);
  if (verdict.kind !== 'isolated' || !values || !table || target.operation === 'create') return undefined;
  let claim: Claim | undefined;
  for (const { value, at } of values) {
    const standing = ground.standing(at === undefined ? access : asAt(access, at, ground), value);
    if (standing.kind === 'request' && (!claim || worst(claim.confidence, standing.confidence) === claim.confidence))
      claim = standing;
  }
  if (!claim || isTiedOtherwise(access, target, table, ground)) return undefined;
  const others = othersThan(
    values.map((v) => v.value),
    access,
    target,
    table,
    ground,
  );
  if (others.some((s) => s.kind === 'own' || s.kind === 'checked')) return undefined;
  const reached = access.function === undefined ? 'unknown' : ground.reach.of(access.function);
  const isWeak =
    others.some((s) => s.kind === 'unknown' || s.kind === 'open') ||
    reached === 'system' ||
    reached === 'no request' ||
    (reached === 'public' && target.operation === 'read' && isPublished(table)) ||
    isCredential(target) ||
    isSignIn(claim, access, ground) ||
    readsOnlyTheTenant(access, ground);
  return isWeak ? { ...claim, confidence: 'possible' } : claim;
}

/** The standing of what the other identifying columns of a row are compared with. */
function othersThan(
  values: readonly Value[],
  access: LinkedAccess,
  target: Target,
  table: Table,
  ground: Ground,
): readonly Standing[] {
  const identifying = new Set([...keyColumns(ground.tenancyOf(table.id)), ...referringColumns(table)]);
  return pinsOf(wholeCondition(access, target), target.ref)
    .filter((pin) => identifying.has(pin.column) && !values.some((v) => sameValue(stripped(v), stripped(pin.value))))
    .filter((pin) => !ground.identities.isTenantOfSession(pin.value))
    .map((pin) => ground.standing(access, pin.value));
}

/** Whether something else than the key holds a target to the tenant, or to people who work for all tenants. */
function isTiedOtherwise(access: LinkedAccess, target: Target, table: Table, ground: Ground): boolean {
  if ((ground.declared.clientOf(access.client.receiver) ?? access.client.kind) === 'scoped') return true;
  // A verified tenant in another column than the key says nothing: two identifiers have changed places.
  const pins = pinsOf(wholeCondition(access, target), target.ref).filter(
    (pin) => !ground.identities.isTenantOfSession(pin.value),
  );
  // The row of a user and a tenant: that there is one is the check.
  const isMembership = pins.some((pin) => ground.world.column(target, pin.column).role === 'user');
  return (
    isMembership ||
    asksForMember(wholeCondition(access, target), ground) ||
    isTiedToOwn(wholeCondition(access, target), ground) ||
    pins.some((pin) => areVerified(ground.sourcesOf(pin.value))) ||
    ground.sources.of(pins, table, target, access).kind === 'safe' ||
    guardOf(access, target, table, pins, ground) !== undefined ||
    staffOnly(access, ground) !== undefined
  );
}

/** Whether the row found is who the caller proves to be: a secret of it, its password's too, is compared where the request comes in. */
function isSignIn(claim: Claim, access: LinkedAccess, ground: Ground): boolean {
  if (access.operation !== 'read' || claim.entry === undefined) return false;
  return ground.program
    .chainsOf(claim.entry)
    .some((chain) =>
      chain.steps.some((step) =>
        step.arguments?.some((argument) =>
          ground
            .sourcesOf(argument)
            .some((s) => s.kind === 'row' && s.chain === access.chain && isPassword(s.path.at(-1) ?? '')),
        ),
      ),
    );
}

const isPassword = (property: string): boolean => isSecret(property) || /pass(?:word|wd|phrase)/i.test(property);

/** An access as if it stood where a call is made: what was checked before the call counts. */
function asAt(access: LinkedAccess, at: string, ground: Ground): LinkedAccess {
  const chain = ground.program.chain(at);
  const f = chain && ground.program.function(chain.function);
  return chain && f ? { ...access, chain: chain.id, function: f.id, in: f } : access;
}

/** A value that nobody verified, and the call at which it is judged, where that is not the access itself. */
export interface RestsOn {
  readonly value: Value;
  readonly at?: string;
}
