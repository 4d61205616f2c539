import { lowerEmbedded, type EmbeddedSql } from '@tenant-lint/sql';
import {
  mapAccess,
  unknownValue,
  type Access,
  type Interpolation,
  type LowerContext,
  type Predicate,
  type Span,
  type Target,
  type TextPart,
  type Value,
} from '@tenant-lint/model';
import { piecesOf, type Expand, type Piece } from './sql-pieces.js';
import { SqlScanner, type HolePosition } from './sql-scan.js';
import { rewritePredicate, substitutePlaceholders } from './substitute.js';

/** How the text is used, and on whose behalf. */
export interface SqlTextOptions {
  readonly file: string;
  /** The adapter that hands the text over. */
  readonly library: string;
  /** Prefix of the accesses' ids. */
  readonly id: string;
  /** The place of the whole call, for what has no place of its own. */
  readonly span: Span;
  readonly context: LowerContext;
  /** 'bind': a tagged template, whose holes are bind parameters; 'splice' (the default): a hole becomes part of the text. */
  readonly holes?: 'bind' | 'splice';
  /** What fragments of the library stand for: Prisma.sql, sql.identifier. */
  readonly expand?: Expand;
}

export interface LoweredText {
  readonly accesses: readonly Access[];
  readonly unchecked: readonly { readonly reason: string; readonly span: Span }[];
}

/**
 * Lowers the SQL text that a value is to accesses. `parameters` are the values of `$1`, `$2` ... in order; undefined where they are not
 * known. Holes become placeholders or names by where they stand; what is spliced into the text is listed as an interpolation. Never throws.
 */
export function lowerSqlText(
  text: Value,
  parameters: readonly Value[] | undefined,
  options: SqlTextOptions,
): LoweredText {
  const alternatives = piecesOf(text, options.span, options.context, options.expand);
  if (typeof alternatives === 'string') {
    return { accesses: [], unchecked: [{ reason: `SQL text was not found: ${alternatives}`, span: options.span }] };
  }
  const accesses: Access[] = [];
  const unchecked: { reason: string; span: Span }[] = [];
  alternatives.forEach((pieces, i) => {
    const id = alternatives.length > 1 ? `${options.id}.${i}` : options.id;
    const lowered = lowerPieces(pieces, parameters, { ...options, id });
    accesses.push(...lowered.accesses);
    unchecked.push(...lowered.unchecked);
  });
  return { accesses, unchecked };
}

