import { primaryKey } from '@tenant-lint/analysis';
import { defineRule } from '@tenant-lint/engine';
import { isGenerated } from '../../lib/issued.js';
import { tableName } from '../../lib/naming.js';
import { placeInTable } from '../../lib/place.js';
import { isNumber } from '../../lib/reference.js';
import { tenantKeys } from '../../lib/schema.js';

export default defineRule({
  meta: {
    id: 'no-guessable-id',
    group: 'schema',
    summary: "Disallow identifiers of tenants' rows that count up over all tenants",
    since: 'next',
    severity: 'info',
    recommended: false,
    hosts: ['typescript', 'sql'],
    needs: ['schema'],
    catalogue: ['K13'],
    messages: {
      sequential: {
        what: '{table}.{column} counts up over all tenants.',
        why: 'Whoever sees one identifier knows the others, and how many rows all tenants have together.',
        fix: 'Use random identifiers (uuid) where they leave the system, or count within each tenant.',
      },
    },
  },
  subject: 'table',
  *check(table, model) {
    if (table.partitionOf !== undefined || tenantKeys(model, table).length === 0) return;
    const [name, ...more] = primaryKey(table);
    const column = name === undefined ? undefined : table.columns.get(name);
    if (column === undefined || more.length > 0 || !isNumber(column.type) || !isGenerated(column)) return;
    yield {
      message: 'sequential',
      data: { table: tableName(table.id), column: column.name },
      ...placeInTable(column, table),
      confidence: 'certain',
      table: table.id,
      key: `${table.id}.${column.name}`,
    };
  },
});
