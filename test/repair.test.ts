import { compareModels } from '@tenant-lint/analysis';
import { planRepairs, runRules, type RepairPlan, type Report } from '@tenant-lint/engine';
import { openEmbedded, type Embedded } from '@tenant-lint/prove';
import { rules } from '@tenant-lint/rules';
import {
  buildModel,
  memorySource,
  overlaid,
  redeclared,
  settingsOf,
  writeMigration,
  type Built,
  type Config,
  type NewFile,
  type Source,
} from '@tenant-lint/workspace';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

type Files = Readonly<Record<string, string>>;

interface Looked {
  readonly built: Built;
  readonly report: Report;
}

function look(source: Source, config: Config): Looked {
  const settings = settingsOf(config);
  const built = buildModel(source, { settings });
  return { built, report: runRules(built.model, rules, { settings: config.rules ?? {}, confidence: 'possible' }) };
}

interface Repaired extends Looked {
  readonly plan: RepairPlan;
  readonly files: readonly NewFile[];
  /** All texts of the migration, one after the other. */
  readonly sql: string;
  readonly before: Looked;
  readonly source: Source;
}

/** Plans for the findings of some rules, writes, and looks at the result: what is claimed is gone and nothing is weaker. */
function repair(files: Files, only: readonly string[], config: Config = {}): Repaired {
  const source = memorySource(files);
  const before = look(source, config);
  const findings = before.report.findings.filter((f) => only.includes(f.rule));
  expect(findings.map((f) => f.rule)).toEqual(expect.arrayContaining([...only]));
  const textOf = (file: string): string | undefined => files[file];
  const plan = planRepairs({ model: before.built.model, findings, textOf });
  const written = [...new Set(plan.steps.map((s) => s.history))].map((history) =>
    writeMigration(
      history,
      plan.steps.filter((s) => s.history === history),
      { names: Object.keys(files), textOf },
    ),
  );
  const made: NewFile[] = [];
  const edits = [...redeclared(before.built.model, plan.steps, textOf).edits];
  for (const one of written) {
    if (typeof one === 'string') throw new Error(one);
    made.push(...one.files);
    edits.push(...one.edits);
  }
  const overlay = overlaid(source, made, edits);
  const after = look(overlay, config);
  const claims = new Set(plan.steps.flatMap((s) => s.claims));
  expect(after.report.findings.filter((f) => claims.has(f.fingerprint))).toEqual([]);
  const weaker = compareModels(before.built.model, after.built.model).filter((c) => c.effect === 'weaker');
  expect(weaker.filter((c) => c.thing !== 'constraint')).toEqual([]);
  return { ...after, plan, files: made, sql: made.map((f) => f.text).join('\n'), before, source: overlay };
}

const up = (r: Repaired): readonly string[] => r.plan.steps.flatMap((s) => s.up);

let postgres: Embedded;
beforeAll(async () => {
  postgres = await openEmbedded();
});
afterAll(() => postgres.close());

/** Runs what is there and what was written, and says what a query gives then. */
const applied = (r: Repaired, query = 'select 1 as one'): Promise<unknown> =>
  postgres.withCase('', async (db) => {
    for (const file of [...r.source.list().files.keys()].filter((f) => f.endsWith('.sql') && !f.includes('.down.'))) {
      const read = r.source.read(file);
      if ('text' in read)
        await db.exec(read.text.replace(/\bCONCURRENTLY\b/g, '').replace(/-- migrate:down[\s\S]*/, ''));
    }
    return db.query(query);
  });

const base = `create table tenants (id uuid primary key);
create table orders (id uuid primary key, tenant_id uuid not null references tenants (id), number int not null);
create index orders_tenant_idx on orders (tenant_id);
create table items (id uuid primary key, tenant_id uuid not null references tenants (id));
create index items_tenant_idx on items (tenant_id);
`;
const rls = `${base}create role app;
grant select, insert, update, delete on orders, items to app;
alter table orders enable row level security;
alter table orders force row level security;
create policy own on orders to app using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
`;
const iso = "tenant_id = nullif(current_setting('app.tenant', true), '')::uuid";

const once = "tenant_id = (SELECT nullif(current_setting('app.tenant', true), ''))::uuid";

