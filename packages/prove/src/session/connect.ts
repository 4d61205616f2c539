import type * as Pg from 'pg';

/** A server could not be used. The message names neither user, password nor host. */
export class ServerRefused extends Error {}

const connectMilliseconds = 10_000;

/** Connects to the database that a connection string names. @throws ServerRefused without the driver, and what the driver throws */
export async function connectTo(url: string, application: string): Promise<Pg.Client> {
  const pg = await loadDriver();
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: connectMilliseconds,
    application_name: application,
  });
  // A connection that is cut while idle is noticed by the next statement.
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

async function loadDriver(): Promise<typeof Pg> {
  try {
    return (await import('pg')).default as unknown as typeof Pg;
  } catch {
    throw new ServerRefused('The package pg is not installed; --url needs it.');
  }
}

/** What the codes of Node and of Postgres mean that a connection usually fails with. */
const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'the connection was cut',
  ENOTFOUND: 'there is no such host',
  EAI_AGAIN: 'the name of the host could not be looked up',
  ENOENT: 'there is no such socket',
  ETIMEDOUT: 'no answer',
  ERR_INVALID_URL: 'it is no connection string; write postgres://user@host/database',
  '28P01': 'the password is wrong',
  '28000': 'the server lets this user not in',
  '3D000': 'there is no such database',
  '42501': 'the role may not do that',
  '53300': 'the server has no connection left',
  '57014': 'it took too long',
  '57P03': 'the server is starting or stopping',
};

/** Fails with the reason, without what the URL holds: drivers put host and user into their messages. @throws ServerRefused */
export function refuse(what: string, error: unknown): never {
  if (error instanceof ServerRefused) throw error;
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  const known = code === undefined ? unnamed(error) : reasons[code];
  const reason = [known, code].filter((part) => part !== undefined).join(', ');
  throw new ServerRefused(`${what} (${reason === '' ? 'unknown error' : reason}).`);
}

/** What the driver says without a code. */
function unnamed(error: unknown): string | undefined {
  const message = error instanceof Error ? error.message : '';
  if (/timeout/i.test(message)) return 'no answer in time';
  if (/password must be a string/i.test(message)) return 'it asks for a password, and none was given';
  if (/terminated|closed/i.test(message)) return 'the connection was cut';
  if (/SSL|TLS|certificate/i.test(message)) return 'no encrypted connection could be made';
  return undefined;
}
