import type { SchemaAction, SchemaEvent, Span } from '@tenant-lint/model';
import { changeTable } from './change-table.js';
import { changeDefaultPrivileges, grant, revoke } from './grants.js';
import { dropIndex, renameIndex } from './indexes.js';
import { idOf, shown } from './names.js';
import { alterFunction, createFunction, dropFunction, renameFunction } from './functions.js';
import { changePublication, changeRole, joinRoles, leaveRoles, setOwner } from './objects.js';
import { applyPolicy } from './policies.js';
import { attachPartition, createTable, dropTable, moveTable, setInheritance } from './tables.js';
import { changeView, createView, dropView } from './views.js';
import { born, changedBy, idOfDraft, type World } from './world.js';

/** Does to `world` what the statement does to a database. What names something unknown ends in `dangling`. */
export function applyEvent(world: World, { action, span }: SchemaEvent): void {
  switch (action.do) {
    case 'create table':
      return createTable(world, action, span);
    case 'add relations':
      world.relations.push({ table: action.table, relations: action.relations, span });
      return;
    case 'drop table': {
      const id = world.find(action.table);
      if (id === undefined) world.temporary.delete(action.table.name);
      else dropTable(world, id, span);
      return;
    }
    case 'rename table':
    case 'set schema': {
      const table = world.table(action.table);
      if (!table) return renameMissing(world, action, span);
      const to =
        action.do === 'set schema'
          ? { schema: action.to, name: table.name }
          : { schema: table.schema, name: action.to };
      return moveTable(world, idOfDraft(table), to, span);
    }
    case 'add column':
    case 'drop column':
    case 'rename column':
    case 'alter column':
    case 'add constraint':
    case 'add constraint using index':
    case 'drop constraint':
    case 'validate constraint':
    case 'rename constraint':
    case 'create index':
    case 'row security': {
      // An index may be made on a materialized view, and ALTER TABLE may name a view; neither changes a table.
      if (!world.table(action.table) && world.find(action.table, 'view') !== undefined) return;
      const table = world.require(action.table, action.do, span);
      if (table) changeTable(world, table, action, span);
      return;
    }
    case 'drop index':
      return dropIndex(world, action.index, span);
    case 'rename index':
      if (!renameIndex(world, action.index, action.to, span))
        dangling(world, `rename of index ${shown(action.index)}`, span);
      return;
    case 'create policy':
    case 'alter policy':
    case 'drop policy':
      return applyPolicy(world, action, span);
    case 'create view':
      return createView(world, action, span);
    case 'alter view options': {
      const found = changeView(
        world,
        action.view,
        (v) => ({
          ...v,
          options: Object.fromEntries(
            Object.entries({ ...v.options, ...action.set }).filter(([name]) => !action.reset.includes(name)),
          ),
        }),
        span,
      );
      if (!found) dangling(world, `options of view ${shown(action.view)}`, span);
      return;
    }
    case 'drop view':
      return dropView(world, action.view, span);
    case 'rename view': {
      const found = changeView(
        world,
        action.view,
        (v) => ({ ...v, id: idOf(v.name.schema ?? 'public', action.to), name: { ...v.name, name: action.to } }),
        span,
      );
      if (!found) dangling(world, `rename of view ${shown(action.view)}`, span);
      return;
    }
    case 'create function':
      return createFunction(world, action, span);
    case 'alter function':
      if (!alterFunction(world, action, span)) dangling(world, `alter of function ${shown(action.name)}`, span);
      return;
    case 'drop function':
      return dropFunction(world, action, span);
    case 'rename function':
      if (!renameFunction(world, action, span)) dangling(world, `rename of function ${shown(action.name)}`, span);
      return;
    case 'create trigger':
    case 'drop trigger':
    case 'toggle trigger':
    case 'create rule':
    case 'drop rule':
      return applyTrigger(world, action, span);
    case 'create role':
      return changeRole(world, action.name, span, action.attributes, action.memberOf);
    case 'alter role':
      return changeRole(world, action.name, span, action.attributes, []);
    case 'drop role':
      world.roles.delete(action.name);
      return;
    case 'grant role':
      for (const role of action.to) joinRoles(world, role, action, span);
      return;
    case 'revoke role':
      for (const role of action.to) leaveRoles(world, role, action.roles, span);
      return;
    case 'grant':
      return grant(world, action, span);
    case 'revoke':
      return revoke(world, action, span);
    case 'default privileges':
      return changeDefaultPrivileges(world, action, span);
    case 'owner':
      return setOwner(world, action, span);
    case 'attach partition':
    case 'detach partition':
      return attachPartition(world, action, span);
    case 'inherit':
    case 'no inherit':
      return setInheritance(world, action, span);
    case 'create schema':
      world.schemas.add(action.name);
      return;
    case 'drop schema':
      world.schemas.delete(action.name);
      for (const table of [...world.tables.values()])
        if (table.schema === action.name) dropTable(world, idOfDraft(table), span);
      for (const [id, view] of world.views) if (view.name.schema === action.name) world.views.delete(id);
      for (const [id, [f]] of world.functions) if (f?.name.schema === action.name) world.functions.delete(id);
      return;
    case 'create type':
      if (action.type === 'enum') {
        const place = world.place(action.name);
        world.enums.set(idOf(place.schema, place.name), action.labels ?? []);
      }
      return;
    case 'create extension':
      world.extensions.add(action.name);
      return;
    case 'create publication':
      world.publications.set(action.name, {
        name: action.name,
        tables: action.tables,
        allTables: action.allTables,
        ...(action.schemas ? { schemas: action.schemas } : {}),
        span,
      });
      return;
    case 'alter publication':
      return changePublication(world, action, span);
    case 'drop publication':
      world.publications.delete(action.name);
      return;
    case 'schedule job': {
      const { name, queries, calls, role } = action;
      if (name !== undefined) unschedule(world, name);
      world.jobs.push({
        queries,
        calls,
        span,
        ...(name === undefined ? {} : { name }),
        ...(role === undefined ? {} : { role }),
      });
      return;
    }
    case 'unschedule job':
      return unschedule(world, action.name);
    case 'set':
      return set(world, action, span);
    case 'search path':
      world.searchPath = pathOf(action.schemas, world.defaultPath);
      return;
  }
}

