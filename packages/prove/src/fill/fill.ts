import { namesStaff } from '@tenant-lint/analysis';
import { idOf, sqlName, type Catalog, type CatalogColumn, type CatalogConstraint, type Relation } from '../catalog.js';
import { guarded, literal, quoteName, type Ran, type Session } from '../session/session.js';
import type { Classes } from './classes.js';
import { alternatives, valueOf, type Side } from './values.js';

/** The values of a row, by column. */
export type Row = Readonly<Record<string, string | null>>;

/** The rows of both tenants in one table. */
export interface Rows {
  readonly A?: Row;
  readonly B?: Row;
}

export interface Filled {
  /** By the table's id. */
  readonly rows: ReadonlyMap<string, Rows>;
  /** Tables in which a row of some side could not be made, each with the last refusal. */
  readonly unfilled: readonly { readonly table: string; readonly reason: string }[];
  /** The statements that made the rows, in order. */
  readonly statements: readonly string[];
}

const sides: readonly Side[] = ['A', 'B'];
/** How many combinations of other values one refusal is answered with. */
const maxTries = 120;

/**
 * Puts one row of each tenant into every table. References lead to the row of the same side, whatever cycles they form, because the
 * values of tied columns are decided beforehand and triggers (those of references too) are off while filling. What a check, unique or
 * domain refuses is tried again with values that its definition names. @throws TimedOut, OutOfMemory
 */
export async function fill(
  session: Session,
  catalog: Catalog,
  maker: RowMaker,
  progress: (done: number, total: number) => void,
): Promise<Filled> {
  const tables = catalog.relations.filter(
    (r) => (r.kind === 'table' || r.kind === 'partitioned') && r.parent === undefined,
  );
  const statements: string[] = [];
  const rows = new Map<string, { A?: Row; B?: Row }>();
  const reasons = new Map<string, string>();
  const [off] = await session.run(['savepoint replica', 'set local session_replication_role = replica']);
  const last =
    off?.ok === true ? (await session.run(["select current_setting('session_replication_role')"]))[0] : undefined;
  const triggersOff = last?.ok === true && last.rows[0]?.[0] === 'replica';
  if (!triggersOff) await session.run(['rollback to savepoint replica']);
  let waiting = parentsFirst(tables).flatMap((table) => sides.map((side) => ({ table, side })));
  const total = waiting.length;
  for (let before = Infinity; waiting.length > 0 && waiting.length < before;) {
    before = waiting.length;
    const still: typeof waiting = [];
    for (const one of waiting) {
      const made = await insertOne(session, maker, one.table, one.side);
      if ('row' in made) {
        const id = idOf(one.table);
        rows.set(id, { ...rows.get(id), [one.side]: made.row });
        statements.push(made.sql);
      } else {
        still.push(one);
        reasons.set(idOf(one.table), made.reason);
      }
      progress(total - still.length, total);
    }
    waiting = still;
    if (triggersOff) break;
  }
  await session.run(['set local session_replication_role = origin', 'release savepoint replica']);
  return {
    rows,
    unfilled: [...new Set(waiting.map((w) => idOf(w.table)))]
      .sort()
      .map((table) => ({ table, reason: reasons.get(table) ?? '' })),
    statements,
  };
}

/** INSERT of a row into a table. */
export function insertOf(table: Relation, row: Row, suffix = ''): string {
  const columns = Object.keys(row);
  if (columns.length === 0) return `insert into ${sqlName(table)} default values${suffix}`;
  const overriding = table.columns.some((c) => c.identity && c.name in row) ? ' overriding system value' : '';
  return `insert into ${sqlName(table)} (${columns.map(quoteName).join(', ')})${overriding} values (${columns
    .map((c) => literal(row[c] ?? null))
    .join(', ')})${suffix}`;
}

async function insertOne(
  session: Session,
  maker: RowMaker,
  table: Relation,
  side: Side,
): Promise<{ readonly row: Row; readonly sql: string } | { readonly reason: string }> {
  const step = `filling ${idOf(table)}`;
  let refusal: Extract<Ran, { ok: false }> | undefined;
  for (const full of [true, false]) {
    let row = maker.row(table, side, full);
    const answered = new Set<string>();
    for (;;) {
      const sql = insertOf(table, row);
      const ran = await guarded(session, [sql], step);
      if (ran.ok) return { row, sql };
      refusal = ran;
      const key = `${ran.code} ${ran.constraint ?? ran.column ?? ran.message}`;
      if (answered.has(key)) break;
      answered.add(key);
      const other = await answer(session, maker, table, side, row, ran, step);
      if (other === undefined) break;
      row = other;
    }
  }
  return { reason: refusal?.message ?? 'nothing was tried' };
}

