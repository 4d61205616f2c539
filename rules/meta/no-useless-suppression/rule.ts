import { defineRule } from '@tenant-lint/engine';

export default defineRule({
  meta: {
    id: 'no-useless-suppression',
    group: 'meta',
    summary: 'Disallow suppressions that suppress nothing',
    since: 'next',
    severity: 'warning',
    recommended: true,
    hosts: ['typescript', 'sql'],
    catalogue: ['H05'],
    messages: {
      useless: {
        what: 'This comment suppresses {rules}, and there is nothing to suppress.',
        why: 'It would hide the next real finding at this place.',
        fix: 'Remove the comment.',
      },
    },
  },
  subject: 'suppression',
  *check({ file, directive, used, judged, unknown }) {
    // A name that does not exist is reported as such; that is the cause.
    if (used || !judged || unknown.length > 0) return;
    yield {
      message: 'useless',
      data: { rules: directive.rules.length === 0 ? 'every rule' : directive.rules.join(', ') },
      span: directive.span,
      confidence: 'certain',
      key: `${file} ${directive.rules.join(',')}`,
    };
  },
});
