import { and, type Predicate, type Reason, type Table, type Target, type Verdict } from '@tenant-lint/model';
import { referencesOf, uniqueKeys } from '../fold/index.js';
import type { LinkedAccess } from '../model.js';
import { areVerified } from '../trace/provenance.js';
import type { Ground } from './ground.js';
import { guardOf, staffOnly } from './guard.js';
import { keyColumns } from './keys.js';
import { isCredential } from './own.js';
import { pinsOf, wholeCondition } from './selection.js';
import { isTiedToOwn } from './tied.js';
import { isolated } from './verdict-kinds.js';

/**
 * Whether the row of a person, who may belong to several tenants, can be somebody's whom the current tenant has nothing to do with. `columns` say
 * whose it is. Undefined where that is not decided: who signs in, whether an address is known, whom an invitation is for.
 */
export function personVerdict(
  access: LinkedAccess,
  target: Target,
  table: Table,
  columns: readonly string[],
  ground: Ground,
): Verdict | undefined {
  const predicate = wholeCondition(access, target);
  const pins = pinsOf(predicate, target.ref);
  const alone = new Set(uniqueKeys(table).flatMap((k) => (k.length === 1 ? k : [])));
  const naming = pins.filter((p) => columns.includes(p.column) || alone.has(p.column));
  if (naming.some((p) => areVerified(ground.sourcesOf(p.value))))
    return derivedFrom({ text: 'it is of the person who asks', span: target.span });
  if (isOfMember(predicate, ground) || isTiedToOwn(predicate, ground))
    return isolated('isolated', { text: 'it is of a member of the tenant', span: target.span });
  const derived = ground.sources.of(pins, table, target, access);
  if (derived.kind === 'safe') return { kind: 'isolated', evidence: derived.evidence, because: [derived.reason] };
  const guard = guardOf(access, target, table, pins, ground);
  if (guard) return isolated('guarded', guard);
  const staff = staffOnly(access, ground);
  if (staff) return isolated('intended', staff);
  if (derived.kind !== 'foreign' || derived.confidence === 'possible' || isCredential(target)) return undefined;
  if (ground.reachedBy(access) !== 'request' || !naming.some((p) => alone.has(p.column) && !p.several))
    return undefined;
  // That there is such a person, and what everybody may know of him, says nothing of a tenant.
  if (access.operation === 'read' && !bringsTenantRows(access, target, ground)) return undefined;
  return {
    kind: 'leak',
    evidence: 'none',
    confidence: 'likely',
    witness: { text: 'the row of a person who belongs to other tenants only', assignment: {} },
    because: derived.reasons,
  };
}

const derivedFrom = (reason: Reason): Verdict => ({ kind: 'isolated', evidence: 'derived', because: [reason] });

/** Whether a condition asks for a row of a tenant's table, and which tenant. */
function isOfMember(predicate: Predicate, ground: Ground): boolean {
  if (predicate.kind === 'and') return predicate.of.some((p) => isOfMember(p, ground));
  if (predicate.kind === 'or' || predicate.kind === 'either') return predicate.of.every((p) => isOfMember(p, ground));
  if (predicate.kind !== 'exists' && predicate.kind !== 'in-query') return false;
  const { targets, condition } = predicate.query;
  return (
    isOfMember(condition, ground) ||
    targets.some((t) => {
      const table = ground.tableOf(t);
      const tenancy = table && ground.tenancyOf(table.id);
      const keys = tenancy?.kind === 'keyed' ? keyColumns(tenancy) : tenancy?.kind === 'root' ? [tenancy.key] : [];
      return (
        isOfMember(t.predicate, ground) ||
        pinsOf(and(condition, t.predicate), t.ref).some((p) => keys.includes(p.column) && p.value.kind !== 'column')
      );
    })
  );
}

/** Whether a read brings rows of tenants along, and more than that the person is a member of them. */
function bringsTenantRows(access: LinkedAccess, person: Target, ground: Ground): boolean {
  return access.targets.some((t) => {
    const table = t.role === 'include' && t.ref !== person.ref ? ground.tableOf(t) : undefined;
    const tenancy = table && ground.tenancyOf(table.id);
    if (!table || (tenancy?.kind !== 'keyed' && tenancy?.kind !== 'child')) return false;
    const own = ground.tableOf(person);
    const isMembership = own !== undefined && referencesOf(table).some((r) => r.to === own.id);
    return !isMembership && !isOfTenant(t, keyColumns(tenancy), ground);
  });
}

const isOfTenant = (t: Target, keys: readonly string[], ground: Ground): boolean =>
  isOfMember(t.predicate, ground) ||
  pinsOf(t.predicate, t.ref).some((p) => keys.includes(p.column) && p.value.kind !== 'column');