describe('steps', () => {
  it('fills a key through the parent before it is NOT NULL', async () => {
    const r = repair(
      {
        'migrations/001_init.sql': `${base}create table lines (id uuid primary key, order_id uuid not null references orders (id), tenant_id uuid references tenants (id));
create index on lines (tenant_id);`,
      },
      ['require-tenant-not-null'],
    );
    expect(up(r)).toEqual([
      'UPDATE lines SET tenant_id = orders.tenant_id FROM orders WHERE orders.id = lines.order_id AND lines.tenant_id IS NULL',
      'ALTER TABLE lines ALTER COLUMN tenant_id SET NOT NULL',
    ]);
    await applied(r);
  });

  it('lifts forced row security for the statements that fill, and puts it back', () => {
    const r = repair(
      {
        'migrations/001_init.sql': `${rls}create table lines (id uuid primary key, order_id uuid not null references orders (id), tenant_id uuid references tenants (id));
create index on lines (tenant_id);
alter table lines enable row level security;
alter table lines force row level security;
create policy own on lines to app using (${iso});`,
      },
      ['require-tenant-not-null'],
    );
    expect(up(r).map((s) => s.replace(/ SET .*/, ''))).toEqual([
      'ALTER TABLE lines NO FORCE ROW LEVEL SECURITY',
      'ALTER TABLE orders NO FORCE ROW LEVEL SECURITY',
      'UPDATE lines',
      'ALTER TABLE lines FORCE ROW LEVEL SECURITY',
      'ALTER TABLE orders FORCE ROW LEVEL SECURITY',
      'ALTER TABLE lines ALTER COLUMN tenant_id',
    ]);
    expect(r.built.model.schema.tables.get('public.orders')?.rowSecurity.forced).toBe(true);
  });

  it('adds a column with all that belongs to it', async () => {
    const r = repair(
      {
        'migrations/001_init.sql': `${rls}create table notes (id uuid primary key, order_id uuid references orders (id));
grant select on notes to app;`,
      },
      ['require-tenant-column'],
    );
    expect(up(r)).toEqual([
      'ALTER TABLE notes ADD COLUMN tenant_id uuid',
      'ALTER TABLE orders NO FORCE ROW LEVEL SECURITY',
      'UPDATE notes SET tenant_id = orders.tenant_id FROM orders WHERE orders.id = notes.order_id AND notes.tenant_id IS NULL',
      'ALTER TABLE orders FORCE ROW LEVEL SECURITY',
      'ALTER TABLE notes ALTER COLUMN tenant_id SET NOT NULL',
      'ALTER TABLE orders ADD CONSTRAINT orders_tenant_id_id_key UNIQUE (tenant_id, id)',
      'ALTER TABLE notes ADD CONSTRAINT notes_tenant_id_order_id_fkey FOREIGN KEY (tenant_id, order_id) REFERENCES orders (tenant_id, id) NOT VALID',
      'ALTER TABLE notes VALIDATE CONSTRAINT notes_tenant_id_order_id_fkey',
      'ALTER TABLE notes DROP CONSTRAINT notes_order_id_fkey',
      'ALTER TABLE notes ADD CONSTRAINT notes_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants (id) NOT VALID',
      'ALTER TABLE notes VALIDATE CONSTRAINT notes_tenant_id_fkey',
      'CREATE INDEX CONCURRENTLY notes_tenant_id_idx ON notes (tenant_id)',
      `CREATE POLICY own ON notes TO app USING (${iso}) WITH CHECK (${iso})`,
      'ALTER TABLE notes ENABLE ROW LEVEL SECURITY',
      'ALTER TABLE notes FORCE ROW LEVEL SECURITY',
    ]);
    await applied(r);
  });

  it('makes references carry the tenant, with the actions that they had', async () => {
    const r = repair(
      {
        'migrations/001_init.sql':
          `${base}alter table orders add column code text not null, add constraint orders_code unique (code);
create table lines (id uuid primary key, tenant_id uuid not null references tenants (id), order_number int, foreign key (order_number) references numbered (number) on delete set null);
create table numbered (number serial primary key, tenant_id uuid not null references tenants (id));
create index on lines (tenant_id); create index on numbered (tenant_id);`.replace(
            /(create table lines[^;]*;)\n(create table numbered[^;]*;)/,
            '$2\n$1',
          ),
      },
      ['require-composite-reference'],
    );
    expect(up(r)).toEqual([
      'ALTER TABLE numbered ADD CONSTRAINT numbered_tenant_id_number_key UNIQUE (tenant_id, number)',
      'ALTER TABLE lines ADD CONSTRAINT lines_tenant_id_order_number_fkey FOREIGN KEY (tenant_id, order_number) REFERENCES numbered (tenant_id, number) ON DELETE SET NULL (order_number) NOT VALID',
      'ALTER TABLE lines VALIDATE CONSTRAINT lines_tenant_id_order_number_fkey',
      'ALTER TABLE lines DROP CONSTRAINT lines_order_number_fkey',
    ]);
    await applied(r);
  });

  it('makes values unique within a tenant: constraints, and indexes over expressions and some rows', async () => {
    const r = repair(
      {
        'migrations/001_init.sql': `${base}alter table orders add column slug text not null, add column mail text, add constraint orders_slug_unique unique (slug);
create unique index orders_mail_idx on orders using btree (lower(mail)) where mail is not null;`,
      },
      ['require-tenant-in-unique'],
    );
    expect(up(r)).toEqual([
      'ALTER TABLE orders ADD CONSTRAINT orders_tenant_id_slug_key UNIQUE (tenant_id, slug)',
      'ALTER TABLE orders DROP CONSTRAINT orders_slug_unique',
      'CREATE UNIQUE INDEX orders_tenant_id_unique_idx ON orders using btree (tenant_id, lower(mail)) where mail is not null',
      'DROP INDEX orders_mail_idx',
    ]);
    await applied(r);
  });

  it('refuses a deletion instead of orphans, and keeps the tenant where other columns are set to NULL', async () => {
    const r = repair(
      {
        'migrations/001_init.sql': `${base}alter table orders add unique (tenant_id, id);
create table lines (id uuid primary key, tenant_id uuid references tenants (id) on delete set null, order_id uuid,
  constraint line_order foreign key (tenant_id, order_id) references orders (tenant_id, id) on delete set null);
create index on lines (tenant_id);`,
      },
      ['no-tenant-nulling-action'],
    );
    expect(up(r)).toEqual([
      'ALTER TABLE lines DROP CONSTRAINT lines_tenant_id_fkey',
      'ALTER TABLE lines ADD CONSTRAINT lines_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants (id) ON DELETE RESTRICT',
      'ALTER TABLE lines DROP CONSTRAINT line_order',
      'ALTER TABLE lines ADD CONSTRAINT line_order FOREIGN KEY (tenant_id, order_id) REFERENCES orders (tenant_id, id) ON DELETE SET NULL (order_id)',
    ]);
    await applied(r);
  });

  it('drops defaults, refers to the tenants as the others do, and finds rows by their tenant', async () => {
    const r = repair(
      {
        'migrations/001_init.sql': `${base.replaceAll('references tenants (id)', 'references tenants (id) on delete cascade')}
create table lines (id uuid primary key, tenant_id uuid not null default '00000000-0000-0000-0000-000000000001');`,
      },
      ['no-tenant-default', 'require-tenant-reference', 'require-tenant-first-index'],
    );
    expect(up(r)).toEqual([
      'ALTER TABLE lines ALTER COLUMN tenant_id DROP DEFAULT',
      'ALTER TABLE lines ADD CONSTRAINT lines_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants (id) ON DELETE CASCADE NOT VALID',
      'ALTER TABLE lines VALIDATE CONSTRAINT lines_tenant_id_fkey',
      'CREATE INDEX CONCURRENTLY lines_tenant_id_idx ON lines (tenant_id)',
    ]);
    await applied(r);
  });

  it('protects a table as the project protects others: its condition, name, roles and FORCE', async () => {
    const r = repair({ 'migrations/001_init.sql': rls }, ['require-row-security']);
    expect(up(r)).toEqual(
      expect.arrayContaining([
        `CREATE POLICY own ON items TO app USING (${iso}) WITH CHECK (${iso})`,
        'ALTER TABLE items ENABLE ROW LEVEL SECURITY',
        'ALTER TABLE items FORCE ROW LEVEL SECURITY',
      ]),
    );
    await applied(r);
  });

  it('asks for the row above where a table has no key of its own', async () => {
    const r = repair(
      {
        'migrations/001_init.sql': `${rls}create table lines (id uuid primary key, order_id uuid not null references orders (id));`,
      },
      ['require-row-security'],
    );
    expect(up(r)).toContain(
      `CREATE POLICY own ON lines TO app USING (EXISTS (SELECT 1 FROM orders WHERE orders.id = lines.order_id AND orders.${once})) WITH CHECK (EXISTS (SELECT 1 FROM orders WHERE orders.id = lines.order_id AND orders.${once}))`,
    );
    await applied(r);
  });

  it('wakes policies, forces row security, and pins, limits and revokes', async () => {
    const r = repair(
      {
        'migrations/001_init.sql': `${rls.replace('alter table orders force row level security;\n', '')}
create policy own on items to app using (${iso});
grant truncate on orders to app;
create function total() returns bigint language sql stable security definer as $$ select count(*) from orders where tenant_id = nullif(current_setting('app.tenant', true), '')::uuid $$;
create function cheap(text) returns boolean language sql immutable leakproof as $$ select true $$;
create view order_numbers as select id, tenant_id, number from orders;
grant select on order_numbers to app;`,
      },
      [
        'no-dormant-policy',
        'require-forced-row-security',
        'require-pinned-search-path',
        'no-leakproof-function',
        'no-truncate-grant',
        'require-security-invoker',
      ],
    );
    expect([...up(r)].sort()).toEqual([
      'ALTER FUNCTION cheap(text) NOT LEAKPROOF',
      'ALTER FUNCTION total() SET search_path = public, pg_temp',
      'ALTER TABLE items ENABLE ROW LEVEL SECURITY',
      'ALTER TABLE items FORCE ROW LEVEL SECURITY',
      'ALTER TABLE orders FORCE ROW LEVEL SECURITY',
      'ALTER VIEW order_numbers SET (security_invoker = true)',
      'REVOKE TRUNCATE ON orders FROM app',
    ]);
    await applied(r);
  });
});

