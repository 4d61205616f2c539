import type { Client, TypeName, Value } from '@tenant-lint/model';
import type { LowerContext } from '@tenant-lint/model';

/** What a receiver turned out to be: a client of Prisma, surely something else, or not known. */
export type Provenance = Client['kind'] | 'other';

/** Packages of other data libraries: what is made by them is no Prisma client, whatever its methods are called. */
const otherLibraries =
  /^(?:drizzle-orm|kysely|knex|typeorm|sequelize|mongoose|mongodb|objection|pg|postgres|slonik|mysql2?|better-sqlite3|ioredis|redis|@mikro-orm\/.*|@supabase\/.*|@trpc\/.*)(?:\/|$)/;

const maxDepth = 12;

/** Where a receiver comes from, by what is assigned, declared or passed. */
export function provenanceOf(value: Value, context: LowerContext, depth = 0): Provenance {
  if (depth > maxDepth) return 'unknown';
  const again = (v: Value): Provenance => provenanceOf(v, context, depth + 1);
  const type = context.typeOf(value);
  const byType = type ? typeProvenance(type, context) : 'unknown';
  if (byType !== 'unknown') return byType;
  switch (value.kind) {
    case 'missing-able':
      return again(value.of);
    case 'choice':
      return best(value.of.map(again));
    case 'apply':
      return ['??', '||', '&&'].includes(value.function) ? best(value.to.map(again)) : 'unknown';
    case 'instance': {
      if (isClientClass(value.of, context, 0)) return 'plain';
      return fromOtherLibrary(value.of) ? 'other' : 'unknown';
    }
    case 'list':
    case 'text':
    case 'constant':
      return 'other';
    case 'object':
      return 'unknown';
    case 'parameter': {
      if (value.path.length > 0) break;
      const handed = context.function(value.function)?.handedTo;
      const step = handed && context.chain(handed.chain)?.steps[handed.step];
      if (step?.name === '$transaction') return 'transaction';
      break;
    }
    case 'result': {
      if (value.path.length > 0) break;
      const chain = context.chain(value.chain);
      const last = chain?.steps.filter((s) => s.arguments !== undefined).at(-1);
      if (last?.name === '$extends') return 'extended';
      if (chain && fromOtherLibrary(chain.receiver)) return 'other';
      break;
    }
    case 'this': {
      const found = context.facts(value.from)?.classes.find((c) => c.name === value.class);
      const [name] = value.path;
      if (name === undefined) return found?.extends && isClientClass(found.extends, context, 0) ? 'plain' : 'unknown';
      const field = value.path.length === 1 ? found?.fields[name] : undefined;
      if (field?.value) return again(field.value);
      if (field?.type) return typeProvenance(field.type, context);
      break;
    }
    case 'import':
      if (fromOtherLibrary(value)) return 'other';
      break;
    default:
  }
  const resolved = context.resolve(value);
  return resolved === value ? 'unknown' : again(resolved);
}

/** One branch that is a client makes the whole one; only if all are something else, it is something else. */
function best(of: readonly Provenance[]): Provenance {
  const client = of.find((p) => p !== 'unknown' && p !== 'other');
  if (client) return client;
  return of.length > 0 && of.every((p) => p === 'other') ? 'other' : 'unknown';
}

const fromOtherLibrary = (value: Value): boolean => value.kind === 'import' && otherLibraries.test(value.module);

function typeProvenance(type: TypeName, context: LowerContext): Provenance {
  if (/\bTransactionClient\b/.test(type.text)) return 'transaction';
  // Omit<PrismaClient, '$connect' | ...> is how the client inside a transaction is typed.
  if (/\bOmit<\s*\w*PrismaClient\b/.test(type.text)) return 'transaction';
  if (/^(?:\w+\.)?PrismaClient\b/.test(type.text)) return 'plain';
  if (/\[\]$|^(?:readonly\s|Readonly)?(?:Array|Map|Set|WeakMap)</.test(type.text)) return 'other';
  if (!type.name) return 'unknown';
  if (fromOtherLibrary(type.name)) return 'other';
  return isClientClass(type.name, context, 0) ? 'plain' : 'unknown';
}

/** PrismaClient, however it is imported (its module is where the project generates it), or a class that extends one. */
function isClientClass(value: Value, context: LowerContext, depth: number): boolean {
  if (depth > maxDepth) return false;
  if (value.kind === 'import' || value.kind === 'global') {
    const last = value.path.at(-1) ?? value.name;
    if (last === 'PrismaClient') return true;
  }
  const target = context.resolve(value);
  if (target.kind === 'binding') {
    const found = context.facts(target.file)?.classes.find((c) => c.name === target.name);
    if (found) return found.extends !== undefined && isClientClass(found.extends, context, depth + 1);
  }
  return target !== value && isClientClass(target, context, depth + 1);
}
