import { lstatSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { codeOf } from './discover.js';

/** Beyond this size a file is data, not source. */
export const maxBytes = 8 << 20;

export type Read =
  | { readonly text: string }
  | { readonly unchecked: string; readonly detail?: string }
  /** It was there when files were listed: deleted in the work tree, or since. */
  | { readonly gone: true };

/**
 * The text of a file: UTF-8, or UTF-16 with a byte order mark. The mark itself is no part of the text: neither editors nor SARIF count it in
 * columns. Binary, huge and unreadable files are named, never thrown. A path that leads out of the root (a stranger writes the `extends` of a
 * compiler configuration) names no file.
 */
export function readSource(root: string, file: string): Read {
  if (path.isAbsolute(file) || file.split(/[\\/]/).includes('..')) return { gone: true };
  const full = path.join(root, file);
  try {
    const stat = statSync(full);
    if (!stat.isFile())
      return { unchecked: 'unreadable', detail: stat.isDirectory() ? 'a folder' : 'not a regular file' };
    if (stat.size > maxBytes) return { unchecked: 'too-large', detail: `${Math.round(stat.size / 1024 / 1024)} MB` };
    return decode(readFileSync(full));
  } catch (error) {
    if (codeOf(error) === 'ENOENT' && !isThere(full)) return { gone: true };
    return { unchecked: 'unreadable', detail: codeOf(error) };
  }
}

/** The text that some bytes are; binary ones are named. */
export function decode(content: Uint8Array): Read {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return { text: bytes.toString('utf16le', 2) };
  if (bytes[0] === 0xfe && bytes[1] === 0xff) {
    // Whole units only: the last byte of an odd number is none.
    const units = Buffer.from(bytes.subarray(2, bytes.length - (bytes.length % 2)));
    return { text: units.swap16().toString('utf16le') };
  }
  if (isBinary(bytes)) return { unchecked: 'binary' };
  const text = bytes.toString('utf8');
  return { text: text.charCodeAt(0) === 0xfeff ? text.slice(1) : text };
}

/** A link that leads nowhere is there; a deleted file is not. */
function isThere(full: string): boolean {
  try {
    lstatSync(full);
    return true;
  } catch {
    return false;
  }
}

/** A NUL here and there is text (it may stand in a template literal); one in a hundred bytes is not. */
function isBinary(bytes: Buffer): boolean {
  const head = bytes.subarray(0, 8192);
  if (!head.includes(0)) return false;
  let zeros = 0;
  for (const byte of head) if (byte === 0) zeros++;
  return zeros * 100 > head.length;
}
