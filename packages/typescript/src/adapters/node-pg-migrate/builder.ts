import { propertyOf, type FileFacts, type Span, type Step, type Value } from '@tenant-lint/model';
import { alterTableSql, createTableSql, names } from '../migration/ddl.js';
import { joined, piece, quoted, type Piece } from '../migration/pieces.js';
import type { Call, Run } from '../migration/run.js';
import { idOf, literalName, literalSql, textSql, valueSql, type Name } from './names.js';

const shorthands: Readonly<Record<string, string>> = {
  int: 'integer',
  string: 'text',
  float: 'real',
  double: 'double precision',
  datetime: 'timestamp',
  bool: 'boolean',
};

/** Calls that make and change tables, indexes and policies. */
export class Builder {
  readonly #step: Step;
  readonly #run: Run;
  readonly #span: Span;
  readonly #guarded: boolean;
  readonly #facts: FileFacts;

  constructor(step: Step, call: Call, run: Run, facts: FileFacts) {
    this.#step = step;
    this.#run = run;
    this.#span = { ...call.span, end: step.span.end };
    this.#guarded = call.guarded;
    this.#facts = facts;
  }

  /** False if the call is none of these. */
  write(): boolean {
    const { name, arguments: args = [] } = this.#step;
    const method = methods[name];
    if (!method) return false;
    const table = idOf(args[0], this.#run);
    if (!table) this.#unknown('the name of the table is computed');
    else method(this, literalName(table), args, table);
    return true;
  }

  #unknown(why: string): void {
    this.#run.script.unknown(`${this.#step.name}: ${why}`, this.#span);
  }

