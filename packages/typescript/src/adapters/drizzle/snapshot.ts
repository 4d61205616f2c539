import { createHash } from 'node:crypto';
import type TS from 'typescript';
import { lineStartsOf, type FileFacts, type Span } from '@tenant-lint/model';
import { loadTypescript, ts } from '../../extract/typescript.js';
import {
  alterTableSql,
  checkSql,
  columnSql,
  createIndexSql,
  createTableSql,
  foreignKeySql,
  keySql,
  type ColumnSql,
} from '../migration/ddl.js';
import { literal, piece, quoted, type Piece } from '../migration/pieces.js';
import { Script } from '../migration/script.js';

/**
 * Facts of a snapshot that Drizzle's kit keeps of a schema (`meta/0003_snapshot.json`), with places in the JSON. A snapshot is a state, as a
 * dump is. Never throws: what is no snapshot for PostgreSQL is unchecked.
 */
export function extractDrizzleSnapshot(text: string, { file }: { readonly file: string }): FileFacts {
  const script = new Script(file);
  const whole: Span = { file, start: 0, end: text.length };
  const root = read(text, file);
  const dialect = root?.text('dialect');
  if (!root || root.text('version') === undefined) script.unknown('not a snapshot of Drizzle', whole);
  else if (dialect !== undefined && dialect !== 'postgresql' && dialect !== 'pg')
    script.unchecked.push({ file, reason: `dialect:${dialect}` });
  else writeSnapshot(root, script);
  return {
    file,
    hash: createHash('sha256').update(text).digest('hex').slice(0, 16),
    dialect: 'postgres',
    lineStarts: lineStartsOf(text),
    directives: [],
    imports: [],
    exports: [],
    bindings: {},
    classes: [],
    functions: [],
    chains: [],
    schema: script.events,
    queries: [],
    unchecked: script.unchecked,
    sql: { role: 'dump', roleReason: 'Drizzle snapshot', statements: script.statements },
  };
}

/** An object of the JSON with its place. */
class Entry {
  readonly span: Span;
  readonly #node: TS.Expression;
  readonly #file: string;

  constructor(node: TS.Expression, span: Span, file: string) {
    this.#node = node;
    this.span = span;
    this.#file = file;
  }

