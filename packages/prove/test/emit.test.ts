import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TenancyModel } from '@tenant-lint/model';
import { migrationStatements } from '@tenant-lint/sql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defaultLimits, emitPgtap, emitVitest, openEmbeddedSession, proveIsolation, type Proof } from '../src/index.js';

const tenancy: TenancyModel = {
  strategy: 'rls',
  strategyReason: '',
  roots: [],
  keys: ['tenant_id'],
  tables: new Map([
    ['public.note', { kind: 'keyed', keys: [{ column: 'tenant_id', nullable: false }], why: 'a test' }],
    ['public.draft', { kind: 'keyed', keys: [{ column: 'tenant_id', nullable: false }], why: 'a test' }],
  ]),
  settings: ['app.tenant'],
  appRoles: ['app'],
};

/** `note` is isolated; every row of `draft` can be read. Also: a transaction, a statement that fails, a table that comes after its use, and a new value of a type that is used at once. */
const migration = `begin;
create role app;
comment on table late is 'it comes later';
create table note (id int primary key, tenant_id text not null, body text check (length(body) > 30));
create table draft (id uuid primary key, tenant_id text not null, kind text not null check (kind in ('x', 'y')));
select 1/0;
alter table note enable row level security;
alter table draft enable row level security;
create policy p on note using (tenant_id = nullif(current_setting('app.tenant', true), ''));
create policy p on draft for select using (true);
create table late (id int);
create type mood as enum ('dull');
alter type mood add value 'keen';
create table hint (mood mood not null default 'keen');
grant select, insert, update, delete on note, draft to app;
commit;
`;

const folder = fileURLToPath(new URL('..', import.meta.url));
let scratch: string;
let proof: Proof;
beforeAll(async () => {
  scratch = mkdtempSync(join(folder, '.emit-'));
  proof = await proveIsolation({ migrations: [{ file: 'db/1.sql', text: migration }], tenancy });
});
afterAll(() => {
  rmSync(scratch, { recursive: true });
});

const leaks = [
  'read of public.draft by table public.draft as app, nothing set',
  'read of public.draft by table public.draft as app, settings empty',
  'read of public.draft by table public.draft as app',
].sort();

it('has a proof with leaks and without, to write out', () => {
  expect(proof.unfilled).toEqual([]);
  expect(proof.applied.exceptions.map((e) => `${e.kind}: ${e.reason}`)).toEqual([
    'left out: everything runs in one transaction',
    'replaced: after what it needs, which comes later',
    'failed: division by zero',
    'left out: everything runs in one transaction',
  ]);
  expect(proof.cells.filter((c) => c.outcome === 'leaked').map((c) => `${c.command} ${c.table}`)).toEqual([
    'read public.draft',
    'read public.draft',
    'read public.draft',
  ]);
});

describe('vitest', () => {
  it('runs without tenant-lint, and fails exactly where something leaks', async () => {
    mkdirSync(join(scratch, 'db'));
    writeFileSync(join(scratch, 'db', '1.sql'), migration);
    mkdirSync(join(scratch, 'test'));
    writeFileSync(join(scratch, 'test', 'isolation.test.js'), emitVitest(proof, '..'));
    writeFileSync(join(scratch, 'vitest.config.js'), `export default { test: { include: ['test/*.test.js'] } };`);
    const report = join(scratch, 'report.json');
    const vitest = join(folder, '../../node_modules/vitest/vitest.mjs');
    await new Promise((resolve) => {
      execFile(
        process.execPath,
        [vitest, 'run', '--root', scratch, '--reporter=json', `--outputFile=${report}`],
        { timeout: 150_000 },
        resolve,
      );
    });
    const { testResults } = JSON.parse(readFileSync(report, 'utf8')) as {
      testResults: { assertionResults: { title: string; status: string }[] }[];
    };
    const results = testResults.flatMap((r) => r.assertionResults);
    const tried = proof.cells.filter((c) => c.outcome !== 'not tried');
    expect(results).toHaveLength(tried.length);
    expect(
      results
        .filter((r) => r.status !== 'passed')
        .map((r) => r.title)
        .sort(),
    ).toEqual(leaks);
  }, 180_000);

  it('is the same text every time', () => {
    expect(emitVitest(proof, '..')).toBe(emitVitest(proof, '..'));
  });
});

describe('pgtap', () => {
  // PGlite carries no pgTAP: three functions of its names stand in for it, so that the script itself is run.
  const standIn = [
    'create table tap (passed boolean, name text)',
    'create function plan(n integer) returns text language sql as $$ select n::text $$',
    `create function ok(passed boolean, name text) returns text language sql as $$ insert into tap values (passed, name) returning name $$`,
    `create function finish() returns setof text language sql as $$ select ''::text where false $$`,
  ];

  it('runs in the database that the migrations made, and fails exactly where something leaks', async () => {
    const session = await openEmbeddedSession(defaultLimits);
    const steps = migrationStatements(migration, '1.sql').filter(
      (s) => !/^(?:begin|commit|select|comment)$/.test(s.words[0] ?? ''),
    );
    for (const { text } of steps) expect(await session.run([text])).toMatchObject([{ ok: true }]);
    await session.run(standIn);
    const statements = migrationStatements(emitPgtap(proof), 'tests.sql').map((s) => s.text);
    expect(statements[0]).toBe('begin');
    expect(statements.at(-1)).toBe('rollback');
    for (const sql of statements.slice(0, -1)) {
      if (sql.startsWith('create extension')) continue;
      const [ran] = await session.run([sql]);
      expect(ran, `${sql}\n${JSON.stringify(ran)}`).toMatchObject({ ok: true });
    }
    const [all] = await session.run(['select name, passed::text from tap order by name']);
    const rows = all?.ok === true ? all.rows : [];
    const tried = proof.cells.filter((c) => c.outcome !== 'not tried');
    expect(rows).toHaveLength(tried.length);
    expect(rows.filter(([, passed]) => passed !== 'true').map(([name]) => name)).toEqual(leaks);
    await session.close();
  });
});
