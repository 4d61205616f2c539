import type { FileFacts, Unchecked } from '@tenant-lint/model';
import { withSqlParser } from '@tenant-lint/sql';
import { extractTypescript } from '@tenant-lint/typescript';
import { noFacts, type FactsCache } from './cache.js';
import { encodeFacts } from './codec.js';
import { filesToRead, frontEndOf, type FrontEnd } from './front-ends.js';
import type { Source } from './memory.js';
import type { Settings } from './settings.js';
import { keyOf, type Kept } from './stored-facts.js';
import { Threads } from './threads.js';

export interface StoredFiles {
  readonly kept: ReadonlyMap<string, Kept>;
  /** Files that could not be read, or that a front end failed on: a check reads them itself, and says so. */
  readonly unread: readonly Unchecked[];
  /** Of those kept: known from the cache. */
  readonly remembered: number;
}

export interface StoreOptions {
  readonly settings: Settings;
  /** Whether the facts of a file are asked for. */
  readonly wanted: (file: string) => boolean;
  readonly cache?: FactsCache;
  readonly threads?: number;
  readonly progress?: (phase: string, done: number, total: number) => void;
}

/**
 * The facts of the files of a project, encoded. Which code a check will parse depends on files that may not be here, so every file is
 * extracted; what comes out for a file depends on nothing but that file and the configuration.
 */
export function factsToStore(source: Source, options: StoreOptions): StoredFiles {
  return withSqlParser(options.settings.sqlParser, () => extracted(source, options));
}

function extracted(source: Source, { settings, wanted, cache = noFacts, threads: many, progress }: StoreOptions) {
  const files = filesToRead(source.list().files, settings).filter(
    ([file, kind]) => wanted(file) && (kind !== 'code' || settings.isCode(file)),
  );
  const kept = new Map<string, Kept>();
  const unread: Unchecked[] = [];
  const texts = new Map<string, string>();
  const threads = new Threads(many ?? 1, files.length, settings.sqlParser);
  const inSql = new Map<string, FrontEnd>();
  let done = 0;
  let remembered = 0;
  const attempt = (file: string, run: () => Kept): void => {
    progress?.('extracting', ++done, files.length);
    try {
      kept.set(file, run());
    } catch (error) {
      unread.push({ file, reason: 'failed', detail: error instanceof Error ? error.message : String(error) });
    }
  };
  for (const [file, kind] of files) {
    const read = source.read(file);
    if ('gone' in read) continue;
    if (!('text' in read)) {
      unread.push({ file, reason: read.unchecked, ...(read.detail === undefined ? {} : { detail: read.detail }) });
      continue;
    }
    const { text } = read;
    const other = frontEndOf(file, kind, text, settings);
    const variant = other?.variant ?? '';
    const before = cache.remembered(file, text, variant);
    if (before || (other && !other.sql)) {
      if (before) remembered++;
      attempt(file, () => ({ key: keyOf(text, variant), bytes: encodeFacts(before ?? other!.run()) }));
    } else {
      texts.set(file, text);
      if (other) inSql.set(file, other);
      threads.give(file, text, other?.sql);
    }
  }
  threads.collect(
    new Set(texts.keys()),
    ({ file, text }) => {
      const other = inSql.get(file);
      const made = (): FileFacts => (other ? other.run() : extractTypescript(text, { file }));
      attempt(file, () => ({ key: keyOf(text, other?.variant ?? ''), bytes: encodeFacts(made()) }));
    },
    (bytes, { file, text }) => attempt(file, () => ({ key: keyOf(text, inSql.get(file)?.variant ?? ''), bytes })),
  );
  return { kept, unread, remembered };
}
