import type { Adapter } from '@tenant-lint/model';
import { declarations } from './entities.js';
import { lower } from './lower.js';
import { migrations } from './migrations.js';

/** MikroORM: entities, entity managers, repositories, filters and migrations. */
export const mikroOrm: Adapter = {
  id: 'mikro-orm',
  title: 'MikroORM',
  packages: ['@mikro-orm/'],
  vocabulary:
    /\bthis\.addSql\b|['"]@mikro-orm\/|\bem\s*\.|\b(?:entityManager|[rR]epository)\b|\.\s*(?:nativeUpdate|nativeDelete|findOneOrFail)\b/,
  declarations,
  migrations,
  lower,
};