/** Another row that this refusal lets through, or that at least meets another one. */
async function answer(
  session: Session,
  maker: RowMaker,
  table: Relation,
  side: Side,
  row: Row,
  refusal: Extract<Ran, { ok: false }>,
  step: string,
): Promise<Row | undefined> {
  if (refusal.code === '23502' && refusal.column !== undefined) {
    const column = table.columns.find((c) => c.name === refusal.column);
    const value = column && maker.value(table, column, side);
    return column && value !== undefined && value !== null ? { ...row, [column.name]: value } : undefined;
  }
  const constraint = table.constraints.find((c) => c.name === refusal.constraint);
  const choices = constraint
    ? maker.choices(table, side, constraint)
    : refusal.code === '23514' && /partition/.test(refusal.message)
      ? maker.partitionChoices(table)
      : maker.domainChoices(table, side);
  let tries = 0;
  for (const combination of combinations(choices)) {
    if (++tries > maxTries) return undefined;
    const other = { ...row, ...combination };
    const ran = await guarded(session, [insertOf(table, other), undo], step);
    // The row serves; the statement that puts it in is the caller's.
    if (!ran.ok && ran.code === undone) return other;
    if (ran.ok) return undefined;
    if (ran.constraint !== refusal.constraint || (ran.constraint === undefined && ran.message !== refusal.message))
      return other;
  }
  return undefined;
}

/** Fails, so that what ran before it is undone. */
const undo = 'select 1/0';
const undone = '22012';

function* combinations(choices: readonly (readonly [string, readonly (string | null)[]])[]): Iterable<Row> {
  const [first, ...rest] = choices;
  if (first === undefined) return;
  for (const value of first[1]) {
    if (rest.length === 0) yield { [first[0]]: value };
    else for (const other of combinations(rest)) yield { [first[0]]: value, ...other };
  }
}

/** Makes rows from classes. */
export class RowMaker {
  readonly #numbers = new Map<string, number>();
  readonly #fixed = new Map<string, Partial<Record<Side, string>>>();

