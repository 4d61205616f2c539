import { defineRule, obligations } from '@tenant-lint/engine';
import { leakOf } from '../../lib/leak.js';
import { methodName, participle, tableName, targetKey, tieOf } from '../../lib/naming.js';

export default defineRule({
  meta: {
    id: 'no-privileged-client',
    group: 'bypass',
    summary: 'Disallow clients past which no policy holds where a request decides what is asked',
    since: 'next',
    severity: 'error',
    recommended: true,
    hosts: ['typescript'],
    needs: ['code'],
    catalogue: ['C-60', 'C-61'],
    messages: {
      key: {
        what: '{method} on {table} runs for a request on a client for which the policies of {table} do not hold, and has no condition on {tie}.',
        why: 'The key of the client stands above row security: rows of every tenant can be {done}.',
        fix: 'Use the client that acts for the user, or add a condition that holds {tie} to the current tenant.',
      },
      lifted: {
        what: '{method} on {table} runs for a request while {setting} lifts the policies of {table}, and has no condition on {tie}.',
        why: 'The policies let everything through: rows of every tenant can be {done}.',
        fix: 'Set the tenant instead, or add a condition that holds {tie} to it.',
      },
      published: {
        what: '{name} is a secret of the server, and its name builds it into what browsers load.',
        why: 'Whoever opens the page can read it, and reach the rows of every tenant past all policies.',
        fix: 'Name it without the public prefix, use it on the server only, and replace the key that has been published.',
      },
    },
  },
  subject: 'project',
  *check(_, model) {
    for (const { name, spans } of model.exposedKeys()) {
      const [span, ...more] = spans;
      yield {
        message: 'published',
        data: { name },
        span,
        confidence: 'certain',
        related: more.slice(0, 20).map((other) => ({ span: other, text: 'it is used here too' })),
        key: `published ${name}`,
      };
    }
    for (const { access, target } of obligations(model)) {
      const leak = leakOf({ access, target }, model);
      if (leak?.explainedBy !== 'no-privileged-client') continue;
      const bypass = model.bypass(access, target);
      yield {
        message: bypass?.setting === undefined ? 'key' : 'lifted',
        data: {
          method: methodName(access),
          table: tableName(leak.table.id),
          tie: tieOf(leak.tenancy),
          done: participle(target.operation),
          setting: bypass?.setting ?? '',
        },
        span: access.span,
        confidence: leak.verdict.confidence,
        evidence: leak.verdict.evidence,
        witness: leak.verdict.witness.text,
        table: leak.table.id,
        related: bypass?.span ? [{ span: bypass.span, text: 'policies are lifted here' }] : [],
        key: targetKey(model, access, target, leak.table),
        cause: `target ${access.id} ${target.ref}`,
      };
    }
  },
});
