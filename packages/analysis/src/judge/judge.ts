import type {
  FunctionId,
  Path,
  Predicate,
  ResourceAccess,
  Span,
  Table,
  TableId,
  Target,
  Tenancy,
  Value,
  Verdict,
} from '@tenant-lint/model';
import { Program } from '../link/program.js';
import type {
  Bypass,
  Claim,
  KeptRows,
  LinkedAccess,
  OpenRoute,
  Origin,
  PolicyLeak,
  PolicyLookup,
  PolicyUnknown,
  ResourcePart,
  Selection,
  SharedTenant,
  Standing,
  TenantStopgap,
} from '../model.js';
import { appointments, lookupsOfPolicies, policyLeaks, policyUnknowns } from '../prove/index.js';
import { type SessionMistake, sessionMistakes } from '../session/mistakes.js';
import type { SessionSetting } from '../session/sessions.js';
import { areVerified } from '../trace/provenance.js';
import { Bypasses } from './bypass.js';
import { claimOf } from './claim.js';
import { Ground, type JudgeInput } from './ground.js';
import { keptRows } from './kept.js';
import { keyColumns } from './keys.js';
import { type Answers, answersOf } from './oracle.js';
import { originOf, sourceReason } from './origin.js';
import { partsOf as resourceParts } from './parts.js';
import type { Reached } from './reach.js';
import { openRoutes } from './routes.js';
import { comparisonsOf, pinnedKey, pinsOf, wholeCondition } from './selection.js';
import { sharedTenants } from './shared-tenant.js';
import { tenantStopgap } from './tenant-stopgap.js';

/** Answers what the model asks about accesses; each question has a room of its own. */
export class Judge {
  readonly ground: Ground;
  readonly #bypasses: Bypasses;
  readonly #policies = new Map<TableId, readonly PolicyLeak[]>();
  #lookups: readonly PolicyLookup[] | undefined;
  #shared: readonly SharedTenant[] | undefined;

  constructor(input: JudgeInput) {
    this.ground = new Ground(input);
    this.#bypasses = new Bypasses(this.ground);
  }

  /** The accesses in a function. */
  readonly accessesOf = (f: FunctionId): readonly LinkedAccess[] => this.ground.index.ofFunction(f);

  tenancyOf(table: TableId): Tenancy {
    return this.ground.tenancyOf(table);
  }

  verdict(access: LinkedAccess, target: Target): Verdict {
    return this.ground.verdict(access, target);
  }

  isolatedBy(access: LinkedAccess, target: Target, condition: Predicate): boolean {
    return this.ground.isolatedBy(access, target, condition);
  }

  originOf(value: Value): Origin {
    return originOf(value, this.ground);
  }

  standing(access: LinkedAccess, value: Value): Standing {
    return this.ground.standing(access, value);
  }

  claim(access: LinkedAccess, target: Target): Claim | undefined {
    return claimOf(access, target, this.ground);
  }

  stopgap(access: LinkedAccess, target: Target): TenantStopgap | undefined {
    return tenantStopgap(access, target, this.ground);
  }

  sessionOf(access: LinkedAccess): readonly SessionSetting[] {
    return this.ground.enforced.sessionOf(access);
  }

  bypass(access: LinkedAccess, target: Target): Bypass | undefined {
    return this.#bypasses.of(access, target);
  }

  tenantPaths(): readonly Path[] {
    return this.ground.identities.tenantPaths();
  }

  keyHeldTo(access: LinkedAccess, target: Target, value: Value): string | undefined {
    return this.ground.identities.keyHeldTo(access, target, value);
  }

  databaseIsolates(table: Table): boolean {
    const { strategy } = this.ground.tenancy;
    return strategy === 'rls' || strategy === 'hybrid' || table.rowSecurity.enabled || table.policies.length > 0;
  }

  policyLeaks(table: Table): readonly PolicyLeak[] {
    const known = this.#policies.get(table.id);
    if (known) return known;
    const leaks = policyLeaks(table, { schema: this.ground.schema, tenancy: this.ground.tenancy });
    this.#policies.set(table.id, leaks);
    return leaks;
  }

  policyUnknowns(table: Table): readonly PolicyUnknown[] {
    return policyUnknowns(table, { schema: this.ground.schema, tenancy: this.ground.tenancy });
  }

