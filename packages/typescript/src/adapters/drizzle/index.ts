import type { Adapter } from '@tenant-lint/model';
import { declarations } from './declare.js';
import { lower } from './lower.js';

/** Drizzle: tables declared with pgTable and its like, the query builder, relational queries and `sql` templates. */
export const drizzle: Adapter = {
  id: 'drizzle',
  title: 'Drizzle ORM',
  packages: ['drizzle-orm'],
  vocabulary:
    /drizzle-orm|\b(?:pg|mysql|sqlite|singlestore)(?:Table|Schema|View)\b|\.(?:select(?:Distinct(?:On)?)?|insert|update|delete|\$count)\s*\(|\.query\s*\.\s*\w+\s*\.\s*find(?:First|Many)\b|\.execute\s*\(/,
  declarations,
  lower,
};
