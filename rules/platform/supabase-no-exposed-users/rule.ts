import { defineRule } from '@tenant-lint/engine';
import { placeOf } from '../../lib/evidence.js';
import { grantsOnName, isSupabase } from '../../lib/grants.js';
import { tableName } from '../../lib/naming.js';

export default defineRule({
  meta: {
    id: 'supabase-no-exposed-users',
    group: 'platform',
    summary: 'Disallow that the API shows rows of auth.users',
    since: 'next',
    severity: 'error',
    recommended: false,
    platform: 'supabase',
    hosts: ['sql'],
    needs: ['migrations'],
    catalogue: ['Z01'],
    messages: {
      exposed: {
        what: 'The view {view} reads auth.users, and {role} may read it.',
        why: 'auth.users holds the mail address and the metadata of everybody who ever signed up, of all tenants.',
        fix: 'Show a table of profiles with row security instead, or keep the view in a schema that the API does not expose.',
      },
    },
  },
  subject: 'project',
  *check(_, model) {
    if (!isSupabase(model)) return;
    for (const view of model.schema.views.values()) {
      const reads = view.query?.targets.some(
        (t) =>
          t.table.known &&
          t.table.value.by === 'sql' &&
          t.table.value.schema === 'auth' &&
          t.table.value.name === 'users',
      );
      if (reads !== true) continue;
      const roles = grantsOnName(model, view.name).flatMap((grant) => grant.to);
      // The API grants everything in public by default.
      const inApi = (view.name.schema ?? 'public') === 'public';
      const role =
        ['anon', 'authenticated', 'public'].find((r) => roles.includes(r)) ?? (inApi ? 'authenticated' : undefined);
      if (role === undefined) continue;
      yield {
        message: 'exposed',
        data: { view: tableName(view.id), role },
        ...placeOf(view.origin),
        confidence: 'certain',
        key: view.id,
      };
    }
  },
});
