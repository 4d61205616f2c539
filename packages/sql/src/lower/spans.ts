import type { Node } from '@pgsql/types';
import type { Span } from '@tenant-lint/model';
import type { Context } from './context.js';

/** The part of the file that a node (with everything in it) covers. Nodes have no end, so it is read from the tokens of the text. */
export function nodeSpan(context: Context, ...nodes: readonly (Node | object | undefined)[]): Span | undefined {
  first = Infinity;
  last = -1;
  visitLocations(nodes);
  return last < 0 ? undefined : spanFrom(context, context.offset(first), context.offset(last));
}

/** The first and last location that were visited. */
let first = Infinity;
let last = -1;

function visitLocations(part: object): void {
  // Of lists the keys are the indices.
  for (const key in part) {
    const value = (part as Readonly<Record<string, unknown>>)[key];
    if (typeof value === 'object') {
      if (value !== null) visitLocations(value);
    } else if (key === 'location' && typeof value === 'number' && value >= 0) {
      if (value < first) first = value;
      if (value > last) last = value;
    }
  }
}

/** From an offset of the text to the end of the expression whose last token begins at `last`. */
export function spanFrom(context: Context, start: number, last: number): Span {
  const end = context.text === undefined ? last + 1 : expressionEnd(context.text, start, tokenEnd(context.text, last));
  return spanAt(context, start, end);
}

/** A range of the text as a range of the file. */
export function spanAt(context: Context, start: number, end: number): Span {
  const from = context.place(start);
  return { file: context.file, start: from, end: Math.max(from + 1, context.place(end)) };
}

const word = /[\p{L}_][\p{L}\p{N}_$]*/uy;
const number = /\d[\d_]*(?:\.\d*)?(?:[eE][+-]?\d+)?|\$\d+/y;
const operator = /[-+*/<>=~!@#%^&|`?:]+/y;
const dollar = /\$(?:[\p{L}_][\p{L}\p{N}_]*)?\$/uy;
const isTest = /\s+(?:not\s+)?(?:null|true|false|unknown)\b/iy;

function match(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}

/** The end of the token at `at`; dotted names and what follows IS belong to it. */
export function tokenEnd(text: string, at: number): number {
  const c = text[at];
  if (c === undefined) return text.length;
  if (c === "'" || c === '"') return names(text, quotedEnd(text, at, false));
  if (/[eEbBxXnN]/.test(c) && text[at + 1] === "'") return quotedEnd(text, at + 1, c === 'e' || c === 'E');
  const tag = match(dollar, text, at);
  if (tag) {
    const close = text.indexOf(tag, at + tag.length);
    return close < 0 ? text.length : close + tag.length;
  }
  const name = match(word, text, at);
  if (name) {
    const end = at + name.length;
    if (name.toLowerCase() === 'is') return end + (match(isTest, text, end)?.length ?? 0);
    return names(text, end);
  }
  return at + (match(number, text, at) ?? match(operator, text, at) ?? c).length;
}

/** Continues a name over `.name`, `."name"` and `.*`, and over the arguments of a call. */
function names(text: string, end: number): number {
  for (;;) {
    const c = text[end];
    if (c === '(') return closing(text, end);
    if (c !== '.') return end;
    if (text[end + 1] === '*') return end + 2;
    if (text[end + 1] === '"') end = quotedEnd(text, end + 1, false);
    else {
      const next = match(word, text, end + 1);
      if (!next) return end;
      end += 1 + next.length;
    }
  }
}

/** The end of the quoted text that begins at `at`. A doubled quote does not end it. */
export function quotedEnd(text: string, at: number, backslash: boolean): number {
  const quote = text[at];
  for (let i = at + 1; i < text.length; i++) {
    if (backslash && text[i] === '\\') i++;
    else if (text[i] === quote) {
      if (text[i + 1] !== quote) return i + 1;
      i++;
    }
  }
  return text.length;
}

/** The end after the parenthesis that closes the one at `open`. */
function closing(text: string, open: number): number {
  let depth = 0;
  for (let i = open; i < text.length;) {
    const c = text[i];
    if (c === '(' || c === '[') depth++;
    else if (c === ')' || c === ']') {
      if (--depth === 0) return i + 1;
    } else if (c === "'" || c === '"') {
      i = quotedEnd(text, i, false);
      continue;
    }
    i++;
  }
  return text.length;
}

/** Extends a range over the parentheses that it opens and leaves open. */
function expressionEnd(text: string, start: number, end: number): number {
  let depth = 0;
  for (let i = start; i < end;) {
    const c = text[i];
    if (c === '(' || c === '[') depth++;
    else if (c === ')' || c === ']') depth--;
    else if (c === "'" || c === '"') {
      i = quotedEnd(text, i, false);
      continue;
    }
    i++;
  }
  while (depth > 0) {
    const next = /[)\]]/g;
    next.lastIndex = end;
    const found = next.exec(text);
    if (!found || /[^\s)\]]/.test(text.slice(end, found.index))) break;
    end = found.index + 1;
    depth--;
  }
  return end;
}
