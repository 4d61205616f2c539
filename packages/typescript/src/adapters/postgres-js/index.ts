import type { Adapter } from '@tenant-lint/model';
import { lower } from './lower.js';

/** postgres.js, and tags of the same kind: a template whose holes are parameters, fragments or helpers. */
export const postgresJs: Adapter = {
  id: 'postgres-js',
  title: 'postgres.js',
  packages: ['postgres', '@neondatabase/serverless', 'bun'],
  vocabulary: /\bsql\s*(?:<[^>]*>)?\s*`|['"/:](?:postgres|@neondatabase\/serverless|bun)(?:@[^'"]*)?['"]|\.unsafe\s*\(/,
  lower,
};
