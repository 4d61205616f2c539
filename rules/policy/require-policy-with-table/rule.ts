import { historyOf, type Model } from '@tenant-lint/analysis';
import { defineRule, type Draft } from '@tenant-lint/engine';
import type { Origin, Span, Table } from '@tenant-lint/model';
import { tableName } from '../../lib/naming.js';

type Message = 'later' | 'policyLater' | 'outside';

export default defineRule({
  meta: {
    id: 'require-policy-with-table',
    group: 'policy',
    summary: 'Require row security and policies in the migration that creates the table',
    since: 'next',
    severity: 'warning',
    recommended: true,
    hosts: ['sql'],
    needs: ['migrations'],
    catalogue: ['R06', 'M13', 'M16'],
    messages: {
      later: {
        what: 'Row security of {tables} is enabled in a later migration than the one that creates {it}.',
        why: 'Between the two, whoever may use the table reads all rows, and a deployment that stops between them stays so.',
        fix: 'Enable row security in the migration that creates the table.',
      },
      policyLater: {
        severity: 'info',
        what: '{tables} got row security in an earlier migration than the first policy.',
        why: 'Between the two, the application sees no row and cannot write one.',
        fix: 'Create the policies in the migration that enables row security.',
      },
      outside: {
        what: 'Row security of {tables} is enabled by {file}, which is not one of the migrations in {folder}.',
        why: 'A database that is made by the migrations alone has no row security, and nothing says so.',
        fix: 'Move the statements into a migration.',
      },
    },
  },
  subject: 'project',
  *check(_, model) {
    const groups = new Map<string, { message: Message; span: Span; from: Span; table: Table }[]>();
    for (const table of model.schema.tables.values()) {
      const found = delayed(table, model);
      if (!found) continue;
      const key = `${found.message} ${found.span.file}`;
      groups.set(key, [...(groups.get(key) ?? []), { ...found, table }]);
    }
    for (const [key, found] of groups) yield* report(key, found);
  },
});

/** What comes late for a table: the switch, or its first policy. */
function delayed(table: Table, model: Model): { message: Message; span: Span; from: Span } | undefined {
  const { kind } = model.tenancyOf(table.id);
  const switched = table.rowSecurity.origin;
  if (!table.rowSecurity.enabled || !switched || (kind !== 'keyed' && kind !== 'root' && kind !== 'child')) return;
  const created = firstInHistory(table.origin, model);
  const home = created && historyOf(created.file);
  const switches = [switched.created, ...switched.changed];
  const enabled = switches.find((span) => historyOf(span.file) === home) ?? switched.created;
  if (created && enabled.file !== created.file) {
    const message = historyOf(enabled.file) === home ? 'later' : 'outside';
    return { message, span: enabled, from: created };
  }
  const first = table.policies.map((policy) => policy.origin.created).sort((a, b) => (a.file < b.file ? -1 : 1))[0];
  const together = table.policies.some((policy) => policy.origin.created.file === enabled.file);
  return first && !together && historyOf(first.file) === historyOf(enabled.file) && first.file > enabled.file
    ? { message: 'policyLater', span: first, from: enabled }
    : undefined;
}

/** The statement of a migration that creates a table; declarations in code and dumps are no step of a history. */
function firstInHistory(origin: Origin, model: Model): Span | undefined {
  return [origin.created, ...origin.changed].find((span) => model.files.get(span.file)?.sql?.role === 'migration');
}

function* report(
  key: string,
  found: readonly { message: Message; span: Span; from: Span; table: Table }[],
): Iterable<Draft<Message>> {
  const sorted = [...found].sort((a, b) => a.span.start - b.span.start);
  const [first] = sorted;
  if (!first) return;
  const others = sorted.length - 1;
  const name = tableName(first.table.id);
  yield {
    message: first.message,
    data: {
      tables: others === 0 ? name : `${name} and ${others} other ${others === 1 ? 'table' : 'tables'}`,
      it: others === 0 ? 'it' : 'them',
      file: first.span.file,
      folder: historyOf(first.from.file),
    },
    span: first.span,
    related: sorted.flatMap(({ span, from, table }, i) => [
      {
        span: from,
        text:
          first.message === 'policyLater' ? 'row security is enabled here' : `${tableName(table.id)} is created here`,
      },
      ...(i === 0 ? [] : [{ span, text: `the same for ${tableName(table.id)}` }]),
    ]),
    // Migrations may be deployed together, and a script beside them may be part of every deployment.
    confidence: 'likely',
    table: first.table.id,
    key,
  };
}
