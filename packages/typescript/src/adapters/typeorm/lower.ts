import type { CallChain, LowerContext, Lowered } from '@tenant-lint/model';
import { linksOf, readFrom } from '../entities/links.js';
import { receiverAt } from './client.js';
import { lowerOperation, operations } from './operations.js';
import { terminals } from './builder.js';
import { lowerBuilder } from './query.js';
import { lowerRaw } from './raw.js';

/** Calls that are the library's but reach no rows. */
const silent = new Set([
  'transaction',
  'create',
  'merge',
  'getId',
  'hasId',
  'getRepository',
  'getTreeRepository',
  'getCustomRepository',
  'createQueryRunner',
  'startTransaction',
  'commitTransaction',
  'rollbackTransaction',
  'release',
  'connect',
  'initialize',
  'destroy',
]);

/** Lowers a chain to what TypeORM does with it. */
export function lower(chain: CallChain, context: LowerContext): Lowered {
  const { receiver: base, steps } = chain;
  if (base.kind === 'list' || base.kind === 'object' || base.kind === 'constant' || base.kind === 'text')
    return 'not mine';
  if (steps.some((s) => s.arguments && (s.name === 'createQueryBuilder' || terminals.has(s.name)))) {
    const built = lowerBuilder(chain, context);
    if (built !== 'not mine') return built;
  }
  if (
    !steps.some((s) => s.arguments && (Object.hasOwn(operations, s.name) || s.name === 'query' || silent.has(s.name)))
  )
    return 'not mine';
  const links = linksOf(chain);
  const at = links.links.findIndex(
    ({ name, step }) => step?.arguments && (Object.hasOwn(operations, name) || name === 'query'),
  );
  if (at < 0) {
    const last = links.links.findLastIndex(({ name, step }) => step?.arguments && silent.has(name));
    return last >= 0 && receiverAt(links, last, context) ? 'no access' : 'not mine';
  }
  const { name, step } = links.links[at]!;
  const on = receiverAt(links, at, context);
  if (!on || !step) return 'not mine';
  const receiver = readFrom(
    links,
    Math.min(
      at,
      links.links.findIndex((l) => l.step?.arguments !== undefined),
    ),
  );
  if (name === 'query') return lowerRaw(chain, step, { receiver, kind: on.client }, context);
  if (on.is === 'source' || on.is === 'runner') return 'not mine';
  return lowerOperation(chain, on, step, context, receiver);
}
