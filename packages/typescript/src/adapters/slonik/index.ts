import type { Adapter } from '@tenant-lint/model';
import { lower } from './lower.js';

/** slonik: statements are templates of `sql.type`, `sql.typeAlias` and `sql.unsafe`, whose values are always parameters. */
export const slonik: Adapter = {
  id: 'slonik',
  title: 'slonik',
  packages: ['slonik', '@slonik/'],
  vocabulary:
    /['"/:](?:@slonik\/sql-tag|slonik)(?:@[^'"]*)?['"]|\bsql\s*\.\s*(?:unsafe|fragment|typeAlias)\s*`|\bsql\s*\.\s*type(?:Alias)?\s*\(/,
  lower,
};
