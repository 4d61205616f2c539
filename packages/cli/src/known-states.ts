import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { cacheFile, writeCacheFile, type Settings, type Source } from '@tenant-lint/workspace';
import { findingKey, uncheckedKey, type KnownBefore } from './changed.js';
import type { CheckFlags } from './options.js';
import type { Report } from '@tenant-lint/engine';
import { version } from './version.js';

/** How many states are kept: the index and the last commit, with some room for branches. */
const most = 4;

interface Kept extends KnownBefore {
  readonly key: string;
}

/**
 * What was found in states of the repository that git knows by their content: what is staged now is the commit before the next one, so that a
 * hook analyses each state once. They are kept with the facts of files, and only where those are.
 */
export class KnownStates {
  readonly #file: string | undefined;
  readonly #made: string;
  #kept: readonly Kept[];

  /** `flags`, `settings`: all that a report depends on besides the files. */
  constructor(
    root: string,
    settings: Settings,
    flags: Pick<CheckFlags, 'rule' | 'severity' | 'confidence' | 'cache' | 'types' | 'url'>,
  ) {
    // What a type checker says depends on what is installed, and a database is as it is today: git knows neither.
    this.#file = flags.cache && !flags.types && flags.url === undefined ? cacheFile(root, 'states.json') : undefined;
    this.#made = JSON.stringify([version, settings.config, flags.rule, flags.severity, flags.confidence]);
    this.#kept = this.#file === undefined ? [] : read(this.#file);
  }

  /** What is known of a state; undefined where it has not been seen, or cannot be told from others. */
  of(source: Source): KnownBefore | undefined {
    const key = this.#keyOf(source);
    return key === undefined ? undefined : this.#kept.find((k) => k.key === key);
  }

  /** Keeps what was found in a state. */
  keep(source: Source, { findings, unchecked }: Pick<Report, 'findings' | 'unchecked'>): void {
    const key = this.#keyOf(source);
    if (this.#file === undefined || key === undefined) return;
    const made: Kept = { key, findings: findings.map(findingKey), unchecked: unchecked.map(uncheckedKey) };
    this.#kept = [made, ...this.#kept.filter((k) => k.key !== key)].slice(0, most);
    writeCacheFile(this.#file, JSON.stringify(this.#kept));
  }

  #keyOf(source: Source): string | undefined {
    const state = source.state?.();
    return state === undefined ? undefined : createHash('sha256').update(this.#made).update(state).digest('hex');
  }
}

function read(file: string): readonly Kept[] {
  try {
    const kept: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return Array.isArray(kept) ? kept.filter(isKept) : [];
  } catch {
    return [];
  }
}

function isKept(one: unknown): one is Kept {
  if (typeof one !== 'object' || one === null) return false;
  const { key, findings, unchecked } = one as Record<string, unknown>;
  const texts = (list: unknown): boolean => Array.isArray(list) && list.every((t) => typeof t === 'string');
  return typeof key === 'string' && texts(findings) && texts(unchecked);
}
