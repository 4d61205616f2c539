import { defineRule } from '@tenant-lint/engine';
import { placeOf } from '../../lib/evidence.js';
import { tableName } from '../../lib/naming.js';

export default defineRule({
  meta: {
    id: 'supabase-no-anon-write',
    group: 'platform',
    summary: 'Disallow policies by which anonymous requests write rows of tenants',
    since: 'next',
    severity: 'error',
    recommended: false,
    platform: 'supabase',
    hosts: ['sql'],
    needs: ['migrations'],
    catalogue: ['Z04'],
    messages: {
      anon: {
        what: 'The policy {policy} of {table} lets anonymous requests {done} rows.',
        why: 'Whoever knows the address and the public key writes into the tables of tenants, without signing in.',
        fix: 'Write the policy TO authenticated, or take the rows through a function that checks them.',
      },
    },
  },
  subject: 'policy',
  *check({ table, policy }, model) {
    const { kind } = model.tenancyOf(table.id);
    if (kind !== 'keyed' && kind !== 'child' && kind !== 'root') return;
    if (!policy.permissive || policy.command === 'select' || !policy.roles.includes('anon')) return;
    const clause = policy.check ?? policy.using;
    if (clause === undefined || clause.kind === 'never') return;
    const verbs: Readonly<Record<string, string>> = {
      all: 'add, change and delete',
      insert: 'add',
      update: 'change',
      delete: 'delete',
    };
    yield {
      message: 'anon',
      data: { policy: policy.name, table: tableName(table.id), done: verbs[policy.command] ?? 'write' },
      ...placeOf(policy.origin, 'the policy is changed here'),
      confidence: 'certain',
      table: table.id,
      key: `${table.id} ${policy.name}`,
    };
  },
});
