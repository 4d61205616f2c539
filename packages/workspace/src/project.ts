import { parse as parseJson, type ParseError } from 'jsonc-parser';
import type { CompilerFacts, Journal, PackageFacts, ProjectFacts } from '@tenant-lint/model';
import type { SourceKind } from './discover.js';

/**
 * What manifests and compiler configurations say. `read` gives the text of a file of the project, undefined where there is none. A file
 * that does not parse contributes nothing and is named through `report`.
 */
export function projectFacts(
  files: ReadonlyMap<string, SourceKind>,
  read: (file: string) => string | undefined,
  report: (file: string, detail: string) => void,
): ProjectFacts {
  const packages: PackageFacts[] = [];
  const compilers: CompilerFacts[] = [];
  const journals: Journal[] = [];
  for (const [file, kind] of files) {
    if (kind === 'manifest' && file.endsWith('package.json')) {
      const manifest = json(file, read, report);
      if (manifest) packages.push(packageOf(file, manifest));
    } else if (kind === 'compiler') {
      const compiler = compilerOf(file, read, report);
      if (compiler) compilers.push(compiler);
    } else if (kind === 'journal') {
      const journal = journalOf(file, read, report);
      if (journal) journals.push(journal);
    }
  }
  return {
    packages,
    compilers,
    journals,
    files: new Set([...files].flatMap(([file, kind]) => (kind === 'code' ? [file] : []))),
  };
}

type Json = Record<string, unknown>;

/** Drizzle's list of migrations, `meta/_journal.json` beside them: they apply in the order of its entries. */
function journalOf(
  file: string,
  read: (file: string) => string | undefined,
  report: (file: string, detail: string) => void,
): Journal | undefined {
  const entries = json(file, read, report)?.['entries'];
  if (!Array.isArray(entries)) return undefined;
  const names = entries.flatMap((e: unknown) => {
    const tag = asObject(e)?.['tag'];
    return typeof tag === 'string' ? [tag] : [];
  });
  const meta = folderOf(file);
  return { folder: /(?:^|\/)meta$/.test(meta) ? folderOf(meta) : meta, names };
}

function json(
  file: string,
  read: (file: string) => string | undefined,
  report: (file: string, detail: string) => void,
): Json | undefined {
  const text = read(file);
  if (text === undefined) return undefined;
  const errors: ParseError[] = [];
  const value: unknown = parseJson(text.replace(/^\uFEFF/, ''), errors, { allowTrailingComma: true });
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json;
  report(file, 'not a JSON object');
  return undefined;
}

function packageOf(file: string, manifest: Json): PackageFacts {
  const folder = folderOf(file);
  const dependencies: Record<string, string> = {};
  for (const key of ['peerDependencies', 'devDependencies', 'dependencies']) {
    for (const [name, range] of Object.entries(asObject(manifest[key]) ?? {}))
      if (typeof range === 'string') dependencies[name] = range;
  }
  const text = (key: string): string | undefined => (typeof manifest[key] === 'string' ? manifest[key] : undefined);
  const name = text('name');
  const main = text('main');
  const module = text('module');
  const types = text('types') ?? text('typings');
  const source = text('source');
  return {
    ...(name !== undefined ? { name } : {}),
    folder,
    dependencies,
    entries: {
      ...(manifest['exports'] !== undefined ? { exports: manifest['exports'] } : {}),
      ...(main !== undefined ? { main } : {}),
      ...(module !== undefined ? { module } : {}),
      ...(types !== undefined ? { types } : {}),
      ...(source !== undefined ? { source } : {}),
    },
  };
}

/** `paths` and `baseUrl` of a tsconfig, through the relative `extends` that stay in the project. */
function compilerOf(
  file: string,
  read: (file: string) => string | undefined,
  report: (file: string, detail: string) => void,
): CompilerFacts | undefined {
  const folder = folderOf(file);
  let paths: Record<string, readonly string[]> | undefined;
  let baseUrl: string | undefined;
  let current: string | undefined = file;
  for (let depth = 0; current !== undefined && depth < 8; depth++) {
    const here: string = current;
    const config = json(here, read, report);
    if (!config) break;
    const options = asObject(config['compilerOptions']) ?? {};
    const own = typeof options['baseUrl'] === 'string' ? join(folderOf(here), options['baseUrl']) : undefined;
    baseUrl ??= own;
    if (!paths && asObject(options['paths'])) {
      const base = own ?? folderOf(here);
      paths = {};
      for (const [pattern, targets] of Object.entries(asObject(options['paths'])!)) {
        if (Array.isArray(targets))
          paths[pattern] = targets.filter((t) => typeof t === 'string').map((t) => join(base, t));
      }
    }
    const parent: unknown = Array.isArray(config['extends']) ? config['extends'][0] : config['extends'];
    if (typeof parent !== 'string' || !parent.startsWith('.')) break;
    const target: string = join(folderOf(here), parent);
    current = target.endsWith('.json') ? target : `${target}.json`;
  }
  if (!paths && baseUrl === undefined) return undefined;
  return { folder, paths: paths ?? {}, ...(baseUrl !== undefined ? { baseUrl } : {}) };
}

const asObject = (value: unknown): Json | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined;

const folderOf = (file: string): string => file.slice(0, Math.max(file.lastIndexOf('/'), 0));

function join(folder: string, path: string): string {
  const out: string[] = [];
  for (const part of `${folder}/${path}`.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..' && out.length > 0 && out.at(-1) !== '..') out.pop();
    else out.push(part);
  }
  return out.join('/');
}
