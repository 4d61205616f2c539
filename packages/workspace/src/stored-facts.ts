import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { FileFacts } from '@tenant-lint/model';
import { encodeFacts } from './codec.js';

/** Raised whenever the shape or the meaning of facts changes, so that no run links facts of another version. */
const formatVersion = 4;

/** The version of the tool that is running, and of its facts. Facts of another release may mean something else, even where their shape is the same. */
export const versionOfFacts = `${formatVersion} ${
  (JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }).version
}`;

/** What the facts of a file were made of: its text, and what else went into their making. */
export const keyOf = (text: string, variant: string): string =>
  createHash('sha256').update(variant).update('\0').update(text).digest('hex').slice(0, 16);

/** Facts as they are kept: encoded, or not yet. */
export type Kept =
  { readonly key: string; readonly bytes: Uint8Array } | { readonly key: string; readonly facts: FileFacts };

/** What stored facts begin with: how long the table is, in four bytes, and the table as JSON. The facts follow it. */
interface Table {
  readonly version: string;
  /** File, key, and how many bytes its facts are. */
  readonly entries: readonly (readonly [file: string, key: string, length: number])[];
}

/** Facts of files as bytes, in the order of the files' names: equal facts are equal bytes. */
export function storedFacts(kept: ReadonlyMap<string, Kept>): Uint8Array {
  const parts: Uint8Array[] = [];
  const entries: [string, string, number][] = [];
  for (const [file, entry] of [...kept].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const bytes = 'bytes' in entry ? entry.bytes : encodeFacts(entry.facts);
    parts.push(bytes);
    entries.push([file, entry.key, bytes.length]);
  }
  const table = Buffer.from(JSON.stringify({ version: versionOfFacts, entries } satisfies Table));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(table.length);
  return Buffer.concat([length, table, ...parts]);
}

/** What storedFacts made the bytes of; the version alone where that is another than ours. Throws where they are not such bytes. */
export function readStoredFacts(bytes: Uint8Array): { readonly version: string; readonly kept: Map<string, Kept> } {
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const kept = new Map<string, Kept>();
  let at = 4 + all.readUInt32BE();
  const { version, entries } = JSON.parse(all.toString('utf8', 4, at)) as Table;
  if (version !== versionOfFacts) return { version, kept };
  for (const [file, key, length] of entries) {
    if (at + length > all.length) throw new RangeError('not all the facts of its table');
    kept.set(file, { key, bytes: all.subarray(at, at + length) });
    at += length;
  }
  return { version, kept };
}