describe('never widens', () => {
  const policy = (text: string): Files => ({
    'migrations/001_init.sql': `${rls}alter table items enable row level security;
alter table items force row level security;
${text}`,
  });

  it('adds its condition to one whose meaning it does not know, and takes the place of one that lets everything through', async () => {
    const everything = repair(policy('create policy all_items on items for select to app using (true);'), [
      'no-leaking-policy',
    ]);
    expect(up(everything)).toEqual([`ALTER POLICY all_items ON items USING (${iso})`]);
    await applied(everything);
    const odd = repair(
      policy("create policy odd on items for select to app using (id::text like 'a%' or tenant_id is not null);"),
      ['no-leaking-policy'],
    );
    expect(up(odd)).toEqual([
      `ALTER POLICY odd ON items USING (${iso} AND (id::text like 'a%' or tenant_id is not null))`,
    ]);
    await applied(odd);
  });

  it('takes the setting that is compared with the tenant, and not one that lifts policies', () => {
    const text = rls
      .replace(/create policy own[\s\S]*$/, '')
      .concat(
        "create policy own on orders to app using (tenant_id::text = current_setting('app.tenant', true)::text);\n",
        "create policy bypass on orders to app using (current_setting('app.bypass', true)::text = 'on');\n",
        "create policy bypass on items to app using (current_setting('app.bypass', true)::text = 'on');\n",
      );
    const r = repair(
      {
        'migrations/001_init.sql': `${text}create table notes (id uuid primary key, tenant_id uuid not null references tenants (id));`,
      },
      ['require-row-security'],
    );
    expect(up(r).filter((sql) => sql.startsWith('CREATE POLICY') && sql.includes(' notes '))).toEqual([
      `CREATE POLICY own ON notes TO app USING (${iso}) WITH CHECK (${iso})`,
    ]);
  });

  it('leaves command and roles as they are', () => {
    const r = repair(policy('create policy all_items on items for select to app using (true);'), ['no-leaking-policy']);
    const [before, after] = [r.before, r].map((l) => l.built.model.schema.tables.get('public.items')?.policies[0]);
    expect([after?.command, after?.roles]).toEqual([before?.command, before?.roles]);
  });

  it('says only what an alternative of the old condition says where that is the same', () => {
    const r = repair(
      policy(
        "create policy open on items to app using (tenant_id = current_setting('app.tenant', true)::uuid or current_setting('app.tenant', true) is null);",
      ),
      ['no-fail-open-policy'],
    );
    expect(up(r)).toEqual([`ALTER POLICY open ON items USING (${iso})`]);
  });

  it('opens nothing that is closed', () => {
    const r = repair(policy(''), ['require-policy']);
    expect(r.plan.steps).toEqual([]);
    expect(r.plan.unrepaired[0]?.reason).toContain('fix never opens anything');
  });

  it('holds a foreign row back that got through, and lets the own one through, when executed', async () => {
    const r = repair(policy('create policy all_items on items to app using (true);'), ['no-leaking-policy']);
    const [a, b] = ['00000000-0000-0000-0000-00000000000a', '00000000-0000-0000-0000-00000000000b'];
    const seen = await postgres.withCase('', async (db) => {
      for (const file of [...r.source.list().files.keys()]) {
        const read = r.source.read(file);
        if ('text' in read) await db.exec(read.text);
      }
      await db.exec(
        `alter table items no force row level security; insert into tenants values ('${a}'), ('${b}'); insert into items values ('${a}', '${a}'), ('${b}', '${b}')`,
      );
      return db.asRole('app', { 'app.tenant': a }, (as) => as.query('select id from items'));
    });
    expect(seen).toEqual([{ id: a }]);
  });
});

