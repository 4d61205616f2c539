import type {
  FileFacts,
  Journal,
  Policy,
  Relation,
  Schema,
  SchemaEvent,
  Table,
  TableId,
  View,
} from '@tenant-lint/model';
import { applyEvent } from './apply.js';
import { besides, hasPolicies, isLoose, namesTable, sharesTables, type SetApart } from './beside.js';
import { lossesOf, settleLosses } from './history.js';
import { asTheDatabaseIs } from './live.js';
import { mergeWorlds } from './merge.js';
import { sourcesOf, type Source } from './order.js';
import { attachRelations, finishConstraint, finishRelations, resolver, settleReferences } from './relations.js';
import { idOfDraft, World, type TableDraft } from './world.js';

export interface FoldOptions {
  /** Schema that is declared in code and was read while linking, where it is not in the facts themselves. */
  readonly declarations?: readonly { readonly file: string; readonly events: readonly SchemaEvent[] }[];
  /** Lists that migration tools keep of their files. */
  readonly journals?: readonly Journal[];
}

/**
 * The schema after all migrations, united with what schema languages declare. In: the facts of all files, in any order. Out: one schema,
 * whatever the number of histories, schemas and databases; tables are united by id. Never throws: what names something unknown is in
 * `dangling`. A dump serves only where no history knows the table, see docs/decisions/schema-sources.md.
 */
export function foldSchema(files: readonly FileFacts[], options: FoldOptions = {}): Schema {
  const sources = sourcesOf(withDeclarations(files, options.declarations ?? []), options.journals);
  const of = (kind: Source['kind']): readonly Source[] => sources.filter((s) => s.kind === kind);
  const declared = [...of('prisma'), ...of('drizzle')].map((s) => foldSource(s, new World()));
  const { histories, dumps, apart } = foldHistories(of('migrations'), of('dump'), declared);
  const live = of('live').map((s) => foldSource(s, new World()));
  const worlds = [...declared, ...histories, ...dumps];
  const resolve = resolver([...worlds, ...live]);
  for (const world of [...worlds, ...live]) settleReferences(world, resolve);
  const losses = worlds.flatMap(lossesOf);
  const world = live.reduce(asTheDatabaseIs, mergeWorlds(worlds));
  attachRelations(world, (name) => resolve(name, world));
  const schema = schemaOf(world, [...new Set(sources.map((s) => s.kind))]);
  const history = settleLosses(losses, schema);
  const [database] = live;
  const rows = of('live')[0]?.files[0]?.live?.rows ?? {};
  const counted = new Map(
    [...schema.tables].map(([id, table]) => [id, id in rows ? { ...table, rows: rows[id]! } : table]),
  );
  return {
    ...schema,
    ...(database
      ? { tables: counted, notInDatabase: new Set([...schema.tables.keys()].filter((id) => !database.tables.has(id))) }
      : {}),
    ...(apart.length > 0 ? { apart } : {}),
    ...(history.length > 0 ? { history } : {}),
  };
}

function withDeclarations(
  files: readonly FileFacts[],
  declarations: NonNullable<FoldOptions['declarations']>,
): readonly FileFacts[] {
  if (declarations.length === 0) return files;
  const events = new Map<string, SchemaEvent[]>();
  for (const d of declarations) events.set(d.file, [...(events.get(d.file) ?? []), ...d.events]);
  return files.map((f) => ({ ...f, schema: [...f.schema, ...(events.get(f.file) ?? [])] }));
}

/**
 * Applies the files of a source to `world`, in order, without the statements that `counts` refuses. In an unordered one, what names
 * something unknown waits for the rest.
 */
