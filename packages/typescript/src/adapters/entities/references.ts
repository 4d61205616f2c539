import { propertyOf, type CallChain, type LowerContext, type Value } from '@tenant-lint/model';
import type { Lowering } from '../prisma/lowering.js';
import { importedAs } from './classes.js';

/** What MikroORM exports that makes an entity of a class and a key: functions, and a class with such methods. */
const makers: ReadonlySet<string> = new Set(['ref', 'rel', 'Reference']);
const methods: ReadonlySet<string> = new Set(['getReference', 'createFromPK', 'createNakedFromPK']);

/** Whether a chain calls one of MikroORM's functions that make an entity of its key: no query is sent. */
export function makesReference({ receiver }: CallChain, context: LowerContext): boolean {
  if (receiver.kind !== 'import' || !receiver.module.startsWith('@mikro-orm/')) return false;
  return makers.has(importedAs(receiver, context)?.name ?? '');
}

/**
 * The key `property` of an entity that was made of its key alone, so that no query has looked for the row: `em.getReference(Customer, id)`,
 * `repository.getReference(id)`, `ref(Customer, id)`. Undefined for everything else.
 */
export function referredKey(value: Value, property: string, l: Lowering): Value | undefined {
  const v = value.kind === 'missing-able' ? value.of : value;
  const chain = v.kind === 'result' && v.path.length === 0 ? l.context.chain(v.chain) : undefined;
  const call = chain?.steps.at(-1);
  if (!chain || !call?.arguments) return undefined;
  const isMade = makesReference(chain, l.context);
  if (!isMade && !methods.has(call.name)) return undefined;
  const [first, second] = call.arguments;
  // Without an entity a repository knows it; `ref(customer)` wraps one that is there.
  const given = first && l.context.tableOf(first).known ? second : isMade ? undefined : first;
  const key = given && l.context.resolve(given);
  if (!given || key?.kind === 'list') return undefined;
  return key?.kind === 'object' ? propertyOf(key, property) : given;
}
