import type { Model } from '@tenant-lint/analysis';
import type { FileFacts, ObjectName, SchemaEvent, Table } from '@tenant-lint/model';
import { keyColumns, tableName } from '../../../lib/naming.js';
import type { Weakened } from '../rule.js';

/** What the down sections of migrations take away from tables that they leave in place, one finding for a file and table. */
export function* rolledBack(model: Model): Iterable<Weakened> {
  for (const facts of model.files.values()) {
    const down = facts.schema.filter((event) => event.direction === 'down');
    const seen = new Set<string>();
    for (const event of down) {
      const found = taken(model, facts, event);
      if (!found || seen.has(found.table.id) || isDropped(down, found.table)) continue;
      seen.add(found.table.id);
      yield {
        message: 'rolledBack',
        data: { table: tableName(found.table.id), what: found.what },
        span: event.span,
        confidence: 'likely',
        table: found.table.id,
        key: `${facts.file} ${found.table.id}`,
      };
    }
  }
}

const isNamed = (table: Table, { schema, name }: ObjectName): boolean =>
  table.name.name === name && (schema === undefined || table.name.schema === schema);

const isDropped = (down: readonly SchemaEvent[], table: Table): boolean =>
  down.some(
    ({ action }) =>
      (action.do === 'drop table' && isNamed(table, action.table)) ||
      (action.do === 'drop schema' && action.name === table.name.schema),
  );

function taken(
  model: Model,
  facts: FileFacts,
  { action }: SchemaEvent,
): { readonly table: Table; readonly what: string } | undefined {
  if (!('table' in action) || 'by' in action.table) return undefined;
  const { table: name } = action;
  const table = [...model.schema.tables.values()].find((t) => isNamed(t, name));
  if (!table) return undefined;
  const { kind } = model.tenancyOf(table.id);
  if (kind !== 'keyed' && kind !== 'child' && kind !== 'root') return undefined;
  switch (action.do) {
    case 'row security':
      if (action.enabled === false) return { table, what: 'switches row security off' };
      return action.forced === false ? { table, what: 'takes FORCE away' } : undefined;
    case 'drop policy':
      return isFloor(model, facts, action.name, table)
        ? { table, what: `drops the restrictive policy ${action.name}` }
        : undefined;
    case 'drop column':
      return keyColumns(model.tenancyOf(table.id)).includes(action.column)
        ? { table, what: `drops ${action.column}` }
        : undefined;
    case 'alter column':
      return action.notNull === false && keyColumns(model.tenancyOf(table.id)).includes(action.column)
        ? { table, what: `lets ${action.column} be NULL` }
        : undefined;
    default:
      return undefined;
  }
}

/** Dropping a permissive policy shows less, dropping a restrictive one more. */
const isFloor = (model: Model, facts: FileFacts, name: string, table: Table): boolean =>
  table.policies.some((p) => p.name === name && !p.permissive) ||
  facts.schema.some(
    ({ action }) => action.do === 'create policy' && action.policy.name === name && !action.policy.permissive,
  );
