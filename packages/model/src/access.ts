import type { Known, Span } from './span.js';
import type { ChainId, FunctionId, Value } from './value.js';
import type { Predicate, TargetRef } from './predicate.js';

/** How code names a table before the schema is known. */
export type TableName =
  /** As SQL writes it. Folded to lower case unless quoted. */
  | { readonly by: 'sql'; readonly schema?: string; readonly name: string }
  /** By the model of a schema language: Prisma's `Invoice`. */
  | { readonly by: 'model'; readonly library: string; readonly name: string }
  /** By the binding that declares it: `export const invoices = pgTable(...)`. The file is known after link. */
  | { readonly by: 'binding'; readonly file: string; readonly name: string };

/** The name a table has in the folded schema: `schema.name`, `public` where no schema is named. */
export type TableId = string;

export type Operation = 'read' | 'create' | 'update' | 'delete' | 'upsert' | 'truncate' | 'raw';

/** Everything reached has an obligation of its own. */
export interface Target {
  readonly ref: TargetRef;
  readonly table: Known<TableName>;
  readonly alias?: string;
  readonly role: 'root' | 'join' | 'include' | 'nested-write' | 'subquery' | 'cte' | 'union-arm';
  /** What is done to rows of this target. A join in an UPDATE is a read. */
  readonly operation: Operation;
  /**
   * The whole condition under which a row of this target is reached: WHERE, and for a joined target its ON. Columns of other targets may
   * occur in it.
   */
  readonly predicate: Predicate;
  /** For created or updated rows: the value each column gets. Absent: not a write. `open`: further columns may be set (a spread). */
  readonly writes?: Writes;
  /** Of an upsert: what an existing row gets; `writes` is then what a new row gets. */
  readonly updates?: Writes;
  /** The columns of the ON CONFLICT arbiter or of an upsert's unique condition. */
  readonly conflict?: readonly string[];
  /** The arbiter where ON CONFLICT names it: a constraint, whose columns only the schema knows. */
  readonly conflictConstraint?: string;
  /** 'one': a single row by construction (findUnique, LIMIT 1 is not). */
  readonly cardinality: 'one' | 'many';
  /** Columns of the row that reach the caller; absent: all. */
  readonly columns?: readonly string[];
  readonly span: Span;
}

export interface Writes {
  readonly set: Readonly<Record<string, Value>>;
  readonly open: boolean;
  /** The objects whose properties are set beside, and the columns that they do not set because something else does, or nothing may. */
  readonly rest?: { readonly of: readonly Value[]; readonly except: readonly string[] };
}

/** On what an access runs. */
export interface Client {
  /** The value of the receiver, before any step of the library. */
  readonly receiver: Value;
  /** 'plain', or what the provenance shows: inside a transaction callback, a client extended or bound to a tenant, one that bypasses policies. */
  readonly kind: 'plain' | 'transaction' | 'extended' | 'scoped' | 'bypass' | 'unknown';
  /**
   * Whether the database judges what runs on it by the policies for whoever asks: 'hold' where the client carries the caller's identity,
   * 'perhaps' where it is not seen with which key it was made. Absent: it connects as the application.
   */
  readonly policies?: 'hold' | 'perhaps';
  /** The transaction that is handed to the call, where that is not the receiver: `knex('t').transacting(trx)`, `{ transaction }`. */
  readonly transaction?: Value;
  /** The client that it extends or wraps, where the library shows it. */
  readonly base?: Value;
  /** The calls by which extensions of the client hand the operation on: what they set before holds for it. */
  readonly through?: readonly ChainId[];
}

/** One trip to the database, as lowered by an adapter or by the SQL front end. */
export interface Access {
  /** `file#c<n>` of its chain, `file#q<n>` of a query in SQL text; `/<k>` is appended where one chain makes several. */
  readonly id: string;
  /** 'prisma', 'drizzle', 'pg', 'sql'. */
  readonly library: string;
  /** The operation by its name in the library: 'findUnique', 'select', 'query'. */
  readonly method: string;
  readonly operation: Operation;
  readonly targets: readonly Target[];
  readonly client: Client;
  readonly span: Span;
  readonly chain?: ChainId;
  readonly function?: FunctionId;
  /** What the adapter could not understand although the access is one: shown as unchecked. */
  readonly unchecked?: readonly { readonly reason: string; readonly span: Span }[];
  /**
   * SQL text: what each output column is, in order, so that conditions on a view or function can be carried to the rows it reads. `*` stands
   * for all columns of the targets it names.
   */
  readonly output?: readonly OutputColumn[];
  /**
   * In the body of a function: what must have held for control to come here (the tests around the statement, and those before it that
   * leave the function). Its sub-queries have targets of their own, whose references may equal those of this access.
   */
  readonly guards?: readonly Predicate[];
  /** In the body of a function: its rows go into variables and not to the caller, or the function may refuse after looking at them. */
  readonly kept?: true;
  /** SQL text built from parts that are not bind parameters. */
  readonly interpolations?: readonly Interpolation[];
  /** Conditions that the code states and that the access does not have. */
  readonly lost?: readonly LostCondition[];
}

/**
 * A condition that was written and does not count. `replaced`: a later one took its place; `discarded`: it was added to a copy that nothing
 * uses; `cleared`: a later step took all conditions away; `overridden`: a later part of the same object may set the same key anew;
 * `disabled`: the call switches off a scope or a filter that adds it to every query; `uncovered`: an extension of the client adds it to other
 * operations than this one; `skipped`: what adds it to every query leaves it out where there is no tenant.
 */
export interface LostCondition {
  readonly how: 'replaced' | 'discarded' | 'cleared' | 'overridden' | 'disabled' | 'uncovered' | 'skipped';
  readonly predicate: Predicate;
  /** Where it is stated. */
  readonly span?: Span;
  /** Where it is lost. */
  readonly at?: Span;
  /** What may set the key anew. */
  readonly by?: Value;
  /** The operations of the library to which an extension does add it. */
  readonly covers?: readonly string[];
}

export type OutputColumn = { readonly name: string; readonly value: Value } | { readonly star: readonly TargetRef[] };

/** A value that becomes part of SQL text. */
export interface Interpolation {
  /** 'identifier': the text places it as a schema, table or database name; 'schema' more exactly as the schema part. */
  readonly position: 'schema' | 'identifier' | 'value' | 'fragment' | 'unknown';
  readonly value: Value;
  /** Quoted by a function that makes an identifier of it (escapeIdentifier, sql.identifier, %I). */
  readonly quoted: boolean;
  readonly span: Span;
  /** The text around it, for the message: 'SET search_path TO ?'. */
  readonly around: string;
}
