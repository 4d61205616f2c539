import type { Client, LowerContext, Step, Value } from '@tenant-lint/model';
import { callOf } from '../query-text/calls.js';

/** What the receiver of a query turned out to be. */
export interface Receiver {
  readonly kind: Client['kind'];
  /** Surely the library's. */
  readonly certain: boolean;
  /** The schema of `withSchema`. */
  readonly schema?: Value;
}

const notKnown: Receiver = { kind: 'unknown', certain: false };
const typeWord = /\b(?:Kysely|Transaction|ControlledTransaction|QueryCreator|QueryExecutorProvider)\s*</;

/** Calls on a client that give a client. */
const gives: ReadonlySet<string> = new Set([
  'withSchema',
  'withPlugin',
  'withoutPlugins',
  'withTables',
  '$extendTables',
  'with',
  'withRecursive',
  'startTransaction',
  'savepoint',
  'setIsolationLevel',
  'setAccessMode',
  'execute',
  'transaction',
  'connection',
]);

/** Where a query's receiver comes from: `new Kysely(...)`, a transaction callback, an annotation, a client made from one of these. */
export function receiverOf(base: Value, steps: readonly Step[], context: LowerContext, depth = 0): Receiver {
  if (depth > 8) return notKnown;
  const calls = steps.filter((s) => s.arguments !== undefined);
  const schema = calls.findLast((s) => s.name === 'withSchema')?.arguments?.[0];
  const names = steps.filter((s) => s.arguments === undefined).map((s) => s.name);
  const value = names.reduce<Value>(
    (v, name) => ('path' in v ? { ...v, path: [...v.path, name] } : { kind: 'element', of: v, path: [name] }),
    base,
  );
  const found = traced(value, context, depth + 1);
  const known = found.certain && calls.every((s) => gives.has(s.name)) ? found : calls.length === 0 ? found : notKnown;
  return schema ? { ...known, schema } : known;
}

function traced(value: Value, context: LowerContext, depth: number): Receiver {
  if (depth > 8) return notKnown;
  const type = context.typeOf(value)?.text;
  if (type !== undefined && (typeWord.test(type) || /^Kysely\b/.test(type)))
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
    case 'instance':
      return isClass(value.of, context) ? { kind: 'plain', certain: true } : notKnown;
    case 'parameter': {
      const handed = value.path.length === 0 ? context.function(value.function)?.handedTo : undefined;
      const chain = handed && context.chain(handed.chain);
      if (handed && chain?.steps[handed.step]?.name === 'execute') {
        const call = callOf(chain);
        const at = call.steps.findIndex((s) => s.name === 'transaction' || s.name === 'connection');
        if (at < 0) break;
        const outer = receiverOf(call.base, call.steps.slice(0, at), context, depth + 1);
        const kind = call.steps[at]?.name === 'transaction' ? 'transaction' : outer.kind;
        return { ...outer, kind };
      }
      break;
    }
    case 'result': {
      const chain = value.path.length === 0 ? context.chain(value.chain) : undefined;
      const last = chain?.steps.at(-1);
      if (chain && last && (gives.has(last.name) || last.name === 'withSchema')) {
        const call = callOf(chain);
        const outer = receiverOf(call.base, call.steps, context, depth + 1);
        if (outer.certain) return outer;
      }
      break;
    }
    default:
  }
  const resolved = context.resolve(value);
  return resolved !== value && JSON.stringify(resolved) !== JSON.stringify(value)
    ? traced(resolved, context, depth + 1)
    : notKnown;
}

/** `Kysely`, or a class that extends it. */
function isClass(value: Value, context: LowerContext): boolean {
  if (value.kind === 'import' && value.name === 'Kysely') return true;
  const resolved = value.kind === 'import' || value.kind === 'binding' ? context.resolve(value) : value;
  if (resolved.kind === 'import' || resolved.kind === 'global') return resolved.name === 'Kysely';
  if (resolved.kind !== 'binding') return false;
  const base = context.facts(resolved.file)?.classes.find((c) => c.name === resolved.name)?.extends;
  return base?.kind === 'import' && base.name === 'Kysely';
}
