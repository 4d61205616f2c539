import type { Adapter, FileFacts, LinkContext } from '@tenant-lint/model';
import { propertyOf } from '@tenant-lint/model';
import { declarations } from './declare.js';
import { lower } from './lower.js';
import { exportOf } from './models.js';

/** Mongoose, with Nest's and Typegoose's ways to declare its models. */
export const mongoose: Adapter = {
  id: 'mongoose',
  title: 'Mongoose',
  packages: ['mongoose', '@nestjs/mongoose', '@typegoose/typegoose'],
  vocabulary:
    /['"](?:mongoose|@nestjs\/mongoose|@typegoose\/typegoose)['"]|\.(?:findById|findByIdAndUpdate|findByIdAndDelete|findOneAndUpdate|findOneAndDelete|countDocuments|estimatedDocumentCount|bulkWrite|populate|insertMany|updateMany|deleteMany)\s*(?:<[^>]*>)?\(|\b(?:[A-Z]\w*|\w+Model)\s*\.\s*(?:find|findOne|exists|aggregate|create|distinct|updateOne|deleteOne)\s*(?:<[^>]*>)?\(/,
  declarations,
  settings,
  lower,
};

/** `mongoose.set('strictQuery', true)`, `mongoose.plugin(tenant)`, `connect(uri, { ignoreUndefined: true })`. */
function settings(facts: FileFacts, context: LinkContext): Readonly<Record<string, unknown>> {
  const found: Record<string, unknown> = {};
  for (const chain of facts.chains) {
    const step = chain.steps.at(-1);
    if (!step?.arguments || chain.receiver.kind !== 'import') continue;
    const name = step.name || exportOf(chain.receiver);
    const [first, second] = step.arguments;
    if (exportOf(chain.receiver) === undefined || !first) continue;
    if (name === 'set' && first.kind === 'constant' && first.value === 'strictQuery' && second?.kind === 'constant')
      found['mongoose.strictQuery'] = second.value;
    if (name === 'plugin') found[`mongoose plugin ${chain.id}`] = first;
    if (name !== 'connect' && name !== 'createConnection') continue;
    const options = second && context.resolve(second);
    const ignored = options && propertyOf(options, 'ignoreUndefined');
    if (ignored?.kind === 'constant') found['mongodb.ignoreUndefined'] = ignored.value;
  }
  return found;
}
