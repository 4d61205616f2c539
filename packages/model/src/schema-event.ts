import type { Known, Span } from './span.js';
import type { Access, TableName } from './access.js';
import type { Predicate } from './predicate.js';
import type { Value } from './value.js';

/** A name of a database object as written; folded to lower case unless quoted. */
export interface ObjectName {
  readonly schema?: string;
  readonly name: string;
}

export interface ColumnDefinition {
  readonly name: string;
  /** Lower case, as Postgres prints it where that is known: 'uuid', 'text', 'character varying(255)', 'integer'. */
  readonly type: string;
  readonly notNull: boolean;
  readonly default?: Value;
  readonly generated?: boolean;
  readonly identity?: boolean;
  /** The name code uses for it, where it differs: a Prisma field, a Drizzle property. */
  readonly property?: string;
  readonly span: Span;
}

export type ReferenceAction = 'no action' | 'restrict' | 'cascade' | 'set null' | 'set default';

export type ConstraintDefinition =
  | {
      readonly kind: 'primary key';
      readonly name?: string;
      /** The name by which code selects by a compound key: Prisma's `orgId_slug`, or its own `name:`. */
      readonly property?: string;
      readonly columns: readonly string[];
      readonly span: Span;
    }
  | {
      readonly kind: 'unique';
      readonly name?: string;
      /** As for a primary key. */
      readonly property?: string;
      readonly columns: readonly string[];
      readonly nullsNotDistinct?: boolean;
      readonly span: Span;
    }
  | {
      readonly kind: 'foreign key';
      readonly name?: string;
      readonly columns: readonly string[];
      readonly references: TableName;
      /** Empty: the primary key of the referenced table. */
      readonly referencedColumns: readonly string[];
      readonly onDelete?: ReferenceAction;
      readonly onDeleteColumns?: readonly string[];
      readonly onUpdate?: ReferenceAction;
      readonly matchFull?: boolean;
      readonly notValid?: boolean;
      readonly span: Span;
    }
  | {
      readonly kind: 'check';
      readonly name?: string;
      readonly predicate: Predicate;
      readonly notValid?: boolean;
      readonly span: Span;
    }
  | {
      readonly kind: 'exclude';
      readonly name?: string;
      readonly elements: readonly { readonly column?: string; readonly operator: string }[];
      readonly span: Span;
    };

/** A relation that code can traverse: a Prisma relation field, a Drizzle `relations()` entry. */
export interface RelationDefinition {
  readonly name: string;
  readonly to: TableName;
  readonly cardinality: 'one' | 'many';
  /** Columns of this table, and of the other one, that tie the rows. Empty on both sides: found at fold from the inverse side, or many-to-many. */
  readonly columns: readonly string[];
  readonly references: readonly string[];
  /** Disambiguates several relations between two tables. */
  readonly relationName?: string;
  readonly nullable?: boolean;
  readonly span: Span;
}

export interface IndexDefinition {
  readonly name?: string;
  readonly unique: boolean;
  readonly method: string;
  /** A key is a column, or an expression. */
  readonly keys: readonly { readonly column?: string; readonly expression?: Value }[];
  readonly include: readonly string[];
  readonly predicate?: Predicate;
  /** Its own place, where it is part of a larger declaration. */
  readonly span?: Span;
}

export type PolicyCommand = 'all' | 'select' | 'insert' | 'update' | 'delete';

/** A call of a function in a condition of a policy, and how often Postgres makes it. */
export interface PolicyCall {
  readonly function: string;
  /**
   * `row`: for every row that is looked at. `once`: it stands in a sub-select that reads no table, and is evaluated before the rows are.
   * `query`: inside a sub-query over tables.
   */
  readonly place: 'row' | 'once' | 'query';
  /** Its arguments name columns, so that there is no way to evaluate it once. */
  readonly readsColumns: boolean;
  /** The column that must equal it (or a value made of it) for the condition to hold: an index that begins with the column finds the rows. */
  readonly equals?: string;
  readonly span: Span;
}

