import type { Span } from './span.js';
import type { Access, TableId, TableName } from './access.js';
import type {
  ColumnDefinition,
  ConstraintDefinition,
  FunctionDefinition,
  GrantObject,
  IndexDefinition,
  ObjectName,
  PolicyDefinition,
  RelationDefinition,
  ViewShape,
} from './schema-event.js';

/** Where a fact of the folded schema comes from: the statement that made it, and those that changed it, in order. */
export interface Origin {
  readonly created: Span;
  readonly changed: readonly Span[];
}

/** The schema after all migrations (or as declared), by table. */
export interface Schema {
  readonly tables: ReadonlyMap<TableId, Table>;
  readonly views: ReadonlyMap<TableId, View>;
  readonly functions: ReadonlyMap<string, readonly SchemaFunction[]>;
  readonly roles: ReadonlyMap<string, Role>;
  readonly grants: readonly Grant[];
  readonly defaultPrivileges: readonly (Grant & { readonly objects: string })[];
  readonly enums: ReadonlyMap<string, readonly string[]>;
  readonly settings: readonly {
    readonly name: string;
    readonly value: string;
    readonly scope: 'role' | 'database';
    readonly of?: string;
    readonly span: Span;
  }[];
  readonly extensions: ReadonlySet<string>;
  /** Which kinds of source it was made from. */
  readonly sources: readonly ('migrations' | 'dump' | 'prisma' | 'drizzle' | 'live')[];
  /** Schemas that CREATE SCHEMA makes. */
  readonly schemas?: ReadonlySet<string>;
  readonly publications?: readonly {
    readonly name: string;
    readonly tables: readonly { readonly table: ObjectName; readonly filtered: boolean; readonly span?: Span }[];
    readonly allTables: boolean;
    readonly schemas?: readonly string[];
    readonly span: Span;
  }[];
  /** Jobs of pg_cron. */
  readonly jobs?: readonly Job[];
  /** Owners of schemas, where some statement names one. */
  readonly schemaOwners?: ReadonlyMap<string, { readonly role: string; readonly span: Span }>;
  /** What earlier statements had established and later ones took away, in the order in which it was lost; what functions lost is with them. */
  readonly history?: readonly Loss[];
  /** Scripts beside the migrations of a tool whose statements about what the migrations make do not count, with the first of them. */
  readonly apart?: readonly {
    readonly file: string;
    readonly statements: number;
    readonly span: Span;
    readonly history: string;
  }[];
  /** Tables that files state and the database that was read does not have. */
  readonly notInDatabase?: ReadonlySet<TableId>;
  /** Events that name something unknown: an ALTER of a table no file creates. */
  readonly dangling: readonly { readonly what: string; readonly span: Span }[];
}

export interface Table {
  readonly id: TableId;
  readonly name: ObjectName;
  readonly aliases: readonly TableName[];
  readonly columns: ReadonlyMap<string, Column>;
  readonly constraints: readonly Constraint[];
  readonly indexes: readonly Index[];
  readonly relations: readonly Relation[];
  readonly rowSecurity: { readonly enabled: boolean; readonly forced: boolean; readonly origin?: Origin };
  readonly policies: readonly Policy[];
  readonly triggers: readonly Trigger[];
  /** CREATE RULE. `idle`: DO INSTEAD NOTHING. */
  readonly rules?: readonly { readonly name: string; readonly idle?: true; readonly origin: Origin }[];
  readonly owner?: { readonly role: string; readonly span: Span };
  readonly partitionOf?: TableId;
  readonly defaultPartition?: true;
  /** The tables it was made from: by LIKE, or by a query that copied their rows as well. */
  readonly copyOf?: readonly { readonly table: TableId; readonly by: 'like' | 'query' }[];
  /** The table whose partition or child it was until the statement. */
  readonly detached?: { readonly from: TableId; readonly span: Span };
  readonly partitionBy?: readonly string[];
  readonly inherits: readonly TableId[];
  /** Known by declaration in code as well as by migrations, or by one of them. */
  readonly origin: Origin;
  /** Whether columns are completely known: false after CREATE TABLE AS, or LIKE of an unknown table. */
  readonly complete: boolean;
  /** How many rows it has, by the estimate of the database that was read. */
  readonly rows?: number;
  /** A collection of documents: nothing that SQL says of tables holds for it. */
  readonly documents?: true;
}

