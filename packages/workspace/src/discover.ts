import { execFileSync } from 'node:child_process';
import { lstatSync, readdirSync, realpathSync, type Dirent } from 'node:fs';
import path from 'node:path';
import type { Unchecked } from '@tenant-lint/model';

/** What a file is for, by its name. */
export type SourceKind = 'code' | 'sql' | 'prisma' | 'manifest' | 'compiler' | 'journal';

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

/**
 * The source files below a folder: as git sees them (tracked, and untracked but not ignored) where it is a work tree, else by walking.
 * Symbolic links to folders are not followed, so that a loop cannot hang; links to files are read.
 */
export function discover(root: string): Discovered {
  const unchecked: Unchecked[] = [];
  const listed = listWithGit(root) ?? walk(root, unchecked);
  const files = new Map<string, SourceKind>();
  for (const file of [...new Set(listed)].sort()) {
    const kind = kindOf(file);
    if (!kind || file.split('/').some((part) => skippedFolders.has(part))) continue;
    files.set(file, kind);
  }
  return { files, unchecked };
}

/** The kind of a file by its name; undefined for what is no source of ours. */
export function kindOf(file: string): SourceKind | undefined {
  const name = file.slice(file.lastIndexOf('/') + 1);
  if (/\.d\.[cm]?ts$/.test(name)) return undefined;
  if (/\.[cm]?[jt]sx?$/.test(name)) return /\.min\.[cm]?js$/.test(name) ? undefined : 'code';
  if (name.endsWith('.sql')) return 'sql';
  if (name.endsWith('.prisma')) return 'prisma';
  if (name === 'package.json' || name === 'pnpm-workspace.yaml') return 'manifest';
  if (/^[tj]sconfig.*\.json$/.test(name)) return 'compiler';
  if (name === '_journal.json') return 'journal';
  return undefined;
}

function listWithGit(root: string): string[] | undefined {
  try {
    const out = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '-z'], {
      cwd: root,
      maxBuffer: 1 << 28,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const files = out.toString('utf8').split('\0').filter(Boolean);
    // An empty answer inside a larger repository that ignores this folder says nothing about the folder.
    return files.length > 0 ? files : undefined;
  } catch {
    return undefined;
  }
}

function walk(root: string, unchecked: Unchecked[]): string[] {
  const out: string[] = [];
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
      if (entry.isDirectory()) {
        if (!skippedFolders.has(entry.name)) pending.push(file);
      } else if (entry.isFile()) out.push(file);
      else if (entry.isSymbolicLink() && kindOf(file) !== undefined && isLinkToFile(path.join(root, file)))
        out.push(file);
    }
  }
  return out;
}

function isLinkToFile(file: string): boolean {
  try {
    return lstatSync(realpathSync(file)).isFile();
  } catch {
    // A link that leads nowhere, or in a circle, is no file.
    return false;
  }
}

export const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : String(error);
