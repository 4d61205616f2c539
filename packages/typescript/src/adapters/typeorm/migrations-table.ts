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
import { literal, piece, quoted, quotedPath, type Piece } from '../migration/pieces.js';
import { described, type Call, type Run } from '../migration/run.js';

/** Calls of the query runner's table API as statements. */
export function tableCall(step: Step, call: Call, run: Run): void {
  new TableCall(step, call, run).write();
}

/** The options of `new Table({...})`, or the object itself. */
function optionsOf(value: Value | undefined, run: Run): Value | undefined {
  const found = run.value(value);
  return found.kind === 'instance' ? run.value(found.arguments[0]) : found.kind === 'object' ? found : undefined;
}

class TableCall {
  readonly #step: Step;
  readonly #run: Run;
  readonly #guarded: boolean;
  readonly #span: Span;

  constructor(step: Step, call: Call, run: Run) {
    this.#step = step;
    this.#run = run;
    this.#guarded = call.guarded;
    this.#span = { ...call.span, end: step.span.end };
  }

  write(): void {
    const { name, arguments: args = [] } = this.#step;
    const [first, second, third] = args;
    const table = this.#tableName(first);
    if (table === undefined) return this.#unknown('the name of the table is computed');
    const one = (value: Value | undefined, f: (options: Value) => boolean): void => {
      const options = optionsOf(value, this.#run);
      if (!options || !f(options)) this.#unknown('the definition is computed');
    };
    const all = (value: Value | undefined, f: (options: Value) => boolean): void => {
      const items = this.#run.items(value);
      if (!items) return this.#unknown('the definitions are computed');
      for (const item of items) one(item, f);
    };
    switch (name) {
      case 'createTable':
        return one(first, (options) => this.#createTable(table, options, this.#run.isTrue(second)));
      case 'dropTable':
        return this.#sql(`DROP TABLE IF EXISTS ${table}`);
      case 'renameTable': {
        const to = this.#run.text(second);
        return to === undefined
          ? this.#unknown('the new name is computed')
          : this.#alter(table, `RENAME TO ${quoted(last(to))}`);
      }
      case 'addColumn':
        return one(second, (options) => this.#addColumn(table, options));
      case 'addColumns':
        return all(second, (options) => this.#addColumn(table, options));
      case 'dropColumn':
      case 'dropColumns': {
        const found =
          name === 'dropColumn'
            ? [this.#nameIn(second)]
            : (this.#run.items(second) ?? [undefined]).map((c) => this.#nameIn(c));
        for (const column of found)
          if (column === undefined) this.#unknown('the name of the column is computed');
          else this.#alter(table, `DROP COLUMN ${quoted(column)}`);
        return;
      }
      case 'renameColumn': {
        const [from, to] = [this.#nameIn(second), this.#nameIn(third)];
        return from === undefined || to === undefined
          ? this.#unknown('the names of the column are computed')
          : this.#alter(table, `RENAME COLUMN ${quoted(from)} TO ${quoted(to)}`);
      }
      case 'changeColumn': {
        const from = this.#nameIn(second);
        return one(third, (options) => from !== undefined && this.#changeColumn(table, from, options));
      }
      case 'createPrimaryKey': {
        const columns = this.#run.texts(second);
        return columns
          ? this.#add(table, keySql('PRIMARY KEY', columns, undefined, this.#span))
          : this.#unknown('the columns are computed');
      }
      case 'createForeignKey':
        return one(second, (options) => this.#foreignKey(table, options));
      case 'createForeignKeys':
        return all(second, (options) => this.#foreignKey(table, options));
      case 'createIndex':
        return one(second, (options) => this.#index(table, options));
      case 'createIndices':
        return all(second, (options) => this.#index(table, options));
      case 'createUniqueConstraint':
        return one(second, (options) => this.#unique(table, options));
      case 'createUniqueConstraints':
        return all(second, (options) => this.#unique(table, options));
      case 'createCheckConstraint':
        return one(second, (options) => this.#check(table, options));
      case 'dropForeignKey':
      case 'dropUniqueConstraint':
      case 'dropCheckConstraint':
      case 'dropExclusionConstraint':
      case 'dropPrimaryKey': {
        const constraint = this.#nameIn(second) ?? (name === 'dropPrimaryKey' ? `${bare(table)}_pkey` : undefined);
        return constraint === undefined
          ? this.#unknown('the name of the constraint is looked up in the database')
          : this.#alter(table, `DROP CONSTRAINT ${quoted(constraint)}`);
      }
      case 'dropIndex': {
        const index = this.#nameIn(second);
        const schema = table
          .split('.')
          .slice(0, -1)
          .map((s) => `${s}.`)
          .join('');
        return index === undefined
          ? this.#unknown('the name of the index is looked up')
          : this.#sql(`DROP INDEX ${schema}${quoted(index)}`);
      }
      case 'createSchema':
        return this.#sql(`CREATE SCHEMA IF NOT EXISTS ${table}`);
      case 'dropSchema':
        return this.#sql(`DROP SCHEMA IF EXISTS ${table}`);
      case 'clearTable':
        return this.#sql(`TRUNCATE TABLE ${table}`);
      case 'dropView':
        return this.#sql(`DROP VIEW ${table}`);
      case 'createView':
        return one(first, (options) => {
          const text = this.#run.property(options, 'expression');
          if (text?.kind !== 'constant') return false;
          const materialized = this.#run.isTrue(this.#run.property(options, 'materialized')) ? 'MATERIALIZED ' : '';
          this.#pieces([
            piece(`CREATE ${materialized}VIEW ${table} AS `, this.#span),
            ...this.#run.sql(text, this.#span),
          ]);
          return true;
        });
      default:
        this.#unknown('was not understood');
    }
  }

  #unknown(why: string): void {
    this.#run.script.unknown(`${this.#step.name}: ${why}`, this.#span);
  }

  #pieces(pieces: readonly Piece[]): void {
    this.#run.script.sql(pieces, this.#span);
  }

  #sql(text: string): void {
    this.#pieces([piece(text, this.#span)]);
  }

  #alter(table: string, action: readonly Piece[] | string): void {
    this.#pieces(alterTableSql(table, action, this.#span));
  }

  #add(table: string, definition: readonly Piece[]): void {
    this.#alter(table, [piece('ADD ', this.#span), ...definition]);
  }

  /** The quoted name of a table: a text, a Table, or what getTable() found for a text. */
  #tableName(value: Value | undefined): string | undefined {
    const text = this.#run.text(value);
    if (text !== undefined) return quotedPath(text);
    const options = optionsOf(value, this.#run);
    if (options) {
      const name = this.#run.text(this.#run.property(options, 'name'));
      const schema = this.#run.text(this.#run.property(options, 'schema'));
      return name === undefined ? undefined : quotedPath(schema === undefined ? name : `${schema}.${name}`);
    }
    const made = this.#run.made(value);
    const [step] = made?.steps ?? [];
    const asked = step?.name === 'getTable' ? this.#run.text(step.arguments?.[0]) : undefined;
    return asked === undefined ? undefined : quotedPath(asked);
  }

  #nameIn(value: Value | undefined): string | undefined {
    return this.#run.text(value) ?? this.#run.text(this.#run.property(optionsOf(value, this.#run), 'name'));
  }

  #createTable(table: string, options: Value, ifNotExists: boolean): boolean {
    const run = this.#run;
    const columns = run.items(run.property(options, 'columns') ?? { kind: 'list', of: [] });
    if (!columns) return false;
    const before = this.#enums;
    const defined = columns.map((c) => ({ options: optionsOf(c, run), column: this.#column(table, c) }));
    if (defined.some((d) => d.column === undefined)) return false;
    for (const text of this.#enums.slice(before.length)) this.#sql(text);
    const primary = defined.flatMap((d) =>
      run.isTrue(run.property(d.options, 'isPrimary')) && d.column ? [d.column.name] : [],
    );
    const parts: (readonly Piece[])[] = defined.flatMap((d) => (d.column ? [columnSql(d.column)] : []));
    if (primary.length > 0) {
      const name = run.text(run.property(defined[0]?.options, 'primaryKeyConstraintName'));
      parts.push(keySql('PRIMARY KEY', primary, name, this.#span));
    }
    const list = (name: string): readonly Value[] => run.items(run.property(options, name)) ?? [];
    for (const u of list('uniques')) {
      const unique = this.#uniqueSql(optionsOf(u, run));
      if (unique) parts.push(unique);
      else this.#unknown('a unique constraint is computed');
    }
    for (const c of list('checks')) {
      const check = this.#checkSql(optionsOf(c, run));
      if (check) parts.push(check);
    }
    for (const f of list('foreignKeys')) {
      const key = this.#foreignKeySql(optionsOf(f, run));
      if (key) parts.push(key);
      else this.#unknown('a foreign key is computed');
    }
    this.#pieces(createTableSql(table, parts, { ifNotExists: ifNotExists || this.#guarded }, this.#span));
    for (const i of list('indices')) {
      const index = optionsOf(i, run);
      if (!index || !this.#index(table, index)) this.#unknown('an index is computed');
    }
    return true;
  }

  #enums: string[] = [];

  #column(table: string, value: Value): ColumnSql | undefined {
    const run = this.#run;
    const options = optionsOf(value, run);
    const text = (name: string): string | undefined => run.text(run.property(options, name));
    const is = (name: string): boolean => run.isTrue(run.property(options, name));
    const name = text('name');
    const type = text('type');
    if (!options || name === undefined || type === undefined) return undefined;
    const span = options.kind === 'object' && options.span ? options.span : this.#span;
    const strategy = is('isGenerated') ? (text('generationStrategy') ?? 'increment') : undefined;
    const length = text('length') ?? '';
    const [precision, scale] = [text('precision'), text('scale')];
    const size =
      length !== ''
        ? `(${length})`
        : precision !== undefined
          ? `(${precision}${scale === undefined ? '' : `, ${scale}`})`
          : '';
    const given = run.property(options, 'default');
    const values = run.texts(run.property(options, 'enum'));
    const enumName = quotedPath(text('enumName') ?? `${bare(table)}_${name}_enum`);
    if ((type === 'enum' || type === 'simple-enum') && values)
      this.#enums = [...this.#enums, `CREATE TYPE ${enumName} AS ENUM (${values.map(literal).join(', ')})`];
    const base =
      type === 'enum' || type === 'simple-enum'
        ? enumName
        : strategy === 'increment'
          ? /^big|^int8/.test(type)
            ? 'bigserial'
            : /^small|^int2/.test(type)
              ? 'smallserial'
              : 'serial'
          : sized(type, size);
    const expression = run.property(options, 'asExpression');
    const identity =
      strategy === 'identity' ? (text('generatedIdentity') === 'ALWAYS' ? 'always' : 'by default') : undefined;
    return {
      name,
      type: base + (is('isArray') ? '[]' : ''),
      notNull: !is('isNullable') && strategy !== 'increment' ? true : is('isPrimary'),
      ...(strategy === 'uuid' ? { default: [piece('uuid_generate_v4()', span)] } : {}),
      ...(given && given.kind !== 'undefined' && !(given.kind === 'constant' && given.value === null)
        ? { default: this.#default(given, span) }
        : {}),
      ...(expression ? { generated: run.sql(expression, span) } : {}),
      ...(identity ? { identity } : {}),
      unique: is('isUnique'),
      span,
    };
  }

  /** Defaults are SQL text. */
  #default(value: Value, span: Span): readonly Piece[] {
    if (value.kind === 'constant') return [piece(String(value.value), span)];
    const made = this.#run.value(value);
    return made.kind === 'constant' ? [piece(String(made.value), span)] : [{ text: '', span, hole: described(made) }];
  }

  #addColumn(table: string, options: Value): boolean {
    const before = this.#enums;
    const column = this.#column(table, options);
    if (!column) return false;
    for (const text of this.#enums.slice(before.length)) this.#sql(text);
    this.#add(table, [piece('COLUMN ', this.#span), ...columnSql(column)]);
    if (this.#run.isTrue(this.#run.property(options, 'isPrimary')))
      this.#add(table, keySql('PRIMARY KEY', [column.name], undefined, this.#span));
    return true;
  }

  #changeColumn(table: string, from: string, options: Value): boolean {
    const column = this.#column(table, options);
    if (!column) return false;
    if (from !== column.name) this.#alter(table, `RENAME COLUMN ${quoted(from)} TO ${quoted(column.name)}`);
    const alter = (action: readonly Piece[]): void =>
      this.#alter(table, [piece(`ALTER COLUMN ${quoted(column.name)} `, this.#span), ...action]);
    alter([piece(`TYPE ${column.type}`, this.#span)]);
    alter([piece(column.notNull ? 'SET NOT NULL' : 'DROP NOT NULL', this.#span)]);
    if (column.default) alter([piece('SET DEFAULT ', this.#span), ...column.default]);
    if (column.unique) this.#add(table, keySql('UNIQUE', [column.name], undefined, this.#span));
    return true;
  }

  #foreignKeySql(options: Value | undefined): readonly Piece[] | undefined {
    const run = this.#run;
    const columns = run.texts(run.property(options, 'columnNames'));
    const referenced = run.texts(run.property(options, 'referencedColumnNames'));
    const table = run.text(run.property(options, 'referencedTableName'));
    if (!options || !columns || !referenced || table === undefined) return undefined;
    const schema = run.text(run.property(options, 'referencedSchema'));
    const to: ReferenceSql = {
      table: quotedPath(schema === undefined ? table : `${schema}.${table}`),
      columns: referenced,
      onDelete: run.text(run.property(options, 'onDelete')),
      onUpdate: run.text(run.property(options, 'onUpdate')),
      name: run.text(run.property(options, 'name')),
    };
    return foreignKeySql(columns, to, spanOf(options) ?? this.#span);
  }

  #foreignKey(table: string, options: Value): boolean {
    const key = this.#foreignKeySql(options);
    if (key) this.#add(table, key);
    return key !== undefined;
  }

  #uniqueSql(options: Value | undefined): readonly Piece[] | undefined {
    const columns = this.#run.texts(this.#run.property(options, 'columnNames'));
    return (
      columns &&
      keySql(
        'UNIQUE',
        columns,
        this.#run.text(this.#run.property(options, 'name')),
        (options && spanOf(options)) ?? this.#span,
      )
    );
  }

  #unique(table: string, options: Value): boolean {
    const unique = this.#uniqueSql(options);
    if (unique) this.#add(table, unique);
    return unique !== undefined;
  }

  #checkSql(options: Value | undefined): readonly Piece[] | undefined {
    const expression = this.#run.property(options, 'expression');
    return (
      expression &&
      checkSql(this.#run.sql(expression, this.#span), this.#run.text(this.#run.property(options, 'name')), this.#span)
    );
  }

  #check(table: string, options: Value): boolean {
    const check = this.#checkSql(options);
    if (check) this.#add(table, check);
    return check !== undefined;
  }

  #index(table: string, options: Value): boolean {
    const run = this.#run;
    const columns = run.texts(run.property(options, 'columnNames'));
    if (!columns) return false;
    const where = run.property(options, 'where');
    const span = spanOf(options) ?? this.#span;
    const index = {
      name: run.text(run.property(options, 'name')) ?? `IDX_${bare(table)}_${columns.join('_')}`,
      unique: run.isTrue(run.property(options, 'isUnique')),
      method: run.isTrue(run.property(options, 'isSpatial')) ? 'gist' : undefined,
      keys: [names(columns)],
      where: where && (run.text(where) ?? '') !== '' ? run.sql(where, span) : undefined,
    };
    run.script.sql(createIndexSql(table, index, span), span);
    return true;
  }
}

const spanOf = (value: Value): Span | undefined => ('span' in value ? value.span : undefined);
const last = (name: string): string => name.split('.').at(-1) ?? name;
const bare = (table: string): string => (table.split('.').at(-1) ?? '').replaceAll('"', '');

/** `timestamp with time zone` has its precision in the middle. */
const sized = (type: string, size: string): string =>
  /^(timestamp|time)\b(.*)$/.test(type) ? type.replace(/^(timestamp|time)\b/, `$1${size}`) : type + size;
