import {
  sameValue,
  type CallChain,
  type ClassFacts,
  type FileFacts,
  type Kept,
  type Span,
  type Target,
  type Value,
} from '@tenant-lint/model';
import type { Program } from '../link/program.js';
import type { LinkedAccess, SharedTenant } from '../model.js';
import type { Provenance } from '../trace/provenance.js';
import { stripped } from './conditions.js';

export interface SharedWorld {
  readonly program: Program;
  readonly accesses: () => readonly LinkedAccess[];
  readonly sourcesOf: (value: Value) => readonly Provenance[];
  /** The values that an access compares with the keys of a target, or sets them to. */
  readonly tenantsOf: (access: LinkedAccess, target: Target) => readonly Value[];
  /** Whether a value is a verified tenant. */
  readonly isTenant: (value: Value) => boolean;
}

/** Current tenants in variables of modules, in fields of what all requests share, and in storages whose store is replaced. */
export function sharedTenants(world: SharedWorld): readonly SharedTenant[] {
  const { program } = world;
  const states = new Map<string, { readonly kept: [Kept, ...Kept[]]; readonly uses: SharedTenant['uses'][number][] }>();
  for (const facts of program.files.values())
    for (const kept of facts.kept ?? []) {
      if (kept.of === 'parameter' || isFixed(kept.value) || !isReached(kept, facts, program)) continue;
      const key = keyOf(facts.file, kept.name, kept.path);
      const state = states.get(key);
      if (state) state.kept.push(kept);
      else states.set(key, { kept: [kept], uses: [] });
    }
  if (states.size > 0)
    for (const access of world.accesses())
      for (const target of access.targets)
        for (const value of world.tenantsOf(access, target)) {
          const key = stateOf(value, states, program) ?? handedOver(value, access, states, program);
          const uses = key === undefined ? undefined : states.get(key)?.uses;
          if (uses && !uses.some((u) => u.access === access && u.target === target)) uses.push({ access, target });
        }
  const found: SharedTenant[] = [];
  for (const { kept, uses } of states.values()) {
    if (uses.length === 0 && !kept.some((k) => world.isTenant(k.value))) continue;
    const spans = kept.map((k) => k.span) as [Span, ...Span[]];
    found.push({ how: 'kept', name: [kept[0].name, ...kept[0].path].join('.'), spans, uses });
  }
  return [...found, ...entered(world)];
}

/** By the facts of a file, which outlive the program they are linked in. */
const entering = new WeakMap<FileFacts, readonly CallChain[]>();

function enteringChains(facts: FileFacts): readonly CallChain[] {
  let found = entering.get(facts);
  if (!found) entering.set(facts, (found = facts.chains.filter((c) => c.steps.some((s) => s.name === 'enterWith'))));
  return found;
}

/** `storage.enterWith(tenant)`: the rest of whatever runs goes on with it. */
function entered({ program, sourcesOf }: SharedWorld): readonly SharedTenant[] {
  return [...program.files.values()].flatMap((facts) =>
    enteringChains(facts).flatMap((chain): SharedTenant[] => {
      const step = chain.steps.find((s) => s.name === 'enterWith' && s.arguments !== undefined);
      if (!step || program.importOf(chain.receiver, 6)?.name !== 'AsyncLocalStorage') return [];
      if (step.arguments!.every((a) => sourcesOf(a).every((s) => s.kind === 'constant'))) return [];
      const name = 'name' in chain.receiver ? chain.receiver.name : 'the storage';
      return [{ how: 'entered', name, spans: [chain.span], uses: [] }];
    }),
  );
}

const isFixed = (value: Value): boolean =>
  value.kind === 'constant' || value.kind === 'undefined' || value.kind === 'function' || value.kind === 'instance';

const keyOf = (file: string, name: string, path: readonly string[]): string =>
  path[0] === undefined ? `${file}#${name}` : `${file}#${name}.${path[0]}`;

/** Whether all requests share the place: a variable of a module; a field of a class that is made once. */
function isReached(kept: Kept, facts: FileFacts, program: Program): boolean {
  if (kept.of === 'binding') return true;
  const made = facts.classes.find((c) => c.name === kept.name);
  const f = program.function(kept.function);
  // A static field is written by the name of the class.
  return made !== undefined && (f?.class !== kept.name || isMadeOnce(made, facts, program));
}

function isMadeOnce(made: ClassFacts, facts: FileFacts, program: Program): boolean {
  const injected = made.decorators.find((d) => d.name.kind === 'import' && d.name.name === 'Injectable');
  if (injected) return !JSON.stringify(injected.arguments).includes('REQUEST');
  return [...program.files.values()].some((other) =>
    Object.values(other.bindings).some((value) => {
      const found = value.kind === 'instance' ? program.classOf(value.of) : undefined;
      return found?.facts === made && found.file === facts.file;
    }),
  );
}

/** The place that a value is read from, through imports and helpers that only hand it on. */
function stateOf(value: Value, states: ReadonlyMap<string, unknown>, program: Program): string | undefined {
  const place = (v: Value): string | undefined => {
    const keys =
      v.kind === 'binding'
        ? [keyOf(v.file, v.name, []), keyOf(v.file, v.name, v.path)]
        : v.kind === 'this'
          ? [keyOf(v.from, v.class, v.path)]
          : v.kind === 'element' && v.of.kind === 'instance'
            ? [fieldOf(v.of, v.path, program)]
            : [];
    return keys.find((key) => key !== undefined && states.has(key));
  };
  const parts =
    value.kind === 'missing-able'
      ? [value.of]
      : value.kind === 'choice'
        ? value.of
        : value.kind === 'apply'
          ? value.to
          : [value];
  for (const part of parts) {
    if (part !== value && (part.kind === 'missing-able' || part.kind === 'choice' || part.kind === 'apply')) {
      const inner = stateOf(part, states, program);
      if (inner !== undefined) return inner;
      continue;
    }
    const found = program.resolveUntil(part, (v) => place(v) !== undefined);
    if (found) return place(found);
  }
  return undefined;
}

/** A value that another function was called with can only have come here by what that function kept. */
function handedOver(
  value: Value,
  access: LinkedAccess,
  states: ReadonlyMap<string, { readonly kept: readonly Kept[] }>,
  program: Program,
): string | undefined {
  const own = stripped(value);
  if (own.kind === 'choice' || own.kind === 'apply') {
    const parts = own.kind === 'choice' ? own.of : own.to;
    return parts.map((v) => handedOver(v, access, states, program)).find((key) => key !== undefined);
  }
  if (own.kind !== 'parameter') return undefined;
  for (let f = access.in; f; f = f.parent === undefined ? undefined : program.function(f.parent))
    if (f.id === own.function) return undefined;
  for (const [key, { kept }] of states)
    if (kept.some((k) => k.function === own.function && sameValue(stripped(k.value), own))) return key;
  return undefined;
}

function fieldOf(
  instance: Extract<Value, { kind: 'instance' }>,
  path: readonly string[],
  program: Program,
): string | undefined {
  const made = program.classOf(instance.of);
  return made && keyOf(made.file, made.facts.name, path);
}
