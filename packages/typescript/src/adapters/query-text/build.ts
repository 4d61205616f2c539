import {
  constant,
  keyOfValue,
  mapAccess,
  mapPredicate,
  mapValue,
  valueAt,
  type Access,
  type CallChain,
  type Client,
  type FunctionId,
  type LostCondition,
  type LowerContext,
  type Lowered,
  type Span,
  type Table,
  type Target,
  type Value,
  type Writes,
} from '@tenant-lint/model';
import { lowerSqlPieces } from '../sql-text.js';
import { rewritePredicate, rewriteValue } from '../substitute.js';
import type { Builder } from './calls.js';
import { Choices, quoted, sql, unknownName, type Frag } from './frag.js';
import type { Fields } from './items.js';

/** Name of the column that stands for further ones which are not known. */
export const openColumn = '__further_columns__';

/** What is collected while one chain is written as SQL. */
export class Build {
  readonly context: LowerContext;
  readonly chain: CallChain;
  readonly choices = new Choices();
  /** Tables that the statement names, for the spelling of their columns. */
  readonly tables: Table[] = [];
  /** Functions whose first parameter the library supplies when it calls them. */
  readonly callbacks = new Set<FunctionId>();
  readonly #arguments = new Map<string, Value>();
  readonly #active = new Set<string>();
  readonly unchecked: { reason: string; span: Span }[] = [];
  /** Other starts of a builder than those of the query builder itself: `Model.query()`. */
  starts: ((chain: CallChain) => Builder | undefined) | undefined;
  #snake = false;

  constructor(context: LowerContext, chain: CallChain) {
    this.context = context;
    this.chain = chain;
  }

