import type { Adapter } from '@tenant-lint/model';
import { migrations } from './migrations.js';

/** TypeORM: its migrations. */
export const typeorm: Adapter = {
  id: 'typeorm',
  title: 'TypeORM',
  packages: ['typeorm'],
  vocabulary: /\bMigrationInterface\b|\bqueryRunner\b/i,
  migrations,
  lower: () => 'not mine',
};
