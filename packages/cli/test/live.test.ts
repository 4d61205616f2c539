import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { PGlite } from '@electric-sql/pglite';
import { Ajv } from 'ajv';
import type { FileFacts, Finding } from '@tenant-lint/model';
import { runRules, type Report } from '@tenant-lint/engine';
import { liveCatalogueOf } from '@tenant-lint/prove';
import { rules } from '@tenant-lint/rules';
import {
  buildModel,
  folderSource,
  liveFacts,
  memorySource,
  settingsOf,
  type Built,
  type Config,
  type Source,
} from '@tenant-lint/workspace';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { driftOf } from '../src/live.js';
import { formats } from '../src/options.js';
import { rendered } from '../src/report/formats.js';
import { app, project, run, schema } from './support/project.js';

let db: PGlite;
beforeAll(async () => {
  db = new PGlite();
  await db.exec('create role live_app nologin');
});
afterAll(() => db.close());
beforeEach(() => db.exec('begin'));
afterEach(() => db.exec('rollback'));

/** The facts of the embedded database as it is in this test. */
const live = async (): Promise<FileFacts> =>
  liveFacts(await liveCatalogueOf(async (sql) => (await db.query<unknown[]>(sql, [], { rowMode: 'array' })).rows));

function analysed(source: Source, facts?: FileFacts, config: Config = {}): { built: Built; report: Report } {
  const settings = settingsOf(config);
  const built = buildModel(source, { settings, ...(facts ? { live: facts } : {}) });
  return { built, report: runRules(built.model, rules, { settings: config.rules ?? {} }) };
}

const nothing = memorySource({});
const about = (f: Finding): string => `${f.rule} ${f.span?.file ?? f.subject}`;

const systems = fileURLToPath(new URL('../../../fixtures/systems/', import.meta.url));

describe.each([
  ['satox', 'migrations'],
  ['task-tracker', 'drizzle'],
  ['agent-platform', 'prisma/migrations'],
])('the database that the migrations of %s make', (system, migrations) => {
  it.each(['unsafe', 'safe'])('is judged as the files are, at the same places: %s', async (kind) => {
    const root = path.join(systems, system, kind);
    const folder = path.join(root, migrations);
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((f) => f.endsWith('.sql'));
    for (const file of files.sort()) await db.exec(readFileSync(path.join(folder, file), 'utf8'));
    const facts = await live();
    expect(facts.unchecked).toEqual([]);
    const config = JSON.parse(readFileSync(path.join(root, 'tenant-lint.config.json'), 'utf8')) as Config;
    const source = folderSource(root);
    const stated = analysed(source, undefined, config).report.findings;
    const there = analysed(source, facts, config);
    // Which of several equal things is named is another matter.
    const table = (f: Finding): string => `${f.rule} ${f.message} ${f.table ?? ''} ${f.span?.file ?? 'no file'}`;
    const apart = (f: Finding): boolean => f.rule !== 'require-safe-setting';
    expect(there.report.findings.filter(apart).map(table).sort()).toEqual(stated.filter(apart).map(table).sort());
    expect(driftOf(source, settingsOf(config), there.built)).toEqual([]);
  });
});

/** Policies, and what weakens them. */
const guarded = `${schema}
alter table invoices enable row level security;
create policy isolate on invoices to live_app using (organization_id = current_setting('app.org', true)::uuid);
`;

