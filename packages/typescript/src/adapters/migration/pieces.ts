import type { Span, Value } from '@tenant-lint/model';

/**
 * A piece of a statement with where it comes from. `exact`: the text is what stands in the file from the span's start on. `hole`: what
 * stands there is not known, and why.
 */
export interface Piece {
  readonly text: string;
  readonly span: Span;
  readonly exact?: true;
  readonly hole?: string;
}

export const piece = (text: string, span: Span): Piece => ({ text, span });

/** Pieces with a text between each two. */
export function joined(lists: readonly (readonly Piece[])[], by: string, span: Span): readonly Piece[] {
  return lists.flatMap((list, i) => (i === 0 ? list : [piece(by, span), ...list]));
}

export const textOfPieces = (pieces: readonly Piece[]): string => pieces.map((p) => p.text).join('');

/** A name as SQL writes it. */
export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
/** `schema.table` as libraries read it: parts at the dots, each quoted. */
export const quotedPath = (name: string): string => name.split('.').map(quoted).join('.');
export const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** A value as a literal of SQL; undefined where it is none. */
export function literalOf(value: Value): string | undefined {
  if (value.kind !== 'constant') return undefined;
  const { value: of } = value;
  return of === null ? 'NULL' : typeof of === 'string' ? literal(of) : String(of);
}

/** The stand-in for what is not known, and whether a text holds one. */
export const standIn = (n: number): string => `__hole_${n}__`;
export const holdsStandIn = (text: string): boolean => /__hole_\d+__/.test(text);

/** Splits pieces at the matches of a pattern; `replace` says what stands for each match, undefined leaves it. */
export function replaced(
  pieces: readonly Piece[],
  pattern: RegExp,
  replace: (match: RegExpMatchArray) => Omit<Piece, 'span'> | undefined,
): readonly Piece[] {
  return pieces.flatMap((p): readonly Piece[] => {
    if (p.hole !== undefined) return [p];
    const out: Piece[] = [];
    let from = 0;
    for (const match of p.text.matchAll(pattern)) {
      const by = replace(match);
      if (!by) continue;
      const end = match.index + match[0].length;
      if (match.index > from) out.push(part(p, from, match.index));
      out.push({ ...by, span: part(p, match.index, end).span });
      from = end;
    }
    return from === 0 ? [p] : from < p.text.length ? [...out, part(p, from, p.text.length)] : out;
  });
}

/** A part of a piece. */
export function part(p: Piece, from: number, to: number): Piece {
  const span = p.exact ? { ...p.span, start: p.span.start + from, end: p.span.start + to } : p.span;
  return { ...p, text: p.text.slice(from, to), span };
}

/** A text made of pieces, and the way from its offsets back to files. */
export class Placed {
  readonly text: string;
  readonly #starts: number[] = [];
  readonly #pieces: readonly Piece[];

  constructor(pieces: readonly Piece[]) {
    this.#pieces = pieces.filter((p) => p.text !== '');
    let text = '';
    for (const p of this.#pieces) {
      this.#starts.push(text.length);
      text += p.text;
    }
    this.text = text;
  }

  #at(offset: number): number {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#starts[middle]! <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** The place of a range of the text. */
  place(start: number, end: number): Span | undefined {
    const first = this.#at(start);
    const last = this.#at(Math.max(start, end - 1));
    const [head, tail] = [this.#pieces[first], this.#pieces[last]];
    if (!head || !tail) return undefined;
    const from = head.exact ? head.span.start + (start - this.#starts[first]!) : head.span.start;
    const to = tail.exact ? tail.span.start + (end - this.#starts[last]!) : tail.span.end;
    return tail.span.file === head.span.file && to >= from
      ? { file: head.span.file, start: from, end: to }
      : { ...head.span, start: from, end: Math.max(from, head.span.end) };
  }
}
