import type {
  AlterObjectSchemaStmt,
  AlterOwnerStmt,
  CreatePublicationStmt,
  CreateTrigStmt,
  DropStmt,
  RenameStmt,
} from '@pgsql/types';
import type { ObjectName, SchemaAction } from '@tenant-lint/model';
import { spanOf, type Ddl, type Outcome } from './context.js';
import { nameOf, nodeName, objectName, roleName, strings } from './names.js';

/** DROP of everything but roles. */
export function drop(_: Ddl, node: DropStmt): Outcome {
  const cascade = node.behavior === 'DROP_CASCADE';
  const names = (node.objects ?? []).map(nodeName);
  const each = (action: (name: ObjectName, parts: readonly string[]) => SchemaAction): SchemaAction[] =>
    names.map((parts) => action(nameOf(parts), parts));
  // Policies, triggers and rules are named behind their table.
  const onTable = (parts: readonly string[]): { table: ObjectName; name: string } => ({
    table: nameOf(parts.slice(0, -1)),
    name: parts.at(-1) ?? '',
  });
  switch (node.removeType) {
    case 'OBJECT_TABLE':
    case 'OBJECT_FOREIGN_TABLE':
      return each((table) => ({ do: 'drop table', table, cascade }));
    case 'OBJECT_VIEW':
    case 'OBJECT_MATVIEW':
      return each((view) => ({ do: 'drop view', view, materialized: node.removeType === 'OBJECT_MATVIEW' }));
    case 'OBJECT_INDEX':
      return each((index) => ({ do: 'drop index', index }));
    case 'OBJECT_FUNCTION':
    case 'OBJECT_PROCEDURE':
    case 'OBJECT_ROUTINE':
    case 'OBJECT_AGGREGATE':
      return each((name) => ({ do: 'drop function', name }));
    case 'OBJECT_POLICY':
      return each((_name, parts) => ({ do: 'drop policy', ...onTable(parts) }));
    case 'OBJECT_TRIGGER':
      return each((_name, parts) => ({ do: 'drop trigger', ...onTable(parts) }));
    case 'OBJECT_SCHEMA':
      return names.map((parts) => ({ do: 'drop schema', name: parts[0] ?? '', cascade }));
    default:
      return {
        irrelevant: `drop ${(node.removeType ?? '').replace('OBJECT_', '').toLowerCase().replaceAll('_', ' ')}`,
      };
  }
}

/** ALTER ... RENAME. */
export function rename(ddl: Ddl, node: RenameStmt): Outcome {
  const name = objectName(node.relation);
  const from = node.subname ?? '';
  const to = node.newname ?? '';
  switch (node.renameType) {
    case 'OBJECT_TABLE':
    case 'OBJECT_FOREIGN_TABLE':
      return [{ do: 'rename table', table: name, to }];
    case 'OBJECT_VIEW':
    case 'OBJECT_MATVIEW':
      return [{ do: 'rename view', view: name, to }];
    case 'OBJECT_INDEX':
      return [{ do: 'rename index', index: name, to }];
    case 'OBJECT_COLUMN':
      return [{ do: 'rename column', table: name, column: from, to }];
    case 'OBJECT_TABCONSTRAINT':
      return [{ do: 'rename constraint', table: name, constraint: from, to }];
    case 'OBJECT_POLICY':
      return [{ do: 'alter policy', table: name, name: from, rename: to }];
    case 'OBJECT_SCHEMA':
    case 'OBJECT_ROLE':
    case 'OBJECT_FUNCTION':
    case 'OBJECT_TRIGGER': {
      const what = node.renameType.slice('OBJECT_'.length).toLowerCase();
      ddl.unchecked({ reason: `unsupported: rename of a ${what}`, span: spanOf(ddl) });
      return [];
    }
    default:
      return { irrelevant: `rename ${(node.renameType ?? '').replace('OBJECT_', '').toLowerCase()}` };
  }
}

export function setSchema(ddl: Ddl, node: AlterObjectSchemaStmt): Outcome {
  const to = node.newschema ?? '';
  switch (node.objectType) {
    case 'OBJECT_TABLE':
    case 'OBJECT_FOREIGN_TABLE':
    case 'OBJECT_VIEW':
    case 'OBJECT_MATVIEW':
      return [{ do: 'set schema', table: objectName(node.relation), to }];
    case 'OBJECT_FUNCTION':
      ddl.unchecked({ reason: 'unsupported: set schema of a function', span: spanOf(ddl) });
      return [];
    default:
      return { irrelevant: 'set schema' };
  }
}

export function owner(_: Ddl, node: AlterOwnerStmt): SchemaAction[] {
  const what = (node.objectType ?? '').replace('OBJECT_', '').toLowerCase();
  const name = node.relation ? objectName(node.relation) : nameOf(nodeName(node.object));
  const to = roleName(node.newowner);
  if (what === 'function' || what === 'procedure') return [{ do: 'alter function', name, owner: to }];
  return [{ do: 'owner', what, name, to }];
}

/** Bits of a trigger's type in PostgreSQL's catalog (pg_trigger.h). */
const triggerEvents: readonly (readonly [number, string])[] = [
  [4, 'insert'],
  [8, 'delete'],
  [16, 'update'],
  [32, 'truncate'],
];

export function createTrigger(_: Ddl, node: CreateTrigStmt): SchemaAction[] {
  const timing = node.timing ?? 0;
  return [
    {
      do: 'create trigger',
      table: objectName(node.relation),
      name: node.trigname ?? '',
      function: nameOf(strings(node.funcname)),
      events: triggerEvents.filter(([bit]) => ((node.events ?? 0) & bit) !== 0).map(([, event]) => event),
      timing: (timing & 2) !== 0 ? 'before' : (timing & 64) !== 0 ? 'instead of' : 'after',
      perRow: node.row ?? false,
    },
  ];
}

export function createPublication(ddl: Ddl, node: CreatePublicationStmt): SchemaAction[] {
  const specs = (node.pubobjects ?? []).flatMap((object) =>
    'PublicationObjSpec' in object ? [object.PublicationObjSpec] : [],
  );
  const tables = specs.flatMap((spec) =>
    spec.pubtable
      ? [
          {
            table: objectName(spec.pubtable.relation),
            filtered: spec.pubtable.whereClause !== undefined || spec.pubtable.columns !== undefined,
          },
        ]
      : [],
  );
  if (tables.length < specs.length)
    ddl.unchecked({ reason: 'unsupported: publication of a whole schema', span: spanOf(ddl) });
  return [{ do: 'create publication', name: node.pubname ?? '', tables, allTables: node.for_all_tables ?? false }];
}
