/** A range of a file, in UTF-16 units of its original text; `end` is exclusive. `file` is relative to the root, with forward slashes. */
export interface Span {
  readonly file: string;
  readonly start: number;
  readonly end: number;
}

/** Knowing is a value: a front end either determined something, or says why it could not. */
export type Known<T> = { readonly known: true; readonly value: T } | { readonly known: false; readonly reason: string };

export const known = <T>(value: T): Known<T> => ({ known: true, value });
export const notKnown = <T = never>(reason: string): Known<T> => ({ known: false, reason });

/** True if `inner` lies within `outer` in the same file. */
export const spanContains = (outer: Span, inner: Span): boolean =>
  outer.file === inner.file && outer.start <= inner.start && inner.end <= outer.end;

/** Offsets at which the lines of `text` begin. `\r\n`, `\n` and `\r` end a line. */
export function lineStartsOf(text: string): number[] {
  const starts = [0];
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 10 || (c === 13 && text.charCodeAt(i + 1) !== 10)) starts.push(i + 1);
  }
  return starts;
}

/** Line and column (both from 1, columns in UTF-16 units) of an offset, given the offsets at which lines begin. */
export function positionAt(lineStarts: readonly number[], offset: number): { line: number; column: number } {
  let low = 0;
  let high = lineStarts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((lineStarts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return { line: low + 1, column: offset - (lineStarts[low] ?? 0) + 1 };
}
