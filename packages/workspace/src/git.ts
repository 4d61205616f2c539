import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { discoveredOf, kindOf, type Discovered } from './discover.js';
import { Failure } from './failure.js';
import type { Source } from './memory.js';
import { decode, maxBytes, readSource, type Read } from './read.js';

/** A state of a repository that is not the work tree, and which files differ from another. Everything is read through git, nothing is checked out. */
export interface Change {
  /** As the change leaves the project. */
  readonly after: Source;
  /** As it was before. */
  readonly before: Source;
  /** Files that differ, relative to the root; deleted ones included. */
  readonly files: ReadonlySet<string>;
}

/** What a commit of the index would change. Throws Failure where there is no repository. */
export function stagedChange(root: string): Change {
  inRepository(root, '--staged');
  const head = succeeds(root, 'rev-parse', '--verify', '--quiet', 'HEAD') ? 'HEAD' : emptyTree(root);
  return {
    after: indexSource(root),
    before: treeSource(root, head),
    files: new Set(names(root, 'diff-index', '--cached', '--name-only', '--no-renames', '--relative', '-z', head)),
  };
}

/**
 * What the work tree changes against the point where the current branch left `ref` (or `ref` itself, where they have nothing in common). Throws
 * Failure where git does not know `ref`.
 */
export function changeSince(root: string, ref: string, after: Source): Change {
  inRepository(root, '--since');
  if (
    ref.startsWith('-') ||
    !succeeds(root, 'rev-parse', '--verify', '--quiet', '--end-of-options', `${ref}^{commit}`)
  ) {
    throw new Failure(`git knows no commit ${ref}.`, {
      advice:
        'A shallow clone has only the last one: fetch it first (in GitHub Actions: actions/checkout with fetch-depth: 0).',
    });
  }
  const base = mergeBase(root, ref) ?? ref;
  const tracked = names(root, 'diff', '--name-only', '--no-renames', '--no-ext-diff', '--relative', '-z', base, '--');
  const added = names(root, 'ls-files', '--others', '--exclude-standard', '-z');
  return { after, before: treeSource(root, base), files: new Set([...tracked, ...added]) };
}

interface Entry {
  readonly id: string;
  readonly mode: string;
}

/** The files of the index. What does not differ from the work tree is read there, the rest from git's objects. */
function indexSource(root: string): Source {
  const entries = new Map<string, Entry>();
  for (const line of names(root, 'ls-files', '--stage', '-z')) {
    const [, mode, id, file] = /^(\d+) ([0-9a-f]+) \d\t(.*)$/s.exec(line) ?? [];
    if (mode !== undefined && id !== undefined && file !== undefined) entries.set(file, { id, mode });
  }
  const differing = new Set(names(root, 'diff-files', '--name-only', '--no-renames', '--relative', '-z'));
  return objectSource(root, entries, (file) => !differing.has(file));
}

function treeSource(root: string, tree: string): Source {
  const entries = new Map<string, Entry>();
  for (const line of names(root, 'ls-tree', '-r', '-z', tree)) {
    const [, mode, id, file] = /^(\d+) \w+ ([0-9a-f]+)\t(.*)$/s.exec(line) ?? [];
    if (mode !== undefined && id !== undefined && file !== undefined) entries.set(file, { id, mode });
  }
  const differing = new Set(
    names(root, 'diff', '--name-only', '--no-renames', '--no-ext-diff', '--relative', '-z', tree, '--'),
  );
  return objectSource(root, entries, (file) => !differing.has(file));
}

