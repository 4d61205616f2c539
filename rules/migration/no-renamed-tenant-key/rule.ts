import type { Model } from '@tenant-lint/analysis';
import { defineRule } from '@tenant-lint/engine';
import type { Access, Related, SchemaEvent, Span, Table } from '@tenant-lint/model';
import { keyColumns, tableName } from '../../lib/naming.js';

export default defineRule({
  meta: {
    id: 'no-renamed-tenant-key',
    group: 'migration',
    summary: 'Disallow renaming a tenant column that functions or code still use by its old name',
    since: 'next',
    severity: 'warning',
    recommended: true,
    hosts: ['sql'],
    needs: ['migrations'],
    catalogue: ['M08'],
    messages: {
      used: {
        what: '{table}.{column} becomes {to} here, and {users} still {verb} {column}.',
        why: 'Policies, keys and views follow a rename; function bodies and code do not, and fail or lose their condition.',
        fix: 'Change them together with the migration, or keep {column} as a generated column for a while.',
      },
      unseen: {
        what: '{table}.{column}, which says whose a row is, becomes {to} here.',
        why: 'Policies, keys and views follow a rename, and no code is known in which the old name could be looked for.',
        fix: 'Release the code that uses {to} together with the migration.',
      },
    },
  },
  subject: 'statement',
  *check({ event }, model) {
    const { action, direction, span } = event;
    if (action.do !== 'rename column' || direction === 'down') return;
    const table = renamedIn(model, event);
    if (!table || table.columns.has(action.column) || !table.columns.has(action.to)) return;
    if (!keyColumns(model.tenancyOf(table.id)).includes(action.to)) return;
    const users = usersOf(model, table, action.column, span);
    const data = { table: tableName(table.id), column: action.column, to: action.to };
    const common = { span, table: table.id, key: `${table.id} ${action.column}` } as const;
    if (users.length > 0) {
      const names = [...new Set(users.map(({ name }) => name))];
      const shown = names.length > 3 ? [...names.slice(0, 2), `${names.length - 2} others`] : names;
      yield {
        ...common,
        message: 'used',
        data: { ...data, users: shown.join(', '), verb: names.length === 1 ? 'uses' : 'use' },
        related: users.map(({ related }) => related),
        confidence: 'certain',
      };
    } else if (![...model.files.values()].some((f) => f.dialect === 'typescript' || f.sql?.role === 'query')) {
      yield { ...common, message: 'unseen', data, confidence: 'possible' };
    }
  },
});

const renamedIn = (model: Model, { span }: SchemaEvent): Table | undefined =>
  [...model.schema.tables.values()].find((table) =>
    table.origin.changed.some((s) => s.file === span.file && s.start === span.start),
  );

/** Functions made before the rename, query files and code that name the old column of the table. */
function usersOf(
  model: Model,
  table: Table,
  column: string,
  renamed: Span,
): readonly { readonly name: string; readonly related: Related }[] {
  const found: { readonly name: string; readonly related: Related }[] = [];
  const uses = (access: Access): boolean =>
    access.targets.some((t) => model.tableOf(t)?.id === table.id) &&
    JSON.stringify(access.targets, (key, inner: unknown) => (key === 'span' ? undefined : inner)).includes(
      JSON.stringify(column),
    );
  for (const overloads of model.schema.functions.values())
    for (const f of overloads) {
      const made = f.origin.changed.at(-1) ?? f.origin.created;
      // Later in the order of files: the new name was known.
      if (made.file > renamed.file || (made.file === renamed.file && made.start > renamed.start)) continue;
      if (names(f.text, table.name.name) && names(f.text, column))
        found.push({ name: `function ${f.name.name}`, related: { span: made, text: `${column} is used here` } });
    }
  for (const access of model.accesses) {
    const role = model.files.get(access.file)?.sql?.role;
    if (role !== undefined && role !== 'query') continue;
    if (uses(access)) found.push({ name: access.file, related: { span: access.span, text: `${column} is used here` } });
  }
  return found;
}

const names = (text: string, word: string): boolean =>
  text
    .toLowerCase()
    .split(/[^\p{L}\p{N}_$]+/u)
    .includes(word.toLowerCase());
