import { type Reason, type Table, type TableId, type Target, type Value, type Verdict } from '@tenant-lint/model';
import type { LinkedAccess } from '../model.js';
import { type SessionReads, sessionReads } from '../session/policed.js';
import type { SessionSetting } from '../session/sessions.js';
import type { Ground } from './ground.js';
import { isolated, unknown } from './verdict-kinds.js';

/** What the database enforces by its policies, under the settings that an access runs with. */
export class Enforced {
  readonly #sessionsOf = new Map<string, readonly SessionSetting[]>();
  readonly #reads = new Map<TableId, SessionReads>();

  constructor(private readonly ground: Ground) {}

  /** The settings of the tenant under which an access runs; see Model. */
  sessionOf(access: LinkedAccess): readonly SessionSetting[] {
    let found = this.#sessionsOf.get(access.id);
    if (!found) {
      // Settings of Postgres itself (a timeout, a search path) say no tenant, and neither does what the program fixes: a switch for jobs.
      found = this.ground.sessions
        .of(access)
        .filter(({ name, value }) => name.includes('.') && this.isNoConstant(value));
      this.#sessionsOf.set(access.id, found);
    }
    return found;
  }

  /**
   * What the database enforces where the tenant was set on the connection before: the policies decide, and are judged where they stand.
   * Undefined where nothing is set, or the table has no policies.
   */
  verdict(access: LinkedAccess, table: Table, target: Target): Verdict | undefined {
    const set = this.sessionOf(access);
    const [first] = set;
    if (!first) return undefined;
    const { sources } = this.ground.schema;
    if (!sources.some((s) => s === 'migrations' || s === 'dump' || s === 'live') && !table.rowSecurity.enabled)
      return unknown({
        text: `${first.name} is set, and no migration shows whether ${table.name.name} has policies`,
        span: first.span,
      });
    if (!table.rowSecurity.enabled) return undefined;
    if (table.policies.length === 0)
      return isolated('contextual', { text: `no policy of ${table.name.name} lets a row through`, span: first.span });
    const { settings, platform } = this.readsOf(table);
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
    const claimed = used.filter(({ value }) => this.ground.own.classOf(value) === 'tenant-unverified');
    if (claimed.length === 0) return { kind: 'isolated', evidence: 'contextual', because };
    this.ground.restsOn.set(`${access.id}/${target.ref}`, claimed);
    return { kind: 'isolated', evidence: 'unverified', because };
  }

  /** What the policies of a table read of the session. */
  readsOf(table: Table): SessionReads {
    let reads = this.#reads.get(table.id);
    if (!reads) {
      reads = sessionReads(table, this.ground.schema, (name) => this.ground.tables.table(name));
      this.#reads.set(table.id, reads);
    }
    return reads;
  }

  /** Whether something else than the program itself decides a value. */
  isNoConstant(value: Value): boolean {
    return this.ground.sourcesOf(value).some((s) => s.kind !== 'constant');
  }
}
