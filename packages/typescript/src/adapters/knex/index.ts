import type { Adapter } from '@tenant-lint/model';
import { lower } from './lower.js';
import { migrations } from './migrations.js';

/** Knex: its migrations, the query builder, and raw SQL. */
export const knex: Adapter = {
  id: 'knex',
  title: 'Knex',
  packages: ['knex', 'objection', 'bookshelf'],
  vocabulary:
    /\bschema\s*\.\s*(?:create|alter|drop|rename|has|with|table|raw)\w*|\bKnex\b|\bexports\.up\b|\bexport\s+(?:async\s+)?(?:const|function)\s+up\b|['"]knex['"]|\bknex\s*[.(]|\btrx\s*[.(]|\)?\s*\.\s*(?:(?:and|or)?[wW]here(?:Not|In|Null|Raw|Exists|Between)?\w*|whereIn|orWhere|del|insert|andWhere|first|pluck|onConflict|leftJoin|innerJoin)\s*\(/,
  migrations,
  lower,
};
