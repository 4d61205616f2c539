import type { PGlite, Transaction } from '@electric-sql/pglite';

export type Row = Readonly<Record<string, unknown>>;

/** What a statement did: its rows and how many it affected, or the error that Postgres raised. */
export type Outcome =
  | { readonly ok: true; readonly rows: readonly Row[]; readonly affected: number }
  | { readonly ok: false; readonly code: string; readonly message: string };

/**
 * Settings of a session, by name. `null` demands that the setting was never set in this session, so that current_setting(name, true) is
 * NULL: once set, a custom setting is '' after RESET, ROLLBACK or DISCARD ALL, and never NULL again.
 */
export type Settings = Readonly<Record<string, string | null>>;

/** A database within one case; everything done here is rolled back at its end. */
export interface CaseDatabase {
  /** Runs statements. @throws the error of Postgres, after which the case can still go on. */
  exec(sql: string): Promise<void>;
  /** Runs one statement with parameters. @throws as exec. */
  query(sql: string, parameters?: readonly unknown[]): Promise<readonly Row[]>;
  /** Runs one statement (or, without parameters, several: the outcome of the last), and tells an error instead of throwing it. */
  attempt(sql: string, parameters?: readonly unknown[]): Promise<Outcome>;
  /**
   * Runs `body` as a role with settings that last as long as it. What it changes is undone afterwards, so that one case can ask what each of
   * several roles could do to the same rows. @throws SettingWasSet
   */
  asRole<T>(role: string, settings: Settings, body: (db: CaseDatabase) => Promise<T>): Promise<T>;
}

/** An embedded Postgres in this process. */
export interface Embedded {
  /** Runs statements outside of any case; they stay. */
  exec(sql: string): Promise<void>;
  /** Runs `setup` and then `body` in one transaction that is rolled back whatever happens. Cases run one after the other. */
  withCase<T>(setup: string, body: (db: CaseDatabase) => Promise<T>): Promise<T>;
  /** An independent copy with a fresh session: what `Settings` with `null` need after a setting was set. */
  clone(): Promise<Embedded>;
  close(): Promise<void>;
}

/** A setting that should be unset was set in this session before. */
export class SettingWasSet extends Error {
  constructor(readonly setting: string) {
    super(`the setting ${setting} was set in this session and cannot be unset again; use clone()`);
  }
}

/**
 * Opens an embedded Postgres. PGlite is loaded only now: it takes more than a second to start and most of a gigabyte, so open one per test
 * worker and use cases (or clones) in it.
 */
export async function openEmbedded(): Promise<Embedded> {
  const { PGlite } = await import('@electric-sql/pglite');
  return embeddedOf(await PGlite.create());
}

function embeddedOf(db: PGlite): Embedded {
  return {
    async exec(sql) {
      await db.exec(sql);
    },
    async withCase(setup, body) {
      return db.transaction(async (transaction) => {
        try {
          if (setup.trim() !== '') await transaction.exec(setup);
          return await body(new Case(transaction));
        } finally {
          await transaction.rollback();
        }
      });
    },
    async clone() {
      return embeddedOf((await db.clone()) as PGlite);
    },
    async close() {
      await db.close();
    },
  };
}

class Case implements CaseDatabase {
  constructor(private readonly transaction: Transaction) {}

  async exec(sql: string): Promise<void> {
    await this.#guarded(() => this.transaction.exec(sql));
  }

  async query(sql: string, parameters: readonly unknown[] = []): Promise<readonly Row[]> {
    const result = await this.#guarded(() => this.transaction.query<Row>(sql, [...parameters]));
    return result.rows;
  }

  async attempt(sql: string, parameters?: readonly unknown[]): Promise<Outcome> {
    try {
      if (parameters) {
        const result = await this.#guarded(() => this.transaction.query<Row>(sql, [...parameters]));
        return { ok: true, rows: result.rows, affected: result.affectedRows ?? 0 };
      }
      const results = await this.#guarded(() => this.transaction.exec(sql));
      const last = results.at(-1);
      return { ok: true, rows: (last?.rows ?? []) as Row[], affected: last?.affectedRows ?? 0 };
    } catch (error) {
      return { ok: false, ...errorOf(error) };
    }
  }

  async asRole<T>(role: string, settings: Settings, body: (db: CaseDatabase) => Promise<T>): Promise<T> {
    return this.#undone(async () => {
      for (const [name, value] of Object.entries(settings)) {
        if (value === null) await this.#demandUnset(name);
        else await this.transaction.query('select set_config($1, $2, true)', [name, value]);
      }
      await this.transaction.exec(`set local role ${quoted(role)}`);
      return body(this);
    });
  }

  async #demandUnset(name: string): Promise<void> {
    const { rows } = await this.transaction.query<{ value: string | null }>(
      'select current_setting($1, true) as value',
      [name],
    );
    if (rows[0]?.value !== null) throw new SettingWasSet(name);
  }

  /** A failed statement would spoil the transaction; a savepoint before it keeps the case, its role and settings as they were. */
  async #guarded<T>(run: () => Promise<T>): Promise<T> {
    await this.transaction.exec('savepoint statement');
    try {
      const result = await run();
      await this.transaction.exec('release savepoint statement');
      return result;
    } catch (error) {
      await this.transaction.exec('rollback to savepoint statement; release savepoint statement');
      throw error;
    }
  }

  async #undone<T>(run: () => Promise<T>): Promise<T> {
    await this.transaction.exec('savepoint role');
    try {
      return await run();
    } finally {
      await this.transaction.exec('rollback to savepoint role; release savepoint role');
    }
  }
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

function errorOf(error: unknown): { code: string; message: string } {
  if (!(error instanceof Error)) throw error;
  const { code } = error as { code?: unknown };
  // Only errors of the database are outcomes; anything else is a defect of ours.
  if (typeof code !== 'string') throw error;
  return { code, message: error.message };
}
