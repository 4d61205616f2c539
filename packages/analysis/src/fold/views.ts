import type { Access, ObjectName, SchemaAction, Span, TableId, View } from '@tenant-lint/model';
import { lastOf } from './history.js';
import { idOf } from './names.js';
import { readsTable, renameTable } from './rewrite.js';
import { born, changedBy, type World } from './world.js';

type Action<K extends SchemaAction['do']> = Extract<SchemaAction, { do: K }>;

export function createView(world: World, action: Action<'create view'>, span: Span): void {
  const place = world.place(action.view);
  const id = idOf(place.schema, place.name);
  const before = world.views.get(id);
  world.made.add(id);
  if (before) loseView(world, before, span);
  world.views.set(id, {
    id,
    name: place,
    materialized: action.materialized,
    // CREATE OR REPLACE VIEW does not keep the options of the view it replaces.
    options: action.options,
    ...(action.query.known ? { query: world.bind(action.query.value, undefined) } : { unknown: action.query.reason }),
    ...(action.shape ? { shape: action.shape } : {}),
    ...(action.columns.length > 0 ? { names: action.columns } : {}),
    ...(before?.owner && action.replace ? { owner: before.owner } : {}),
    origin: before && action.replace ? changedBy(before.origin, span) : born(span),
  });
}

/** Changes a view; false if there is none of that name. */
export function changeView(world: World, name: ObjectName, change: (view: View) => View, span: Span): boolean {
  const id = world.find(name, 'view');
  const view = id === undefined ? undefined : world.views.get(id);
  if (id === undefined || !view) return false;
  const next = change(view);
  if (next.id === id) loseView(world, view, span);
  world.views.delete(id);
  world.views.set(next.id, { ...next, origin: changedBy(view.origin, span) });
  if (next.id !== id) followView(world, id, { schema: next.name.schema ?? 'public', name: next.name.name });
  return true;
}

const loseView = (world: World, view: View, removed: Span): void => {
  world.history.losses.push({ view, established: lastOf(view.origin), removed });
};

/** Policies and views that read a renamed view follow it. */
function followView(world: World, id: string, to: { schema: string; name: string }): void {
  for (const table of world.tables.values()) table.policies = table.policies.map((p) => renameTable(p, id, to));
  for (const [other, view] of world.views) world.views.set(other, renameTable(view, id, to));
}

export function dropView(world: World, name: ObjectName, span: Span): void {
  const id = world.find(name, 'view');
  const view = id === undefined ? undefined : world.views.get(id);
  if (id === undefined || !view) return;
  loseView(world, view, span);
  world.views.delete(id);
  dropViewsThat(world, (query) => readsTable([query], id));
}

/** Drops the views whose query answers yes, and the views over them. */
export function dropViewsThat(world: World, reads: (query: Access | undefined) => boolean): void {
  const dropped: TableId[] = [];
  for (const [id, { query }] of world.views) if (reads(query)) dropped.push(id);
  for (const id of dropped) world.views.delete(id);
  for (const id of dropped) dropViewsThat(world, (query) => readsTable([query], id));
}
