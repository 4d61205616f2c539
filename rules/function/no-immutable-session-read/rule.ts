import type { Model } from '@tenant-lint/analysis';
import { defineRule } from '@tenant-lint/engine';
import type { SchemaFunction } from '@tenant-lint/model';
import { definedAt, functionKey, functionName, isolatesAnything } from '../../lib/functions.js';
import { tableName } from '../../lib/naming.js';
import { tableNamed } from '../../lib/schema.js';

export default defineRule({
  meta: {
    id: 'no-immutable-session-read',
    group: 'function',
    summary: 'Disallow IMMUTABLE on functions whose result depends on the session',
    since: 'next',
    severity: 'error',
    recommended: true,
    hosts: ['sql'],
    needs: ['migrations'],
    catalogue: ['F07'],
    messages: {
      immutable: {
        what: '{function} is IMMUTABLE and reads {what}.',
        why: 'The planner computes it once and keeps the result in a plan that serves the next tenant of the connection, too.',
        fix: 'Declare it STABLE.',
      },
    },
  },
  subject: 'function',
  *check(f, model) {
    if (f.volatility !== 'immutable' || !isolatesAnything(model)) return;
    const what = readsSession(f, model, new Set());
    if (what === undefined) return;
    yield {
      message: 'immutable',
      data: { function: functionName(f), what },
      span: definedAt(f),
      confidence: 'certain',
      key: functionKey(f),
    };
  },
});

/** Functions and values that belong to the session, built in or of a platform. */
const ofSession: ReadonlySet<string> = new Set([
  'current_setting',
  'pg_catalog.current_setting',
  'auth.uid',
  'auth.jwt',
  'auth.role',
  'auth.email',
  'current_user',
  'session_user',
  'current_role',
]);

/** What of the session a function reads, itself or through what it calls: a setting, the user, or rows that policies choose. */
function readsSession(f: SchemaFunction, model: Model, seen: Set<SchemaFunction>): string | undefined {
  if (seen.has(f)) return undefined;
  seen.add(f);
  const calls = f.calls ?? [];
  const direct = calls.find((name) => ofSession.has(name));
  if (direct !== undefined) return `${direct} of the session`;
  for (const query of f.queries)
    for (const target of query.targets) {
      const table = target.table.known ? tableNamed(model, target.table.value) : undefined;
      if (table?.rowSecurity.enabled) return `${tableName(table.id)}, whose rows row security chooses for the session`;
    }
  for (const name of calls)
    for (const called of model.schema.functions.get(name.includes('.') ? name : `public.${name}`) ?? []) {
      const found = readsSession(called, model, seen);
      if (found !== undefined) return `${found}, through ${functionName(called)}`;
    }
  return undefined;
}
