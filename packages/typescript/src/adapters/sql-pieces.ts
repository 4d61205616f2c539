import {
  truthinessOf,
  unknownValue,
  valueAt,
  type Item,
  type LowerContext,
  type Span,
  type TextPart,
  type Value,
} from '@tenant-lint/model';

/** What a library's fragment stands for where it is put into SQL text. */
export type Expansion =
  | readonly TextPart[]
  /** Text that the library writes in its place. */
  | { readonly written: string }
  /** A name, quoted by the library or not. */
  | { readonly identifier: Value; readonly quoted: boolean }
  /** A bind parameter, whatever the other holes are. */
  | { readonly bind: Value };

export type Expand = (hole: Value) => Expansion | undefined;

/** A piece of SQL text. Text without `start` has no place in the file; with `end` it stands for what is between the two. */
export type Piece =
  | { readonly text: string; readonly start?: number; readonly end?: number; readonly exact: boolean }
  | {
      readonly hole: Value;
      readonly span: Span;
      /** `any`: as the holes of the text are; `spliced`: part of the text whatever the others are. */
      readonly as: 'any' | 'spliced' | 'bind' | 'quoted' | 'name' | 'fragment';
      /** The program doubles the double quotes in it: between quotes it is one name. */
      readonly doubled?: boolean;
    };

/** How many alternatives of one text are looked at, and how deep fragments are put into one another. */
const maxAlternatives = 6;
const maxDepth = 12;

/**
 * The texts that a value may be, as pieces: constants, templates and concatenations, fragments of the library (`expand`), and each branch
 * of a choice. A string is the reason why it is no text.
 */
export function piecesOf(
  value: Value,
  span: Span,
  context: LowerContext,
  expand?: Expand,
  holes: 'bind' | 'splice' = 'splice',
): readonly (readonly Piece[])[] | string {
  const alternatives = expandValue(value, { span, context, expand, splice: holes === 'splice', top: true }, 0);
  return typeof alternatives === 'string' ? alternatives : alternatives.slice(0, maxAlternatives);
}

interface Surroundings {
  readonly span: Span;
  readonly context: LowerContext;
  readonly expand: Expand | undefined;
  /** What is put in becomes part of the text, as the program would write it. */
  readonly splice: boolean;
  /** The value is the whole text, not a hole of it. */
  readonly top: boolean;
}

type Alternatives = readonly (readonly Piece[])[] | string;

function expandValue(value: Value, s: Surroundings, depth: number): Alternatives {
  const asHole: Alternatives = s.top ? `the text is ${describe(value)}` : [[holePiece(value, s)]];
  if (depth > maxDepth) return asHole;
  const expansion = s.expand?.(value);
  if (expansion) return expandFragment(expansion, s, depth);
  switch (value.kind) {
    case 'constant':
      // A constant in a hole is a value to a tagged template, and text to any other one.
      if (s.top ? typeof value.value !== 'string' : !s.splice) return asHole;
      return [[constantPiece(value)]];
    case 'text':
      return s.top || s.splice ? expandParts(value.parts, s, depth) : asHole;
    case 'missing-able':
      return s.top ? expandValue(value.of, s, depth + 1) : asHole;
    case 'choice': {
      const all = value.of.map((v) => expandValue(v, s, depth + 1));
      const texts = all.filter((a) => typeof a !== 'string').flat();
      if (s.top) return texts.length > 0 ? texts : asHole;
      if (s.splice && value.of.every((v) => isText(v, s.context))) return texts;
      // Fragments of the library, one or the other: each is a text of its own, unless there would be too many.
      const fragments = value.of.map((v) => fragmentOnly(v, s, depth));
      return fragments.every((f) => f !== undefined) ? fragments.flat() : asHole;
    }
    case 'apply':
      if (value.function === '+' && (s.top || (s.splice && isText(value, s.context))))
        return concatenate(
          value.to.map((v) => operand(v, s, depth)),
          () => s.span,
        );
      return asHole;
    case 'result': {
      const list = s.top || s.splice ? joinedList(value, s.context) : undefined;
      return list ? expandJoined(list, s, depth) : expandResolved(value, s, depth, asHole);
    }
    default:
      return expandResolved(value, s, depth, asHole);
  }
}

/** What resolution finds behind a value. */
function expandResolved(value: Value, s: Surroundings, depth: number, asHole: Alternatives): Alternatives {
  const resolved = s.context.resolve(value);
  if (resolved === value || resolved.kind === 'unknown') return asHole;
  const again = expandValue(resolved, s, depth + 1);
  // What resolution found is used where it is text; a value keeps its provenance.
  const text =
    s.expand?.(resolved) !== undefined ||
    (s.splice &&
      (resolved.kind === 'text' ||
        resolved.kind === 'constant' ||
        resolved.kind === 'choice' ||
        joinedList(resolved, s.context) !== undefined));
  return s.top || text ? again : asHole;
}

