import type { Adapter } from '@tenant-lint/model';
import { migrations } from './migrations.js';

/** node-pg-migrate: a tool for migrations only. */
export const nodePgMigrate: Adapter = {
  id: 'node-pg-migrate',
  title: 'node-pg-migrate',
  packages: ['node-pg-migrate'],
  vocabulary: /\bpgm\b|node-pg-migrate/,
  migrations,
  lower: () => 'not mine',
};