describe('a database without files', () => {
  it('is judged by itself, and each finding says what it is about', async () => {
    await db.exec(`${guarded}
      create policy "Every body" on invoices for select to live_app using (total > 0);
      create function every_total() returns setof invoices language sql security definer as 'select * from public.invoices';
      create view all_invoices as select * from invoices;
      grant select on invoices, all_invoices to live_app;
      create table notes (id uuid primary key, organization_id uuid not null references organizations (id), title text unique);`);
    const { report } = analysed(nothing, await live());
    const found = report.findings.map(about);
    expect(found).toContain('no-leaking-policy policy public.invoices/Every body');
    expect(found).toContain('no-definer-without-tenant function public.every_total()');
    expect(found).toContain('require-security-invoker view public.all_invoices');
    expect(found).toContain('require-tenant-in-unique constraint public.notes/notes_title_key');
    expect(report.findings.filter((f) => f.span !== undefined || f.subject === undefined)).toEqual([]);
    expect(report.findings.flatMap((f) => f.related).filter((r) => r.span !== undefined)).toEqual([]);
    expect(new Set(report.findings.map((f) => f.fingerprint)).size).toBe(report.findings.length);
  });

  it.each(formats)('is reported as %s', async (format) => {
    await db.exec(`${guarded} create policy "Every <b>body" on invoices for select to live_app using (total > 0);`);
    const { built, report } = analysed(nothing, await live());
    const text = rendered(format, report, {
      color: false,
      quiet: false,
      verbose: true,
      textOf: () => undefined,
      fails: () => true,
      model: built.model,
    });
    expect(text).toMatch(/policy public\.invoices\/Every (?:<|&lt;|\\u003c|\\<)b/);
    expect(text).not.toMatch(/\bdatabase:\d|"file": ?"database"/);
    if (format !== 'json') return;
    const json = JSON.parse(text) as { findings: { file: unknown; subject: unknown }[] };
    expect(json.findings.find((f) => f.subject === 'policy public.invoices/Every <b>body')).toMatchObject({
      file: null,
    });
    const described = JSON.parse(
      readFileSync(new URL('../../../docs/report.schema.json', import.meta.url), 'utf8'),
    ) as object;
    const validate = new Ajv({ allowUnionTypes: true }).compile(described);
    expect(validate(JSON.parse(text)) ? [] : validate.errors).toEqual([]);
  });

  it('holds partitions, inheritance, domains, generated columns, grants of columns and settings', async () => {
    await db.exec(`create schema "Odd schema"; create domain "Odd schema".mail as text not null;
      create table "Odd schema"."Tenants" (id uuid primary key);
      create table "Odd schema".events (id uuid, "Tenant Id" uuid not null references "Odd schema"."Tenants", mail "Odd schema".mail, at date not null,
        twice text generated always as (upper(id::text)) stored, n bigint generated always as identity) partition by range (at);
      create table "Odd schema".events_1 partition of "Odd schema".events for values from ('2024-01-01') to ('2025-01-01');
      create table "Odd schema".events_rest partition of "Odd schema".events default;
      create table base (a int); create table child (b int) inherits (base);
      create materialized view "Odd schema".totals as select count(*) from "Odd schema".events;
      create procedure idle() language sql as 'select 1'; create rule r1 as on delete to base do instead nothing;
      grant update (mail) on "Odd schema".events to live_app; alter role live_app set search_path to "Odd schema", public;
      alter default privileges revoke execute on functions from public; create publication p1 for table "Odd schema".events;`);
    const facts = await live();
    expect(facts.unchecked).toEqual([]);
    expect(facts.sql?.statements.irrelevant).toEqual({});
    const { built } = analysed(nothing, facts);
    const { tables, publications, dangling } = built.model.schema;
    expect(dangling).toEqual([]);
    expect(publications?.map((p) => p.name)).toEqual(['p1']);
    const events = tables.get('Odd schema.events')!;
    expect(
      [...events.columns.values()].map((c) => [c.name, c.notNull, c.generated ?? false, c.identity ?? false]),
    ).toEqual([
      ['id', false, false, false],
      ['Tenant Id', true, false, false],
      ['mail', false, false, false],
      ['at', true, false, false],
      ['twice', false, true, false],
      ['n', true, false, true],
    ]);
    expect(tables.get('Odd schema.events_1')?.partitionOf).toBe('Odd schema.events');
    expect(tables.get('Odd schema.events_rest')?.defaultPartition).toBe(true);
    expect(tables.get('public.child')?.inherits).toEqual(['public.base']);
  });
});

it('knows how many rows a table has, where the database does', async () => {
  await db.exec(`${schema} create table notes (id uuid primary key, organization_id uuid not null references organizations (id));
    insert into organizations values ('00000000-0000-0000-0000-000000000001', 'a');
    insert into notes select gen_random_uuid(), '00000000-0000-0000-0000-000000000001' from generate_series(1, 30); analyze notes;`);
  const facts = await live();
  const found = (ignoreBelowRows: number): (string | undefined)[] =>
    analysed(nothing, facts, { rules: { 'require-tenant-first-index': ['warning', { ignoreBelowRows }] } })
      .report.findings.filter((f) => f.rule === 'require-tenant-first-index')
      .map((f) => f.table);
  expect(found(0)).toEqual(['public.notes']);
  expect(found(30)).toEqual(['public.notes']);
  expect(found(31)).toEqual([]);
});

