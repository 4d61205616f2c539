import type {
  Access,
  Adapter,
  CallChain,
  ChainId,
  FileFacts,
  FunctionFacts,
  LowerContext,
  Target,
  Unchecked,
  Writes,
} from '@tenant-lint/model';
import type { LinkedAccess } from '../model.js';
import { resolveColumns } from '../prove/index.js';
import { alternativesOf } from './alternatives.js';
import { fileOfId } from './callers.js';
import { Inherited } from './inherited.js';
import type { Program } from './program.js';
import type { Tables } from './tables.js';

/**
 * All accesses of some files of a program: call chains lowered by the adapters, and the queries of SQL files. `open` are the chains that nobody
 * takes for a trip to the database; `before` those of the files that are not read.
 */
export function lowerAccesses(
  program: Program,
  tables: Tables,
  adapters: readonly Adapter[],
  context: LowerContext,
  files: readonly FileFacts[],
  before: ReadonlySet<ChainId> = new Set(),
): { accesses: LinkedAccess[]; unchecked: Unchecked[]; open: ReadonlySet<ChainId>; silent: ReadonlySet<ChainId> } {
  const accesses: LinkedAccess[] = [];
  const unchecked: Unchecked[] = [];
  const inherited = new Inherited(program);
  const read = new Set(files.map((f) => f.file));
  const open = new Set<ChainId>();
  const silent = new Set<ChainId>();
  /** Calls on a field of an object whose table nobody could tell where they stand: a base class for several. */
  const perObject = new Map<ChainId, Unchecked>();
  const contexts = adapters.map((a) => ({
    ...context,
    typeOf: typesFor(a, adapters, context),
    resolve: resolverFor(a, program, context),
  }));
  const isOpen = (id: ChainId): boolean => (read.has(fileOfId(id)) ? open : before).has(id);
  for (const facts of files) {
    for (const query of facts.queries) accesses.push({ ...bindColumns(query, tables), file: facts.file });
    // The calls of a migration run once, for all tenants: their statements are its queries.
    if (facts.sql === undefined) for (const chain of facts.chains) if (!lowerChain(chain, facts)) open.add(chain.id);
  }
  for (const facts of files) {
    if (facts.sql !== undefined) continue;
    for (const chain of facts.chains)
      if (open.has(chain.id))
        for (const { chain: inner, of } of inherited.chainsAt(chain, isOpen))
          if (lowerChain(inner, facts)) perObject.delete(of);
  }
  unchecked.push(...perObject.values());
  return { accesses, unchecked, open, silent };

  /** False where no adapter knows the chain. */
  function lowerChain(chain: CallChain, facts: FileFacts): boolean {
    for (const [i, adapter] of adapters.entries()) {
      const lowered = adapter.lower(chain, contexts[i]!);
      if (lowered === 'not mine') continue;
      if (lowered === 'no access') {
        silent.add(chain.id);
        return true;
      }
      if ('unknown' in lowered) {
        const entry = { ...reasonOf(lowered.unknown, adapter.id), file: facts.file, span: lowered.span };
        if (chain.receiver.kind === 'this' && program.function(chain.function)?.class !== undefined) {
          perObject.set(chain.id, entry);
          return false;
        }
        unchecked.push(entry);
        return true;
      }
      const owner = program.function(chain.function);
      for (const access of lowered.accesses) {
        accesses.push(place(bindColumns(access, tables), facts.file, chain, owner));
        for (const u of access.unchecked ?? [])
          unchecked.push({ ...reasonOf(u.reason, adapter.id), file: facts.file, span: u.span });
      }
      return true;
    }
    return false;
  }
}

/**
 * The declared types as one library sees them. Several call a type alike (`Sql`, `Transaction`, `Model`): the text of one that is imported from
 * another library's package says nothing to this one.
 */
function typesFor(own: Adapter, all: readonly Adapter[], context: LowerContext): LowerContext['typeOf'] {
  const others = all.filter((a) => a !== own);
  return (value) => {
    const type = context.typeOf(value);
    if (type?.name?.kind !== 'import' || type.text === '') return type;
    const { module } = type.name;
    return !isOf(own, module) && others.some((a) => isOf(a, module)) ? { ...type, text: '' } : type;
  };
}

/** What a value is, to one library: a call of a function that builds one of several things with it is a choice of these. */
function resolverFor(own: Adapter, program: Program, context: LowerContext): LowerContext['resolve'] {
  const isBuilt = (chain: CallChain): boolean => {
    const made = program.importOf(chain.receiver, 4);
    return made !== undefined && isOf(own, made.module);
  };
  return (value) => {
    const resolved = context.resolve(value);
    return resolved.kind === 'result' ? (alternativesOf(resolved, isBuilt, program) ?? resolved) : resolved;
  };
}

/** Whether a module is one of a library's packages, or stands in one. */
const isOf = ({ packages }: Adapter, module: string): boolean =>
  packages.some((name) => module === name || module.startsWith(name.endsWith('/') ? name : `${name}/`));

/** SQL text that does not parse says so itself; everything else an adapter could not resolve. */
function reasonOf(text: string, adapter: string): { reason: string; detail: string } {
  const syntax = /^syntax:\s*/.exec(text);
  return syntax
    ? { reason: 'syntax', detail: text.slice(syntax[0].length) }
    : { reason: `unresolved:${adapter}`, detail: text };
}

function place(access: Access, file: string, chain: CallChain, owner: FunctionFacts | undefined): LinkedAccess {
  return {
    ...access,
    file,
    chain: access.chain ?? chain.id,
    function: chain.function,
    ...(owner ? { in: owner } : {}),
  };
}

/** Ties unqualified columns of SQL text to the targets that have them. */
function bindColumns(access: Access, tables: Tables): Access {
  const columnsOf = (target: Target): ReadonlySet<string> | undefined => {
    const table = target.table.known ? tables.table(target.table.value) : undefined;
    return table?.complete ? new Set(table.columns.keys()) : undefined;
  };
  const resolved = resolveColumns(access, columnsOf);
  const isTransformed = resolved.targets.some((t) => transformed(t.writes, t, tables) !== t.writes);
  if (!isTransformed) return resolved;
  const targets = resolved.targets.map((t) => (t.writes ? { ...t, writes: transformed(t.writes, t, tables)! } : t));
  return { ...resolved, targets };
}

/** What is written, by the names of columns: clients that turn `orgId` into `org_id` on the way are told so elsewhere. */
function transformed(writes: Writes | undefined, target: Target, tables: Tables): Writes | undefined {
  const table = writes && target.table.known ? tables.table(target.table.value) : undefined;
  if (!writes || !table?.complete) return writes;
  const nameOf = (name: string): string => {
    const snake = name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase();
    return !table.columns.has(name) && table.columns.has(snake) ? snake : name;
  };
  const names = Object.keys(writes.set);
  if (names.every((name) => nameOf(name) === name)) return writes;
  return { ...writes, set: Object.fromEntries(names.map((name) => [nameOf(name), writes.set[name]!])) };
}