/** A hole with where it stands and what it was replaced by. */
interface Hole {
  readonly value: Value;
  readonly span: Span;
  readonly position: HolePosition;
  readonly bound: boolean;
  readonly quoted: boolean;
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

const holeName = (n: number): string => `__hole_${n}__`;
const holePattern = /__hole_(\d+)__/;
const spliced = 'part of the condition is text that was not found';

function lowerPieces(
  pieces: readonly Piece[],
  parameters: readonly Value[] | undefined,
  options: SqlTextOptions,
): LoweredText {
  let built = buildText(pieces, options, (position) => position);
  let result = lowerBuilt(built, options);
  if (result.unchecked.length > 0 && built.holes.some((h) => !h.bound && h.position === 'value')) {
    // A spliced hole can be more than a value (a list of columns, the rest of the statement); the first reading that parses is taken.
    for (const other of ['identifier', 'fragment'] as const) {
      const next = buildText(pieces, options, (position, bound) => (position === 'value' && !bound ? other : position));
      const retried = lowerBuilt(next, options);
      if (retried.unchecked.length === 0) {
        [built, result] = [next, retried];
        break;
      }
    }
  }
  const by = (name: string): Value | undefined =>
    built.values.get(name) ??
    (name.startsWith('hole:') ? built.holes[Number(name.slice(5))]?.value : parameters?.[Number(name) - 1]);
  const accesses = result.accesses.map((access) => finish(substitutePlaceholders(access, by), built, options));
  return { accesses: withInterpolations(accesses, built, options), unchecked: result.unchecked };
}

function lowerBuilt(built: BuiltText, options: SqlTextOptions): LoweredText {
  const embedded: EmbeddedSql = {
    file: options.file,
    text: built.text,
    idPrefix: options.id,
    library: options.library,
    span: options.span,
    position: built.position,
  };
  const { accesses, unchecked } = lowerEmbedded(embedded);
  return {
    accesses,
    unchecked: unchecked.map((u) => ({
      reason: u.detail ? `${u.reason}: ${u.detail}` : u.reason,
      span: u.span ?? options.span,
    })),
  };
}

/** Puts the pieces together. `read` may change how a hole is taken. Exported for conditions, which are part of a statement of their own. */
export function buildText(
  pieces: readonly Piece[],
  options: Pick<SqlTextOptions, 'holes' | 'span'>,
  read: (position: HolePosition, bound: boolean) => HolePosition = (position) => position,
): BuiltText {
  const literal = pieces.map((p) => ('text' in p ? p.text : '')).join(' ');
  let next = Math.max(0, ...[...literal.matchAll(/\$(\d{1,6})\b/g)].map((m) => Number(m[1]))) + 1;
  const holes: Hole[] = [];
  const values = new Map<string, Value>();
  const segments: { at: number; length: number; start: number | undefined; hole: boolean }[] = [];
  const scanner = new SqlScanner();
  let text = '';
  let quoted: { at: number; parts: TextPart[] } | undefined;
  const placeholder = (value: Value): string => {
    const name = String(next++);
    values.set(name, value);
    return `$${name}`;
  };
  const append = (what: string, start: number | undefined, hole: boolean): void => {
    segments.push({ at: text.length, length: what.length, start, hole });
    text += what;
  };
  pieces.forEach((piece, i) => {
    if ('text' in piece) {
      let from = 0;
      if (quoted) {
        const end = endOfLiteral(piece.text);
        quoted.parts.push({
          text: piece.text.slice(0, end ?? piece.text.length).replaceAll("''", "'"),
          start: piece.start ?? options.span.start,
          exact: false,
        });
        scanner.read(piece.text.slice(0, end === undefined ? piece.text.length : end + 1));
        if (end === undefined) return;
        closeLiteral();
        from = end + 1;
      }
      const rest = piece.text.slice(from);
      scanner.read(rest);
      append(rest, piece.start === undefined ? undefined : piece.start + from, false);
      return;
    }
    const following = pieces[i + 1];
    const after = following && 'text' in following ? following.text : '';
    const before = pieces[i - 1];
    const natural = scanner.hole(after);
    const bound =
      piece.as === 'bind' ||
      (piece.as === 'any' && options.holes === 'bind' && natural !== 'literal' && natural !== 'quoted-identifier');
    const named = piece.as === 'quoted' || piece.as === 'name';
    let position = named && natural !== 'schema' ? 'identifier' : read(natural, bound);
    // A bound hole is a parameter wherever it stands.
    if (bound && position !== 'comment' && position !== 'dollar') position = 'value';
    const number = holes.length;
    holes.push({
      value: piece.hole,
      span: piece.span,
      position,
      bound,
      quoted: piece.as === 'quoted',
      around: around(before && 'text' in before ? before.text : '', after),
    });
    const start = piece.span.start;
    switch (position) {
      case 'value':
        return append(placeholder(piece.hole), start, true);
      case 'identifier':
      case 'schema':
      case 'quoted-identifier':
      case 'dollar':
        return append(holeName(number), start, true);
      case 'fragment':
        // A condition stands for itself; anything else is left out and remembered.
        return append(
          /\b(?:where|and|or|not|on|having|by|select)\s*\(*\s*$/i.test(text) ? placeholder(unknownValue(spliced)) : ' ',
          start,
          true,
        );
      case 'comment':
        return append(' ', start, true);
      case 'literal': {
        if (!quoted) {
          const at = text.lastIndexOf("'");
          quoted = { at, parts: [] };
          const head = text.slice(at + 1).replaceAll("''", "'");
          if (head) quoted.parts.push({ text: head, start, exact: false });
        }
        quoted.parts.push({ hole: piece.hole, span: piece.span });
      }
    }
  });
  if (quoted) closeLiteral();
  return { text, holes, values, position: (offset) => positionOf(segments, offset, options.span) };

  /** A literal with holes is a value of its own: the quotes and what is between them become one placeholder. */
  function closeLiteral(): void {
    const { at, parts } = quoted!;
    quoted = undefined;
    const kept = parts.filter((p) => 'hole' in p || p.text !== '');
    const only = kept.length === 1 ? kept[0] : undefined;
    const value: Value = only && 'hole' in only ? only.hole : { kind: 'text', parts: kept, span: options.span };
    const written = placeholder(value);
    // An E'' prefix belongs to the literal.
    const cut = /(?:^|\W)[eE]$/.test(text.slice(0, at)) ? at - 1 : at;
    const last = segments.at(-1);
    if (last) last.length = Math.max(0, cut - last.at);
    text = text.slice(0, cut);
    const hole = parts.find((p) => 'hole' in p);
    append(written, hole && 'hole' in hole ? hole.span.start : undefined, true);
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

function positionOf(
  segments: readonly { at: number; length: number; start: number | undefined; hole: boolean }[],
  offset: number,
  span: Span,
): number {
  let low = 0;
  let high = segments.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (segments[middle]!.at <= offset) low = middle;
    else high = middle - 1;
  }
  const segment = segments[low];
  if (segment?.start === undefined) return span.start;
  return segment.hole ? segment.start : segment.start + Math.min(Math.max(0, offset - segment.at), segment.length);
}

const around = (before: string, after: string): string =>
  `${before.replace(/\s+/g, ' ').slice(-40)}?${after.replace(/\s+/g, ' ').slice(0, 20)}`.trim();

/** Names made of holes become unknown, spans without a place become the call's. */
function finish(access: Access, built: BuiltText, options: SqlTextOptions): Access {
  const open = built.holes.some((h) => h.position === 'fragment');
  const at = (span: Span): Span =>
    span.end > span.start
      ? span
      : { ...span, end: Math.max(span.start, span.start === options.span.start ? options.span.end : span.start) };
  const condition = (p: Predicate): Predicate =>
    p.kind === 'value' && p.of.kind === 'unknown' ? { kind: 'unknown', reason: p.of.reason } : p;
  const mapped = mapAccess(access, (v) =>
    v.kind === 'column' && holePattern.test(v.column) ? unknownValue('the column is computed') : v,
  );
  return {
    ...mapped,
    span: at(mapped.span),
    targets: mapped.targets.map((target): Target => {
      const predicate = rewritePredicate(target.predicate, condition);
      return {
        ...target,
        table: tableWithoutHoles(target.table),
        span: at(target.span),
        predicate: open ? withUnknown(predicate) : predicate,
      };
    }),
  };
}

/** More conditions, or anything else, may follow in the part that was not found. */
function withUnknown(predicate: Predicate): Predicate {
  const rest: Predicate = { kind: 'unknown', reason: spliced };
  return predicate.kind === 'always'
    ? rest
    : { kind: 'and', of: [...(predicate.kind === 'and' ? predicate.of : [predicate]), rest] };
}

function tableWithoutHoles(table: Target['table']): Target['table'] {
  if (!table.known || table.value.by !== 'sql') return table;
  if (holePattern.test(table.value.name)) return { known: false, reason: 'the name of the table is computed' };
  // A computed schema: the table is the one of this name, in whichever schema.
  return holePattern.test(table.value.schema ?? '')
    ? { known: true, value: { by: 'sql', name: table.value.name } }
    : table;
}

/** Hands each spliced hole to the access in whose text it stands; statements without an access get one that only carries them. */
function withInterpolations(accesses: readonly Access[], built: BuiltText, options: SqlTextOptions): readonly Access[] {
  const all = built.holes.flatMap((hole) => (hole.bound || hole.position === 'comment' ? [] : [interpolation(hole)]));
  if (all.length === 0) return accesses;
  const mine = accesses.map((): Interpolation[] => []);
  const rest: Interpolation[] = [];
  for (const one of all) {
    const within = accesses.findIndex((a) => a.span.start <= one.span.start && one.span.end <= a.span.end);
    (within >= 0
      ? mine[within]!
      : accesses.length === 1 && !/;/.test(built.text.trim().slice(0, -1))
        ? mine[0]!
        : rest
    ).push(one);
  }
  const carried = accesses.map((a, i) =>
    mine[i]!.length > 0 ? { ...a, interpolations: [...(a.interpolations ?? []), ...mine[i]!] } : a,
  );
  if (rest.length === 0) return carried;
  const carrier: Access = {
    id: `${options.id}/text`,
    library: options.library,
    method: 'text',
    operation: 'raw',
    targets: [],
    client: { receiver: unknownValue('SQL text'), kind: 'unknown' },
    span: options.span,
    interpolations: rest,
  };
  return [...carried, carrier];
}

function interpolation(hole: Hole): Interpolation {
  const position =
    hole.position === 'schema'
      ? 'schema'
      : hole.position === 'identifier' || hole.position === 'quoted-identifier'
        ? 'identifier'
        : hole.position === 'fragment'
          ? 'fragment'
          : hole.position === 'dollar'
            ? 'unknown'
            : 'value';
  return { position, value: hole.value, quoted: hole.quoted, span: hole.span, around: hole.around };
}
