import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { FileFacts } from '@tenant-lint/model';

/** Raised whenever the shape or the meaning of facts changes, so that no run links facts of another version. */
const formatVersion = 2;

/** Facts of earlier runs by path, content, and what else went into their making (`variant`). */
export interface FactsCache {
  remembered(file: string, text: string, variant?: string): FileFacts | undefined;
  remember(facts: FileFacts, text: string, variant?: string): void;
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
    remember(facts, text, variant = '') {
      entries.set(facts.file, { key: keyOf(text, variant), facts });
      below?.remember(facts, text, variant);
    },
    save: () => below?.save(),
  };
}

/**
 * Facts of earlier runs. They are kept below `node_modules/.cache` of the root, where tools keep such things and git does not look; a
 * project without that folder is extracted anew each time. A damaged cache is an empty one.
 */
export function rememberedFacts(root: string): FactsCache {
  const modules = path.join(root, 'node_modules');
  if (!existsSync(modules)) return { remembered: () => undefined, remember: () => undefined, save: () => undefined };
  const file = path.join(modules, '.cache', 'tenant-lint', 'facts.json');
  const before = load(file);
  const kept = new Map<string, Entry>();
  let changed = false;
  return {
    remembered(name, text, variant = '') {
      const entry = kept.get(name) ?? before.get(name);
      if (entry?.key !== keyOf(text, variant)) return undefined;
      kept.set(name, entry);
      return entry.facts;
    },
    remember(facts, text, variant = '') {
      kept.set(facts.file, { key: keyOf(text, variant), facts });
      changed = true;
    },
    save() {
      if (!changed && kept.size === before.size) return;
      try {
        mkdirSync(path.dirname(file), { recursive: true });
        const temporary = `${file}.${process.pid}`;
        writeFileSync(temporary, JSON.stringify({ version: versionOfFacts, entries: [...kept.values()] }));
        renameSync(temporary, file);
      } catch {
        // A read-only checkout is no reason to fail: the next run is merely as slow as this one.
      }
    },
  };
}

function load(file: string): Map<string, Entry> {
  try {
    const stored = JSON.parse(readFileSync(file, 'utf8')) as { version: string; entries: Entry[] };
    return stored.version === versionOfFacts ? new Map(stored.entries.map((e) => [e.facts.file, e])) : new Map();
  } catch {
    return new Map();
  }
}

/** Facts of another release may mean something else, even where their shape is the same. */
const versionOfFacts = `${formatVersion} ${
  (JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }).version
}`;

const keyOf = (text: string, variant: string): string =>
  createHash('sha256').update(variant).update('\0').update(text).digest('hex').slice(0, 16);
