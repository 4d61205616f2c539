/** What a statement did: its rows as texts, or the error that Postgres raised. */
export type Ran =
  | { readonly ok: true; readonly rows: readonly (readonly (string | null)[])[]; readonly affected: number }
  | {
      readonly ok: false;
      readonly code: string;
      readonly message: string;
      readonly constraint?: string | undefined;
      readonly column?: string | undefined;
    };

/** One connection as the owner of a database that is thrown away. */
export interface Session {
  /** 'embedded', or 'server'. */
  readonly kind: 'embedded' | 'server';
  /**
   * Runs single statements one after the other up to the first that fails; one outcome for each that ran. `step` names them, so that one
   * that never ends can be left out of the next try. @throws TimedOut, OutOfMemory
   */
  run(statements: readonly string[], step?: string): Promise<readonly Ran[]>;
  /** Ends it, whatever it is doing, and removes what it made. */
  close(): Promise<void>;
}

/** How long and how much a run may take. */
export interface Limits {
  /** One statement. */
  readonly statementSeconds: number;
  /** Everything. */
  readonly totalSeconds: number;
  /** What the embedded Postgres may add to the memory of the process. */
  readonly memoryMegabytes: number;
}

export const defaultLimits: Limits = { statementSeconds: 20, totalSeconds: 600, memoryMegabytes: 3072 };

/** A step did not end in time; the database is gone with it. */
export class TimedOut extends Error {
  constructor(
    readonly step: string,
    readonly seconds: number,
  ) {
    super(`${step === '' ? 'a statement' : step} did not end within ${seconds} seconds`);
  }
}

/** A step needed more memory than is allowed; the database is gone with it. */
export class OutOfMemory extends Error {
  constructor(
    readonly step: string,
    readonly megabytes: number,
  ) {
    super(`${step === '' ? 'a statement' : step} needed more than ${megabytes} MB`);
  }
}

/** The whole run took too long. */
export class OutOfTime extends Error {
  constructor(readonly seconds: number) {
    super(`the proof did not end within ${seconds} seconds`);
  }
}

/** Quotes a name. */
export const quoteName = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** Quotes a text as a literal of unknown type, which takes the type that the place demands. */
export const literal = (value: string | null): string =>
  value === null
    ? 'NULL'
    : value.includes('\\')
      ? `E'${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`
      : `'${value.replaceAll("'", "''")}'`;

/** Runs one statement and gives its rows. @throws Error with the message of Postgres */
export async function rowsOf(
  session: Session,
  sql: string,
  step = '',
): Promise<readonly (readonly (string | null)[])[]> {
  const [ran] = await session.run([sql], step);
  if (ran === undefined || !ran.ok) throw new Error(ran?.message ?? 'no answer');
  return ran.rows;
}

/** Runs statements within a savepoint of their own and undoes what they did if one fails; the outcome of the last that ran. */
export async function guarded(session: Session, statements: readonly string[], step = ''): Promise<Ran> {
  const outcomes = await session.run(
    ['savepoint guard', ...statements, 'set constraints all immediate', 'release savepoint guard'],
    step,
  );
  const failed = outcomes.find((o) => !o.ok);
  if (failed) {
    await session.run(['rollback to savepoint guard', 'release savepoint guard'], step);
    return failed;
  }
  return outcomes[statements.length] ?? { ok: true, rows: [], affected: 0 };
}
