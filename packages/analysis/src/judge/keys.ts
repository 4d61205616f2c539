import type { Tenancy } from '@tenant-lint/model';

/** The columns of a table that say whose a row is, or lead to it. */
export function keyColumns(tenancy: Tenancy | undefined): readonly string[] {
  if (tenancy?.kind === 'keyed') return tenancy.keys.map((k) => k.column);
  if (tenancy?.kind === 'root') return [tenancy.key];
  if (tenancy?.kind === 'child') return tenancy.through.flatMap((t) => t.columns);
  return [];
}
