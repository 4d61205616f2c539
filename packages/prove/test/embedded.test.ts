import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openEmbedded, SettingWasSet, type Embedded } from '../src/index.js';

let database: Embedded;
beforeAll(async () => {
  database = await openEmbedded();
  await database.exec('create role app');
});
afterAll(async () => database.close());

const setup = `
  create table note (id int primary key, tenant_id text not null);
  insert into note values (1, 'a'), (2, 'b');
  alter table note enable row level security;
  create policy p on note using (tenant_id = current_setting('app.tenant', true)) with check (tenant_id = current_setting('app.tenant', true));
  grant select, insert, update, delete on note to app;`;

describe('the embedded Postgres', () => {
  it('enforces row security for a role with settings', async () => {
    const seen = await database.withCase(setup, (db) =>
      db.asRole('app', { 'app.tenant': 'a' }, (as) => as.query('select id from note')),
    );
    expect(seen).toEqual([{ id: 1 }]);
  });

  it('rolls a case back, its tables included', async () => {
    await database.withCase(setup, (db) => db.exec('delete from note'));
    const rows = await database.withCase('', (db) => db.query("select to_regclass('note') as t"));
    expect(rows).toEqual([{ t: null }]);
  });

  it('rolls a case back whose body throws, and is usable afterwards', async () => {
    await expect(database.withCase('create table a ()', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    await expect(database.withCase('create table a ()', (db) => db.query('select 1 as x'))).resolves.toEqual([
      { x: 1 },
    ]);
  });

  it('undoes what a role did, so that the next meets the same rows', async () => {
    const counts = await database.withCase(setup, async (db) => {
      const remove = (tenant: string): Promise<unknown> =>
        db.asRole('app', { 'app.tenant': tenant }, async (as) => (await as.attempt('delete from note')) as unknown);
      return [await remove('a'), await remove('a'), await db.query('select count(*)::int as n from note')];
    });
    expect(counts).toMatchObject([{ ok: true, affected: 1 }, { ok: true, affected: 1 }, [{ n: 2 }]]);
  });

  it('tells a refusal, and the role stays', async () => {
    const result = await database.withCase(setup, (db) =>
      db.asRole('app', { 'app.tenant': 'a' }, async (as) => [
        await as.attempt("insert into note values (3, 'b')"),
        await as.attempt("insert into note values ($1, 'a')", [4]),
        await as.query('select current_user as role'),
      ]),
    );
    expect(result).toMatchObject([{ ok: false, code: '42501' }, { ok: true, affected: 1 }, [{ role: 'app' }]]);
  });

  it('throws the error of a statement, and the case goes on', async () => {
    await database.withCase(setup, async (db) => {
      await expect(db.exec('select * from nowhere')).rejects.toThrow('nowhere');
      await expect(db.query('select 1 as x')).resolves.toEqual([{ x: 1 }]);
    });
  });

  it('refuses a setting that cannot be unset any more, and has it unset in a clone', async () => {
    const ask = (of: Embedded): Promise<unknown> =>
      of.withCase(setup, (db) =>
        db.asRole('app', { 'app.tenant': null }, (as) => as.query("select current_setting('app.tenant', true) as v")),
      );
    await expect(ask(database)).rejects.toBeInstanceOf(SettingWasSet);
    const fresh = await database.clone();
    await expect(ask(fresh)).resolves.toEqual([{ v: null }]);
    await fresh.close();
  });
});
