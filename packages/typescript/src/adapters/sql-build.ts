import { propertyOf, unknownValue, type Span, type TextPart, type Value } from '@tenant-lint/model';
import type { Piece } from './sql-pieces.js';
import { SqlScanner, type HolePosition } from './sql-scan.js';

/** A hole with where it stands and what it was replaced by. */
export interface Hole {
  readonly value: Value;
  readonly span: Span;
  readonly position: HolePosition;
  /** A bind parameter, or a name or fragment that the library writes: nothing is spliced into the text. */
  readonly bound: boolean;
  readonly quoted: boolean;
  /** Left out of the text: what it adds is not known. */
  readonly dropped: boolean;
  /** Left out where it can change which rows are reached. */
  readonly widens: boolean;
  readonly around: string;
}

/** Text in which every hole is replaced, with the way back to the file. */
export interface BuiltText {
  readonly text: string;
  readonly holes: readonly Hole[];
  /** Values of the placeholders that holes became, by name. */
  readonly values: ReadonlyMap<string, Value>;
  position(offset: number): number;
}

export interface BuildOptions {
  readonly holes?: 'bind' | 'splice';
  /** The place of what has no place of its own. */
  readonly span: Span;
  /** Holes that are no sure values stand as names, for the SQL front end to find out what the text can be. */
  readonly read?: 'values as names' | 'all as names';
}

interface Segment {
  readonly at: number;
  length: number;
  readonly start: number | undefined;
  /** Of a hole: where it ends in the file. */
  readonly end?: number;
}

export const holeName = (n: number): string => `__hole_${n}__`;
export const spliced = 'part of the condition is text that was not found';

/** Puts the pieces together: values become placeholders, names stand-in names, and a literal with holes one placeholder. */
export function buildText(pieces: readonly Piece[], options: BuildOptions): BuiltText {
  return new TextBuilder(pieces, options).build();
}

class TextBuilder {
  readonly #pieces: readonly Piece[];
  readonly #options: BuildOptions;
  readonly #holes: Hole[] = [];
  readonly #values = new Map<string, Value>();
  readonly #segments: Segment[] = [];
  readonly #scanner = new SqlScanner();
  #text = '';
  /** The text as the program has it, `?` for each hole. */
  #shown = '';
  #next: number;
  #quoted: { at: number; parts: TextPart[] } | undefined;

  constructor(pieces: readonly Piece[], options: BuildOptions) {
    this.#pieces = pieces;
    this.#options = options;
    // Numbers that the text uses itself stay what they are.
    const literal = pieces.map((p) => ('text' in p ? p.text : '')).join(' ');
    this.#next = [...literal.matchAll(/\$(\d{1,6})\b/g)].reduce((max, m) => Math.max(max, Number(m[1])), 0) + 1;
  }

