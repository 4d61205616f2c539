import { PGlite } from '@electric-sql/pglite';
import { isRefusal } from '@tenant-lint/prove';
import type { ProbeExecutor } from '@tenant-lint/rule-tester';

let database: Promise<PGlite> | undefined;

/**
 * One embedded Postgres per test worker, with a role `app_user` that owns nothing; everything a probe does is rolled back. A setting once
 * set in a session is '' afterwards, never NULL again, so probes of the NULL case use setting names of their own. For effects other than
 * leaks there are `probe.plan(query)`, the lines of its plan with sequential scans discouraged, and `probe.refusal(statement)`, a row with
 * the error if the database refuses the statement.
 */
export async function probeExecutor(): Promise<ProbeExecutor> {
  database ??= start();
  const db = await database;
  return async (setup, probe) => {
    await db.exec('begin');
    try {
      for (const text of setup) await db.exec(text);
      const results = await db.exec(probe).catch((error: unknown) => {
        if (isRefusal(codeOf(error))) return [];
        throw error;
      });
      const last = results.at(-1);
      return last === undefined ? 0 : Math.max(last.rows.length, last.fields.length > 0 ? 0 : (last.affectedRows ?? 0));
    } finally {
      await db.exec('rollback');
      await db.exec('reset role');
    }
  };
}

async function start(): Promise<PGlite> {
  const db = new PGlite();
  await db.exec('create role app_user nologin');
  await db.exec(helpers);
  return db;
}

const helpers = `
create schema probe;
grant usage on schema probe to public;
create function probe.plan(query text) returns setof text language plpgsql set enable_seqscan = off as $$
begin return query execute 'explain (verbose, costs off) ' || query; end $$;
create function probe.refusal(statement text) returns setof text language plpgsql as $$
begin execute statement; exception when others then return next sqlstate || ' ' || sqlerrm; end $$;
`;

const codeOf = (error: unknown): string => {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? code : '';
};