describe('what is left to you', () => {
  const reasons = (files: Files, rule: string): readonly string[] => {
    const r = repair(files, [rule]);
    expect(r.plan.steps).toEqual([]);
    return r.plan.unrepaired.map((u) => u.reason);
  };

  it('says why: nothing tells whose the rows are', () => {
    expect(
      reasons(
        {
          'migrations/001_init.sql': `${rls.replaceAll('items', 'orders2')}create table jobs (id uuid primary key, at timestamptz not null, payload jsonb);`,
        },
        'require-tenant-column',
      ),
    ).toEqual(['nothing in the table says whose its rows are, so no statement can fill the column']);
  });

  it('says why: nothing tells who the current tenant is', () => {
    expect(
      reasons(
        {
          'migrations/001_init.sql': `${base}create role app; grant select on orders to app; alter table orders enable row level security; alter table orders force row level security; create policy every on orders to app using (true);`,
        },
        'no-leaking-policy',
      ),
    ).toEqual(['no other policy and no setting of the project says who the current tenant is']);
  });

  it('says why: something rests on what would go', () => {
    const r = repair(
      {
        'migrations/001_init.sql': `${base}alter table orders add column slug text not null, add constraint orders_slug_unique unique (slug);`,
        'package.json': '{"dependencies":{"pg":"8.13.0"}}',
        'src/a.ts':
          "import { Pool } from 'pg';\nconst pool = new Pool();\nexport const put = (tenant: string, slug: string) => pool.query('insert into orders (id, tenant_id, number, slug) values (gen_random_uuid(), $1, 1, $2) on conflict (slug) do nothing', [tenant, slug]);\n",
      },
      ['require-tenant-in-unique'],
    );
    expect(r.plan.unrepaired.map((u) => u.reason)).toEqual([
      'src/a.ts inserts ON CONFLICT (slug), which would fail without it; change that first',
    ]);
  });
});

