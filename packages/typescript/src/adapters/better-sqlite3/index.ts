import type { Adapter } from '@tenant-lint/model';
import { lower } from './lower.js';

/** better-sqlite3, and clients that prepare statements as it does: those of Bun, Node and Cloudflare D1. */
export const betterSqlite3: Adapter = {
  id: 'better-sqlite3',
  title: 'better-sqlite3',
  packages: ['better-sqlite3', 'bun:sqlite', 'node:sqlite', '@cloudflare/workers-types', 'wrangler'],
  vocabulary: /['"](?:npm:)?(?:better-sqlite3|bun:sqlite|node:sqlite)['"]|\bD1Database\b|\.prepare\s*(?:<[^>]*>)?\s*\(/,
  lower,
};