function applyTrigger(
  world: World,
  action: Extract<
    SchemaAction,
    { do: 'create trigger' | 'drop trigger' | 'toggle trigger' | 'create rule' | 'drop rule' }
  >,
  span: Span,
): void {
  if (
    !world.table(action.table) &&
    (action.do === 'drop trigger' || action.do === 'drop rule' || world.find(action.table, 'view') !== undefined)
  )
    return;
  const table = world.require(action.table, action.do, span);
  if (!table) return;
  switch (action.do) {
    case 'create trigger': {
      const { name, function: f, events, timing, perRow } = action;
      table.triggers = table.triggers.filter((t) => t.name !== name);
      table.triggers.push({ name, function: f, events, timing, perRow, enabled: true, origin: born(span) });
      return;
    }
    case 'drop trigger':
      table.triggers = table.triggers.filter((t) => t.name !== action.name);
      return;
    case 'toggle trigger':
      table.triggers = table.triggers.map((t) =>
        action.name === t.name || action.name === 'all' || action.name === 'user'
          ? { ...t, enabled: action.enabled, origin: changedBy(t.origin, span) }
          : t,
      );
      return;
    case 'create rule':
      table.rules = table.rules.filter((r) => r.name !== action.name);
      table.rules.push({ name: action.name, ...(action.idle ? { idle: true } : {}), origin: born(span) });
      return;
    case 'drop rule':
      table.rules = table.rules.filter((r) => r.name !== action.name);
  }
}

/** ALTER TABLE ... RENAME also renames views; anything else that is missing is said. */
function renameMissing(
  world: World,
  action: Extract<SchemaAction, { do: 'rename table' | 'set schema' }>,
  span: Span,
): void {
  const found = changeView(
    world,
    action.table,
    (v) => {
      const name = action.do === 'set schema' ? { ...v.name, schema: action.to } : { ...v.name, name: action.to };
      return { ...v, id: idOf(name.schema ?? 'public', name.name), name };
    },
    span,
  );
  if (!found && !world.isTemporary(action.table)) dangling(world, `${action.do} of ${shown(action.table)}`, span);
}

function unschedule(world: World, name: string): void {
  const at = world.jobs.findIndex((job) => job.name === name);
  if (at >= 0) world.jobs.splice(at, 1);
}

function set(world: World, action: Extract<SchemaAction, { do: 'set' }>, span: Span): void {
  if (action.name === 'role' && (action.scope === 'session' || action.scope === 'local'))
    world.role = action.value === '' || action.value === 'none' ? undefined : action.value;
  if (action.scope !== 'role' && action.scope !== 'database') return;
  if (action.name === 'search_path') world.defaultPath = pathOf(action.value.split(','), ['public']);
  const { name, value, scope, of } = action;
  world.settings = world.settings.filter((s) => s.name !== name || s.scope !== scope || s.of !== of);
  world.settings.push({ name, value, scope, ...(of === undefined ? {} : { of }), span });
}

/** The schemas of a search path that can hold tables of the project. */
function pathOf(schemas: readonly string[], otherwise: readonly string[]): readonly string[] {
  const path = schemas
    .map((s) => s.trim().replace(/^["']|["']$/g, ''))
    .filter((s) => s !== '' && s !== '$user' && s !== 'pg_catalog');
  return path.length > 0 ? path : otherwise;
}

function dangling(world: World, what: string, span: Span): void {
  world.dangling.push({ what, span });
}
