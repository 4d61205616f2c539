import {
  column,
  equal,
  type Path,
  sameValue,
  type Table,
  type Target,
  type Tenancy,
  type Value,
} from '@tenant-lint/model';
import type { LinkedAccess } from '../model.js';
import { missing as mayBeMissing } from '../prove/missing.js';
import { areVerified, type Provenance } from '../trace/provenance.js';
import { stripped } from './conditions.js';
import type { Ground } from './ground.js';
import { pinsOf } from './selection.js';

/** The verified identities that say which tenant, by what the program compares with keys. */
export class Identities {
  #all: ReadonlyMap<string, TenantIdentity> | undefined;

  constructor(private readonly ground: Ground) {}

  /** Whether a value is a verified one that elsewhere is compared with the keys of tables. */
  isTenantOfSession(value: Value): boolean {
    const sources = this.ground.sourcesOf(value);
    if (!areVerified(sources)) return false;
    const tenants = this.#identities();
    return sources.every((s) => s.kind === 'constant' || identityOf(s).some((id) => tenants.has(id)));
  }

  /** The verified identities that accesses compare with keys, by what gives them and the property that is read. */
  #identities(): ReadonlyMap<string, TenantIdentity> {
    if (this.#all) return this.#all;
    if (this.ground.before) return (this.#all = this.ground.before.identities.#identities());
    const found = new Map<string, { readonly path: Path; readonly keys: Set<string> }>();
    for (const access of this.ground.accesses) {
      for (const target of access.targets) {
        const table = this.ground.tableOf(target);
        if (!table) continue;
        const tenancy = this.ground.tenancyOf(table.id);
        for (const pin of pinsOf(target.predicate, target.ref)) {
          const tenant = tenantOfKey(table, tenancy, pin.column);
          if (tenant === undefined) continue;
          for (const source of this.ground.sourcesOf(pin.value)) {
            for (const id of identityOf(source)) {
              const known = found.get(id) ?? { path: source.kind === 'trusted' ? source.path : [], keys: new Set() };
              known.keys.add(tenant);
              found.set(id, known);
            }
          }
        }
      }
    }
    return (this.#all = found);
  }

  /** The properties by which code reads a verified tenant; see Model. */
  tenantPaths(): readonly Path[] {
    const paths = new Map<string, Path>([['', []]]);
    for (const { path } of this.#identities().values())
      for (let from = 0; from < path.length; from++) paths.set(path.slice(from).join('.'), path.slice(from));
    return [...paths.values()];
  }

  /** The key of a table that surely has a value in rows of the current tenant; see Model. */
  keyHeldTo(access: LinkedAccess, target: Target, value: Value): string | undefined {
    const table = this.ground.tableOf(target);
    const tenancy = table && this.ground.tenancyOf(table.id);
    if (!table || tenancy?.kind !== 'keyed' || mayBeMissing(value) !== 'never') return undefined;
    const key = tenancy.keys.find((k) => {
      const tenant = tenantOfKey(table, tenancy, k.column);
      return !k.nullable && tenant !== undefined && this.#isTenantOf(tenant, value, access);
    })?.column;
    return key !== undefined && this.ground.isolatedBy(access, target, equal(column(target.ref, key), value))
      ? key
      : undefined;
  }

  /** Whether a value is a verified identity that says which tenant of this kind, or one that the function holds such keys to already. */
  #isTenantOf(tenant: string, value: Value, access: LinkedAccess): boolean {
    const sources = this.ground.sourcesOf(value);
    const isIdentity = (s: Provenance): boolean =>
      s.kind === 'trusted' && identityOf(s).some((id) => this.#identities().get(id)?.keys.has(tenant) === true);
    if (sources.length > 0 && sources.every(isIdentity)) return true;
    const isUsed = this.ground.index.ofFunction(access.function ?? '').some(
      (other) =>
        other.id !== access.id &&
        other.targets.some((t) => {
          const table = this.ground.tableOf(t);
          if (!table) return false;
          const tenancy = this.ground.tenancyOf(table.id);
          const pins = pinsOf(t.predicate, t.ref).filter((pin) => tenantOfKey(table, tenancy, pin.column) === tenant);
          return (
            pins.some((pin) => sameValue(stripped(pin.value), value)) &&
            this.ground.verdict(other, t).kind === 'isolated'
          );
        }),
    );
    if (!isUsed) return false;
    const standing = this.ground.standing(access, value).kind;
    return standing === 'own' || standing === 'checked';
  }
}

/** A verified identity that says which tenant: the property that is read, and the tables of tenants (or keys) it is compared with. */
interface TenantIdentity {
  readonly path: Path;
  readonly keys: ReadonlySet<string>;
}

/** The table of tenants whose rows a column names, or the key itself where that table is not known; undefined for other columns. */
export function tenantOfKey(table: Table, tenancy: Tenancy, column: string): string | undefined {
  if (tenancy.kind === 'root') return tenancy.key === column ? table.id : undefined;
  const key = tenancy.kind === 'keyed' ? tenancy.keys.find((k) => k.column === column) : undefined;
  return key && (key.root ?? key.column);
}

/** A verified identity by what gives it and the property that is read: `auth of @clerk/nextjs` and `orgId`. */
const identityOf = (source: Provenance): readonly string[] =>
  source.kind === 'trusted' && source.path.length > 0 ? [`${source.what} ${source.path.join('.')}`] : [];
