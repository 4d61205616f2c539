import type { Access, TableName } from './access.js';
import type { CallChain, FileFacts, FunctionFacts, SqlFileFacts, TypeName, Unchecked } from './facts.js';
import type { Known, Span } from './span.js';
import type { ResourceAccess } from './resource.js';
import type { RelationDefinition, SchemaEvent } from './schema-event.js';
import type { ChainId, FunctionId, Value, ValueOf } from './value.js';
import type { Table } from './schema.js';

/**
 * A data library, as far as the rest of the tool is concerned. An adapter is mostly data, and two pure functions: one reads declared
 * schemas, one lowers a call chain to accesses. Nothing else knows the library's names.
 */
export interface Adapter {
  readonly id: string;
  readonly title: string;
  /**
   * Packages whose presence in a package.json, or in an import, enables it; a whole scope ends in a slash (`@prisma/`).
   */
  readonly packages: readonly string[];
  /** Looked for in every project. */
  readonly everywhere?: true;
  /** A file whose text matches may hold an access or a schema of this library: the cheap test before parsing. */
  readonly vocabulary: RegExp;
  /** Schema declared in code: pgTable(...), relations(...). Called for every file; returns nothing for most. */
  declarations?(facts: FileFacts, context: LinkContext): readonly SchemaEvent[];
  /** Settings of the library that a file makes for the whole program: `mongoose.set('strictQuery', true)`. They become options of lowering. */
  settings?(facts: FileFacts, context: LinkContext): Readonly<Record<string, unknown>>;
  /** Migrations written in code: what they do to the schema, statement by statement. Undefined for files that hold none of this library. */
  migrations?(facts: FileFacts, context: LinkContext): MigrationFacts | undefined;
  /**
   * Lowers a chain whose builder is complete (it is not the receiver of another chain, unless that only consumes the result).
   * `not mine`: the receiver or the steps are not this library's.
   */
  lower(chain: CallChain, context: LowerContext): Lowered;
  /** What a chain keeps outside the database; undefined where it is no use of such a thing. */
  resource?(chain: CallChain, context: LowerContext): ResourceAccess | undefined;
}

/** What the migrations in one code file do, as a `.sql` file would say it; places are those of the code. */
export interface MigrationFacts {
  /** In words: 'Knex migration'. */
  readonly tool: string;
  readonly events: readonly SchemaEvent[];
  readonly queries: readonly Access[];
  readonly unchecked: readonly Unchecked[];
  readonly statements: SqlFileFacts['statements'];
  /** The key by which the tool orders migrations, where it is not the name of the file. */
  readonly order?: string;
  /** SQL files that it reads and runs: they are part of it, and no migrations of their own. */
  readonly includes: readonly string[];
}

export type Lowered =
  | 'not mine'
  /** Recognised, but not a trip to the database: a builder that another chain completes, a transaction call, a connect(). */
  | 'no access'
  | { readonly accesses: readonly Access[] }
  /** Surely an access of this library that could not be understood; shown as unchecked. */
  | { readonly unknown: string; readonly span: Span };

/** Questions that linking answers while schemas are declared. */
export interface LinkContext {
  /** Follows imports, re-exports, aliases and bindings to what the value is; the value itself where the way ends. Bounded. */
  resolve(value: Value): Value;
  chain(id: ChainId): CallChain | undefined;
  function(id: FunctionId): FunctionFacts | undefined;
  /** What callbacks and functions of the program are called with at a parameter, as far as their calls are found. */
  supplied?(parameter: ValueOf<'parameter'>): readonly Value[];
  /** The declared type of a value, where an annotation shows it: a parameter's, a field's of a class, a variable's. */
  typeOf(value: Value): TypeName | undefined;
  /** The installed (or required) version of a package as seen from a file, undefined if it is no dependency there. */
  version(file: string, packageName: string): string | undefined;
  facts(file: string): FileFacts | undefined;
}

/** Questions that linking answers while chains are lowered: the schema is known now. */
export interface LowerContext extends LinkContext {
  /** The table that code names so. */
  table(name: TableName): Table | undefined;
  /** The table that declares the binding or result `value` (a Drizzle table object), if it is one. */
  tableOf(value: Value): Known<TableName>;
  /** The tables whose declaring binding has this name, in any file; for `db.query.<name>` on a client that cannot be traced. */
  tablesBound?(name: string): readonly TableName[];
  relation(table: TableName, name: string): (Omit<RelationDefinition, 'to'> & { readonly to: TableName }) | undefined;
  /** Whether any table is known at all from this library's schema source. */
  readonly hasSchema: boolean;
  /** Options of the configuration that change semantics: strictUndefinedChecks. */
  readonly options: Readonly<Record<string, unknown>>;
}
