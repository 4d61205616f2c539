import type TS from 'typescript';
import type { Unchecked } from '@tenant-lint/model';
import { ts } from '../extract/typescript.js';
import { folderOf, type TypeSources } from './sources.js';

/** A compiler configuration, and how it says its files are checked. */
export interface Config {
  /** Absolute; the folder of the project, where there is no configuration. */
  readonly path: string;
  readonly folder: string;
  readonly options: TS.CompilerOptions;
}

/** Configurations whose files one program can hold, with the options of all of them. */
export interface Group {
  readonly configs: readonly Config[];
  readonly options: TS.CompilerOptions;
}

/**
 * What configurations have in common that find modules alike. How strict each is, and where it writes, does not change what a value is
 * declared as, and a program for each package of a monorepo would read the same libraries again and again.
 */
export function groupsOf(configs: readonly Config[]): readonly Group[] {
  const groups = new Map<string, Config[]>();
  for (const config of configs) {
    const { moduleResolution, module, customConditions, typeRoots } = config.options;
    const key = JSON.stringify([moduleResolution ?? `by ${module ?? ''}`, customConditions, typeRoots]);
    const list = groups.get(key);
    if (list) list.push(config);
    else groups.set(key, [config]);
  }
  return [...groups.values()].map((list) => ({ configs: list, options: shared(list) }));
}

function shared(configs: readonly Config[]): TS.CompilerOptions {
  const [first, ...others] = configs.map((c) => c.options);
  if (!first || others.length === 0) return first ?? {};
  const all = [first, ...others];
  // Aliases of the project are resolved by what the analysis knows of each folder.
  const {
    paths: _paths,
    baseUrl: _base,
    rootDir: _root,
    rootDirs: _roots,
    lib: _lib,
    types: _types,
    ...options
  } = first;
  const lib = all.every((o) => o.lib) ? { lib: [...new Set(all.flatMap((o) => o.lib ?? []))] } : {};
  const types = all.every((o) => o.types) ? { types: [...new Set(all.flatMap((o) => o.types ?? []))] } : {};
  const target = Math.max(...all.map((o) => o.target ?? ts.ScriptTarget.ES2022)) as TS.ScriptTarget;
  return { ...options, ...lib, ...types, target };
}

const names = ['tsconfig.json', 'jsconfig.json'];
/** How many configurations may be looked at that others refer to. */
const maxReferences = 60;

/** Finds the configuration that a file is checked under. What of them cannot be read is told once, through `report`. */
export class Configs {
  readonly #read = new Map<string, { readonly config: Config; readonly json: Record<string, unknown> }>();
  readonly #near = new Map<string, string | undefined>();

  constructor(
    private readonly sources: TypeSources,
    private readonly report: (unchecked: Unchecked) => void,
  ) {}

  /** `file` is relative to the root. Where no folder above it has a configuration, the compiler's defaults hold. */
  of(file: string): Config {
    const full = `${this.sources.root}/${file}`;
    const path = this.#nearest(folderOf(full));
    if (path === undefined) return this.#plain();
    const own = this.#load(path);
    if (covers(own.json, own.config, full)) return own.config;
    // A configuration that only names others: the one that covers the file, if any does.
    const pending = [own];
    for (let i = 0; i < pending.length && i < maxReferences; i++) {
      for (const target of this.#references(pending[i]!)) {
        if (pending.some((p) => p.config.path === target)) continue;
        const next = this.#load(target);
        if (covers(next.json, next.config, full)) return next.config;
        pending.push(next);
      }
    }
    return pending.find((p) => !isEmpty(p.json))?.config ?? own.config;
  }

  #nearest(folder: string): string | undefined {
    if (this.#near.has(folder)) return this.#near.get(folder);
    const here = names.map((name) => `${folder}/${name}`).find((path) => this.sources.isFile(path));
    const above = here ?? (folder === this.sources.root || folder === '' ? undefined : this.#nearest(folderOf(folder)));
    this.#near.set(folder, above);
    return above;
  }

  #plain(): Config {
    const { root } = this.sources;
    return { path: root, folder: root, options: settled({}) };
  }

