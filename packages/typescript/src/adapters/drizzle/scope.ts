import {
  keyOfValue,
  notKnown,
  unknownValue,
  type Interpolation,
  type Known,
  type LostCondition,
  type LowerContext,
  type Span,
  type Table,
  type TableName,
  type TargetRef,
  type Value,
} from '@tenant-lint/model';
import type { Draft } from './joins.js';
import type { OutputItem } from './output.js';
import { splitPath } from '../query-text/calls.js';
import { callOf, chainOf, functionCall } from './names.js';

/** A table, an alias of one, or a sub-query in scope. */
export interface Source {
  /** Tells sources apart: the table's name in code, or the chain that makes the alias or sub-query. */
  readonly key: string;
  readonly table: Known<TableName>;
  readonly known?: Table | undefined;
  /** Absent for a sub-query: its columns are those of the targets inside it. */
  readonly ref?: TargetRef;
  /** The name under which SQL text knows it. */
  readonly name: string;
  /** For a sub-query: what it selects. */
  readonly output?: readonly OutputItem[];
  /** For a sub-query: what a selected field is. */
  field?(path: readonly string[]): Value;
}

/** What is collected while one chain is lowered. */
export class Build {
  readonly context: LowerContext;
  readonly file: string;
  readonly id: string;
  readonly span: Span;
  readonly unchecked: { reason: string; span: Span }[] = [];
  readonly interpolations: Interpolation[] = [];
  readonly lost: LostCondition[] = [];
  /** Targets of the sub-queries met in the expression at hand. */
  subs: Draft[] = [];
  readonly seen = new Set<string>();
  #refs = 0;
  #texts = 0;

  constructor(context: LowerContext, file: string, id: string, span: Span) {
    this.context = context;
    this.file = file;
    this.id = id;
    this.span = span;
  }

  ref(): TargetRef {
    return `t${this.#refs++}`;
  }

  textId(): string {
    return `${this.id}.s${this.#texts++}`;
  }

  /** Runs `f` unless `key` is being looked at already, as in a definition that refers to itself. */
  guard<T>(key: string, f: () => T, otherwise: T): T {
    if (this.seen.has(key) || this.seen.size > 60) return otherwise;
    this.seen.add(key);
    try {
      return f();
    } finally {
      this.seen.delete(key);
    }
  }
}

/** What names mean at one place: sources of this query, then those of the queries around it. */
export class Scope {
  readonly build: Build;
  readonly parent: Scope | undefined;
  readonly sources: Source[] = [];
  /** Templates name columns without their table here. */
  bareColumns = false;
  /** Parameters of callbacks that the library calls: with a table's columns, or with its operators. */
  readonly handed = new Map<string, Source | 'operators'>();

  constructor(build: Build, parent?: Scope) {
    this.build = build;
    this.parent = parent;
  }

  get context(): LowerContext {
    return this.build.context;
  }

  all(): readonly Source[] {
    return [...this.sources, ...(this.parent?.all() ?? [])];
  }

  hand(value: Value, what: Source | 'operators'): void {
    this.handed.set(keyOfValue(value), what);
  }

  handedTo(base: Value): Source | 'operators' | undefined {
    return this.handed.get(keyOfValue(base)) ?? this.parent?.handedTo(base);
  }

  isOperators = (base: Value): boolean => base.kind === 'parameter' && this.handedTo(base) === 'operators';

  /** The source in scope with this key, innermost first. */
  find(key: string): Source | undefined {
    return this.sources.find((s) => s.key === key) ?? this.parent?.find(key);
  }

  /** The column that a value is: of a source in scope, or of a table that is not (then without a target). */
  column(value: Value, span?: Span): Value | undefined {
    const { base, path } = splitPath(value);
    const at = span ? { span } : {};
    const handed = this.handedTo(base);
    if (handed && handed !== 'operators') {
      if (path.length === 0) return undefined;
      return fieldOf(handed, path, at);
    }
    const source = this.#sourceOfPath(base, path);
    if (!source) return undefined;
    if (source.rest.length === 0) return undefined;
    return fieldOf(source.source, source.rest, at);
  }