/**
 * Something that a statement had established, that a later one took away, and that does not hold at the end: what was dropped and made
 * again equally, or belongs to a table that is gone, is none.
 */
export type Loss = LostFact & {
  /** The statement that established it (or changed it last). */
  readonly established: Span;
  /** The statement that took it away. */
  readonly removed: Span;
};

export type LostFact =
  | (LostOfTable & {
      /** The table as it is called at the end. */
      readonly table: TableId;
      /**
       * `recreated`: the table was dropped and another one of that name created; `swapped`: another table was renamed to its name;
       * `cascade`: it went with something else that was dropped.
       */
      readonly by: 'statement' | 'cascade' | 'recreated' | 'swapped';
    })
  | { readonly kind: 'view'; readonly before: View };

export type LostOfTable =
  | { readonly kind: 'row security' }
  | { readonly kind: 'forced row security' }
  /** All policies as they were before one of them was dropped, changed or replaced. */
  | { readonly kind: 'policies'; readonly policies: readonly Policy[] }
  /** The column as it was: it is gone, may be NULL now, has another type, lost its default. */
  | { readonly kind: 'column'; readonly column: Column }
  | { readonly kind: 'not null'; readonly column: Column }
  | { readonly kind: 'type'; readonly column: Column }
  | { readonly kind: 'default'; readonly column: Column }
  | { readonly kind: 'constraint'; readonly constraint: Constraint }
  | { readonly kind: 'index'; readonly index: Index };

export interface Column extends ColumnDefinition {
  readonly origin: Origin;
}
export type Constraint = ConstraintDefinition & { readonly origin: Origin };
export interface Index extends IndexDefinition {
  readonly origin: Origin;
}
export interface Relation extends Omit<RelationDefinition, 'to'> {
  readonly to: TableId;
  /** The columns were taken from the other side: the reference is held there. */
  readonly inverse?: true;
}
export interface Policy extends PolicyDefinition {
  readonly table: TableId;
  /** Unqualified names that a table of a sub-query took when the policy was made, although the policy's own table has such a column too. */
  readonly captured?: readonly { readonly column: string; readonly by: TableId; readonly span?: Span }[];
  readonly origin: Origin;
}
export interface Trigger {
  readonly name: string;
  readonly function: ObjectName;
  readonly events: readonly string[];
  readonly timing: string;
  readonly perRow: boolean;
  readonly enabled: boolean;
  readonly origin: Origin;
}
export interface View {
  readonly id: TableId;
  readonly name: ObjectName;
  readonly materialized: boolean;
  readonly options: Readonly<Record<string, string>>;
  readonly query?: Access;
  readonly unknown?: string;
  readonly shape?: ViewShape;
  /** A foreign table: its rows are in another database. */
  readonly foreign?: true;
  /** The names that CREATE VIEW gives its columns, where it lists them. */
  readonly names?: readonly string[];
  readonly owner?: { readonly role: string; readonly span: Span };
  readonly origin: Origin;
  /** Of a view that a schema language declares too: its names in code, what code can read of it. */
  readonly aliases?: readonly TableName[];
  readonly columns?: ReadonlyMap<string, Column>;
  readonly relations?: readonly Relation[];
}
export interface SchemaFunction extends FunctionDefinition {
  readonly owner?: string;
  readonly origin: Origin;
  /** Who may call it besides its owner. Absent: not known (a live database that was not asked). */
  readonly execute?: FunctionPrivileges;
  /** What an earlier statement had established and a later one took away without putting it back. */
  readonly lost?: readonly LostAttribute[];
}
/** EXECUTE on one function. A new function may be called by PUBLIC, unless default privileges say otherwise. */
export interface FunctionPrivileges {
  readonly granted: readonly { readonly role: string; readonly span: Span }[];
  /** Roles from which it was revoked, and that have not got it again. */
  readonly revoked: readonly { readonly role: string; readonly span: Span }[];
  /** A function of that name whose privileges had been revoked was dropped before: they do not come back with the new one. */
  readonly dropped?: { readonly span: Span; readonly revoked: Span };
}
export interface LostAttribute {
  readonly what: 'security definer' | 'security invoker' | 'search_path' | 'leakproof';
  /** The value it had, of a setting. */
  readonly value?: string;
  readonly had: Span;
  readonly by: Span;
  /** `replace`: CREATE OR REPLACE left it out. `alter`: ALTER FUNCTION took it away. */
  readonly how: 'replace' | 'alter';
}
export interface Role {
  readonly name: string;
  readonly attributes: readonly string[];
  readonly memberOf: readonly string[];
  readonly origin: Origin;
  /** The statement that gave each attribute and each membership. */
  readonly attributeAt?: Readonly<Record<string, Span>>;
  readonly memberAt?: Readonly<Record<string, Span>>;
  /** Memberships without SET ROLE: privileges are inherited, attributes such as BYPASSRLS never are. */
  readonly withoutSet?: readonly string[];
}
export interface Job {
  readonly name?: string;
  readonly queries: readonly Access[];
  readonly calls: readonly string[];
  readonly role?: string;
  readonly span: Span;
}
export interface Grant {
  readonly privileges: readonly string[];
  readonly on: readonly GrantObject[];
  readonly to: readonly string[];
  readonly columns?: readonly string[];
  readonly span: Span;
}

