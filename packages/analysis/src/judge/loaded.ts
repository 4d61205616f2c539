import {
  valueAt,
  type Block,
  type CallChain,
  type ChainId,
  type FunctionFacts,
  type Reason,
  type Schema,
  type Table,
  type TenancyModel,
  type Value,
} from '@tenant-lint/model';
import { primaryKey } from '../fold/index.js';
import type { LinkedAccess } from '../model.js';
import type { Program } from '../link/program.js';
import { areVerified, type InputProvenance, type Provenance } from '../trace/provenance.js';
import type { Checks } from './checks.js';
import { componentsOf } from './components.js';
import { precedes, stripped } from './conditions.js';
import { comparesKey, isGiven, isTestedLater, pathInto, propertyOfColumn } from './guards.js';
import { keyColumns } from './keys.js';
import { lastOf } from './returns.js';
import { pinsOf, type Pin } from './selection.js';

/** How many functions a loaded row is followed up through. */
const maxLevels = 4;

/** What is needed to see that a row was checked after it was loaded. */
export interface LoadedWorld {
  readonly program: Program;
  readonly schema: Schema;
  readonly tenancy: TenancyModel;
  readonly checks: Checks;
  readonly sourcesOf: (value: Value) => readonly Provenance[];
  readonly accessesOf: (f: string) => readonly LinkedAccess[];
  /** Whether only the tenant's own data or a verified identity supplies a value. */
  readonly isOwn: (value: Value) => boolean;
  /** The check of what the request says by what runs before the handler. */
  readonly checkedBefore: (source: InputProvenance) => Reason | undefined;
}

/** Functions of libraries that check a signature, and throw where it is another one's. */
const verifiers = /^(?:verify|jwtVerify|compactVerify|timingSafeEqual)$/;

/** What a chain gave: the row that was loaded, or what a function gave of it. */
interface Loading {
  readonly chain: string;
  readonly at: readonly string[];
}

/** Rows that are loaded by an identifier, and whose tenant is compared or authorised before anything else is done with them. */
export class Loaded {
  constructor(private readonly world: LoadedWorld) {}

  /**
   * The check of the row that the access loads: after it, in its function, or in whatever calls that function, up to where it stands. A caller
   * that hands over a safe value needs none.
   */
  checked(access: LinkedAccess, table: Table, pins: readonly Pin[]): Reason | undefined {
    const f = access.in;
    const chain = access.chain === undefined ? undefined : this.world.program.chain(access.chain);
    if (!f || !chain) return undefined;
    return this.#after({ chain: chain.id, at: [] }, table, f, chain.span.end, pins, maxLevels);
  }

  /** The check of the row on one way to an access, given as the calls that lead there, the nearest first. */
  checkedOn(access: LinkedAccess, table: Table, way: readonly ChainId[]): Reason | undefined {
    const { program } = this.world;
    let f = access.in;
    let end = access.chain === undefined ? undefined : program.chain(access.chain)?.span.end;
    let row: Loading = { chain: access.chain ?? '', at: [] };
    for (const id of [...way, undefined]) {
      if (!f || end === undefined) return undefined;
      const here = this.#inFunction(row, table, f, end);
      if (here) return here;
      const at = program.entryOf(f.id) ? undefined : this.#handedOut(row, f);
      const site = id === undefined ? undefined : program.chain(id);
      if (!at || !site) return undefined;
      row = { chain: site.id, at };
      f = program.function(site.function);
      end = site.span.end;
    }
    return undefined;
  }

