import type { Modules } from '@tenant-lint/analysis';
import type { Exported, Passed, ScannedImport } from '@tenant-lint/typescript';
import type { Scanned } from './demand.js';

/** Where an imported name is declared. */
interface Origin {
  readonly declaring: string;
  /** What it is called there. */
  readonly name: string;
  readonly through: readonly string[];
}

/** Follows imported names through re-exports. */
export class Origins {
  readonly #files: ReadonlyMap<string, Scanned>;
  readonly #memo = new Map<string, Map<string, readonly Origin[]>>();
  readonly #exported = new Map<string, Exported | undefined>();

  constructor(
    scanned: readonly Scanned[],
    private readonly modules: Modules,
  ) {
    this.#files = new Map(scanned.map((s) => [s.file, s]));
  }

  scanned(file: string): Scanned | undefined {
    return this.#files.get(file);
  }

  /** The files that declare what an import of `from` names; all that it may mean, where that is open. */
  of(from: string, { module, names }: ScannedImport): readonly Origin[] {
    const target = this.modules.resolve(from, module);
    if (target === undefined) return [];
    return names ? names.flatMap((name) => this.#named(target, name)) : this.#named(target, '*');
  }

  #named(target: string, name: string): readonly Origin[] {
    const file = this.#files.get(target);
    if (!file || file.passed.length === 0) return [{ declaring: target, name, through: [] }];
    let known = this.#memo.get(target);
    if (!known) this.#memo.set(target, (known = new Map()));
    let found = known.get(name);
    if (!found) {
      // A circle of re-exports finds nothing on its way round.
      known.set(name, []);
      found = this.#find(file, name);
      known.set(name, found);
    }
    return found;
  }

  #find(file: Scanned, name: string): readonly Origin[] {
    const own: Origin = { declaring: file.file, name, through: [] };
    const through = (passed: Passed, imported: string): readonly Origin[] => {
      const target = this.modules.resolve(file.file, passed.module);
      if (target === undefined) return [];
      return this.#named(target, imported).map((o) => ({ ...o, through: [file.file, ...o.through] }));
    };
    if (name === '*') {
      return [
        own,
        ...file.passed.flatMap((p) => (p.names ? Object.values(p.names) : ['*']).flatMap((n) => through(p, n))),
      ];
    }
    for (const passed of file.passed) {
      const imported = passed.names && Object.hasOwn(passed.names, name) ? passed.names[name] : undefined;
      if (imported !== undefined) return through(passed, imported);
    }
    const stars = file.passed.filter((p) => !p.names);
    if (stars.length === 0 || this.#exports(file.file, name) === true) return [own];
    // The one that surely exports it; an index may name a hundred, and is asked for every name that anybody imports.
    for (const passed of stars) {
      const target = this.modules.resolve(file.file, passed.module);
      if (target === undefined) continue;
      if (this.#files.get(target)?.passed.length === 0) {
        if (this.#exports(target, name) === true) return [{ declaring: target, name, through: [file.file] }];
      } else {
        const sure = through(passed, name).filter((o) => this.#exports(o.declaring, o.name) === true);
        if (sure.length > 0) return sure;
      }
    }
    return [own, ...stars.flatMap((p) => through(p, name))];
  }

  /** Whether a name that a file exports is surely a type. */
  isType(file: string, name: string): boolean {
    const exported = this.#exportedBy(file);
    return exported !== undefined && exported.types.has(name) && !exported.values.has(name);
  }

  /** Whether a file declares an export of that name; undefined where text does not show it. */
  #exports(file: string, name: string): boolean | undefined {
    const exported = this.#exportedBy(file);
    return exported && (exported.values.has(name) || exported.types.has(name));
  }

  #exportedBy(file: string): Exported | undefined {
    if (!this.#exported.has(file)) this.#exported.set(file, this.#files.get(file)?.exported());
    return this.#exported.get(file);
  }
}