function foldSource(source: Source, world: World, counts: (event: SchemaEvent) => boolean = () => true): World {
  let waiting: { event: SchemaEvent; path: readonly string[] }[] = [];
  for (const facts of source.files) {
    world.searchPath = world.defaultPath;
    world.role = undefined;
    world.temporary.clear();
    for (const event of facts.schema) {
      if (event.direction !== 'up' || !counts(event)) continue;
      if (!tryEvent(world, event, source.ordered) && !source.ordered) waiting.push({ event, path: world.searchPath });
    }
  }
  for (let before = Infinity; waiting.length > 0 && waiting.length < before;) {
    before = waiting.length;
    waiting = waiting.filter(({ event, path }) => {
      world.searchPath = path;
      return !tryEvent(world, event, false);
    });
  }
  for (const { event, path } of waiting) {
    world.searchPath = path;
    tryEvent(world, event, true);
  }
  world.searchPath = world.defaultPath;
  return world;
}

/** False if the event named something unknown; then it is not noted unless `final`. */
function tryEvent(world: World, event: SchemaEvent, final: boolean): boolean {
  const before = world.dangling.length;
  applyEvent(world, event);
  const ok = world.dangling.length === before;
  if (!ok && !final) world.dangling.length = before;
  return ok;
}

/**
 * A dump never competes with a history. Tables that any history creates, even if it drops them again, are the history's; of a dump that
 * shares tables with a history, only the tables that no history knows remain. Where a history changes tables that it never creates and
 * a dump has them, the dump is what the history starts from.
 */
function foldHistories(
  histories: readonly Source[],
  dumps: readonly Source[],
  declared: readonly World[],
): { histories: World[]; dumps: World[]; apart: SetApart[] } {
  const folded = histories.map((s) => foldSource(s, new World()));
  const scripts = [...overruledScripts(histories, folded), ...attachedScripts(histories, folded, declared)];
  const apart = new Map<string, SetApart>();
  const attach = (to: World): void => {
    for (const { source, base, overruled } of scripts) {
      if (base !== to) continue;
      foldSource(source, base, overruled ? besides(base, overruled, apart) : undefined);
    }
  };
  [...folded, ...declared].forEach(attach);
  const known = new Set(folded.flatMap((w) => [...w.known]));
  const rest: World[] = [];
  for (const dump of dumps) {
    const world = withoutKnown(foldSource(dump, new World()), known);
    const at = folded.findIndex(
      (w) => !w.applied && w.dangling.some((d) => [...world.tables.values()].some((t) => namesTable(d.what, t))),
    );
    const [source, before] = [histories[at], folded[at]];
    if (source && before) {
      folded[at] = foldSource(source, world);
      for (const script of scripts) if (script.base === before) script.base = world;
      attach(world);
    } else rest.push(world);
  }
  return { histories: folded.filter((world) => !world.applied), dumps: rest, apart: [...apart.values()] };
}

/** Scripts that are applied to what another source made. */
interface Attached {
  readonly source: Source;
  base: World;
  /** The folder of the migrations that overrule them. */
  readonly overruled?: string;
}

/** Scripts beside migrations that make policies: applied to what these made, as far as they do not contradict it. */
function* overruledScripts(histories: readonly Source[], folded: readonly World[]): Iterable<Attached> {
  const homes = histories.flatMap((source, i) => {
    const world = folded[i];
    return world && !isLoose(source) && hasPolicies(world) ? [{ source, world }] : [];
  });
  for (const [i, source] of histories.entries()) {
    const world = folded[i];
    const home = world && isLoose(source) ? homes.find((h) => sharesTables(world, h.world)) : undefined;
    if (!world || !home) continue;
    world.applied = true;
    yield { source, base: home.world, overruled: home.source.folder };
  }
}

/**
 * Scripts beside the history of the tables they change (policies in a folder of their own, say) are applied to what that history made: to a
 * history if one knows the tables, else to a declared schema. A history with tables in common is another version of the same schema.
 */
