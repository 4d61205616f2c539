import type { Adapter, ProjectFacts } from '@tenant-lint/model';

/**
 * Which data libraries a project can use: those that a manifest depends on or that some file imports. Text that merely looks like another
 * library's (`map.delete(key)`, `hash.update(text)`) costs no time then, and gives no finding. Where neither manifests nor imports name any library, the listing is a part of a project and says nothing: all are looked for.
 */
export class Libraries {
  readonly #on = new Set<Adapter>();
  #open: readonly Adapter[];

  constructor(
    private readonly adapters: readonly Adapter[],
    { packages }: ProjectFacts,
  ) {
    const dependencies = new Set(packages.flatMap((p) => Object.keys(p.dependencies)));
    for (const adapter of adapters)
      if (adapter.everywhere || [...dependencies].some((name) => isOf(name, adapter))) this.#on.add(adapter);
    this.#open = adapters.filter((a) => !this.#on.has(a));
  }

  /** Takes in what a file imports; the adapters that are looked for from now on because of it. */
  imported(modules: Iterable<string>): readonly Adapter[] {
    if (this.#open.length === 0) return [];
    const found = new Set<Adapter>();
    for (const module of modules) {
      if (module.startsWith('.')) continue;
      const name = packageNamed(module);
      for (const adapter of this.#open) if (isOf(name, adapter)) found.add(adapter);
    }
    if (found.size > 0) this.#open = this.#open.filter((a) => !found.has(a));
    for (const adapter of found) this.#on.add(adapter);
    return [...found];
  }

  /** The adapters of the libraries that are used, in their fixed order. */
  get used(): readonly Adapter[] {
    return this.adapters.filter((a) => this.#on.has(a));
  }

  /** What else has to be looked for where no library is known to be used. */
  get others(): readonly Adapter[] {
    return this.used.every((a) => a.everywhere || a.resource) ? this.#open : [];
  }
}

/** Adapters of the libraries that manifests depend on. */
export const librariesOf = (adapters: readonly Adapter[], { packages }: ProjectFacts): readonly Adapter[] =>
  adapters.filter(
    (a) => !a.resource && packages.some((p) => Object.keys(p.dependencies).some((name) => isOf(name, a))),
  );

/** Packages are named whole, or by their scope: `@mikro-orm/`. */
const isOf = (name: string, { packages }: Adapter): boolean =>
  packages.some((p) => (p.endsWith('/') ? name.startsWith(p) : name === p));

/** The package that a specifier leads to: `npm:pg@8`, `https://esm.sh/@supabase/supabase-js@2?target=deno`, `drizzle-orm/pg-core`. */
function packageNamed(module: string): string {
  const bare = module.replace(/^(?:npm|jsr):\/?|^https?:\/\/[^/]+\/(?:v\d+\/|npm\/)?/, '');
  return /^(?:@[^/]+\/)?[^/@?]+/.exec(bare)?.[0] ?? bare;
}
