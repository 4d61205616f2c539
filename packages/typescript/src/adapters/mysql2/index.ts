import type { Adapter } from '@tenant-lint/model';
import { lower } from './lower.js';

/** mysql2 and its relatives: what MySQL shares with the standard is read, the rest is said to be unchecked. */
export const mysql2: Adapter = {
  id: 'mysql2',
  title: 'mysql2',
  packages: ['mysql2', 'mysql', 'mariadb', 'promise-mysql'],
  vocabulary:
    /['"/:](?:mysql2?|mariadb|promise-mysql)(?:@[^'"/]*)?(?:\/promise)?['"]|\.execute\s*(?:<[^>]*>)?\s*\(\s*['"`]/,
  lower,
};