  /** What comes out of a function of a row that was loaded in it: the path under which the row was loaded; undefined where it stays inside. */
  #handedOut(row: Loading, f: FunctionFacts): readonly string[] | undefined {
    const { program } = this.world;
    const given = f.returns.filter((r) => comesFrom(r.value, row.chain, program, 3));
    if (given.length === 0) return undefined;
    // Part of the row: `return row.organizationId`.
    const paths = given.map((r) => pathInto(r.value, row.chain, program) ?? []);
    return [...row.at, ...(paths.every((p) => p.join() === paths[0]!.join()) ? paths[0]! : [])];
  }

  /** The comparison of the loaded row with the tenant; `assuming`: one that whoever has no tenant passes by, too. */
  comparison(access: LinkedAccess, table: Table, assuming = false): Block | undefined {
    const f = access.in;
    const chain = access.chain === undefined ? undefined : this.world.program.chain(access.chain);
    if (!f || !chain) return undefined;
    return comparesKey(
      f,
      chain.id,
      chain.span.end,
      (path) => this.#isKeyPath(table, path, 4),
      (value) => this.#isVerified(value),
      (value) => (assuming ? this.#isVerified(value) : this.#mayBeTenant(value, f)),
      this.world.program,
      assuming,
    );
  }

  #after(
    row: Loading,
    table: Table,
    f: FunctionFacts,
    end: number,
    pins: readonly Pin[],
    levels: number,
  ): Reason | undefined {
    const here = this.#inFunction(row, table, f, end);
    if (here || levels <= 0) return here;
    const { program } = this.world;
    if (program.entryOf(f.id)) return undefined;
    // What comes out of the function has to be the row, or made of it.
    const at = this.#handedOut(row, f);
    if (!at) return undefined;
    const callers = program.callersOf(f.id);
    let first: Reason | undefined;
    for (const site of callers) {
      const caller = program.function(site.chain.function);
      if (!caller) return undefined;
      const args = site.chain.steps[site.step]?.arguments ?? [];
      const handed = pins.flatMap((pin): Pin[] => {
        const value = stripped(pin.value);
        return value.kind === 'parameter' && value.function === f.id
          ? [{ ...pin, value: valueAt(args[value.index] ?? { kind: 'undefined' }, value.path) }]
          : [];
      });
      const safe = handed.find((pin) => this.world.isOwn(pin.value) || this.world.checks.before(pin.value, site.chain));
      const found: Reason | undefined = safe
        ? { text: `${safe.column} is checked where it is handed over`, span: site.chain.span }
        : this.#after({ chain: site.chain.id, at }, table, caller, site.chain.span.end, handed, levels - 1);
      if (!found) return undefined;
      if (!safe) first ??= found;
    }
    return first;
  }

  #inFunction({ chain: chainId, at }: Loading, table: Table, f: FunctionFacts, after: number): Reason | undefined {
    const { program, checks } = this.world;
    const isKey = (path: readonly string[]): boolean => this.#isKeyPath(table, [...at, ...path], 4);
    const block = comparesKey(
      f,
      chainId,
      after,
      isKey,
      (value) => this.#isVerified(value),
      (value) => this.#mayBeTenant(value, f),
      program,
    );
    if (block) {
      return {
        text: 'the loaded row is compared with the tenant before it is used',
        span: { file: f.span.file, start: block.start, end: block.start },
      };
    }
    const authorised = checks.after(chainId, f, after);
    if (authorised) return authorised;
    // What was presented is verified with the row's own secret: `jwtVerify(token, encode(row.secret))`, which throws.
    const proof = program.chainsOf(f.id).find((later) => later.span.start >= after && this.#proves(later, chainId));
    if (proof) return { text: "what was presented is verified with the row's own secret", span: proof.span };
    // A membership look-up by the key of the loaded row, whose result is tested.
    for (const later of this.world.accessesOf(f.id)) {
      const chain = later.chain === undefined ? undefined : program.chain(later.chain);
      if (!chain || chain.span.start < after || !isTestedLater(f, chain.id, chain.span.end, program)) continue;
      for (const target of later.targets) {
        const pins = pinsOf(target.predicate, target.ref);
        const byRow = pins.some((p) => {
          const path = pathInto(p.value, chainId, program);
          return path !== undefined && isKey(path);
        });
        const byCaller = pins.some((p) => this.#isVerified(p.value));
        if (byRow && byCaller)
          return { text: "membership of the loaded row's tenant is checked afterwards", span: later.span };
      }
    }
    return this.#handedOver(chainId, isKey, f, after);
  }

  /** A function that is handed the key of the loaded row, and throws for strangers: `await requireTeam(invoice.teamId)`. */
  #handedOver(
    chainId: string,
    isKey: (path: readonly string[]) => boolean,
    f: FunctionFacts,
    after: number,
  ): Reason | undefined {
    const { program, checks } = this.world;
    for (const later of program.chainsOf(f.id)) {
      if (later.span.start < after) continue;
      const callee = program.calleeOf(later);
      const called = callee && !callee.wrapped ? program.function(callee.function) : undefined;
      if (!callee || !called || (called.async && !later.awaited)) continue;
      const index = later.steps[callee.step]!.arguments!.findIndex((a) => {
        const path = pathInto(stripped(a), chainId, program);
        return path !== undefined && path.length > 0 && isKey(path);
      });
      if (index < 0 || !checks.within({ kind: 'parameter', function: called.id, index, path: [] }, called)) continue;
      // On every way on which something of the row is given back.
      const given = f.returns.filter((r) => r.span.start >= after && comesFrom(r.value, chainId, program, 3));
      const isBefore = given.every((r) => r.span.end > later.span.start && precedes(f, later.block, r.block));
      if (isBefore && precedes(f, later.block, lastOf(f)))
        return { text: 'the tenant of the loaded row is checked afterwards', span: later.span };
    }
    return undefined;
  }

  /** Whether a call of a library checks a signature with a secret of the row. */
  #proves(call: CallChain, chainId: string): boolean {
    const { program } = this.world;
    const root = program.importOf(call.receiver, 4);
    const name = call.steps.findLast((s) => s.arguments !== undefined)?.name;
    if (!root || !verifiers.test(name === undefined || name === '' ? root.name : name)) return false;
    const isSecretPart = (value: Value, depth: number): boolean => {
      const own = stripped(value);
      const path = pathInto(own, chainId, program);
      if (path !== undefined && isGiven(path)) return true;
      const made = own.kind === 'result' && depth > 0 ? program.chain(own.chain) : undefined;
      return made?.steps.some((s) => s.arguments?.some((a) => isSecretPart(a, depth - 1))) ?? false;
    };
    const [, ...keys] = call.steps.flatMap((s) => s.arguments ?? []);
    return keys.some((a) => isSecretPart(a, 3));
  }

  /** Whatever the request does not choose freely; what it chooses has to be checked in the function itself. */
  #mayBeTenant(value: Value, f: FunctionFacts): boolean {
    if (value.kind === 'constant') return false;
    const chosen = this.world.sourcesOf(value).filter((s) => s.kind === 'input');
    if (chosen.every((s) => this.world.checkedBefore(s))) return true;
    return this.world.checks.within(value, f) !== undefined;
  }

  #isVerified(value: Value): boolean {
    return areVerified(this.world.sourcesOf(value));
  }

  /** Whether a path reads the tenant of a row: its key, or the identity of a row it refers to, through relations as far as need be. */
  #isKeyPath(table: Table, path: readonly string[], depth: number): boolean {
    // The first of a list of rows.
    const [name, ...rest] = path[0] !== undefined && /^(?:\d+|\*)$/.test(path[0]) ? path.slice(1) : path;
    if (name === undefined || depth <= 0) return false;
    const keys = keyColumns(this.world.tenancy.tables.get(table.id));
    if (keys.some((column) => propertyOfColumn(table, column) === name || column === snake(name))) return true;
    const relation = table.relations.find((r) => r.name === name);
    const to = relation && this.world.schema.tables.get(relation.to);
    if (!relation || !to) return false;
    const [next, ...further] = rest;
    const identity = relation.references.length > 0 ? relation.references : primaryKey(to);
    const isIdentity =
      next !== undefined && further.length === 0 && identity.some((c) => propertyOfColumn(to, c) === next);
    // The identity of a referenced row says the tenant only where that row is a tenant.
    const owner = this.world.tenancy.tables.get(to.id)?.kind;
    return (isIdentity && (owner === 'root' || this.#isLevel(to))) || this.#isKeyPath(to, rest, depth - 1);
  }

  /** A table whose rows are tenants themselves, below the root: projects that carry the key of an organization. */
  #isLevel(table: Table): boolean {
    return [...this.world.tenancy.tables.values()].some(
      (t) => t.kind === 'keyed' && t.keys.some((k) => k.root === table.id),
    );
  }
}

/** A client may turn the names of columns on the way: `org_id` is read as `orgId`. */
const snake = (name: string): string => name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase();

/** Whether a value is what a chain gave, or is made of it. */
export function comesFrom(value: Value, chain: string, program: Program, depth: number): boolean {
  const own = stripped(value);
  if (pathInto(own, chain, program) !== undefined) return true;
  if (depth <= 0) return false;
  const within = (v: Value): boolean => comesFrom(v, chain, program, depth - 1);
  if (own.kind === 'result') return program.chain(own.chain)?.steps.some((s) => s.arguments?.some(within)) ?? false;
  return componentsOf(own).some(within);
}