/** Whether a value is text put together by the program: a literal, a template, a concatenation with one of these, a joined list. */
const isText = (value: Value, context: LowerContext): boolean =>
  value.kind === 'constant' ||
  value.kind === 'text' ||
  (value.kind === 'apply' &&
    value.function === '+' &&
    value.to.some((v) => (v.kind === 'constant' ? typeof v.value === 'string' : isText(v, context)))) ||
  joinedList(value, context) !== undefined;

interface Joined {
  readonly items: readonly Item[];
  readonly separator: string;
}

/** `conditions.join(' AND ')` of a list whose items are known; those that the program drops before it may be missing. */
function joinedList(value: Value, context: LowerContext): Joined | undefined {
  const chain = value.kind === 'result' && value.path.length === 0 ? context.chain(value.chain) : undefined;
  const last = chain?.steps.at(-1);
  if (!chain || last?.name !== 'join' || !last.arguments) return undefined;
  const [by] = last.arguments;
  if (by && (by.kind !== 'constant' || typeof by.value !== 'string')) return undefined;
  const before = chain.steps.slice(0, -1);
  const dropping = before.at(-1);
  const drops = dropping?.name === 'filter' && isBoolean(dropping.arguments?.[0]);
  const reads = drops ? before.slice(0, -1) : before;
  if (reads.some((r) => r.arguments)) return undefined;
  const base = valueAt(
    chain.receiver,
    reads.map((r) => r.name),
  );
  const list = base.kind === 'list' ? base : context.resolve(base);
  if (list.kind !== 'list' || list.of.some((i) => i.spread)) return undefined;
  const items = drops ? list.of.flatMap(present) : list.of;
  return { items, separator: by?.kind === 'constant' ? String(by.value) : ',' };
}

const isBoolean = (value: Value | undefined): boolean => value?.kind === 'global' && value.name === 'Boolean';

/** An item where `filter(Boolean)` keeps it: `name && 'name = $1'`, `name ? 'name = $1' : ''`. */
function present(item: Item): readonly Item[] {
  const { value } = item;
  if (value.kind === 'missing-able') return present({ value: value.of, maybe: true });
  if (truthinessOf(value) === false) return [];
  if (value.kind === 'apply' && value.function === '&&' && value.to[1])
    return present({ value: value.to[1], maybe: true });
  if (value.kind !== 'choice') return [item];
  const kept = value.of.flatMap((v) => present({ value: v }));
  return kept.length === value.of.length ? [item] : kept.map(({ value: v }) => ({ value: v, maybe: true as const }));
}

/**
 * The texts that a joined list may be: without the items that are there on some paths only, and with all of them. Where nothing would be left
 * without them, with one of them each: the program joins no empty list into a condition.
 */
function expandJoined({ items, separator }: Joined, s: Surroundings, depth: number): Alternatives {
  const certain = items.filter((i) => !i.maybe);
  const maybe = items.filter((i) => i.maybe);
  const lists =
    maybe.length === 0
      ? [items]
      : certain.length > 0
        ? [certain, items]
        : [...maybe.slice(0, maxSingles).map((i) => [i]), ...(maybe.length > 1 ? [items] : [])];
  const all = lists.map((list) =>
    concatenate(
      list.flatMap((item, i): Alternatives[] => {
        const text = operand(item.value, { ...s, splice: true }, depth + 1);
        return i > 0 ? [[[{ text: separator, start: s.span.start, end: s.span.end, exact: false }]], text] : [text];
      }),
      () => s.span,
    ),
  );
  const reason = all.find((a) => typeof a === 'string');
  return reason ?? all.flatMap((a) => (typeof a === 'string' ? [] : a));
}

/** How many items are looked at one by one. */
const maxSingles = 2;

const holePiece = (value: Value, s: Surroundings): Piece => ({
  hole: value,
  span: s.span,
  as: 'any',
  ...(doublesQuotes(value, s.context) ? { doubled: true } : {}),
});

/** `name.replaceAll('"', '""')`, `name.replace(/"/g, '""')`, written in place or in a helper. */
function doublesQuotes(value: Value, context: LowerContext): boolean {
  return [value, context.resolve(value)].some((v) => {
    const last = v.kind === 'result' && v.path.length === 0 ? context.chain(v.chain)?.steps.at(-1) : undefined;
    const by = last?.name === 'replaceAll' || last?.name === 'replace' ? last.arguments?.[1] : undefined;
    const what = last?.arguments?.[0];
    // A text as pattern of `replace` is replaced once only.
    const every = last?.name === 'replaceAll' || what?.kind !== 'constant';
    return every && by?.kind === 'constant' && by.value === '""';
  });
}