  #pieces(pieces: readonly Piece[]): void {
    this.#run.script.sql(pieces, this.#span);
  }

  sql(text: string): void {
    this.#pieces([piece(text, this.#span)]);
  }

  alter(table: string, action: readonly Piece[] | string): void {
    this.#pieces(alterTableSql(table, action, this.#span));
  }

  /** An action on a name that is given. */
  named(value: Value | undefined, f: (name: string) => void): void {
    const id = idOf(value, this.#run);
    if (id) f(quoted(id.name));
    else this.#unknown('the name is computed');
  }

  flag(options: Value | undefined, name: string, text: string): string {
    return this.#run.isTrue(this.#run.property(options, name)) ? text : '';
  }

  createTable(table: string, args: readonly Value[], own: Name): void {
    const [, columns, options] = args;
    const run = this.#run;
    const made = this.#columns(columns);
    if (!made) return;
    const parts = [...made.columns];
    if (made.primary.length > 1)
      parts.push([piece(`CONSTRAINT ${quoted(`${own.name}_pkey`)} PRIMARY KEY (${names(made.primary)})`, this.#span)]);
    const constraints = run.property(options, 'constraints');
    if (constraints) parts.push(...this.#constraints(own, constraints, undefined));
    const like = run.property(options, 'like');
    const liked = like && idOf(run.property(like, 'table') ?? like, run);
    if (liked) parts.push([piece(`LIKE ${literalName(liked)}`, this.#span)]);
    const inherits = idOf(run.property(options, 'inherits'), run);
    const end = inherits ? [piece(` INHERITS (${literalName(inherits)})`, this.#span)] : [];
    const ifNotExists = this.#guarded || run.isTrue(run.property(options, 'ifNotExists'));
    const temporary = run.isTrue(run.property(options, 'temporary'));
    this.#pieces(createTableSql(table, parts, { ifNotExists, temporary, end }, this.#span));
  }

  addColumns(table: string, args: readonly Value[]): void {
    const made = this.#columns(args[1]);
    const add = `ADD COLUMN ${this.flag(args[2], 'ifNotExists', 'IF NOT EXISTS ')}`;
    for (const column of made?.columns ?? []) this.alter(table, [piece(add, this.#span), ...column]);
  }

  dropColumns(table: string, args: readonly Value[]): void {
    const run = this.#run;
    const list = run.texts(args[1]) ?? run.entries(args[1], this.#span)?.map((e) => e.name);
    if (!list) return this.#unknown('the columns are computed');
    for (const column of list)
      this.alter(
        table,
        `DROP COLUMN ${this.flag(args[2], 'ifExists', 'IF EXISTS ')}${quoted(column)}${this.flag(args[2], 'cascade', ' CASCADE')}`,
      );
  }

  #columns(value: Value | undefined): { columns: (readonly Piece[])[]; primary: string[] } | undefined {
    const entries = this.#run.entries(value, this.#span);
    if (!entries) {
      this.#unknown('the columns are computed');
      return undefined;
    }
    const read = entries.map((e) => ({ ...e, options: this.#options(e.value, 0) }));
    const primary = read.flatMap((e) => (this.#run.isTrue(e.options['primaryKey']) ? [e.name] : []));
    const columns = read.flatMap((e): (readonly Piece[])[] => {
      const column = this.#column(e.name, e.options, primary.length > 1, e.span);
      return column ? [column] : [];
    });
    return { columns, primary };
  }

  /** The options of a column: shorthands of the library and of the file's `shorthands` are read through. */
  #options(value: Value | undefined, depth: number): Readonly<Record<string, Value | undefined>> {
    const run = this.#run;
    const text = run.text(value);
    if (text !== undefined) return this.#shorthand(text, {}, depth);
    const entries = run.entries(value, this.#span);
    if (!entries) return {};
    const own = Object.fromEntries(entries.map((e) => [e.name, run.value(e.value)]));
    const type = run.text(own['type']);
    return type === undefined ? own : this.#shorthand(type, own, depth);
  }

  #shorthand(
    type: string,
    own: Readonly<Record<string, Value>>,
    depth: number,
  ): Readonly<Record<string, Value | undefined>> {
    const declared = this.#facts.exports.find((e) => e.name === 'shorthands' && 'local' in e);
    const all = declared && 'local' in declared ? this.#facts.bindings[declared.local] : undefined;
    const found = all && depth < 5 ? this.#run.property(all, type) : undefined;
    if (found) return { ...this.#options(found, depth + 1), ...without(own, 'type') };
    const constant = (text: string): Value => ({ kind: 'constant', value: text });
    if (type === 'id') return { ...own, type: constant('serial'), primaryKey: { kind: 'constant', value: true } };
    return { ...own, type: constant(Object.hasOwn(shorthands, type) ? shorthands[type]! : type) };
  }

  #column(
    name: string,
    options: Readonly<Record<string, Value | undefined>>,
    compound: boolean,
    span: Span,
  ): readonly Piece[] | undefined {
    const run = this.#run;
    const type = idOf(options['type'], run);
    if (!type) {
      run.script.unknown(`${this.#step.name}: the type of ${name} is computed`, span);
      return undefined;
    }
    const is = (option: string): boolean => run.isTrue(options[option]);
    const text = (t: string): Piece => piece(t, span);
    const array = options['array']?.kind === 'constant' && options['array'].value !== false ? '[]' : '';
    const { default: given, check, references, expressionGenerated: generated } = options;
    const identity = run.text(run.property(options['sequenceGenerated'], 'precedence'));
    return [
      text(`${quoted(name)} ${type.schema === undefined ? type.name : literalName(type)}${array}`),
      ...(given && given.kind !== 'undefined' ? [text(' DEFAULT '), ...valueSql(given, span, run)] : []),
      text(
        `${is('unique') ? ' UNIQUE' : ''}${is('primaryKey') && !compound ? ' PRIMARY KEY' : ''}${is('notNull') ? ' NOT NULL' : ''}`,
      ),
      ...(check ? [text(' CHECK ('), ...textSql(check, span, run), text(')')] : []),
      ...(references
        ? [
            text(' '),
            ...this.#references(
              references,
              {
                kind: 'object',
                entries: Object.entries(options).flatMap(([set, value]) => (value ? [{ set, value }] : [])),
              },
              run.text(options['referencesConstraintName']),
              span,
            ),
          ]
        : []),
      text(identity === undefined ? '' : ` GENERATED ${identity} AS IDENTITY`),
      ...(generated ? [text(' GENERATED ALWAYS AS ('), ...textSql(generated, span, run), text(') STORED')] : []),
    ];
  }

  #references(references: Value, options: Value, name: string | undefined, span: Span): readonly Piece[] {
    const run = this.#run;
    const onDelete = run.text(propertyOf(options, 'onDelete'));
    const onUpdate = run.text(propertyOf(options, 'onUpdate'));
    const id = idOf(references, run);
    const target =
      id === undefined ? undefined : id.schema === undefined && /^"|\)$/.test(id.name) ? id.name : literalName(id);
    return [
      piece(name === undefined ? 'REFERENCES ' : `CONSTRAINT ${quoted(name)} REFERENCES `, span),
      target === undefined ? { text: '', span, hole: 'the referenced table' } : piece(target, span),
      piece(
        `${onDelete === undefined ? '' : ` ON DELETE ${onDelete}`}${onUpdate === undefined ? '' : ` ON UPDATE ${onUpdate}`}`,
        span,
      ),
    ];
  }

  /** Constraints as options: check, unique, primaryKey, foreignKeys, exclude. */
  #constraints(table: Name, options: Value, given: string | undefined): (readonly Piece[])[] {
    const run = this.#run;
    const span = this.#span;
    const of = (name: string): Value | undefined => run.property(options, name);
    const named = (suffix: string): Piece => piece(`CONSTRAINT ${quoted(given ?? `${table.name}${suffix}`)} `, span);
    const out: (readonly Piece[])[] = [];
    const check = of('check');
    if (check) {
      const many = run.items(check);
      (many ?? [check]).forEach((c, i) =>
        out.push([
          named(many ? `_chck_${i + 1}` : '_chck'),
          piece('CHECK (', span),
          ...textSql(c, span, run),
          piece(')', span),
        ]),
      );
    }
    const unique = of('unique');
    if (unique) {
      const one = run.texts(unique);
      const sets = one ? [one] : (run.items(unique) ?? []).map((u) => run.texts(u));
      for (const set of sets)
        if (set) out.push([named(`_uniq_${set.join('_')}`), piece(`UNIQUE (${names(set)})`, span)]);
        else this.#unknown('a unique constraint is computed');
    }
    const primary = of('primaryKey');
    const key = primary && run.texts(primary);
    if (key) out.push([named('_pkey'), piece(`PRIMARY KEY (${names(key)})`, span)]);
    const foreign = of('foreignKeys');
    for (const f of foreign ? (run.items(foreign) ?? [foreign]) : []) {
      const columns = run.texts(run.property(f, 'columns'));
      const references = run.property(f, 'references');
      if (!columns || !references) {
        this.#unknown('a foreign key is computed');
        continue;
      }
      const own =
        run.text(run.property(f, 'referencesConstraintName')) ?? given ?? `${table.name}_fk_${columns.join('_')}`;
      out.push([
        piece(`CONSTRAINT ${quoted(own)} FOREIGN KEY (${names(columns)}) `, span),
        ...this.#references(references, run.value(f), undefined, span),
      ]);
    }
    const exclude = of('exclude');
    if (exclude) out.push([named('_excl'), piece('EXCLUDE ', span), ...textSql(exclude, span, run)]);
    return out;
  }

  addConstraint(table: string, args: readonly Value[], own: Name): void {
    const run = this.#run;
    const name = run.text(args[1]);
    const expression = run.value(args[2]);
    if (expression.kind === 'object') {
      for (const definition of this.#constraints(own, expression, name))
        this.alter(table, [piece('ADD ', this.#span), ...definition]);
    } else {
      const label = name === undefined ? '' : `CONSTRAINT ${quoted(name)} `;
      this.alter(table, [piece(`ADD ${label}`, this.#span), ...textSql(args[2], this.#span, run)]);
    }
  }

  alterColumn(table: string, args: readonly Value[]): void {
    const run = this.#run;
    const span = this.#span;
    this.named(args[1], (column) => {
      const of = (name: string): Value | undefined => run.property(args[2], name);
      const alter = (action: readonly Piece[]): void =>
        this.alter(table, [piece(`ALTER COLUMN ${column} `, span), ...action]);
      const given = of('default');
      if (given)
        alter(
          given.kind === 'constant' && given.value === null
            ? [piece('DROP DEFAULT', span)]
            : [piece('SET DEFAULT ', span), ...valueSql(given, span, run)],
        );
      const type = of('type');
      if (type) {
        const using = of('using');
        const text = run.text(type);
        const written = text !== undefined && Object.hasOwn(shorthands, text) ? shorthands[text]! : text;
        alter([
          piece('TYPE ', span),
          ...(written === undefined ? textSql(type, span, run) : [piece(written, span)]),
          ...(using ? [piece(' USING ', span), ...textSql(using, span, run)] : []),
        ]);
      }
      const notNull = of('notNull');
      const allow = of('allowNull');
      if (notNull?.kind === 'constant' || allow?.kind === 'constant') {
        const on =
          notNull?.kind === 'constant' ? notNull.value === true : allow?.kind === 'constant' && allow.value === false;
        alter([piece(on ? 'SET NOT NULL' : 'DROP NOT NULL', span)]);
      }
    });
  }

  alterTable(table: string, args: readonly Value[]): void {
    const level = this.#run.text(this.#run.property(args[1], 'levelSecurity'));
    if (level !== undefined) return this.alter(table, `${level} ROW LEVEL SECURITY`);
    if (this.#run.property(args[1], 'unlogged')) return this.#run.script.pass('storage');
    this.#unknown('the change is computed');
  }

  createIndex(table: string, args: readonly Value[], own: Name): void {
    const run = this.#run;
    const [, given, options] = args;
    const items = run.items(given) ?? [run.value(given)];
    const keys = items.map((v) => this.#key(v));
    if (keys.some((k) => k === undefined)) return this.#unknown('the columns are computed');
    const unique = run.isTrue(run.property(options, 'unique'));
    const name =
      idOf(run.property(options, 'name'), run)?.name ??
      indexName(
        own,
        keys.map((k) => k?.name ?? ''),
        unique,
      );
    const method = run.text(run.property(options, 'method'));
    const include = run.texts(run.property(options, 'include'));
    const where = run.property(options, 'where');
    const nulls = run.text(run.property(options, 'nulls'));
    const text = (t: string): Piece => piece(t, this.#span);
    this.#pieces([
      text(
        `CREATE ${unique ? 'UNIQUE ' : ''}INDEX ${this.flag(options, 'concurrently', 'CONCURRENTLY ')}` +
          `${this.flag(options, 'ifNotExists', 'IF NOT EXISTS ')}${quoted(name)} ON ${table}${method === undefined ? '' : ` USING ${method}`} (`,
      ),
      ...joined(
        keys.map((k) => k?.pieces ?? []),
        ', ',
        this.#span,
      ),
      text(
        `)${include ? ` INCLUDE (${names(include)})` : ''}${nulls === undefined ? '' : ` NULLS ${nulls.toUpperCase()}`}`,
      ),
      ...(where ? [text(' WHERE '), ...textSql(where, this.#span, run)] : []),
    ]);
  }

  #key(value: Value): { name: string; pieces: readonly Piece[] } | undefined {
    const run = this.#run;
    const raw = literalSql(value, this.#span, run);
    if (raw) return { name: '', pieces: raw };
    const name = run.text(value) ?? run.text(run.property(value, 'name'));
    if (name === undefined) return undefined;
    const sort = run.text(run.property(value, 'sort'));
    const opclass = idOf(run.property(value, 'opclass'), run);
    // What is no plain name is an expression.
    const written = /[^\w".]/.test(name) ? name : quoted(name);
    const rest = `${opclass ? ` ${literalName(opclass)}` : ''}${sort === undefined ? '' : ` ${sort}`}`;
    return { name, pieces: [piece(written + rest, this.#span)] };
  }

  dropIndex(_: string, args: readonly Value[], own: Name): void {
    const run = this.#run;
    const [, given, options] = args;
    const columns = (run.items(given) ?? [run.value(given)]).map(
      (v) => run.text(v) ?? run.text(run.property(v, 'name')),
    );
    const explicit = idOf(run.property(options, 'name'), run)?.name;
    if (explicit === undefined && columns.some((c) => c === undefined)) return this.#unknown('the name is computed');
    const name =
      explicit ??
      indexName(
        own,
        columns.map((c) => c ?? ''),
        run.isTrue(run.property(options, 'unique')),
      );
    const schema = own.schema === undefined ? '' : `${quoted(own.schema)}.`;
    this.sql(
      `DROP INDEX ${this.flag(options, 'ifExists', 'IF EXISTS ')}${schema}${quoted(name)}${this.flag(options, 'cascade', ' CASCADE')}`,
    );
  }

  policy(table: string, args: readonly Value[], verb: 'CREATE' | 'ALTER'): void {
    const run = this.#run;
    const [, name, options] = args;
    this.named(name, (policy) => {
      const roles = run.texts(run.property(options, 'role')) ?? (verb === 'CREATE' ? ['PUBLIC'] : []);
      const command = run.text(run.property(options, 'command')) ?? 'ALL';
      const [using, check] = ['using', 'check'].map((n) => run.property(options, n));
      const text = (t: string): Piece => piece(t, this.#span);
      this.#pieces([
        text(
          `${verb} POLICY ${policy} ON ${table}${verb === 'CREATE' ? ` FOR ${command}` : ''}${roles.length > 0 ? ` TO ${roles.join(', ')}` : ''}`,
        ),
        ...(using ? [text(' USING ('), ...textSql(using, this.#span, run), text(')')] : []),
        ...(check ? [text(' WITH CHECK ('), ...textSql(check, this.#span, run), text(')')] : []),
      ]);
    });
  }
}

type Method = (b: Builder, table: string, args: readonly Value[], own: Name) => void;

const methods: Readonly<Record<string, Method>> = {
  createTable: (b, table, args, own) => b.createTable(table, args, own),
  dropTable: (b, table, args) =>
    b.sql(`DROP TABLE ${b.flag(args[1], 'ifExists', 'IF EXISTS ')}${table}${b.flag(args[1], 'cascade', ' CASCADE')}`),
  renameTable: (b, table, args) => b.named(args[1], (to) => b.alter(table, `RENAME TO ${to}`)),
  alterTable: (b, table, args) => b.alterTable(table, args),
  addColumn: (b, table, args) => b.addColumns(table, args),
  addColumns: (b, table, args) => b.addColumns(table, args),
  dropColumn: (b, table, args) => b.dropColumns(table, args),
  dropColumns: (b, table, args) => b.dropColumns(table, args),
  renameColumn: (b, table, args) =>
    b.named(args[1], (from) => b.named(args[2], (to) => b.alter(table, `RENAME COLUMN ${from} TO ${to}`))),
  alterColumn: (b, table, args) => b.alterColumn(table, args),
  addConstraint: (b, table, args, own) => b.addConstraint(table, args, own),
  createConstraint: (b, table, args, own) => b.addConstraint(table, args, own),
  dropConstraint: (b, table, args) =>
    b.named(args[1], (c) =>
      b.alter(
        table,
        `DROP CONSTRAINT ${b.flag(args[2], 'ifExists', 'IF EXISTS ')}${c}${b.flag(args[2], 'cascade', ' CASCADE')}`,
      ),
    ),
  renameConstraint: (b, table, args) =>
    b.named(args[1], (from) => b.named(args[2], (to) => b.alter(table, `RENAME CONSTRAINT ${from} TO ${to}`))),
  createIndex: (b, table, args, own) => b.createIndex(table, args, own),
  addIndex: (b, table, args, own) => b.createIndex(table, args, own),
  dropIndex: (b, table, args, own) => b.dropIndex(table, args, own),
  createPolicy: (b, table, args) => b.policy(table, args, 'CREATE'),
  alterPolicy: (b, table, args) => b.policy(table, args, 'ALTER'),
  dropPolicy: (b, table, args) =>
    b.named(args[1], (p) => b.sql(`DROP POLICY ${b.flag(args[2], 'ifExists', 'IF EXISTS ')}${p} ON ${table}`)),
  renamePolicy: (b, table, args) =>
    b.named(args[1], (from) => b.named(args[2], (to) => b.sql(`ALTER POLICY ${from} ON ${table} RENAME TO ${to}`))),
};

const indexName = (table: Name, columns: readonly string[], unique: boolean): string =>
  `${table.name}_${columns.join('_')}${unique ? '_unique' : ''}_index`;

function without(object: Readonly<Record<string, Value>>, name: string): Record<string, Value> {
  const { [name]: _, ...rest } = object;
  return rest;
}
