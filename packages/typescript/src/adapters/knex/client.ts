import type { CallChain, Client, LowerContext, Step, Value } from '@tenant-lint/model';
import { callOf } from '../query-text/calls.js';

/** What the receiver of a query turned out to be. */
export interface Receiver {
  readonly kind: Client['kind'];
  /** Surely the library's. */
  readonly certain: boolean;
  /** The transaction that the query was given, where that is not what it is called on. */
  readonly transaction?: Value;
}

const notKnown: Receiver = { kind: 'unknown', certain: false };
const typeWord = /\bKnex\b/;

/** Where a query's receiver comes from: `knex(config)`, a transaction, an annotation. */
export function receiverOf(base: Value, reads: readonly Step[], context: LowerContext, depth = 0): Receiver {
  const value = reads.reduce<Value>(
    (v, s) =>
      s.name === '' || s.arguments
        ? v
        : 'path' in v
          ? { ...v, path: [...v.path, s.name] }
          : { kind: 'element', of: v, path: [s.name] },
    base,
  );
  return traced(value, context, depth);
}

function traced(value: Value, context: LowerContext, depth: number): Receiver {
  if (depth > 8) return notKnown;
  const type = context.typeOf(value)?.text;
  if (type !== undefined && typeWord.test(type))
    return { kind: /Transaction/.test(type) ? 'transaction' : 'plain', certain: true };
  switch (value.kind) {
    case 'missing-able':
      return traced(value.of, context, depth + 1);
    case 'choice':
      return value.of.map((v) => traced(v, context, depth + 1)).find((r) => r.certain) ?? notKnown;
    case 'apply':
      return ['??', '||'].includes(value.function)
        ? (value.to.map((v) => traced(v, context, depth + 1)).find((r) => r.certain) ?? notKnown)
        : notKnown;
    case 'parameter': {
      const handed = value.path.length === 0 ? context.function(value.function)?.handedTo : undefined;
      const chain = handed && context.chain(handed.chain);
      if (handed && chain?.steps[handed.step]?.name === 'transaction') return inTransaction(chain, context, depth);
      break;
    }
    case 'result': {
      const chain = value.path.length === 0 ? context.chain(value.chain) : undefined;
      if (!chain) break;
      if (makesClient(chain, context)) return { kind: 'plain', certain: true };
      const last = chain.steps.at(-1);
      if (last?.name === 'transaction') return inTransaction(chain, context, depth);
      if (last?.name === 'withUserParams') return receiverOf(callOf(chain).base, [], context, depth + 1);
      break;
    }
    default:
  }
  const resolved = context.resolve(value);
  return resolved !== value && JSON.stringify(resolved) !== JSON.stringify(value)
    ? traced(resolved, context, depth + 1)
    : notKnown;
}

function inTransaction(chain: CallChain, context: LowerContext, depth: number): Receiver {
  const call = callOf(chain);
  const at = call.steps.findIndex((s) => s.name === 'transaction');
  const outer = receiverOf(call.base, call.steps.slice(0, at), context, depth + 1);
  return { kind: 'transaction', certain: outer.certain };
}

/** `knex(config)`, `Knex(config)`, `require('knex')(config)`, `knex.default(config)`. */
function makesClient(chain: CallChain, context: LowerContext): boolean {
  const { steps } = chain;
  // `const knex = require('knex')` is a name of the module.
  const receiver = context.resolve(chain.receiver);
  if (receiver.kind !== 'import' || receiver.module !== 'knex') return false;
  const [first] = steps;
  return steps.length === 1 && first?.arguments !== undefined && ['', 'knex', 'default', 'Knex'].includes(first.name);
}
