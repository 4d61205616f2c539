import {
  valueAt,
  type CallChain,
  type FunctionId,
  type Predicate,
  type Reason,
  type Schema,
  type Tenancy,
  type Value,
} from '@tenant-lint/model';
import type { LinkedAccess } from '../model.js';
import type { Program } from '../link/program.js';
import type { Tables } from '../link/tables.js';
import { areVerified, type Provenance } from '../trace/provenance.js';
import { atomsAt, chosen, precedes, stripped, type Atom } from './conditions.js';
import { isEnvironment } from './environment.js';
import { endsBefore, lastOf, type Place } from './returns.js';
import { isFoundByDigest } from './own.js';
import { pinsOf } from './selection.js';

const maxDepth = 4;

/** What the recognition of staff has to be told. */
export interface StaffWorld {
  readonly sourcesOf: (value: Value) => readonly Provenance[];
  readonly accessesOf: (chain: string) => readonly LinkedAccess[];
  readonly schema: Schema;
  readonly tables: Tables;
  readonly tenancyOf: (table: string) => Tenancy;
}

/**
 * Checks that let only the operator's own people pass: who runs the system works for all tenants. Recognised by what is tested, on the verified
 * user and not on a membership of a tenant: a flag (`user.isAdmin`), a role that says so, membership of one fixed tenant, an address within
 * one fixed domain, being on a list that is part of the program or its environment.
 */
export class Staff {
  readonly #memo = new Map<string, Reason | false>();

  constructor(
    private readonly program: Program,
    private readonly world: StaffWorld,
  ) {}

  /** The staff check that every path to `chain` has passed, in its function, in what encloses it, or in every caller of a handler. */
  before(chain: CallChain): Reason | undefined {
    return this.#around(chain, maxDepth);
  }

  /** The staff check of whatever calls a handler: its wrapper. */
  ofEntry(id: FunctionId): Reason | undefined {
    return this.#ofFunction(id, maxDepth);
  }

  /** The staff check that a function has made wherever it comes back: a layout around pages. */
  throughout(id: FunctionId): Reason | undefined {
    const f = this.program.function(id);
    if (!f) return undefined;
    const ends = f.returns.map((r) => ({ f, block: r.block, offset: r.span.start }));
    const checks = (ends.length > 0 ? ends : [{ f, block: lastOf(f), offset: f.span.end }]).map((end) =>
      this.#at(end, maxDepth),
    );
    return checks.every((c) => c !== undefined) ? checks[0] : undefined;
  }

  /** The staff check that middleware has made wherever it goes on: `next()`. */
  ofMiddleware(id: FunctionId): Reason | undefined {
    const f = this.program.function(id);
    const inner = f && this.program.facts(f.span.file)?.functions.filter((g) => g.id === id || g.parent === id);
    const goesOn = (inner ?? []).flatMap((g) =>
      this.program.chainsOf(g.id).filter(({ receiver, steps }) => {
        if (receiver.kind !== 'parameter' || receiver.function !== id) return false;
        const names = [f?.parameters[receiver.index]?.name, ...receiver.path, ...steps.map((s) => s.name)];
        return names.findLast((name) => name !== undefined && name !== '') === 'next';
      }),
    );
    const checks = goesOn.map((chain) => this.#around(chain, maxDepth));
    return checks.length > 0 && checks.every((c) => c !== undefined) ? checks[0] : undefined;
  }

  #around(chain: CallChain, depth: number): Reason | undefined {
    const f = this.program.function(chain.function);
    if (!f || depth <= 0) return undefined;
    const key = `${f.id}/${chain.block}/${chain.span.start}`;
    const known = this.#memo.get(key);
    if (known !== undefined) return known === false ? undefined : known;
    this.#memo.set(key, false);
    const found =
      this.#at({ f, block: chain.block, offset: chain.span.start }, depth) ?? this.#ofFunction(f.id, depth - 1);
    this.#memo.set(key, found ?? false);
    return found;
  }