it('writes names of every kind so that Postgres means the same', async () => {
  const r = repair(
    {
      'db/migrations/001_init.sql': `create schema "Weird Schema";
create table "Weird Schema"."Tenants" ("Id" uuid primary key);
create table "Weird Schema"."order" ("Id" uuid primary key, "tenantId" uuid not null references "Weird Schema"."Tenants" ("Id"), "he said ""hi""" text not null, unique ("he said ""hi"""));
create table "Weird Schema"."select" ("Id" serial primary key, "tenantId" uuid not null references "Weird Schema"."Tenants" ("Id"));
create table "Weird Schema"."a;drop table x--" ("Id" uuid primary key, "tenantId" uuid references "Weird Schema"."Tenants" ("Id"), "user" int not null references "Weird Schema"."select" ("Id"));
create index on "Weird Schema"."select" ("tenantId");`,
    },
    [
      'require-tenant-not-null',
      'require-tenant-in-unique',
      'require-composite-reference',
      'require-tenant-first-index',
    ],
    { tenancy: { keys: ['tenantId'], roots: ['Weird Schema.Tenants'] } },
  );
  expect(up(r)).toContain('ALTER TABLE "Weird Schema"."a;drop table x--" ALTER COLUMN "tenantId" SET NOT NULL');
  expect(up(r)).toContain(
    'ALTER TABLE "Weird Schema"."order" ADD CONSTRAINT "order_tenantId_he said ""hi""_key" UNIQUE ("tenantId", "he said ""hi""")',
  );
  await applied(r);
});

