import type { Access, SchemaEvent, Span, Target, Unchecked, Value, Writes } from '@tenant-lint/model';
import { mapAccess, unknownValue } from '@tenant-lint/model';
import { readStatement } from '../ddl/index.js';
import type { ParsedStatement } from '../parser/index.js';
import { parseSql } from '../parser/index.js';
import type { Context } from './context.js';
import { newContext } from './context.js';
import { findInterpolations, interpolationsOf, positionByText } from './interpolations.js';
import { holesIn } from './holes.js';
import { normalizePlaceholders } from './placeholders.js';
import type { Recovered } from './recover.js';
import { recover } from './recover.js';
import { refusedParameter } from './refused.js';
import { lowerStatement } from './statement.js';

/**
 * SQL text inside a program. Values that are bound are `$1`, `:name` and so on; a value that becomes part of the text stands as
 * holeIdentifier(n).
 */
export interface EmbeddedSql {
  readonly file: string;
  readonly text: string;
  /** The access's id, where the text makes several `/k` is appended. */
  readonly idPrefix: string;
  readonly library: string;
  /** The whole text in the file. */
  readonly span: Span;
  /** Names of placeholders that stand for literals which the program makes: the database sees text in their place. */
  readonly literals?: ReadonlySet<string>;
  /** UTF-16 offset in `text` to offset in the file. */
  position(offset: number): number;
}

export interface LoweredSql {
  readonly accesses: readonly Access[];
  readonly events: readonly SchemaEvent[];
  readonly unchecked: readonly Unchecked[];
}

/**
 * The accesses of SQL text in a program, with positions in the file. Bound values are placeholders by their name in the text ('1', 'tenantId'),
 * holes placeholders named 'hole:<n>' and listed as interpolations. A statement that does not read or write rows but holds a hole is an access of
 * operation 'raw' without targets. Never throws.
 */
export function lowerEmbedded(sql: EmbeddedSql): LoweredSql {
  const normalized = normalizePlaceholders(sql.text);
  const place = (offset: number): number => sql.position(normalized.original(offset));
  const parsed = parseSql(normalized.text);
  const accesses: Access[] = [];
  const events: SchemaEvent[] = [];
  const unchecked: Unchecked[] = [];
  for (const statement of parsed.statements) {
    const one = new Embedded(
      sql,
      statement,
      place,
      (name) => !normalized.names.has(name) && !sql.literals?.has(name),
      parsed.statements.length > 1 ? `${sql.idPrefix}/${accesses.length}` : sql.idPrefix,
    );
    const lowered = one.lower();
    accesses.push(...lowered.accesses);
    events.push(...lowered.events);
    unchecked.push(...lowered.unchecked);
  }
  for (const entry of parsed.unchecked) {
    if (parsed.statements.some((s) => s.error && s.start === entry.start)) continue;
    unchecked.push({
      file: sql.file,
      reason: entry.reason,
      ...(entry.detail ? { detail: entry.detail } : {}),
      span: sql.span,
    });
  }
  const rename = (value: Value): Value => {
    const name = value.kind === 'placeholder' ? normalized.names.get(value.name) : undefined;
    if (value.kind !== 'placeholder' || name === undefined) return value;
    const named: Value = { kind: 'placeholder', name };
    return normalized.lists.has(value.name) ? { kind: 'element', of: named, path: ['*'] } : named;
  };
  return {
    accesses: normalized.names.size > 0 ? accesses.map((a) => mapAccess(a, rename)) : accesses,
    events,
    unchecked,
  };
}

/** One statement of an embedded text. */
class Embedded {
  constructor(
    private readonly sql: EmbeddedSql,
    private readonly statement: ParsedStatement,
    private readonly place: (offset: number) => number,
    /** Whether the database itself gets a parameter of this name. */
    private readonly sent: (name: string) => boolean,
    private readonly id: string,
  ) {}

  lower(): LoweredSql {
    const { statement } = this;
    const holes = holesIn(statement.text);
    if (statement.node) {
      const refused = refusedParameter(statement.node, this.sent);
      if (!refused) return this.parsed(statement, this.place);
      const start = this.place(statement.offset(refused.location));
      const span = { file: this.sql.file, start, end: start + `$${refused.name}`.length };
      const detail = `Postgres takes no parameter here; ${refused.instead}`;
      return {
        accesses: holes.length > 0 ? [this.raw('raw')] : [],
        events: [],
        unchecked: [{ file: this.sql.file, reason: 'syntax', detail, span }],
      };
    }
    const recovered = statement.error && holes.length > 0 ? recover(statement.text) : undefined;
    if (recovered) return this.recovered(recovered);
    const error = statement.error;
    const unchecked: Unchecked[] = [
      {
        file: this.sql.file,
        reason: 'syntax',
        ...(error ? { detail: detailOf(error.message) } : {}),
        span: this.span(),
      },
    ];
    return { accesses: holes.length > 0 ? [this.raw('raw')] : [], events: [], unchecked };
  }

  private span(): Span {
    return { file: this.sql.file, start: this.place(this.statement.start), end: this.place(this.statement.end) };
  }

