import type { Adapter } from '@tenant-lint/model';
import { lower } from './lower.js';
import { migrations } from './migrations.js';

/** Kysely: its migrations, the query builder, and `sql` templates. */
export const kysely: Adapter = {
  id: 'kysely',
  title: 'Kysely',
  packages: ['kysely'],
  vocabulary:
    /['"]kysely(?:\/[\w/-]+)?['"]|\bKysely\b|\bschema\s*\.\s*(?:create|alter|drop)\w+\(|\.(?:selectFrom|selectNoFrom|insertInto|updateTable|deleteFrom|replaceInto|mergeInto|executeTakeFirst(?:OrThrow)?)\s*\(/,
  migrations,
  lower,
};
