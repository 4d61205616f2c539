import { defineRule, obligations } from '@tenant-lint/engine';
import { methodName, tableName, targetKey } from '../../lib/naming.js';

export default defineRule({
  meta: {
    id: 'no-existence-oracle',
    group: 'resource',
    summary: 'Disallow answers that tell a row of another tenant from one that is not there',
    since: 'next',
    severity: 'info',
    recommended: false,
    hosts: ['typescript'],
    needs: ['schema', 'code'],
    catalogue: ['C-89'],
    messages: {
      told: {
        what: 'Who asks {method} for a row of {table} is answered {foreign} where it belongs to another tenant, and {missing} where there is none.',
        why: 'The two answers tell which identifiers exist, tenant or not.',
        fix: 'Answer {missing} to both, or look for the row under the tenant in the first place.',
      },
    },
  },
  subject: 'project',
  *check(_, model) {
    for (const { access, target } of obligations(model)) {
      const answers = model.answers(access, target);
      const table = model.tableOf(target);
      if (!answers || !table) continue;
      yield {
        message: 'told',
        data: {
          method: methodName(access),
          table: tableName(table.id),
          foreign: answers.foreign,
          missing: answers.missing,
        },
        span: access.span,
        confidence: 'likely',
        table: table.id,
        related: [{ span: answers.span, text: `this is answered for the row of another tenant` }],
        key: targetKey(model, access, target, table),
      };
    }
  },
});
