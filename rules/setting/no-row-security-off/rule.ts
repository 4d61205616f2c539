import type { Model } from '@tenant-lint/analysis';
import { defineRule } from '@tenant-lint/engine';
import type { FileFacts, Span } from '@tenant-lint/model';
import { settingWrites } from '../../lib/setting.js';

export default defineRule({
  meta: {
    id: 'no-row-security-off',
    group: 'setting',
    summary: 'Disallow turning row_security off',
    since: 'next',
    severity: 'info',
    recommended: false,
    hosts: ['sql'],
    needs: ['migrations'],
    catalogue: ['S11'],
    messages: {
      off: {
        what: '{what} turns row_security off.',
        why: 'Statements whose rows a policy would filter fail instead; that it was written says that they are meant to run as an owner or as a role that bypasses policies.',
        fix: 'Remove it, and run jobs for all tenants as a role made for them.',
      },
    },
  },
  subject: 'project',
  *check(_, model) {
    for (const { what, span, key } of placesOf(model)) {
      yield { message: 'off', data: { what }, span, confidence: 'certain', key };
    }
  },
});

interface Place {
  readonly what: string;
  readonly span: Span;
  readonly key: string;
}

function* placesOf(model: Model): Iterable<Place> {
  for (const facts of model.files.values()) {
    if (isDumped(facts)) continue;
    for (const { action, span, direction } of facts.schema) {
      if (direction !== 'up' || action.do !== 'set' || action.name !== 'row_security' || !isOff(action.value)) continue;
      const what =
        action.scope === 'role' || action.scope === 'database'
          ? `The default of ${action.of ?? action.scope}`
          : 'This statement';
      yield { what, span, key: `${facts.file} ${action.scope}` };
    }
  }
  for (const declared of [...model.schema.functions.values()].flat()) {
    const inBody = declared.queries
      .flatMap(settingWrites)
      .some(({ name, value }) => name === 'row_security' && value?.kind === 'constant' && isOff(String(value.value)));
    if (!inBody && !isOff(declared.settings['row_security'] ?? '')) continue;
    yield {
      what: `Function ${declared.name.name}`,
      span: declared.origin.created,
      key: `function ${declared.name.name}`,
    };
  }
}

const isOff = (value: string): boolean => /^(?:off|false|no|0)$/i.test(value.trim());

/** pg_dump turns it off in the head of everything that it writes, beside settings that nobody else touches. */
const isDumped = (facts: FileFacts): boolean =>
  ['check_function_bodies', 'client_min_messages'].every((name) =>
    facts.schema.some(({ action }) => action.do === 'set' && action.name === name),
  );