function objectSource(
  root: string,
  entries: ReadonlyMap<string, Entry>,
  sameOnDisk: (file: string) => boolean,
): Source {
  const listed = (): Discovered => {
    const files: string[] = [];
    const unchecked: Discovered['unchecked'][number][] = [];
    for (const [file, { mode }] of entries) {
      if (mode === '160000') unchecked.push({ file, reason: 'submodule', detail: 'a repository of its own' });
      else if (mode !== '120000') files.push(file);
      else if (kindOf(file) !== undefined)
        unchecked.push({ file, reason: 'link', detail: 'a link is not followed here' });
    }
    return discoveredOf(files, unchecked);
  };
  let blobs: ReadonlyMap<string, Buffer | number> | undefined;
  return {
    list: listed,
    state() {
      const hash = createHash('sha256');
      for (const [file, { id, mode }] of [...entries].sort(([a], [b]) => (a < b ? -1 : 1)))
        hash.update(`${mode} ${id} ${file}\0`);
      return hash.digest('hex');
    },
    read(file): Read {
      const entry = entries.get(file);
      if (!entry) return { gone: true };
      if (sameOnDisk(file)) return readSource(root, file);
      blobs ??= readObjects(
        root,
        [...entries].flatMap(([name, { id }]) => (kindOf(name) !== undefined && !sameOnDisk(name) ? [id] : [])),
      );
      const blob = blobs.get(entry.id);
      if (blob === undefined) return { unchecked: 'unreadable', detail: 'not in this copy of the repository' };
      return typeof blob === 'number'
        ? { unchecked: 'too-large', detail: `${Math.round(blob / 1024 / 1024)} MB` }
        : decode(blob);
    },
  };
}

/** The content of objects by their ids, a number of bytes for those that are too large; none for those that are not there. */
function readObjects(root: string, ids: readonly string[]): ReadonlyMap<string, Buffer | number> {
  const found = new Map<string, Buffer | number>();
  if (ids.length === 0) return found;
  const sized: string[] = [];
  for (const line of run(root, ['cat-file', '--batch-check'], `${ids.join('\n')}\n`)
    .toString('latin1')
    .split('\n')) {
    const [id = '', type, size] = line.split(' ');
    if (type !== 'blob') continue;
    if (Number(size) > maxBytes) found.set(id, Number(size));
    else sized.push(id);
  }
  if (sized.length === 0) return found;
  const all = run(root, ['cat-file', '--batch'], `${sized.join('\n')}\n`);
  // Each object: "<id> blob <size>\n", its bytes, "\n".
  for (let at = 0; at < all.length;) {
    const end = all.indexOf(10, at);
    const [id = '', , size] = all.toString('latin1', at, end).split(' ');
    const start = end + 1;
    found.set(id, all.subarray(start, start + Number(size)));
    at = start + Number(size) + 1;
  }
  return found;
}

function inRepository(root: string, option: string): void {
  if (succeeds(root, 'rev-parse', '--is-inside-work-tree')) return;
  throw new Failure(`${option} needs a git repository, and this is none (or git is not installed).`, { where: root });
}

function mergeBase(root: string, ref: string): string | undefined {
  try {
    return run(root, ['merge-base', ref, 'HEAD']).toString('utf8').trim() || undefined;
  } catch {
    return undefined;
  }
}

/** The tree of a repository without a commit. */
const emptyTree = (root: string): string =>
  run(root, ['hash-object', '-t', 'tree', '--stdin'], '').toString('utf8').trim();

const names = (root: string, ...args: string[]): string[] =>
  run(root, args)
    .toString('utf8')
    .split('\0')
    .filter((name) => name !== '');

function succeeds(root: string, ...args: string[]): boolean {
  try {
    run(root, args);
    return true;
  } catch {
    return false;
  }
}

/** Runs git. It inherits GIT_INDEX_FILE, by which a hook of a partial commit names its index; it never goes to the network for an object. */
const run = (root: string, args: readonly string[], input?: string): Buffer =>
  execFileSync('git', args, {
    cwd: root,
    maxBuffer: 1 << 30,
    stdio: ['pipe', 'pipe', 'ignore'],
    env: { ...process.env, GIT_NO_LAZY_FETCH: '1', GIT_OPTIONAL_LOCKS: '0' },
    ...(input === undefined ? {} : { input }),
  });
