import type { Finding, Table } from '@tenant-lint/model';
import { shortName } from './columns.js';
import { isNullable, type Project } from './project.js';
import type { Repair, RepairStep } from './step.js';

/** require-tenant-first-index. */
export function requireIndex(project: Project, finding: Finding): Repair {
  const table = project.table(finding.table);
  if (!table) return { reason: 'the table is not known' };
  if (finding.message === 'membership')
    return { reason: 'by which of the columns policies should find its rows is yours to choose' };
  if (finding.message === 'secondary')
    return { reason: 'whether the index serves searches within a tenant hangs on the queries' };
  const keys = project.keys(table);
  const key = keys.find((k) => !isNullable(table, k.column)) ?? keys[0];
  const steps = key ? tenantIndex(project, table, [key.column], [finding.fingerprint]) : [];
  return steps.length > 0 ? { steps } : { reason: 'no migration of this project makes the table' };
}

/** An index that begins with the tenant, made while the table is in use. */
export function tenantIndex(
  project: Project,
  table: Table,
  columns: readonly string[],
  claims: readonly string[],
): RepairStep[] {
  const history = project.historyOf(table.origin);
  if (history === undefined) return [];
  const names = project.names(history);
  const name = project.fresh([table.name.name, ...columns], 'idx');
  const partitioned = table.partitionBy !== undefined && table.partitionBy.length > 0;
  const qualified = names.object({ ...(table.name.schema === undefined ? {} : { schema: table.name.schema }), name });
  return [
    {
      id: `index ${table.id} ${columns.join(',')}`,
      phase: 'indexes',
      history,
      title: `The rows of one tenant are found in ${shortName(table)} without reading all others.`,
      up: [
        `CREATE INDEX ${partitioned ? '' : 'CONCURRENTLY '}${names.name(name)} ON ${names.table(table)} (${names.list(columns)})`,
      ],
      down: [`DROP INDEX ${qualified}`],
      ...(partitioned ? {} : { concurrent: true }),
      table: table.id,
      claims,
      needs: [],
      declares: [{ kind: 'index', table: table.id, columns, name }],
      notes: partitioned
        ? [
            `Postgres makes no index of a partitioned table concurrently; ${shortName(table)} takes no writes meanwhile.`,
          ]
        : [],
    },
  ];
}
