import { defineRule } from '@tenant-lint/engine';
import { placeOf } from '../../lib/evidence.js';
import { tableName } from '../../lib/naming.js';

export default defineRule({
  meta: {
    id: 'no-dormant-policy',
    group: 'policy',
    summary: 'Disallow policies on a table whose row security is not enabled',
    since: 'next',
    severity: 'error',
    recommended: true,
    hosts: ['sql'],
    needs: ['migrations'],
    catalogue: ['R03'],
    messages: {
      never: {
        what: 'The policies of {table} do nothing, because row security is not enabled on it.',
        why: 'Every role that may use {table} reaches all its rows, as if there were no policy.',
        fix: 'Run ALTER TABLE {table} ENABLE ROW LEVEL SECURITY.',
      },
      noLonger: {
        what: 'The policies of {table} do nothing, because row security was disabled again.',
        why: 'Every role that may use {table} reaches all its rows, as if there were no policy.',
        fix: 'Run ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, or drop the policies.',
      },
    },
  },
  subject: 'table',
  *check(table, model) {
    const [first, ...rest] = table.policies;
    if (first === undefined || table.rowSecurity.enabled || model.tenancyOf(table.id).kind === 'shared') return;
    // FORCE alone enables nothing, and leaves an origin as well.
    const { origin } = table.rowSecurity;
    const off = origin?.changed.at(-1);
    const place = placeOf(first.origin);
    yield {
      message: off === undefined ? 'never' : 'noLonger',
      data: { table: tableName(table.id) },
      span: place.span,
      related: [
        ...place.related,
        ...rest.map((policy) => ({ span: policy.origin.created, text: `policy ${policy.name} does nothing either` })),
        ...(off === undefined ? [] : [{ span: off, text: 'row security is switched here' }]),
      ],
      confidence: 'certain',
      table: table.id,
      key: table.id,
      cause: `row security ${table.id}`,
    };
  },
});
