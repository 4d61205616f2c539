import { connectTo, refuse } from '../session/connect.js';
import {
  queriesAfter,
  queriesBefore,
  queriesBetween,
  rowsQuery,
  tablesQuery,
  viewsQuery,
  type CatalogueQuery,
} from './queries.js';

/** What a database is, as the statements that would make it. */
export interface LiveCatalogue {
  readonly text: string;
  /** What each part of the text is about, `policy public.orders/isolate`; a smaller part lies within a larger one. */
  readonly subjects: readonly { readonly start: number; readonly end: number; readonly subject: string }[];
  /** How many rows each table has by the database's own estimate; one that was never analysed is not there. */
  readonly rows: Readonly<Record<string, number>>;
}

const statementSeconds = 30;
const totalSeconds = 120;

/**
 * Reads the catalogue of a database: in one read-only transaction that sees one state of it, with a bound on each statement and on the whole.
 * No row of a table of the project is read. @throws ServerRefused, whose message holds nothing of the URL
 */
export async function readLiveCatalogue(url: string): Promise<LiveCatalogue> {
  const client = await connectTo(url, 'tenant-lint').catch((error: unknown) =>
    refuse('The database of --url cannot be reached', error),
  );
  const late = setTimeout(() => void client.end().catch(() => undefined), totalSeconds * 1000);
  try {
    await client.query('begin transaction isolation level repeatable read read only');
    await client.query(`set local statement_timeout = '${statementSeconds}s'`);
    await client.query(`set local lock_timeout = '5s'`);
    const catalogue = await liveCatalogueOf(
      async (sql) => (await client.query({ text: sql, rowMode: 'array' })).rows as unknown[][],
    );
    await client.query('rollback');
    return catalogue;
  } catch (error) {
    return refuse('The catalogue of the database cannot be read', error);
  } finally {
    clearTimeout(late);
    await client.end().catch(() => undefined);
  }
}

/** The same of a connection within a transaction: `query` runs one statement and gives its rows as lists. */
export async function liveCatalogueOf(query: (sql: string) => Promise<readonly unknown[][]>): Promise<LiveCatalogue> {
  // Every name is written with its schema.
  await query(`set local search_path = ''`);
  await query(`set local quote_all_identifiers = off`);
  const [[version]] = (await query(`select current_setting('server_version_num')::int`)) as [[number]];
  const writer = new Writer();
  const all = async (queries: readonly CatalogueQuery[]): Promise<void> => {
    for (const { sql, since = 0, before = Infinity } of queries) {
      if (version < since || version >= before) continue;
      for (const [subject, statement, columns] of (await query(sql)) as [string, string, string[]?][])
        writer.statement(subject, withoutRelabelling(statement, columns ?? []));
    }
  };
  await all(queriesBefore);
  for (const [json] of (await query(tablesQuery)) as [string][]) writeTable(JSON.parse(json) as LiveTable, writer);
  await all(queriesBetween);
  const views = ((await query(viewsQuery)) as [string][]).map(([json]) => JSON.parse(json) as LiveView);
  for (const view of inOrder(views)) writeView(view, writer);
  await all(queriesAfter);
  const rows = Object.fromEntries((await query(rowsQuery)) as [string, number][]);
  return { text: writer.text, subjects: writer.subjects, rows };
}

interface LiveTable {
  readonly shown: string;
  readonly name: string;
  readonly foreign: boolean;
  readonly partitionBy: string | null;
  readonly parents: readonly string[];
  readonly bound: string | null;
  readonly columns: readonly { readonly name: string; readonly sql: string }[];
}

interface LiveView {
  readonly shown: string;
  readonly name: string;
  readonly materialized: boolean;
  readonly definition: string;
  readonly options: string | null;
  readonly reads: readonly string[];
}

/** Statements one below the other, and what they are about. */
class Writer {
  text = '';
  readonly subjects: { start: number; end: number; subject: string }[] = [];

  statement(subject: string, sql: string): void {
    this.about(subject, () => {
      this.text += sql.trim().replace(/;$/, '');
    });
    this.text += ';\n';
  }

  about(subject: string, write: () => void): void {
    const start = this.text.length;
    write();
    this.subjects.push({ start, end: this.text.length, subject });
  }
}

function writeTable(table: LiveTable, writer: Writer): void {
  writer.about(`table ${table.shown}`, () => {
    const { bound, parents } = table;
    writer.text += `create ${table.foreign ? 'foreign ' : ''}table ${table.name} `;
    if (bound !== null) writer.text += `partition of ${parents[0] ?? ''} ${bound}`;
    else {
      writer.text += '(';
      for (const [i, column] of table.columns.entries()) {
        writer.text += i === 0 ? '\n  ' : ',\n  ';
        writer.about(`column ${table.shown}.${column.name}`, () => {
          writer.text += column.sql;
        });
      }
      writer.text += ')';
      if (parents.length > 0) writer.text += ` inherits (${parents.join(', ')})`;
    }
    if (table.partitionBy !== null) writer.text += ` partition by ${table.partitionBy}`;
    if (table.foreign) writer.text += ' server remote';
  });
  writer.text += ';\n';
}

function writeView({ shown, name, materialized, options, definition }: LiveView, writer: Writer): void {
  const given = options === null || options === '' ? '' : ` with (${options})`;
  writer.statement(
    `view ${shown}`,
    `create ${materialized ? 'materialized ' : ''}view ${name}${given} as ${definition.trim().replace(/;$/, '')}`,
  );
}

/**
 * A condition without the casts that Postgres writes where a `character varying` is compared as text: nothing is computed there, and an index
 * serves as before. See RelabelType in its src/include/nodes/primnodes.h.
 */
function withoutRelabelling(sql: string, columns: readonly string[]): string {
  return columns.reduce((text, column) => text.replaceAll(`(${column})::text`, column), sql);
}

/** Views after those that they read. */
function inOrder(views: readonly LiveView[]): readonly LiveView[] {
  const byName = new Map(views.map((view) => [view.name, view]));
  const ordered = new Set<LiveView>();
  const visit = (view: LiveView, path: ReadonlySet<LiveView>): void => {
    if (ordered.has(view) || path.has(view)) return;
    for (const name of view.reads) {
      const read = byName.get(name);
      if (read) visit(read, new Set([...path, view]));
    }
    ordered.add(view);
  };
  for (const view of views) visit(view, new Set());
  return [...ordered];
}
