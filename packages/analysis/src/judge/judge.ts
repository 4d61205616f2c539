import {
  keyOfValue,
  sameValue,
  type Confidence,
  type FunctionId,
  type Predicate,
  type Reason,
  type ResourceAccess,
  type Schema,
  type Span,
  type Table,
  type TableId,
  type Target,
  type Tenancy,
  type TenancyModel,
  type Value,
  type Verdict,
} from '@tenant-lint/model';
import { and, column, equal, type Path } from '@tenant-lint/model';
import { uniqueKeys } from '../fold/index.js';
import type {
  Bypass,
  Claim,
  LinkedAccess,
  Origin,
  PolicyLeak,
  PolicyLookup,
  PolicyUnknown,
  Selection,
  SharedTenant,
  Standing,
  KeptRows,
  OpenRoute,
  ResourcePart,
  TenantStopgap,
} from '../model.js';
import { Program } from '../link/program.js';
import type { Tables } from '../link/tables.js';
import {
  appointments,
  lookupsOfPolicies,
  policyLeaks,
  policyUnknowns,
  type Leak,
  type ValueClass,
} from '../prove/index.js';
import { sessionReads, type SessionReads } from '../session/policed.js';
import { sessionMistakes, type SessionMistake } from '../session/mistakes.js';
import { Sessions, type SessionSetting } from '../session/sessions.js';
import { areVerified, Tracer, type Provenance } from '../trace/provenance.js';
import { Declared, type TrustOptions } from '../trust/declared.js';
import { AccessIndex } from './access-index.js';
import { bindsKey } from './binds.js';
import { BeforeHandler } from './before-handler.js';
import { commonTables } from './common.js';
import { Checks } from './checks.js';
import { stripped } from './conditions.js';
import { isSecret, worst } from './confidence.js';
import { keptRows } from './kept.js';
import { keyColumns, referringColumns } from './keys.js';
import { comesFrom, Loaded } from './loaded.js';
import { canVanish } from './missing.js';
import { missing as mayBeMissing } from '../prove/missing.js';
import { answersOf, type Answers } from './oracle.js';
import { openRoutes } from './routes.js';
import { partsOf as resourceParts } from './parts.js';
import { isPublished, Publicity } from './publicity.js';
import { assumptionsOf, proveTarget } from './question.js';
import { asRequested } from './requested.js';
import { Reach, type Reached } from './reach.js';
import { isAlternative, joinedRefs, pinnedKey, comparisonsOf, pinsOf, type Pin } from './selection.js';
import { Sources, type Derived } from './sources.js';
import { Staff } from './staff.js';
import { standingOf, type StandingWorld } from './standing.js';
import { stopgapsOf } from './stopgap.js';
import { Unread } from './unread.js';
import { sharedTenants } from './shared-tenant.js';
import { SchemaWorld } from './world.js';

export interface JudgeInput {
  readonly program: Program;
  readonly schema: Schema;
  readonly tables: Tables;
  readonly tenancy: TenancyModel;
  readonly accesses: readonly LinkedAccess[];
  /** Calls of a data library that reach nothing: they check nothing either. */
  readonly silent?: ReadonlySet<string>;
  readonly trust: TrustOptions;
  /**
   * The judge of the program before some files changed, and the accesses that these have now: what is asked of all accesses together is as it
   * was.
   */
  readonly before?: {
    readonly judge: Judge;
    readonly replaced: ReadonlySet<string>;
    readonly accesses: readonly LinkedAccess[];
  };
}

/** Reaches verdicts: the prover first, then the ways in which real code is safe without naming the key. */
export class Judge {
  readonly #verdicts = new Map<string, Verdict>();
  readonly #active = new Set<string>();
  readonly #policies = new Map<TableId, readonly PolicyLeak[]>();
  #lookups: readonly PolicyLookup[] | undefined;
  readonly #index: AccessIndex;
  readonly #tracer: Tracer;
  readonly #declared: Declared;
  readonly #world: SchemaWorld;
  readonly #reach: Reach;
  readonly #checks: Checks;
  readonly #staff: Staff;
  readonly #publicity: Publicity;
  readonly #sources: Sources;
  readonly #loaded: Loaded;
  readonly #standing: StandingWorld;
  /** The values that an isolated target rests on although nobody verified them, by the key of its verdict. */
  readonly #restsOn = new Map<string, readonly RestsOn[]>();
  readonly #sessions: Sessions;
  readonly #sessionsOf = new Map<string, readonly SessionSetting[]>();
  #bases: readonly ScopedBase[] | undefined;
  readonly #reads = new Map<TableId, SessionReads>();
  #common: ReadonlySet<TableId> | undefined;
  #identities: ReadonlyMap<string, TenantIdentity> | undefined;
  #shared: readonly SharedTenant[] | undefined;
  readonly #classes = new Map<string, ValueClass | undefined>();

