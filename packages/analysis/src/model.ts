import type {
  Access,
  Confidence,
  FileFacts,
  FunctionFacts,
  FunctionId,
  Path,
  Policy,
  Predicate,
  Reason,
  ResourceAccess,
  Schema,
  SchemaFunction,
  Span,
  Table,
  TableId,
  Target,
  Tenancy,
  TenancyModel,
  Unchecked,
  Value,
  Verdict,
  View,
  Witness,
} from '@tenant-lint/model';
import type { Answers } from './judge/oracle.js';
import type { Reached } from './judge/reach.js';
import type { Proof } from './prove/question.js';
import type { SessionMistake } from './session/mistakes.js';
import type { SessionSetting } from './session/sessions.js';

/** An access with its place in the program; its values are traced to where they come from. */
export interface LinkedAccess extends Access {
  readonly file: string;
  /** Absent for SQL files. */
  readonly in?: FunctionFacts;
}

/** The linked program: what rules and hosts ask. Every answer is pure and remembered. */
export interface Model {
  readonly files: ReadonlyMap<string, FileFacts>;
  readonly schema: Schema;
  readonly tenancy: TenancyModel;
  readonly accesses: readonly LinkedAccess[];
  /** The data libraries that were looked for, by title. */
  readonly libraries: readonly string[];
  /** What the code keeps outside the database. */
  readonly resources: readonly ResourceAccess[];
  /** The rows of one tenant that others find under the same key, undefined where there are none or it is not known. */
  keptRows(resource: ResourceAccess): KeptRows | undefined;
  /** Whose requests lead to a function. */
  reachOf(f: FunctionId): Reached;
  /** What a key or a payload of such a thing is put together from. */
  partsOf(resource: ResourceAccess, value: Value): readonly ResourcePart[];
  /** Of the front ends and of linking. */
  readonly unchecked: readonly Unchecked[];
  tableOf(target: Target): Table | View | undefined;
  tenancyOf(table: TableId): Tenancy;
  /** Whether the database is what isolates this table: strategy rls or hybrid, or row security or policies on the table. */
  databaseIsolates(table: Table): boolean;
  /** Can this access reach a row of another tenant through this target? */
  verdict(access: LinkedAccess, target: Target): Verdict;
  /** What is set on the connection of an access before it runs, on every way to it: the tenant that policies ask for. */
  sessionOf(access: LinkedAccess): readonly SessionSetting[];
  /** What an access goes past, although the program has it: a client for one tenant, or the policies of the table. */
  bypass(access: LinkedAccess, target: Target): Bypass | undefined;
  /** The check that would hold a leaking target, and that whoever has no tenant passes by; where it is skipped, or compares. */
  openCheck(access: LinkedAccess, target: Target): Span | undefined;
  /** What is answered for a loaded row of another tenant, and for none, where these differ. */
  answers(access: LinkedAccess, target: Target): Answers | undefined;
  /** Routes that take the tenant from a context which nothing that runs before them fills, though it does for others. */
  openRoutes(): readonly OpenRoute[];
  /** Tenants that are set in vain, or for too long. */
  sessionMistakes(): readonly SessionMistake[];
  /** How the target's row is chosen: by unique key values, where these come from. See judge/. */
  selection(access: LinkedAccess, target: Target): Selection;
  /** Who decides what a value is: the program itself (`fixed`), a verified identity or the tenant's own data, the request, or nobody knows. */
  originOf(value: Value): Origin;
  /** On whose word a value rests where an access uses it. */
  standing(access: LinkedAccess, value: Value): Standing;
  /**
   * What of the request says which tenant an access works for, where a target is isolated by nothing else; undefined where its tenant is
   * verified, checked, or handed in by callers that are not known.
   */
  claim(access: LinkedAccess, target: Target): Claim | undefined;
  /** Whether a target would be isolated if this condition, in terms of the access' own targets, held for it besides. */
  isolatedBy(access: LinkedAccess, target: Target, condition: Predicate): boolean;
  /** The properties by which code reads a verified tenant, each way to read a part of them included: `user.orgId`, `orgId`, and none. */
  tenantPaths(): readonly Path[];
  /** The key of a target's table that surely has this value in rows of the current tenant, if holding it to that isolates the target. */
  keyHeldTo(access: LinkedAccess, target: Target, value: Value): string | undefined;
  /** The constants that take the place of the tenant where a target is reached or written, undefined where there are none. */
  stopgap(access: LinkedAccess, target: Target): TenantStopgap | undefined;
  /** Keys that lift policies and are built into what browsers load, each once. */
  exposedKeys(): readonly ExposedKey[];
  /** Tenants that are kept where requests share them. */
  sharedTenants(): readonly SharedTenant[];
  /** Every way in which the policies of a table let a foreign row through, one entry for one cause. */
  policyLeaks(table: Table): readonly PolicyLeak[];
  /** Policies of a table that are neither found leaking nor isolating, and what that hangs on. */
  policyUnknowns(table: Table): readonly PolicyUnknown[];
  /** Tables in which policies of others look up what the caller may see, and how the caller may write them. */
  lookups(): readonly PolicyLookup[];
  /**
   * Every way in which the static queries of a function reach or write rows of another tenant when they run past row security, with its
   * parameters chosen by the caller. `trigger`: the table whose row is NEW and OLD; that row is the caller's own.
   */
  functionAccess(f: SchemaFunction, trigger?: Table): FunctionAccess;
  /** The same for statements that run past row security by themselves: scheduled jobs. */
  accessOf(queries: readonly Access[]): FunctionAccess;
  /** Foreign rows that the policies of a table let through now and that earlier ones held back. */
  policyWeakenings(table: Table, before: readonly Policy[]): readonly PolicyWeakening[];
  /** The tables of tenants' rows that a view reads, and whether its own conditions isolate them, whatever policies say. */
  viewReaches(view: View): readonly ViewReach[];
}

