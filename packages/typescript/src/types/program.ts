import { isBuiltin } from 'node:module';
import type TS from 'typescript';
import { isComponent, scriptBlocks } from '../extract/script-blocks.js';
import { ts } from '../extract/typescript.js';
import type { Group } from './configs.js';
import { folderOf, type TypeSources } from './sources.js';

/** The name under which the compiler knows a file of the project. */
export const compilerName = (root: string, file: string): string => `${root}/${file}${isComponent(file) ? '.ts' : ''}`;

/** A program over some files and what they import, and the packages that are not there. */
export interface Checked {
  readonly program: TS.Program;
  readonly missing: ReadonlySet<string>;
}

/** Texts and answers that several programs share. */
export class Reading {
  readonly texts = new Map<string, string | undefined>();
  readonly isFile = new Map<string, boolean>();
  readonly isFolder = new Map<string, boolean>();
}

/** A program over `files` (relative to the root) under some configurations. Nothing in it is executed: plugins are for editors. */
export function programOf(files: readonly string[], group: Group, sources: TypeSources, reading: Reading): Checked {
  const { root } = sources;
  const { options, configs } = group;
  const missing = new Set<string>();
  const read = (path: string): string | undefined => remembered(reading.texts, path, () => textOf(path, sources));
  const isFile = (path: string): boolean =>
    remembered(reading.isFile, path, () => sources.isFile(path)) ||
    (isComponent(path.replace(/\.ts$/, '')) && read(path) !== undefined);
  const resolution: TS.ModuleResolutionHost = {
    fileExists: isFile,
    readFile: read,
    directoryExists: (path) => remembered(reading.isFolder, path, () => sources.isFolder(path)),
    getDirectories: (path) => [...sources.folders(path)],
    realpath: (path) => sources.real(path),
  };
  const cache = ts.createModuleResolutionCache(root, (name) => name, options);
  const own = (from: string, specifier: string): string | undefined =>
    from.startsWith(`${root}/`) && !from.includes('/node_modules/')
      ? sources.resolve(from.slice(root.length + 1), specifier)
      : undefined;
  const host: TS.CompilerHost = {
    ...resolution,
    getSourceFile: (path, version) => {
      const text = read(path);
      return text === undefined ? undefined : ts.createSourceFile(path, text, version);
    },
    getDefaultLibFileName: (o) => ts.getDefaultLibFilePath(o).replaceAll('\\', '/'),
    getDefaultLibLocation: () => folderOf(ts.getDefaultLibFilePath(options).replaceAll('\\', '/')),
    getCurrentDirectory: () => root,
    getCanonicalFileName: (name) => name,
    useCaseSensitiveFileNames: () => true,
    getNewLine: () => '\n',
    writeFile: () => undefined,
    resolveModuleNameLiterals: (literals, from, redirected, settings, file) =>
      literals.map((literal) => {
        // What the analysis takes for a file of the program is that file, and not what was built of it.
        const found = own(from.replace(/\.(vue|svelte)\.ts$/i, '.$1'), literal.text);
        if (found !== undefined) {
          const name = compilerName(root, found);
          return {
            resolvedModule: { resolvedFileName: name, extension: extensionOf(name), isExternalLibraryImport: false },
          };
        }
        const mode = ts.getModeForUsageLocation(file, literal, settings);
        const resolved = ts.resolveModuleName(literal.text, from, settings, resolution, cache, redirected, mode);
        if (!resolved.resolvedModule && !from.includes('/node_modules/')) {
          const name = packageNamed(literal.text);
          if (name !== undefined) missing.add(name);
        }
        return resolved;
      }),
  };
  const names = [
    ...files.map((file) => compilerName(root, file)),
    ...configs.flatMap(({ folder }) => sources.declarations(folder)),
    ...sources.augmenting
      .map((file) => compilerName(root, file))
      .filter((path) => configs.some(({ folder }) => path.startsWith(`${folder}/`))),
  ];
  return { program: ts.createProgram({ rootNames: [...new Set(names)], options, host }), missing };
}

function remembered<T>(known: Map<string, T>, key: string, find: () => T): T {
  if (known.has(key)) return known.get(key)!;
  const found = find();
  known.set(key, found);
  return found;
}

/** A component is its script blocks, under a name of its own. */
function textOf(path: string, sources: TypeSources): string | undefined {
  const component = path.replace(/\.ts$/, '');
  if (component === path || !isComponent(component)) return sources.read(path);
  const text = sources.read(component);
  return text === undefined ? undefined : scriptBlocks(text).code;
}

function extensionOf(path: string): string {
  return /\.d\.[cm]?ts$/.exec(path)?.[0] ?? /\.[^./]+$/.exec(path)?.[0] ?? '.ts';
}

/** The package that a specifier names; undefined for files, built-in modules, aliases of the project, and schemes of other runtimes. */
function packageNamed(specifier: string): string | undefined {
  if (!/^(?:@[a-z0-9][\w.-]*\/)?[a-z0-9][\w.-]*(?:\/|$)/.test(specifier) || isBuiltin(specifier)) return undefined;
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}