export interface PolicyDefinition {
  readonly name: string;
  readonly permissive: boolean;
  readonly command: PolicyCommand;
  /** Empty: PUBLIC. */
  readonly roles: readonly string[];
  /** Over target `self`. */
  readonly using?: Predicate;
  readonly check?: Predicate;
  readonly usingSpan?: Span;
  readonly checkSpan?: Span;
  readonly usingCalls?: readonly PolicyCall[];
  readonly checkCalls?: readonly PolicyCall[];
}

export interface FunctionDefinition {
  readonly name: ObjectName;
  readonly parameters: readonly {
    readonly name?: string;
    readonly type: string;
    readonly mode: 'in' | 'out' | 'inout' | 'variadic' | 'table';
    readonly default?: Value;
  }[];
  readonly returns: string;
  readonly language: string;
  readonly securityDefiner: boolean;
  readonly volatility: 'immutable' | 'stable' | 'volatile';
  readonly leakproof: boolean;
  readonly strict: boolean;
  /** SET clauses: name to value text. */
  readonly settings: Readonly<Record<string, string>>;
  /**
   * What the function computes, where its body is one expression (SQL function, PL/pgSQL with simple returns): parameters are values of
   * kind `placeholder` with the parameter's position ('1') as name. Otherwise why not.
   */
  readonly body: { readonly known: true; readonly value: Value } | { readonly known: false; readonly reason: string };
  /** Queries in the body. In a trigger function NEW and OLD are the targets 'new' and 'old'. */
  readonly queries: readonly Access[];
  /** Names in the body that are called, lower case and qualified as written, `current_user` and the like included. */
  readonly calls?: readonly string[];
  /** The body raises an error somewhere, so a call of it may be a check. */
  readonly refuses?: true;
  /** Columns of NEW that the body of a trigger function assigns. */
  readonly assigns?: readonly string[];
  readonly text: string;
}

/** How the rows of a view come about. */
export interface ViewShape {
  /** It groups or aggregates, so a row of the view stands for several. */
  readonly grouped: boolean;
  /** Rows can be inserted and updated through it without a trigger: one table, no grouping, DISTINCT, LIMIT or set operation. */
  readonly updatable: boolean;
}

export type GrantObject =
  | { readonly kind: 'table'; readonly name: ObjectName }
  | { readonly kind: 'schema'; readonly name: string }
  /** `inputs`: the types of the input parameters, where the statement names them. */
  | { readonly kind: 'function'; readonly name: ObjectName; readonly inputs?: readonly string[] }
  | { readonly kind: 'all tables' | 'all functions' | 'all sequences'; readonly schema: string }
  | { readonly kind: 'other'; readonly what: string; readonly name: string };

