import type { Span, TextPart, Value } from '@tenant-lint/model';
import type { Expansion } from './sql-pieces.js';

/** How a driver writes a value into the text: as a parameter or an escaped literal, as a quoted name, as it is. */
export type Writing = 'bind' | 'name' | 'raw';

const prefix = 'written as ';

/** A hole of a text that says how the driver writes it. */
export const marked = (value: Value, writing: Writing, span: Span): TextPart => ({
  hole: { kind: 'apply', function: `${prefix}${writing}`, to: [value], span },
  span,
});

/** What a marked hole stands for; undefined for any other hole. */
export function expandMarked(hole: Value): Expansion | undefined {
  const [of] = hole.kind === 'apply' && hole.function.startsWith(prefix) ? hole.to : [];
  if (!of || hole.kind !== 'apply') return undefined;
  switch (hole.function.slice(prefix.length) as Writing) {
    case 'bind':
      return { bind: of };
    case 'name':
      return { identifier: of, quoted: true };
    case 'raw':
      return { identifier: of, quoted: false };
  }
}

/** A text that has no place of its own in the file. */
export const textPart = (text: string, span: Span): TextPart => ({ text, start: span.start, exact: false });

/** A name as SQL quotes it. */
export const quotedName = (name: string): string => `"${name.replaceAll('"', '""')}"`;
