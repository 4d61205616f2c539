import { runInNewContext } from 'node:vm';
import * as library from 'kysely';
import { describe, expect, test } from 'vitest';
import { linked, schemaOfSql, shownSchema, uncheckedOf } from './support.js';

/** The statements that the library sends for a migration, without a database. */
async function sentBy(code: string): Promise<string> {
  const sent: string[] = [];
  const connection: library.DatabaseConnection = {
    executeQuery(query) {
      sent.push(query.sql.replace(/\$(\d+)/g, (_, n: string) => `'${String(query.parameters[Number(n) - 1])}'`));
      return Promise.resolve({ rows: [] });
    },
    // eslint-disable-next-line require-yield -- the driver has to have it, and nothing is streamed
    async *streamQuery() {
      await Promise.resolve();
    },
  };
  const nothing = (): Promise<void> => Promise.resolve();
  const driver: library.Driver = {
    init: nothing,
    acquireConnection: () => Promise.resolve(connection),
    beginTransaction: nothing,
    commitTransaction: nothing,
    rollbackTransaction: nothing,
    releaseConnection: nothing,
    destroy: nothing,
  };
  const db = new library.Kysely<unknown>({
    dialect: {
      createAdapter: () => new library.PostgresAdapter(),
      createDriver: () => driver,
      createIntrospector: (d) => new library.PostgresIntrospector(d),
      createQueryCompiler: () => new library.PostgresQueryCompiler(),
    },
  });
  const script = code
    .replace(/import \{([^}]*)\} from 'kysely';/, 'const {$1} = library;')
    .replace(/export async function up\(db: Kysely<any>\)/, 'exports.up = async function up(db)');
  const exports = {} as { up: (db: unknown) => Promise<void> };
  runInNewContext(script, { exports, library });
  await exports.up(db);
  return sent.map((s) => `${s};`).join('\n');
}

const migrations: Readonly<Record<string, string>> = {
  'tables, keys and indexes': `
    await db.schema.createTable('organization').addColumn('id', 'uuid', (col) => col.primaryKey().defaultTo(sql\`gen_random_uuid()\`))
      .addColumn('name', 'varchar(80)', (col) => col.notNull().unique()).execute();
    await db.schema.createTable('invoice').ifNotExists()
      .addColumn('id', 'serial', (c) => c.primaryKey())
      .addColumn('organization_id', 'uuid', (c) => c.references('organization.id').onDelete('cascade').notNull())
      .addColumn('number', 'text', (c) => c.notNull())
      .addColumn('total', 'numeric(10, 2)', (c) => c.defaultTo(0).check(sql\`total >= 0\`))
      .addColumn('tags', sql\`text[]\`)
      .addColumn('made', 'timestamptz', (c) => c.defaultTo(sql\`now()\`).notNull())
      .addUniqueConstraint('by_number', ['organization_id', 'number'])
      .addCheckConstraint('named', sql\`number <> ''\`)
      .execute();
    await db.schema.createIndex('by_org').on('invoice').column('organization_id').execute();
    await db.schema.createIndex('open').on('invoice').columns(['organization_id', 'number']).unique().where('total', '>', 5).execute();
    await db.schema.createIndex('lower_number').on('invoice').expression(sql\`lower(number)\`).using('btree').execute();`,
  'changes of a table': `
    await db.schema.createTable('a').addColumn('id', 'integer').addColumn('x', 'text').addColumn('y', 'text').execute();
    await db.schema.createTable('b').addColumn('id', 'integer', (c) => c.primaryKey()).execute();
    await db.schema.alterTable('a').addColumn('b_id', 'integer', (c) => c.notNull()).execute();
    await db.schema.alterTable('a').addForeignKeyConstraint('to_b', ['b_id'], 'b', ['id']).onDelete('set null').execute();
    await db.schema.alterTable('a').alterColumn('x', (c) => c.setNotNull()).execute();
    await db.schema.alterTable('a').alterColumn('x', (c) => c.setDataType('varchar(20)')).alterColumn('y', (c) => c.setDefault('z')).execute();
    await db.schema.alterTable('a').renameColumn('y', 'q').execute();
    await db.schema.alterTable('a').addPrimaryKeyConstraint('a_key', ['id']).execute();
    await db.schema.alterTable('a').dropConstraint('to_b').execute();
    await db.schema.alterTable('a').dropColumn('b_id').execute();
    await db.schema.alterTable('b').renameTo('c').execute();`,
  'schemas, types, raw statements and loops': `
    const tables = ['note', 'file'];
    await db.schema.createSchema('app').execute();
    await db.schema.createType('kind').asEnum(['a', 'b']).execute();
    for (const table of tables) {
      await db.schema.withSchema('app').createTable(table).addColumn('id', 'uuid', (c) => c.primaryKey())
        .addColumn('tenant_id', 'uuid', (c) => c.notNull()).addColumn('kind', sql\`kind\`).execute();
      await sql\`ALTER TABLE \${sql.table('app.' + table)} ENABLE ROW LEVEL SECURITY\`.execute(db);
      await sql.raw(\`CREATE POLICY own ON app.\${table} USING (tenant_id = current_setting('app.tenant')::uuid)\`).execute(db);
    }
    await sql\`CREATE VIEW app.all_notes AS SELECT id FROM app.note\`.execute(db);`,
};

describe('Kysely migrations give the schema of the SQL that the library sends', () => {
  test.each(Object.entries(migrations))('%s', async (_, body) => {
    const code = `import { Kysely, sql } from 'kysely';\nexport async function up(db: Kysely<any>): Promise<void> {${body}\n}`;
    const sent = await sentBy(code.replace('): Promise<void> {', ') {'));
    expect(sent).toMatch(/create/i);
    const model = linked({ 'migrations/20240101_a.ts': code });
    expect(uncheckedOf(model)).toEqual([]);
    expect(shownSchema(model.schema)).toEqual(shownSchema(schemaOfSql(sent)));
  });
});
