import type { Client, LinkContext, Step, Value } from '@tenant-lint/model';
import { traceClient, traceSteps, type ClientKinds } from '../client-trace.js';

/** How a `sql` is connected. */
export interface SqlClient {
  readonly kind: Client['kind'];
}

const plain: SqlClient = { kind: 'plain' };
const inTransaction: SqlClient = { kind: 'transaction' };
const typeWord = /^(?:postgres\.)?(?:Sql|ISql|ReservedSql|NeonQueryFunction|ReturnType<typeof (?:postgres|neon)>)\b/;
const transactionType = /^(?:postgres\.)?TransactionSql\b/;

/** postgres.js, and the tags that work as it does: Neon's over HTTP, Bun's own. */
const kinds: ClientKinds<SqlClient> = {
  typed: ({ text }) => (transactionType.test(text) ? inTransaction : typeWord.test(text) ? plain : undefined),
  exported: (module, name) => (module === 'bun' && (name === 'sql' || name === 'SQL') ? plain : undefined),
  constructed: (module, name) => (module === 'bun' && name === 'SQL' ? plain : undefined),
  called: (module, name) =>
    (/^postgres(?:\/|$)/.test(module) && (name === 'default' || name === 'postgres')) ||
    (module === '@neondatabase/serverless' && name === 'neon')
      ? plain
      : undefined,
  member: (client, name) => (name === 'reserve' ? client : undefined),
  handed: (client, name) =>
    name === 'begin' || name === 'savepoint' || name === 'transaction' ? { ...client, kind: 'transaction' } : undefined,
};

export const sqlClient = (value: Value, context: LinkContext): SqlClient | undefined =>
  traceClient(value, kinds, context);

export const sqlClientOfSteps = (base: Value, steps: readonly Step[], context: LinkContext): SqlClient | undefined =>
  traceSteps(base, steps, kinds, context);