  lookups(): readonly PolicyLookup[] {
    const context = { schema: this.ground.schema, tenancy: this.ground.tenancy };
    return (this.#lookups ??= [...lookupsOfPolicies(context), ...appointments(context)]);
  }

  selection(access: LinkedAccess, target: Target): Selection {
    const table = this.ground.tableOf(target);
    if (!table) return { pinnedBy: [] };
    const pins = pinsOf(wholeCondition(access, target), target.ref);
    const pinnedBy = pinnedKey(pins, table);
    const deciding = pins.find((p) => pinnedBy.includes(p.column)) ?? pins[0];
    const source = deciding && sourceReason(this.ground.sourcesOf(deciding.value), this.ground.program);
    return { pinnedBy, ...(source ? { source } : {}) };
  }

  partsOf(resource: ResourceAccess, value: Value): readonly ResourcePart[] {
    return resourceParts(value, resource, {
      program: this.ground.program,
      sourcesOf: (v) => this.ground.sourcesOf(v),
      standing: (access, v) => this.ground.standing(access, v),
      accessesOf: (chain) => this.ground.index.ofChain(Program.originalChain(chain)),
      tableOf: (access) => {
        const root = access.targets.find((t) => t.role === 'root');
        return root && this.ground.tableOf(root);
      },
      keysOf: (table) => keyColumns(this.ground.tenancyOf(table.id)),
    });
  }

  reachOf(f: string): Reached {
    return this.ground.reach.of(f);
  }

  keptRows(resource: ResourceAccess): KeptRows | undefined {
    const { program } = this.ground;
    return keptRows(resource, {
      program,
      sourcesOf: (value) => this.ground.sourcesOf(value),
      accessesOf: (chain) => this.ground.index.ofChain(Program.originalChain(chain)),
      tableOf: (target) => this.ground.tableOf(target),
      keysOf: (table) => {
        const tenancy = this.ground.tenancyOf(table.id);
        return tenancy.kind === 'keyed' ? keyColumns(tenancy) : [];
      },
      isIsolated: (access, target) => this.ground.verdict(access, target).kind === 'isolated',
      predicateOf: (access, target) => wholeCondition(access, target),
      isChecked: (value, id) => {
        const chain = program.chain(id);
        return chain !== undefined && this.ground.checks.before(value, chain) !== undefined;
      },
      reachOf: (f) => this.ground.reach.of(f),
    });
  }

  sharedTenants(): readonly SharedTenant[] {
    return (this.#shared ??= sharedTenants({
      program: this.ground.program,
      accesses: () => this.ground.accesses,
      sourcesOf: (value) => this.ground.sourcesOf(value),
      isTenant: (value) => this.ground.identities.isTenantOfSession(value),
      tenantsOf: (_, target) => {
        const table = this.ground.tableOf(target);
        const keys = new Set(table ? keyColumns(this.ground.tenancyOf(table.id)) : []);
        const values = comparisonsOf(target.predicate, target.ref).filter((pin) => keys.has(pin.column));
        const written = [target.writes, target.updates].flatMap((w) => [...keys].flatMap((key) => w?.set[key] ?? []));
        return [...values.map((pin) => pin.value), ...written];
      },
    }));
  }

  answers(access: LinkedAccess, target: Target): Answers | undefined {
    const table = this.ground.tableOf(target);
    if (!table || !access.in || access.chain === undefined || target.role !== 'root' || target.operation !== 'read')
      return undefined;
    const verdict = this.ground.verdict(access, target);
    if (verdict.kind !== 'isolated' || verdict.evidence !== 'guarded') return undefined;
    const compared = this.ground.loaded.comparison(access, table);
    return compared && answersOf(access.in, access.chain, compared, this.ground.program);
  }

  openRoutes(): readonly OpenRoute[] {
    const { accesses, program } = this.ground;
    const tenants = accesses.flatMap((access) => {
      if (access.in === undefined) return [];
      const sources = access.targets.flatMap((target) => {
        const table = this.ground.tableOf(target);
        const keys = new Set(table ? keyColumns(this.ground.tenancyOf(table.id)) : []);
        return pinsOf(target.predicate, target.ref)
          .filter((pin) => keys.has(pin.column))
          .flatMap((pin) => this.ground.sourcesOf(pin.value));
      });
      return sources.length > 0 ? [{ access, sources }] : [];
    });
    return openRoutes({
      program,
      tenants,
      before: (handler) => this.ground.standingWorld.beforeHandler.functionsBefore(handler, true),
      asks: (f) => this.ground.standingWorld.asks(f),
    });
  }

  sessionMistakes(): readonly SessionMistake[] {
    return sessionMistakes({
      program: this.ground.program,
      sessions: this.ground.sessions,
      accessesOf: (f) => this.ground.index.ofFunction(f),
      reaches: (access, setting) =>
        access.targets.flatMap((target) => {
          const table = this.ground.tableOf(target);
          if (!table?.rowSecurity.enabled || !this.ground.enforced.readsOf(table).settings.has(setting)) return [];
          return this.ground.verdict(access, target).kind === 'leak' ? [table] : [];
        }),
    });
  }

  openCheck(access: LinkedAccess, target: Target): Span | undefined {
    const table = this.ground.tableOf(target);
    const chain = access.chain === undefined ? undefined : this.ground.program.chain(access.chain);
    const verdict = this.ground.verdict(access, target);
    if (!table || !chain || target.role !== 'root' || verdict.kind !== 'leak' || verdict.evidence !== 'none')
      return undefined;
    const isVerified = (value: Value): boolean => areVerified(this.ground.sourcesOf(value));
    for (const pin of pinsOf(wholeCondition(access, target), target.ref)) {
      const found = this.ground.checks.skippable(pin.value, chain, isVerified);
      if (found?.span) return found.span;
    }
    const block = target.operation === 'read' ? this.ground.loaded.comparison(access, table, true) : undefined;
    return block && { file: access.file, start: block.start, end: block.start };
  }
}
