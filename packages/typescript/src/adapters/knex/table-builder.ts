import type { Span, Step, Value } from '@tenant-lint/model';
import {
  alterTableSql,
  checkSql,
  columnSql,
  createIndexSql,
  createTableSql,
  foreignKeySql,
  keySql,
  names,
  type ColumnSql,
  type ReferenceSql,
} from '../migration/ddl.js';
import { literalOf, piece, quoted, quotedPath, type Piece } from '../migration/pieces.js';
import { described, type Call, type Run } from '../migration/run.js';
import { boundSql } from './bindings.js';
import { rawOf } from './schema-builder.js';
import { listOf, typeOf } from './types.js';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Steps of columns and tables that say nothing about tenancy or keys. */
const silent = new Set(
  [
    'nullable',
    'unsigned',
    'comment',
    'collate',
    'after',
    'first',
    'charset',
    'engine',
    'queryContext',
    'deferrable',
  ].concat(['then', 'catch', 'withKeyName', 'inTable', 'on', 'onDelete', 'onUpdate', 'checkPositive', 'checkNegative']),
);

/** `createTable('x', (table) => ...)`: gathers what the callback asks for, and writes it in the library's order. */
export class TableBuilder {
  readonly #table: string;
  readonly #how: 'create' | 'alter';
  readonly #span: Span;
  readonly #columns: (readonly Piece[])[] = [];
  readonly #inside: (readonly Piece[])[] = [];
  readonly #after: { pieces: readonly Piece[]; span: Span }[] = [];
  readonly #before: { pieces: readonly Piece[]; span: Span }[] = [];
  #inherits: string | undefined;

  /** `table`: quoted, with its schema. */
  constructor(table: string, how: 'create' | 'alter', span: Span) {
    this.#table = table;
    this.#how = how;
    this.#span = span;
  }

  emit(run: Run, options: { readonly ifNotExists?: boolean }): void {
    for (const { pieces, span } of this.#before) run.script.sql(pieces, span);
    if (this.#how === 'create') {
      const end = this.#inherits === undefined ? [] : [piece(` INHERITS (${this.#inherits})`, this.#span)];
      const parts = [...this.#columns, ...this.#inside];
      run.script.sql(createTableSql(this.#table, parts, { ...options, end }, this.#span), this.#span);
    }
    for (const { pieces, span } of this.#after) run.script.sql(pieces, span);
  }

  call(call: Call, run: Run): void {
    const { steps, span } = call;
    const [first] = steps;
    if (!first?.arguments) return;
    const rest = steps.slice(1);
    if (call.from > 0) {
      // A column that a variable held: only its constraints can be added later.
      run.script.unknown('a column that is changed after it was made', span);
      return;
    }
    if (this.#tableStep(first, rest, span, run)) return;
    const made = typeOf(first, run);
    if (!made) {
      if (!silent.has(first.name)) run.script.unknown(`${first.name} was not understood`, span);
      return;
    }
    const counts = /increments$/i.test(first.name);
    const name = run.text(first.arguments[0]) ?? (counts ? 'id' : undefined);
    if (name === undefined) return run.script.unknown('the name of the column is computed', span);
    this.#column(name, made, counts && keyed(first, run), rest, span, run);
  }

  #column(
    name: string,
    made: NonNullable<ReturnType<typeof typeOf>>,
    primary: boolean,
    steps: readonly Step[],
    span: Span,
    run: Run,
  ): void {
    const column: Mutable<ColumnSql> = { name, type: made.type, span };
    if (primary) column.primary = true;
    if (made.values && made.native === undefined)
      column.check = [piece(`${quoted(name)} IN (${listOf(made.values)})`, span)];
    if (made.values && made.native !== undefined)
      this.#before.push({
        pieces: [piece(`CREATE TYPE "${made.native}" AS ENUM (${listOf(made.values)})`, span)],
        span,
      });
    const alters = steps.some((s) => s.name === 'alter');
    for (const [i, step] of steps.entries()) this.#modifier(column, step, steps.slice(i + 1), run);
    if (alters) return this.#alterColumn(column, steps, span);
    if (this.#how === 'create') this.#columns.push(columnSql(column));
    else this.#later([piece('ADD COLUMN ', span), ...columnSql(column)], span);
    this.#sortLast(this.#how === 'alter');
  }

  /** ALTER TABLE adds its columns before the constraints on them. */
  #sortLast(isAlter: boolean): void {
    const added = isAlter ? this.#after.pop() : undefined;
    if (added) this.#after.splice(this.#added++, 0, added);
  }
  #added = 0;

  #modifier(column: Mutable<ColumnSql>, step: Step, following: readonly Step[], run: Run): void {
    const { name, arguments: args = [], span } = step;
    switch (name) {
      case 'notNullable':
      case 'notNull':
        column.notNull = true;
        return;
      case 'nullable': {
        const off = run.value(args[0]);
        column.notNull = off.kind === 'constant' && off.value === false;
        return;
      }
      case 'primary':
      case 'primaryKey':
        return this.#constraint(
          keySql('PRIMARY KEY', [column.name], nameIn(args, run) ?? `${this.#bare}_pkey`, column.span),
          column.span,
        );
      case 'unique':
        return this.#constraint(
          keySql('UNIQUE', [column.name], this.#indexName(args[0], [column.name], 'unique', run), column.span),
          column.span,
        );
      case 'index':
        return this.#index([column.name], { unique: false, name: args[0], options: args[1] }, step.span, run);
      case 'references':
        return this.#references([column.name], step, following, column.span, run);
      case 'defaultTo':
      case 'default':
        column.default = valueSql(args[0], span, run);
        return;
      case 'checkIn': {
        const values = run.texts(args[0]);
        if (values) column.check = [piece(`${quoted(column.name)} IN (${listOf(values)})`, span)];
        return;
      }
      case 'alter':
        return;
      default:
        if (!silent.has(name)) run.script.remark(`${name} on a column was not understood`, span);
    }
  }

  #alterColumn(column: ColumnSql, steps: readonly Step[], span: Span): void {
    const alter = (action: readonly Piece[]): void =>
      this.#later([piece(`ALTER COLUMN ${quoted(column.name)} `, span), ...action], span);
    const options = steps.find((s) => s.name === 'alter')?.arguments?.[0];
    const off = (name: string): boolean =>
      options?.kind === 'object' &&
      options.entries.some(
        (e) => 'set' in e && e.set === name && e.value.kind === 'constant' && e.value.value === false,
      );
    alter([piece('DROP DEFAULT', span)]);
    if (!off('alterNullable')) alter([piece('DROP NOT NULL', span)]);
    if (!off('alterType')) alter([piece(`TYPE ${column.type}`, span)]);
    if (column.default) alter([piece('SET DEFAULT ', span), ...column.default]);
    if (column.notNull && !off('alterNullable')) alter([piece('SET NOT NULL', span)]);
  }

