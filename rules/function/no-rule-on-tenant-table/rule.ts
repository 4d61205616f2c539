import { defineRule } from '@tenant-lint/engine';
import { placeOf } from '../../lib/evidence.js';
import { tableName } from '../../lib/naming.js';

export default defineRule({
  meta: {
    id: 'no-rule-on-tenant-table',
    group: 'function',
    summary: 'Disallow CREATE RULE on tables with row security',
    since: 'next',
    severity: 'error',
    recommended: true,
    hosts: ['sql'],
    needs: ['migrations'],
    catalogue: ['F11'],
    messages: {
      rule: {
        what: 'The rule {rule} rewrites statements on {table}.',
        why: "What a rule adds runs with the rights of the table's owner, so row security does not hold in it.",
        fix: 'Write a trigger instead: its function runs with the rights of the caller.',
      },
    },
  },
  subject: 'table',
  *check(table, model) {
    const { kind } = model.tenancyOf(table.id);
    if ((kind !== 'keyed' && kind !== 'child' && kind !== 'root') || !model.databaseIsolates(table)) return;
    for (const { name, idle, origin } of table.rules ?? []) {
      if (idle) continue;
      yield {
        message: 'rule',
        data: { rule: name, table: tableName(table.id) },
        ...placeOf(origin),
        confidence: 'certain',
        table: table.id,
        key: `${table.id} ${name}`,
      };
    }
  },
});
