import type { Model } from '@tenant-lint/analysis';
import { defineRule } from '@tenant-lint/engine';
import type { Access, Table, TableId } from '@tenant-lint/model';
import { tableName } from '../../lib/naming.js';
import { references } from '../../lib/schema.js';

export default defineRule({
  meta: {
    id: 'require-complete-erasure',
    group: 'migration',
    summary: 'Require that deleting a tenant deletes all its rows',
    since: 'next',
    severity: 'info',
    recommended: true,
    hosts: ['sql'],
    needs: ['migrations'],
    catalogue: ['D05'],
    messages: {
      left: {
        what: 'Rows of the tenant stay in {tables} when it is deleted from {root} here.',
        why: 'No reference with ON DELETE CASCADE reaches them, so they belong to a tenant that is gone, or to the next one of that id.',
        fix: 'Delete them in the same transaction, or give them a reference to {root} with ON DELETE CASCADE.',
      },
    },
  },
  subject: 'project',
  *check(model) {
    for (const { name, accesses } of units(model)) {
      const deletes = accesses.flatMap((access) => {
        const [target] = access.targets;
        const table = target?.operation === 'delete' ? model.tableOf(target) : undefined;
        return table ? [{ access, id: table.id }] : [];
      });
      const erased = new Set(deletes.map(({ id }) => id));
      for (const { access, id } of deletes) {
        const root = model.schema.tables.get(id);
        if (!root || !model.tenancy.roots.includes(id)) continue;
        const left = leftBehind(model, root, erased);
        if (left.length === 0) continue;
        yield {
          message: 'left',
          data: { root: tableName(id), tables: left.map((table) => tableName(table.id)).join(', ') },
          span: access.span,
          related: left.map((table) => ({ span: table.origin.created, text: `${tableName(table.id)} keeps them` })),
          confidence: 'likely',
          table: id,
          key: `${name} ${id}`,
        };
      }
    }
  },
});

/** Statements that run together: of a query file, of a function. Migrations delete no tenants of users. */
function* units(model: Model): Iterable<{ readonly name: string; readonly accesses: readonly Access[] }> {
  const byFile = new Map<string, Access[]>();
  for (const access of model.accesses) {
    if (model.files.get(access.file)?.sql?.role !== 'query') continue;
    const list = byFile.get(access.file);
    if (list) list.push(access);
    else byFile.set(access.file, [access]);
  }
  for (const [name, accesses] of byFile) yield { name, accesses };
  for (const overloads of model.schema.functions.values())
    for (const f of overloads) yield { name: f.name.name, accesses: f.queries };
}

/** Tables with rows of tenants that survive: nothing deletes them, and no chain of cascades leads to them. */
function leftBehind(model: Model, root: Table, erased: ReadonlySet<TableId>): readonly Table[] {
  const gone = new Set([root.id, ...erased]);
  const tables = [...model.schema.tables.values()];
  for (let before = -1; before < gone.size;) {
    before = gone.size;
    for (const table of tables) {
      if (gone.has(table.id)) continue;
      const goes = references(model, table).some(
        ({ constraint, to }) => constraint.onDelete === 'cascade' && to !== undefined && gone.has(to.id),
      );
      if (goes || (table.partitionOf !== undefined && gone.has(table.partitionOf))) gone.add(table.id);
    }
  }
  return tables.filter((table) => {
    if (gone.has(table.id) || model.tenancyOf(table.id).kind !== 'keyed') return false;
    // A reference that refuses the deletion leaves nothing behind.
    return !references(model, table).some(
      ({ constraint, to }) =>
        to?.id === root.id &&
        (constraint.onDelete ?? 'no action') !== 'set null' &&
        constraint.onDelete !== 'set default',
    );
  });
}