/** Who owns the rows of a table. */
export type Tenancy =
  /** The table of tenants itself; `key` is what identifies the tenant, usually its primary key. */
  | { readonly kind: 'root'; readonly key: string; readonly why: string }
  /** Carries the tenant's key. Several columns: mixed tenancy, any of them that determines the tenant isolates. */
  | { readonly kind: 'keyed'; readonly keys: readonly TenantKey[]; readonly why: string }
  /** No key of its own; a NOT NULL reference leads to a table that has one (directly or through further children). */
  | { readonly kind: 'child'; readonly through: readonly Through[]; readonly why: string }
  | { readonly kind: 'shared'; readonly why: string }
  /** `settled`: it needs no key, as its schema is one tenant's, or as its rows may belong to several tenants at once. */
  | {
      readonly kind: 'unknown';
      readonly why: string;
      readonly settled?: true;
      /** Its rows are of persons, who may belong to several tenants: the columns that say of which one. */
      readonly person?: readonly string[];
    };

export interface TenantKey {
  readonly column: string;
  /** The root it identifies, where known. */
  readonly root?: TableId;
  /** NULL marks a row that all tenants share. */
  readonly nullable: boolean;
}

export interface Through {
  readonly columns: readonly string[];
  readonly to: TableId;
  readonly references: readonly string[];
}

export type Strategy = 'row' | 'rls' | 'schema' | 'database' | 'hybrid';

/** What inference decided for the whole project, and why. */
export interface TenancyModel {
  readonly strategy: Strategy;
  readonly strategyReason: string;
  readonly roots: readonly TableId[];
  /** The spellings that count as the tenant key: 'tenant_id', 'organizationId'. */
  readonly keys: readonly string[];
  readonly tables: ReadonlyMap<TableId, Tenancy>;
  /** Settings that carry the tenant: 'app.tenant_id'. */
  readonly settings: readonly string[];
  readonly appRoles: readonly string[];
  /** Roles that may see every tenant, by the configuration. */
  readonly adminRoles?: readonly string[];
  /** Nothing convincing was found: the candidates, best first. The command ends with exit code 2. */
  readonly refused?: { readonly reason: string; readonly candidates: readonly TenancyCandidate[] };
}

export interface TenancyCandidate {
  readonly key: string;
  readonly root?: string;
  readonly tables: number;
  readonly score: number;
  readonly why: string;
}
