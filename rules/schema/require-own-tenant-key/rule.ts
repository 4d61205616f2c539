import { defineRule } from '@tenant-lint/engine';
import { parentNames, tableName } from '../../lib/naming.js';

export default defineRule({
  meta: {
    id: 'require-own-tenant-key',
    group: 'schema',
    summary: 'Require a tenant column of their own on tables whose rows belong to a tenant through others',
    since: 'next',
    severity: 'info',
    recommended: false,
    hosts: ['typescript', 'sql'],
    needs: ['schema'],
    catalogue: ['T09'],
    messages: {
      joined: {
        what: '{table} has no tenant column; its rows belong to a tenant through {parents}.',
        why: 'Every condition and every policy has to look the tenant up in another table, no index can begin with it, and no other reference can carry it.',
        fix: 'Add {key} NOT NULL to {table}, and reference {parents} over it as well.',
      },
    },
  },
  subject: 'table',
  *check(table, model) {
    const tenancy = model.tenancyOf(table.id);
    if (tenancy.kind !== 'child' || table.partitionOf !== undefined || table.inherits.length > 0) return;
    yield {
      message: 'joined',
      data: {
        table: tableName(table.id),
        parents: parentNames(tenancy).join(' or '),
        key: model.tenancy.keys[0] ?? 'the tenant',
      },
      span: table.origin.created,
      confidence: 'certain',
      table: table.id,
      key: table.id,
    };
  },
});
