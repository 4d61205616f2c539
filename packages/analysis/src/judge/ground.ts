import type {
  Predicate,
  Schema,
  Table,
  TableId,
  Target,
  Tenancy,
  TenancyModel,
  Value,
  Verdict,
} from '@tenant-lint/model';
import { Program } from '../link/program.js';
import type { Tables } from '../link/tables.js';
import type { LinkedAccess, Standing } from '../model.js';
import { RouteGuards } from './route-guards.js';
import { Sessions } from '../session/sessions.js';
import type { Provenance } from '../trace/provenance.js';
import { Tracer } from '../trace/tracer.js';
import { Declared, type TrustOptions } from '../trust/declared.js';
import { AccessIndex } from './access-index.js';
import { BeforeHandler } from './before-handler.js';
import { Checks } from './checks.js';
import type { RestsOn } from './claim.js';
import { commonTables } from './common.js';
import { Enforced } from './enforced.js';
import { Identities } from './identities.js';
import { Loaded } from './loaded.js';
import { isCredential, Own } from './own.js';
import { Publicity } from './publicity.js';
import { Reach, type Reached } from './reach.js';
import { Sources } from './sources.js';
import { Staff } from './staff.js';
import { standingOf, type StandingWorld } from './standing.js';
import { Unread } from './unread.js';
import { Verdicts } from './verdicts.js';
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
    readonly ground: Ground;
    readonly replaced: ReadonlySet<string>;
    readonly accesses: readonly LinkedAccess[];
  };
}

