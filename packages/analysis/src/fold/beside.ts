import type { ObjectName, SchemaEvent, Span } from '@tenant-lint/model';
import { idOf } from './names.js';
import type { Source } from './order.js';
import { idOfDraft, type TableDraft, type World } from './world.js';

/** A script whose statements about what a history made are left out, with the first of them. */
export interface SetApart {
  readonly file: string;
  readonly statements: number;
  readonly span: Span;
  /** The folder of the history. */
  readonly history: string;
}

/** Whether every file of a source is a script that no migration tool would find. */
export const isLoose = (source: Source): boolean => source.files.every((f) => f.sql?.loose === true);

/** Whether a history takes care of row security itself. */
export const hasPolicies = (world: World): boolean => [...world.tables.values()].some((t) => t.policies.length > 0);

/** Whether both make, or one changes, the same tables. */
export const sharesTables = (scripts: World, history: World): boolean =>
  [...scripts.known].some((id) => history.known.has(id)) ||
  scripts.dangling.some((d) => [...history.tables.values()].some((t) => namesTable(d.what, t)));

export const namesTable = (what: string, table: TableDraft): boolean =>
  what.endsWith(` of ${table.name}`) || what.endsWith(` of ${table.schema}.${table.name}`);

/**
 * Which statements of scripts count beside the migrations of a tool that make policies themselves. The tool runs none of the scripts, and one
 * that was run by hand once may be long overtaken, so what the migrations say of a table, a function or a view holds. Columns, constraints and
 * indexes are added all the same, and a table that the migrations leave without row security may get it from a script.
 * What is left out is noted in `apart`, by file.
 */
export function besides(history: World, folder: string, apart: Map<string, SetApart>): (event: SchemaEvent) => boolean {
  const tables = new Set(history.known);
  const made = new Set(history.made);
  const settled = new Set(
    [...history.tables.values()].filter((t) => t.rowSecurity.enabled || t.policies.length > 0).map(idOfDraft),
  );
  const idOfNew = (name: ObjectName): string => {
    const place = history.place(name);
    return idOf(place.schema, place.name);
  };
  const tableId = (name: ObjectName): string => history.find(name) ?? idOfNew(name);
  const isOverruled = ({ action }: SchemaEvent): boolean => {
    switch (action.do) {
      case 'create table':
        return tables.has(idOfNew(action.table));
      case 'add column':
      case 'add constraint':
      case 'create index':
        return tables.has(tableId(action.table)) && history.table(action.table) === undefined;
      case 'row security':
      case 'create policy':
      case 'alter policy':
      case 'drop policy':
      case 'create trigger':
        return settled.has(tableId(action.table));
      case 'create function':
        return made.has(idOfNew(action.function.name));
      case 'alter function':
      case 'drop function':
      case 'rename function':
        return made.has(idOfNew(action.name));
      case 'create view':
      case 'alter view options':
      case 'drop view':
      case 'rename view':
        return made.has(idOfNew(action.view));
      case 'grant':
      case 'revoke':
        return !action.on.some(
          (on) =>
            (on.kind === 'table' && !tables.has(tableId(on.name)) && !made.has(idOfNew(on.name))) ||
            (on.kind === 'function' && !made.has(idOfNew(on.name))),
        );
      case 'default privileges':
      case 'drop schema':
        return true;
      default:
        return 'table' in action && 'name' in action.table && tables.has(tableId(action.table as ObjectName));
    }
  };
  const noted = new Set<string>();
  return (event) => {
    if (!isOverruled(event)) return true;
    const { file } = event.span;
    const before = noted.has(file) ? apart.get(file) : undefined;
    noted.add(file);
    apart.set(file, {
      file,
      statements: (before?.statements ?? 0) + 1,
      span: before?.span ?? event.span,
      history: folder,
    });
    return false;
  };
}
