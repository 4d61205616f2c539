import { uniqueKeys, type Model } from '@tenant-lint/analysis';
import { defineRule, type Draft } from '@tenant-lint/engine';
import type { Access, Table, Target } from '@tenant-lint/model';
import { isIssued } from '../../lib/issued.js';
import { keyColumns, tableName } from '../../lib/naming.js';

export default defineRule({
  meta: {
    id: 'no-tenantless-upsert',
    group: 'migration',
    summary: 'Disallow upserts that find the existing row by a key without the tenant',
    since: 'next',
    severity: 'error',
    recommended: true,
    hosts: ['sql'],
    needs: ['migrations'],
    catalogue: ['D04'],
    messages: {
      overwrites: {
        what: 'ON CONFLICT ({columns}) finds the existing row of {table} without {key}.',
        why: 'A row of another tenant with the same {columns} is overwritten.',
        fix: 'Add {key} to the unique key and to ON CONFLICT.',
      },
      refused: {
        severity: 'warning',
        what: 'ON CONFLICT ({columns}) finds the existing row of {table} without {key}.',
        why: 'Where another tenant has a row with the same {columns}, policies refuse the statement, which tells that the row exists.',
        fix: 'Add {key} to the unique key and to ON CONFLICT.',
      },
    },
  },
  subject: 'project',
  *check(model) {
    const seen = new Map<string, number>();
    for (const { access, past } of statements(model)) {
      for (const target of access.targets) {
        const found = tenantless(model, target);
        if (!found) continue;
        const { table, columns, key } = found;
        const shape = `${access.span.file} ${table.id} ${columns.join()}`;
        const count = seen.get(shape) ?? 0;
        seen.set(shape, count + 1);
        const draft: Draft<'overwrites' | 'refused'> = {
          message: table.rowSecurity.enabled && !past ? 'refused' : 'overwrites',
          data: { table: tableName(table.id), columns: columns.join(', '), key },
          span: access.span,
          confidence: 'certain',
          table: table.id,
          key: count === 0 ? shape : `${shape} ${count}`,
        };
        yield draft;
      }
    }
  },
});

/** Statements of SQL files and of function bodies. `past`: they run past row security. */
function* statements(model: Model): Iterable<{ readonly access: Access; readonly past: boolean }> {
  for (const access of model.accesses) {
    const role = model.files.get(access.file)?.sql?.role;
    if (role === 'migration' || role === 'query') yield { access, past: role === 'migration' };
  }
  for (const overloads of model.schema.functions.values())
    for (const f of overloads) for (const access of f.queries) yield { access, past: f.securityDefiner };
}

function tenantless(
  model: Model,
  target: Target,
): { readonly table: Table; readonly columns: readonly string[]; readonly key: string } | undefined {
  if (target.operation !== 'upsert') return undefined;
  const table = model.tableOf(target);
  if (!table || !('rowSecurity' in table)) return undefined;
  const tenancy = model.tenancyOf(table.id);
  const keys = keyColumns(tenancy);
  const [key] = keys;
  const columns = arbiterOf(table, target);
  if (tenancy.kind !== 'keyed' || key === undefined || columns.length === 0) return undefined;
  if (columns.some((column) => keys.includes(column))) return undefined;
  // Without a unique key of these columns Postgres refuses the statement.
  if (
    !uniqueKeys(table).some((unique) => [...unique].sort().join() === [...columns].sort().join()) &&
    !isExpression(table, columns)
  )
    return undefined;
  if (columns.some((column) => isIssued(model, table, column))) return undefined;
  // DO UPDATE ... WHERE compares the tenant of the existing row.
  const compared = keys.some((k) => JSON.stringify(target.predicate).includes(`"column":${JSON.stringify(k)}`));
  return compared ? undefined : { table, columns, key };
}

/** The columns by which ON CONFLICT finds the existing row: named, or those of the constraint that it names. */
function arbiterOf(table: Table, { conflict, conflictConstraint }: Target): readonly string[] {
  if (conflict) return conflict;
  const named = table.constraints.find((c) => c.name === conflictConstraint);
  return named && 'columns' in named ? named.columns : [];
}

/** A unique index over expressions of these columns. */
const isExpression = (table: Table, columns: readonly string[]): boolean =>
  table.indexes.some(
    (index) =>
      index.unique &&
      columns.every((column) => JSON.stringify(index.keys).includes(`"column":${JSON.stringify(column)}`)),
  );
