import type { Span, Step, Value } from '@tenant-lint/model';
import {
  alterTableSql,
  checkSql,
  columnSql,
  createIndexSql,
  createTableSql,
  foreignKeySql,
  keySql,
  type ColumnSql,
  type ReferenceSql,
} from '../migration/ddl.js';
import { literalOf, piece, quoted, type Piece } from '../migration/pieces.js';
import { described, type Call, type Run } from '../migration/run.js';
import { dataTypeOf, enumName, enumSql } from './types.js';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Calls that change no schema. */
const silent = new Set(
  [
    'describeTable',
    'showAllTables',
    'showIndex',
    'showAllSchemas',
    'tableExists',
    'getForeignKeysForTables',
    'rawSelect',
  ].concat(['getForeignKeyReferencesForTable', 'catch', 'showConstraint', 'select', 'setAutocommit', 'createDatabase']),
);

/** A call of the query interface as statements. */
export function interfaceCall(step: Step, call: Call, run: Run): void {
  if (silent.has(step.name)) return;
  if (/^(?:bulk|insert|upsert|update|delete|increment)/.test(step.name)) return run.script.pass('data');
  new InterfaceCall(step, call, run).write();
}

interface Named {
  readonly schema?: string;
  readonly name: string;
}

class InterfaceCall {
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
    if (name === 'dropAllTables') return this.#unknown('drops what is there');
    const table = this.#table(first);
    if (!table) return this.#unknown('the name of the table is computed');
    const column = this.#run.text(second);
    const own = quotedName(table);
    switch (name) {
      case 'createTable':
        return this.#createTable(this.#inOptions(table, third), second, third);
      case 'dropTable':
        return this.#sql(`DROP TABLE IF EXISTS ${quotedName(this.#inOptions(table, second))}`);
      case 'renameTable': {
        const to = this.#table(second);
        return to ? this.#alter(own, `RENAME TO ${quoted(to.name)}`) : this.#unknown('the new name is computed');
      }
      case 'addColumn': {
        if (column === undefined) return this.#unknown('the name of the column is computed');
        const made = third && this.#column(table, column, third, this.#span);
        if (!made) return this.#unknown('the column is computed');
        return this.#alter(own, [piece('ADD COLUMN ', this.#span), ...columnSql(made)]);
      }
      case 'removeColumn':
        return column === undefined
          ? this.#unknown('the name of the column is computed')
          : this.#alter(own, `DROP COLUMN ${quoted(column)}`);
      case 'renameColumn': {
        const to = this.#run.text(third);
        return column === undefined || to === undefined
          ? this.#unknown('the names of the column are computed')
          : this.#alter(own, `RENAME COLUMN ${quoted(column)} TO ${quoted(to)}`);
      }
      case 'changeColumn':
        return column === undefined
          ? this.#unknown('the name of the column is computed')
          : this.#changeColumn(table, column, third);
      case 'addConstraint':
        return this.#addConstraint(table, second, third);
      case 'removeConstraint':
        return column === undefined
          ? this.#unknown('the name is computed')
          : this.#alter(own, `DROP CONSTRAINT ${quoted(column)}`);
      case 'addIndex':
        return this.#addIndex(table, second, third);
      case 'removeIndex': {
        const fields = column === undefined ? this.#run.texts(second) : undefined;
        const index = column ?? (fields && indexName(table, fields));
        return index === undefined
          ? this.#unknown('the name is computed')
          : this.#sql(`DROP INDEX ${table.schema === undefined ? '' : `${quoted(table.schema)}.`}${quoted(index)}`);
      }
      case 'createSchema':
        return this.#sql(`CREATE SCHEMA ${quoted(table.name)}`);
      case 'dropSchema':
        return this.#sql(`DROP SCHEMA IF EXISTS ${quoted(table.name)} CASCADE`);
      case 'dropEnum':
        return this.#sql(`DROP TYPE IF EXISTS ${own}`);
      default:
        this.#unknown('was not understood');
    }
  }

  #unknown(why: string): void {
    this.#run.script.unknown(`${this.#step.name}: ${why}`, this.#span);
  }

  #sql(text: string): void {
    this.#run.script.sql([piece(text, this.#span)], this.#span);
  }

  #alter(table: string, action: readonly Piece[] | string): void {
    this.#run.script.sql(alterTableSql(table, action, this.#span), this.#span);
  }

  /** `'name'`, `{ tableName, schema }`. */
  #table(value: Value | undefined): Named | undefined {
    const text = this.#run.text(value);
    if (text !== undefined) return { name: text };
    const name = this.#run.text(this.#run.property(value, 'tableName') ?? this.#run.property(value, 'name'));
    const schema = this.#run.text(this.#run.property(value, 'schema'));
    return name === undefined ? undefined : { name, ...(schema === undefined ? {} : { schema }) };
  }

  #inOptions(table: Named, options: Value | undefined): Named {
    const schema = table.schema ?? this.#run.text(this.#run.property(options, 'schema'));
    return schema === undefined ? table : { ...table, schema };
  }

  #createTable(table: Named, attributes: Value | undefined, options: Value | undefined): void {
    const run = this.#run;
    const entries = run.entries(attributes, this.#span);
    if (!entries) return this.#unknown('the columns are computed');
    const parts: (readonly Piece[])[] = [];
    const primary: string[] = [];
    const grouped = new Map<string, string[]>();
    for (const entry of entries) {
      const made = this.#column(table, entry.name, entry.value, entry.span);
      if (!made) {
        run.script.unknown(`createTable: the column ${entry.name} is computed`, entry.span);
        continue;
      }
      if (made.primary) primary.push(made.name);
      if (typeof made.unique === 'string') grouped.set(made.unique, [...(grouped.get(made.unique) ?? []), made.name]);
      parts.push(columnSql({ ...made, primary: false, unique: made.unique === true }));
    }
    for (const [name, columns] of grouped) parts.push(keySql('UNIQUE', columns, name, this.#span));
    if (primary.length > 0) parts.push(keySql('PRIMARY KEY', primary, undefined, this.#span));
    for (const key of run.entries(run.property(options, 'uniqueKeys'), this.#span) ?? []) {
      const fields = run.texts(run.property(key.value, 'fields'));
      if (fields) parts.push(keySql('UNIQUE', fields, key.name, key.span));
    }
    // The library writes IF NOT EXISTS before every table.
    const ifNotExists = this.#guarded;
    run.script.sql(createTableSql(quotedName(table), parts, { ifNotExists }, this.#span), this.#span);
  }

  /** An attribute: a data type, or an object with one. */
  #column(table: Named, property: string, value: Value, span: Span): ColumnSql | undefined {
    const run = this.#run;
    const found = run.value(value);
    const options = found.kind === 'object' ? found : undefined;
    const type = dataTypeOf(options ? run.property(options, 'type') : found, run);
    if (!type) return undefined;
    const of = (name: string): Value | undefined => options && run.property(options, name);
    const name = run.text(of('field')) ?? property;
    const column: Mutable<ColumnSql> = { name, type: type.type, span };
    if (type.labels) {
      column.type = enumName(table.name, name, table.schema) + (type.array ? '[]' : '');
      run.script.sql([piece(enumSql(enumName(table.name, name, table.schema), type.labels), span)], span);
    }
    if (run.isTrue(of('autoIncrement')))
      column.type = type.type === 'bigint' ? 'bigserial' : type.type === 'smallint' ? 'smallserial' : 'serial';
    const nullable = of('allowNull');
    column.notNull = nullable?.kind === 'constant' && nullable.value === false;
    column.primary = run.isTrue(of('primaryKey'));
    const unique = of('unique');
    column.unique =
      run.text(unique) === 'true'
        ? true
        : (run.text(run.property(unique, 'name')) ??
          (unique?.kind === 'constant' && typeof unique.value === 'string' ? unique.value : undefined));
    const given = of('defaultValue');
    const written = given && this.#default(given, span);
    if (written) column.default = written;
    const references = of('references');
    if (references) column.references = this.#reference(references, of('onDelete'), of('onUpdate'));
    return column;
  }

  #reference(references: Value, onDelete: Value | undefined, onUpdate: Value | undefined): ReferenceSql | undefined {
    const run = this.#run;
    const model = run.property(references, 'model') ?? run.property(references, 'table') ?? references;
    const table = this.#table(model);
    if (!table) {
      this.#unknown('the referenced table is computed');
      return undefined;
    }
    const key = run.texts(
      run.property(references, 'key') ?? run.property(references, 'field') ?? run.property(references, 'fields'),
    );
    return {
      table: quotedName(table),
      columns: key ?? ['id'],
      onDelete: run.text(onDelete),
      onUpdate: run.text(onUpdate),
    };
  }

  /** A default of the database; what the library itself makes for each row is none. */
  #default(value: Value, span: Span): readonly Piece[] | undefined {
    const run = this.#run;
    const found = run.value(value);
    const literal = literalOf(found);
    if (literal !== undefined) return literal === 'NULL' ? undefined : [piece(literal, span)];
    if ('path' in found && found.kind !== 'result') {
      const name = found.path.at(-1) ?? (found.kind === 'import' ? found.name : '');
      if (name === 'NOW') return [piece('CURRENT_TIMESTAMP', span)];
      if (/^UUIDV[14]$/.test(name)) return undefined;
    }
    if (found.kind === 'list') return [piece(`'{}'`, span)];
    if (found.kind === 'object') return [piece(`'{}'`, span)];
    const made = run.made(found);
    const called = made?.steps.find((s) => s.arguments !== undefined);
    const [first] = called?.arguments ?? [];
    if (called?.name === 'literal') return run.sql(first, span);
    if (called?.name === 'fn') {
      const name = run.text(first);
      const args = called.arguments!.slice(1).map((a) => literalOf(run.value(a)));
      if (name !== undefined && args.every((a) => a !== undefined)) return [piece(`${name}(${args.join(', ')})`, span)];
    }
    if (called?.name === 'UUIDV4' || called?.name === 'UUIDV1') return undefined;
    if (called?.name === 'NOW') return [piece('CURRENT_TIMESTAMP', span)];
    return [{ text: '', span, hole: described(found) }];
  }

  #changeColumn(table: Named, name: string, value: Value | undefined): void {
    const made = value && this.#column(table, name, value, this.#span);
    if (!made) return this.#unknown('the column is computed');
    const own = quotedName(table);
    const alter = (action: readonly Piece[]): void =>
      this.#alter(own, [piece(`ALTER COLUMN ${quoted(made.name)} `, this.#span), ...action]);
    alter([piece(made.notNull ? 'SET NOT NULL' : 'DROP NOT NULL', this.#span)]);
    if (made.default) alter([piece('SET DEFAULT ', this.#span), ...made.default]);
    else alter([piece('DROP DEFAULT', this.#span)]);
    if (made.unique)
      this.#alter(own, [
        piece('ADD ', this.#span),
        ...keySql('UNIQUE', [made.name], typeof made.unique === 'string' ? made.unique : undefined, this.#span),
      ]);
    alter([
      piece(
        `TYPE ${made.type.replace(/^(big|small)?serial$/, (_, size?: string) => `${size === 'big' ? 'bigint' : size === 'small' ? 'smallint' : 'integer'}`)}`,
        this.#span,
      ),
    ]);
    if (made.references)
      this.#alter(own, [piece('ADD ', this.#span), ...foreignKeySql([made.name], made.references, this.#span)]);
  }

  /** `addConstraint(table, { fields, type, ... })`, and with the fields apart as in older versions. */
  #addConstraint(table: Named, second: Value | undefined, third: Value | undefined): void {
    const run = this.#run;
    const apart = run.texts(second);
    const options = apart ? third : second;
    const fields = apart ?? run.texts(run.property(options, 'fields'));
    const type = run.text(run.property(options, 'type'))?.toLowerCase();
    const name = run.text(run.property(options, 'name'));
    const add = (definition: readonly Piece[]): void =>
      this.#alter(quotedName(table), [piece('ADD ', this.#span), ...definition]);
    if (type === 'check') return this.#addCheck(options, name, add);
    if (!fields) return this.#unknown('the columns are computed');
    if (type === 'unique')
      return add(keySql('UNIQUE', fields, name ?? `${table.name}_${fields.join('_')}_uk`, this.#span));
    if (type === 'primary key')
      return add(keySql('PRIMARY KEY', fields, name ?? `${table.name}_${fields.join('_')}_pk`, this.#span));
    if (type === 'foreign key') {
      const given = run.property(options, 'references');
      const reference =
        given && this.#reference(given, run.property(options, 'onDelete'), run.property(options, 'onUpdate'));
      return reference
        ? add(foreignKeySql(fields, { ...reference, name }, this.#span))
        : this.#unknown('the reference is computed');
    }
    this.#unknown(`a constraint of type ${type ?? '?'}`);
  }

  #addCheck(options: Value | undefined, name: string | undefined, add: (definition: readonly Piece[]) => void): void {
    const where = this.#run.property(options, 'where');
    const condition = where && this.#where(where);
    if (condition) add(checkSql(condition, name, this.#span));
    else this.#unknown('the condition is computed');
  }

  /** `addIndex(table, fields, options)` and `addIndex(table, { fields, ... })`. */
  #addIndex(table: Named, second: Value | undefined, third: Value | undefined): void {
    const run = this.#run;
    const apart = run.items(second);
    const options = apart ? third : second;
    const items = apart ?? run.items(run.property(options, 'fields'));
    const fields = items?.map((v) => this.#field(v));
    if (!fields || fields.some((f) => f === undefined)) return this.#unknown('the columns are computed');
    const columns = fields.flatMap((f) => f ?? []);
    const where = run.property(options, 'where');
    const condition =
      where && (this.#where(where) ?? [{ text: '', span: this.#span, hole: 'the condition of the index' }]);
    const unique =
      run.isTrue(run.property(options, 'unique')) ||
      run.text(run.property(options, 'type'))?.toUpperCase() === 'UNIQUE';
    const pieces = createIndexSql(
      quotedName(table),
      {
        name:
          run.text(run.property(options, 'name')) ??
          run.text(run.property(options, 'indexName')) ??
          indexName(
            table,
            columns.map((c) => c.name),
          ),
        unique,
        concurrently: run.isTrue(run.property(options, 'concurrently')),
        method: run.text(run.property(options, 'using')),
        keys: columns.map((c) => c.key),
        where: condition,
      },
      this.#span,
    );
    run.script.sql(pieces, this.#span);
  }

  /** `'column'`, `{ name, order }`, `literal('lower(x)')`. */
  #field(value: Value): { key: string; name: string } | undefined {
    const run = this.#run;
    const name = run.text(value) ?? run.text(run.property(value, 'name') ?? run.property(value, 'attribute'));
    if (name !== undefined) return { key: quoted(name), name };
    const called = run.made(value)?.steps.find((s) => s.arguments !== undefined);
    const [first, second] = called?.arguments ?? [];
    const text = run.text(first);
    if (called?.name === 'literal' && text !== undefined) return { key: `(${text})`, name: 'expression' };
    if (called?.name === 'fn' && text !== undefined) {
      const column = run.text(run.made(second)?.steps.find((s) => s.name === 'col')?.arguments?.[0]);
      return column === undefined ? undefined : { key: `(${text}(${quoted(column)}))`, name: column };
    }
    return undefined;
  }

  /** A condition of constants: `{ deleted_at: null, kind: 'a' }`, with the operators that are named. */
  #where(value: Value): readonly Piece[] | undefined {
    const run = this.#run;
    const found = run.value(value);
    if (found.kind !== 'object') {
      const called = run.made(found)?.steps.find((s) => s.arguments !== undefined);
      return called?.name === 'literal' ? run.sql(called.arguments?.[0], this.#span) : undefined;
    }
    const entries = run.entries(found, this.#span);
    const parts = entries?.map((e) => this.#test(e.name, run.value(e.value)));
    return parts?.every((p) => p !== undefined) ? [piece(parts.join(' AND '), this.#span)] : undefined;
  }

  #test(column: string, value: Value): string | undefined {
    const literal = literalOf(value);
    if (literal !== undefined)
      return literal === 'NULL' ? `${quoted(column)} IS NULL` : `${quoted(column)} = ${literal}`;
    const list = value.kind === 'list' ? this.#run.items(value)?.map(literalOf) : undefined;
    if (list?.every((l) => l !== undefined)) return `${quoted(column)} IN (${list.join(', ')})`;
    const entry = value.kind === 'object' ? value.entries[0] : undefined;
    if (!entry || 'spread' in entry) return undefined;
    const operator = 'set' in entry ? entry.set.replace(/^\$/, '') : operatorOf(this.#run.value(entry.computed));
    const given = this.#run.value(entry.value);
    const operand = literalOf(given);
    if (operator === 'ne' || operator === 'not')
      return operand === 'NULL' ? `${quoted(column)} IS NOT NULL` : operand && `${quoted(column)} <> ${operand}`;
    const items = given.kind === 'list' ? this.#run.items(given)?.map(literalOf) : undefined;
    if (operator === 'in' && items?.every((i) => i !== undefined)) return `${quoted(column)} IN (${items.join(', ')})`;
    const sign = ({ eq: '=', gt: '>', gte: '>=', lt: '<', lte: '<=' } as const)[operator as 'eq'];
    return sign === undefined || operand === undefined ? undefined : `${quoted(column)} ${sign} ${operand}`;
  }
}

const operatorOf = (value: Value): string | undefined => ('path' in value ? value.path.at(-1) : undefined);
const quotedName = ({ schema, name }: Named): string =>
  (schema === undefined ? '' : `${quoted(schema)}.`) + quoted(name);
/** The library's own name for an index: the parts in snake case. */
const indexName = (table: Named, fields: readonly string[]): string =>
  [table.name, ...fields]
    .map((p) =>
      p
        .replace(/([a-z\d])([A-Z])/g, '$1_$2')
        .replace(/[-\s.]+/g, '_')
        .toLowerCase(),
    )
    .join('_');
