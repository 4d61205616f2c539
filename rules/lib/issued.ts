import type { Model } from '@tenant-lint/analysis';
import type { Column, Table } from '@tenant-lint/model';
import { references } from './schema.js';

// Words for values that are drawn at random, computed from other data, or issued by a party that keeps them unique for the whole world.
// A name is the only sign of that in a schema; a wrong guess here loses a warning about guessable values, nothing else.
const issuedWords = new Set([
  ...['id', 'uid', 'uuid', 'guid', 'cuid', 'ulid', 'ids', 'arn', 'urn'],
  ...['token', 'secret', 'key', 'nonce', 'otp', 'jti', 'code_challenge', 'credential'],
  ...['hash', 'hashed', 'digest', 'signature', 'checksum', 'fingerprint', 'etag'],
  ...['domain', 'hostname', 'host', 'subdomain', 'iban', 'imei', 'sha', 'cursor', 'lsn'],
]);

/** The words of an identifier, in lower case: `stripeCustomerId` is stripe, customer, id. */
export const wordsOf = (name: string): string[] =>
  name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '');

/** Whether the database or the schema makes the value by itself. */
export const isGenerated = (column: Column): boolean =>
  column.identity === true ||
  column.generated === true ||
  /^(?:big|small)?serial/.test(column.type) ||
  column.default?.kind === 'apply';

/**
 * Whether a column holds values that a tenant cannot choose and cannot guess, so that uniqueness over all tenants tells nobody anything:
 * generated identifiers, hashes and tokens, identifiers issued by another party, references (which belong to whoever owns their target).
 */
export function isIssued(model: Model, table: Table, name: string): boolean {
  const column = table.columns.get(name);
  if (column === undefined) return true;
  if (column.type.startsWith('uuid') || isGenerated(column)) return true;
  if (references(model, table).some(({ constraint }) => constraint.columns.includes(name))) return true;
  return wordsOf(name).some((word) => issuedWords.has(word));
}

/** Whether a name says that its values are issued by another party or drawn at random; that it is an identifier says neither. */
export const soundsIssued = (name: string): boolean =>
  wordsOf(name).some((word) => issuedWords.has(word) && !['id', 'ids', 'uid'].includes(word));
