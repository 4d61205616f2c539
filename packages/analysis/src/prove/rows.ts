import type { Target, TargetRef, Tenancy } from '@tenant-lint/model';
import type { Run } from './run.js';
import { longer, lower, mark, nothing, other, own, textOf, type Symbol } from './symbols.js';

/** Owner of a row; `owner|column` for a row of mixed tenancy that lacks the key in that column; null and '' for rows without a tenant. */
type Kind = string | null;

const ownerOf = (kind: Kind): string | null => (kind === null ? null : kind.split('|')[0]!);

/** The rows of the small world: for each target one row, whose owner is a choice. */
export class Rows {
  readonly #kinds = new Map<TargetRef, readonly Kind[] | undefined>();

  constructor(private readonly run: Run) {}

  /** Who may own the row of a target; undefined where the table belongs to nobody. */
  owners(ref: TargetRef): readonly (string | null | undefined)[] {
    const kinds = this.#kindsOf(ref);
    return kinds ? this.run.space.pick(`row|${ref}`, kinds, [ref]).map(ownerOf) : [undefined];
  }

  /** Whether the row of a target of an outer join may be absent; then all its columns are NULL. */
  absent(target: Target): readonly boolean[] {
    return target.role === 'join' ? this.run.space.pick(`absent|${target.ref}`, [false, true], [target.ref]) : [false];
  }

  /** What a column of a target may hold. */
  column(target: Target, column: string): readonly Symbol[] {
    const { companions } = this.run.setup;
    if (companions.length === 0 || !companions.some((c) => c.ref === target.ref)) return this.#column(target, column);
    return this.absent(target).flatMap((gone) => (gone ? [nothing] : this.#column(target, column)));
  }

  /** What a column holds that does not depend on who owns the row: the same throughout a run. */
  readonly #fixed = new Map<Target, Map<string, readonly Symbol[]>>();

  #column(target: Target, column: string): readonly Symbol[] {
    const known = this.#fixed.get(target)?.get(column);
    if (known) return known;
    const symbols = this.#columnOf(target, column);
    if (this.#kindsOf(target.ref) && this.run.setup.fact(target, column).role === 'key') return symbols;
    let columns = this.#fixed.get(target);
    if (!columns) this.#fixed.set(target, (columns = new Map()));
    columns.set(column, symbols);
    return symbols;
  }

  #columnOf(target: Target, column: string): readonly Symbol[] {
    const { setup, space, touched, mode } = this.run;
    const { ref } = target;
    const fact = setup.fact(target, column);
    const key = `${ref}.${column}`;
    if (fact.absent)
      return [
        {
          is: 'unknown',
          key,
          refs: [ref],
          reason: `${this.run.targetName(target)} has no column ${column} any more`,
          about: true,
        },
      ];
    const nullable = fact.notNull !== true;
    const kinds = this.#kindsOf(ref);
    if (kinds && fact.role === 'key') {
      return space
        .pick(`row|${ref}`, kinds, [ref])
        .map((kind) => (kind === null || kind.endsWith(`|${column}`) ? nothing : textOf(kind.split('|')[0]!, true)));
    }
    if (kinds && fact.role === 'user') return [{ is: 'user', key, refs: [ref], nullable, row: ref }];
    if (kinds && fact.role === 'reference' && fact.to !== undefined) {
      const assumed = fact.ties !== 'certain';
      if (!assumed || mode.assume)
        return [{ is: 'reference', key, refs: [ref], nullable, row: ref, to: fact.to, assumed }];
      touched.add('assume');
    }
    if (setup.world.tenancy(target).kind === 'unknown')
      return [{ is: 'unknown', key, refs: [ref], reason: `who owns the rows of ${this.run.targetName(target)}` }];
    return [{ is: 'free', key, refs: [ref], nullable, ...(kinds ? { row: ref } : {}) }];
  }

  /** The kinds of rows of a target. The row in question is a foreign one. */
  #kindsOf(ref: TargetRef): readonly Kind[] | undefined {
    if (this.#kinds.has(ref)) return this.#kinds.get(ref);
    const { setup } = this.run;
    const target = setup.targets.get(ref);
    const tenancy = target && setup.world.tenancy(target);
    const kinds =
      target && tenancy && tenancy.kind !== 'shared' && tenancy.kind !== 'unknown'
        ? this.#made(target, tenancy)
        : undefined;
    this.#kinds.set(ref, kinds);
    return kinds;
  }

  #made(target: Target, tenancy: Tenancy): readonly Kind[] {
    const { setup, mode } = this.run;
    const type = this.#keyType(target, tenancy);
    const asked = target.ref === setup.target.ref;
    const kinds: Kind[] = [other, ...(asked ? [] : [mode.tenant])];
    // A uuid has no prefix that is a uuid, so only other types can be matched by halves.
    if (!/^uuid/.test(type)) kinds.push(longer, ...this.#patterned());
    if (setup.ordered) kinds.push(lower);
    for (const c of setup.constants) if (c !== mode.tenant && c !== '') kinds.push(c);
    if (tenancy.kind === 'keyed') kinds.push(...this.#withoutTenant(tenancy, asked, kinds, type));
    return kinds;
  }

  /** Tenants whose names match patterns: ending in the tenant's, with a constant as prefix or suffix, and as constant patterns want it. */
  #patterned(): readonly string[] {
    const { patterns, constants } = this.run.setup;
    if (patterns.size === 0) return [];
    const around = [own, ...constants].filter((c) => c !== '').flatMap((c) => [`${c}${mark}x`, `${mark}x${c}`]);
    return [...new Set([...around, ...[...patterns].map((p) => p.replace(/[%_]/g, `${mark}x`))])];
  }

  #withoutTenant(
    tenancy: Extract<Tenancy, { kind: 'keyed' }>,
    asked: boolean,
    owners: readonly Kind[],
    type: string,
  ): readonly Kind[] {
    const { setup, mode, touched } = this.run;
    const nullable = tenancy.keys.filter((key) => key.nullable);
    const lacking =
      tenancy.keys.length < 2
        ? []
        : nullable.flatMap((key) => owners.slice(0, 2).map((owner) => `${String(owner)}|${key.column}`));
    const texts = !/^(uuid|int|integer|bigint|smallint|serial|bigserial|numeric)/.test(type);
    const shared = nullable.length === tenancy.keys.length && (!asked || setup.nullRows === 'foreign');
    const empty: Kind[] = [...(shared ? [null] : []), ...(texts ? [''] : [])];
    if (!mode.failOpen && empty.length > 0) touched.add('failOpen');
    return mode.failOpen ? [...lacking, ...empty] : lacking;
  }

  #keyType(target: Target, tenancy: Tenancy): string {
    const key = tenancy.kind === 'root' ? tenancy.key : tenancy.kind === 'keyed' ? tenancy.keys[0]?.column : undefined;
    return key === undefined ? 'uuid' : (this.run.setup.fact(target, key).type ?? '');
  }
}
