import {
  sameValue,
  type Predicate,
  type ResourceAccess,
  type Table,
  type Target,
  type Value,
} from '@tenant-lint/model';
import type { Program } from '../link/program.js';
import type { KeptRows, LinkedAccess } from '../model.js';
import { mayBeSameInput, type Provenance } from '../trace/provenance.js';
import { stripped } from './conditions.js';
import { pinsOf } from './selection.js';
import type { Reached } from './reach.js';

export interface KeptWorld {
  readonly program: Program;
  readonly sourcesOf: (value: Value) => readonly Provenance[];
  readonly accessesOf: (chain: string) => readonly LinkedAccess[];
  readonly tableOf: (target: Target) => Table | undefined;
  /** The columns that carry the tenant, where the rows of a table have one of their own. */
  readonly keysOf: (table: Table) => readonly string[];
  readonly isIsolated: (access: LinkedAccess, target: Target) => boolean;
  readonly predicateOf: (access: LinkedAccess, target: Target) => Predicate;
  readonly isChecked: (value: Value, chain: string) => boolean;
  readonly reachOf: (f: string) => Reached;
}

const maxDepth = 10;

/**
 * The rows of one tenant that are kept under a key which says nothing of the tenant, so that another tenant finds them; undefined where the
 * key tells tenants apart, or where that is not known.
 */
export function keptRows(resource: ResourceAccess, world: KeptWorld): KeptRows | undefined {
  const key = world.sourcesOf(resource.key);
  // What is the user's own, or a row's, tells tenants apart; of what is not known nothing can be said.
  if (key.some((s) => s.kind === 'trusted' || s.kind === 'row' || s.kind === 'unknown')) return undefined;
  const fixed = key.every((s) => s.kind === 'constant');
  const parts = fixed ? [] : partsOf(resource.key, world.program, maxDepth);
  if (parts.some((part) => world.isChecked(part, resource.chain))) return undefined;
  for (const chain of rowsIn(resource.payload, world, maxDepth)) {
    for (const access of world.accessesOf(chain)) {
      for (const target of access.targets) {
        const table = target.role === 'root' ? world.tableOf(target) : undefined;
        const keys = table ? world.keysOf(table) : [];
        if (!table || keys.length === 0 || !world.isIsolated(access, target)) continue;
        const tenant = pinsOf(world.predicateOf(access, target), target.ref).filter((p) => keys.includes(p.column));
        const tenantSources = tenant.flatMap((p) => world.sourcesOf(p.value));
        if (tenant.length === 0 || tenantSources.every((s) => s.kind === 'constant')) continue;
        const isNamed = tenant.some((p) => parts.some((part) => sameValue(part, stripped(p.value))));
        if (isNamed || tenantSources.some((s) => key.some((k) => isSame(s, k)))) continue;
        const reached = world.reachOf(resource.function);
        if (reached === 'staff') return undefined;
        const weak = reached === 'system' || reached === 'no request';
        return {
          table: table.id,
          fixed,
          confidence: weak || (!fixed && !key.some((s) => s.kind === 'input')) ? 'possible' : 'likely',
          loaded: access.span,
        };
      }
    }
  }
  return undefined;
}

/** The values that a key is put together from. */
function partsOf(given: Value, program: Program, depth: number): readonly Value[] {
  const value = stripped(given);
  if (depth <= 0) return [];
  if (value.kind === 'text')
    return value.parts.flatMap((p) => ('hole' in p ? partsOf(p.hole, program, depth - 1) : []));
  if (value.kind === 'apply' || value.kind === 'choice')
    return (value.kind === 'apply' ? value.to : value.of).flatMap((v) => partsOf(v, program, depth - 1));
  const resolved = program.resolve(value);
  return resolved !== value && resolved.kind === 'text' ? partsOf(resolved, program, depth - 1) : [value];
}

/** The chains of the accesses whose rows a value holds. */
function rowsIn(given: Value, world: KeptWorld, depth: number): readonly string[] {
  const value = stripped(given);
  if (depth <= 0) return [];
  const inner = (v: Value): readonly string[] => rowsIn(v, world, depth - 1);
  switch (value.kind) {
    case 'result': {
      if (world.accessesOf(value.chain).length > 0) return [value.chain];
      const chain = world.program.chain(value.chain);
      const returned = world.program.returnsOf(value.chain);
      if (returned.length > 0) return returned.flatMap(inner);
      return chain ? [chain.receiver, ...chain.steps.flatMap((s) => s.arguments ?? [])].flatMap(inner) : [];
    }
    case 'object':
      return value.entries.flatMap((e) => inner('spread' in e ? e.spread : e.value));
    case 'list':
      return value.of.flatMap((i) => inner(i.value));
    case 'apply':
      return value.to.flatMap(inner);
    case 'choice':
      return value.of.flatMap(inner);
    case 'element':
      return inner(value.of);
    case 'text':
      return value.parts.flatMap((p) => ('hole' in p ? inner(p.hole) : []));
    default:
      return [];
  }
}

const isSame = (a: Provenance, b: Provenance): boolean => {
  if (a.kind === 'input' && b.kind === 'input') return mayBeSameInput({ ...a, at: '' }, { ...b, at: '' });
  if (a.kind === 'parameter' && b.kind === 'parameter') return a.function === b.function && a.name === b.name;
  return false;
};