  constructor(private readonly input: JudgeInput) {
    const { program, schema, tables, tenancy } = input;
    const { before } = input;
    this.#index = before
      ? new AccessIndex(before.accesses, { index: before.judge.#index, replaced: before.replaced })
      : new AccessIndex(input.accesses);
    this.#sessions = new Sessions(program, schema, () => input.accesses);
    const sourcesOf = (value: Value): readonly Provenance[] => this.#tracer.sourcesOf(value);
    const accessesOf = (f: string): readonly LinkedAccess[] => this.#index.ofFunction(f);
    this.#declared = new Declared(input.trust, program);
    this.#world = new SchemaWorld(schema, tables, tenancy, program);
    this.#staff = new Staff(program, {
      sourcesOf,
      accessesOf: (chain) => this.#index.ofChain(chain),
      schema,
      tables,
      tenancyOf: (table) => this.tenancyOf(table),
    });
    const publicity = (this.#publicity = new Publicity(program, sourcesOf, before?.judge.askingKinds));
    const beforeHandler = new BeforeHandler(program, accessesOf);
    this.#reach = new Reach(program, sourcesOf, this.#staff, publicity, beforeHandler);
    this.#checks = new Checks(program, {
      sourcesOf,
      accessesOf,
      foundUnder: (access, value) => this.#foundUnder(access, value),
      isOwn: (value) => this.#isOwn(value),
      declaredOf: (chain) => this.#declared.guarded(chain),
    });
    const isOfData = (chain: string): boolean =>
      this.#index.ofChain(chain).length > 0 || input.silent?.has(Program.originalChain(chain)) === true;
    const unread = new Unread(program, sourcesOf, isOfData);
    this.#sources = new Sources({
      unreadOf: (source, access) => unread.onWay(source, access),
      program,
      sourcesOf,
      rowIsOwn: (chain) => this.#rowIsOwn(chain),
      reachOf: (f) => this.#reach.of(f),
      before: (value, chain) => this.#checks.before(value, chain),
    });
    this.#standing = {
      program,
      sourcesOf,
      accessesOf,
      rowIsOwn: (chain) => this.#rowIsOwn(chain),
      reachOf: (f) => this.#reach.of(f),
      before: (value, chain) => this.#checks.before(value, chain),
      unreadOf: (source, access) => unread.onWay(source, access),
      beforeHandler,
      after: (chain) => {
        const f = program.function(chain.function);
        return f && this.#checks.after(chain.id, f, chain.span.end);
      },
      asks: (f) => publicity.asks(f),
    };
    this.#loaded = new Loaded({
      program,
      schema,
      tenancy,
      checks: this.#checks,
      sourcesOf,
      accessesOf,
      isOwn: (value) => this.#isOwn(value),
    });
    this.#tracer = new Tracer(
      input.program,
      (chain) => this.#index.ofChain(chain).length > 0,
      (value, chain) => this.#checks.before(value, chain),
      (chain) => {
        const roots = this.#index.ofChain(chain).flatMap((a) => a.targets.filter((t) => t.role === 'root'));
        return roots.length > 0 && roots.every((t) => t.operation !== 'create' && this.#isCredential(t));
      },
      (value) => this.#declared.sourceOf(value),
      (chain, index, path) => this.#checks.returned(chain, index, path),
    );
  }

  /** The accesses in a function. */
  readonly accessesOf = (f: FunctionId): readonly LinkedAccess[] => this.#index.ofFunction(f);

  /** See Publicity. */
  readonly askingKinds = (): ReadonlySet<string> => this.#publicity.askingKinds();

  tenancyOf(table: TableId): Tenancy {
    return this.input.tenancy.tables.get(table) ?? { kind: 'unknown', why: 'not in the schema' };
  }

  databaseIsolates(table: Table): boolean {
    const { strategy } = this.input.tenancy;
    return strategy === 'rls' || strategy === 'hybrid' || table.rowSecurity.enabled || table.policies.length > 0;
  }

  policyLeaks(table: Table): readonly PolicyLeak[] {
    const known = this.#policies.get(table.id);
    if (known) return known;
    const leaks = policyLeaks(table, { schema: this.input.schema, tenancy: this.input.tenancy });
    this.#policies.set(table.id, leaks);
    return leaks;
  }

  policyUnknowns(table: Table): readonly PolicyUnknown[] {
    return policyUnknowns(table, { schema: this.input.schema, tenancy: this.input.tenancy });
  }

  lookups(): readonly PolicyLookup[] {
    const context = { schema: this.input.schema, tenancy: this.input.tenancy };
    return (this.#lookups ??= [...lookupsOfPolicies(context), ...appointments(context)]);
  }

  verdict(access: LinkedAccess, target: Target): Verdict {
    const key = `${access.id}/${target.ref}`;
    const known = this.#verdicts.get(key);
    if (known) return known;
    if (this.#active.has(key))
      return { kind: 'unknown', evidence: 'unknown', hangsOn: [{ text: 'it depends on itself', span: target.span }] };
    this.#active.add(key);
    const verdict = this.#decide(access, target);
    this.#active.delete(key);
    this.#verdicts.set(key, verdict);
    return verdict;
  }

  selection(access: LinkedAccess, target: Target): Selection {
    const table = this.#table(target);
    if (!table) return { pinnedBy: [] };
    const pins = pinsOf(this.#whole(access, target), target.ref);
    const pinnedBy = pinnedKey(pins, table);
    const deciding = pins.find((p) => pinnedBy.includes(p.column)) ?? pins[0];
    const source = deciding && sourceReason(this.#tracer.sourcesOf(deciding.value), this.input.program);
    return { pinnedBy, ...(source ? { source } : {}) };
  }

  /** Who decides what a value is; the worst of its sources. */
  originOf(value: Value): Origin {
    const parts = partsOf(value).filter((part) => !this.#isFixed(part));
    if (parts.length === 0) return 'fixed';
    const kinds = new Set(parts.flatMap((part) => this.#tracer.sourcesOf(part).map((s) => s.kind)));
    if (kinds.has('input')) return 'input';
    if (kinds.has('parameter')) return 'handed';
    if (kinds.has('unknown')) return 'unknown';
    return kinds.has('row') || kinds.has('trusted') ? 'trusted' : 'fixed';
  }

  /** What the program decides by itself: made when a module was loaded, or picked from a list of constants. */
  #isFixed(value: Value): boolean {
    const { program } = this.input;
    if (program.isModuleState(value)) return true;
    const own = stripped(value);
    if (own.kind !== 'result' || own.path[0] !== '*') return false;
    // `Object.keys(data).filter((key) => ['name', 'url'].includes(key))`
    const last = program.chain(own.chain)?.steps.at(-1);
    const test = last?.name === 'filter' ? last.arguments?.[0] : undefined;
    const returns = test?.kind === 'function' ? (program.function(test.function)?.returns ?? []) : [];
    return returns.length > 0 && returns.every((r) => isOneOfConstants(r.value, program));
  }

  standing(access: LinkedAccess, value: Value): Standing {
    return standingOf(value, access, this.#standing);
  }

  claim(access: LinkedAccess, target: Target): Claim | undefined {
    const verdict = this.verdict(access, target);
    const values = this.#restsOn.get(`${access.id}/${target.ref}`);
    const table = this.#table(target);
    if (verdict.kind !== 'isolated' || !values || !table || target.operation === 'create') return undefined;
    let claim: Claim | undefined;
    for (const { value, at } of values) {
      const standing = this.standing(at === undefined ? access : this.#as(access, at), value);
      if (standing.kind === 'request' && (!claim || worst(claim.confidence, standing.confidence) === claim.confidence))
        claim = standing;
    }
    if (!claim || this.#isTiedOtherwise(access, target, table)) return undefined;
    const others = this.#othersThan(
      values.map((v) => v.value),
      access,
      target,
      table,
    );
    if (others.some((s) => s.kind === 'own' || s.kind === 'checked')) return undefined;
    const reached = access.function === undefined ? 'unknown' : this.#reach.of(access.function);
    const isWeak =
      others.some((s) => s.kind === 'unknown' || s.kind === 'open') ||
      reached === 'system' ||
      reached === 'no request' ||
      (reached === 'public' && target.operation === 'read' && isPublished(table)) ||
      this.#isCredential(target) ||
      this.#readsOnlyTheTenant(access);
    return isWeak ? { ...claim, confidence: 'possible' } : claim;
  }

  /** The standing of what the other identifying columns of a row are compared with. */
  #othersThan(values: readonly Value[], access: LinkedAccess, target: Target, table: Table): readonly Standing[] {
    const identifying = new Set([...keyColumns(this.tenancyOf(table.id)), ...referringColumns(table)]);
    return pinsOf(this.#whole(access, target), target.ref)
      .filter((pin) => identifying.has(pin.column) && !values.some((v) => sameValue(stripped(v), stripped(pin.value))))
      .filter((pin) => !this.#isTenantOfSession(pin.value))
      .map((pin) => this.standing(access, pin.value));
  }

  isolatedBy(access: LinkedAccess, target: Target, condition: Predicate): boolean {
    const changed = { ...target, predicate: and(target.predicate, condition) };
    const targets = access.targets.map((t) => (t.ref === target.ref ? changed : t));
    // A name of its own, so that no answer about the access as it is takes its place.
    return this.#decide({ ...access, id: `${access.id}+`, targets }, changed).kind === 'isolated';
  }

  partsOf(resource: ResourceAccess, value: Value): readonly ResourcePart[] {
    return resourceParts(value, resource, {
      program: this.input.program,
      sourcesOf: (v) => this.#tracer.sourcesOf(v),
      standing: (access, v) => this.standing(access, v),
      accessesOf: (chain) => this.#index.ofChain(Program.originalChain(chain)),
      tableOf: (access) => {
        const root = access.targets.find((t) => t.role === 'root');
        return root && this.#table(root);
      },
      keysOf: (table) => keyColumns(this.tenancyOf(table.id)),
    });
  }

  reachOf(f: string): Reached {
    return this.#reach.of(f);
  }

  keptRows(resource: ResourceAccess): KeptRows | undefined {
    const { program } = this.input;
    return keptRows(resource, {
      program,
      sourcesOf: (value) => this.#tracer.sourcesOf(value),
      accessesOf: (chain) => this.#index.ofChain(Program.originalChain(chain)),
      tableOf: (target) => this.#table(target),
      keysOf: (table) => {
        const tenancy = this.tenancyOf(table.id);
        return tenancy.kind === 'keyed' ? keyColumns(tenancy) : [];
      },
      isIsolated: (access, target) => this.verdict(access, target).kind === 'isolated',
      predicateOf: (access, target) => this.#whole(access, target),
      isChecked: (value, id) => {
        const chain = program.chain(id);
        return chain !== undefined && this.#checks.before(value, chain) !== undefined;
      },
      reachOf: (f) => this.#reach.of(f),
    });
  }

  stopgap(access: LinkedAccess, target: Target): TenantStopgap | undefined {
    const table = this.#table(target);
    const tenancy = table && this.tenancyOf(table.id);
    if (!table || !tenancy || (tenancy.kind !== 'keyed' && tenancy.kind !== 'root')) return undefined;
    const keys = new Set(keyColumns(tenancy));
    const isNew = target.operation === 'create';
    const values = isNew
      ? Object.entries(target.writes?.set ?? {}).map(([column, value]) => ({ column, value }))
      : pinsOf(this.#whole(access, target), target.ref);
    const about = values.filter((v) => keys.has(v.column));
    const all = about.map((v) => ({ column: v.column, gaps: stopgapsOf(v.value, this.input.program) }));
    const [first] = all;
    // Another key without one holds the tenant.
    if (!first || all.some(({ gaps }) => gaps.found.length === 0)) return undefined;
    const verdict = this.verdict(access, target);
    const kind = first.gaps.open ? 'fallback' : 'fixed';
    if (kind === 'fixed' && (tenancy.kind === 'root' || first.gaps.found.some((f) => f.environment))) return undefined;
    const binds = verdict.kind === 'isolated' && (verdict.evidence === 'isolated' || verdict.evidence === 'unverified');
    const isOpen = verdict.kind === 'unknown' || (kind === 'fixed' && verdict.kind === 'leak');
    if (!binds && !isOpen) return undefined;
    const reached = this.#reachOf(access);
    if (reached === 'staff') return undefined;
    const nullable = table.columns.get(first.column)?.notNull !== true;
    const gap = first.gaps.found.find((f) => f.value !== null && f.value !== '') ?? first.gaps.found[0]!;
    if (gap.value === null && (!nullable || kind === 'fixed')) return undefined;
    const isBlank = gap.value === '' || gap.value === null;
    return {
      kind,
      value: gap.environment ? `process.${String(gap.value)}` : JSON.stringify(gap.value),
      column: first.column,
      confidence:
        isBlank || reached === 'system' || reached === 'no request'
          ? 'possible'
          : reached === 'request' && !isOpen
            ? 'certain'
            : 'likely',
      ...(gap.span ? { span: gap.span } : {}),
    };
  }

  sharedTenants(): readonly SharedTenant[] {
    return (this.#shared ??= sharedTenants({
      program: this.input.program,
      accesses: () => this.input.accesses,
      sourcesOf: (value) => this.#tracer.sourcesOf(value),
      isTenant: (value) => this.#isTenantOfSession(value),
      tenantsOf: (_, target) => {
        const table = this.#table(target);
        const keys = new Set(table ? keyColumns(this.tenancyOf(table.id)) : []);
        const values = comparisonsOf(target.predicate, target.ref).filter((pin) => keys.has(pin.column));
        const written = [target.writes, target.updates].flatMap((w) => [...keys].flatMap((key) => w?.set[key] ?? []));
        return [...values.map((pin) => pin.value), ...written];
      },
    }));
  }

  /** Whether something else than the key holds a target to the tenant, or to people who work for all tenants. */
  #isTiedOtherwise(access: LinkedAccess, target: Target, table: Table): boolean {
    if ((this.#declared.clientOf(access.client.receiver) ?? access.client.kind) === 'scoped') return true;
    // A verified tenant in another column than the key says nothing: two identifiers have changed places.
    const pins = pinsOf(this.#whole(access, target), target.ref).filter((pin) => !this.#isTenantOfSession(pin.value));
    // The row of a user and a tenant: that there is one is the check.
    const isMembership = pins.some((pin) => this.#world.column(target, pin.column).role === 'user');
    return (
      isMembership ||
      this.#asksForMember(this.#whole(access, target)) ||
      this.#isTiedToOwn(this.#whole(access, target)) ||
      pins.some((pin) => areVerified(this.#tracer.sourcesOf(pin.value))) ||
      this.#sources.of(pins, table, target, access).kind === 'safe' ||
      this.#guarded(access, target, table, pins) !== undefined ||
      this.#staffOnly(access) !== undefined
    );
  }

  /** Whether a value is a verified one that elsewhere is compared with the keys of tables. */
  #isTenantOfSession(value: Value): boolean {
    const sources = this.#tracer.sourcesOf(value);
    if (!areVerified(sources)) return false;
    const tenants = this.#tenantIdentities();
    return sources.every((s) => s.kind === 'constant' || identityOf(s).some((id) => tenants.has(id)));
  }

  /** The verified identities that accesses compare with keys, by what gives them and the property that is read. */
  #tenantIdentities(): ReadonlyMap<string, TenantIdentity> {
    if (this.#identities) return this.#identities;
    if (this.input.before) return (this.#identities = this.input.before.judge.#tenantIdentities());
    const found = new Map<string, { readonly path: Path; readonly keys: Set<string> }>();
    for (const access of this.input.accesses) {
      for (const target of access.targets) {
        const table = this.#table(target);
        if (!table) continue;
        const tenancy = this.tenancyOf(table.id);
        for (const pin of pinsOf(target.predicate, target.ref)) {
          const tenant = tenantOfKey(table, tenancy, pin.column);
          if (tenant === undefined) continue;
          for (const source of this.#tracer.sourcesOf(pin.value)) {
            for (const id of identityOf(source)) {
              const known = found.get(id) ?? { path: source.kind === 'trusted' ? source.path : [], keys: new Set() };
              known.keys.add(tenant);
              found.set(id, known);
            }
          }
        }
      }
    }
    return (this.#identities = found);
  }

  tenantPaths(): readonly Path[] {
    const paths = new Map<string, Path>([['', []]]);
    for (const { path } of this.#tenantIdentities().values())
      for (let from = 0; from < path.length; from++) paths.set(path.slice(from).join('.'), path.slice(from));
    return [...paths.values()];
  }

  keyHeldTo(access: LinkedAccess, target: Target, value: Value): string | undefined {
    const table = this.#table(target);
    const tenancy = table && this.tenancyOf(table.id);
    if (!table || tenancy?.kind !== 'keyed' || mayBeMissing(value) !== 'never') return undefined;
    const key = tenancy.keys.find((k) => {
      const tenant = tenantOfKey(table, tenancy, k.column);
      return !k.nullable && tenant !== undefined && this.#isTenantOf(tenant, value, access);
    })?.column;
    return key !== undefined && this.isolatedBy(access, target, equal(column(target.ref, key), value))
      ? key
      : undefined;
  }

  /** Whether a value is a verified identity that says which tenant of this kind, or one that the function holds such keys to already. */
  #isTenantOf(tenant: string, value: Value, access: LinkedAccess): boolean {
    const sources = this.#tracer.sourcesOf(value);
    const isIdentity = (s: Provenance): boolean =>
      s.kind === 'trusted' && identityOf(s).some((id) => this.#tenantIdentities().get(id)?.keys.has(tenant) === true);
    if (sources.length > 0 && sources.every(isIdentity)) return true;
    const isUsed = this.#index.ofFunction(access.function ?? '').some(
      (other) =>
        other.id !== access.id &&
        other.targets.some((t) => {
          const table = this.#table(t);
          if (!table) return false;
          const tenancy = this.tenancyOf(table.id);
          const pins = pinsOf(t.predicate, t.ref).filter((pin) => tenantOfKey(table, tenancy, pin.column) === tenant);
          return (
            pins.some((pin) => sameValue(stripped(pin.value), value)) && this.verdict(other, t).kind === 'isolated'
          );
        }),
    );
    if (!isUsed) return false;
    const standing = this.standing(access, value).kind;
    return standing === 'own' || standing === 'checked';
  }

  #table(target: Target): Table | undefined {
    return target.table.known ? this.input.tables.table(target.table.value) : undefined;
  }

  /** The target through whose row an included one is reached: the relation joins their columns. */
  #parentOf(access: LinkedAccess, target: Target): Target | undefined {
    const refs = joinedRefs(target.predicate, target.ref);
    return access.targets.find(
      (t) =>
        t.ref !== target.ref &&
        refs.has(t.ref) &&
        !(t.role === 'include' && joinedRefs(t.predicate, t.ref).has(target.ref) && t.span.start > target.span.start),
    );
  }

  /** An included row belongs to whom the row belongs that it is reached through. */
  #through(access: LinkedAccess, parent: Target, target: Target): Verdict {
    const verdict = this.verdict(access, parent);
    if (verdict.kind === 'isolated') {
      return {
        kind: 'isolated',
        evidence: 'derived',
        because: [{ text: 'it is reached through a row of the tenant', span: parent.span }],
      };
    }
    return unknown({
      text: `it is reached through a row that ${verdict.kind === 'leak' ? 'is not isolated' : 'is undecided'}`,
      span: target.span,
    });
  }

  /** The condition of a target together with that of the target it is reached through. */
  #whole(access: LinkedAccess, target: Target): Target['predicate'] {
    if (target.role !== 'nested-write') return target.predicate;
    const root = access.targets.find((t) => t.role === 'root' && t.ref !== target.ref);
    return root ? and(target.predicate, root.predicate) : target.predicate;
  }

  #decide(access: LinkedAccess, target: Target): Verdict {
    if (target.operation === 'create') return isolated('isolated', { text: 'no existing row is reached' });
    if (!target.table.known) return unknown({ text: target.table.reason, span: target.span });
    const table = this.#table(target);
    if (!table) return unknown({ text: 'the table is not in the schema', span: target.span });
    const parent = target.role === 'include' ? this.#parentOf(access, target) : undefined;
    if (parent) return this.#through(access, parent, target);
    const tenancy = this.tenancyOf(table.id);
    if (tenancy.kind === 'shared')
      return isolated('isolated', { text: `${table.name.name} is shared by all tenants: ${tenancy.why}` });
    if (tenancy.kind === 'unknown')
      return unknown({ text: `it is not known who owns ${table.name.name}: ${tenancy.why}`, span: target.span });

    const predicate = this.#whole(access, target);
    const others = access.targets.filter((t) => t.ref !== target.ref);
    const proof = proveTarget(target, predicate, others, this.#world, (value) => this.#classOf(value));
    if (proof.kind === 'isolated') {
      const assumed = proof.assumptions.length > 0 || proof.references.length > 0;
      if (proof.restsOn.length > 0)
        this.#restsOn.set(
          `${access.id}/${target.ref}`,
          proof.restsOn.map((value) => ({ value })),
        );
      return {
        kind: 'isolated',
        evidence: assumed ? 'derived' : proof.evidence,
        because: [...proof.because, ...assumptionsOf(proof.assumptions)],
      };
    }
    const client = this.#declared.clientOf(access.client.receiver) ?? access.client.kind;
    if (client === 'scoped')
      return isolated('contextual', { text: 'the client is bound to the tenant', span: access.span });
    // The policies themselves are judged where they stand.
    const policed = client !== 'bypass' && table.rowSecurity.enabled ? access.client.policies : undefined;
    if (policed === 'hold')
      return isolated('contextual', {
        text: `the client acts for the caller, whom the policies of ${table.name.name} hold`,
        span: access.span,
      });

    const enforced = client === 'bypass' ? undefined : this.#enforced(access, table, target);
    if (enforced?.kind === 'isolated') return enforced;

    const pins = pinsOf(predicate, target.ref);
    const derived = this.#sources.of(pins, table, target, access);
    if (derived.kind === 'safe') return { kind: 'isolated', evidence: derived.evidence, because: [derived.reason] };
    const guard = this.#guarded(access, target, table, pins);
    if (guard) return isolated('guarded', guard);
    const staff = this.#staffOnly(access);
    if (staff) return isolated('intended', staff);
    if (enforced) return enforced;
    if (proof.kind === 'unknown')
      return (
        this.#requested(access, table, target, others, derived) ?? {
          kind: 'unknown',
          evidence: 'unknown',
          hangsOn: proof.hangsOn,
        }
      );
    if (derived.kind === 'open') return unknown(derived.reason);
    if (policed === 'perhaps')
      return unknown({
        text: `whether the policies of ${table.name.name} hold depends on the key of the client, which was not found`,
        span: access.span,
      });
    return this.#leak(access, table, target, proof, derived);
  }

  /** The settings of the tenant under which an access runs; see Model. */
  sessionOf(access: LinkedAccess): readonly SessionSetting[] {
    let found = this.#sessionsOf.get(access.id);
    if (!found) {
      // Settings of Postgres itself (a timeout, a search path) say no tenant, and neither does what the program fixes: a switch for jobs.
      found = this.#sessions.of(access).filter(({ name, value }) => name.includes('.') && this.#isNoConstant(value));
      this.#sessionsOf.set(access.id, found);
    }
    return found;
  }

  /**
   * What the database enforces where the tenant was set on the connection before: the policies decide, and are judged where they stand.
   * Undefined where nothing is set, or the table has no policies.
   */
  #enforced(access: LinkedAccess, table: Table, target: Target): Verdict | undefined {
    const set = this.sessionOf(access);
    const [first] = set;
    if (!first) return undefined;
    const { sources } = this.input.schema;
    if (!sources.some((s) => s === 'migrations' || s === 'dump' || s === 'live') && !table.rowSecurity.enabled)
      return unknown({
        text: `${first.name} is set, and no migration shows whether ${table.name.name} has policies`,
        span: first.span,
      });
    if (!table.rowSecurity.enabled) return undefined;
    if (table.policies.length === 0)
      return isolated('contextual', { text: `no policy of ${table.name.name} lets a row through`, span: first.span });
    const { settings, platform } = this.#readsOf(table);
    const used = set.filter((s) => settings.has(s.name) || (platform && s.name.startsWith('request.jwt.')));
    const [setting] = used;
    if (!setting)
      return unknown({
        text: `${first.name} is set, and the policies of ${table.name.name} read other settings`,
        span: first.span,
      });
    const because: readonly Reason[] = [
      { text: `${setting.name} is set for the policies of ${table.name.name}`, span: setting.span },
    ];
    const claimed = used.filter(({ value }) => this.#classOf(value) === 'tenant-unverified');
    if (claimed.length === 0) return { kind: 'isolated', evidence: 'contextual', because };
    this.#restsOn.set(`${access.id}/${target.ref}`, claimed);
    return { kind: 'isolated', evidence: 'unverified', because };
  }

  bypass(access: LinkedAccess, target: Target): Bypass | undefined {
    const table = this.#table(target);
    const verdict = this.verdict(access, target);
    if (!table || verdict.kind !== 'leak' || verdict.evidence !== 'none') return undefined;
    const declared = this.#declared.clientOf(access.client.receiver) ?? access.client.kind;
    const isPoliced = table.rowSecurity.enabled && table.policies.length > 0;
    const reached = access.function === undefined ? 'unknown' : this.#reach.of(access.function);
    const isAsked = reached === 'request' || reached === 'public';
    if (isPoliced && isAsked && declared === 'bypass') return { kind: 'privileged' };
    const { settings } = this.#readsOf(table);
    // A setting that policies read, that the program fixes, and that holds no tenant.
    const lifted =
      isPoliced && isAsked
        ? this.#sessions
            .of(access)
            .find(
              (s) =>
                settings.has(s.name) && !this.input.tenancy.settings.includes(s.name) && s.value.kind === 'constant',
            )
        : undefined;
    if (lifted) return { kind: 'privileged', setting: lifted.name, span: lifted.span };
    if (this.sessionOf(access).length > 0) return undefined;
    const isTenant = (s: SessionSetting): boolean =>
      isPoliced &&
      (settings.has(s.name) || this.input.tenancy.settings.includes(s.name)) &&
      this.#isNoConstant(s.value);
    const around = this.#sessions.around(access).find(isTenant);
    if (around) return { kind: 'outer', setting: around.name, span: around.span };
    const own = this.#madeAs(access.client.receiver);
    if (own === undefined || access.client.through || access.client.base) return undefined;
    this.#bases ??= this.#findBases();
    const keys = new Set(keyColumns(this.tenancyOf(table.id)));
    const found = this.#bases.find(
      (b) =>
        b.client === own &&
        (b.setting
          ? isTenant(b.setting)
          : b.table === table.id && b.covers.includes(access.method) && b.columns.some((c) => keys.has(c))),
    );
    return found && { kind: 'base', span: found.span, ...(found.setting ? { setting: found.setting.name } : {}) };
  }

  answers(access: LinkedAccess, target: Target): Answers | undefined {
    const table = this.#table(target);
    if (!table || !access.in || access.chain === undefined || target.role !== 'root' || target.operation !== 'read')
      return undefined;
    const verdict = this.verdict(access, target);
    if (verdict.kind !== 'isolated' || verdict.evidence !== 'guarded') return undefined;
    const compared = this.#loaded.comparison(access, table);
    return compared && answersOf(access.in, access.chain, compared, this.input.program);
  }

  openRoutes(): readonly OpenRoute[] {
    const { accesses, program } = this.input;
    const tenants = accesses.flatMap((access) => {
      if (access.in === undefined) return [];
      const sources = access.targets.flatMap((target) => {
        const table = this.#table(target);
        const keys = new Set(table ? keyColumns(this.tenancyOf(table.id)) : []);
        return pinsOf(target.predicate, target.ref)
          .filter((pin) => keys.has(pin.column))
          .flatMap((pin) => this.#tracer.sourcesOf(pin.value));
      });
      return sources.length > 0 ? [{ access, sources }] : [];
    });
    return openRoutes({
      program,
      tenants,
      before: (handler) => this.#standing.beforeHandler.functionsBefore(handler, true),
      asks: (f) => this.#standing.asks(f),
    });
  }

  sessionMistakes(): readonly SessionMistake[] {
    return sessionMistakes({
      program: this.input.program,
      sessions: this.#sessions,
      accessesOf: (f) => this.#index.ofFunction(f),
      reaches: (access, setting) =>
        access.targets.flatMap((target) => {
          const table = this.#table(target);
          if (!table?.rowSecurity.enabled || !this.#readsOf(table).settings.has(setting)) return [];
          return this.verdict(access, target).kind === 'leak' ? [table] : [];
        }),
    });
  }

  openCheck(access: LinkedAccess, target: Target): Span | undefined {
    const table = this.#table(target);
    const chain = access.chain === undefined ? undefined : this.input.program.chain(access.chain);
    const verdict = this.verdict(access, target);
    if (!table || !chain || target.role !== 'root' || verdict.kind !== 'leak' || verdict.evidence !== 'none')
      return undefined;
    const isVerified = (value: Value): boolean => areVerified(this.#tracer.sourcesOf(value));
    for (const pin of pinsOf(this.#whole(access, target), target.ref)) {
      const found = this.#checks.skippable(pin.value, chain, isVerified);
      if (found?.span) return found.span;
    }
    const block = target.operation === 'read' ? this.#loaded.comparison(access, table, true) : undefined;
    return block && { file: access.file, start: block.start, end: block.start };
  }

  #isNoConstant(value: Value): boolean {
    return this.#tracer.sourcesOf(value).some((s) => s.kind !== 'constant');
  }

  /** The module-level binding in which a client is made. */
  #madeAs(client: Value): string | undefined {
    const { program } = this.input;
    const made = program.resolveUntil(client, (v) => {
      if (v.kind !== 'binding' || v.path.length > 0) return false;
      const own = program.files.get(v.file)?.bindings[v.name];
      return own !== undefined && own.kind !== 'binding' && own.kind !== 'import';
    });
    return made?.kind === 'binding' ? `${made.file}#${made.name}` : undefined;
  }

  /** The clients that the program extends or wraps for one tenant. */
  #findBases(): readonly ScopedBase[] {
    const found: ScopedBase[] = [];
    for (const { client, setting } of this.#sessions.bases()) {
      const made = this.#madeAs(client);
      if (made !== undefined && setting.local)
        found.push({ client: made, setting, columns: [], covers: [], span: setting.span });
    }
    for (const access of this.input.accesses) {
      const made = access.client.base && this.#madeAs(access.client.base);
      if (made === undefined) continue;
      for (const lost of access.lost ?? []) {
        if (lost.how !== 'uncovered' || !lost.span) continue;
        const parts = lost.predicate.kind === 'and' ? lost.predicate.of : [lost.predicate];
        const columns = parts.flatMap((p) => (p.kind === 'compare' && p.left.kind === 'column' ? [p.left.column] : []));
        found.push({
          client: made,
          columns,
          covers: lost.covers ?? [],
          span: lost.span,
          ...this.#tableOfRef(access, lost.predicate),
        });
      }
    }
    return found;
  }

  /** The table that a condition on one target is about. */
  #tableOfRef(access: LinkedAccess, predicate: Predicate): { readonly table?: TableId } {
    const target = access.targets.find((t) => pinsOf(predicate, t.ref).length > 0);
    const table = target && this.#table(target);
    return table ? { table: table.id } : {};
  }

  #readsOf(table: Table): SessionReads {
    let reads = this.#reads.get(table.id);
    if (!reads) {
      reads = sessionReads(table, this.input.schema, (name) => this.input.tables.table(name));
      this.#reads.set(table.id, reads);
    }
    return reads;
  }

  /** An access as if it stood where a call is made: what was checked before the call counts. */
  #as(access: LinkedAccess, at: string): LinkedAccess {
    const chain = this.input.program.chain(at);
    const f = chain && this.input.program.function(chain.function);
    return chain && f ? { ...access, chain: chain.id, function: f.id, in: f } : access;
  }

  /** The leak of a condition that the request writes, undefined where it writes none or what else is asked for isolates. */
  #requested(
    access: LinkedAccess,
    table: Table,
    target: Target,
    others: readonly Target[],
    derived: Exclude<Derived, { kind: 'safe' }>,
  ): Verdict | undefined {
    const { predicate, by } = asRequested(this.#whole(access, target), (v) => this.#tracer.sourcesOf(v));
    if (by.length === 0) return undefined;
    const proof = proveTarget(target, predicate, others, this.#world, (value) => this.#classOf(value));
    if (proof.kind !== 'leak') return undefined;
    const leak = this.#leak(access, table, target, proof, derived.kind === 'open' ? { kind: 'unpinned' } : derived);
    if (leak.kind !== 'leak') return leak;
    const reasons = by.map((what): Reason => ({ text: `the condition is ${what} of the request`, span: target.span }));
    return { ...leak, confidence: worst(leak.confidence, 'likely'), because: [...reasons, ...leak.because] };
  }

  #leak(
    access: LinkedAccess,
    table: Table,
    target: Target,
    proof: Leak,
    derived: Exclude<Derived, { kind: 'safe' | 'open' }>,
  ): Verdict {
    // A key that is compared only with other columns, or with constants, was not meant to say which tenant.
    const binds =
      proof.evidence === 'none'
        ? 'nothing'
        : bindsKey(target, this.#whole(access, target), access.targets, this.#world, proof.evidence === 'vanishing');
    const named = proof.evidence === 'negated' && isAlternative(this.#whole(access, target), target.ref);
    const evidence = binds === 'nothing' || named ? 'none' : proof.evidence;
    const whole = this.#whole(access, target);
    const confidence = worst(
      proof.confidence,
      // A key of another table: whether its rows are tied to these is what could not be shown.
      binds === 'constant' || (evidence === 'negated' && (binds === 'elsewhere' || this.#isTiedToOwn(whole)))
        ? 'possible'
        : evidence === 'none'
          ? this.#confidence(access, table, target, derived)
          : this.#isForNobody(access) || (evidence === 'vanishing' && !canVanish(whole, this.input.program))
            ? 'possible'
            : 'certain',
    );
    const because = [...proof.because, ...(derived.kind === 'foreign' ? derived.reasons : [])];
    return {
      kind: 'leak',
      evidence,
      confidence,
      witness: proof.witness,
      because: because.length > 0 ? because : [{ text: 'no condition on the tenant', span: target.span }],
    };
  }

  /** How sure it is that a foreign row is asked for: by the source of the value that picks the rows, or by who can run the code. */
  #confidence(
    access: LinkedAccess,
    table: Table,
    target: Target,
    derived: Exclude<Derived, { kind: 'safe' | 'open' }>,
  ): Confidence {
    const reached = this.#reachOf(access);
    const own = derived.kind === 'foreign' ? derived.confidence : 'likely';
    if (reached === 'system' || (reached === 'no request' && own !== 'certain')) return 'possible';
    if (reached === 'public' && target.operation === 'read' && isPublished(table)) return 'possible';
    // What is found by a secret belongs to who presents it; a number of rows that is not given away says nothing to anybody.
    if (
      this.#isCredential(target) ||
      (access.method === 'count' && derived.kind === 'unpinned' && this.#isKept(access))
    )
      return 'possible';
    // Whether a name is taken: nothing of the row goes further than the question whether there is one.
    if (derived.kind === 'unpinned' && this.#isAskedOnly(access, table, target)) return 'possible';
    // Rows that belong to the user who asks: by user and not by tenant.
    const pins = pinsOf(this.#whole(access, target), target.ref);
    if (pins.some((pin) => areVerified(this.#tracer.sourcesOf(pin.value)))) return 'possible';
    // An identifier that came with the tenant's own rows, in a column that only its name says to refer to them.
    if (pins.some((pin) => /(?:^|_)ids?$/.test(snake(pin.column)) && this.#isOwn(pin.value))) return 'possible';
    // Rows that a relation ties to a row of the tenant: as far as who writes the relation keeps them together.
    if (this.#isTiedToOwn(this.#whole(access, target))) return 'possible';
    // Rows without an owner are common to all, where the table has such.
    if (this.#hasCommonRows(table)) return derived.kind === 'unpinned' ? 'possible' : worst(own, 'likely');
    // What only finds out whose row one identifier names serves a check elsewhere more often than it leaks.
    return derived.kind === 'foreign' && this.#readsOnlyTheTenant(access) ? worst(own, 'possible') : own;
  }

  #isTiedToOwn(predicate: Predicate): boolean {
    if (predicate.kind === 'and') return predicate.of.some((p) => this.#isTiedToOwn(p));
    if (predicate.kind === 'either') return predicate.of.every((p) => this.#isTiedToOwn(p));
    if (predicate.kind !== 'exists' && predicate.kind !== 'in-query') return false;
    const { targets, condition } = predicate.query;
    return (
      this.#isTiedToOwn(condition) ||
      targets.some(
        (t) =>
          this.#isTiedToOwn(t.predicate) ||
          pinsOf(and(condition, t.predicate), t.ref).some((p) => traceable.has(p.value.kind) && this.#isOwn(p.value)),
      )
    );
  }

  /** Whether a condition asks for a row of a user, and which one something else than the request says: `members: { some: { userId } }`. */
  #asksForMember(predicate: Predicate): boolean {
    if (predicate.kind === 'and') return predicate.of.some((p) => this.#asksForMember(p));
    if (predicate.kind === 'either') return predicate.of.every((p) => this.#asksForMember(p));
    if (predicate.kind !== 'exists' && predicate.kind !== 'in-query') return false;
    const { targets, condition } = predicate.query;
    const isAsked = (pin: Pin, t: Target): boolean =>
      traceable.has(pin.value.kind) &&
      this.#world.column(t, pin.column).role === 'user' &&
      this.#tracer.sourcesOf(pin.value).some((s) => s.kind !== 'input' && s.kind !== 'constant');
    return (
      this.#asksForMember(condition) ||
      targets.some(
        (t) =>
          this.#asksForMember(t.predicate) || pinsOf(and(condition, t.predicate), t.ref).some((pin) => isAsked(pin, t)),
      )
    );
  }

  /** Code that no request leads to, or only requests of the system itself, works for all tenants: jobs, webhooks, scripts. */
  #isForNobody(access: LinkedAccess): boolean {
    const reached = this.#reachOf(access);
    return reached === 'system' || reached === 'no request';
  }

  /** Who leads to an access. A file of queries that wait for no value is run by hand. */
  #reachOf(access: LinkedAccess): Reached {
    if (access.function !== undefined) return this.#reach.of(access.function);
    return this.input.program.facts(access.file)?.sql?.byHand === true ? 'no request' : 'unknown';
  }

  /** Whether every key of a table may be NULL, and some query asks for the rows in which it is. */
  #hasCommonRows(table: Table): boolean {
    if (this.input.before) return this.input.before.judge.#hasCommonRows(table);
    this.#common ??= commonTables(this.input.accesses, (target) => this.#table(target), this.input.tenancy);
    return this.#common.has(table.id);
  }

  /** A read of no more than the keys of rows that a condition picks, of which nothing is returned but how a comparison of them ends. */
  #isAskedOnly(access: LinkedAccess, table: Table, target: Target): boolean {
    const keys = new Set(
      uniqueKeys(table)
        .filter((k) => k.length === 1)
        .flat(),
    );
    return (
      access.operation === 'read' &&
      access.targets.length === 1 &&
      target.predicate.kind === 'compare' &&
      target.columns !== undefined &&
      target.columns.length > 0 &&
      target.columns.every((c) => keys.has(c)) &&
      this.#isKept(access)
    );
  }

  /** Whether what an access gives is only compared or handed on, and never returned. */
  #isKept(access: LinkedAccess): boolean {
    const { program } = this.input;
    return (
      access.chain !== undefined &&
      access.in?.returns.some((r) => {
        const value = stripped(r.value);
        const isComparison = value.kind === 'apply' && /^(?:[!=]==?|[<>]=?|!|&&|\|\|)$/.test(value.function);
        return !isComparison && comesFrom(value, access.chain!, program, 3);
      }) === false
    );
  }

  /** A read that gives nothing of the row but its key, or what leads to it. */
  #readsOnlyTheTenant(access: LinkedAccess): boolean {
    if (access.operation !== 'read') return false;
    let named = 0;
    for (const target of access.targets) {
      const table = this.#table(target);
      if (!table || target.columns === undefined) return false;
      const tenancy = this.tenancyOf(table.id);
      const keys = new Set([...keyColumns(tenancy), ...(tenancy.kind === 'root' ? [tenancy.key] : [])]);
      const identifying = new Set([
        ...keys,
        ...uniqueKeys(table)
          .filter((k) => k.length === 1)
          .flat(),
        ...referringColumns(table),
      ]);
      if (!target.columns.every((c) => identifying.has(c))) return false;
      named += target.columns.filter((c) => keys.has(c)).length;
    }
    return named > 0;
  }

  /** What a value is to the prover: only what the tenant's own data or a verified identity supplies is taken as the tenant's. */
  #classOf(value: Value): ValueClass | undefined {
    if (!traceable.has(value.kind)) return undefined;
    const key = keyOfValue(value);
    if (this.#classes.has(key)) return this.#classes.get(key);
    const sources = this.#tracer.sourcesOf(value).filter((s) => s.kind !== 'constant');
    const own = sources.every((s) => this.#isOwnSource(s));
    const found: ValueClass | undefined =
      sources.length === 0 ? undefined : own ? 'tenant-verified' : 'tenant-unverified';
    this.#classes.set(key, found);
    return found;
  }

  #isOwnSource(source: Provenance): boolean {
    return source.kind === 'trusted' || (source.kind === 'row' && this.#rowIsOwn(source.chain) === 'own');
  }

  /** Whether only the tenant's own data or a verified identity supplies a value. */
  #isOwn(value: Value): boolean {
    const sources = this.#tracer.sourcesOf(value).filter((s) => s.kind !== 'constant');
    return sources.length > 0 && sources.every((s) => this.#isOwnSource(s));
  }

  /** Whether the rows that a chain returned are the tenant's own. */
  #rowIsOwn(chain: string): 'own' | 'foreign' | 'unknown' {
    const accesses = this.#index.ofChain(chain);
    let result: 'own' | 'foreign' | 'unknown' = 'own';
    for (const access of accesses) {
      for (const target of access.targets) {
        if (target.role !== 'root') continue;
        const verdict = this.verdict(access, target);
        if (verdict.kind === 'leak' || verdict.evidence === 'intended') return 'foreign';
        if (verdict.kind === 'unknown') result = 'unknown';
      }
    }
    return result;
  }

  /** A row found by a secret that the caller presented says who the caller is: an API key, a session, an invitation. */
  #isCredential(target: Target): boolean {
    return pinsOf(target.predicate, target.ref).some((pin) => !pin.several && isSecret(pin.column));
  }

  /** A check on every path that ties the row, or the identifier it is chosen by, to the tenant. */
  #guarded(access: LinkedAccess, target: Target, table: Table, pins: readonly Pin[]): Reason | undefined {
    const chain = access.chain === undefined ? undefined : this.input.program.chain(access.chain);
    if (!access.in || !chain) return undefined;
    if (target.role === 'root' && target.operation === 'read') {
      const after = this.#loaded.checked(access, table, pins);
      if (after) return after;
    }
    for (const own of pins) {
      const checked = this.#checks.before(own.value, chain);
      if (checked) return checked;
    }
    return undefined;
  }

  /** The check that lets only the operator's own people reach an access. */
  #staffOnly(access: LinkedAccess): Reason | undefined {
    const chain = access.chain === undefined ? undefined : this.input.program.chain(access.chain);
    if (!chain) return undefined;
    const before = this.#staff.before(chain);
    if (before) return before;
    return this.#reach.of(chain.function) === 'staff'
      ? { text: 'only the staff gets here', span: access.span }
      : undefined;
  }

  /** Whether an access found a row of the tenant by this very value. */
  #foundUnder(access: LinkedAccess, value: Value): boolean {
    return access.targets.some((t) => {
      if (t.role !== 'root' || t.operation === 'create') return false;
      const table = this.#table(t);
      if (!table || this.tenancyOf(table.id).kind === 'shared') return false;
      const pins = pinsOf(t.predicate, t.ref);
      const isBy = pins.some((p) => sameValue(stripped(p.value), stripped(value)));
      // A row that carries a verified identity beside: the caller's own.
      if (isBy && pins.some((p) => areVerified(this.#tracer.sourcesOf(p.value)))) return true;
      const verdict = isBy ? this.verdict(access, t) : undefined;
      return verdict?.kind === 'isolated' && verdict.evidence !== 'intended';
    });
  }
}

/** A verified identity that says which tenant: the property that is read, and the tables of tenants (or keys) it is compared with. */
interface TenantIdentity {
  readonly path: Path;
  readonly keys: ReadonlySet<string>;
}

/** The table of tenants whose rows a column names, or the key itself where that table is not known; undefined for other columns. */
function tenantOfKey(table: Table, tenancy: Tenancy, column: string): string | undefined {
  if (tenancy.kind === 'root') return tenancy.key === column ? table.id : undefined;
  const key = tenancy.kind === 'keyed' ? tenancy.keys.find((k) => k.column === column) : undefined;
  return key && (key.root ?? key.column);
}

/** A verified identity by what gives it and the property that is read: `auth of @clerk/nextjs` and `orgId`. */
const identityOf = (source: Provenance): readonly string[] =>
  source.kind === 'trusted' && source.path.length > 0 ? [`${source.what} ${source.path.join('.')}`] : [];

/** A client that is extended or wrapped for one tenant: the columns that the extension adds, or the setting that the wrapper makes. */
interface ScopedBase {
  readonly client: string;
  readonly columns: readonly string[];
  /** The table whose operations, named so by the library, it covers. */
  readonly table?: TableId;
  readonly covers: readonly string[];
  readonly setting?: SessionSetting;
  readonly span: Span;
}

/** A value that nobody verified, and the call at which it is judged, where that is not the access itself. */
interface RestsOn {
  readonly value: Value;
  readonly at?: string;
}

/** The values that a text is put together from. */
function partsOf(value: Value): readonly Value[] {
  switch (value.kind) {
    case 'text':
      return value.parts.flatMap((part) => ('hole' in part ? partsOf(part.hole) : []));
    case 'list':
      return value.of.flatMap((item) => partsOf(item.value));
    case 'choice':
      return value.of.flatMap(partsOf);
    case 'missing-able':
      return partsOf(value.of);
    default:
      return [value];
  }
}

/** `['name', 'url'].includes(key)`, alone or with more. */
function isOneOfConstants(condition: Value, program: Program): boolean {
  const own = stripped(condition);
  if (own.kind === 'apply') return own.function === '&&' && own.to.some((part) => isOneOfConstants(part, program));
  const chain = own.kind === 'result' ? program.chain(own.chain) : undefined;
  const [only, more] = chain?.steps ?? [];
  const list = chain && program.resolve(chain.receiver);
  return (
    only?.name === 'includes' &&
    more === undefined &&
    list?.kind === 'list' &&
    list.of.every((item) => item.value.kind === 'constant' && !item.spread)
  );
}

const snake = (name: string): string => name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase();

/** The kinds that stand for a value of the program rather than of the database. */
const traceable: ReadonlySet<Value['kind']> = new Set<Value['kind']>([
  'parameter',
  'result',
  'import',
  'binding',
  'global',
  'this',
  'element',
  'missing-able',
  'input',
  'row',
  'choice',
  'text',
  'list',
  'unknown',
  'instance',
]);

const isolated = (evidence: 'isolated' | 'guarded' | 'contextual' | 'intended', reason: Reason): Verdict => ({
  kind: 'isolated',
  evidence,
  because: [reason],
});
const unknown = (reason: Reason): Verdict => ({ kind: 'unknown', evidence: 'unknown', hangsOn: [reason] });

function sourceReason(sources: readonly Provenance[], program: Program): Reason | undefined {
  const input = sources.find((s) => s.kind === 'input');
  if (input)
    return { text: `${input.what} of the request`, ...(input.via[0]?.span ? { span: input.via[0].span } : {}) };
  const parameter = sources.find((s) => s.kind === 'parameter');
  if (!parameter) return undefined;
  const f = program.function(parameter.function);
  return { text: `parameter ${parameter.name}${f?.name ? ` of ${f.name}` : ''}`, ...(f ? { span: f.span } : {}) };
}
