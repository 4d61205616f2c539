import type { CompilerFacts, PackageFacts, ProjectFacts } from '@tenant-lint/model';

const suffixes = [
  '',
  '.ts',
  '.tsx',
  '.mts',
  '.cts',
  '.d.ts',
  '.js',
  '.jsx',
  '.mjs',
  '.cjs',
  '/index.ts',
  '/index.tsx',
  '/index.mts',
  '/index.js',
  '/index.jsx',
];

interface Scope {
  readonly compilers: readonly { readonly compiler: CompilerFacts; readonly patterns: readonly string[] }[];
  readonly known: Map<string, string | undefined>;
}

/** Resolves module specifiers to files of the program, the way TypeScript's bundler resolution does, without reading anything. */
export class Modules {
  readonly #files: ReadonlySet<string>;
  /** The deepest first; its patterns the longest first. */
  readonly #compilers: readonly { readonly compiler: CompilerFacts; readonly patterns: readonly string[] }[];
  readonly #packages: ReadonlyMap<string, PackageFacts>;
  readonly #folders: readonly PackageFacts[];
  /** By the folder that asks, then by relative specifier. */
  readonly #memo = new Map<string, Map<string, string | undefined>>();
  /** By the configurations that hold in a folder, then by the name of a package or alias. */
  readonly #named = new Map<string, Scope>();
  readonly #scopes = new Map<string, Scope>();
  readonly #folderOf = new Map<string, string>();

  constructor(project: ProjectFacts) {
    this.#files = project.files;
    this.#compilers = [...project.compilers]
      .sort((a, b) => b.folder.length - a.folder.length)
      .map((compiler) => ({ compiler, patterns: Object.keys(compiler.paths).sort((a, b) => b.length - a.length) }));
    this.#packages = new Map(project.packages.flatMap((p) => (p.name ? [[p.name, p] as const] : [])));
    this.#folders = [...project.packages].sort((a, b) => b.folder.length - a.folder.length);
  }

  /** The file that `specifier` means in `from`; undefined where it is outside the program (an installed package). */
  resolve(from: string, specifier: string): string | undefined {
    let folder = this.#folderOf.get(from);
    if (folder === undefined) this.#folderOf.set(from, (folder = folderOf(from)));
    const isRelative = specifier.startsWith('.');
    const scope = isRelative ? undefined : this.#scopeOf(folder);
    let known = scope?.known ?? this.#memo.get(folder);
    if (!known) this.#memo.set(folder, (known = new Map()));
    if (known.has(specifier)) return known.get(specifier);
    const plain = specifier.replace(/[?#].*$/, '');
    const found = scope ? this.#find(scope, plain) : this.#file(join(folder, plain));
    known.set(specifier, found);
    return found;
  }

  /** The compiler configurations that hold in a folder, and what was found under them. */
  #scopeOf(folder: string): Scope {
    let scope = this.#scopes.get(folder);
    if (!scope) {
      const holding = this.#compilers.filter(
        ({ compiler }) => isBelow(compiler.folder, `${folder}/x`) || folder === compiler.folder,
      );
      const key = holding.map((h) => this.#compilers.indexOf(h)).join();
      scope = this.#named.get(key) ?? { compilers: holding, known: new Map() };
      this.#named.set(key, scope);
      this.#scopes.set(folder, scope);
    }
    return scope;
  }

  /** The package whose folder holds the file. */
  packageOf(file: string): PackageFacts | undefined {
    return this.#folders.find((p) => isBelow(p.folder, file));
  }

  #find({ compilers }: Scope, specifier: string): string | undefined {
    for (const { compiler, patterns } of compilers) {
      const found = this.#alias(compiler, patterns, specifier);
      if (found) return found;
    }
    return this.#workspace(specifier);
  }

  #alias(compiler: CompilerFacts, patterns: readonly string[], specifier: string): string | undefined {
    for (const pattern of patterns) {
      const rest = matchStar(pattern, specifier);
      if (rest === undefined) continue;
      for (const target of compiler.paths[pattern] ?? []) {
        const found = this.#file(normalize(target.replace('*', rest)));
        if (found) return found;
      }
    }
    return compiler.baseUrl === undefined ? undefined : this.#file(join(compiler.baseUrl, specifier));
  }

  #workspace(specifier: string): string | undefined {
    const parts = specifier.split('/');
    const name = parts.slice(0, specifier.startsWith('@') ? 2 : 1).join('/');
    const target = this.#packages.get(name);
    if (!target) return undefined;
    const rest = parts.slice(name.split('/').length).join('/');
    const subpath = rest === '' ? '.' : `./${rest}`;
    const { exports, main, module, types, source } = target.entries;
    const candidates = [
      ...exportTargets(exports, subpath),
      ...(rest === ''
        ? [source, types, module, main, 'src/index', 'index', 'src']
        : [rest, `src/${rest}`, `lib/${rest}`]),
    ];
    for (const candidate of candidates) {
      if (candidate === undefined) continue;
      for (const variant of [
        candidate,
        candidate.replace(/(^|\/)(?:dist|build|lib|out)\//, '$1src/'),
        candidate.replace(/(^|\/)(?:dist|build|lib|out)\//, '$1'),
      ]) {
        const found = this.#file(join(target.folder, variant));
        if (found) return found;
      }
    }
    return undefined;
  }

  #file(path: string): string | undefined {
    for (const suffix of suffixes) if (this.#files.has(path + suffix)) return path + suffix;
    // A specifier names the output (`./x.js`, a declaration file); the program holds the source.
    const source = path.replace(/(?:\.d)?\.([mc]?)[jt]sx?$/, '');
    if (source === path) return undefined;
    for (const suffix of ['.ts', '.tsx', '.mts', '.cts', '.js', '.jsx', '.mjs'])
      if (this.#files.has(source + suffix)) return source + suffix;
    return undefined;
  }
}

/** The targets that `exports` of a package.json names for a subpath, in order, whatever the condition. */
function exportTargets(exports: unknown, subpath: string): string[] {
  if (typeof exports === 'string') return subpath === '.' ? [exports] : [];
  if (typeof exports !== 'object' || exports === null) return [];
  const map = exports as Record<string, unknown>;
  const keys = Object.keys(map);
  if (!keys.some((k) => k.startsWith('.'))) return subpath === '.' ? leaves(map) : [];
  if (map[subpath] !== undefined) return leaves(map[subpath]);
  for (const key of keys) {
    const rest = key.includes('*') ? matchStar(key, subpath) : undefined;
    if (rest !== undefined) return leaves(map[key]).map((t) => t.replaceAll('*', rest));
  }
  return [];
}

function leaves(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(leaves);
}

/** What `*` stands for where `text` matches a pattern with at most one star; undefined where it does not match. */
function matchStar(pattern: string, text: string): string | undefined {
  const star = pattern.indexOf('*');
  if (star < 0) return pattern === text ? '' : undefined;
  const head = pattern.slice(0, star);
  const tail = pattern.slice(star + 1);
  return text.length >= head.length + tail.length && text.startsWith(head) && text.endsWith(tail)
    ? text.slice(star, text.length - tail.length)
    : undefined;
}

const folderOf = (file: string): string => file.slice(0, Math.max(file.lastIndexOf('/'), 0));
const isBelow = (folder: string, file: string): boolean => folder === '' || file.startsWith(`${folder}/`);

function join(folder: string, path: string): string {
  return normalize(folder === '' ? path : `${folder}/${path}`);
}

function normalize(path: string): string {
  const out: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..' && out.length > 0 && out.at(-1) !== '..') out.pop();
    else out.push(part);
  }
  return out.join('/');
}
