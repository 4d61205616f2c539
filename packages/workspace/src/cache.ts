import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, realpathSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { FileFacts } from '@tenant-lint/model';
import { decodeFacts } from './codec.js';
import { keyOf, readStoredFacts, storedFacts, type Kept } from './stored-facts.js';

/** Facts of earlier runs by path, content, and what else went into their making (`variant`). */
export interface FactsCache {
  remembered(file: string, text: string, variant?: string): FileFacts | undefined;
  /** `bytes`: the facts encoded, where they are at hand. */
  remember(facts: FileFacts, text: string, variant?: string, bytes?: Uint8Array): void;
  /** Writes what was made or used since it was opened; does nothing where nothing changed, or nothing can be written. */
  save(): void;
}

interface Entry {
  readonly key: string;
  readonly facts: FileFacts;
}

/** Facts that last as long as the process, for hosts that analyse a project again and again. `below` is asked for what is not there yet. */
export function memoryCache(below?: FactsCache): FactsCache {
  const entries = new Map<string, Entry>();
  return {
    remembered(file, text, variant = '') {
      const entry = entries.get(file);
      return entry?.key === keyOf(text, variant) ? entry.facts : below?.remembered(file, text, variant);
    },
    remember(facts, text, variant = '', bytes) {
      entries.set(facts.file, { key: keyOf(text, variant), facts });
      below?.remember(facts, text, variant, bytes);
    },
    save: () => below?.save(),
  };
}

/** A cache that remembers nothing. */
export const noFacts: FactsCache = { remembered: () => undefined, remember: () => undefined, save: () => undefined };

/**
 * Facts of earlier runs. They are kept below `node_modules/.cache` of the root, where tools keep such things and git does not look; a
 * project without that folder is extracted anew each time. A damaged cache is an empty one. So is one that a stranger may have written, who
 * would have it say that a file holds nothing: git brought it along, or a link leads out of the project.
 */
export function rememberedFacts(root: string): FactsCache {
  const file = cacheFile(root, 'facts.bin');
  if (file === undefined) return noFacts;
  const before = load(file);
  const kept = new Map<string, Kept>();
  let changed = false;
  return {
    remembered(name, text, variant = '') {
      const entry = kept.get(name) ?? before.get(name);
      if (entry?.key !== keyOf(text, variant)) return undefined;
      try {
        const facts = 'facts' in entry ? entry.facts : decodeFacts(entry.bytes);
        kept.set(name, entry);
        return facts;
      } catch {
        return undefined;
      }
    },
    remember(facts, text, variant = '', bytes) {
      const key = keyOf(text, variant);
      kept.set(facts.file, bytes ? { key, bytes } : { key, facts });
      changed = true;
    },
    save() {
      if (!changed && kept.size === before.size) return;
      writeCacheFile(file, storedFacts(kept));
    },
  };
}

/** Where a file of the cache is; undefined where there is no place for one, or a stranger may have written it. */
export function cacheFile(root: string, name: string): string | undefined {
  const modules = path.join(root, 'node_modules');
  const file = path.join(modules, '.cache', 'tenant-lint', name);
  return !existsSync(modules) || leadsOut(root, file) || isTracked(root, file) ? undefined : file;
}

/** Writes a file of the cache, whole or not at all. A read-only checkout is no reason to fail: the next run is merely as slow as this one. */
export function writeCacheFile(file: string, content: string | Uint8Array): void {
  try {
    mkdirSync(path.dirname(file), { recursive: true });
    const temporary = `${file}.${process.pid}`;
    writeFileSync(temporary, content);
    renameSync(temporary, file);
  } catch {
    // Nothing is kept.
  }
}

/** Whether a link among the folders of a path leads out of the root. */
function leadsOut(root: string, file: string): boolean {
  let there = file;
  while (!existsSync(there)) there = path.dirname(there);
  const inside = path.relative(realpathSync(root), realpathSync(there));
  return inside.startsWith('..') || path.isAbsolute(inside);
}

/** Whether git has a file, and so brings it to whoever checks the project out. */
function isTracked(root: string, file: string): boolean {
  if (!existsSync(file)) return false;
  try {
    const found = execFileSync('git', ['ls-files', '--', path.relative(root, file)], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return found.length > 0;
  } catch {
    return false;
  }
}

function load(file: string): Map<string, Kept> {
  try {
    return readStoredFacts(readFileSync(file)).kept;
  } catch {
    return new Map();
  }
}
