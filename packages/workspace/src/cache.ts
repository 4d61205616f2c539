import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { FileFacts } from '@tenant-lint/model';

/** Raised whenever the shape or the meaning of facts changes, so that no run links facts of another version. */
const formatVersion = 1;

export interface FactsCache {
  remembered(file: string, text: string): FileFacts | undefined;
  remember(facts: FileFacts, text: string): void;
  /** Writes what this run made or used; does nothing where nothing changed, or nothing can be written. */
  save(): void;
}

/**
 * Facts of earlier runs, by path and content. They are kept below `node_modules/.cache` of the root, where tools keep such things and git
 * does not look; a project without that folder is extracted anew each time. A damaged cache is an empty one.
 */
export function rememberedFacts(root: string, enabled: boolean): FactsCache {
  const modules = path.join(root, 'node_modules');
  if (!enabled || !existsSync(modules))
    return { remembered: () => undefined, remember: () => undefined, save: () => undefined };
  const file = path.join(modules, '.cache', 'tenant-lint', 'facts.json');
  const before = load(file);
  const kept = new Map<string, FileFacts>();
  let changed = false;
  return {
    remembered(name, text) {
      const facts = before.get(name);
      if (facts?.hash !== hashOf(text)) return undefined;
      kept.set(name, facts);
      return facts;
    },
    remember(facts) {
      kept.set(facts.file, facts);
      changed = true;
    },
    save() {
      if (!changed && kept.size === before.size) return;
      try {
        mkdirSync(path.dirname(file), { recursive: true });
        const temporary = `${file}.${process.pid}`;
        writeFileSync(temporary, JSON.stringify({ version: formatVersion, facts: [...kept.values()] }));
        renameSync(temporary, file);
      } catch {
        // A read-only checkout is no reason to fail: the next run is merely as slow as this one.
      }
    },
  };
}

function load(file: string): Map<string, FileFacts> {
  try {
    const stored = JSON.parse(readFileSync(file, 'utf8')) as { version: number; facts: FileFacts[] };
    return stored.version === formatVersion ? new Map(stored.facts.map((f) => [f.file, f])) : new Map();
  } catch {
    return new Map();
  }
}

/** The content hash that front ends put into facts. */
export const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16);
