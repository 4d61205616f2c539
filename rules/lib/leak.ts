import type { Model } from '@tenant-lint/analysis';
import type { TargetSubject } from '@tenant-lint/engine';
import type { Table, Tenancy, Verdict, View } from '@tenant-lint/model';

/** A target through which rows of another tenant are reached, with what rules want to say about it. */
export interface Leak {
  readonly table: Table | View;
  readonly tenancy: Tenancy;
  readonly verdict: Extract<Verdict, { kind: 'leak' }>;
  /** Which rule explains it; see RULES in docs/rules.md: a cause is reported once. */
  readonly explainedBy: 'no-vanishing-filter' | 'no-escaped-filter' | 'no-unscoped-get' | 'require-tenant-filter';
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
    const rootLeaks = access.targets.some(
      (other) => other.role === 'root' && other !== target && model.verdict(access, other).kind === 'leak',
    );
    if (rootLeaks) return undefined;
  }
  if (verdict.evidence === 'vanishing') return { ...found, explainedBy: 'no-vanishing-filter' };
  if (verdict.evidence === 'negated') return { ...found, explainedBy: 'no-escaped-filter' };
  const pinned = target.role === 'root' && model.selection(access, target).pinnedBy.length > 0;
  return { ...found, explainedBy: pinned ? 'no-unscoped-get' : 'require-tenant-filter' };
}
