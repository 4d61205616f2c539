import type { LinkedAccess, Model } from '@tenant-lint/analysis';
import type { TargetSubject } from '@tenant-lint/engine';
import type { Table, Target, Tenancy, Value, Verdict, View } from '@tenant-lint/model';
import { keyColumns } from './naming.js';
import { isTenantSetting, tenantSettings } from './setting.js';

/** A target through which rows of another tenant are reached, with what rules want to say about it. */
export interface Leak {
  readonly table: Table | View;
  readonly tenancy: Tenancy;
  readonly verdict: Extract<Verdict, { kind: 'leak' }>;
  /** Which rule explains it; see RULES in docs/rules.md: a cause is reported once. */
  readonly explainedBy:
    | 'no-vanishing-filter'
    | 'no-escaped-filter'
    | 'no-tenant-fallback'
    | 'no-unscoped-client'
    | 'require-database-isolation'
    | 'no-privileged-client'
    | 'no-unscoped-get'
    | 'require-tenant-in-join'
    | 'require-tenant-filter';
}

/**
 * The leak of a target, undefined where there is none, where it is not known, or where it follows from the leak of the access' root
 * (joined and included rows leak because the root does: one cause).
 */
export function leakOf({ access, target }: TargetSubject, model: Model): Leak | undefined {
  // What a write links to is a question of its own: whether the linked row was verified.
  if (target.role === 'nested-write') return undefined;
  const table = model.tableOf(target);
  if (table === undefined) return undefined;
  const verdict = model.verdict(access, target);
  if (verdict.kind !== 'leak') return undefined;
  const found = { table, tenancy: model.tenancyOf(table.id), verdict };
  if (target.role !== 'root') {
    // The root's leak explains it, unless it is less sure of it.
    const rootLeaks = access.targets.some((other) => {
      const root = other.role === 'root' && other !== target ? model.verdict(access, other) : undefined;
      return root?.kind === 'leak' && (root.confidence !== 'possible' || verdict.confidence === 'possible');
    });
    if (rootLeaks) return undefined;
  }
  if (verdict.evidence === 'vanishing') return { ...found, explainedBy: 'no-vanishing-filter' };
  if (verdict.evidence === 'negated' && model.stopgap(access, target)?.kind === 'fixed')
    return { ...found, explainedBy: 'no-tenant-fallback' };
  if (verdict.evidence === 'negated') return { ...found, explainedBy: 'no-escaped-filter' };
  const bypass = model.bypass(access, target);
  if (bypass && bypass.kind !== 'privileged') return { ...found, explainedBy: 'no-unscoped-client' };
  if (reliesOnPolicies(access, model)) return { ...found, explainedBy: 'require-database-isolation' };
  if (target.role !== 'root') return { ...found, explainedBy: 'require-tenant-in-join' };
  const pinned = target.role === 'root' && model.selection(access, target).pinnedBy.length > 0;
  if (pinned) return { ...found, explainedBy: 'no-unscoped-get' };
  if (bypass) return { ...found, explainedBy: 'no-privileged-client' };
  return {
    ...found,
    explainedBy: boundElsewhere(access, target, model) ? 'require-tenant-in-join' : 'require-tenant-filter',
  };
}

/** Whether code leaves the tenant to the policies of the database: its client acts for the caller, or the tenant is set on its connection. */
export const reliesOnPolicies = (access: LinkedAccess, model: Model): boolean =>
  access.client.policies === 'hold' ||
  model.sessionOf(access).some(({ name }) => isTenantSetting(model, settingsOf(model), name));

const settings = new WeakMap<Model, ReadonlySet<string>>();

function settingsOf(model: Model): ReadonlySet<string> {
  let found = settings.get(model);
  if (!found) settings.set(model, (found = tenantSettings(model)));
  return found;
}

/** The joined target whose condition names the tenant in the place of that of the root. */
export const boundElsewhere = (access: LinkedAccess, root: Target, model: Model): Target | undefined =>
  access.targets.find((other) => other !== root && other.role === 'join' && namesTenant(access, other, model));

/** Whether the condition under which a joined row is reached compares a key with a value of the program, be it the row's own or another's. */
function namesTenant(access: LinkedAccess, target: Target, model: Model): boolean {
  const keysOf = new Map(
    access.targets.map((t): [string, readonly string[]] => {
      const table = model.tableOf(t);
      return [t.ref, table ? keyColumns(model.tenancyOf(table.id)) : []];
    }),
  );
  const isKey = (value: Value): boolean =>
    value.kind === 'column' && value.target !== undefined && keysOf.get(value.target)?.includes(value.column) === true;
  const conjuncts = target.predicate.kind === 'and' ? target.predicate.of : [target.predicate];
  return conjuncts.some(
    (p) =>
      p.kind === 'compare' &&
      p.operator === '=' &&
      ((isKey(p.left) && p.right.kind !== 'column') || (isKey(p.right) && p.left.kind !== 'column')),
  );
}