it('lets no name out of its comment', async () => {
  const r = repair(
    {
      '001_init.sql': `create table tenants (id uuid primary key);
create table "a\n;create table stolen (id int);--" (id uuid primary key, tenant_id uuid not null references tenants (id));
create table b (id uuid primary key, tenant_id uuid not null references tenants (id));`,
    },
    ['require-tenant-first-index'],
  );
  expect(await applied(r, "select to_regclass('stolen')::text as there")).toEqual([{ there: null }]);
});

describe('layouts', () => {
  const table =
    'create table tenants (id uuid primary key);\ncreate table orders (id uuid primary key, tenant_id uuid references tenants (id));\n';
  const both = ['require-tenant-not-null', 'require-tenant-first-index'] as const;
  const setNotNull = /ALTER TABLE "?orders"? ALTER COLUMN "?tenant_id"? SET NOT NULL;/;
  const concurrently = /CREATE INDEX CONCURRENTLY "?orders_tenant_id_idx"? ON "?orders"? \("?tenant_id"?\);/;

  it.each<[string, Files, readonly string[]]>([
    [
      'Prisma',
      { 'prisma/migrations/20240131235959_init/migration.sql': table },
      [
        'prisma/migrations/20240201000000_tenant_isolation/migration.sql',
        'prisma/migrations/20240201000001_tenant_index_orders/migration.sql',
      ],
    ],
    [
      'Flyway',
      { 'sql/V1_9__init.sql': table, 'sql/R__views.sql': 'select 1;' },
      ['sql/V1_10__tenant_isolation.sql', 'sql/V1_11__tenant_indexes.sql'],
    ],
    [
      'dbmate',
      { 'db/migrations/20240101000000_init.sql': `-- migrate:up\n${table}\n-- migrate:down\ndrop table orders;\n` },
      ['db/migrations/20240101000001_tenant_isolation.sql', 'db/migrations/20240101000002_tenant_index_orders.sql'],
    ],
    [
      'goose',
      { 'migrations/00009_init.sql': `-- +goose Up\n${table}\n-- +goose Down\ndrop table orders;\n` },
      ['migrations/00010_tenant_isolation.sql', 'migrations/00011_tenant_indexes.sql'],
    ],
    [
      'golang-migrate',
      { 'migrations/000001_init.up.sql': table, 'migrations/000001_init.down.sql': 'drop table orders;' },
      [
        'migrations/000002_tenant_isolation.up.sql',
        'migrations/000002_tenant_isolation.down.sql',
        'migrations/000003_tenant_index_orders.up.sql',
        'migrations/000003_tenant_index_orders.down.sql',
      ],
    ],
  ])('%s: names, and an index made concurrently apart from the rest', (_, files, names) => {
    const r = repair(files, both);
    expect(r.files.map((f) => f.file)).toEqual(names);
    const ups = r.files.filter((f) => !f.file.endsWith('.down.sql'));
    expect(ups[0]?.text).toMatch(setNotNull);
    expect(ups[0]?.text).not.toMatch(/CONCURRENTLY/);
    expect(ups[1]?.text).toMatch(concurrently);
  });

  it.each<[string, Files, string]>([
    [
      'Supabase',
      { 'supabase/migrations/20241231235959_init.sql': table },
      'supabase/migrations/20250101000000_tenant_isolation.sql',
    ],
    ['numbered files', { 'migrations/1-create-orders.sql': table }, 'migrations/2-tenant-isolation.sql'],
    [
      'a last migration that only fills rows',
      { 'migrations/0009_init.sql': table, 'migrations/0010_rows.sql': 'update orders set id = id;' },
      'migrations/0011_tenant_isolation.sql',
    ],
    [
      'node-pg-migrate',
      { 'migrations/1700000000000_init.sql': `-- Up Migration\n${table}\n-- Down Migration\ndrop table orders;\n` },
      'migrations/1700000000001_tenant_isolation.sql',
    ],
  ])('%s: one file, with an index that may be there already', (_, files, name) => {
    const r = repair(files, both);
    expect(r.files.map((f) => f.file)).toEqual([name]);
    expect(r.sql).toMatch(setNotNull);
    expect(r.sql).toMatch(/CREATE INDEX IF NOT EXISTS orders_tenant_id_idx/);
  });

  it('takes back what it does where the tool has a place for that', () => {
    const r = repair(
      { 'db/migrations/20240101000000_init.sql': `-- migrate:up\n${table}\n-- migrate:down\ndrop table orders;\n` },
      both,
    );
    expect(r.files[0]?.text).toMatch(
      /^-- migrate:up\n[\s\S]*SET NOT NULL;\n\n-- migrate:down\n\nALTER TABLE orders ALTER COLUMN tenant_id DROP NOT NULL;\n$/,
    );
    expect(r.files[1]?.text).toMatch(/^-- migrate:up transaction:false\n/);
  });

  it('adds entries to the list that Drizzle keeps', () => {
    const journal =
      '{\n  "version": "7",\n  "entries": [\n    {\n      "idx": 0,\n      "version": "7",\n      "when": 17,\n      "tag": "0000_init",\n      "breakpoints": true\n    }\n  ]\n}\n';
    const r = repair(
      {
        'drizzle/0000_init.sql': table.replace(');\n', ');\n--> statement-breakpoint\n'),
        'drizzle/meta/_journal.json': journal,
      },
      both,
    );
    const read = r.source.read('drizzle/meta/_journal.json');
    const entries = 'text' in read ? (JSON.parse(read.text) as { entries: unknown[] }).entries : [];
    expect(entries[1]).toEqual({ idx: 1, version: '7', when: 18, tag: '0001_tenant_isolation', breakpoints: true });
    expect(r.files[0]?.text.match(/--> statement-breakpoint/g)).toHaveLength(1);
  });

  it('writes nothing beside migrations in code', () => {
    const files: Files = {
      'migrations/20240101_init.ts': `import type { Knex } from 'knex';
export const up = (knex: Knex) => knex.raw(\`${table}\`);`,
      'package.json': '{"dependencies":{"knex":"3.1.0"}}',
    };
    expect(writeMigration('migrations', [], { names: Object.keys(files), textOf: (f) => files[f] })).toBe(
      'its migrations are code, and fix writes SQL only',
    );
  });
});