/** The piece of a string literal; the text begins behind the quote. */
function constantPiece(value: Extract<Value, { kind: 'constant' }>): Piece {
  const text = String(value.value);
  if (!value.span) return { text, exact: false };
  return { text, start: value.span.start + 1, exact: value.span.end - value.span.start === text.length + 2 };
}

/** An operand of `+`: text is text, everything else becomes a hole. */
function operand(value: Value, s: Surroundings, depth: number): Alternatives {
  const resolved =
    value.kind === 'constant' || value.kind === 'text' || value.kind === 'apply' ? value : s.context.resolve(value);
  if (resolved.kind === 'constant') return [[constantPiece(resolved)]];
  if (resolved.kind === 'text' || (resolved.kind === 'apply' && resolved.function === '+'))
    return expandValue(resolved, s, depth + 1);
  return expandValue(value, { ...s, top: false }, depth + 1);
}

function expandParts(parts: readonly TextPart[], s: Surroundings, depth: number): Alternatives {
  return concatenate(
    parts.map((part): Alternatives => {
      if ('text' in part) return [[part]];
      return expandValue(part.hole, { ...s, span: part.span, top: false }, depth + 1);
    }),
    (i) => {
      const part = parts[i];
      return part && 'hole' in part ? part.span : s.span;
    },
  );
}

function expandFragment(expansion: Expansion, s: Surroundings, depth: number): Alternatives {
  if ('written' in expansion) {
    return [[{ text: expansion.written, start: s.span.start, end: s.span.end, exact: false }]];
  }
  if ('identifier' in expansion) {
    return [[{ hole: expansion.identifier, span: s.span, as: expansion.quoted ? 'quoted' : 'name' }]];
  }
  if ('bind' in expansion) return [[{ hole: expansion.bind, span: s.span, as: 'bind' }]];
  return expandParts(expansion, s, depth + 1);
}

/** One of more alternatives than are looked at: any piece of SQL. */
const tooMany = (span: Span): Piece => ({ hole: unknownValue('one of several fragments'), span, as: 'fragment' });

/** The texts of a value that is a fragment of the library, or missing; undefined for any other value. */
function fragmentOnly(value: Value, s: Surroundings, depth: number): readonly (readonly Piece[])[] | undefined {
  if (value.kind === 'undefined' || depth > maxDepth) return undefined;
  const own = s.expand?.(value);
  const expansion = own ?? s.expand?.(s.context.resolve(value));
  if (!expansion || !Array.isArray(expansion)) return undefined;
  const expanded = expandFragment(expansion, s, depth + 1);
  return typeof expanded === 'string' ? undefined : expanded;
}

function concatenate(parts: readonly Alternatives[], spans: (part: number) => Span): Alternatives {
  let all: (readonly Piece[])[] = [[]];
  for (const [i, part] of parts.entries()) {
    if (typeof part === 'string') return part;
    const few = all.length * part.length > maxAlternatives ? weakest(part, maxAlternatives / all.length) : part;
    const next = all.flatMap((before) => few.map((piece) => [...before, ...piece]));
    // Too many combinations: the choice stays a hole, about which nothing is known.
    all = next.length <= maxAlternatives ? next : all.map((before) => [...before, tooMany(spans(i))]);
  }
  return all;
}

/**
 * Of many texts those that say the least: what `AND` adds only narrows, so that a row which no shorter text lets through no longer one does.
 * With an OR, a UNION or a hole that may hold one among them, all are needed.
 */
function weakest(part: readonly (readonly Piece[])[], count: number): readonly (readonly Piece[])[] {
  const narrows = (pieces: readonly Piece[]): boolean =>
    pieces.every((p) => 'text' in p && !/\b(?:or|union|not|case)\b/i.test(p.text)) &&
    /^\s*(?:and\b|where\b|$)/i.test(textOf(pieces));
  if (count < 1 || !part.every(narrows)) return part;
  return [...part].sort((a, b) => textOf(a).length - textOf(b).length).slice(0, Math.floor(count));
}

const textOf = (pieces: readonly Piece[]): string => pieces.map((p) => ('text' in p ? p.text : '')).join('');

function describe(value: Value): string {
  if (value.kind === 'unknown') return value.reason;
  if (value.kind === 'parameter') return 'a parameter of the function';
  if (value.kind === 'result') return 'the result of a call that was not followed';
  if (value.kind === 'import') return `imported from ${value.module} and was not found there`;
  return `a value of kind ${value.kind}`;
}
