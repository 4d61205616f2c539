import { type Target } from '@tenant-lint/model';
import type { LinkedAccess, TenantStopgap } from '../model.js';
import type { Ground } from './ground.js';
import { keyColumns } from './keys.js';
import { pinsOf, wholeCondition } from './selection.js';
import { stopgapsOf } from './stopgap.js';

/** The constants that take the place of the tenant where a target is reached or written; see Model. */
export function tenantStopgap(access: LinkedAccess, target: Target, ground: Ground): TenantStopgap | undefined {
  const table = ground.tableOf(target);
  const tenancy = table && ground.tenancyOf(table.id);
  if (!table || !tenancy || (tenancy.kind !== 'keyed' && tenancy.kind !== 'root')) return undefined;
  const keys = new Set(keyColumns(tenancy));
  const isNew = target.operation === 'create';
  const values = isNew
    ? Object.entries(target.writes?.set ?? {}).map(([column, value]) => ({ column, value }))
    : pinsOf(wholeCondition(access, target), target.ref);
  const about = values.filter((v) => keys.has(v.column));
  const all = about.map((v) => ({ column: v.column, gaps: stopgapsOf(v.value, ground.program) }));
  const [first] = all;
  // Another key without one holds the tenant.
  if (!first || all.some(({ gaps }) => gaps.found.length === 0)) return undefined;
  const verdict = ground.verdict(access, target);
  const kind = first.gaps.open ? 'fallback' : 'fixed';
  if (kind === 'fixed' && (tenancy.kind === 'root' || first.gaps.found.some((f) => f.environment))) return undefined;
  const binds = verdict.kind === 'isolated' && (verdict.evidence === 'isolated' || verdict.evidence === 'unverified');
  const isOpen = verdict.kind === 'unknown' || (kind === 'fixed' && verdict.kind === 'leak');
  if (!binds && !isOpen) return undefined;
  const reached = ground.reachedBy(access);
  if (reached === 'staff') return undefined;
  const nullable = table.columns.get(first.column)?.notNull !== true;
  const gap = first.gaps.found.find((f) => f.value !== null && f.value !== '') ?? first.gaps.found[0]!;
  if (gap.value === null && (!nullable || kind === 'fixed')) return undefined;
  const isBlank = gap.value === '' || gap.value === null;
  return {
    kind,
    value: gap.environment ? `process.${String(gap.value)}` : JSON.stringify(gap.value),
    column: first.column,
    confidence:
      isBlank || reached === 'system' || reached === 'no request'
        ? 'possible'
        : reached === 'request' && !isOpen
          ? 'certain'
          : 'likely',
    ...(gap.span ? { span: gap.span } : {}),
  };
}