function* attachedScripts(
  histories: readonly Source[],
  folded: readonly World[],
  declared: readonly World[],
): Iterable<Attached> {
  for (const [i, source] of histories.entries()) {
    const world = folded[i];
    if (!world || world.applied || world.dangling.length === 0) continue;
    const base = [...folded, ...declared].find(
      (other) =>
        other !== world &&
        !other.applied &&
        ![...world.known].some((id) => other.known.has(id)) &&
        world.dangling.some((d) => [...other.tables.values()].some((t) => namesTable(d.what, t))),
    );
    if (!base) continue;
    world.applied = true;
    yield { source, base };
  }
}

function withoutKnown(world: World, known: ReadonlySet<TableId>): World {
  const shared = [...world.known].filter((id) => known.has(id));
  if (shared.length === 0) return world;
  const left = new World();
  for (const [id, table] of world.tables) {
    if (known.has(id)) continue;
    left.tables.set(id, table);
    left.known.add(id);
  }
  for (const [id, labels] of world.enums) left.enums.set(id, labels);
  return left;
}

function schemaOf(world: World, sources: Schema['sources']): Schema {
  const tables = new Map<TableId, Table>();
  const views = new Map<TableId, View>(world.views);
  for (const draft of world.tables.values()) {
    const id = idOfDraft(draft);
    const relations = finishRelations(world, draft);
    if (draft.view || views.has(id)) {
      views.set(id, declaredView(id, draft, relations, views.get(id)));
      continue;
    }
    tables.set(id, tableOf(world, id, draft, relations));
  }
  return {
    tables,
    views,
    functions: world.functions,
    roles: world.roles,
    grants: world.grants,
    defaultPrivileges: world.defaultPrivileges,
    enums: world.enums,
    settings: world.settings,
    extensions: world.extensions,
    sources,
    schemas: world.schemas,
    publications: [...world.publications.values()],
    jobs: world.jobs,
    schemaOwners: world.schemaOwners,
    dangling: world.dangling,
  };
}

function tableOf(world: World, id: TableId, draft: TableDraft, relations: readonly Relation[]): Table {
  const copies = draft.copyOf
    .map(({ table, by }) => ({ table: idOfDraft(table), by }))
    .filter((copy) => copy.table !== id && world.tables.has(copy.table));
  return {
    id,
    name: { schema: draft.schema, name: draft.name },
    aliases: draft.aliases,
    columns: draft.columns,
    constraints: draft.constraints.map((c) => finishConstraint(world, draft, c)),
    indexes: draft.indexes,
    relations,
    rowSecurity: draft.rowSecurity,
    policies: draft.policies.map((p): Policy => ({ ...p, table: id })),
    triggers: draft.triggers,
    ...(draft.rules.length > 0 ? { rules: draft.rules } : {}),
    inherits: draft.inherits,
    origin: draft.origin,
    complete: draft.complete,
    ...(draft.documents ? { documents: true as const } : {}),
    ...(draft.owner ? { owner: draft.owner } : {}),
    ...(draft.partitionOf === undefined ? {} : { partitionOf: draft.partitionOf }),
    ...(draft.partitionBy ? { partitionBy: draft.partitionBy } : {}),
    ...(draft.defaultPartition ? { defaultPartition: true as const } : {}),
    ...(copies.length > 0 ? { copyOf: copies } : {}),
    ...(draft.detached ? { detached: { from: idOfDraft(draft.detached.from), span: draft.detached.span } } : {}),
  };
}

/** A view that a schema language declares: what code knows of it, with the query of the migration that makes it. */
function declaredView(id: TableId, draft: TableDraft, relations: readonly Relation[], made: View | undefined): View {
  const name = { schema: draft.schema, name: draft.name };
  const base: View = made ?? {
    id,
    name,
    materialized: false,
    options: {},
    unknown: 'declared as a view; no migration shows its query',
    // Only code has names of its own for what it declares.
    ...(draft.aliases.length === 0 ? { foreign: true as const } : {}),
    origin: draft.origin,
  };
  return { ...base, aliases: draft.aliases, columns: draft.columns, relations };
}
