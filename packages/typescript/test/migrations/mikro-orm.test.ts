import { expect, test } from 'vitest';
import { linked, schemaOfSql, shownSchema, uncheckedOf } from './support.js';

test('MikroORM migrations are the SQL that they add', () => {
  const code = `import { Migration } from '@mikro-orm/migrations';
import { sql } from '@mikro-orm/core';
const tables = ['book', 'shelf'];
export class Migration20240101000000 extends Migration {
  override async up(): Promise<void> {
    this.addSql('create table "book" ("id" uuid not null, "tenant_id" uuid not null, constraint "book_pkey" primary key ("id"));');
    this.addSql(\`create table "shelf" ("id" uuid not null, "tenant_id" uuid not null);\`);
    for (const t of tables) this.addSql(\`alter table "\${t}" enable row level security;\`);
    this.addSql(sql\`create index "by_tenant" on "book" ("tenant_id")\`);
  }
  override async down(): Promise<void> { this.addSql('drop table "book";'); }
}`;
  const model = linked({ 'src/migrations/Migration20240101000000.ts': code });
  expect(uncheckedOf(model)).toEqual([]);
  expect(shownSchema(model.schema)).toEqual(
    shownSchema(
      schemaOfSql(`create table book (id uuid not null, tenant_id uuid not null, constraint book_pkey primary key (id));
        create table shelf (id uuid not null, tenant_id uuid not null);
        alter table book enable row level security; alter table shelf enable row level security;
        create index by_tenant on book (tenant_id);`),
    ),
  );
});
