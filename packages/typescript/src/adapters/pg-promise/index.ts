import type { Adapter } from '@tenant-lint/model';
import { lower } from './lower.js';

/** pg-promise: statements that the library formats itself, with index variables, named ones and modifiers. */
export const pgPromise: Adapter = {
  id: 'pg-promise',
  title: 'pg-promise',
  packages: ['pg-promise'],
  vocabulary: /['"/:]pg-promise(?:@[^'"]*)?['"]|\.(?:manyOrNone|oneOrNone|none)\s*(?:<[^>]*>)?\s*\(/,
  lower,
};
