import type { Adapter } from '@tenant-lint/model';
import { migrations } from './migrations.js';

/** Sequelize: its migrations, and those of Umzug. */
export const sequelize: Adapter = {
  id: 'sequelize',
  title: 'Sequelize',
  packages: ['sequelize', 'sequelize-cli', 'umzug'],
  vocabulary: /\bqueryInterface\b/i,
  migrations,
  lower: () => 'not mine',
};
