import type { Adapter } from '@tenant-lint/model';
import { migrations } from './migrations.js';

/** Knex: its migrations. */
export const knex: Adapter = {
  id: 'knex',
  title: 'Knex',
  packages: ['knex', 'objection', 'bookshelf'],
  vocabulary:
    /\bschema\s*\.\s*(?:create|alter|drop|rename|has|with|table|raw)\w*|\bKnex\b|\bexports\.up\b|\bexport\s+(?:async\s+)?(?:const|function)\s+up\b/,
  migrations,
  lower: () => 'not mine',
};
