import type {
  AlterObjectSchemaStmt,
  AlterOwnerStmt,
  AlterPublicationStmt,
  CreatePublicationStmt,
  CreateTrigStmt,
  DropStmt,
  Node,
  ObjectWithArgs,
  RenameStmt,
} from '@pgsql/types';
import type { ObjectName, SchemaAction } from '@tenant-lint/model';
import { spanOf, type Ddl, type Outcome } from './context.js';
import { inputsOf } from './functions.js';
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
      return (node.objects ?? []).map((object) => ({ do: 'drop function', ...routineOf(object) }));
    case 'OBJECT_POLICY':
      return each((_name, parts) => ({ do: 'drop policy', ...onTable(parts) }));
    case 'OBJECT_TRIGGER':
      return each((_name, parts) => ({ do: 'drop trigger', ...onTable(parts) }));
    case 'OBJECT_RULE':
      return each((_name, parts) => ({ do: 'drop rule', ...onTable(parts) }));
    case 'OBJECT_PUBLICATION':
      return names.map((parts) => ({ do: 'drop publication', name: parts[0] ?? '' }));
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
    case 'OBJECT_FUNCTION':
    case 'OBJECT_PROCEDURE':
    case 'OBJECT_ROUTINE': {
      const routine = routineOf(node.object);
      return [{ do: 'rename function', ...routine, to: { ...routine.name, name: to } }];
    }
    case 'OBJECT_SCHEMA':
    case 'OBJECT_ROLE':
    case 'OBJECT_TRIGGER': {
      const what = node.renameType.slice('OBJECT_'.length).toLowerCase();
      ddl.unchecked({ reason: `unsupported: rename of a ${what}`, span: spanOf(ddl) });
      return [];
    }
    default:
      return { irrelevant: `rename ${(node.renameType ?? '').replace('OBJECT_', '').toLowerCase()}` };
  }
}

/** The function that a statement names, with the types of its parameters where these are given. */
function routineOf(node: Node | undefined): { readonly name: ObjectName; readonly inputs?: readonly string[] } {
  const named: ObjectWithArgs | undefined = node && 'ObjectWithArgs' in node ? node.ObjectWithArgs : undefined;
  const inputs = inputsOf(named);
  return { name: nameOf(nodeName(node)), ...(inputs ? { inputs } : {}) };
}

export function setSchema(_: Ddl, node: AlterObjectSchemaStmt): Outcome {
  const to = node.newschema ?? '';
  switch (node.objectType) {
    case 'OBJECT_TABLE':
    case 'OBJECT_FOREIGN_TABLE':
    case 'OBJECT_VIEW':
    case 'OBJECT_MATVIEW':
      return [{ do: 'set schema', table: objectName(node.relation), to }];
    case 'OBJECT_FUNCTION':
    case 'OBJECT_PROCEDURE':
    case 'OBJECT_ROUTINE': {
      const routine = routineOf(node.object);
      return [{ do: 'rename function', ...routine, to: { schema: to, name: routine.name.name } }];
    }
    default:
      return { irrelevant: 'set schema' };
  }
}

export function owner(_: Ddl, node: AlterOwnerStmt): SchemaAction[] {
  const what = (node.objectType ?? '').replace('OBJECT_', '').toLowerCase();
  const name = node.relation ? objectName(node.relation) : nameOf(nodeName(node.object));
  const to = roleName(node.newowner);
  if (what === 'function' || what === 'procedure' || what === 'routine')
    return [{ do: 'alter function', ...routineOf(node.object), owner: to }];
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

interface Published {
  readonly tables: { readonly table: ObjectName; readonly filtered: boolean }[];
  readonly schemas?: string[];
}

function publishedBy(ddl: Ddl, objects: readonly Node[] | undefined): Published {
  const specs = (objects ?? []).flatMap((object) =>
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
  const schemas = specs.flatMap((spec) =>
    spec.pubobjtype === 'PUBLICATIONOBJ_TABLES_IN_SCHEMA' && spec.name !== undefined ? [spec.name] : [],
  );
  if (tables.length + schemas.length < specs.length)
    ddl.unchecked({ reason: 'unsupported: publication of the current schema', span: spanOf(ddl) });
  return { tables, ...(schemas.length > 0 ? { schemas } : {}) };
}

export const createPublication = (ddl: Ddl, node: CreatePublicationStmt): SchemaAction[] => [
  {
    do: 'create publication',
    name: node.pubname ?? '',
    ...publishedBy(ddl, node.pubobjects),
    allTables: node.for_all_tables ?? false,
  },
];

/** ALTER PUBLICATION; one that changes options only does nothing here. */
export function alterPublication(ddl: Ddl, node: AlterPublicationStmt): Outcome {
  if (!node.pubobjects) return { irrelevant: 'alter publication' };
  const change = node.action === 'AP_DropObjects' ? 'drop' : node.action === 'AP_SetObjects' ? 'set' : 'add';
  return [{ do: 'alter publication', name: node.pubname ?? '', change, ...publishedBy(ddl, node.pubobjects) }];
}
