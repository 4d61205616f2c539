import {
  valueAt,
  type CallChain,
  type FunctionFacts,
  type ResourceAccess,
  type Table,
  type Value,
} from '@tenant-lint/model';
import { uniqueKeys } from '../fold/index.js';
import type { Program } from '../link/program.js';
import type { LinkedAccess, ResourcePart, Standing } from '../model.js';
import type { Provenance } from '../trace/provenance.js';
import { stripped } from './conditions.js';

export interface PartsWorld {
  readonly program: Program;
  readonly sourcesOf: (value: Value) => readonly Provenance[];
  readonly standing: (access: LinkedAccess, value: Value) => Standing;
  readonly accessesOf: (chain: string) => readonly LinkedAccess[];
  readonly tableOf: (access: LinkedAccess) => Table | undefined;
  /** The columns of a table that name a tenant. */
  readonly keysOf: (table: Table) => readonly string[];
}

const maxDepth = 8;
/** Functions whose result nobody has had before, and nobody can guess. */
const unguessable =
  /^(?:randomUUID|randomBytes|nanoid|uuid|uuidv[47]|v[1-7]|ulid|cuid|createId|createHash|createHmac|now|generateId|getRandomValues)$/;

/** What a value by which something outside of the database is found, or that is kept there, is put together from. */
export function partsOf(value: Value, resource: ResourceAccess, world: PartsWorld): readonly ResourcePart[] {
  const f = world.program.function(resource.function);
  return f ? parts(value, asAccess(resource, f), world, maxDepth) : [{ kind: 'unknown' }];
}

/** A use of a resource as if it were an access: where it stands is what counts. */
const asAccess = (resource: ResourceAccess, f: FunctionFacts): LinkedAccess => ({
  id: resource.chain,
  library: resource.library,
  method: resource.method,
  operation: 'update',
  targets: [],
  client: { receiver: { kind: 'unknown', reason: 'no database' }, kind: 'plain' },
  span: resource.span,
  chain: resource.chain,
  function: resource.function,
  file: resource.span.file,
  in: f,
});

function parts(given: Value, at: LinkedAccess, world: PartsWorld, depth: number): readonly ResourcePart[] {
  const value = stripped(given);
  const again = (v: Value): readonly ResourcePart[] => parts(v, at, world, depth - 1);
  if (depth <= 0) return [{ kind: 'unknown' }];
  switch (value.kind) {
    case 'undefined':
      return [];
    case 'constant':
      return [{ kind: 'fixed', text: String(value.value) }];
    case 'text':
      return value.parts.flatMap((p) => ('hole' in p ? again(p.hole) : [{ kind: 'fixed' as const, text: p.text }]));
    case 'apply':
      return value.function === '+' || value.function === '??' || value.function === '||'
        ? value.to.flatMap(again)
        : judged(value, at, world);
    case 'object':
      return value.entries.flatMap((entry) =>
        'set' in entry
          ? again(entry.value).map((part) => ({ ...part, name: part.name ?? entry.set }))
          : again('spread' in entry ? entry.spread : entry.value),
      );
    case 'list':
      return value.of.flatMap((item) => again(item.value));
    case 'choice':
      return value.of.flatMap(again);
    case 'result': {
      const chain = value.path.length === 0 ? world.program.chain(value.chain) : undefined;
      const joined = chain && joinedBy(chain);
      if (joined) return joined.flatMap(again);
      if (chain && isUnguessable(chain, world.program)) return [{ kind: 'random' }];
      break;
    }
    case 'parameter': {
      const handed = handedAt(value, world);
      if (handed.length === 0) break;
      const ways = handed.map(({ value: v, at: site }) => parts(v, { ...at, ...site }, world, depth - 1));
      // The way on which the least is known to be the tenant's.
      return ways.find((way) => !way.some((p) => p.kind === 'own' || p.kind === 'unknown')) ?? ways[0]!;
    }
    case 'global':
      return [{ kind: 'fixed', text: '' }];
    default:
  }
  const resolved = world.program.resolve(value);
  if (resolved !== value && ['text', 'constant', 'object', 'list'].includes(resolved.kind)) return again(resolved);
  return judged(value, at, world);
}

