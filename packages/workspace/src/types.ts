import { readdirSync, readFileSync, realpathSync, statSync, type Dirent, type Stats } from 'node:fs';
import path from 'node:path';
import { Modules, unresolvedIn, type LinkOptions, type Model } from '@tenant-lint/analysis';
import type { FileFacts, ProjectFacts, Typed, Unchecked } from '@tenant-lint/model';
import { askTypes, withTypes, type TypeSources } from '@tenant-lint/typescript';
import { decode, maxBytes } from './read.js';

/** Folders without declarations that a person wrote. */
const skipped = new Set(['node_modules', '.git', 'dist', 'build', 'out', 'coverage', '.next', '.turbo', '.cache']);
const maxDeclarations = 2_000;

/** Files that declare something for files which do not import them. */
const declaring = /\bdeclare\s+(?:module|global)\b|\bimplements\b/;

/**
 * What a type check of the project reads: its own files as the source of this run has them, and everything else (installed packages, the
 * compiler's libraries) from disk.
 */
export function typeSources(
  root: string,
  project: ProjectFacts,
  own: (file: string) => string | undefined,
  texts: ReadonlyMap<string, string>,
): TypeSources {
  const folder = path.resolve(root).split(path.sep).join('/');
  const modules = new Modules(project);
  return {
    root: folder,
    read(file) {
      const relative = file.startsWith(`${folder}/`) ? file.slice(folder.length + 1) : undefined;
      const known = relative === undefined || relative.includes('node_modules/') ? undefined : own(relative);
      return known ?? readText(file);
    },
    isFile: (file) => statOf(file)?.isFile() ?? false,
    isFolder: (file) => statOf(file)?.isDirectory() ?? false,
    folders: (file) => entriesOf(file).flatMap((e) => (e.isDirectory() || e.isSymbolicLink() ? [e.name] : [])),
    real(file) {
      try {
        return realpathSync(file).split(path.sep).join('/');
      } catch {
        return file;
      }
    },
    declarations: declarationsBelow,
    resolve: (from, specifier) => modules.resolve(from, specifier),
    augmenting: [...texts].flatMap(([file, text]) => (declaring.test(text) ? [file] : [])),
  };
}

function statOf(file: string): Stats | undefined {
  try {
    return statSync(file, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

function readText(file: string): string | undefined {
  try {
    if ((statOf(file)?.size ?? Infinity) > maxBytes) return undefined;
    const read = decode(readFileSync(file));
    return 'text' in read ? read.text : undefined;
  } catch {
    return undefined;
  }
}

function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

function declarationsBelow(folder: string): string[] {
  const found: string[] = [];
  const pending = [folder];
  for (let at = pending.pop(); at !== undefined && found.length < maxDeclarations; at = pending.pop()) {
    for (const entry of entriesOf(at)) {
      const full = `${at}/${entry.name}`;
      if (entry.isDirectory() && !skipped.has(entry.name)) pending.push(full);
      else if (entry.isFile() && /\.d\.[cm]?ts$/.test(entry.name)) found.push(full);
    }
  }
  return found.sort();
}

export interface TypedInput {
  /** As linked without types. */
  readonly model: Model;
  readonly facts: readonly FileFacts[];
  readonly linking: LinkOptions;
  readonly sources: TypeSources;
  /** The facts of a further file: one that nothing demanded until a type led into it. */
  readonly extract: (file: string) => FileFacts | undefined;
}

/** The facts with what a type check shows of the chains that syntax leaves open, and what kept the check from showing more. */
export function typedFacts({ model, facts, linking, sources, extract }: TypedInput): {
  readonly facts: readonly FileFacts[];
  readonly unchecked: readonly Unchecked[];
} {
  const { typed, unchecked } = askTypes(unresolvedIn(model), sources, linking.adapters);
  const byFile = new Map<string, Typed[]>();
  for (const answer of typed) {
    const file = answer.chain.slice(0, answer.chain.lastIndexOf('#'));
    const list = byFile.get(file);
    if (list) list.push(answer);
    else byFile.set(file, [answer]);
  }
  const all = new Map(facts.map((f) => [f.file, f]));
  for (const { file } of typed.flatMap((t) => t.callees)) {
    const further = all.has(file) ? undefined : extract(file);
    if (further) all.set(file, further);
  }
  const functionAt = (file: string, start: number, end: number): string | undefined =>
    all.get(file)?.functions.find(({ span }) => span.start === start && span.end === end)?.id;
  return {
    facts: [...all.values()]
      .map((f) => withTypes(f, byFile.get(f.file) ?? [], functionAt))
      .sort((a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : 0)),
    unchecked,
  };
}
