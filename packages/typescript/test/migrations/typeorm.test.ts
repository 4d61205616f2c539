import { describe, expect, test } from 'vitest';
import { lineOf, linked, schemaOfSql, shownSchema, uncheckedOf } from './support.js';

const imports = `import { MigrationInterface, QueryRunner, Table, TableColumn, TableForeignKey, TableIndex, TableUnique } from 'typeorm';\n`;

/** A migration, and the SQL that does the same. */
const cases: Readonly<Record<string, readonly [string, string]>> = {
  'SQL text': [
    `export class Init1700000000001 implements MigrationInterface {
      name = 'Init1700000000001';
      public async up(queryRunner: QueryRunner): Promise<void> {
        await queryRunner.query(\`CREATE TABLE "org" ("id" uuid NOT NULL DEFAULT uuid_generate_v4(), CONSTRAINT "PK_1" PRIMARY KEY ("id"))\`);
        await queryRunner.query(\`CREATE TABLE "note" ("id" uuid NOT NULL, "orgId" uuid NOT NULL, CONSTRAINT "PK_2" PRIMARY KEY ("id"))\`);
        await queryRunner.query(\`ALTER TABLE "note" ADD CONSTRAINT "FK_1" FOREIGN KEY ("orgId") REFERENCES "org"("id") ON DELETE CASCADE ON UPDATE NO ACTION\`);
        await queryRunner.query('ALTER TABLE "note" ENABLE ROW LEVEL SECURITY');
      }
      public async down(queryRunner: QueryRunner): Promise<void> { await queryRunner.query('DROP TABLE "note"'); }
    }`,
    `CREATE TABLE "org" ("id" uuid NOT NULL DEFAULT uuid_generate_v4(), CONSTRAINT "PK_1" PRIMARY KEY ("id"));
     CREATE TABLE "note" ("id" uuid NOT NULL, "orgId" uuid NOT NULL, CONSTRAINT "PK_2" PRIMARY KEY ("id"));
     ALTER TABLE "note" ADD CONSTRAINT "FK_1" FOREIGN KEY ("orgId") REFERENCES "org"("id") ON DELETE CASCADE ON UPDATE NO ACTION;
     ALTER TABLE "note" ENABLE ROW LEVEL SECURITY;`,
  ],
  'the table API': [
    `const tenantColumn = { name: 'tenant_id', type: 'uuid', isNullable: false };
    export class Tables1700000000002 implements MigrationInterface {
      public async up(queryRunner: QueryRunner) {
        await queryRunner.createTable(new Table({
          name: 'projects',
          columns: [
            { name: 'id', type: 'int', isPrimary: true, isGenerated: true, generationStrategy: 'increment' },
            tenantColumn,
            { name: 'name', type: 'varchar', length: '80' },
            { name: 'made', type: 'timestamp with time zone', default: 'now()', isNullable: true },
            { name: 'kind', type: 'enum', enum: ['a', 'b'], default: "'a'" },
            { name: 'code', type: 'text', isUnique: true },
          ],
          uniques: [{ name: 'by_name', columnNames: ['tenant_id', 'name'] }],
          indices: [{ name: 'by_tenant', columnNames: ['tenant_id'] }],
          foreignKeys: [new TableForeignKey({ columnNames: ['tenant_id'], referencedTableName: 'tenants', referencedColumnNames: ['id'], onDelete: 'CASCADE' })],
        }), true);
        await queryRunner.addColumn('projects', new TableColumn({ name: 'owner_id', type: 'uuid', isNullable: true }));
        await queryRunner.createForeignKey('projects', new TableForeignKey({ name: 'fk_owner', columnNames: ['owner_id'], referencedTableName: 'users', referencedColumnNames: ['id'] }));
        await queryRunner.createIndex('projects', new TableIndex({ name: 'by_owner', columnNames: ['owner_id'], isUnique: true, where: 'owner_id IS NOT NULL' }));
        await queryRunner.createUniqueConstraint('projects', new TableUnique({ name: 'uq', columnNames: ['tenant_id', 'code'] }));
        await queryRunner.renameColumn('projects', 'code', 'slug');
        await queryRunner.dropColumn('projects', 'made');
        await queryRunner.changeColumn('projects', 'name', new TableColumn({ name: 'title', type: 'text', isNullable: true }));
        await queryRunner.dropForeignKey('projects', 'fk_owner');
      }
      public async down(queryRunner: QueryRunner) { await queryRunner.dropTable('projects'); }
    }`,
    `CREATE TYPE projects_kind_enum AS ENUM ('a', 'b');
     CREATE TABLE projects (id serial NOT NULL, tenant_id uuid NOT NULL, name varchar(80) NOT NULL, made timestamp with time zone DEFAULT now(),
       kind projects_kind_enum NOT NULL DEFAULT 'a', code text NOT NULL UNIQUE, PRIMARY KEY (id),
       CONSTRAINT by_name UNIQUE (tenant_id, name), FOREIGN KEY (tenant_id) REFERENCES tenants (id) ON DELETE CASCADE);
     CREATE INDEX by_tenant ON projects (tenant_id);
     ALTER TABLE projects ADD COLUMN owner_id uuid;
     ALTER TABLE projects ADD CONSTRAINT fk_owner FOREIGN KEY (owner_id) REFERENCES users (id);
     CREATE UNIQUE INDEX by_owner ON projects (owner_id) WHERE owner_id IS NOT NULL;
     ALTER TABLE projects ADD CONSTRAINT uq UNIQUE (tenant_id, code);
     ALTER TABLE projects RENAME COLUMN code TO slug;
     ALTER TABLE projects DROP COLUMN made;
     ALTER TABLE projects RENAME COLUMN name TO title;
     ALTER TABLE projects ALTER COLUMN title TYPE text;
     ALTER TABLE projects ALTER COLUMN title DROP NOT NULL;
     ALTER TABLE projects DROP CONSTRAINT fk_owner;`,
  ],
  'a list of tables in a field, helpers of the class': [
    `export class Rls1700000000003 implements MigrationInterface {
      private readonly tables = ['a', 'b'];
      public async up(queryRunner: QueryRunner) {
        for (const table of this.tables) {
          await queryRunner.query(\`CREATE TABLE \${table} (id uuid, tenant_id uuid NOT NULL)\`);
          await this.protect(queryRunner, table);
        }
      }
      private async protect(runner: QueryRunner, table: string) {
        await runner.query(\`ALTER TABLE "\${table}" ENABLE ROW LEVEL SECURITY\`);
        await runner.query(\`CREATE POLICY \${table}_own ON \${table} USING (tenant_id = current_setting('app.tenant')::uuid)\`);
      }
      public async down(queryRunner: QueryRunner) { for (const t of this.tables) await queryRunner.query('DROP TABLE ' + t); }
    }`,
    `CREATE TABLE a (id uuid, tenant_id uuid NOT NULL); ALTER TABLE a ENABLE ROW LEVEL SECURITY;
     CREATE POLICY a_own ON a USING (tenant_id = current_setting('app.tenant')::uuid);
     CREATE TABLE b (id uuid, tenant_id uuid NOT NULL); ALTER TABLE b ENABLE ROW LEVEL SECURITY;
     CREATE POLICY b_own ON b USING (tenant_id = current_setting('app.tenant')::uuid);`,
  ],
};