  #load(path: string): { readonly config: Config; readonly json: Record<string, unknown> } {
    const known = this.#read.get(path);
    if (known) return known;
    const folder = folderOf(path);
    const text = this.sources.read(path) ?? '';
    const source = ts.readConfigFile(path, () => text);
    const json = (source.config ?? {}) as Record<string, unknown>;
    const parsed = ts.parseJsonConfigFileContent(
      json,
      {
        useCaseSensitiveFileNames: true,
        readDirectory: () => [],
        fileExists: (file) => this.sources.isFile(file),
        readFile: (file) => this.sources.read(file),
      },
      folder,
      undefined,
      path,
    );
    // That it names no files is no error here: it is asked which options it has, and the files are known.
    const errors = [source.error, ...parsed.errors].filter(
      (e) => e !== undefined && e.code !== 18002 && e.code !== 18003,
    );
    const [first] = errors;
    if (first)
      this.report({
        file: this.#relative(path),
        reason: 'types:configuration',
        detail: ts.flattenDiagnosticMessageText(first.messageText, ' ').replaceAll(`${this.sources.root}/`, ''),
      });
    const loaded = { config: { path, folder, options: settled(parsed.options) }, json };
    this.#read.set(path, loaded);
    return loaded;
  }

  #references({ json, config }: { readonly config: Config; readonly json: Record<string, unknown> }): string[] {
    const references = Array.isArray(json['references']) ? (json['references'] as unknown[]) : [];
    return references.flatMap((r) => {
      const path = typeof r === 'object' && r !== null && 'path' in r ? r.path : undefined;
      if (typeof path !== 'string') return [];
      const full = joined(config.folder, path);
      return this.sources.isFile(full)
        ? [full]
        : this.sources.isFile(`${full}/tsconfig.json`)
          ? [`${full}/tsconfig.json`]
          : [];
    });
  }

  #relative(path: string): string {
    return path.startsWith(`${this.sources.root}/`) ? path.slice(this.sources.root.length + 1) : path;
  }
}

/** Nothing is written, JavaScript is read as well, and libraries are taken at their word. */
function settled(given: TS.CompilerOptions): TS.CompilerOptions {
  // Nothing of these is wanted, and some exclude what is set below.
  const { composite: _composite, incremental: _incremental, tsBuildInfoFile: _info, outFile: _out, ...options } = given;
  // No undefined values: with a module kind, the compiler derives how modules are resolved.
  if (options.module === undefined) {
    options.module = ts.ModuleKind.ESNext;
    options.moduleResolution ??= ts.ModuleResolutionKind.Bundler;
  }
  return {
    target: ts.ScriptTarget.ES2022,
    ...options,
    strictNullChecks: true,
    allowJs: true,
    noEmit: true,
    skipLibCheck: true,
    maxNodeModuleJsDepth: 0,
    ignoreDeprecations: '6.0',
  };
}

const isEmpty = (json: Record<string, unknown>): boolean =>
  Array.isArray(json['files']) && json['files'].length === 0 && json['include'] === undefined;

/** Whether a configuration includes a file, by the folders before the first wildcard of its patterns. */
function covers(json: Record<string, unknown>, { folder }: Config, file: string): boolean {
  if (isEmpty(json)) return false;
  const listed = Array.isArray(json['files']) ? json['files'] : undefined;
  const included = Array.isArray(json['include']) ? json['include'] : undefined;
  if (!listed && !included) return true;
  const starts = [...(listed ?? []), ...(included ?? [])].flatMap((p: unknown) => (typeof p === 'string' ? [p] : []));
  return starts.some((pattern) => {
    const fixed = pattern.replace(/[^/]*[*?].*$/, '').replace(/^\$\{configDir\}\/?/, '');
    const at = joined(folder, fixed);
    return file === at || file.startsWith(`${at.replace(/\/$/, '')}/`);
  });
}

function joined(folder: string, path: string): string {
  if (/^(?:\/|[A-Za-z]:)/.test(path)) return path;
  const parts = folder.split('/');
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..') parts.pop();
    else parts.push(part);
  }
  return parts.join('/');
}
