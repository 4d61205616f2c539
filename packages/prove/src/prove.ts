import type { Tenancy, TenancyModel } from '@tenant-lint/model';
import { cellName, type Cell } from './attempt/attempt.js';
import { executeAttempts } from './attempt/execute.js';
import { ownedTables, planAttempts } from './attempt/plan.js';
import { isOf } from './attempt/owned.js';
import { privilegesOf, type Privileges } from './attempt/privileges.js';
import { idOf, readCatalog, readRoles, sqlName, type Catalog, type Relation } from './catalog.js';
import { classesOf } from './fill/classes.js';
import { fill, RowMaker, type Filled } from './fill/fill.js';
import { identityOf, type AppRole } from './identity.js';
import { applyMigrations, type Applied } from './migrate/apply.js';
import { planMigrations, type MigrationFile, type MigrationPlan } from './migrate/plan.js';
import { openEmbeddedSession } from './session/embedded-session.js';
import {
  defaultLimits,
  guarded,
  OutOfMemory,
  OutOfTime,
  rowsOf,
  TimedOut,
  type Limits,
  type Session,
} from './session/session.js';

export interface ProveInput {
  /** In the order in which they apply. */
  readonly migrations: readonly MigrationFile[];
  readonly tenancy: TenancyModel;
  /** Columns by table in which policies look up who runs the system: the callers of the proof are none of those. */
  readonly staff?: ReadonlyMap<string, readonly string[]>;
  readonly limits?: Partial<Limits>;
  /** Rows of these tables only are tried; with none, the migrations are applied and that is all. */
  readonly tables?: ReadonlySet<string>;
  /** Opens the database; an embedded one where absent. */
  readonly open?: (limits: Limits, contrib: readonly string[]) => Promise<Session>;
  readonly where?: 'embedded' | 'server';
  readonly progress?: (phase: string, done: number, total: number) => void;
}

/** What execution showed. */
export interface Proof {
  /** 'PostgreSQL 18.0 (embedded)'. */
  readonly database: string;
  readonly applied: Applied;
  readonly standIns: readonly string[];
  readonly unfilled: Filled['unfilled'];
  readonly roles: readonly AppRole[];
  readonly cells: readonly Cell[];
  readonly catalog: Catalog;
  /** What a test needs to do the same again. */
  readonly setup: { readonly plan: MigrationPlan; readonly roles: readonly string[]; readonly fill: readonly string[] };
}

/** So many statements that never end are left out, one more ends the proof. */
const mostRestarts = 4;

/**
 * Builds the database from migrations in one transaction that is never committed, gives two tenants a row in every table, and tries as the
 * application to reach the rows of tenant B from tenant A. A step that does not end is named, and everything is done again
 * without it. @throws TimedOut, OutOfMemory, OutOfTime where even that does not end, Error where the database cannot be opened
 */
export async function proveIsolation(input: ProveInput): Promise<Proof> {
  const limits = { ...defaultLimits, ...input.limits };
  const plan = planMigrations(input.migrations, input.where ?? 'embedded');
  const skip = new Set<string>();
  const begun = Date.now();
  for (;;) {
    // All tries together have the time of the whole.
    const left = limits.totalSeconds - (Date.now() - begun) / 1000;
    if (left <= 0) throw new OutOfTime(limits.totalSeconds);
    const session = await (input.open ?? openEmbeddedSession)({ ...limits, totalSeconds: left }, plan.contrib);
    try {
      return await proveOnce(session, plan, input, skip);
    } catch (error) {
      if (
        !(error instanceof TimedOut || error instanceof OutOfMemory) ||
        error.step === '' ||
        skip.size >= mostRestarts
      )
        throw error;
      skip.add(error.step);
    } finally {
      await session.close();
    }
  }
}

