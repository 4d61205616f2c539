import { valueAt, type CallChain, type Client, type Operation, type Step, type Value } from '@tenant-lint/model';
import type { LowerContext } from '@tenant-lint/model';
import { provenanceOf, type Provenance } from './client.js';

interface Kind {
  readonly operation: Operation;
  readonly cardinality: 'one' | 'many';
  /** Keys of the argument without which the call is none of Prisma's. */
  readonly needs: readonly string[];
  /** What comes back is no row: a count, or the number of rows changed. */
  readonly counts?: true;
}

const read = (cardinality: 'one' | 'many', needs: readonly string[] = []): Kind => ({
  operation: 'read',
  cardinality,
  needs,
});

/** Every operation of a model, by its name in the client. */
export const operations: Readonly<Record<string, Kind>> = {
  findUnique: read('one', ['where']),
  findUniqueOrThrow: read('one', ['where']),
  findFirst: read('many'),
  findFirstOrThrow: read('many'),
  findMany: read('many'),
  aggregate: read('many'),
  count: { ...read('many'), counts: true },
  groupBy: read('many', ['by']),
  create: { operation: 'create', cardinality: 'one', needs: ['data'] },
  createMany: { operation: 'create', cardinality: 'many', needs: ['data'], counts: true },
  createManyAndReturn: { operation: 'create', cardinality: 'many', needs: ['data'] },
  update: { operation: 'update', cardinality: 'one', needs: ['where', 'data'] },
  updateMany: { operation: 'update', cardinality: 'many', needs: ['data'], counts: true },
  updateManyAndReturn: { operation: 'update', cardinality: 'many', needs: ['data'] },
  upsert: { operation: 'upsert', cardinality: 'one', needs: ['where', 'create', 'update'] },
  delete: { operation: 'delete', cardinality: 'one', needs: ['where'] },
  deleteMany: { operation: 'delete', cardinality: 'many', needs: [], counts: true },
  findRaw: read('many'),
  aggregateRaw: read('many'),
};

export const rawOperations = new Set([
  '$queryRaw',
  '$executeRaw',
  '$queryRawUnsafe',
  '$executeRawUnsafe',
  '$queryRawTyped',
  '$runCommandRaw',
]);
const clientMethods = new Set(['$transaction', '$extends', '$connect', '$disconnect', '$on', '$use', '$metrics']);

/** A chain as one of Prisma's calls. */
export type Recognised =
  | { readonly kind: 'none' | 'client method' }
  | { readonly kind: 'raw'; readonly client: Client; readonly method: string; readonly step: Step }
  | {
      readonly kind: 'model';
      readonly client: Client;
      /** As the client calls it: `invoice`. `*` where it is computed. */
      readonly model: string;
      readonly method: string;
      readonly of: Kind;
      readonly step: Step;
      /** What follows the operation: fluent reads of relations, `then`, `catch`. */
      readonly rest: readonly Step[];
    };

interface Link {
  readonly name: string;
  readonly step?: Step;
}

/** Reads the names of a chain, those in the path of its receiver included, and finds the operation among them. */
export function recognise(chain: CallChain, context: LowerContext, isModel: (property: string) => boolean): Recognised {
  const { root, links } = flatten(chain.receiver, chain.steps);
  const calls = links.flatMap((_, i) => (links[i]!.step?.arguments !== undefined && isOperation(links, i) ? [i] : []));
  // $extends gives another client: what is called on that counts.
  const at = calls.find((i) => links[i]!.name !== '$extends') ?? calls[0];
  if (at === undefined) return { kind: 'none' };
  const { name, step } = links[at]!;
  if (step === undefined) return { kind: 'none' };
  if (name.startsWith('$')) {
    const { client, provenance } = clientOf(root, links.slice(0, at), chain, context);
    if (provenance === 'other') return { kind: 'none' };
    return clientMethods.has(name) ? { kind: 'client method' } : { kind: 'raw', client, method: name, step };
  }
  const of = operations[name]!;
  const rest = links.slice(at + 1).flatMap((k) => (k.step ? [k.step] : []));
  const before = at > 0 ? links[at - 1] : undefined;
  if (before && before.step?.arguments === undefined && before.name !== '') {
    const { client, provenance } = clientOf(root, links.slice(0, at - 1), chain, context);
    const recognised: Recognised = { kind: 'model', client, model: before.name, method: name, of, step, rest };
    return isMine(recognised, provenance, isModel, context) ? recognised : { kind: 'none' };
  }
  // `const invoices = prisma.invoice; invoices.findMany()`: the model is in what the receiver stands for.
  if (at > 0) return { kind: 'none' };
  const resolved = context.resolve(root);
  if (!('path' in resolved) || resolved.path.length === 0) return { kind: 'none' };
  const model = resolved.path.at(-1)!;
  const owner = { ...resolved, path: resolved.path.slice(0, -1) } as Value;
  const provenance = provenanceOf(owner, context);
  const client: Client = { receiver: owner, kind: provenance === 'other' ? 'unknown' : provenance };
  const recognised: Recognised = { kind: 'model', client, model, method: name, of, step, rest };
  return isMine(recognised, provenance, isModel, context) ? recognised : { kind: 'none' };
}