  private parsed(statement: ParsedStatement, place: (offset: number) => number): LoweredSql {
    const { file, library } = this.sql;
    const access = lowerStatement(statement, { file, id: this.id, library, place });
    if (access && 'unknown' in access) {
      const unchecked: Unchecked[] = [{ file, reason: `unsupported: ${access.unknown}`, span: this.span() }];
      return { accesses: [], events: [], unchecked };
    }
    const schema =
      access && access.targets.length > 0 && !selectsInto(statement) ? undefined : this.schema(statement, place);
    const kind = Object.keys(statement.node ?? {})[0] ?? '';
    const own =
      access ??
      (holesIn(statement.text).length > 0 ? this.raw(kind.replace(/Stmt$/, '').toLowerCase(), statement) : undefined);
    return { accesses: own ? [own] : [], events: schema?.events ?? [], unchecked: schema?.unchecked ?? [] };
  }

  /** What a statement does to the schema; not where a hole is part of a name. */
  private schema(
    statement: ParsedStatement,
    place: (offset: number) => number,
  ): Pick<LoweredSql, 'events' | 'unchecked'> {
    const unchecked: Unchecked[] = [];
    let queries = 0;
    const { file } = this.sql;
    const { events } = readStatement(
      {
        file,
        queryId: () => `${this.id}/e${queries++}`,
        unchecked: (entry) => unchecked.push({ ...entry, file, span: this.span() }),
      },
      statement,
    );
    const whole = events.filter((event) => !JSON.stringify(event.action).includes('__hole_'));
    return { events: whole.map((event) => ({ ...placeSpans(event, place), direction: 'up' })), unchecked };
  }

  private context(): Context {
    const { text, start } = this.statement;
    const { file, library } = this.sql;
    return newContext({ file, library, text, offset: (byte) => byte, place: (offset) => this.place(start + offset) });
  }

  /** An access for a statement of which only the holes matter. */
  private raw(method: string, statement?: ParsedStatement): Access {
    const { text } = this.statement;
    const context = this.context();
    const holes = holesIn(text);
    const interpolations = statement?.node
      ? findInterpolations(statement.node, context)
      : interpolationsOf(text, context, new Map(holes.map((h) => [h.n, positionByText(text, h.start, h.end)])));
    return {
      id: this.id,
      library: this.sql.library,
      method,
      operation: 'raw',
      targets: [],
      client: { receiver: unknownValue('SQL text'), kind: 'plain' },
      span: this.span(),
      interpolations,
    };
  }

  /** A statement whose holes are pieces of SQL: what they add is not known. */
  private recovered({ statement, original, fragments, condition }: Recovered): LoweredSql {
    const base = this.statement.start;
    const lowered = this.parsed(statement, (offset) => this.place(base + original(offset)));
    const [access] = lowered.accesses;
    // What a piece of SQL adds to a table's definition is not known either: such a statement folds nothing.
    if (!access) return { accesses: [this.raw('raw')], events: [], unchecked: lowered.unchecked };
    const positions = new Map((access.interpolations ?? []).map((i) => [holeNumber(i.value), i.position] as const));
    for (const n of fragments) positions.set(n, 'fragment');
    const interpolations = interpolationsOf(this.statement.text, this.context(), positions);
    const reason = 'a piece of the condition is put in by the program';
    const targets = access.targets.map((target) =>
      widened(condition ? { ...target, predicate: { kind: 'unknown', reason } } : target, fragments),
    );
    return { ...lowered, events: [], accesses: [{ ...access, targets, interpolations, span: this.span() }] };
  }
}

const detailOf = (message: string): string =>
  /at or near "\$\d+"$/.test(message) ? `Postgres takes no parameter here (${message})` : message;

const holeNumber = (value: Value): number =>
  value.kind === 'placeholder' ? Number(value.name.replace(/^hole:/, '')) : -1;

/** Values that are a piece of SQL may be those of several columns: what is written is open then. */
function widened(target: Target, fragments: ReadonlySet<number>): Target {
  const { writes, updates } = target;
  const open = (w: Writes): Writes => {
    const placed = Object.entries(w.set).filter(([, value]) => !fragments.has(holeNumber(value)));
    return placed.length < Object.keys(w.set).length ? { set: Object.fromEntries(placed), open: true } : w;
  };
  return { ...target, ...(writes ? { writes: open(writes) } : {}), ...(updates ? { updates: open(updates) } : {}) };
}

const selectsInto = ({ node }: ParsedStatement): boolean =>
  node !== undefined && 'SelectStmt' in node && node.SelectStmt.intoClause !== undefined;

/** Moves every span inside a value. */
function placeSpans<T>(value: T, place: (offset: number) => number): T {
  if (Array.isArray(value)) return value.map((item: unknown) => placeSpans(item, place)) as T;
  if (value === null || typeof value !== 'object') return value;
  if ('file' in value && 'start' in value && 'end' in value) {
    return { ...value, start: place(value.start as number), end: place(value.end as number) };
  }
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, placeSpans(item as unknown, place)])) as T;
}
