import type { Adapter } from '@tenant-lint/model';
import { lower } from './lower.js';

/** node-postgres and what is used in its place: SQL text with numbered parameters. */
export const pg: Adapter = {
  id: 'pg',
  title: 'node-postgres',
  packages: ['pg', '@neondatabase/serverless', '@vercel/postgres', 'pg-promise', 'postgres'],
  // Whatever the driver is called: SQL text handed to something's query() is its business.
  everywhere: true,
  vocabulary:
    /\.query(?:Object|Array)?\s*(?:<[^>]*>)?\s*\(\s*(?!async\b|function\b|[()])|['"](?:pg|pg-pool|pg-format|@neondatabase\/serverless|@vercel\/postgres)['"]/,
  lower,
};
