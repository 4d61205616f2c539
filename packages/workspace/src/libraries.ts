import type { Adapter, ProjectFacts } from '@tenant-lint/model';

/**
 * Which data libraries a project can use: those that a manifest depends on or that some file imports. Text that merely looks like another
 * library's (`map.delete(key)`, `hash.update(text)`) costs no time then, and gives no finding. Where neither manifests nor imports name any
 * library, the listing is a part of a project and says nothing: all are looked for.
 */
export class Libraries {
  /** The adapters of the libraries that are used, in their fixed order. */
  used: readonly Adapter[];

  constructor(
    private readonly adapters: readonly Adapter[],
    project: ProjectFacts,
  ) {
    const dependencies = dependenciesOf(project);
    this.used = adapters.filter((a) => a.everywhere || dependencies.some((name) => isOf(name, a)));
  }

  /** Takes in what a file imports; the adapters that are looked for from now on because of it. */
  imported(modules: Iterable<string>): readonly Adapter[] {
    const names = [...modules].flatMap((module) => (module.startsWith('.') ? [] : packageNamed(module)));
    const found = this.#open.filter((a) => names.some((name) => isOf(name, a)));
    if (found.length > 0) this.used = this.adapters.filter((a) => this.used.includes(a) || found.includes(a));
    return found;
  }

  /** What else has to be looked for where no library is known to be used. */
  get others(): readonly Adapter[] {
    return this.used.every((a) => a.everywhere || a.resource) ? this.#open : [];
  }

  get #open(): readonly Adapter[] {
    return this.adapters.filter((a) => !this.used.includes(a));
  }
}

/** Adapters of the libraries that manifests depend on. */
export function librariesOf(adapters: readonly Adapter[], project: ProjectFacts): readonly Adapter[] {
  const dependencies = dependenciesOf(project);
  return adapters.filter((a) => !a.resource && dependencies.some((name) => isOf(name, a)));
}

const dependenciesOf = ({ packages }: ProjectFacts): readonly string[] => [
  ...new Set(packages.flatMap((p) => Object.keys(p.dependencies))),
];

/** Packages are named whole, or by their scope: `@mikro-orm/`. */
const isOf = (name: string, { packages }: Adapter): boolean =>
  packages.some((p) => (p.endsWith('/') ? name.startsWith(p) : name === p));

/** The package that a specifier leads to: `npm:pg@8`, `https://esm.sh/@supabase/supabase-js@2?target=deno`, `drizzle-orm/pg-core`. */
function packageNamed(module: string): string {
  const bare = module.replace(/^(?:npm|jsr):\/?|^https?:\/\/[^/]+\/(?:v\d+\/|npm\/)?/, '');
  return /^(?:@[^/]+\/)?[^/@?]+/.exec(bare)?.[0] ?? bare;
}
