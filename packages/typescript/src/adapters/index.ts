import type { Adapter } from '@tenant-lint/model';
import { drizzle } from './drizzle/index.js';
import { knex } from './knex/index.js';
import { mikroOrm } from './mikro-orm/index.js';
import { pg } from './pg/index.js';
import { prisma } from './prisma/index.js';
import { typeorm } from './typeorm/index.js';

export { extractPrisma } from './prisma/index.js';

/** Every data library that the tool knows. */
export const adapters: readonly Adapter[] = [prisma, drizzle, pg, knex, typeorm, mikroOrm];
