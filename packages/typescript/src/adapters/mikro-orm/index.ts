import type { Adapter } from '@tenant-lint/model';
import { migrations } from './migrations.js';

/** MikroORM: its migrations. */
export const mikroOrm: Adapter = {
  id: 'mikro-orm',
  title: 'MikroORM',
  packages: ['@mikro-orm/core', '@mikro-orm/postgresql'],
  vocabulary: /\bthis\.addSql\b|@mikro-orm\/migrations/,
  migrations,
  lower: () => 'not mine',
};