const isOperation = (links: readonly Link[], i: number): boolean => {
  const name = links[i]!.name;
  return rawOperations.has(name) || clientMethods.has(name) || Object.hasOwn(operations, name);
};

/** Path elements of a receiver are property reads like any other. */
function flatten(receiver: Value, steps: readonly Step[]): { root: Value; links: readonly Link[] } {
  const own = 'path' in receiver && receiver.kind !== 'row' && receiver.kind !== 'input' ? receiver.path : [];
  const root =
    own.length > 0 ? ({ ...receiver, path: [] } as Value) : receiver.kind === 'missing-able' ? receiver.of : receiver;
  const inner =
    root !== receiver && receiver.kind === 'missing-able'
      ? flatten(root, [])
      : { root, links: own.map((name) => ({ name })) };
  return { root: inner.root, links: [...inner.links, ...steps.map((step) => ({ name: step.name, step }))] };
}

function clientOf(
  root: Value,
  links: readonly Link[],
  chain: CallChain,
  context: LowerContext,
): { client: Client; provenance: Provenance } {
  if (links.some((k) => k.step?.arguments !== undefined)) {
    const extended = links.some((k) => k.name === '$extends');
    const provenance: Provenance = extended ? 'extended' : 'unknown';
    const made = extended ? undefined : madeBy(root, links, context);
    return { client: { receiver: made ?? chain.receiver, kind: provenance }, provenance };
  }
  const receiver = valueAt(
    root,
    links.map((k) => k.name),
  );
  const provenance = provenanceOf(receiver, context);
  return { client: { receiver, kind: provenance === 'other' ? 'unknown' : provenance }, provenance };
}

/** What a function of the program gives that is called for a client, where it always gives the same: `createClient(token).chat.update()`. */
function madeBy(root: Value, links: readonly Link[], context: LowerContext): Value | undefined {
  const called = links.findIndex((k) => k.step?.arguments !== undefined);
  const names = links.slice(0, called + 1).flatMap((k) => (k.name === '' ? [] : [k.name]));
  const made = context.resolve(valueAt(root, names));
  const returns = made.kind === 'function' ? (context.function(made.function)?.returns ?? []) : [];
  return called === links.length - 1 && returns.length === 1 ? returns[0]!.value : undefined;
}

/** An instance of a class that some package exports, and that is not called like a client of Prisma. */
function isOfAnotherPackage(receiver: Value, context: LowerContext): boolean {
  const made = context.resolve(receiver);
  return made.kind === 'instance' && made.of.kind === 'import' && context.resolve(made.of).kind === 'import';
}

/**
 * A proven client decides; without one, a model of the schema with an operation of Prisma on it, whose argument looks like one of
 * Prisma's, is taken for a call of Prisma.
 */
function isMine(
  r: Extract<Recognised, { kind: 'model' }>,
  provenance: Provenance,
  isModel: (property: string) => boolean,
  context: LowerContext,
): boolean {
  if (provenance === 'other') return false;
  if (provenance !== 'unknown') return true;
  if (!isModel(r.model)) return false;
  const [first] = r.step.arguments ?? [];
  if (first === undefined) return r.of.needs.length === 0;
  const value = context.resolve(first);
  if (value.kind === 'constant' || value.kind === 'text' || value.kind === 'function' || value.kind === 'list')
    return false;
  if (value.kind !== 'object' || value.entries.some((e) => !('set' in e)))
    return !isOfAnotherPackage(r.client.receiver, context);
  const keys = value.entries.map((e) => ('set' in e ? e.set : ''));
  return r.of.needs.every((key) => keys.includes(key));
}