  build(): BuiltText {
    this.#pieces.forEach((piece, i) => {
      if ('text' in piece) this.#readText(piece);
      else this.#readHole(piece, i);
      this.#shown += shownPiece(piece);
    });
    if (this.#quoted) this.#closeLiteral();
    const segments = this.#segments;
    const { span } = this.#options;
    const text = this.#text;
    return {
      text,
      holes: this.#holes,
      values: this.#values,
      position: (offset) => positionOf(segments, text, offset, span),
    };
  }

  #placeholder(value: Value): string {
    const name = String(this.#next++);
    this.#values.set(name, value);
    return `$${name}`;
  }

  #append(what: string, start: number | undefined, end?: number): void {
    this.#segments.push({ at: this.#text.length, length: what.length, start, ...(end === undefined ? {} : { end }) });
    this.#text += what;
  }

  #readText(piece: Extract<Piece, { text: string }>): void {
    let from = 0;
    if (this.#quoted) {
      const end = endOfLiteral(piece.text);
      const inside = piece.text.slice(0, end ?? piece.text.length).replaceAll("''", "'");
      this.#quoted.parts.push({ text: inside, start: piece.start ?? this.#options.span.start, exact: false });
      this.#scanner.read(piece.text.slice(0, end === undefined ? piece.text.length : end + 1));
      if (end === undefined) return;
      this.#closeLiteral();
      from = end + 1;
    }
    const rest = piece.text.slice(from);
    this.#scanner.read(rest);
    this.#append(
      rest,
      piece.start === undefined ? undefined : piece.start + (piece.end === undefined ? from : 0),
      piece.end,
    );
  }

  #readHole(piece: Extract<Piece, { hole: Value }>, index: number): void {
    const following = this.#pieces[index + 1];
    const { restricts } = this.#scanner;
    const natural = this.#scanner.hole(following && 'text' in following ? following.text : '');
    if (this.#numbersParameter(natural)) return this.#computedParameter(piece);
    const bound = piece.as === 'bind' || (piece.as === 'any' && this.#options.holes === 'bind');
    const stands = this.#standsAs(natural, piece.as, bound);
    const number = this.#holes.length;
    const written = this.#write(stands, piece.hole, number, bound);
    this.#holes.push({
      value: piece.hole,
      span: piece.span,
      // Text that stands as a name for want of anything better is no name yet.
      position: piece.as === 'quoted' || piece.as === 'fragment' ? stands : natural,
      bound,
      quoted: piece.as === 'quoted' || (natural === 'quoted-identifier' && piece.doubled === true),
      dropped: written === ' ' && stands === 'fragment',
      widens: written === ' ' && stands === 'fragment' && restricts,
      around: around(this.#shown, shownAfter(this.#pieces, index)),
    });
    if (written !== undefined) this.#append(written, piece.span.start, piece.span.end);
    else this.#openLiteral({ hole: piece.hole, span: piece.span }, piece.span.start);
  }

  /** `$${n}`: the number of a parameter, not its value. */
  #numbersParameter(natural: HolePosition): boolean {
    return natural !== 'literal' && natural !== 'comment' && natural !== 'dollar' && /(?:^|[^$\w])\$$/.test(this.#text);
  }

  #computedParameter(piece: Extract<Piece, { hole: Value }>): void {
    this.#text = this.#text.slice(0, -1);
    const last = this.#segments.at(-1);
    if (last) last.length--;
    this.#append(
      this.#placeholder(unknownValue('a parameter whose number is computed')),
      piece.span.start,
      piece.span.end,
    );
  }

  /** The position that a hole is written for. */
  #standsAs(natural: HolePosition, as: Extract<Piece, { hole: Value }>['as'], bound: boolean): HolePosition {
    if (natural === 'comment' || natural === 'dollar' || natural === 'literal' || natural === 'quoted-identifier')
      return natural;
    if (as === 'fragment') return 'fragment';
    if (as === 'quoted' || as === 'name') return natural === 'schema' ? 'schema' : 'identifier';
    const { read } = this.#options;
    if (
      read &&
      (as === 'any' || as === 'spliced') &&
      (natural === 'value' || (natural === 'fragment' && read === 'all as names'))
    )
      return 'identifier';
    return as === 'bind' && bound ? 'value' : natural;
  }

  /** What stands for a hole; undefined inside a literal, which becomes a value as a whole. */
  #write(position: HolePosition, value: Value, number: number, bound: boolean): string | undefined {
    switch (position) {
      case 'value':
        // A list behind IN is written with its parentheses by libraries that bind.
        return bound && /\bin\s*$/i.test(this.#text)
          ? `(${this.#placeholder(propertyOf(value, '*'))})`
          : this.#placeholder(value);
      case 'identifier':
      case 'schema':
      case 'quoted-identifier':
      case 'dollar':
        return holeName(number);
      case 'fragment':
        // What is a whole condition or sort key stands for itself; anything else is left out and remembered.
        if (!/\b(?:where|and|or|not|on|having|by|select)\s*\(*\s*$/i.test(this.#text)) return ' ';
        return this.#placeholder(bound ? value : unknownValue(spliced));
      case 'comment':
        return ' ';
      case 'literal':
        return undefined;
    }
  }

  #openLiteral(hole: TextPart, start: number): void {
    if (!this.#quoted) {
      let at = this.#text.lastIndexOf("'");
      // A doubled quote belongs to the literal that is open.
      while (at > 0 && this.#text[at - 1] === "'") at = this.#text.lastIndexOf("'", at - 2);
      const head = this.#text.slice(at + 1).replaceAll("''", "'");
      this.#quoted = { at, parts: head ? [{ text: head, start, exact: false }] : [] };
    }
    this.#quoted.parts.push(hole);
  }

  #closeLiteral(): void {
    const { at, parts } = this.#quoted!;
    this.#quoted = undefined;
    const kept = parts.filter((p) => 'hole' in p || p.text !== '');
    const only = kept.length === 1 ? kept[0] : undefined;
    const value: Value = only && 'hole' in only ? only.hole : { kind: 'text', parts: kept, span: this.#options.span };
    const written = this.#placeholder(value);
    // An E'' prefix belongs to the literal.
    const cut = Math.max(0, /(?:^|\W)[eE]$/.test(this.#text.slice(0, at)) ? at - 1 : at);
    const last = this.#segments.at(-1);
    if (last) last.length = Math.max(0, cut - last.at);
    this.#text = this.#text.slice(0, cut);
    const hole = parts.find((p) => 'hole' in p);
    if (hole && 'hole' in hole) this.#append(written, hole.span.start, hole.span.end);
    else this.#append(written, undefined);
  }
}

/** Index of the quote that ends a literal in which `text` continues. */
function endOfLiteral(text: string): number | undefined {
  for (let i = 0; i < text.length; i++) {
    if (text[i] !== "'") continue;
    if (text[i + 1] === "'") i++;
    else return i;
  }
  return undefined;
}

/** Where an offset of the text is in the file. */
function positionOf(segments: readonly Segment[], text: string, offset: number, span: Span): number {
  let low = 0;
  let high = segments.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (segments[middle]!.at <= offset) low = middle;
    else high = middle - 1;
  }
  // No token begins with white space: an offset before it, where two pieces meet, is the end of the first one.
  if (low > 0 && segments[low]?.at === offset && !/\S/.test(text[offset] ?? '')) low--;
  const segment = segments[low];
  if (segment?.start === undefined) return span.start;
  const inside = offset - segment.at;
  if (segment.end !== undefined) return inside >= segment.length ? segment.end : segment.start;
  return segment.start + Math.min(Math.max(0, inside), segment.length);
}

const shownPiece = (piece: Piece): string => ('text' in piece ? piece.text : '?');

/** What follows a piece, as far as anybody looks. */
function shownAfter(pieces: readonly Piece[], i: number): string {
  let after = '';
  for (let k = i + 1; k < pieces.length && after.length < 200; k++) after += shownPiece(pieces[k]!);
  return after;
}

/** The words around a hole: of its own statement, and whole ones where the beginning is cut off. */
function around(before: string, after: string): string {
  const statement = before.replace(/\s+/g, ' ').split(';').at(-1) ?? '';
  const near = statement.length > 40 ? statement.slice(-40).replace(/^\S* /, '') : statement;
  return `${near}?${after.replace(/\s+/g, ' ').slice(0, 20)}`.trim();
}