  #ofFunction(id: FunctionId, depth: number): Reason | undefined {
    const f = this.program.function(id);
    if (!f || depth <= 0) return undefined;
    const outer = f.handedTo && this.program.chain(f.handedTo.chain);
    if (outer && outer.function !== id) {
      const enclosing = this.program.function(outer.function);
      const inside = enclosing?.parent !== undefined ? this.#around(outer, depth - 1) : undefined;
      if (inside) return inside;
    }
    // Only a handler is judged by who calls it: a helper is followed caller by caller.
    if (!f.handedTo) return undefined;
    const checks = this.program.callersOf(id).map((site) => this.#around(site.chain, depth - 1));
    return checks.length > 0 && checks.every((c) => c !== undefined) ? checks[0] : undefined;
  }

  #at(at: Place, depth: number): Reason | undefined {
    if (depth <= 0) return undefined;
    const atoms = atomsAt(at.f, at.block);
    if (atoms.some((atom) => this.#says(atom, atoms, at, depth)))
      return {
        text: `staff check${at.f.name === undefined ? '' : ` in ${at.f.name}`}`,
        span: this.#placeOf(at, depth),
      };
    for (const earlier of this.program.chainsOf(at.f.id)) {
      if (earlier.span.end > at.offset || !precedes(at.f, earlier.block, at.block)) continue;
      if (this.#lets(earlier, at, depth - 1)) return { text: 'staff check', span: earlier.span };
    }
    return undefined;
  }

  /** The block that holds what the check found out. */
  #placeOf(at: Place, depth: number): Reason['span'] & object {
    let found = at.block;
    for (let block: number | undefined = at.block; block !== undefined; block = at.f.blocks[block]?.parent) {
      const atoms = atomsAt(at.f, block);
      if (!atoms.some((atom) => this.#says(atom, atoms, at, depth))) break;
      found = block;
    }
    const start = at.f.blocks[found]!.start;
    return { file: at.f.span.file, start, end: start };
  }

  /** Whether a called function can only have ended, as the caller found it, where it had checked for staff. */
  #lets(chain: CallChain, at: Place, depth: number): boolean {
    const callee = depth > 0 ? this.program.calleeOf(chain) : undefined;
    const target = callee && !callee.wrapped ? this.program.function(callee.function) : undefined;
    if (!target) return false;
    // Only what can end early, or answers, checks anything.
    if (target.returns.length === 0 && lastOf(target) === 0 && this.program.chainsOf(target.id).length === 0)
      return false;
    const ends = endsBefore(chain, target, at, this.program);
    return ends.length > 0 && ends.every((end) => this.#at(end, depth) !== undefined);
  }

  #says({ value, holds }: Atom, atoms: readonly Atom[], at: Place, depth: number): boolean {
    if (!holds || depth <= 0) return false;
    const own = chosen(value, atoms);
    if (own.kind === 'apply' && own.function === '===') {
      const constant = own.to.findIndex((v) => v.kind === 'constant');
      const side = own.to[1 - constant];
      const wanted = own.to[constant];
      if (constant < 0 || !side || wanted?.kind !== 'constant') return false;
      if (wanted.value === true) return this.#says({ value: side, holds }, atoms, at, depth);
      return typeof wanted.value === 'string' && this.#isRole(handedAs(side, at), wanted.value);
    }
    if (own.kind === 'apply' && (own.function === '??' || own.function === '!!'))
      return own.to[0] !== undefined && this.#says({ value: own.to[0], holds }, atoms, at, depth);
    return (
      this.#isFlag(handedAs(own, at)) ||
      this.#isListedRole(own, at) ||
      this.#isFixedMember(own) ||
      this.#isFixedPlace(own, at) ||
      this.#answers(own, at, depth)
    );
  }

  /** `user.isAdmin` of the verified user, or of a user's row that no tenant owns. */
  #isFlag(value: Value): boolean {
    const path = 'path' in value ? value.path : [];
    const name = path.at(-1);
    return name !== undefined && flag.test(snake(name)) && this.#isOfUser(value, path) && !this.#isTenantsColumn(name);
  }

  /** A column of that name in a table that tenants own says who is in charge of a tenant. */
  #isTenantsColumn(name: string): boolean {
    return [...this.world.schema.tables.values()].some(
      (table) =>
        this.world.tenancyOf(table.id).kind === 'keyed' &&
        [...table.columns.values()].some((column) => snake(column.property ?? column.name) === snake(name)),
    );
  }

