import type { Span } from './span.js';
import type { ChainId, FunctionId, Path, Value } from './value.js';
import type { Access } from './access.js';
import type { SchemaEvent } from './schema-event.js';

export type Dialect = 'typescript' | 'postgres' | 'prisma';

/** What a `.sql` file is for. Only migrations and dumps (one or the other) build the schema. */
export type SqlRole = 'migration' | 'query' | 'seed' | 'test' | 'dump';

/**
 * What one file says. Pure in its text, its path, and the version and options of the front end; everything that leaves the file is
 * symbolic. Plain JSON: it is cached by content hash and sent between threads and machines.
 */
export interface FileFacts {
  readonly file: string;
  readonly hash: string;
  readonly dialect: Dialect;
  readonly lineStarts: readonly number[];
  readonly directives: readonly Directive[];
  readonly imports: readonly Import[];
  readonly exports: readonly Export[];
  /** The value of each module-level binding that may be imported or read from a function, by local name. */
  readonly bindings: Readonly<Record<string, Value>>;
  readonly classes: readonly ClassFacts[];
  /** The module body is the first. */
  readonly functions: readonly FunctionFacts[];
  /** All call chains of the file; the id's number is the index. */
  readonly chains: readonly CallChain[];
  /** In source order. */
  readonly schema: readonly SchemaEvent[];
  /** Accesses of SQL text: statements of a query file, DML of a migration. */
  readonly queries: readonly Access[];
  readonly unchecked: readonly Unchecked[];
  /** Exported names that the outside world calls, wherever the function is declared: `export { Page as default } from './page'` in page.tsx. */
  readonly entries?: Readonly<Record<string, EntryPoint>>;
  /** Handlers that this file registers and another one may declare: `app.get('/users/:id', show)`. */
  readonly registered?: readonly { readonly value: Value; readonly entry: EntryPoint }[];
  /** What functions write to places that outlive them: variables of the module, static fields, fields outside of the constructor. */
  readonly kept?: readonly Kept[];
  /** Names in the text with which a build tool puts a variable into what browsers load: `NEXT_PUBLIC_API_URL`. */
  readonly published?: readonly string[];
  /** SQL files, and code files that are migrations. */
  readonly sql?: SqlFileFacts;
  /** No file: the catalogue of a database, as the statements that would make it. */
  readonly live?: LiveFacts;
  /** Schema languages: features the file switches on for its client, as written: 'strictUndefinedChecks'. */
  readonly features?: readonly string[];
  /** Declared types of values that syntax does not show: what a type check of the whole program adds where it is asked for. */
  readonly types?: readonly { readonly value: Value; readonly type: TypeName }[];
}

/** What the parts of a text are about that stands for a database, `policy public.orders/isolate`; a smaller part lies within a larger one. */
export interface LiveFacts {
  /** How many rows a table has by the database's own estimate, by id; one that was never analysed is not there. */
  readonly rows?: Readonly<Record<string, number>>;
  readonly subjects: readonly { readonly start: number; readonly end: number; readonly subject: string }[];
}

/** What a place in the facts of a database is about. */
export function subjectAt({ subjects }: LiveFacts, { start }: Pick<Span, 'start'>): string {
  let best: LiveFacts['subjects'][number] | undefined;
  for (const one of subjects) {
    const holds = one.start <= start && start < one.end;
    if (holds && (!best || one.end - one.start < best.end - best.start)) best = one;
  }
  return best?.subject ?? 'database';
}

/** An assignment to something that is there before a function runs and after it. */
export interface Kept {
  /** The module-level binding, the class whose field it is, or the parameter whose property it is: `ctx.body = rows`. */
  readonly name: string;
  readonly of: 'binding' | 'class' | 'parameter';
  /** The properties below it: `state.tenant` of binding `state` is `['tenant']`. */
  readonly path: Path;
  readonly value: Value;
  readonly function: FunctionId;
  readonly span: Span;
}

export interface SqlFileFacts {
  readonly role: SqlRole;
  /** Why it was classed so: 'path migrations/', 'pg_dump header'. */
  readonly roleReason: string;
  /** A file of queries without parameters, which a person runs and no program. */
  readonly byHand?: true;
  /** A migration by what it does, not by where it stands: a numbered file or a script outside of the folders of migration tools. */
  readonly loose?: true;
  /** The key by which the migration tool orders its files, where it is not their name. */
  readonly order?: string;
  /** Statements by what became of them; the sum is the number of statements of the file. */
  readonly statements: {
    readonly folded: number;
    readonly query: number;
    readonly irrelevant: Readonly<Record<string, number>>;
    readonly unchecked: number;
  };
  /** Of a test: the SQL text that its assertions are handed to run, in source order. */
  readonly asserted?: readonly Asserted[];
}

/** One call that runs SQL text and says something about what comes of it: `throws_ok($$ delete from orders $$, '42501')` of pgTAP. */
export interface Asserted {
  /** The function, lower case, without a schema. */
  readonly name: string;
  /** What the text does; empty where it is not SQL: the name of a prepared statement. */
  readonly accesses: readonly Access[];
  /** The other arguments as far as they are constants: the error that is expected, the description. */
  readonly expects: readonly (string | number | boolean | null)[];
  /** The whole statement. */
  readonly span: Span;
}

/** Something that was not checked, and why. `reason` begins with a kind: 'syntax', 'dialect:mysql', 'template', 'too-large', 'unreadable', 'unsupported', 'unresolved'. */
export interface Unchecked {
  readonly file: string;
  readonly reason: string;
  readonly detail?: string;
  readonly span?: Span;
}