describe('TypeORM migrations', () => {
  test.each(Object.entries(cases))('%s', (_, [code, sql]) => {
    const model = linked({ 'src/migrations/1700000000001-a.ts': imports + code });
    expect(uncheckedOf(model)).toEqual([]);
    expect(shownSchema(model.schema)).toEqual(shownSchema(schemaOfSql(sql)));
  });

  test('are applied by the time in their class names, whatever the files are called', () => {
    const one = (name: string, sql: string): string =>
      `${imports}export class ${name} implements MigrationInterface { async up(queryRunner: QueryRunner) { await queryRunner.query('${sql}'); } }`;
    const model = linked({
      'src/migrations/AddColumn.ts': one('AddColumn1700000000002', 'ALTER TABLE a ADD COLUMN tenant_id uuid'),
      'src/migrations/Create.ts': one('Create1700000000001', 'CREATE TABLE a (id uuid)'),
      'src/migrations/Zero.ts': one('Zero1700000000003', 'ALTER TABLE a ALTER COLUMN tenant_id SET NOT NULL'),
    });
    expect(model.schema.dangling).toEqual([]);
    expect(model.schema.tables.get('public.a')?.columns.get('tenant_id')?.notNull).toBe(true);
  });

  test('facts stand at their line, in the text of the statement', () => {
    const code = `${imports}export class A1700000000001 implements MigrationInterface {
  async up(queryRunner: QueryRunner) {
    await queryRunner.query(\`
      CREATE TABLE notes (
        id uuid,
        tenant_id uuid
      );
      ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
    \`);
  }
}`;
    const model = linked({ 'migrations/a.ts': code });
    const table = model.schema.tables.get('public.notes')!;
    const at = (start: number): string => code.slice(start).split('\n')[0]!.trim();
    expect(at(table.origin.created.start)).toBe('CREATE TABLE notes (');
    expect(at(table.columns.get('tenant_id')!.span.start)).toBe('tenant_id uuid');
    expect(at(table.rowSecurity.origin!.created.start)).toBe('ALTER TABLE notes ENABLE ROW LEVEL SECURITY;');
    expect(lineOf(code, table.origin.created.start)).toBe(5);
  });

  test('what is computed is unchecked, with its place', () => {
    const code = `${imports}export class A1700000000001 implements MigrationInterface {
  async up(queryRunner: QueryRunner) {
    await queryRunner.query('CREATE TABLE a (id uuid)');
    const tables = await queryRunner.query('SELECT tablename FROM pg_tables');
    for (const { tablename } of tables) await queryRunner.query(\`ALTER TABLE \${tablename} ENABLE ROW LEVEL SECURITY\`);
    await queryRunner.query(process.env.EXTRA_SQL);
  }
}`;
    const model = linked({ 'migrations/a.ts': code });
    expect(model.schema.tables.get('public.a')?.rowSecurity.enabled).toBe(false);
    expect(model.unchecked.map((u) => [lineOf(code, u.span!.start), u.reason])).toEqual([
      [6, 'unresolved'],
      [7, 'unresolved'],
    ]);
  });
});