  /** Methods of the table itself. */
  #tableStep(step: Step, rest: readonly Step[], span: Span, run: Run): boolean {
    const { name, arguments: args = [] } = step;
    const columns = run.texts(args[0]);
    const unknown = (): true => (run.script.unknown(`${name}: the names are computed`, span), true);
    const later = (text: string): true => (this.#later([piece(text, span)], span), true);
    switch (name) {
      case 'timestamps':
        this.#timestamps(args, span, run);
        return true;
      case 'primary':
        if (!columns) return unknown();
        this.#constraint(
          keySql('PRIMARY KEY', columns, nameIn(args.slice(1), run) ?? `${this.#bare}_pkey`, span),
          span,
        );
        return true;
      case 'unique': {
        if (!columns) return unknown();
        const options = run.value(args[1]);
        const isPartial = run.property(options, 'predicate') !== undefined;
        if (
          isPartial ||
          (run.property(options, 'useConstraint') !== undefined && !run.isTrue(run.property(options, 'useConstraint')))
        )
          this.#index(columns, { unique: true, name: args[1], options: args[1] }, span, run);
        else
          this.#constraint(
            keySql(
              run.isTrue(run.property(options, 'nullsNotDistinct')) ? 'UNIQUE NULLS NOT DISTINCT' : 'UNIQUE',
              columns,
              this.#indexName(args[1], columns, 'unique', run),
              span,
            ),
            span,
          );
        return true;
      }
      case 'index':
        if (!columns) return this.#rawIndex(args, span, run);
        this.#index(columns, { unique: false, name: args[1], options: args[2] }, span, run);
        return true;
      case 'foreign': {
        if (!columns) return unknown();
        const at = rest.findIndex((s) => s.name === 'references');
        const references = rest[at];
        if (!references) return unknown();
        this.#references(columns, references, rest.slice(at + 1), span, run, args[1]);
        return true;
      }
      case 'dropColumn':
      case 'dropColumns': {
        const all = args.map((a) => run.texts(a));
        if (all.some((c) => c === undefined)) return unknown();
        for (const column of all.flatMap((c) => c ?? [])) later(`DROP COLUMN ${quoted(column)}`);
        return true;
      }
      case 'renameColumn': {
        const [from, to] = [run.text(args[0]), run.text(args[1])];
        return from === undefined || to === undefined
          ? unknown()
          : later(`RENAME COLUMN ${quoted(from)} TO ${quoted(to)}`);
      }
      case 'dropPrimary':
        return later(`DROP CONSTRAINT ${quoted(run.text(args[0]) ?? `${this.#bare}_pkey`)}`);
      case 'dropUnique':
        return columns
          ? later(`DROP CONSTRAINT ${quoted(this.#indexName(args[1], columns, 'unique', run))}`)
          : unknown();
      case 'dropForeign':
        return columns
          ? later(`DROP CONSTRAINT ${quoted(this.#indexName(args[1], columns, 'foreign', run))}`)
          : unknown();
      case 'dropIndex': {
        const given = columns ? this.#indexName(args[1], columns, 'index', run) : run.text(args[1]);
        if (given === undefined) return unknown();
        const schema = this.#schema === '' ? '' : `${this.#schema}.`;
        this.#after.push({ pieces: [piece(`DROP INDEX ${schema}${quoted(given)}`, span)], span });
        return true;
      }
      case 'dropTimestamps': {
        const camel = run.isTrue(args[0]) || run.isTrue(run.property(args[0], 'useCamelCase'));
        for (const c of camel ? ['createdAt', 'updatedAt'] : ['created_at', 'updated_at'])
          later(`DROP COLUMN ${quoted(c)}`);
        return true;
      }
      case 'setNullable':
        return columns ? later(`ALTER COLUMN ${names(columns)} DROP NOT NULL`) : unknown();
      case 'dropNullable':
        return columns ? later(`ALTER COLUMN ${names(columns)} SET NOT NULL`) : unknown();
      case 'check':
        this.#constraint(checkSql(boundSql(args.slice(0, 2), span, run), run.text(args[2]), span), span);
        return true;
      case 'dropChecks': {
        const all = args.flatMap((a) => run.texts(a) ?? []);
        for (const c of all) later(`DROP CONSTRAINT ${quoted(c)}`);
        return true;
      }
      case 'inherits': {
        const parent = run.text(args[0]);
        if (parent === undefined) return unknown();
        this.#inherits = quotedPath(parent);
        return true;
      }
      default:
        return false;
    }
  }

