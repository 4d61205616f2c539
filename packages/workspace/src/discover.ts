import { execFileSync } from 'node:child_process';
import { lstatSync, readdirSync, realpathSync, statSync, type Dirent } from 'node:fs';
import path from 'node:path';
import type { Unchecked } from '@tenant-lint/model';

/** What a file is for, by its name. */
export type SourceKind = 'code' | 'sql' | 'prisma' | 'manifest' | 'compiler' | 'journal' | 'snapshot';

export interface Discovered {
  /** Paths relative to the root with forward slashes, sorted; each with its kind. */
  readonly files: ReadonlyMap<string, SourceKind>;
  readonly unchecked: readonly Unchecked[];
}

/** Folders that hold no source of the project, whatever git says. */
const skippedFolders = new Set([
  'node_modules',
  '.git',
  'dist',
  'build',
  'out',
  'coverage',
  '.next',
  '.nuxt',
  '.turbo',
  '.cache',
  '.vercel',
  '.output',
  '.svelte-kit',
  'vendor',
]);

/** What a listing finds besides files to look at. */
interface Listing {
  readonly files: readonly string[];
  /** Links, which may lead to folders, out of the project or in a circle. */
  readonly links: readonly string[];
  readonly unchecked: readonly Unchecked[];
}

/**
 * The source files below a folder: as git sees them (tracked, and untracked but not ignored) where it is a work tree, else by walking.
 * Symbolic links to folders are not followed, so that a loop cannot hang; links to files are read.
 */
export function discover(root: string): Discovered {
  const listing = listWithGit(root) ?? walk(root);
  const unchecked = listing.unchecked.filter((u) => !isSkipped(u.file));
  for (const link of listing.links) {
    const detail = isSkipped(link) ? undefined : lostBehind(root, link);
    if (detail !== undefined) unchecked.push({ file: link, reason: 'link', detail });
  }
  return discoveredOf([...listing.files, ...listing.links], unchecked);
}

/** The source files among some names, and folders that look like one. */
export function discoveredOf(names: readonly string[], before: readonly Unchecked[]): Discovered {
  const unchecked = before.filter((u) => !isSkipped(u.file));
  const files = new Map<string, SourceKind>();
  const misleading = new Set<string>();
  for (const file of [...new Set(names)].sort()) {
    if (isSkipped(file)) continue;
    for (const folder of foldersOf(file)) if (/\.(?:sql|prisma)$/.test(folder)) misleading.add(folder);
    const kind = kindOf(file);
    if (kind && !unchecked.some((u) => u.file === file)) files.set(file, kind);
  }
  for (const folder of [...misleading].sort())
    unchecked.push({
      file: folder,
      reason: 'folder',
      detail: 'named like a source file; only the files in it are read',
    });
  return { files, unchecked };
}

const isSkipped = (file: string): boolean => file.split('/').some((part) => skippedFolders.has(part));

function* foldersOf(file: string): Iterable<string> {
  for (let at = file.indexOf('/'); at >= 0; at = file.indexOf('/', at + 1)) yield file.slice(0, at);
}

/**
 * What is not looked at because a link to it is not followed; undefined for links to files and folders of the project, which are read.
 * Whoever opens a pull request decides where links lead, so none leads out of the project.
 */
function lostBehind(root: string, link: string): string | undefined {
  try {
    const full = path.join(realpathSync(path.dirname(path.join(root, link))), path.basename(link));
    const target = realpathSync(full);
    const real = realpathSync(root);
    const inside = `${target}${path.sep}`.startsWith(`${real}${path.sep}`);
    if (!statSync(target).isDirectory())
      return inside || kindOf(link) === undefined ? undefined : 'a link out of the project is not followed';
    if (
      `${full}${path.sep}`.startsWith(`${target}${path.sep}`) ||
      `${real}${path.sep}`.startsWith(`${target}${path.sep}`)
    )
      return 'a link to a folder above it is not followed';
    return inside ? undefined : 'a link to a folder is not followed';
  } catch (error) {
    // Leads nowhere, or in a circle; whether it matters is in its name.
    return kindOf(link) === undefined && codeOf(error) === 'ENOENT'
      ? undefined
      : `a link that cannot be followed (${codeOf(error)})`;
  }
}

/** The kind of a file by its name; undefined for what is no source of ours. */
export function kindOf(file: string): SourceKind | undefined {
  const name = file.slice(file.lastIndexOf('/') + 1);
  if (/\.d\.[cm]?ts$/.test(name)) return undefined;
  if (/\.[cm]?[jt]sx?$/.test(name)) return /\.min\.[cm]?js$/.test(name) ? undefined : 'code';
  // Their script blocks.
  if (/\.(?:vue|svelte)$/.test(name)) return 'code';
  if (name.endsWith('.sql')) return 'sql';
  if (name.endsWith('.prisma')) return 'prisma';
  if (name === 'package.json' || name === 'pnpm-workspace.yaml') return 'manifest';
  if (/^[tj]sconfig.*\.json$/.test(name)) return 'compiler';
  if (name === '_journal.json') return 'journal';
  // Drizzle's kit writes what a schema is after each migration; the last one may be all that a repository keeps.
  if (/(?:^|\/)meta\/\d+_snapshot\.json$/.test(file)) return 'snapshot';
  return undefined;
}

function listWithGit(root: string): Listing | undefined {
  try {
    const git = (...args: string[]): string[] =>
      execFileSync('git', ['ls-files', '-z', ...args], {
        cwd: root,
        maxBuffer: 1 << 28,
        stdio: ['ignore', 'pipe', 'ignore'],
      })
        .toString('utf8')
        .split('\0')
        .filter(Boolean);
    const files: string[] = [];
    const links: string[] = [];
    const unchecked: Unchecked[] = [];
    for (const entry of git('--stage')) {
      const file = entry.slice(entry.indexOf('\t') + 1);
      if (entry.startsWith('120000')) links.push(file);
      else if (entry.startsWith('160000'))
        unchecked.push({ file, reason: 'submodule', detail: 'a repository of its own' });
      else files.push(file);
    }
    for (const file of git('--others', '--exclude-standard')) {
      if (file.endsWith('/'))
        unchecked.push({ file: file.slice(0, -1), reason: 'submodule', detail: 'a repository of its own' });
      else if ((kindOf(file) !== undefined || path.extname(file) === '') && isLink(path.join(root, file)))
        links.push(file);
      else files.push(file);
    }
    // An empty answer inside a larger repository that ignores this folder says nothing about the folder.
    return files.length + links.length + unchecked.length > 0 ? { files, links, unchecked } : undefined;
  } catch {
    return undefined;
  }
}

function walk(root: string): Listing {
  const files: string[] = [];
  const links: string[] = [];
  const unchecked: Unchecked[] = [];
  const pending = [''];
  while (pending.length > 0) {
    const folder = pending.pop()!;
    let entries: Dirent[];
    try {
      entries = readdirSync(path.join(root, folder), { withFileTypes: true });
    } catch (error) {
      unchecked.push({ file: folder || '.', reason: 'unreadable', detail: codeOf(error) });
      continue;
    }
    for (const entry of entries) {
      const file = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isSymbolicLink()) links.push(file);
      else if (!entry.isDirectory()) files.push(file);
      else if (!skippedFolders.has(entry.name)) pending.push(file);
    }
  }
  return { files, links, unchecked };
}

function isLink(file: string): boolean {
  try {
    return lstatSync(file).isSymbolicLink();
  } catch {
    return false;
  }
}

export const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : String(error);
