import type { Adapter } from '@tenant-lint/model';
import { declarations } from './declare.js';
import { lower } from './lower.js';
import { migrations } from './migrations.js';

/** Sequelize and sequelize-typescript: models, associations, queries, and migrations, those of Umzug included. */
export const sequelize: Adapter = {
  id: 'sequelize',
  title: 'Sequelize',
  packages: ['sequelize', 'sequelize-typescript', '@sequelize/', 'sequelize-cli', 'umzug'],
  vocabulary:
    /\bqueryInterface\b|\bQueryInterface\b|\b[sS]equelize\b|\.(?:findAll|findByPk|findAndCountAll|findOrCreate|bulkCreate)\s*(?:<[^>]*>)?\(|\b[A-Z]\w*\s*\.\s*(?:findOne|count|destroy|update|upsert|sum|unscoped|scope)\s*(?:<[^>]*>)?\(/,
  declarations,
  migrations,
  lower,
};
