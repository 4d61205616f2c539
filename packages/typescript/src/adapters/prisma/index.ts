import type { Adapter, CallChain, LowerContext, Lowered } from '@tenant-lint/model';
import { lowerOperation } from './operation.js';
import { lowerRaw } from './raw.js';
import { recognise } from './recognise.js';
import { throughExtensions } from './through.js';

export { extractPrisma } from './schema/extract.js';

/** Whether the client of the schema has a property of this name for a model. */
const isModel =
  (context: LowerContext) =>
  (property: string): boolean =>
    [property.charAt(0).toUpperCase() + property.slice(1), property].some(
      (name) => context.table({ by: 'model', library: 'prisma', name }) !== undefined,
    );

/** Lowers one chain; see Adapter. Never throws. */
function lower(chain: CallChain, context: LowerContext): Lowered {
  const found = recognise(chain, context, isModel(context));
  switch (found.kind) {
    case 'none':
      return 'not mine';
    case 'client method':
      return 'no access';
    case 'raw':
      return throughExtensions(chain, found, undefined, context, (call) =>
        lowerRaw(chain, call.method, call.step, call.client, context),
      );
    case 'model':
      return throughExtensions(chain, found, found.model, context, (call) => lowerOperation(chain, call, context));
  }
}

export const prisma: Adapter = {
  id: 'prisma',
  title: 'Prisma',
  packages: ['@prisma/', 'prisma'],
  vocabulary:
    /PrismaClient|@prisma\/|\$(?:queryRaw|executeRaw|transaction|extends)|\.\s*(?:findUnique|findFirst|findMany|createMany|updateMany|deleteMany|upsert|groupBy|aggregate)|\.\s*\w+\s*\.\s*(?:create|update|delete|count)\s*\(/,
  lower,
};
