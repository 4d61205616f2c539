import { defineRule } from '@tenant-lint/engine';
import { definedAt, functionKey, functionName, isolatesAnything } from '../../lib/functions.js';

export default defineRule({
  meta: {
    id: 'no-leakproof-function',
    group: 'function',
    summary: 'Disallow LEAKPROOF on functions of the project',
    since: 'next',
    severity: 'error',
    recommended: true,
    hosts: ['sql'],
    needs: ['migrations'],
    catalogue: ['F08'],
    messages: {
      leakproof: {
        what: '{function} is LEAKPROOF.',
        why: "Postgres then runs it on rows before the policies have removed them, so it sees other tenants' values; an error or a log line tells them.",
        fix: 'Leave LEAKPROOF out; make the condition an index can serve instead.',
      },
    },
  },
  subject: 'function',
  *check(f, model) {
    if (!f.leakproof || !isolatesAnything(model)) return;
    yield {
      message: 'leakproof',
      data: { function: functionName(f) },
      span: definedAt(f),
      confidence: 'certain',
      key: functionKey(f),
    };
  },
});