  /** Runs `f` unless `key` is being looked at already, as in a definition that refers to itself. */
  guard<T>(key: string, f: () => T, otherwise: T): T {
    if (this.#active.has(key) || this.#active.size > 80) return otherwise;
    this.#active.add(key);
    try {
      return f();
    } finally {
      this.#active.delete(key);
    }
  }

  /** Says what a function of the program is called with here. */
  called(id: FunctionId, args: readonly Value[]): void {
    const count = Math.max(args.length, this.context.function(id)?.parameters.length ?? 0);
    for (let i = 0; i < count; i++) {
      const given = args[i];
      const spread = args.slice(0, i + 1).some((a) => a.kind === 'apply' && a.function === '...');
      if (!spread) this.#arguments.set(`${id}/${i}`, given ?? { kind: 'undefined' });
    }
  }

  /** A value with the parameters of called functions replaced by what they are called with. */
  value(value: Value, depth = 0): Value {
    if (this.#arguments.size === 0 || depth > 8) return value;
    return mapValue(value, (v) => {
      if (v.kind !== 'parameter') return v;
      const given = this.#arguments.get(`${v.function}/${v.index}`);
      if (!given) return v;
      const parameter = this.context.function(v.function)?.parameters[v.index];
      const filled = given.kind === 'undefined' && parameter?.default ? parameter.default : given;
      return keyOfValue(filled) === keyOfValue(v) ? v : valueAt(this.value(filled, depth + 1), v.path);
    });
  }

  /** A value with what stands behind imports and bindings. */
  resolved(value: Value): Value {
    const own = this.value(value);
    return own.kind === 'binding' || own.kind === 'import' || own.kind === 'this' || own.kind === 'missing-able'
      ? this.context.resolve(own)
      : own;
  }

  /** The text that a value is, if it is one text. */
  text(value: Value | undefined): string | undefined {
    if (!value) return undefined;
    const own = this.value(value);
    const found = own.kind === 'constant' || own.kind === 'text' ? own : this.context.resolve(own);
    if (found.kind === 'text') {
      const parts = found.parts.map((p) => ('text' in p ? p.text : this.text(p.hole)));
      return parts.every((p) => p !== undefined) ? parts.join('') : undefined;
    }
    return found.kind === 'constant' && typeof found.value === 'string' ? found.value : undefined;
  }

  /** Spells a table as the schema has it: plugins write names of the program in snake case. */
  tableName(schema: string | undefined, name: string): string {
    const find = (n: string): Table | undefined =>
      this.context.table({ by: 'sql', name: n, ...(schema === undefined ? {} : { schema }) });
    const exact = find(name);
    const found = exact ?? find(snake(name));
    if (found && !exact) this.#snake = true;
    if (found) this.tables.push(found);
    return exact ? name : found ? snake(name) : name;
  }

  columnName(name: string): string {
    const other = snake(name);
    if (other === name || this.tables.some((t) => t.columns.has(name))) return name;
    return this.#snake || this.tables.some((t) => t.columns.has(other)) ? other : name;
  }

  /** `schema.table.column` or less, each part quoted. */
  column(text: string, span: Span): Frag {
    const parts = text.split('.').map((p) => p.trim());
    const last = parts.length - 1;
    const written = parts.map((p, i) => (p === '*' ? '*' : quoted(i === last ? this.columnName(p) : this.#owner(p))));
    return sql(span, written.join('.'));
  }

  /** A table name before a column: the table's, unless an alias is called so. */
  #owner(name: string): string {
    const other = snake(name);
    return other !== name && this.tables.some((t) => t.name.name === other) ? other : name;
  }

  /** A table name, `schema.table` or less. */
  table(text: string, span: Span, schema?: string): Frag {
    const parts = text.split('.').map((p) => p.trim());
    const name = parts.at(-1) ?? text;
    const own = parts.length > 1 ? parts.at(-2) : schema;
    const written = this.tableName(own, name);
    return sql(span, own === undefined ? quoted(written) : `${quoted(own)}.${quoted(written)}`);
  }

  /** A name given as a value: quoted text, or a name that only the program knows. */
  name(value: Value | undefined, span: Span): Frag {
    const text = this.text(value);
    return text === undefined ? unknownName(this.value(value ?? { kind: 'undefined' }), span) : this.column(text, span);
  }
}

/** `createdAt` as plugins write it: `created_at`. */
export const snake = (name: string): string =>
  name
    .replace(/([a-z\d])([A-Z])/g, '$1_$2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1_$2')
    .toLowerCase();

/** What a statement is written for. */
export interface Statement {
  readonly frags: readonly Frag[];
  readonly library: string;
  readonly method: string;
  readonly client: Client;
  /** Columns that are set by what is not known. */
  readonly open?: { readonly writes?: boolean; readonly updates?: boolean };
  /** Why further conditions may apply that were not found. */
  readonly more?: string;
  /** The statement as it would be with conditions that the program states and then loses. */
  readonly lost?: readonly Lost[];
}

/** See LostCondition; the condition is that of the statement. */
export interface Lost extends Pick<LostCondition, 'how' | 'span' | 'at'> {
  readonly frag: Frag;
}

/** Lowers what was written; each fragment is one alternative. */
export function lowerStatement(statement: Statement, build: Build): Lowered {
  const { chain, context } = build;
  const options = {
    file: chain.span.file,
    library: statement.library,
    id: chain.id,
    span: chain.span,
    context,
    holes: 'bind',
  } as const;
  const lowered = lowerSqlPieces(statement.frags, undefined, options);
  const lost = (statement.lost ?? []).flatMap(({ frag, ...how }): readonly LostCondition[] => {
    const [access] = lowerSqlPieces([frag], undefined, options).accesses;
    const targets = access ? withChoices(access, build).targets : [];
    const root = targets.find((t) => t.role === 'root');
    return root ? [{ ...how, predicate: mapPredicate(root.predicate, (v) => bound(v, targets, context)) }] : [];
  });
  const unchecked = [...build.unchecked, ...lowered.unchecked];
  const [first, ...rest] = lowered.accesses.map((a): Access => {
    const choosing = withChoices(a, build);
    return {
      ...choosing,
      method: statement.method,
      client: statement.client,
      span: chain.span,
      chain: chain.id,
      function: chain.function,
      ...(lost.length > 0 ? { lost } : {}),
      targets: choosing.targets.map((t) => finished(t, statement)),
    };
  });
  if (!first) {
    const [why] = unchecked;
    return why ? { unknown: why.reason, span: why.span } : 'no access';
  }
  const all = unchecked.length > 0 ? [...(first.unchecked ?? []), ...unchecked] : undefined;
  return { accesses: [all ? { ...first, unchecked: all } : first, ...rest] };
}

/** The objects that are written whole, as the value of the column that stands for what they hold. */
export function furtherColumns({ rest, settled }: Fields, build: Build): Value {
  const names = [...settled].map((name) => ({ value: constant(build.columnName(name)) }));
  return { kind: 'list', of: [...names, ...rest.map((value) => ({ value, spread: true as const }))] };
}

function restIn(further: Value | undefined): Pick<Writes, 'rest'> {
  if (further?.kind !== 'list') return {};
  const except = further.of.flatMap(({ value, spread }) =>
    !spread && value.kind === 'constant' ? [String(value.value)] : [],
  );
  const of = further.of.flatMap((item) => (item.spread ? [item.value] : []));
  return of.length > 0 ? { rest: { of, except } } : {};
}

/** A column without a table, of the only target that can have it; linking does this for the statement itself. */
function bound(value: Value, targets: readonly Target[], context: LowerContext): Value {
  const [list] = value.kind === 'column' && value.target === undefined ? (value.candidates ?? []) : [];
  if (value.kind !== 'column' || !list) return value;
  const has = (ref: string): boolean => {
    const table = targets.find((t) => t.ref === ref)?.table;
    const known = table?.known ? context.table(table.value) : undefined;
    return known === undefined || known.columns.has(value.column);
  };
  const [only, ...others] = list.filter(has);
  const { candidates: _, ...rest } = value;
  return only !== undefined && others.length === 0 ? { ...rest, target: only } : value;
}

function withChoices(access: Access, build: Build): Access {
  const read = build.choices.read.bind(build.choices);
  const mapped = mapAccess(access, (v) => rewriteValue(v, read));
  return {
    ...mapped,
    targets: mapped.targets.map((t) => ({ ...t, predicate: rewritePredicate(t.predicate, read) })),
  };
}

function finished(target: Target, { open, more }: Statement): Target {
  const written = (writes: Writes, isOpen: boolean | undefined): Writes => {
    if (!(openColumn in writes.set) && !isOpen) return writes;
    const { [openColumn]: further, ...set } = writes.set;
    return { set, open: true, ...restIn(further) };
  };
  const rest = { kind: 'unknown', reason: more ?? '' } as const;
  return {
    ...target,
    ...(target.writes && target.role === 'root' ? { writes: written(target.writes, open?.writes) } : {}),
    ...(target.updates && target.role === 'root' ? { updates: written(target.updates, open?.updates) } : {}),
    ...(more === undefined
      ? {}
      : {
          predicate: target.predicate.kind === 'always' ? rest : { kind: 'and' as const, of: [target.predicate, rest] },
        }),
  };
}
