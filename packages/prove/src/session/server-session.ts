import { randomBytes } from 'node:crypto';
import type * as Pg from 'pg';
import { connectTo, refuse } from './connect.js';
import { OutOfTime, quoteName, TimedOut, type Limits, type Ran, type Session } from './session.js';

/**
 * A scratch database on a server that the user named: created now, dropped on close, and the only one that is ever connected to besides the one
 * the URL names, in which nothing but CREATE DATABASE and DROP DATABASE runs. Everything else happens in one transaction that is never
 * committed, so that roles, which all databases of a server share, stay as they are. @throws ServerRefused
 */
export async function openServerSession(url: string, limits: Limits): Promise<Session> {
  const begun = Date.now();
  const name = `tenant_lint_${randomBytes(6).toString('hex')}`;
  const connect = (connectionString: string): Promise<Pg.Client> => connectTo(connectionString, 'tenant-lint prove');
  const admin = await connect(url).catch((error: unknown) => refuse('The server cannot be reached', error));
  try {
    await admin.query(`create database ${quoteName(name)} template template0`);
  } catch (error) {
    await admin.end();
    return refuse('No scratch database can be created on the server', error);
  }
  const drop = async (): Promise<void> => {
    try {
      await admin.query(`select pg_terminate_backend(pid) from pg_stat_activity where datname = $1`, [name]);
      await admin.query(`drop database if exists ${quoteName(name)}`);
    } finally {
      await admin.end();
    }
  };
  let client: Pg.Client;
  try {
    const scratch = new URL(url);
    scratch.pathname = `/${name}`;
    client = await connect(scratch.href);
  } catch (error) {
    await drop();
    return refuse('The scratch database cannot be connected to', error);
  }
  let ended: Error | undefined;
  const bounded = async (sql: string, step: string): Promise<Ran> => {
    const left = limits.totalSeconds - (Date.now() - begun) / 1000;
    const seconds = Math.min(limits.statementSeconds, left);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => {
          ended =
            left < limits.statementSeconds
              ? new OutOfTime(limits.totalSeconds)
              : new TimedOut(step, limits.statementSeconds);
          reject(ended);
        },
        Math.max(0, seconds) * 1000,
      );
    });
    try {
      return await Promise.race([outcomeOf(client, sql), late]);
    } finally {
      clearTimeout(timer);
    }
  };
  return {
    kind: 'server',
    async run(statements, step = '') {
      if (ended) throw ended;
      const outcomes: Ran[] = [];
      for (const sql of statements) {
        const outcome = await bounded(sql, step);
        outcomes.push(outcome);
        if (!outcome.ok) break;
      }
      return outcomes;
    },
    async close() {
      ended ??= new Error('closed');
      // The backend is ended by the other connection: this one may wait for a statement that never ends.
      await drop();
      await client.end().catch(() => undefined);
    },
  };
}

async function outcomeOf(client: Pg.Client, sql: string): Promise<Ran> {
  try {
    // The extended protocol takes one statement only: a text that hides a COMMIT behind a semicolon is refused.
    const result = await client.query({ text: sql, rowMode: 'array', queryMode: 'extended' } as {
      text: string;
      rowMode: 'array';
    });
    const rows = (result.rows as unknown[][]).map((row) =>
      row.map((v) => (v === null || v === undefined ? null : typeof v === 'string' ? v : JSON.stringify(v))),
    );
    return { ok: true, rows, affected: result.rowCount ?? 0 };
  } catch (error) {
    const { code, message, constraint, column } = error as {
      code?: string;
      message: string;
      constraint?: string;
      column?: string;
    };
    return { ok: false, code: code ?? 'XX000', message, constraint, column };
  }
}