  constructor(
    private readonly catalog: Catalog,
    private readonly classes: Classes,
    private readonly staff?: ReadonlyMap<string, readonly string[]>,
  ) {
    for (const relation of catalog.relations)
      for (const column of relation.columns) this.#number(classes.of(relation, column.number));
    // A list partition says which values there can be.
    for (const parent of catalog.relations.filter((r) => r.kind === 'partitioned')) {
      const key = this.#partitionKey(parent);
      if (!key) continue;
      const bounds = catalog.relations.filter((r) => r.parent === parent.oid).map((r) => r.bound ?? '');
      if (bounds.some((b) => b === 'DEFAULT' || /modulus/i.test(b))) continue;
      const values = bounds.flatMap((b) =>
        [...b.matchAll(/IN \(([^)]*)\)/g)].flatMap(([, list]) => literalsIn(list ?? '').slice(0, 1)),
      );
      const ranges = bounds.flatMap((b) =>
        [...b.matchAll(/FROM \(([^)]*)\)/g)].flatMap(([, list]) => literalsIn(list ?? '').slice(0, 1)),
      );
      const [a, b = a] = values.length > 0 ? values : ranges;
      if (a !== undefined) this.#fixed.set(classes.of(parent, key.number), { A: a, B: b ?? a });
    }
  }

  /** The value of a column for a side; undefined where the column is left to the database. */
  value(table: Relation, column: CatalogColumn, side: Side): string | null {
    const ordinary = this.staff?.get(idOf(table))?.includes(column.name)
      ? column.labels.find((label) => !namesStaff(label))
      : undefined;
    if (ordinary !== undefined) return ordinary;
    const id = this.classes.of(table, column.number);
    const fixed = this.#fixed.get(id)?.[side];
    if (fixed !== undefined) return fixed;
    // The narrowest type of the class decides what all its columns hold.
    const members = this.classes.members(id);
    const deciding =
      members.find((m) => m.column.base === 'uuid') ??
      members.find((m) => /int|oid/.test(m.column.base)) ??
      members.find((m) => m.column.kind === 'enum') ??
      members[0];
    // Columns that only a name ties may differ in type; a number cannot hold a UUID.
    const fits = deciding !== undefined && (deciding.column.base === column.base || !isNumber(column));
    return valueOf(fits ? deciding.column : column, side, this.#number(id));
  }

  /** A row of a side: every column, or only what the database demands and what ties it to others. */
  row(table: Relation, side: Side, full: boolean): Row {
    const row: Record<string, string | null> = {};
    for (const column of table.columns) {
      if (column.generated) continue;
      const tied =
        this.classes.linked(table, column.number) || this.classes.tenants.has(this.classes.of(table, column.number));
      const isKey = table.constraints.some((c) => c.kind === 'primary key' && c.columns.includes(column.number));
      if (!full && !tied && !isKey && (!column.notNull || column.hasDefault)) continue;
      // A default is what the application would get; only keys must be known beforehand.
      if (column.hasDefault && !tied && !isKey && !isTelling(column)) continue;
      const value = this.value(table, column, side);
      if (value === null && column.hasDefault) continue;
      row[column.name] = value;
    }
    return row;
  }

  /** What else the columns of a constraint could hold. Columns that references tie keep their value, or are NULL. */
  choices(
    table: Relation,
    side: Side,
    constraint: CatalogConstraint,
  ): readonly (readonly [string, readonly (string | null)[]])[] {
    return this.#choicesOf(
      table,
      side,
      table.columns.filter((c) => constraint.columns.includes(c.number)),
      constraint.definition,
    );
  }

  /** What else the columns of domain types could hold. */
  domainChoices(table: Relation, side: Side): readonly (readonly [string, readonly (string | null)[]])[] {
    const columns = table.columns.filter((c) => c.domainChecks.length > 0 && !c.generated);
    return columns.flatMap((c) => this.#choicesOf(table, side, [c], c.domainChecks.join(' ')));
  }

  /** Where the bounds of the partitions let a row in. */
  partitionChoices(table: Relation): readonly (readonly [string, readonly (string | null)[]])[] {
    const key = this.#partitionKey(table);
    if (!key) return [];
    const bounds = this.catalog.relations.filter((r) => r.parent === table.oid).map((r) => r.bound ?? '');
    const values = bounds.flatMap((b) => literalsIn(b));
    return values.length === 0 ? [] : [[key.name, values]];
  }

  #choicesOf(
    table: Relation,
    side: Side,
    columns: readonly CatalogColumn[],
    definition: string,
  ): readonly (readonly [string, readonly (string | null)[]])[] {
    return columns.flatMap((column): (readonly [string, readonly (string | null)[]])[] => {
      if (column.generated) return [];
      const own = this.value(table, column, side);
      const tied = this.classes.linked(table, column.number);
      const values = tied ? [own, ...(column.notNull ? [] : [null])] : [own, ...alternatives(column, side, definition)];
      return [[column.name, [...new Set(values)]]];
    });
  }

  /** The first column by which a table is partitioned, hash partitions aside: these take every value. */
  #partitionKey(table: Relation): CatalogColumn | undefined {
    const columns = /^(?:LIST|RANGE) \((.*)\)$/.exec(table.partitionKey ?? '')?.[1];
    if (columns === undefined) return undefined;
    const names = columns.split(',').map((c) => c.trim().replace(/^"(.*)"$/, '$1'));
    return table.columns.find((c) => c.name === names[0]);
  }

  #number(id: string): number {
    const known = this.#numbers.get(id);
    if (known !== undefined) return known;
    const next = this.#numbers.size + 1;
    this.#numbers.set(id, next);
    return next;
  }
}

const isNumber = (column: CatalogColumn): boolean => /^(?:smallint|integer|bigint|numeric|oid)/.test(column.base);

/** Columns whose values tell rows of the sides apart. */
const isTelling = (column: CatalogColumn): boolean => /^(?:uuid|text|character|citext)/.test(column.base);

const literalsIn = (text: string): readonly string[] => [
  ...[...text.matchAll(/'((?:[^']|'')*)'/g)].map(([, quoted]) => (quoted ?? '').replaceAll("''", "'")),
  ...[...text.replaceAll(/'(?:[^']|'')*'/g, '').matchAll(/\b\d+\b/g)].map(([n]) => n),
];

/** Tables before those that refer to them, as far as there is such an order. */
function parentsFirst(tables: readonly Relation[]): readonly Relation[] {
  const byOid = new Map(tables.map((t) => [t.oid, t]));
  const sorted: Relation[] = [];
  const seen = new Set<string>();
  const visit = (table: Relation): void => {
    if (seen.has(table.oid)) return;
    seen.add(table.oid);
    for (const c of table.constraints) {
      const to = c.to === undefined ? undefined : byOid.get(c.to);
      if (to) visit(to);
    }
    sorted.push(table);
  };
  for (const table of tables) visit(table);
  return sorted;
}
