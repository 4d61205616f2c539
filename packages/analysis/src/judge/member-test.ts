import type { CallChain, FunctionFacts, Target, Value } from '@tenant-lint/model';
import type { Program } from '../link/program.js';
import type { LinkedAccess } from '../model.js';
import type { Provenance } from '../trace/provenance.js';
import { stripped } from './conditions.js';
import { pathInto } from './guards.js';
import { pinsOf } from './selection.js';

export interface MemberTestWorld {
  readonly program: Program;
  readonly sourcesOf: (value: Value) => readonly Provenance[];
  readonly accessesOf: (f: string) => readonly LinkedAccess[];
}

/** Where in a function the user of the session was looked for among the members of what a value names. */
export interface MemberTest {
  readonly block: number;
  readonly load: LinkedAccess;
}

/**
 * The tests that a function makes of the members of a loaded row: `team.users.some((u) => u.userId === session.user.id)`, or that there is one
 * where only the user's own was loaded along: `include: { users: { where: { userId } } }`. `isNamed` tells the value by which it is loaded.
 */
export function memberTests(
  f: FunctionFacts,
  isNamed: (value: Value) => boolean,
  world: MemberTestWorld,
): readonly MemberTest[] {
  const loads = world
    .accessesOf(f.id)
    .filter((a) =>
      a.targets.some((t) => t.role === 'root' && pinsOf(t.predicate, t.ref).some((p) => isNamed(p.value))),
    );
  return loads.flatMap((load) =>
    f.blocks.flatMap((block, index) =>
      block.holds && block.start >= load.span.end && asksForMember(block.holds, load, world, 6)
        ? [{ block: index, load }]
        : [],
    ),
  );
}

function asksForMember(condition: Value, load: LinkedAccess, world: MemberTestWorld, depth: number): boolean {
  const own = stripped(condition);
  if (depth <= 0 || load.chain === undefined) return false;
  if (own.kind === 'apply') return own.to.some((v) => asksForMember(v, load, world, depth - 1));
  if (own.kind === 'choice') return own.of.some((v) => asksForMember(v, load, world, depth - 1));
  if (own.kind !== 'result') return false;
  const chain = world.program.chain(own.chain);
  const searched = chain?.steps.findLast((s) => s.arguments !== undefined && searches.has(s.name));
  if (chain && searched && isOfLoad(chain, load, world))
    return searched.arguments!.some((a) => comparesIdentity(a, world, 4));
  const path = pathInto(own, load.chain, world.program) ?? [];
  return path.length > 0 && load.targets.some((t) => t.role !== 'root' && isOfUser(t, world));
}

const isOfLoad = (chain: CallChain, load: LinkedAccess, { program }: MemberTestWorld): boolean =>
  load.chain !== undefined &&
  pathInto({ kind: 'result', chain: chain.id, path: [] }, load.chain, program) !== undefined;

/** Whether only rows that carry a verified identity are loaded along. */
const isOfUser = (target: Target, world: MemberTestWorld): boolean =>
  pinsOf(target.predicate, target.ref).some((pin) => isIdentity(pin.value, world));

const isIdentity = (value: Value, { sourcesOf }: MemberTestWorld): boolean =>
  value.kind !== 'constant' && value.kind !== 'column' && sourcesOf(value).some((s) => s.kind === 'trusted');

function comparesIdentity(value: Value, world: MemberTestWorld, depth: number): boolean {
  const own = stripped(value);
  if (depth <= 0) return false;
  if (own.kind === 'function')
    return (
      world.program.function(own.function)?.returns.some((r) => comparesIdentity(r.value, world, depth - 1)) ?? false
    );
  if (own.kind === 'apply')
    return own.to.some((v) => comparesIdentity(v, world, depth - 1) || isIdentity(stripped(v), world));
  return isIdentity(own, world);
}

const searches: ReadonlySet<string> = new Set(['some', 'find', 'includes', 'has', 'filter', 'every', 'findIndex']);
