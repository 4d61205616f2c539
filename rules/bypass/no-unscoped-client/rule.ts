import { defineRule } from '@tenant-lint/engine';
import { leakOf } from '../../lib/leak.js';
import { methodName, participle, tableName, targetKey } from '../../lib/naming.js';

export default defineRule({
  meta: {
    id: 'no-unscoped-client',
    group: 'bypass',
    summary: 'Disallow the client without a tenant where the program has one with it',
    since: 'next',
    severity: 'error',
    recommended: true,
    hosts: ['typescript'],
    needs: ['schema', 'code'],
    catalogue: ['C-53', 'C-54'],
    messages: {
      base: {
        what: '{method} on {table} runs on the client that is scoped to the tenant elsewhere, and here is not.',
        why: 'What {scope} does not hold for it: rows of every tenant can be {done}.',
        fix: 'Use the client that is made for the tenant, or add the condition here.',
      },
      outer: {
        what: '{method} on {table} runs beside the transaction that is open for the tenant.',
        why: 'It gets another connection, on which {setting} is not set: where policies do not hold for that connection rows of every tenant can be {done}, and elsewhere none is.',
        fix: 'Run it on the transaction.',
      },
    },
  },
  subject: 'target',
  *check(subject, model) {
    const leak = leakOf(subject, model);
    if (leak?.explainedBy !== 'no-unscoped-client') return;
    const { access, target } = subject;
    const bypass = model.bypass(access, target);
    const isOuter = bypass?.kind === 'outer';
    yield {
      message: isOuter ? 'outer' : 'base',
      data: {
        method: methodName(access),
        table: tableName(leak.table.id),
        done: participle(target.operation),
        setting: bypass?.setting ?? '',
        scope:
          bypass?.setting === undefined ? 'the extension adds' : `a transaction that sets ${bypass.setting} asks for`,
      },
      span: access.span,
      confidence: isOuter && leak.verdict.confidence === 'certain' ? 'likely' : leak.verdict.confidence,
      evidence: leak.verdict.evidence,
      witness: leak.verdict.witness.text,
      table: leak.table.id,
      related: bypass?.span
        ? [{ span: bypass.span, text: isOuter ? 'the tenant is set here' : 'this is what scopes the client' }]
        : [],
      key: targetKey(model, access, target, leak.table),
    };
  },
});
