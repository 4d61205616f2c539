import { defineRule } from '@tenant-lint/engine';
import { policyFinding } from '../../lib/policy.js';

export default defineRule({
  meta: {
    id: 'no-leaking-policy',
    group: 'policy',
    summary: "Disallow policies through which another tenant's row can be read, changed or deleted",
    since: 'next',
    severity: 'error',
    recommended: true,
    hosts: ['sql'],
    needs: ['migrations'],
    catalogue: ['P03', 'P06', 'P07', 'Q01', 'Q02', 'Q03', 'Q08', 'Q09', 'Q10', 'Q15', 'Q19', 'Q20'],
    messages: {
      leaking: {
        what: 'Policy {policy} of {table} does not hold rows to the current tenant.',
        why: "It lets through {witness}, so another tenant's rows can be {done}.",
        fix: 'Compare {key} with the current tenant by equality, joined by AND with everything else in USING.',
      },
    },
  },
  subject: 'policy',
  *check(subject, model) {
    const finding = policyFinding(subject, model, 'no-leaking-policy');
    if (finding) yield { ...finding, message: 'leaking' };
  },
});
