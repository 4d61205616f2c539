import { existsSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TenancyModel } from '@tenant-lint/model';
import { afterAll, describe, expect, it } from 'vitest';
import {
  defaultLimits,
  openEmbeddedSession,
  openServerSession,
  OutOfTime,
  planMigrations,
  proveIsolation,
  ServerRefused,
  TimedOut,
} from '../src/index.js';

const tenancy: TenancyModel = {
  strategy: 'rls',
  strategyReason: '',
  roots: [],
  keys: ['tenant_id'],
  tables: new Map([
    ['public.note', { kind: 'keyed', keys: [{ column: 'tenant_id', nullable: false }], why: 'a test' }],
  ]),
  settings: ['app.tenant'],
  appRoles: [],
};

const note = `create table note (id int primary key, tenant_id text not null, body text);
alter table note enable row level security;
create policy p on note using (tenant_id = nullif(current_setting('app.tenant', true), ''));`;

/** Statements that no kind gives away: what they do is hidden in a string. */
const hidden = (sql: string): string => `do $x$ begin execute '${sql.replaceAll("'", "''")}'; end $x$`;

describe('SQL in the embedded Postgres', () => {
  const mark = join(tmpdir(), `tenant-lint-safety-${process.pid}`);
  afterAll(() => {
    rmSync(mark, { force: true });
  });

  it('starts no process and reaches no file of the machine', async () => {
    const limits = { ...defaultLimits, statementSeconds: 5 };
    const attempts = [
      `create table x (t text)`,
      `copy x to program 'touch ${mark}'`,
      `copy x to '${mark}'`,
      `select lo_export(lo_from_bytea(0, '\\x41'), '${mark}')`,
    ];
    for (const sql of attempts.slice(1)) {
      const session = await openEmbeddedSession(limits);
      await session.run([attempts[0]!]);
      await session.run([hidden(sql)]).catch((error: unknown) => {
        expect(error).toBeInstanceOf(TimedOut);
      });
      await session.close();
      expect(existsSync(mark), sql).toBe(false);
    }
  });

  it('reads no file, no environment and no input of the machine', async () => {
    const session = await openEmbeddedSession(defaultLimits);
    const read = async (sql: string): Promise<string> => JSON.stringify(await session.run([sql]));
    expect(await read(`select pg_read_file('${process.execPath}', 0, 4)`)).toContain('"ok":false');
    expect(await read(`select pg_read_file('${import.meta.filename}', 0, 4)`)).toContain('"ok":false');
    expect(await read(`select pg_ls_dir('${tmpdir()}')`)).not.toContain('tenant-lint');
    expect(await read(`select lo_import('${import.meta.filename}')`)).toContain('"ok":false');
    expect(await read(`create extension dblink`)).toContain('"ok":false');
    expect(await read(`create extension postgres_fdw`)).toContain('"ok":false');
    await session.close();
  });

  it('opens no connection', async () => {
    let connections = 0;
    const server = createServer().on('connection', () => connections++);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const session = await openEmbeddedSession({ ...defaultLimits, statementSeconds: 5 });
    const ran = await session.run([
      `create subscription s connection 'host=127.0.0.1 port=${port} dbname=x' publication p`,
    ]);
    expect(ran).toMatchObject([{ ok: false }]);
    await session.close();
    server.close();
    expect(connections).toBe(0);
  });

  it('is ended when it does not end, and the caller goes on', async () => {
    const slow = await openEmbeddedSession({ ...defaultLimits, statementSeconds: 1 });
    await expect(slow.run(['do $$ begin loop end loop; end $$'], 'the loop')).rejects.toThrow(
      'the loop did not end within 1 seconds',
    );
    await expect(slow.run(['select 1'])).rejects.toBeInstanceOf(TimedOut);
    await slow.close();
    const late = await openEmbeddedSession({ ...defaultLimits, totalSeconds: 5 });
    await expect(late.run(['do $$ begin loop end loop; end $$'])).rejects.toBeInstanceOf(OutOfTime);
    await late.close();
  }, 180_000);

  it('is ended when it takes too much memory', async () => {
    const large = await openEmbeddedSession({ ...defaultLimits, memoryMegabytes: 300, statementSeconds: 60 });
    await expect(
      large.run(["create table big as select repeat('x', 1000) || i as t from generate_series(1, 3000000) i"], 'much'),
    ).rejects.toThrow('much needed more than 300 MB');
    await large.close();
  }, 180_000);
});

describe('migrations of strangers', () => {
  it('that hold an endless loop are proven without it, and it is named with its place', async () => {
    const loop = 'do $$ begin loop end loop; end $$;';
    const proof = await proveIsolation({
      migrations: [
        { file: '1.sql', text: `${loop}\n${note}` },
        { file: '2.sql', text: 'select 1/0; create table after (id int);' },
      ],
      tenancy,
      limits: { statementSeconds: 2 },
    });
    expect(proof.applied.exceptions).toEqual([
      {
        file: '1.sql',
        start: 0,
        end: loop.length - 1,
        kind: 'failed',
        reason: 'it does not end in the time or memory allowed',
      },
      { file: '2.sql', start: 0, end: 10, kind: 'failed', reason: 'division by zero' },
    ]);
    expect(proof.catalog.relations.map((r) => r.name)).toEqual(['after', 'note']);
    expect(proof.cells.filter((c) => c.table === 'public.note').map((c) => c.outcome)).not.toContain('leaked');
  });

  it('that work outside of their database are not run there', () => {
    const { steps } = planMigrations(
      [
        {
          file: 'a.sql',
          text: `copy t to program 'id'; copy t from '/etc/passwd'; alter system set work_mem = '1GB'; load 'x'; create database d; drop database d; create tablespace t location '/'; begin; commit; rollback;`,
        },
      ],
      'server',
    );
    expect(steps).toHaveLength(10);
    expect(steps.every((s) => s.run.length === 0 && s.left !== undefined)).toBe(true);
  });
});

describe('a server', () => {
  it('that is not there is refused without telling the URL', async () => {
    const opening = openServerSession('postgres://somebody:secret@127.0.0.1:9/private', defaultLimits);
    await expect(opening).rejects.toBeInstanceOf(ServerRefused);
    await opening.catch((error: unknown) => {
      expect(String(error)).not.toMatch(/secret|somebody|private|127/);
    });
  });

  const url = process.env['TENANT_LINT_TEST_DATABASE_URL'];
  it.skipIf(url === undefined)(
    'is left as it was: runs where TENANT_LINT_TEST_DATABASE_URL names a server',
    async () => {
      const pg = (await import('pg')).default;
      const before = new pg.Client({ connectionString: url! });
      await before.connect();
      const state = async (): Promise<unknown> =>
        (
          await before.query(
            // Another test has a database of its own.
            `select (select array_agg(datname order by 1) from pg_database where datname not like 'tenant_lint_live_%') d, (select array_agg(rolname order by 1) from pg_roles) r`,
          )
        ).rows;
      const found = await state();
      const open = (limits: typeof defaultLimits): ReturnType<typeof openServerSession> =>
        openServerSession(url!, limits);
      const proof = await proveIsolation({
        migrations: [
          {
            file: '1.sql',
            text: `create role tenant_lint_test_app; do $$ begin loop end loop; end $$; ${note} grant select on note to tenant_lint_test_app;`,
          },
        ],
        tenancy,
        open,
        where: 'server',
        limits: { statementSeconds: 2 },
      });
      expect(proof.cells.some((c) => c.outcome === 'blocked')).toBe(true);
      expect(await state()).toEqual(found);
      await before.end();
    },
  );
});