describe('declarations', () => {
  it('keeps a Prisma schema in step', () => {
    const schema = `model Tenant {
  id     String  @id
  orders Order[]
}

model Order {
  id       String  @id
  tenantId String? @map("tenant_id")
  slug     String  @unique
  tenant   Tenant? @relation(fields: [tenantId], references: [id])

  @@map("orders")
}
`;
    const r = repair(
      {
        'prisma/schema.prisma': schema,
        'prisma/migrations/20240101000000_init/migration.sql': `CREATE TABLE "Tenant" ("id" TEXT NOT NULL, CONSTRAINT "Tenant_pkey" PRIMARY KEY ("id"));
CREATE TABLE "orders" ("id" TEXT NOT NULL, "tenant_id" TEXT, "slug" TEXT NOT NULL, CONSTRAINT "orders_pkey" PRIMARY KEY ("id"));
CREATE UNIQUE INDEX "orders_slug_key" ON "orders"("slug");
ALTER TABLE "orders" ADD CONSTRAINT "orders_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "Tenant"("id") ON DELETE SET NULL ON UPDATE CASCADE;`,
      },
      ['require-tenant-not-null', 'require-tenant-in-unique', 'require-tenant-first-index'],
    );
    const read = r.source.read('prisma/schema.prisma');
    expect('text' in read && read.text).toBe(
      schema
        .replace('tenantId String? @map', 'tenantId String  @map')
        .replace('String  @unique', 'String')
        .replace('Tenant? @relation', 'Tenant  @relation')
        .replace('  @@map', '  @@index([tenantId])\n  @@unique([tenantId, slug])\n  @@map'),
    );
  });
});
