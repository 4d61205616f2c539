import { packageOf } from '../packages.js';
import type { CallChain, Client, LinkContext, Value } from '@tenant-lint/model';

/** Packages that export node-postgres' Pool and Client, or drop-in replacements of them. */
const modules = new Set(['pg', 'pg-pool', '@neondatabase/serverless', '@vercel/postgres', '@types/pg', 'pg-native']);
const classes = new Set([
  'Pool',
  'Client',
  'PoolClient',
  'ClientBase',
  'VercelPool',
  'VercelClient',
  'VercelPoolClient',
  'NeonPool',
]);
/** Functions and ready clients of those packages. */
const made = new Set(['createPool', 'createClient', 'db', 'pool', 'sql', 'neon']);
const typeWord = /\b(?:pg\.)?(?:Pool|PoolClient|ClientBase|VercelPool(?:Client)?|VercelClient)\b|\bpg\.Client\b/;

/** How a receiver is known to run SQL text; `undefined`: it is not known. */
export interface Provenance {
  readonly kind: Client['kind'];
}

/** Follows a receiver to `new Pool()`, `pool.connect()`, an annotation or a ready client. */
export function provenanceOf(value: Value, context: LinkContext, depth = 0): Provenance | undefined {
  if (depth > 8) return undefined;
  const type = context.typeOf(value);
  if (type && (typeWord.test(type.text) || (type.name && isClass(type.name, context)))) return { kind: 'plain' };
  switch (value.kind) {
    case 'missing-able':
      return provenanceOf(value.of, context, depth + 1);
    case 'choice':
      return value.of.map((v) => provenanceOf(v, context, depth + 1)).find((p) => p !== undefined);
    case 'apply':
      return ['??', '||', '&&'].includes(value.function)
        ? value.to.map((v) => provenanceOf(v, context, depth + 1)).find((p) => p !== undefined)
        : undefined;
    case 'instance':
      return isClass(value.of, context) ? { kind: 'plain' } : undefined;
    case 'import':
      if (
        modules.has(packageOf(value.module)) &&
        made.has(value.name === '*' || value.name === 'default' ? (value.path[0] ?? '') : value.name)
      )
        return { kind: 'plain' };
      break;
    case 'result': {
      const chain = value.path.length === 0 ? context.chain(value.chain) : undefined;
      const through = chain && ofCall(chain, context, depth);
      if (through) return through;
      break;
    }
    default:
  }
  const resolved = context.resolve(value);
  return resolved !== value && JSON.stringify(resolved) !== JSON.stringify(value)
    ? provenanceOf(resolved, context, depth + 1)
    : undefined;
}

/** Whether a call gives a client: `pool.connect()`, `createPool()`. */
export const isClientCall = (chain: CallChain, context: LinkContext): boolean =>
  ofCall(chain, context, 0) !== undefined;

/** `await pool.connect()`, `createPool()`. */
function ofCall(chain: CallChain, context: LinkContext, depth: number): Provenance | undefined {
  const last = chain.steps.at(-1);
  const { receiver } = chain;
  if (last?.name === 'connect' && chain.steps.length === 1) return provenanceOf(receiver, context, depth + 1);
  if (last?.name === 'connect' && chain.steps.slice(0, -1).every((s) => s.arguments === undefined)) {
    const read = chain.steps
      .slice(0, -1)
      .reduce<Value>(
        (v, s) => ('path' in v ? { ...v, path: [...v.path, s.name] } : { kind: 'element', of: v, path: [s.name] }),
        receiver,
      );
    return provenanceOf(read, context, depth + 1);
  }
  const name = receiver.kind === 'import' ? (receiver.name === '*' ? last?.name : receiver.name) : undefined;
  return receiver.kind === 'import' && modules.has(packageOf(receiver.module)) && name !== undefined && made.has(name)
    ? { kind: 'plain' }
    : undefined;
}

function isClass(value: Value, context: LinkContext): boolean {
  const candidates = [value, context.resolve(value)];
  return candidates.some((v) => {
    if (v.kind !== 'import' || !modules.has(packageOf(v.module))) return false;
    const name = v.name === '*' || v.name === 'default' ? v.path.at(-1) : v.name;
    return packageOf(v.module) === 'pg-pool' ? true : name !== undefined && classes.has(name);
  });
}