/** A suppression comment. */
export interface Directive {
  readonly kind: 'disable-next-line' | 'disable-line' | 'disable' | 'enable';
  /** Empty: every rule. */
  readonly rules: readonly string[];
  readonly reason?: string;
  readonly span: Span;
}

export interface Import {
  readonly module: string;
  /** Exported name, `default`, `*` for a namespace, '' for a bare import. */
  readonly name: string;
  readonly local: string;
  readonly typeOnly: boolean;
}

export type Export =
  /** `export const x`, `export { local as name }`, `export default ...` (name 'default'). */
  | { readonly name: string; readonly local: string }
  /** `export { name } from 'module'`; `export * from 'module'` has name and imported '*'. */
  | { readonly name: string; readonly module: string; readonly imported: string };

export interface ClassFacts {
  readonly name: string;
  readonly extends?: Value;
  /** Type arguments of the base class, as text: `extends Repository<Invoice>`. */
  readonly extendsTypes?: readonly string[];
  /** Names of its own type parameters: `class Base<T>`. */
  readonly typeParameters?: readonly string[];
  readonly decorators: readonly Decorator[];
  /** Fields with an initializer, constructor parameter properties and assignments `this.x = ...` of the constructor. */
  readonly fields: Readonly<
    Record<
      string,
      {
        readonly value?: Value;
        readonly type?: TypeName;
        readonly decorators: readonly Decorator[];
        /** Of a decorated field: from its decorators to its end. */
        readonly span?: Span;
      }
    >
  >;
  readonly methods: Readonly<Record<string, FunctionId>>;
  readonly construct?: FunctionId;
  readonly span: Span;
}

export interface Decorator {
  readonly name: Value;
  readonly arguments: readonly Value[];
}

/** A type annotation as far as syntax shows it. */
export interface TypeName {
  /** The text, at most 200 characters. */
  readonly text: string;
  /** Where the (outermost) name of the type comes from: an import, a local binding, a global. */
  readonly name?: Value;
  /** `| undefined`, or an optional parameter or property. */
  readonly optional: boolean;
  readonly nullable: boolean;
  /** For an object type written in place (or a type alias or interface of this file): its properties. */
  readonly properties?: Readonly<Record<string, TypeName>>;
}

export interface Parameter {
  readonly name?: string;
  readonly type?: TypeName;
  readonly optional: boolean;
  readonly rest: boolean;
  readonly default?: Value;
  readonly decorators: readonly Decorator[];
}

export interface FunctionFacts {
  readonly id: FunctionId;
  readonly name?: string;
  /** The whole function. */
  readonly span: Span;
  /** Lexically enclosing function. */
  readonly parent?: FunctionId;
  readonly class?: string;
  readonly decorators: readonly Decorator[];
  readonly parameters: readonly Parameter[];
  readonly async: boolean;
  /** The chain and argument position that this function literal is handed to: `app.get('/x', <here>)`. */
  readonly handedTo?: {
    readonly chain: ChainId;
    readonly argument: number;
    readonly step: number;
    readonly path: Path;
  };
  readonly entry?: EntryPoint;
  readonly returns: readonly { readonly value: Value; readonly block: number; readonly span: Span }[];
  /** What it throws, in source order. */
  readonly thrown?: readonly { readonly value: Value; readonly span: Span }[];
  readonly blocks: readonly Block[];
}

/** A function that the outside world calls. */
export interface EntryPoint {
  /** 'next route handler', 'next page', 'server action', 'trpc procedure', 'express handler', 'nest handler' ... */
  readonly kind: string;
  /** What parts of the parameters are: the longest matching path decides. */
  readonly roles: readonly { readonly index: number; readonly path: Path; readonly role: 'input' | 'context' }[];
}

/**
 * A piece of control flow. The blocks of a function form its dominator tree: every path to a block goes through its ancestors. Within a
 * block, order is source order. After `if (c) return`, the rest of the statements is a child block in which `not c` holds.
 */
export interface Block {
  readonly parent?: number;
  /** A condition that holds in this block and below. A JavaScript expression as a value: apply('===', ...), apply('!', ...), or a plain value for truthiness. */
  readonly holds?: Value;
  /** What a for-of loop goes through. */
  readonly each?: Value;
  /** How the block was entered: 'exit' where the other branch left the function (return, throw, or a call that does not return). */
  readonly because?: 'branch' | 'exit' | 'loop' | 'catch' | 'callback' | 'try';
  /** Position from which `holds` is true. */
  readonly start: number;
}

/**
 * A maximal chain of property reads and calls: `db.select().from(users).where(...)` has receiver `db` and three steps. A direct call
 * `load(id)` has one step with the empty name. A chain that continues another one through a variable has `result` of it as receiver.
 */
export interface CallChain {
  readonly id: ChainId;
  readonly function: FunctionId;
  readonly receiver: Value;
  readonly steps: readonly Step[];
  readonly awaited: boolean;
  /** What becomes of the value. 'receiver' and 'argument' are relative to another chain. */
  readonly use: 'discarded' | 'assigned' | 'returned' | 'argument' | 'receiver' | 'other';
  readonly block: number;
  /** From the start of the receiver to the end of the last step. */
  readonly span: Span;
  /** The functions of the program that its first call calls, where only types show it: several where a type is implemented several times. */
  readonly callees?: readonly FunctionId[];
}

export interface Step {
  readonly name: string;
  /** Absent: a property read. */
  readonly arguments?: readonly Value[];
  /** Tagged template: the text is the only argument. */
  readonly template?: true;
  /** `?.` */
  readonly optional?: true;
  /** Type arguments, as text. */
  readonly types?: readonly string[];
  /** From the name (or the opening parenthesis of a direct call) to the end of the arguments. */
  readonly span: Span;
}