async function proveOnce(
  session: Session,
  plan: MigrationPlan,
  input: ProveInput,
  skip: ReadonlySet<string>,
): Promise<Proof> {
  const progress = input.progress ?? (() => undefined);
  const version = (await rowsOf(session, 'show server_version'))[0]?.[0] ?? '';
  const before = new Set((await readRoles(session)).map((r) => r.name));
  await session.run(['begin']);
  const applied = await applyMigrations(session, plan, skip, (done, total) => {
    progress('applying', done, total);
  });
  const catalog = await readCatalog(session, before);
  const database = `PostgreSQL ${version.split(' ')[0] ?? ''} (${session.kind})`;
  if (input.tables?.size === 0) {
    await session.run(['rollback']);
    const setup = { plan, roles: [], fill: [] };
    return { database, applied, standIns: plan.standIns, unfilled: [], roles: [], cells: [], catalog, setup };
  }
  const tenancyOf = tenancyIn(catalog, input.tenancy);
  const classes = classesOf(catalog, tenancyOf);
  const maker = new RowMaker(catalog, classes, input.staff);
  const filled = await fill(session, catalog, maker, (done, total) => {
    progress('filling', done, total);
  });
  for (const view of catalog.relations.filter((r) => r.kind === 'materialized view'))
    await guarded(session, [`refresh materialized view ${sqlName(view)}`]);
  const identity = identityOf(catalog, input.tenancy, classes, maker);
  for (const sql of identity.setup) await guarded(session, [sql], 'the stand-in role');
  const privileges = new Map<string, Privileges>();
  for (const { name } of identity.roles) privileges.set(name, await privilegesOf(session, name, catalog));
  const planned = planAttempts({
    catalog,
    classes,
    maker,
    filled,
    tenancyOf,
    roles: identity.roles,
    contexts: identity.contexts,
    privileges,
    holding: await partitionsHoldingB(session, catalog, filled, tenancyOf),
  }).filter((p) => input.tables?.has(p.table) ?? true);
  const cells = await executeAttempts(session, planned, skip, (done, total) => {
    progress('trying', done, total);
  });
  await session.run(['rollback']);
  return {
    database,
    applied,
    standIns: plan.standIns,
    unfilled: filled.unfilled,
    roles: identity.roles,
    cells: cells.map((c) => (plan.before.length > 0 ? ofPlatform(c) : c)).sort(cellOrder),
    catalog,
    setup: { plan, roles: identity.setup, fill: filled.statements },
  };
}

/** TRUNCATE is granted to the roles of requests by the platform's default privileges; its API has no such command. */
const ofPlatform = (cell: Cell): Cell =>
  cell.command === 'truncate' && cell.outcome === 'leaked' && cell.table.startsWith('public.')
    ? {
        ...cell,
        grantedByPlatform: true,
        reason: `${cell.reason}; the platform grants it by default, its API has no TRUNCATE`,
      }
    : cell;

/** What the model says of a table; one that only execution knows is keyed where it has a column that is a key elsewhere. */
function tenancyIn(catalog: Catalog, tenancy: TenancyModel): (relation: Relation) => Tenancy {
  const byOid = new Map(catalog.relations.map((r) => [r.oid, r]));
  const known = (relation: Relation): Tenancy | undefined => {
    const own = tenancy.tables.get(idOf(relation));
    if (own && own.kind !== 'unknown') return own;
    const parent = relation.parent === undefined ? undefined : byOid.get(relation.parent);
    return parent ? known(parent) : own;
  };
  return (relation) => {
    const own = known(relation);
    if (own) return own;
    const keys = relation.columns.filter((c) => tenancy.keys.includes(c.name));
    if (keys.length > 0 && (relation.kind === 'table' || relation.kind === 'partitioned'))
      return {
        kind: 'keyed',
        keys: keys.map((c) => ({ column: c.name, nullable: !c.notNull })),
        why: 'its column is a key elsewhere',
      };
    return { kind: 'unknown', why: 'the migrations make it in a way that was not read' };
  };
}

async function partitionsHoldingB(
  session: Session,
  catalog: Catalog,
  filled: Filled,
  tenancyOf: (relation: Relation) => Tenancy,
): Promise<ReadonlySet<string>> {
  const parents = new Set(catalog.relations.flatMap((r) => r.parent ?? []));
  const found = new Set<string>();
  for (const owned of ownedTables(catalog, filled, tenancyOf).owned.values()) {
    if (!parents.has(owned.relation.oid)) continue;
    for (const [oid] of await rowsOf(
      session,
      `select distinct tableoid::oid::text from ${sqlName(owned.relation)} where ${isOf(owned, 'B')}`,
    ))
      if (oid !== null && oid !== undefined) found.add(oid);
  }
  return found;
}

const cellOrder = (a: Cell, b: Cell): number => {
  const [x, y] = [cellKey(a), cellKey(b)];
  return x < y ? -1 : x > y ? 1 : 0;
};
const kinds = ['table', 'partition', 'view', 'function'];
const order = ['read', 'insert', 'update', 'delete', 'move', 'upsert', 'truncate', 'reference', 'cascade', 'call'];
const contexts = ['', 'nothing set', 'settings empty', 'claims of his own'];
const cellKey = (c: Cell): string =>
  [
    c.table,
    kinds.indexOf(c.way.kind),
    c.way.name,
    c.role,
    contexts.indexOf(c.context),
    String(order.indexOf(c.command)).padStart(2, '0'),
    cellName(c),
  ].join('\u0001');
