import type { Adapter } from '@tenant-lint/model';
import { prisma } from './prisma/index.js';

export { extractPrisma } from './prisma/index.js';

/** Every data library that the tool knows. */
export const adapters: readonly Adapter[] = [prisma];
