import type {
  Column,
  Constraint,
  Grant,
  Index,
  ObjectName,
  Origin,
  Policy,
  RelationDefinition,
  Role,
  Schema,
  SchemaFunction,
  Span,
  TableId,
  TableName,
  Trigger,
  View,
} from '@tenant-lint/model';
import { bindNames, type Captured, type Lookup } from './rewrite.js';
import type { History } from './history.js';
import { idOf, shown } from './names.js';

/** A table while its history is folded. Its facts are replaced, never changed in place. */
export interface TableDraft {
  schema: string;
  name: string;
  aliases: TableName[];
  columns: Map<string, Column>;
  constraints: Constraint[];
  indexes: Index[];
  relations: RelationDefinition[];
  rowSecurity: { enabled: boolean; forced: boolean; origin?: Origin };
  /** The statements that switched row security on. */
  protectedBy: { enabled?: Span; forced?: Span };
  policies: Omit<Policy, 'table'>[];
  triggers: Trigger[];
  rules: { name: string; idle?: true; origin: Origin }[];
  owner?: { role: string; span: Span };
  partitionOf?: TableId;
  defaultPartition?: true;
  /** By identity, so that they follow renames; one that was dropped is left out at the end. */
  copyOf: { table: TableDraft; by: 'like' | 'query' }[];
  detached?: { from: TableDraft; span: Span };
  partitionBy?: readonly string[];
  inherits: TableId[];
  origin: Origin;
  complete: boolean;
  /** Declared as a view by a schema language. */
  view: boolean;
  documents?: true;
}

export type DefaultPrivilege = Grant & { readonly objects: string };

/** What one source has made so far. */
export class World {
  readonly tables = new Map<TableId, TableDraft>();
  readonly views = new Map<TableId, View>();
  readonly functions = new Map<string, SchemaFunction[]>();
  readonly roles = new Map<string, Role>();
  grants: Grant[] = [];
  defaultPrivileges: DefaultPrivilege[] = [];
  readonly enums = new Map<string, readonly string[]>();
  settings: Schema['settings'][number][] = [];
  readonly extensions = new Set<string>();
  readonly schemas = new Set<string>();
  readonly jobs: NonNullable<Schema['jobs']>[number][] = [];
  readonly schemaOwners = new Map<string, { readonly role: string; readonly span: Span }>();
  /** Functions that were dropped with revoked privileges, by id: what is created under that name again has PUBLIC's once more. */
  readonly droppedFunctions = new Map<string, { readonly span: Span; readonly revoked: Span }>();
  /** ALTER DEFAULT PRIVILEGES took EXECUTE from PUBLIC; within one schema that has no effect. */
  publicExecuteRevoked = false;
  /** SET ROLE in the file being folded. */
  role: string | undefined;
  readonly publications = new Map<string, NonNullable<Schema['publications']>[number]>();
  readonly dangling: { what: string; span: Span }[] = [];
  /** Relations declared apart from their table, whose name only the whole program can resolve. */
  readonly relations: { table: TableName; relations: readonly RelationDefinition[]; span: Span }[] = [];
  readonly history: History = { losses: [], holders: [] };
  /** Every id that was ever a table here, dropped and renamed ones included. */
  readonly known = new Set<TableId>();
  /** Every id that was ever a function or a view here. */
  readonly made = new Set<string>();
  readonly temporary = new Set<string>();
  /** Its statements were applied to another world, which stands for both. */
  applied = false;
  /** Where unqualified names are looked up and created; of the session, so each file begins anew. */
  searchPath: readonly string[] = ['public'];
  /** What ALTER DATABASE or ALTER ROLE made of it. */
  defaultPath: readonly string[] = ['public'];

  /** Where an object of that name would be created. */
  place(name: ObjectName): { schema: string; name: string } {
    return { schema: name.schema ?? this.searchPath[0] ?? 'public', name: name.name };
  }

  /** The id of the table or view that a name means now: along the search path, then wherever it is the only one. */
  find(name: ObjectName, of: 'table' | 'view' | 'either' = 'table'): TableId | undefined {
    const has = (id: TableId): boolean =>
      (of !== 'view' && this.tables.has(id)) || (of !== 'table' && this.views.has(id));
    if (name.schema !== undefined) {
      const id = idOf(name.schema, name.name);
      return has(id) ? id : undefined;
    }
    for (const schema of [...this.searchPath, 'public'])
      if (has(idOf(schema, name.name))) return idOf(schema, name.name);
    const same = new Set<TableId>();
    if (of !== 'view') for (const [id, t] of this.tables) if (t.name === name.name) same.add(id);
    if (of !== 'table') for (const [id, v] of this.views) if (v.name.name === name.name) same.add(id);
    return same.size === 1 ? [...same][0] : undefined;
  }

  table(name: ObjectName): TableDraft | undefined {
    const id = this.find(name);
    return id === undefined ? undefined : this.tables.get(id);
  }

  /** The table, or an entry in `dangling` that says what could not be done to it. */
  require(name: ObjectName, what: string, span: Span): TableDraft | undefined {
    const table = this.table(name);
    if (!table && !this.isTemporary(name)) this.dangling.push({ what: `${what} of ${shown(name)}`, span });
    return table;
  }

  isTemporary(name: ObjectName): boolean {
    return (name.schema === undefined || name.schema === 'pg_temp') && this.temporary.has(name.name);
  }

  isTaken(schema: string, name: string): boolean {
    for (const table of this.tables.values())
      if (
        table.schema === schema &&
        (table.indexes.some((i) => i.name === name) || table.constraints.some((c) => c.name === name))
      )
        return true;
    return false;
  }

  readonly lookup: Lookup = {
    qualify: (name) => {
      if (name.by !== 'sql') return undefined;
      const id = this.find(name, 'either');
      if (id === undefined) return undefined;
      const table = this.tables.get(id);
      const view = this.views.get(id);
      return table
        ? { schema: table.schema, name: table.name }
        : view && { schema: view.name.schema ?? 'public', name: view.name.name };
    },
    columns: (id) => {
      const table = this.tables.get(id);
      return table?.complete ? new Set(table.columns.keys()) : undefined;
    },
  };

  bind<T extends object>(root: T, self: TableId | undefined, captured?: Captured[]): T {
    return bindNames(root, self, this.lookup, captured);
  }
}

export const idOfDraft = (table: TableDraft): TableId => idOf(table.schema, table.name);

export const born = (span: Span): Origin => ({ created: span, changed: [] });

/** An origin with one more statement that changed the fact. */
export function changedBy(origin: Origin, span: Span): Origin {
  const last = origin.changed[origin.changed.length - 1] ?? origin.created;
  return same(last, span) ? origin : { ...origin, changed: [...origin.changed, span] };
}

/** The origin of a fact that two sources state. */
export function bothOrigins(a: Origin, b: Origin): Origin {
  return { created: a.created, changed: [...a.changed, b.created, ...b.changed].filter((s) => !same(s, a.created)) };
}

const same = (a: Span, b: Span): boolean => a.file === b.file && a.start === b.start && a.end === b.end;
