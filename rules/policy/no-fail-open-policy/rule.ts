import { defineRule } from '@tenant-lint/engine';
import { emptyKey, policyFinding } from '../../lib/policy.js';

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
      emptyKey: {
        severity: 'warning',
        what: 'Policy {policy} of {table} takes an empty setting for a tenant.',
        why: 'After a transaction that set it, the setting is empty and not NULL: then rows whose {key} is empty can be {done}.',
        fix: "Compare {key} with nullif(current_setting(..., true), ''), and let a CHECK refuse the empty text.",
      },
    },
  },
  subject: 'policy',
  *check(subject, model) {
    const finding = policyFinding(subject, model, 'no-fail-open-policy');
    if (finding) yield { ...finding, message: emptyKey(finding.witness) ? 'emptyKey' : 'failOpen' };
  },
});
