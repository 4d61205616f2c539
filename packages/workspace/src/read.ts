import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { codeOf } from './discover.js';

/** Beyond this size a file is data, not source. */
const maxBytes = 8 << 20;

export type Read = { readonly text: string } | { readonly unchecked: string; readonly detail?: string };

/**
 * The text of a file: UTF-8 with or without a byte order mark (kept, so that offsets are those of the editor), UTF-16 with one. Binary,
 * huge and unreadable files are named, never thrown.
 */
export function readSource(root: string, file: string): Read {
  const full = path.join(root, file);
  try {
    const stat = statSync(full);
    if (!stat.isFile())
      return { unchecked: 'unreadable', detail: stat.isDirectory() ? 'a folder' : 'not a regular file' };
    if (stat.size > maxBytes) return { unchecked: 'too-large', detail: `${Math.round(stat.size / 1024 / 1024)} MB` };
    const bytes = readFileSync(full);
    if (bytes.length >= 2 && bytes[0] === 0xff && bytes[1] === 0xfe) return { text: bytes.toString('utf16le') };
    if (bytes.length >= 2 && bytes[0] === 0xfe && bytes[1] === 0xff)
      return { text: Buffer.from(bytes).swap16().toString('utf16le') };
    if (bytes.subarray(0, 8192).includes(0)) return { unchecked: 'binary' };
    return { text: bytes.toString('utf8') };
  } catch (error) {
    return { unchecked: 'unreadable', detail: codeOf(error) };
  }
}
