import { defineRule } from '@tenant-lint/engine';
import { claimsOf, draftOf } from '../../lib/claims.js';

export default defineRule({
  meta: {
    id: 'no-untrusted-tenant',
    group: 'trust',
    summary: 'Disallow a tenant that the request says and that nothing checks against the user',
    since: 'next',
    severity: 'error',
    recommended: true,
    hosts: ['typescript'],
    needs: ['schema', 'code'],
    catalogue: ['C-27', 'C-28', 'C-29', 'C-30', 'C-31'],
    messages: {
      claimed: {
        what: '{source} of the request says whose rows of {tables} are used, and nothing checks that the user belongs to that tenant.',
        why: 'Whoever sends the {tie} of another tenant works with its rows: they can be {done}.',
        fix: 'Take the tenant from the session, or look up the membership of the user in it before the query.',
      },
    },
  },
  subject: 'project',
  *check(model) {
    for (const claimed of claimsOf(model)) {
      if (!claimed.uses[0].claim.decoded) yield { message: 'claimed', ...draftOf(claimed, model) };
    }
  },
});