/** What a statement (or an entry of a declared schema) does to the database. */
export type SchemaAction =
  | {
      readonly do: 'create table';
      readonly table: ObjectName;
      /** Names by which code knows it: its Prisma model, its Drizzle binding. */
      readonly aliases: readonly TableName[];
      readonly columns: readonly ColumnDefinition[];
      readonly constraints: readonly ConstraintDefinition[];
      readonly indexes: readonly IndexDefinition[];
      readonly relations: readonly RelationDefinition[];
      readonly ifNotExists: boolean;
      readonly temporary: boolean;
      readonly partitionOf?: ObjectName;
      /** The partition that takes the rows that no other one takes. */
      readonly defaultPartition?: boolean;
      readonly partitionBy?: readonly string[];
      readonly inherits: readonly ObjectName[];
      readonly like: readonly { readonly table: ObjectName; readonly including: readonly string[] }[];
      /** CREATE TABLE AS / SELECT INTO. */
      readonly asQuery?: Access;
      /** A foreign table, or declared as a view by a schema language. */
      readonly foreign?: boolean;
      /** A collection of documents, in a database without SQL. */
      readonly documents?: true;
    }
  /** Relations declared apart from their table: Drizzle's relations() and defineRelations(). */
  | { readonly do: 'add relations'; readonly table: TableName; readonly relations: readonly RelationDefinition[] }
  | { readonly do: 'drop table'; readonly table: ObjectName; readonly cascade: boolean }
  | { readonly do: 'rename table'; readonly table: ObjectName; readonly to: string }
  | { readonly do: 'set schema'; readonly table: ObjectName; readonly to: string }
  | {
      readonly do: 'add column';
      readonly table: ObjectName;
      readonly column: ColumnDefinition;
      readonly constraints: readonly ConstraintDefinition[];
      readonly ifNotExists: boolean;
    }
  | { readonly do: 'drop column'; readonly table: ObjectName; readonly column: string; readonly cascade: boolean }
  | { readonly do: 'rename column'; readonly table: ObjectName; readonly column: string; readonly to: string }
  | {
      readonly do: 'alter column';
      readonly table: ObjectName;
      readonly column: string;
      readonly notNull?: boolean;
      readonly type?: string;
      /** `null`: dropped. */
      readonly default?: Value | null;
    }
  | { readonly do: 'add constraint'; readonly table: ObjectName; readonly constraint: ConstraintDefinition }
  /** ADD CONSTRAINT ... USING INDEX. */
  | {
      readonly do: 'add constraint using index';
      readonly table: ObjectName;
      readonly constraint: 'primary key' | 'unique';
      readonly name?: string;
      readonly index: string;
    }
  | {
      readonly do: 'drop constraint';
      readonly table: ObjectName;
      readonly constraint: string;
      readonly cascade: boolean;
    }
  | { readonly do: 'validate constraint'; readonly table: ObjectName; readonly constraint: string }
  | { readonly do: 'rename constraint'; readonly table: ObjectName; readonly constraint: string; readonly to: string }
  | { readonly do: 'create index'; readonly table: ObjectName; readonly index: IndexDefinition }
  | { readonly do: 'drop index'; readonly index: ObjectName }
  | { readonly do: 'rename index'; readonly index: ObjectName; readonly to: string }
  | { readonly do: 'row security'; readonly table: ObjectName; readonly enabled?: boolean; readonly forced?: boolean }
  | { readonly do: 'create policy'; readonly table: ObjectName; readonly policy: PolicyDefinition }
  | {
      readonly do: 'alter policy';
      readonly table: ObjectName;
      readonly name: string;
      readonly rename?: string;
      readonly roles?: readonly string[];
      readonly using?: Predicate;
      readonly check?: Predicate;
      readonly usingSpan?: Span;
      readonly checkSpan?: Span;
      readonly usingCalls?: readonly PolicyCall[];
      readonly checkCalls?: readonly PolicyCall[];
    }
  | { readonly do: 'drop policy'; readonly table: ObjectName; readonly name: string }
  | {
      readonly do: 'create view';
      readonly view: ObjectName;
      readonly materialized: boolean;
      readonly replace: boolean;
      /** security_invoker, security_barrier, check_option ... */
      readonly options: Readonly<Record<string, string>>;
      readonly columns: readonly string[];
      readonly query: Known<Access>;
      readonly shape?: ViewShape;
    }
  | {
      readonly do: 'alter view options';
      readonly view: ObjectName;
      readonly set: Readonly<Record<string, string>>;
      readonly reset: readonly string[];
    }
  | { readonly do: 'drop view'; readonly view: ObjectName; readonly materialized: boolean }
  | { readonly do: 'rename view'; readonly view: ObjectName; readonly to: string }
  | { readonly do: 'create function'; readonly function: FunctionDefinition; readonly replace: boolean }
  | {
      readonly do: 'alter function';
      readonly name: ObjectName;
      /** The types of the input parameters, where the statement names them. */
      readonly inputs?: readonly string[];
      readonly securityDefiner?: boolean;
      readonly volatility?: 'immutable' | 'stable' | 'volatile';
      readonly leakproof?: boolean;
      readonly set?: Readonly<Record<string, string>>;
      readonly reset?: readonly string[];
      readonly owner?: string;
    }
  | { readonly do: 'drop function'; readonly name: ObjectName; readonly inputs?: readonly string[] }
  | {
      readonly do: 'rename function';
      readonly name: ObjectName;
      readonly inputs?: readonly string[];
      /** Another name, or another schema. */
      readonly to: ObjectName;
    }
  | {
      readonly do: 'create trigger';
      readonly table: ObjectName;
      readonly name: string;
      readonly function: ObjectName;
      readonly events: readonly string[];
      readonly timing: string;
      readonly perRow: boolean;
    }
  | { readonly do: 'drop trigger'; readonly table: ObjectName; readonly name: string }
  | { readonly do: 'toggle trigger'; readonly table: ObjectName; readonly name: string; readonly enabled: boolean }
  /** `idle`: DO INSTEAD NOTHING, which runs no query. */
  | { readonly do: 'create rule'; readonly table: ObjectName; readonly name: string; readonly idle?: true }
  | { readonly do: 'drop rule'; readonly table: ObjectName; readonly name: string }
  | {
      readonly do: 'create role';
      readonly name: string;
      readonly attributes: readonly string[];
      readonly memberOf: readonly string[];
    }
  | { readonly do: 'alter role'; readonly name: string; readonly attributes: readonly string[] }
  | { readonly do: 'drop role'; readonly name: string }
  | {
      readonly do: 'grant' | 'revoke';
      readonly privileges: readonly string[];
      readonly on: readonly GrantObject[];
      readonly to: readonly string[];
      readonly columns?: readonly string[];
    }
  | {
      readonly do: 'grant role' | 'revoke role';
      readonly roles: readonly string[];
      readonly to: readonly string[];
      /** WITH SET FALSE: the member cannot SET ROLE to it. */
      readonly set?: false;
      /** WITH INHERIT FALSE. */
      readonly inherit?: false;
    }
  | {
      readonly do: 'default privileges';
      readonly grant: boolean;
      readonly privileges: readonly string[];
      readonly objects: string;
      readonly schemas: readonly string[];
      readonly forRoles: readonly string[];
      readonly to: readonly string[];
    }
  | { readonly do: 'owner'; readonly what: string; readonly name: ObjectName; readonly to: string }
  | { readonly do: 'attach partition'; readonly table: ObjectName; readonly partition: ObjectName }
  | { readonly do: 'detach partition'; readonly table: ObjectName; readonly partition: ObjectName }
  | { readonly do: 'inherit' | 'no inherit'; readonly table: ObjectName; readonly parent: ObjectName }
  | { readonly do: 'create schema'; readonly name: string }
  | { readonly do: 'drop schema'; readonly name: string; readonly cascade: boolean }
  | {
      readonly do: 'create type';
      readonly name: ObjectName;
      readonly type: 'enum' | 'domain' | 'composite' | 'range' | 'base';
      readonly labels?: readonly string[];
      readonly base?: string;
    }
  | { readonly do: 'create extension'; readonly name: string }
  | {
      readonly do: 'create publication';
      readonly name: string;
      readonly tables: readonly { readonly table: ObjectName; readonly filtered: boolean }[];
      readonly allTables: boolean;
      /** FOR TABLES IN SCHEMA. */
      readonly schemas?: readonly string[];
    }
  | {
      readonly do: 'alter publication';
      readonly name: string;
      readonly change: 'add' | 'set' | 'drop';
      readonly tables: readonly { readonly table: ObjectName; readonly filtered: boolean }[];
      readonly schemas?: readonly string[];
    }
  | { readonly do: 'drop publication'; readonly name: string }
  /** cron.schedule(...): statements that the database itself runs. */
  | {
      readonly do: 'schedule job';
      readonly name?: string;
      readonly queries: readonly Access[];
      /** Functions that the job calls. */
      readonly calls: readonly string[];
      /** The role it runs as, where the call says so. */
      readonly role?: string;
    }
  | { readonly do: 'unschedule job'; readonly name: string }
  /** SET, ALTER ROLE/DATABASE ... SET: scope says which. */
  | {
      readonly do: 'set';
      readonly name: string;
      readonly value: string;
      readonly scope: 'session' | 'local' | 'role' | 'database';
      readonly of?: string;
    }
  /** SET search_path / set_config('search_path', ...) in a migration: later unqualified names resolve there. */
  | { readonly do: 'search path'; readonly schemas: readonly string[]; readonly local: boolean };

/** One action with the statement that does it. */
export interface SchemaEvent {
  readonly action: SchemaAction;
  /** The whole statement. */
  readonly span: Span;
  /** Down sections of migrations are kept apart and not folded. */
  readonly direction: 'up' | 'down';
}
