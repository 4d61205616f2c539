import { defineRule } from '@tenant-lint/engine';
import { predicatesIn } from '../../lib/schema.js';

export default defineRule({
  meta: {
    id: 'supabase-require-bucket',
    group: 'platform',
    summary: 'Require that policies of storage.objects name the bucket',
    since: 'next',
    severity: 'warning',
    recommended: false,
    platform: 'supabase',
    hosts: ['sql'],
    needs: ['migrations'],
    catalogue: ['Z02'],
    messages: {
      bucket: {
        what: 'The policy {policy} of storage.objects names no bucket.',
        why: 'It holds for the files of every bucket, those that are created later included.',
        fix: "Add bucket_id = '...' to its condition.",
      },
      public: {
        what: 'The policy {policy} lists the files of the bucket for everybody.',
        why: 'Names of files of all tenants can be listed; a public bucket serves its files without it.',
        fix: 'Limit it to authenticated users, and compare the folder with the tenant.',
      },
    },
  },
  subject: 'statement',
  *check({ event }) {
    const { action, span, direction } = event;
    if (direction === 'down' || action.do !== 'create policy') return;
    if (action.table.schema !== 'storage' || action.table.name !== 'objects') return;
    const { name, using, check, roles } = action.policy;
    const parts = [using, check].flatMap((p) => (p ? [...predicatesIn(p)] : []));
    const base = { data: { policy: name }, span, confidence: 'certain', key: `storage.objects ${name}` } as const;
    if (!JSON.stringify(parts).includes('"column":"bucket_id"')) {
      yield { ...base, message: 'bucket' };
      return;
    }
    const lists = action.policy.command === 'select' || action.policy.command === 'all';
    const everybody = roles.length === 0 || roles.includes('public') || roles.includes('anon');
    const only = using?.kind === 'compare' || (using?.kind === 'in' && using.right.length === 1);
    if (lists && everybody && only) yield { ...base, message: 'public' };
  },
});
