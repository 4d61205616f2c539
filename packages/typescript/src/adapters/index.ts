import type { Adapter } from '@tenant-lint/model';
import { betterSqlite3 } from './better-sqlite3/index.js';
import { drizzle } from './drizzle/index.js';
import { kysely } from './kysely/index.js';
import { knex } from './knex/index.js';
import { mikroOrm } from './mikro-orm/index.js';
import { mongoose } from './mongoose/index.js';
import { mysql2 } from './mysql2/index.js';
import { nodePgMigrate } from './node-pg-migrate/index.js';
import { objection } from './objection/index.js';
import { pg } from './pg/index.js';
import { pgPromise } from './pg-promise/index.js';
import { postgresJs } from './postgres-js/index.js';
import { prisma } from './prisma/index.js';
import { sequelize } from './sequelize/index.js';
import { slonik } from './slonik/index.js';
import { supabase } from './supabase/index.js';
import { typeorm } from './typeorm/index.js';
import { caches } from '../resources/cache.js';
import { channels } from '../resources/channels.js';
import { jobs } from '../resources/jobs.js';
import { objects } from '../resources/objects.js';
import { searches } from '../resources/search.js';

export { extractDrizzleSnapshot } from './drizzle/snapshot.js';
export { extractPrisma } from './prisma/index.js';

/** Every data library that the tool knows. */
export const adapters: readonly Adapter[] = [
  prisma,
  // Their clients have methods that others have too (query, update(Entity)), and they know their receivers.
  typeorm,
  mikroOrm,
  sequelize,
  drizzle,
  postgresJs,
  slonik,
  pgPromise,
  mysql2,
  betterSqlite3,
  pg,
  kysely,
  objection,
  knex,
  mongoose,
  nodePgMigrate,
  supabase,
  caches,
  objects,
  jobs,
  searches,
  channels,
];
