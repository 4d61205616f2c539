import type { Adapter, CallChain, LowerContext, Lowered } from '@tenant-lint/model';
import { receiverOf } from '../knex/client.js';
import { originOf } from '../knex/family.js';
import { lowerBuilder } from '../knex/lower.js';
import { builderOf } from '../knex/query.js';
import { Build } from '../query-text/build.js';
import { callOf } from '../query-text/calls.js';
import { startOf } from './steps.js';

/** Objection: queries of its models. Its migrations and the builder underneath are Knex's. */
export const objection: Adapter = {
  id: 'objection',
  title: 'Objection',
  packages: ['objection'],
  vocabulary: /['"]objection['"]|\btableName\b|\.\$?query\s*\(|\.\$?relatedQuery\s*\(/,
  lower,
};

const starts: ReadonlySet<string> = new Set(['query', '$query', 'relatedQuery', '$relatedQuery']);

function lower(chain: CallChain, context: LowerContext): Lowered {
  const build = new Build(context, chain);
  build.starts = (of) => startOf(of, build);
  const root = originOf(chain, context);
  const call = callOf(root);
  const first = call.steps.find((s) => s.arguments !== undefined);
  if (!first || !starts.has(first.name)) return 'not mine';
  const builder = builderOf(chain, build);
  if (!builder) {
    // On a row of an unknown model: surely this library's, and not understood.
    const waits = first.name.startsWith('$') && (chain.awaited || chain.use === 'returned');
    return waits ? { unknown: 'unresolved: the model of the row was not found', span: first.span } : 'not mine';
  }
  const on = first.arguments?.[first.name === 'query' || first.name === '$query' ? 0 : 1];
  const client = on ? { ...receiverOf(on, [], context), transaction: on } : undefined;
  return lowerBuilder(root, builder, client ?? { kind: 'plain', certain: true }, build, 'objection');
}