/**
 * Why nothing isolates an access. `outer`: it runs beside the transaction that is open for the tenant; `base`: on the client that another one
 * extends or wraps for the tenant; `privileged`: for a request, on one for which policies do not hold.
 */
export interface Bypass {
  readonly kind: 'outer' | 'base' | 'privileged';
  /** The setting in which the tenant is put, or that lets everything through. */
  readonly setting?: string;
  /** Where the tenant is set or added, or the policies are switched off. */
  readonly span?: Span;
}

/** A secret of the server by the name of a variable that builds into what browsers load. */
export interface ExposedKey {
  readonly name: string;
  /** Where it is used. */
  readonly spans: readonly [Span, ...Span[]];
}

/**
 * A part of a key or of a payload: `fixed`, the program's own; `own`, of a verified identity, or what identifies a row of the tenant; `common`,
 * of a row of the tenant, and rows of others may have the same; `request`, as whoever asks says it; `random`, nobody had it before.
 */
export type ResourcePart = (
  | { readonly kind: 'fixed'; readonly text: string }
  | { readonly kind: 'own' | 'random' | 'unknown' }
  | { readonly kind: 'common'; readonly column: string }
  | { readonly kind: 'request'; readonly claim: Claim }
) & {
  /** The property under which it stands in an object. */
  readonly name?: string;
};

/** A route that is not behind what others like it are behind. */
export interface OpenRoute {
  /** Where it is registered. */
  readonly span: Span;
  /** The property of the context that it takes for the tenant. */
  readonly property: string;
  /** How many others are behind it, and what it is. */
  readonly guarded: number;
  readonly guard?: { readonly name?: string; readonly span: Span };
  /** A query that uses the tenant. */
  readonly access: LinkedAccess;
}

/** Rows of one tenant that are kept under a key which says nothing of the tenant. */
export interface KeptRows {
  readonly table: TableId;
  /** The key is the same for everybody; otherwise it holds an identifier that another tenant can name too. */
  readonly fixed: boolean;
  readonly confidence: Confidence;
  /** Where the rows are read. */
  readonly loaded: Span;
}

/** A constant in the place of the tenant. */
export interface TenantStopgap {
  /** `fallback`: where there is no tenant; `fixed`: always. */
  readonly kind: 'fallback' | 'fixed';
  /** As code writes it. */
  readonly value: string;
  readonly column: string;
  readonly confidence: Confidence;
  /** The expression that puts it in. */
  readonly span?: Span;
}

/** What a function does to rows of tenants. */
export interface FunctionAccess {
  /** Tables of tenants that it reads or writes. */
  readonly tables: readonly TableId[];
  readonly leaks: readonly FunctionLeak[];
  /** Why it is not known whether further queries are isolated; a statement that could not be read is one of them. */
  readonly unknown: readonly Reason[];
}

export interface FunctionLeak {
  readonly table: TableId;
  readonly access: Access;
  readonly target: Target;
  /** `parameter`: the tenant is what the caller says it is, `parameters`; `unbound`: nothing ties the row to the caller's tenant. */
  readonly cause: 'unbound' | 'parameter';
  readonly parameters: readonly string[];
  readonly confidence: Confidence;
  readonly witness?: Witness;
  readonly because: readonly Reason[];
}

/** How one target's rows are picked out. */
export interface Selection {
  /** The unique column(s) that pin a single row: ['id'], ['slug']; empty where the condition can match many. */
  readonly pinnedBy: readonly string[];
  /** Where the pinning value comes from, in words: "params.id of the request", "parameter id of loadInvoice". */
  readonly source?: Reason;
}