/** What every room of the judge stands on: the program, the schema, what is asked of them, and the verdicts reached so far. */
export class Ground {
  readonly program: Program;
  readonly schema: Schema;
  readonly tables: Tables;
  readonly tenancy: TenancyModel;
  readonly accesses: readonly LinkedAccess[];
  /** Of the program before some files changed. */
  readonly before: Ground | undefined;
  readonly index: AccessIndex;
  readonly declared: Declared;
  readonly world: SchemaWorld;
  readonly reach: Reach;
  readonly checks: Checks;
  readonly staff: Staff;
  readonly publicity: Publicity;
  readonly sources: Sources;
  readonly loaded: Loaded;
  readonly sessions: Sessions;
  readonly standingWorld: StandingWorld;
  /** The values that an isolated target rests on although nobody verified them, by the key of its verdict. */
  readonly restsOn = new Map<string, readonly RestsOn[]>();
  readonly own = new Own(this);
  readonly identities = new Identities(this);
  readonly enforced = new Enforced(this);
  readonly #verdicts = new Verdicts(this);
  readonly #tracer: Tracer;
  #common: ReadonlySet<TableId> | undefined;
  constructor(input: JudgeInput) {
    const { program, schema, tables, tenancy } = input;
    const { before } = input;
    this.program = program;
    this.schema = schema;
    this.tables = tables;
    this.tenancy = tenancy;
    this.accesses = input.accesses;
    this.before = before?.ground;
    this.index = before
      ? new AccessIndex(before.accesses, { index: before.ground.index, replaced: before.replaced })
      : new AccessIndex(input.accesses);
    this.sessions = new Sessions(program, schema, () => input.accesses);
    const sourcesOf = (value: Value): readonly Provenance[] => this.#tracer.sourcesOf(value);
    const accessesOf = (f: string): readonly LinkedAccess[] => this.index.ofFunction(f);
    this.declared = new Declared(input.trust, program);
    this.world = new SchemaWorld(schema, tables, tenancy, program);
    this.staff = new Staff(program, {
      sourcesOf,
      accessesOf: (chain) => this.index.ofChain(chain),
      schema,
      tables,
      tenancyOf: (table) => this.tenancyOf(table),
    });
    const publicity = (this.publicity = new Publicity(
      program,
      sourcesOf,
      before && (() => before.ground.publicity.askingKinds()),
    ));
    const beforeHandler = new BeforeHandler(program, accessesOf, sourcesOf);
    this.reach = new Reach(program, sourcesOf, this.staff, publicity, beforeHandler);
    this.checks = new Checks(program, {
      sourcesOf,
      accessesOf,
      foundUnder: (access, value) => this.own.foundUnder(access, value),
      isOwn: (value) => this.own.isOwn(value),
      declaredOf: (chain) => this.declared.guarded(chain),
    });
    const isOfData = (chain: string): boolean =>
      this.index.ofChain(chain).length > 0 || input.silent?.has(Program.originalChain(chain)) === true;
    const unread = new Unread(program, sourcesOf, isOfData);
    const guards = new RouteGuards(program);
    this.sources = new Sources({
      guardOf: (source) => guards.check(source),
      childOf: (table) => {
        const tenancy = this.tenancyOf(table.id);
        return tenancy.kind === 'child' ? tenancy : undefined;
      },
      unreadOf: (source, access) => unread.onWay(source, access),
      authorised: (source) => beforeHandler.authorises(source),
      program,
      sourcesOf,
      rowIsOwn: (chain) => this.own.rowIsOwn(chain),
      reachOf: (f) => this.reach.of(f),
      before: (value, chain) => this.checks.before(value, chain),
      checkedOn: (access, table, way) => this.loaded.checkedOn(access, table, way),
    });
    this.standingWorld = {
      program,
      sourcesOf,
      accessesOf,
      rowIsOwn: (chain) => this.own.rowIsOwn(chain),
      reachOf: (f) => this.reach.of(f),
      before: (value, chain) => this.checks.before(value, chain),
      unreadOf: (source, access) => unread.onWay(source, access),
      beforeHandler,
      guardOf: (source) => guards.check(source),
      after: (chain) => {
        const f = program.function(chain.function);
        return f && this.checks.after(chain.id, f, chain.span.end);
      },
      asks: (f) => publicity.asks(f),
    };
    this.loaded = new Loaded({
      program,
      schema,
      tenancy,
      checks: this.checks,
      sourcesOf,
      accessesOf,
      isOwn: (value) => this.own.isOwn(value),
      checkedBefore: (source) => beforeHandler.check(source),
    });
    this.#tracer = new Tracer(
      input.program,
      (chain) => this.index.ofChain(chain).length > 0,
      (value, chain) => this.checks.before(value, chain),
      (chain) => {
        const roots = this.index.ofChain(chain).flatMap((a) => a.targets.filter((t) => t.role === 'root'));
        return roots.length > 0 && roots.every((t) => t.operation !== 'create' && isCredential(t));
      },
      (value) => this.declared.sourceOf(value),
      (chain, index, path) => this.checks.returned(chain, index, path),
    );
  }

  /** Every source that a value may come from. */
  sourcesOf(value: Value): readonly Provenance[] {
    return this.#tracer.sourcesOf(value);
  }

  tenancyOf(table: TableId): Tenancy {
    return this.tenancy.tables.get(table) ?? { kind: 'unknown', why: 'not in the schema' };
  }

  tableOf(target: Target): Table | undefined {
    return target.table.known ? this.tables.table(target.table.value) : undefined;
  }

  verdict(access: LinkedAccess, target: Target): Verdict {
    return this.#verdicts.of(access, target);
  }

  isolatedBy(access: LinkedAccess, target: Target, condition: Predicate): boolean {
    return this.#verdicts.isolatedBy(access, target, condition);
  }

  /** On whose word a value rests where an access uses it. */
  standing(access: LinkedAccess, value: Value): Standing {
    return standingOf(value, access, this.standingWorld);
  }

  /** Who leads to an access. A file of queries that wait for no value is run by hand. */
  reachedBy(access: LinkedAccess): Reached {
    if (access.function !== undefined) return this.reach.of(access.function);
    return this.program.facts(access.file)?.sql?.byHand === true ? 'no request' : 'unknown';
  }

  /** Whether every key of a table may be NULL, and some query asks for the rows in which it is. */
  hasCommonRows(table: Table): boolean {
    if (this.before) return this.before.hasCommonRows(table);
    this.#common ??= commonTables(this.accesses, (target) => this.tableOf(target), this.tenancy);
    return this.#common.has(table.id);
  }
}