  #timestamps(args: readonly Value[], span: Span, run: Run): void {
    const options = run.value(args[0]);
    const flag = (i: number, name: string): boolean =>
      options.kind === 'object' ? run.isTrue(run.property(options, name)) : run.isTrue(args[i]);
    const now = flag(1, 'defaultToNow');
    const columns = flag(2, 'useCamelCase') ? ['createdAt', 'updatedAt'] : ['created_at', 'updated_at'];
    for (const name of columns) {
      const column: ColumnSql = {
        name,
        type: 'timestamptz',
        ...(now ? { notNull: true, default: [piece('CURRENT_TIMESTAMP', span)] } : {}),
        span,
      };
      if (this.#how === 'create') this.#columns.push(columnSql(column));
      else this.#later([piece('ADD COLUMN ', span), ...columnSql(column)], span);
      this.#sortLast(this.#how === 'alter');
    }
  }

  #references(
    columns: readonly string[],
    step: Step,
    following: readonly Step[],
    span: Span,
    run: Run,
    name?: Value,
  ): void {
    const end = following.findIndex((s) => s.name === 'references');
    const own = end < 0 ? following : following.slice(0, end);
    const of = (...wanted: string[]): Value | undefined => own.find((s) => wanted.includes(s.name))?.arguments?.[0];
    let to = run.texts(step.arguments?.[0]);
    let table = run.text(of('inTable', 'on'));
    if (to?.length === 1 && table === undefined) {
      const parts = to[0]!.split('.');
      to = parts.slice(-1);
      table = parts.slice(0, -1).join('.') || undefined;
    }
    if (!to || table === undefined) {
      run.script.unknown('references: the names are computed', span);
      return;
    }
    const reference: ReferenceSql = {
      table: quotedPath(table),
      columns: to,
      onDelete: run.text(of('onDelete')),
      onUpdate: run.text(of('onUpdate')),
      name: this.#indexName(name ?? of('withKeyName'), columns, 'foreign', run),
    };
    this.#later([piece('ADD ', span), ...foreignKeySql(columns, reference, span)], span);
  }

  #index(
    columns: readonly string[],
    given: { unique: boolean; name: Value | undefined; options: Value | undefined },
    span: Span,
    run: Run,
  ): void {
    const options = run.value(given.options);
    const method =
      options.kind === 'object'
        ? run.text(run.property(options, 'indexType'))
        : options.kind === 'constant'
          ? run.text(options)
          : undefined;
    const predicate = run.property(options, 'predicate');
    this.#after.push({
      pieces: createIndexSql(
        this.#table,
        {
          name: this.#indexName(given.name, columns, given.unique ? 'unique' : 'index', run),
          unique: given.unique,
          method: method === 'unique' ? undefined : method,
          keys: columns.map(quoted),
          where: predicate && predicateSql(predicate, span, run),
        },
        span,
      ),
      span,
    });
  }

  /** An index on expressions: `table.index([knex.raw('lower(name)')], 'name')`. */
  #rawIndex(args: readonly Value[], span: Span, run: Run): true {
    const keys = (run.items(args[0]) ?? [run.value(args[0])]).map((v) =>
      v.kind === 'constant' ? [piece(quoted(String(v.value)), span)] : rawOf(v, span, run),
    );
    const name = run.text(args[1]) ?? run.text(run.property(args[1], 'indexName'));
    if (keys.some((k) => k === undefined)) {
      run.script.unknown('index: the columns are computed', span);
      return true;
    }
    this.#after.push({
      pieces: [
        piece(`CREATE INDEX ${name === undefined ? '' : quoted(name)} ON ${this.#table} (`, span),
        ...keys.flatMap((k, i) => [...(i > 0 ? [piece(', ', span)] : []), piece('(', span), ...k!, piece(')', span)]),
        piece(')', span),
      ],
      span,
    });
    return true;
  }

  #constraint(definition: readonly Piece[], span: Span): void {
    if (this.#how === 'create') this.#inside.push(definition);
    else this.#later([piece('ADD ', span), ...definition], span);
  }

  #later(action: readonly Piece[], span: Span): void {
    this.#after.push({ pieces: alterTableSql(this.#table, action, span), span });
  }

  /** The table's name without quotes, its schema left out. */
  get #bare(): string {
    return (this.#table.split('.').at(-1) ?? '').replaceAll('"', '');
  }

  get #schema(): string {
    return this.#table.split('.').slice(0, -1).join('.');
  }

  /** The library's own name for an index or constraint that has none. */
  #indexName(given: Value | undefined, columns: readonly string[], kind: string, run: Run): string {
    const own =
      given &&
      (run.text(given) ??
        run.text(run.property(given, 'indexName')) ??
        run.text(run.property(given, 'constraintName')));
    return own ?? `${this.#bare.replace(/[.-]/g, '_')}_${columns.join('_')}_${kind}`.toLowerCase();
  }
}

