import { defineRule } from '@tenant-lint/engine';
import { definedAt, functionKey, functionName, isPolicyHelper, isTriggerFunction } from '../../lib/functions.js';
import { isSupabase } from '../../lib/grants.js';

export default defineRule({
  meta: {
    id: 'supabase-no-anon-function',
    group: 'platform',
    summary: 'Disallow that anonymous requests call functions with the rights of their owner',
    since: 'next',
    severity: 'warning',
    recommended: false,
    platform: 'supabase',
    hosts: ['sql'],
    needs: ['migrations'],
    catalogue: ['Z05'],
    messages: {
      anon: {
        what: 'Anonymous requests may call {function}, which reaches {tables} with the rights of its owner.',
        why: 'The API offers every function of an exposed schema at /rpc, and the platform grants new ones to anon.',
        fix: 'Run REVOKE EXECUTE ON FUNCTION {function} FROM anon, PUBLIC, and grant it to authenticated.',
      },
    },
  },
  subject: 'function',
  *check(f, model) {
    if (!f.securityDefiner || isTriggerFunction(f) || isPolicyHelper(model, f) || !isSupabase(model)) return;
    if ((f.name.schema ?? 'public') !== 'public') return;
    const revoked = f.execute?.revoked.map((r) => r.role) ?? [];
    const granted = f.execute?.granted.map((g) => g.role) ?? [];
    // PUBLIC has it by default, anon by the default privileges of the platform: one revoke leaves the other.
    if (!granted.includes('public') && !granted.includes('anon') && revoked.includes('anon')) return;
    const { tables } = model.functionAccess(f);
    if (tables.length === 0) return;
    yield {
      message: 'anon',
      data: { function: functionName(f), tables: tables.map((t) => t.replace(/^public[.]/, '')).join(', ') },
      span: definedAt(f),
      confidence: 'likely',
      key: functionKey(f),
    };
  },
});