  /** The source that a value denotes as a whole: a table, an alias, a sub-query in scope. */
  source(value: Value): Source | undefined {
    const { base, path } = splitPath(value);
    const handed = this.handedTo(base);
    if (handed && handed !== 'operators' && path.length === 0) return handed;
    const found = this.#sourceOfPath(base, path);
    return found?.rest.length === 0 ? found.source : undefined;
  }

  #sourceOfPath(base: Value, path: readonly string[]): { source: Source; rest: readonly string[] } | undefined {
    for (let length = 0; length <= Math.min(path.length, 3); length++) {
      const named = identify(withPath(base, path.slice(0, length)), this.context);
      if (!named) continue;
      const source = this.find(named.key) ?? (named.table ? outside(named.key, named.table, this.context) : undefined);
      if (source) return { source, rest: path.slice(length) };
      if (named.key) return undefined;
    }
    // A name for a column: `const column = invoices.tenantId`.
    const resolved = this.context.resolve(withPath(base, path));
    const split = splitPath(resolved);
    if (split.base.kind === 'result' && keyOfValue(split.base) !== keyOfValue(base) && split.path.length > 0)
      return this.#sourceOfPath(split.base, split.path);
    return undefined;
  }
}

export const withPath = (base: Value, path: readonly string[]): Value =>
  path.length === 0
    ? base
    : 'path' in base
      ? { ...base, path: [...base.path, ...path] }
      : { kind: 'element', of: base, path };

/** A table that is named but not in scope; its columns have no target. */
function outside(key: string, table: Known<TableName>, context: LowerContext): Source | undefined {
  if (!table.known) return undefined;
  const known = context.table(table.value);
  return { key, table, known, name: known?.name.name ?? nameOf(table.value) };
}

/** What a value names: a table by its declaration, or an alias or sub-query by the chain that makes it. */
export function identify(
  value: Value,
  context: LowerContext,
): { key: string; table?: Known<TableName>; chain?: string } | undefined {
  const chain = chainOf(value, context);
  if (chain) {
    const call = callOf(chain);
    const f = functionCall(call, context);
    if (f && /^alias(?:ed\w*)?$/.test(f.name) && f.arguments[0]) {
      return { key: `alias:${chain.id}`, table: context.tableOf(f.arguments[0]), chain: chain.id };
    }
    if (call.steps.some((s) => (s.name === 'as' || s.name === '$with') && s.arguments))
      return { key: `sub:${chain.id}`, chain: chain.id };
  }
  const table = context.tableOf(value);
  return table.known && !isClass(table.value, context) ? { key: tableKey(table.value), table } : undefined;
}

/** An entity class of another library: Drizzle's tables are values. */
const isClass = (name: TableName, context: LowerContext): boolean =>
  name.by === 'binding' && (context.facts(name.file)?.classes.some((c) => c.name === name.name) ?? false);

export const tableKey = (table: TableName): string => `table:${JSON.stringify(table)}`;
export const nameOf = (table: TableName): string => table.name;

/** A source for a table with a target of its own. */
export function tableSource(
  key: string,
  table: Known<TableName>,
  ref: TargetRef,
  context: LowerContext,
  alias?: string,
): Source {
  const known = table.known ? context.table(table.value) : undefined;
  return { key, table, known, ref, name: alias ?? known?.name.name ?? (table.known ? nameOf(table.value) : ref) };
}

function fieldOf(source: Source, path: readonly string[], at: { span?: Span }): Value {
  if (source.field) return source.field(path);
  const property = path[0]!;
  if (property === '*' || path.length > 1) return unknownValue('a computed column');
  return {
    kind: 'column',
    ...(source.ref === undefined ? {} : { target: source.ref }),
    column: columnName(source.known, property),
    ...at,
  };
}

/**
 * The database name of the column that code calls `property`. Casing of the library is not known: a column without a name of its own may
 * be declared in camel case and created in snake case.
 */
export function columnName(table: Table | undefined, property: string): string {
  if (!table) return property;
  for (const column of table.columns.values()) if (column.property === property) return column.name;
  if (table.columns.has(property)) return property;
  const snake = property.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`);
  return table.columns.has(snake) ? snake : property;
}

export const unknownTable = (reason: string): Known<TableName> => notKnown(reason);
