import { PGlite } from '@electric-sql/pglite';
import { isRefusal } from '@tenant-lint/prove';
import type { ProbeExecutor } from '@tenant-lint/rule-tester';
import pg from 'pg';

/** A connection, as far as probes need one. */
interface Connection {
  /** Runs statements; of the last, how many rows it gave, or affected where it gives none. */
  run(sql: string): Promise<number>;
}

let embedded: Promise<Connection> | undefined;
let server: Promise<Connection & { readonly version: number }> | undefined;

/**
 * One embedded Postgres per test worker, with a role `app_user` that owns nothing; everything a probe does is rolled back. A setting once
 * set in a session is '' afterwards, never NULL again, so probes of the NULL case use setting names of their own. For effects other than
 * leaks there are `probe.plan(query)`, the lines of its plan with sequential scans discouraged, and `probe.refusal(statement)`, a row with
 * the error if the database refuses the statement.
 */
export async function probeExecutor(): Promise<ProbeExecutor> {
  embedded ??= startEmbedded();
  return executorOf(await embedded);
}

/** The same on the server that TENANT_LINT_TEST_DATABASE_URL names. Nothing stays there: what stands before the probes is rolled back with them. */
export async function serverExecutor(url: string): Promise<{ execute: ProbeExecutor; version: number }> {
  server ??= connect(url);
  const { version, ...connection } = await server;
  return { execute: executorOf(connection, `create role app_user nologin;${helpers}`), version };
}

function executorOf(connection: Connection, first = ''): ProbeExecutor {
  return async (setup, probe) => {
    await connection.run('begin');
    try {
      for (const text of [first, ...setup]) await connection.run(text);
      return await connection.run(probe).catch((error: unknown) => {
        if (isRefusal(codeOf(error))) return 0;
        throw error;
      });
    } finally {
      await connection.run('rollback');
      await connection.run('reset role');
    }
  };
}

async function startEmbedded(): Promise<Connection> {
  const db = new PGlite();
  await db.exec('create role app_user nologin');
  await db.exec(helpers);
  return {
    async run(sql) {
      const last = (await db.exec(sql)).at(-1);
      return last === undefined ? 0 : Math.max(last.rows.length, last.fields.length > 0 ? 0 : (last.affectedRows ?? 0));
    },
  };
}

async function connect(url: string): Promise<Connection & { readonly version: number }> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query<{ major: number }>(
    `select current_setting('server_version_num')::int / 10000 as major`,
  );
  return {
    version: rows[0]!.major,
    async run(sql) {
      const results = (await client.query(sql)) as pg.QueryResult | pg.QueryResult[];
      const last = Array.isArray(results) ? results.at(-1) : results;
      if (last === undefined) return 0;
      return Math.max(last.rows.length, last.fields.length > 0 ? 0 : (last.rowCount ?? 0));
    },
  };
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
