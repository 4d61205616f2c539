import { defineRule } from '@tenant-lint/engine';
import { policyFinding } from '../../lib/policy.js';

export default defineRule({
  meta: {
    id: 'no-fail-open-policy',
    group: 'policy',
    summary: 'Disallow policies that open up when the tenant is unset, empty or missing',
    since: 'next',
    severity: 'error',
    recommended: true,
    hosts: ['sql'],
    needs: ['migrations'],
    catalogue: ['Q04', 'Q05', 'Q06', 'Q25', 'S04'],
    messages: {
      failOpen: {
        what: 'Policy {policy} of {table} opens up when the tenant is not set as it should be.',
        why: "It then lets through {witness}, so another tenant's rows can be {done}.",
        fix: "Compare {key} with nullif(current_setting(..., true), '') by plain equality, which is never true for a missing value.",
      },
    },
  },
  subject: 'policy',
  *check(subject, model) {
    const finding = policyFinding(subject, model, 'no-fail-open-policy');
    if (finding) yield { ...finding, message: 'failOpen' };
  },
});
