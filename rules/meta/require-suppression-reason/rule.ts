import { defineRule } from '@tenant-lint/engine';

export default defineRule({
  meta: {
    id: 'require-suppression-reason',
    group: 'meta',
    summary: 'Require a reason for every suppression',
    since: 'next',
    severity: 'error',
    recommended: true,
    hosts: ['typescript', 'sql'],
    catalogue: ['H05'],
    messages: {
      reasonless: {
        what: 'This comment suppresses {rules} without saying why.',
        why: 'Nobody can tell later whether it is still right to let this pass.',
        fix: 'Add the reason after two dashes: "tenant-lint-{kind} {names} -- why this is safe".',
      },
    },
  },
  subject: 'suppression',
  *check({ file, directive }) {
    if (directive.reason !== undefined && directive.reason.trim() !== '') return;
    yield {
      message: 'reasonless',
      data: {
        rules: directive.rules.length === 0 ? 'every rule' : directive.rules.join(', '),
        kind: directive.kind,
        names: directive.rules.length === 0 ? 'rule-id' : directive.rules.join(', '),
      },
      span: directive.span,
      confidence: 'certain',
      key: `${file} ${directive.rules.join(',')}`,
    };
  },
});