const maxCallers = 20;

/** What the callers of a function hand over at a parameter, each with its place; nothing where the outside world calls it, too. */
function handedAt(
  value: Extract<Value, { kind: 'parameter' }>,
  { program }: PartsWorld,
): readonly {
  readonly value: Value;
  readonly at: Pick<LinkedAccess, 'chain' | 'function' | 'in' | 'file' | 'span'>;
}[] {
  if (program.entryOf(value.function)) return [];
  const sites = program.callersOf(value.function);
  if (sites.length > maxCallers) return [];
  return sites.flatMap(({ chain, step }) => {
    const f = program.function(chain.function);
    const argument = chain.steps[step]?.arguments?.[value.index];
    if (!f || !argument) return [];
    const at = { chain: chain.id, function: f.id, in: f, file: f.span.file, span: chain.span };
    return [{ value: valueAt(argument, value.path), at }];
  });
}

/** `[a, b].join('/')`, `path.join(a, b)`, and methods that only clean what they are called on. */
function joinedBy({ receiver, steps }: CallChain): readonly Value[] | undefined {
  const last = steps.at(-1);
  if (!last?.arguments || steps.filter((s) => s.arguments).length > 1) return undefined;
  const of = valueAt(
    receiver,
    steps.slice(0, -1).map((s) => s.name),
  );
  if (last.name === 'join' && of.kind === 'list') return of.of.map((i) => i.value);
  const module = receiver.kind === 'import' ? receiver.module : '';
  if (/^(?:join|resolve)$/.test(last.name) && /^(?:node:)?path(?:\/posix)?$/.test(module)) return last.arguments;
  if (/^(?:stringify|encodeURIComponent|String)$/.test(last.name) && last.arguments[0]) return [last.arguments[0]];
  return /^(?:toString|toLowerCase|trim|slice|replace|replaceAll|padStart|normalize)$/.test(last.name)
    ? [of]
    : undefined;
}

function isUnguessable(chain: CallChain, program: Program): boolean {
  const called = chain.steps.find((s) => s.arguments !== undefined);
  if (!called) return false;
  const receiver = chain.receiver;
  const name = called.name || ('name' in receiver ? receiver.name : '');
  const root = program.importOf(receiver, 3)?.name ?? '';
  return (
    unguessable.test(name) ||
    unguessable.test(root) ||
    chain.steps.some((s) => /^(?:randomUUID|createHash)$/.test(s.name))
  );
}

function judged(value: Value, at: LinkedAccess, world: PartsWorld): readonly ResourcePart[] {
  const standing = world.standing(at, value);
  switch (standing.kind) {
    case 'fixed':
      return [{ kind: 'fixed', text: '' }];
    case 'checked':
      return [{ kind: 'own' }];
    case 'request':
      return [{ kind: 'request', claim: standing }];
    case 'own': {
      const common = commonColumn(value, world);
      return [common === undefined ? { kind: 'own' } : { kind: 'common', column: common }];
    }
    default:
      return [{ kind: 'unknown' }];
  }
}

/** The column of a row of the tenant that rows of other tenants may have the same value in. */
function commonColumn(value: Value, world: PartsWorld): string | undefined {
  for (const source of world.sourcesOf(value)) {
    if (source.kind !== 'row') return undefined;
    const property = source.path.filter((name) => !/^(?:\d+|\*|rows|data)$/.test(name))[0];
    const [access] = world.accessesOf(source.chain);
    const table = access && world.tableOf(access);
    if (property === undefined || !table) return undefined;
    const column = [...table.columns.values()].find((c) => (c.property ?? c.name) === property);
    if (!column || world.keysOf(table).includes(column.name)) return undefined;
    const alone = uniqueKeys(table).some((key) => key.length === 1 && key[0] === column.name);
    const refers = table.constraints.some((c) => c.kind === 'foreign key' && c.columns.includes(column.name));
    if (alone || refers || /(?:^|_)(?:id|uuid)$|Id$/.test(column.name)) return undefined;
    return column.name;
  }
  return undefined;
}