/**
 * On whose word a value rests:
 * - `own`: a verified identity, or the tenant's own rows;
 * - `checked`: it was compared with one, or looked up under one, on every path;
 * - `fixed`: the program itself;
 * - `request`: whoever sends the request, and nothing checks it;
 * - `open`: whoever calls the function, which nothing in the program does;
 * - `unknown`: it hangs on something that is not known, or on a row that is not isolated and reported by itself.
 */
export type Standing =
  | { readonly kind: 'own' | 'fixed' | 'open' | 'unknown' }
  | { readonly kind: 'checked'; readonly because: Reason }
  | ({ readonly kind: 'request' } & Claim);

/** A current tenant that outlives the request it belongs to, or reaches beyond it. */
export interface SharedTenant {
  /** `kept`: in a variable of a module or a field of something that all requests share; `entered`: a storage whose store is replaced. */
  readonly how: 'kept' | 'entered';
  /** What code calls it. */
  readonly name: string;
  /** Where it is set. */
  readonly spans: readonly [Span, ...Span[]];
  /** The accesses that take it for the tenant; empty where a verified identity is kept and nothing is seen to use it. */
  readonly uses: readonly { readonly access: LinkedAccess; readonly target: Target }[];
}

/** Something that a request says and that nothing verifies. */
export interface Claim {
  readonly confidence: Confidence;
  /** As code writes it: `params.orgId`, `request.headers.get('x-tenant')`. */
  readonly what: string;
  /** What of that is read, where that is known: `projectId` of the body. */
  readonly property?: Path;
  /** Where it is read from the request; where that is no call, where it is handed on first, or used. */
  readonly place: Span;
  /** The function that receives the request. */
  readonly entry?: FunctionId;
  /** It is the content of a token (or signed cookie) of which nobody has checked the signature. */
  readonly decoded: boolean;
  /**
   * The form it was brought into: `schema.parse(body)`, the input of a procedure, a class that describes it. `names`: all that it lets
   * through; absent where that is not known. No form: it is as it was sent.
   */
  readonly form?: { readonly names?: readonly string[] };
  /** The calls that hand it on. */
  readonly because: readonly Reason[];
}

/** `handed`: by callers that are not in the program. */
export type Origin = 'fixed' | 'trusted' | 'input' | 'handed' | 'unknown';

export type Command = 'select' | 'insert' | 'update' | 'delete';

/** A foreign row that policies let through for one command and that earlier policies of the table held back. */
export interface PolicyWeakening extends Omit<PolicyLeak, 'commands'> {
  readonly command: Command;
}

/** One table that the query of a view reads. */
export interface ViewReach {
  readonly table: Table;
  readonly target: Target;
  readonly proof: Proof;
}

/** One cause in one policy that lets a foreign row through. */
export interface PolicyLeak {
  readonly table: TableId;
  readonly policy: Policy;
  readonly commands: readonly Command[];
  /** `using`: existing rows are reached; `check`: foreign rows can be written. */
  readonly side: 'using' | 'check';
  /** `fail-open`: only with an unset, empty or self-made setting, or for rows with a NULL key; `leak`: with the proper setting. */
  readonly cause: 'leak' | 'fail-open';
  readonly confidence: Confidence;
  readonly witness: Witness;
  readonly because: readonly Reason[];
  /** Without this part of it the condition would isolate: what the user edits or sends, a pattern in the place of equality, a mail address. */
  readonly owedTo?: 'metadata' | 'client' | 'pattern' | 'email';
  /**
   * The foreign row may be meant to get through: `named`: it names the caller in a column of its own, whatever tenant it belongs to; `published`: whoever
   * owns it has published it; `open`: whoever has not signed in reads it, and it is not about persons. Absent: nothing says so.
   */
  readonly excuse?: 'named' | 'published' | 'open';
  /** Without this function of the project the condition would isolate. */
  readonly through?: SchemaFunction;
}

/** A policy of which it is not known whether it lets foreign rows through. */
export interface PolicyUnknown {
  readonly table: TableId;
  readonly policy: Policy;
  readonly commands: readonly Command[];
  readonly side: 'using' | 'check';
  readonly hangsOn: readonly Reason[];
}

/** A table that other tables' policies look rows up in by the identity of the caller. */
export interface PolicyLookup {
  readonly table: Table;
  /** The columns compared with the caller. */
  readonly columns: readonly string[];
  /** The policies that rely on it. */
  readonly by: readonly Policy[];
  /** Policies by which the caller can write a row of its own for any tenant. Empty: none is known. */
  readonly writableBy: readonly Policy[];
  /** What is looked up is not a membership but whether the caller is one of the operator's own people; `columns` say so. */
  readonly staff?: true;
}