  #property(name: string): TS.Expression | undefined {
    return this.entries().find((e) => e.name === name)?.node;
  }

  entries(): readonly { readonly name: string; readonly node: TS.Expression; readonly span: Span }[] {
    if (!ts.isObjectLiteralExpression(this.#node)) return [];
    return this.#node.properties.flatMap((p) =>
      ts.isPropertyAssignment(p) && ts.isStringLiteral(p.name)
        ? [
            {
              name: p.name.text,
              node: p.initializer,
              span: { file: this.#file, start: p.name.end - p.name.text.length - 2, end: p.end },
            },
          ]
        : [],
    );
  }

  /** The objects in a property that is an object of objects. */
  children(name: string): readonly Entry[] {
    const node = this.#property(name);
    return node
      ? new Entry(node, this.span, this.#file).entries().map((e) => new Entry(e.node, e.span, this.#file))
      : [];
  }

  child(name: string): Entry | undefined {
    const node = this.#property(name);
    return node && ts.isObjectLiteralExpression(node) ? new Entry(node, this.span, this.#file) : undefined;
  }

  list(name: string): readonly Entry[] {
    const node = this.#property(name);
    return node && ts.isArrayLiteralExpression(node)
      ? node.elements.map((e) => new Entry(e, this.span, this.#file))
      : [];
  }

  get own(): string | undefined {
    const node = this.#node;
    if (ts.isStringLiteral(node) || ts.isNumericLiteral(node)) return node.text;
    if (node.kind === ts.SyntaxKind.TrueKeyword) return 'true';
    return node.kind === ts.SyntaxKind.FalseKeyword ? 'false' : undefined;
  }

  text(name: string): string | undefined {
    const node = this.#property(name);
    return node && new Entry(node, this.span, this.#file).own;
  }

  texts(name: string): readonly string[] {
    return this.list(name).flatMap((e) => e.own ?? []);
  }

  is(name: string): boolean {
    return this.text(name) === 'true';
  }
}

function read(text: string, file: string): Entry | undefined {
  loadTypescript();
  try {
    const [statement] = ts.parseJsonText(file, text).statements;
    const root = statement?.expression;
    return root && ts.isObjectLiteralExpression(root)
      ? new Entry(root, { file, start: 0, end: text.length }, file)
      : undefined;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return undefined;
  }
}

const nameOf = (entry: Entry, schemaKey = 'schema', nameKey = 'name'): string => {
  const schema = entry.text(schemaKey);
  return (schema === undefined || schema === '' ? '' : `${quoted(schema)}.`) + quoted(entry.text(nameKey) ?? '');
};

function writeSnapshot(root: Entry, script: Script): void {
  const sql = (text: string, span: Span): void => script.sql([piece(text, span)], span);
  for (const schema of root.child('schemas')?.entries() ?? [])
    sql(`CREATE SCHEMA IF NOT EXISTS ${quoted(schema.name)}`, schema.span);
  for (const role of root.children('roles')) {
    const options = `${role.is('createDb') ? ' CREATEDB' : ''}${role.is('createRole') ? ' CREATEROLE' : ''}`;
    sql(`CREATE ROLE ${quoted(role.text('name') ?? '')}${options}`, role.span);
  }
  for (const one of root.children('enums'))
    sql(`CREATE TYPE ${nameOf(one)} AS ENUM (${one.texts('values').map(literal).join(', ')})`, one.span);
  const tables = root.children('tables');
  for (const table of tables) writeTable(table, script);
  // References, policies and views may name any table.
  for (const table of tables) {
    for (const key of table.children('foreignKeys')) {
      const reference = {
        table: nameOf(key, 'schemaTo', 'tableTo'),
        columns: key.texts('columnsTo'),
        onDelete: key.text('onDelete'),
        onUpdate: key.text('onUpdate'),
        name: key.text('name'),
      };
      const definition = foreignKeySql(key.texts('columnsFrom'), reference, key.span);
      script.sql(alterTableSql(nameOf(table), [piece('ADD ', key.span), ...definition], key.span), key.span);
    }
    for (const policy of table.children('policies')) writePolicy(policy, nameOf(table), script);
  }
  for (const view of root.children('views')) {
    const definition = view.text('definition');
    if (view.is('isExisting') || definition === undefined) continue;
    const options = view.child('with')?.is('securityInvoker') ? ' WITH (security_invoker = true)' : '';
    const kind = view.is('materialized') ? 'MATERIALIZED VIEW' : 'VIEW';
    sql(`CREATE ${kind} ${nameOf(view)}${options} AS ${definition}`, view.span);
  }
}

function writeTable(table: Entry, script: Script): void {
  const name = nameOf(table);
  const parts: (readonly Piece[])[] = table.children('columns').map((c) => columnSql(columnOf(c)));
  for (const key of table.children('compositePrimaryKeys'))
    parts.push(keySql('PRIMARY KEY', key.texts('columns'), key.text('name'), key.span));
  for (const key of table.children('uniqueConstraints'))
    parts.push(
      keySql(
        key.is('nullsNotDistinct') ? 'UNIQUE NULLS NOT DISTINCT' : 'UNIQUE',
        key.texts('columns'),
        key.text('name'),
        key.span,
      ),
    );
  for (const check of table.children('checkConstraints'))
    parts.push(checkSql([piece(check.text('value') ?? 'true', check.span)], check.text('name'), check.span));
  script.sql(createTableSql(name, parts, {}, table.span), table.span);
  for (const index of table.children('indexes')) {
    const where = index.text('where');
    const keys = index.list('columns').map((c) => {
      const expression = c.text('expression') ?? '';
      return c.is('isExpression') ? `(${expression})` : quoted(expression);
    });
    script.sql(
      createIndexSql(
        name,
        {
          name: index.text('name'),
          unique: index.is('isUnique'),
          method: index.text('method'),
          keys,
          where: where === undefined ? undefined : [piece(where, index.span)],
        },
        index.span,
      ),
      index.span,
    );
  }
  const [policy] = table.children('policies');
  if (table.is('isRLSEnabled') || policy) {
    const span = policy?.span ?? table.span;
    script.sql(alterTableSql(name, 'ENABLE ROW LEVEL SECURITY', span), span);
  }
}

function columnOf(column: Entry): ColumnSql {
  const { span } = column;
  const given = column.text('default');
  const schema = column.text('typeSchema');
  const type = column.text('type') ?? 'text';
  const identity = column.child('identity')?.text('type');
  const generated = column.child('generated')?.text('as');
  return {
    name: column.text('name') ?? '',
    type:
      schema === undefined
        ? type
        : type.replace(/^[^[]+/, (t) => (schema === 'public' ? '' : `${quoted(schema)}.`) + quoted(t)),
    notNull: column.is('notNull'),
    primary: column.is('primaryKey'),
    ...(given === undefined ? {} : { default: [piece(given, span)] }),
    ...(identity === undefined ? {} : { identity: identity === 'always' ? 'always' : 'by default' }),
    ...(generated === undefined ? {} : { generated: [piece(generated, span)] }),
    span,
  };
}

function writePolicy(policy: Entry, table: string, script: Script): void {
  const { span } = policy;
  const roles = policy
    .texts('to')
    .map((r) => (/^(?:public|current_user|current_role|session_user)$/.test(r) ? r : quoted(r)));
  const [using, check] = [policy.text('using'), policy.text('withCheck')];
  const text =
    `CREATE POLICY ${quoted(policy.text('name') ?? '')} ON ${table} AS ${policy.text('as') ?? 'PERMISSIVE'} FOR ${policy.text('for') ?? 'ALL'}` +
    `${roles.length > 0 ? ` TO ${roles.join(', ')}` : ''}${using === undefined ? '' : ` USING (${using})`}` +
    `${check === undefined ? '' : ` WITH CHECK (${check})`}`;
  script.sql([piece(text, span)], span);
}
