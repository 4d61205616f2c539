import type { Adapter } from '@tenant-lint/model';
import { declarations } from './entities.js';
import { lower } from './lower.js';
import { migrations } from './migrations.js';

/** TypeORM: entities, repositories, managers, query builders and migrations. */
export const typeorm: Adapter = {
  id: 'typeorm',
  title: 'TypeORM',
  packages: ['typeorm', '@nestjs/typeorm'],
  vocabulary:
    /\bMigrationInterface\b|\bqueryRunner\b|['"](?:typeorm|@nestjs\/typeorm)['"/]|\bEntitySchema\b|createQueryBuilder|[rR]epo(?:sitory)?\b|\bmanager\s*\.|\.\s*(?:findOneBy|findBy|findOneOrFail|getMany|getOne)\b/i,
  declarations,
  migrations,
  lower,
};