describe('a database and files', () => {
  const files = { 'migrations/001.sql': `create role live_app;\n${guarded}` };
  const source = memorySource(files);
  const drift = async (): Promise<readonly string[]> =>
    driftOf(source, settingsOf({}), analysed(source, await live()).built);

  it('that agree are reported at the lines of the files, and there is no drift', async () => {
    await db.exec(guarded);
    const { report } = analysed(source, await live());
    expect(report.findings.map(about)).toEqual(analysed(source).report.findings.map(about));
    expect(report.findings.length).toBeGreaterThan(0);
    expect(await drift()).toEqual([]);
  });

  it('protection that the database has lost is missed there, and is drift', async () => {
    await db.exec(`${guarded} alter table invoices disable row level security;`);
    const { report } = analysed(source, await live());
    expect(report.findings.map(about)).toContain('no-dormant-policy migrations/001.sql');
    expect(analysed(source).report.findings.map((f) => f.rule)).not.toContain('no-dormant-policy');
    expect((await drift()).join()).toMatch(
      /row security.*invoices.*migrations\/001\.sql:\d+:\d+\): weaker than the files say/,
    );
  });

  it('a policy that lets more through is the finding, not the one in the file', async () => {
    await db.exec(`${guarded} alter policy isolate on invoices using (true);`);
    const { report } = analysed(source, await live());
    expect(report.findings.map(about)).toContain('no-leaking-policy policy public.invoices/isolate');
    expect((await drift()).join()).toContain('weaker than the files say');
  });

  it('protection that only the database has counts, and is drift', async () => {
    await db.exec(`${guarded} alter table projects enable row level security;
      create policy isolate on projects to live_app using (organization_id = current_setting('app.org', true)::uuid);`);
    const open = (report: Report): boolean =>
      report.findings.some((f) => f.rule === 'require-row-security' && f.table === 'public.projects');
    expect(open(analysed(source).report)).toBe(true);
    expect(open(analysed(source, await live()).report)).toBe(false);
    expect((await drift()).join()).toMatch(/projects/);
  });

  it('a migration that has not run yet is judged as the files say, and is drift', async () => {
    await db.exec(guarded);
    const later = memorySource({
      ...files,
      'migrations/002.sql':
        'create table notes (id uuid primary key, organization_id uuid not null references organizations (id));',
    });
    const { built, report } = analysed(later, await live());
    expect(report.findings.map(about)).toContain('require-row-security migrations/002.sql');
    expect(driftOf(later, settingsOf({}), built)).toEqual(['table public.notes is not there (migrations/002.sql:1:1)']);
  });

  it('code is judged by the columns of the database, by the names that it has for them', async () => {
    await db.exec(schema);
    const code = memorySource({ 'package.json': app['package.json']!, 'src/invoices.ts': app['src/invoices.ts']! });
    const { report } = analysed(code, await live());
    expect(report.findings.filter((f) => f.span).map(about)).toEqual(['require-tenant-filter src/invoices.ts']);
  });
});

describe('--url', () => {
  let remove: () => void = () => undefined;
  afterEach(() => remove());
  const root = (files: Readonly<Record<string, string>> = {}): string => {
    const made = project(files);
    remove = made.remove;
    return made.root;
  };

  it.each([
    ['postgres://somebody:sesame@127.0.0.1:9/private', 'nothing listens there, ECONNREFUSED'],
    ['postgres://somebody:sesame@private.invalid/private', 'E'],
    ['somebody:sesame', ''],
    ['http://somebody:sesame@private.invalid', ''],
    ['postgres://somebody:sesame@[private/x', ''],
  ])(
    'that leads nowhere is said without telling it: %s',
    async (url, reason) => {
      for (const command of ['check', 'inspect']) {
        const { code, stdout, stderr } = await run(root(app), command, '--url', url, '--verbose');
        expect([code, stdout]).toEqual([2, '']);
        expect(stderr).toContain('The database of --url cannot be reached (');
        expect(stderr).toContain(reason);
        expect(stderr).not.toMatch(/sesame|somebody|private/);
      }
    },
    30_000,
  );

  const url = process.env['TENANT_LINT_TEST_DATABASE_URL'];
  it.skipIf(url === undefined)(
    'reads a server and leaves it as it was: runs where TENANT_LINT_TEST_DATABASE_URL names one',
    async () => {
      const client = new pg.Client({ connectionString: url! });
      await client.connect();
      const name = `tenant_lint_live_${process.pid}`;
      await client.query(`create database ${name}`);
      const there = new URL(url!);
      there.pathname = `/${name}`;
      const owner = new pg.Client({ connectionString: there.href });
      await owner.connect();
      try {
        await owner.query(
          `${guarded.replaceAll(' to live_app', '')} create policy everybody on invoices using (true);`,
        );
        const cwd = root();
        const { code, stdout, stderr } = await run(cwd, 'check', '--url', there.href, '--format', 'json');
        expect([code, stderr]).toEqual([1, '']);
        expect(stdout).toContain('"subject": "policy public.invoices/everybody"');
        expect((await run(cwd, 'check', '--url', there.href, '--format', 'json')).stdout).toBe(stdout);
        const inspected = await run(cwd, 'inspect', 'invoices', '--url', there.href);
        expect(inspected.stdout).toContain('policy everybody for all policy public.invoices/everybody');
        there.pathname = '/tenant_lint_nowhere';
        const missing = await run(cwd, 'check', '--url', there.href);
        expect([missing.code, missing.stderr]).toEqual([
          2,
          expect.stringContaining('there is no such database, 3D000'),
        ]);
      } finally {
        await owner.end();
        await client.query(`drop database ${name}`);
        await client.end();
      }
    },
  );
});
