import { defineRule } from '@tenant-lint/engine';

export default defineRule({
  meta: {
    id: 'no-unknown-rule',
    group: 'meta',
    summary: 'Disallow suppressions of rules that do not exist',
    since: 'next',
    severity: 'error',
    recommended: true,
    hosts: ['typescript', 'sql'],
    catalogue: ['H05'],
    messages: {
      unknown: {
        what: 'There is no rule "{name}".',
        why: 'The comment suppresses nothing, although it looks as if it did.',
        fix: 'Write {suggestion}.',
      },
    },
  },
  subject: 'suppression',
  *check({ file, directive, unknown }) {
    for (const { name, nearest } of unknown) {
      yield {
        message: 'unknown',
        data: { name, suggestion: nearest === undefined ? 'the id of a rule as the report shows it' : `"${nearest}"` },
        span: directive.span,
        confidence: 'certain',
        key: `${file} ${name}`,
      };
    }
  },
});
