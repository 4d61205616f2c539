import { defineRule } from '@tenant-lint/engine';
import { keyColumns, tableName } from '../../lib/naming.js';
import { definitionOf } from '../../lib/place.js';

export default defineRule({
  meta: {
    id: 'require-tenant-in-partition-key',
    group: 'copy',
    summary:
      'Require that partitions of a table of tenants fit its keys: the tenant in the partition key, the partition key in its keys',
    since: 'next',
    severity: 'warning',
    recommended: true,
    hosts: ['sql'],
    needs: ['migrations'],
    catalogue: ['I09'],
    messages: {
      refused: {
        what: 'The {kind} of {table} does not contain {missing}, by which the table is partitioned.',
        why: 'Postgres refuses the statement, so the table that policies and code rely on is not made.',
        fix: 'Add {missing} to the {kind}.',
      },
      without: {
        severity: 'info',
        what: '{table} is partitioned by {columns}, not by {key}.',
        why: 'Every partition holds rows of all tenants: a query of one tenant looks into all of them, and none can be detached or dropped for one tenant.',
        fix: 'Partition by LIST or HASH ({key}), with further partitions by {columns} below where needed.',
      },
      default: {
        severity: 'info',
        what: '{table} is the default partition of {parent}, which is partitioned by {columns}.',
        why: 'Rows of every tenant without a partition of its own gather in it unnoticed.',
        fix: 'Create a partition with each tenant, and let rows of unknown tenants fail.',
      },
    },
  },
  subject: 'table',
  *check(table, model) {
    const keys = keyColumns(model.tenancyOf(table.id));
    const common = { confidence: 'certain', table: table.id } as const;
    const name = tableName(table.id);
    const by = table.partitionBy ?? [];
    if (by.length > 0 && !by.includes('(expression)')) {
      for (const constraint of table.constraints) {
        if (constraint.kind !== 'primary key' && constraint.kind !== 'unique') continue;
        const missing = by.filter((column) => !constraint.columns.includes(column));
        if (missing.length === 0) continue;
        yield {
          ...common,
          message: 'refused',
          data: {
            table: name,
            kind: constraint.kind === 'unique' ? 'unique constraint' : 'primary key',
            missing: missing.join(', '),
          },
          span: definitionOf(constraint),
          key: `${table.id} ${constraint.kind} ${constraint.columns.join()}`,
        };
      }
    }
    if (keys.length === 0) return;
    const parent = table.partitionOf === undefined ? undefined : model.schema.tables.get(table.partitionOf);
    // Partitions of partitions: the tenant may stand on any level.
    if (by.length > 0 && !parent && !levels(table.id).some((columns) => columns.some((c) => keys.includes(c))))
      yield {
        ...common,
        message: 'without',
        data: { table: name, columns: by.join(', '), key: keys.join(' or ') },
        span: table.origin.created,
        key: table.id,
      };
    if (parent && table.defaultPartition && parent.partitionBy?.some((c) => keys.includes(c)))
      yield {
        ...common,
        message: 'default',
        data: { table: name, parent: tableName(parent.id), columns: (parent.partitionBy ?? []).join(', ') },
        span: table.origin.created,
        key: table.id,
      };

    function levels(id: string): readonly (readonly string[])[] {
      const own = model.schema.tables.get(id)?.partitionBy ?? [];
      const below = [...model.schema.tables.values()].filter(
        (t) => t.partitionOf === id && t.id !== id && t.partitionBy,
      );
      return [own, ...below.map((t) => t.partitionBy ?? [])];
    }
  },
});
