import { defineRule } from '@tenant-lint/engine';
import { claimsOf, draftOf } from '../../lib/claims.js';

export default defineRule({
  meta: {
    id: 'no-unverified-claim',
    group: 'trust',
    summary: 'Disallow a tenant from a token that was decoded and not verified',
    since: 'next',
    severity: 'error',
    recommended: true,
    hosts: ['typescript'],
    needs: ['schema', 'code'],
    catalogue: ['C-91'],
    messages: {
      decoded: {
        what: '{source} reads the tenant of {tables} from a token without verifying its signature.',
        why: 'Anybody can write a token that names another tenant, and its rows can be {done}.',
        fix: 'Verify the token before its claims are used, or take the session of a library that does.',
      },
    },
  },
  subject: 'project',
  *check(model) {
    for (const claimed of claimsOf(model)) {
      if (claimed.uses[0].claim.decoded) yield { message: 'decoded', ...draftOf(claimed, model) };
    }
  },
});
