import { defineRule } from '@tenant-lint/engine';
import type { Table, Value, Writes } from '@tenant-lint/model';
import { keyColumns, methodName, tableName, targetKey, tieOf } from '../../lib/naming.js';

export default defineRule({
  meta: {
    id: 'require-tenant-on-create',
    group: 'write',
    summary: 'Require that a new row says whose it is',
    since: 'next',
    severity: 'error',
    recommended: true,
    hosts: ['typescript', 'sql'],
    needs: ['schema'],
    catalogue: ['C-38'],
    messages: {
      missing: {
        what: '{method} creates a row of {table} without {tie}.',
        why: 'The row belongs to nobody: the tenant that made it does not find it, and whoever treats NULL as common shows it to all.',
        fix: 'Set {tie} to the current tenant, and make the column NOT NULL.',
      },
      lost: {
        what: '{method} creates a row of {table} whose {tie} may be missing.',
        why: 'A missing value is left out of the statement, and the row belongs to nobody.',
        fix: 'Stop with an error where there is no tenant, and make the column NOT NULL.',
      },
    },
  },
  subject: 'access',
  *check(access, model) {
    for (const target of access.targets) {
      const { writes } = target;
      const table = model.tableOf(target);
      if ((target.operation !== 'create' && target.operation !== 'upsert') || !writes) continue;
      if (!table || !('constraints' in table)) continue;
      const tenancy = model.tenancyOf(table.id);
      if (tenancy.kind !== 'keyed') continue;
      const keys = keyColumns(tenancy);
      const found = stateOf(writes, keys);
      if (found === 'set' || isFilled(table, keys)) continue;
      // Where the database refuses NULL the statement fails, unless something out of sight sets the column.
      const refused = keys.some((key) => table.columns.get(key)?.notNull);
      // Of several keys, which one is set may depend on the same as which one is not.
      if (found === 'lost' && (refused || keys.length > 1)) continue;
      yield {
        message: found,
        data: { method: methodName(access), table: tableName(table.id), tie: tieOf(tenancy) },
        span: target.role === 'root' ? access.span : target.span,
        confidence:
          refused || access.client.kind === 'extended' || access.client.kind === 'scoped' ? 'possible' : 'likely',
        table: table.id,
        key: targetKey(model, access, target, table),
      };
    }
  },
});

/** Whether any key gets a value: `lost` where syntax shows that it may be undefined. NULL that is written down is meant. */
function stateOf({ set, open }: Writes, keys: readonly string[]): 'set' | 'lost' | 'missing' {
  const values = keys.flatMap((key) => set[key] ?? []);
  if (open || values.some((v) => !mayBeUndefined(v))) return 'set';
  return values.some((v) => v.kind !== 'undefined') ? 'lost' : 'missing';
}

function mayBeUndefined(value: Value): boolean {
  switch (value.kind) {
    case 'undefined':
      return true;
    case 'missing-able':
      return value.how === 'undefined' && value.certain;
    case 'choice':
      return value.of.some(mayBeUndefined);
    default:
      return false;
  }
}

/** Whether the database itself sets a key: by a default, a generated column, or a trigger that may. */
const isFilled = (table: Table, keys: readonly string[]): boolean =>
  table.triggers.length > 0 ||
  keys.some((key) => {
    const column = table.columns.get(key);
    return column?.default !== undefined || column?.generated !== undefined;
  });