  #isRole(value: Value, role: string): boolean {
    const own = stripped(value);
    const path = 'path' in own ? own.path : [];
    const name = path.at(-1);
    if (name === undefined || !/(?:^|_)(?:roles?|type|kind|level)$/.test(snake(name))) return false;
    if (strongRole.test(snake(role))) return this.#isOfUser(own, path);
    // An admin by role is mostly the admin of a tenant, unless users belong to none.
    return /^admin(?:istrator)?$/i.test(role) && this.#isOfUser(own, path, !this.#isUsersColumn(own, path));
  }

  /** `user.roles.includes('ADMIN')`. */
  #isListedRole(value: Value, at: Place): boolean {
    const chain = value.kind === 'result' && value.path.length === 0 ? this.program.chain(value.chain) : undefined;
    const last = chain?.steps.at(-1);
    const [argument] = last?.arguments ?? [];
    if (!chain || !last || !argument || !/^(?:includes|has)$/.test(last.name)) return false;
    const names = chain.steps.slice(0, -1);
    if (names.some((s) => s.arguments !== undefined)) return false;
    const wanted = this.program.resolve(stripped(argument));
    // A member of an enumeration is called what it says, wherever that is declared.
    const role = wanted.kind === 'constant' ? wanted.value : wanted.kind === 'import' ? wanted.path.at(-1) : undefined;
    const roles = valueAt(
      chain.receiver,
      names.map((s) => s.name),
    );
    return typeof role === 'string' && this.#isRole(handedAs(roles, at), role);
  }

  /** `user.role`, where the table of users has such a column and its rows belong to no tenant: what is kept there holds for all of them. */
  #isUsersColumn(value: Value, path: readonly string[]): boolean {
    const parameter =
      value.kind === 'parameter' ? this.program.function(value.function)?.parameters[value.index]?.name : undefined;
    const [of, name] = [...(parameter === undefined ? [] : [parameter]), ...path].slice(-2);
    if (of === undefined || name === undefined || !/^(?:current|session|auth)?_?user$/.test(snake(of))) return false;
    return [...this.world.schema.tables.values()].some(
      (table) =>
        /^users?$/i.test(table.name.name) &&
        this.world.tenancyOf(table.id).kind === 'unknown' &&
        [...table.columns.values()].some((column) => snake(column.property ?? column.name) === snake(name)),
    );
  }

  #isOfUser(value: Value, path: readonly string[], rowOnly = false): boolean {
    if (path.some((name) => /member|org|team|workspace|tenant|project|account/i.test(name))) return false;
    const sources = this.world.sourcesOf(value).filter((s) => s.kind !== 'constant');
    return (
      sources.length > 0 &&
      sources.every((s) =>
        s.kind === 'row' ? this.#isUserRow(s.chain) : !rowOnly && (s.kind === 'trusted' || this.#isOfContext(s)),
      )
    );
  }

  /** What middleware is handed beside what the client sends: `({ ctx, next }) => ...`. */
  #isOfContext(source: Provenance): boolean {
    return (
      source.kind === 'parameter' &&
      this.program.function(source.function)?.handedTo !== undefined &&
      source.name.split('.').some((name) => /^(?:ctx|context|locals|state|session)$/i.test(name)) &&
      !/\b(?:input|params|query|body|headers|cookies)\b/i.test(source.name)
    );
  }

  /** A row of a table that belongs to no tenant, found by a verified identity. */
  #isUserRow(chain: string): boolean {
    const accesses = this.world.accessesOf(chain);
    return (
      accesses.length > 0 &&
      accesses.every((access) =>
        access.targets.every((t) => {
          const table = t.table.known ? this.world.tables.table(t.table.value) : undefined;
          if (t.role !== 'root' || !table) return t.role !== 'root';
          // The session of whoever presents its token, and the user of it.
          if (isFoundByDigest(t, table, this.program)) return true;
          const pinned = pinsOf(t.predicate, t.ref).some((p) => this.#isTrusted(p.value));
          return this.world.tenancyOf(table.id).kind === 'unknown' && pinned;
        }),
      )
    );
  }

  #isTrusted(value: Value): boolean {
    return areVerified(this.world.sourcesOf(value));
  }

  /** A value of the program or its environment: what is imported and not called is one, wherever it is declared. */
  #isFixed(value: Value): boolean {
    const own = this.program.resolve(stripped(value));
    if (own.kind === 'import' || isEnvironment(own, this.program)) return true;
    return this.world.sourcesOf(own).every((s) => s.kind === 'constant');
  }

  /** A membership of the user in a tenant that is part of the program: the operator's own. */
  #isFixedMember(value: Value): boolean {
    const sources = this.world.sourcesOf(value).filter((s) => s.kind !== 'constant');
    if (sources.length === 0) return false;
    return sources.every((s) => {
      if (s.kind !== 'row') return false;
      const roots = this.world.accessesOf(s.chain).flatMap((a) => a.targets.filter((t) => t.role === 'root'));
      return roots.length > 0 && roots.every((t) => this.#isPinnedToFixed(t.predicate, t.ref, t.table));
    });
  }

  #isPinnedToFixed(predicate: Predicate, ref: string, name: LinkedAccess['targets'][number]['table']): boolean {
    const table = name.known ? this.world.tables.table(name.value) : undefined;
    const tenancy = table && this.world.tenancyOf(table.id);
    if (tenancy?.kind !== 'keyed') return false;
    const pins = pinsOf(predicate, ref);
    const keys = new Set(tenancy.keys.map((k) => k.column));
    return (
      pins.some((p) => keys.has(p.column) && this.#isFixed(p.value)) &&
      pins.some((p) => !keys.has(p.column) && this.#isTrusted(p.value))
    );
  }

  /** `email.endsWith('@operator.example')`, `STAFF.includes(session.user.email)`. */
  #isFixedPlace(value: Value, at: Place): boolean {
    const chain = value.kind === 'result' && value.path.length === 0 ? this.program.chain(value.chain) : undefined;
    const last = chain?.steps.at(-1);
    const [argument] = last?.arguments ?? [];
    if (!chain || !last || !argument) return false;
    const names = chain.steps.slice(0, -1).flatMap((s) => (s.arguments ? [] : [s.name]));
    const receiver = valueAt(chain.receiver, names);
    if (last.name === 'endsWith')
      return (
        argument.kind === 'constant' && /^@./.test(String(argument.value)) && this.#isTrusted(handedAs(receiver, at))
      );
    const identity = 'path' in argument ? argument.path.at(-1) : undefined;
    if (!/^(?:includes|has)$/.test(last.name) || !/email|id$|sub$/i.test(identity ?? '')) return false;
    return this.#isFixed(receiver) && this.#isTrusted(handedAs(argument, at));
  }

  /** A call that answers whether the user is of the staff. */
  #answers(value: Value, at: Place, depth: number): boolean {
    const chain = value.kind === 'result' && value.path.length === 0 ? this.program.chain(value.chain) : undefined;
    const callee = chain && this.program.calleeOf(chain);
    const target = callee && !callee.wrapped ? this.program.function(callee.function) : undefined;
    if (!chain || !callee || !target || depth <= 1) return false;
    const atoms = (block: number): readonly Atom[] => atomsAt(target, block);
    const caller = { chain, arguments: chain.steps[callee.step]?.arguments ?? [], at };
    const ways = target.returns.filter((r) => !(r.value.kind === 'constant' && !r.value.value));
    return (
      ways.length > 0 &&
      ways.every((r) => {
        const place: Place = { f: target, block: r.block, offset: r.span.start, caller };
        return (
          this.#says({ value: r.value, holds: true }, atoms(r.block), place, depth - 1) ||
          this.#at(place, depth - 1) !== undefined
        );
      })
    );
  }
}

/** A parameter of a function that is being looked into is what this very call hands over. */
function handedAs(value: Value, { f, caller }: Place): Value {
  const own = stripped(value);
  const argument = own.kind === 'parameter' && own.function === f.id ? caller?.arguments[own.index] : undefined;
  return argument && own.kind === 'parameter' ? valueAt(argument, own.path) : value;
}

const snake = (name: string): string => name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase();

/** Words for people who run the system, on the user itself. */
const flag =
  /^(?:is_|has_|can_)?(?:(?:super|site|platform|system|global|internal|instance|server)_?)?(?:admin(?:istrator)?|super_?(?:user|admin)?|staff|employee|operator|root)$/;
const strongRole =
  /^(?:(?:super|site|platform|system|global|internal|instance|server)_?admin(?:istrator)?|super_?user|staff|operator|root)$/;
