import type { Adapter } from '@tenant-lint/model';
import { migrations } from './migrations.js';

/** Kysely: its migrations. */
export const kysely: Adapter = {
  id: 'kysely',
  title: 'Kysely',
  packages: ['kysely'],
  vocabulary: /['"]kysely['"]|\bKysely\b|\bschema\s*\.\s*(?:create|alter|drop)\w+\(/,
  migrations,
  lower: () => 'not mine',
};