const nameIn = (args: readonly Value[], run: Run): string | undefined =>
  run.text(args[0]) ?? run.text(run.property(args[0], 'constraintName'));

function keyed(step: Step, run: Run): boolean {
  const off = run.property(step.arguments?.[1] ?? step.arguments?.[0], 'primaryKey');
  return !(off?.kind === 'constant' && off.value === false);
}

/** The value of a default: a literal, or SQL. */
function valueSql(value: Value | undefined, span: Span, run: Run): readonly Piece[] {
  const found = run.value(value);
  const text = literalOf(found);
  if (text !== undefined) return [piece(text, span)];
  const raw = rawOf(value, span, run);
  if (raw) return raw;
  // Objects and lists become JSON; what is in them does not matter to the schema.
  if (found.kind === 'object') return [piece(`'{}'`, span)];
  if (found.kind === 'list') return [piece(`'[]'`, span)];
  return [{ text: '', span, hole: described(found) }];
}

/** `knex.whereNull('x')`, `knex.raw('...')` as the condition of an index. */
function predicateSql(value: Value, span: Span, run: Run): readonly Piece[] {
  const raw = rawOf(value, span, run);
  if (raw) return raw;
  const steps = run.made(value)?.steps ?? [];
  const parts = steps.map((s): string | undefined => {
    const column = run.text(s.arguments?.[0]);
    if (column === undefined) return undefined;
    if (s.name === 'whereNull' || s.name === 'andWhereNull') return `${quoted(column)} IS NULL`;
    if (s.name === 'whereNotNull') return `${quoted(column)} IS NOT NULL`;
    const operand = literalOf(run.value(s.arguments?.[s.arguments.length - 1]));
    const operator = s.arguments?.length === 3 ? run.text(s.arguments[1]) : '=';
    return (s.name === 'where' || s.name === 'andWhere') && operand !== undefined && operator !== undefined
      ? `${quoted(column)} ${operator} ${operand}`
      : undefined;
  });
  return parts.length > 0 && parts.every((p) => p !== undefined)
    ? [piece(parts.join(' AND '), span)]
    : [{ text: '', span, hole: 'the condition of the index' }];
}
