import { defineRule } from '@tenant-lint/engine';
import { keyColumns, tableName } from '../../lib/naming.js';
import { excusedBy, policyFinding } from '../../lib/policy.js';

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
      named: {
        severity: 'warning',
        what: 'Policy {policy} of {table}{alike} lets whoever a row names reach it, whatever tenant it belongs to.',
        why: 'Who has left a tenant, or works for several, keeps the rows of each that name him.',
        fix: 'Ask for the membership beside the name where access ends with it: join a condition on {key} by AND.',
      },
      published: {
        severity: 'warning',
        what: 'Policy {policy} of {table}{alike} shows rows of every tenant that are marked as meant for everybody.',
        why: 'That is right as long as only whoever owns a row sets the mark, and the row holds nothing but what everybody may see.',
        fix: 'Show these rows by a view with the columns meant for everybody, or suppress this finding with the reason.',
      },
      open: {
        severity: 'warning',
        what: 'Policy {policy} of {table}{alike} shows rows of every tenant to everybody, whoever has not signed in included.',
        why: 'That is right for public pages of tenants, as long as the tables hold nothing but what everybody may see; nothing in them seems to be about persons.',
        fix: 'Show what the pages need by a view with these columns alone, or suppress this finding with the reason.',
      },
    },
  },
  subject: 'policy',
  *check(subject, model) {
    const finding = policyFinding(subject, model, 'no-leaking-policy');
    if (finding) yield { ...finding, message: 'leaking' };
    for (const { excuse, first, others } of excusedBy(subject, model)) {
      const keys = keyColumns(model.tenancyOf(first.table));
      yield {
        message: excuse,
        data: {
          policy: first.policy.name,
          table: tableName(first.table),
          alike: others.length === 0 ? '' : `, like ${others.length} other${others.length > 1 ? 's' : ''},`,
          ...(excuse === 'named' ? { key: keys.join(' or ') || 'the row it belongs to' } : {}),
        },
        span: first.policy.origin.created,
        related: others.map(({ policy, table }) => ({
          span: policy.origin.created,
          text: `so does policy ${policy.name} of ${tableName(table)}`,
        })),
        confidence: 'likely',
        witness: first.witness.text,
        table: first.table,
        key: excuse,
        cause: `policy ${excuse}`,
      };
    }
  },
});
