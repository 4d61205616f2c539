import type { Predicate, Span, TableId, Target } from '@tenant-lint/model';
import type { Bypass, LinkedAccess } from '../model.js';
import type { SessionSetting } from '../session/sessions.js';
import type { Ground } from './ground.js';
import { keyColumns } from './keys.js';
import { pinsOf } from './selection.js';

/** What accesses go past, although the program has it. */
export class Bypasses {
  #bases: readonly ScopedBase[] | undefined;

  constructor(private readonly ground: Ground) {}

  /** See Model. */
  of(access: LinkedAccess, target: Target): Bypass | undefined {
    const table = this.ground.tableOf(target);
    const verdict = this.ground.verdict(access, target);
    if (!table || verdict.kind !== 'leak' || verdict.evidence !== 'none') return undefined;
    const declared = this.ground.declared.clientOf(access.client.receiver) ?? access.client.kind;
    const isPoliced = table.rowSecurity.enabled && table.policies.length > 0;
    const reached = access.function === undefined ? 'unknown' : this.ground.reach.of(access.function);
    const isAsked = reached === 'request' || reached === 'public';
    if (isPoliced && isAsked && declared === 'bypass') return { kind: 'privileged' };
    const { settings } = this.ground.enforced.readsOf(table);
    // A setting that policies read, that the program fixes, and that holds no tenant.
    const lifted =
      isPoliced && isAsked
        ? this.ground.sessions
            .of(access)
            .find(
              (s) =>
                settings.has(s.name) && !this.ground.tenancy.settings.includes(s.name) && s.value.kind === 'constant',
            )
        : undefined;
    if (lifted) return { kind: 'privileged', setting: lifted.name, span: lifted.span };
    if (this.ground.enforced.sessionOf(access).length > 0) return undefined;
    const isTenant = (s: SessionSetting): boolean =>
      isPoliced &&
      (settings.has(s.name) || this.ground.tenancy.settings.includes(s.name)) &&
      this.ground.enforced.isNoConstant(s.value);
    const around = this.ground.sessions.around(access).find(isTenant);
    if (around) return { kind: 'outer', setting: around.name, span: around.span };
    const own = this.ground.program.bindingOf(access.client.receiver);
    if (own === undefined || access.client.through || access.client.base) return undefined;
    this.#bases ??= this.#findBases();
    const keys = new Set(keyColumns(this.ground.tenancyOf(table.id)));
    const found = this.#bases.find(
      (b) =>
        b.client === own &&
        (b.setting
          ? isTenant(b.setting)
          : b.table === table.id && b.covers.includes(access.method) && b.columns.some((c) => keys.has(c))),
    );
    return found && { kind: 'base', span: found.span, ...(found.setting ? { setting: found.setting.name } : {}) };
  }

  /** The clients that the program extends or wraps for one tenant. */
  #findBases(): readonly ScopedBase[] {
    const found: ScopedBase[] = [];
    for (const { client, setting } of this.ground.sessions.bases()) {
      const made = this.ground.program.bindingOf(client);
      if (made !== undefined && setting.local)
        found.push({ client: made, setting, columns: [], covers: [], span: setting.span });
    }
    for (const access of this.ground.accesses) {
      const made = access.client.base && this.ground.program.bindingOf(access.client.base);
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
    const table = target && this.ground.tableOf(target);
    return table ? { table: table.id } : {};
  }
}

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
