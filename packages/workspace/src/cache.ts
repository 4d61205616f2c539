import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { FileFacts } from '@tenant-lint/model';
import { decodeFacts, encodeFacts } from './codec.js';

/** Raised whenever the shape or the meaning of facts changes, so that no run links facts of another version. */
const formatVersion = 3;

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

/** Facts as they are kept: encoded, or not yet. */
type Kept = { readonly key: string; readonly bytes: Uint8Array } | { readonly key: string; readonly facts: FileFacts };

/**
 * Facts of earlier runs. They are kept below `node_modules/.cache` of the root, where tools keep such things and git does not look; a
 * project without that folder is extracted anew each time. A damaged cache is an empty one.
 */
export function rememberedFacts(root: string): FactsCache {
  const modules = path.join(root, 'node_modules');
  if (!existsSync(modules)) return { remembered: () => undefined, remember: () => undefined, save: () => undefined };
  const file = path.join(modules, '.cache', 'tenant-lint', 'facts.bin');
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
      try {
        mkdirSync(path.dirname(file), { recursive: true });
        const temporary = `${file}.${process.pid}`;
        writeFileSync(temporary, stored(kept));
        renameSync(temporary, file);
      } catch {
        // A read-only checkout is no reason to fail: the next run is merely as slow as this one.
      }
    },
  };
}

/** What the file of a cache begins with: how long the table is, in four bytes, and the table as JSON. The facts follow it. */
interface Table {
  readonly version: string;
  /** File, key, and how many bytes its facts are. */
  readonly entries: readonly (readonly [file: string, key: string, length: number])[];
}

function stored(kept: ReadonlyMap<string, Kept>): Uint8Array {
  const parts: Uint8Array[] = [];
  const entries: [string, string, number][] = [];
  for (const [file, entry] of kept) {
    const bytes = 'bytes' in entry ? entry.bytes : encodeFacts(entry.facts);
    parts.push(bytes);
    entries.push([file, entry.key, bytes.length]);
  }
  const table = Buffer.from(JSON.stringify({ version: versionOfFacts, entries } satisfies Table));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(table.length);
  return Buffer.concat([length, table, ...parts]);
}

function load(file: string): Map<string, Kept> {
  const found = new Map<string, Kept>();
  try {
    const all = readFileSync(file);
    let at = 4 + all.readUInt32BE();
    const table = JSON.parse(all.toString('utf8', 4, at)) as Table;
    if (table.version !== versionOfFacts) return found;
    for (const [name, key, length] of table.entries) {
      if (at + length > all.length) return new Map();
      found.set(name, { key, bytes: all.subarray(at, at + length) });
      at += length;
    }
    return found;
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
