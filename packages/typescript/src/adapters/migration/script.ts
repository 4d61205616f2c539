import {
  mapAccess,
  unknownValue,
  type Access,
  type SchemaEvent,
  type Span,
  type SqlFileFacts,
  type Target,
  type Unchecked,
} from '@tenant-lint/model';
import { extractSql } from '@tenant-lint/sql';
import { holdsStandIn, Placed, standIn, type Piece } from './pieces.js';

type Counted = SqlFileFacts['statements'];

/** The statements that one migration runs, read by the SQL front end, with their places in the file that runs them. */
export class Script {
  readonly events: SchemaEvent[] = [];
  readonly queries: Access[] = [];
  readonly unchecked: Unchecked[] = [];
  /** SQL files that the migration reads and runs; by themselves they are none. */
  readonly included: string[] = [];
  readonly #file: string;
  readonly #count = { folded: 0, query: 0, unchecked: 0 };
  readonly #irrelevant: Record<string, number> = {};
  #next = 0;
  /** Whether the statements undo the migration. */
  direction: 'up' | 'down' = 'up';

  constructor(file: string) {
    this.#file = file;
  }

  get statements(): Counted {
    return { ...this.#count, irrelevant: this.#irrelevant };
  }

  /** Runs SQL text. `span` is the call, for what has no place of its own. */
  sql(pieces: readonly Piece[], span: Span): void {
    const holes: Piece[] = [];
    const placed = new Placed(
      pieces.map((p) => (p.hole === undefined ? p : { ...p, text: standIn(holes.push(p) - 1) })),
    );
    const read = extractSql(placed.text, { file: this.#file, role: 'migration' });
    const move = <T>(value: T): T => relocated(value, placed, span);
    const id = `${this.#file}#m${this.#next++}`;
    for (const event of read.schema) {
      if (holdsStandIn(JSON.stringify(event.action))) this.#computed(holes, move(event.span));
      else this.events.push({ ...move(event), direction: this.direction });
    }
    if (this.direction === 'up') {
      for (const query of read.queries) this.queries.push(opened(move(query), id));
    }
    for (const entry of read.unchecked) {
      const at = entry.span ? move(entry.span) : span;
      const { file: _, ...rest } = entry;
      if (entry.reason.startsWith('dialect:')) this.#foreign(entry.reason);
      else if (holes.length > 0 && (entry.reason === 'syntax' || entry.reason === 'template'))
        this.#computed(holes, at);
      else this.unchecked.push({ ...rest, file: this.#file, span: at });
    }
    const { statements } = read.sql!;
    this.#count.folded += statements.folded;
    this.#count.query += statements.query;
    this.#count.unchecked += statements.unchecked;
    for (const [kind, n] of Object.entries(statements.irrelevant)) this.pass(kind, n);
  }

  /** A migration for another database is said once. */
  #foreign(reason: string): void {
    if (!this.unchecked.some((u) => u.reason === reason)) this.unchecked.push({ file: this.#file, reason });
  }

  #computed(holes: readonly Piece[], span: Span): void {
    const why = [...new Set(holes.map((h) => h.hole))].join('; ');
    this.unchecked.push({
      file: this.#file,
      reason: 'unresolved',
      detail: `a part of the statement is computed: ${why}`,
      span,
    });
  }

  /** A call of the tool that changes no schema. */
  pass(kind: string, n = 1): void {
    this.#irrelevant[kind] = (this.#irrelevant[kind] ?? 0) + n;
  }

  /** A call that was not understood. */
  unknown(detail: string, span: Span): void {
    this.#count.unchecked++;
    this.unchecked.push({ file: this.#file, reason: 'unresolved', detail, span });
  }

  /** A remark on statements that are counted elsewhere. */
  remark(detail: string, span: Span): void {
    this.unchecked.push({ file: this.#file, reason: 'unresolved', detail, span });
  }

  /** The statements of a file that the migration reads and runs. */
  include(events: readonly SchemaEvent[], queries: readonly Access[], statements: Counted): void {
    for (const event of events)
      if (event.direction === 'up' || this.direction === 'down')
        this.events.push({ ...event, direction: this.direction });
    if (this.direction === 'up') this.queries.push(...queries);
    this.#count.folded += statements.folded;
    this.#count.query += statements.query;
    this.#count.unchecked += statements.unchecked;
    for (const [kind, n] of Object.entries(statements.irrelevant)) this.pass(kind, n);
  }
}

/** An access whose computed parts are unknown, under an id of its own. */
function opened(access: Access, id: string): Access {
  const own = { ...access, id: `${id}/${access.id.slice(access.id.lastIndexOf('#') + 1)}` };
  if (!holdsStandIn(JSON.stringify(own))) return own;
  const computed = 'the value is computed by the migration';
  const mapped = mapAccess(own, (v) =>
    (v.kind === 'constant' && typeof v.value === 'string' && holdsStandIn(v.value)) ||
    (v.kind === 'column' && holdsStandIn(v.column))
      ? unknownValue(computed)
      : v,
  );
  return {
    ...mapped,
    targets: mapped.targets.map((target): Target =>
      target.table.known && holdsStandIn(JSON.stringify(target.table.value))
        ? { ...target, table: { known: false, reason: 'the name of the table is computed' } }
        : target,
    ),
  };
}

/** Every span inside a value, moved from the text to the files it was made of. */
function relocated<T>(value: T, placed: Placed, whole: Span): T {
  if (Array.isArray(value)) return value.map((item: unknown) => relocated(item, placed, whole)) as T;
  if (value === null || typeof value !== 'object') return value;
  if ('file' in value && 'start' in value && 'end' in value) {
    const found = placed.place(value.start as number, value.end as number);
    return { ...value, ...(found ?? whole) };
  }
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, relocated(item as unknown, placed, whole)]),
  ) as T;
}
