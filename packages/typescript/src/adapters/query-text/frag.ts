import { always, constant, unknownValue, type Predicate, type Span, type Value } from '@tenant-lint/model';
import type { Piece } from '../sql-pieces.js';

/**
 * A part of the SQL that a query builder writes. Builders are lowered by writing the statement that the library would send, with every value
 * as a bind parameter, and handing it to the SQL front end: joins, sub-queries and set operations then mean what they mean in SQL.
 */
export type Frag = readonly Piece[];

/** Text and parts one after the other; the text stands for what is at `span`. */
export function sql(span: Span, ...parts: readonly (string | Frag)[]): Frag {
  return parts.flatMap((p): Frag =>
    typeof p !== 'string' ? p : p === '' ? [] : [{ text: p, start: span.start, end: span.end, exact: false }],
  );
}

/** Parts with a text between each two. */
export const joined = (parts: readonly Frag[], by: string, span: Span): Frag =>
  parts.flatMap((p, i) => (i === 0 ? p : sql(span, by, p)));

/** A bind parameter; true and false stand for themselves, which they may do as a condition too. */
export const bind = (value: Value, span: Span): Frag =>
  value.kind === 'constant' && typeof value.value === 'boolean'
    ? sql(span, value.value ? 'TRUE' : 'FALSE')
    : [{ hole: value, span, as: 'bind' }];

/** Whether a part is text that the program does not fix: what sorts by it has to be in the statement for that to be seen. */
export const isSpliced = (frag: Frag): boolean => frag.some((p) => 'hole' in p && p.as === 'spliced');

export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** A name that is not known, which the library quotes or not. */
export const unknownName = (value: Value, span: Span, isQuoted = true): Frag => [
  { hole: value, span, as: isQuoted ? 'quoted' : 'name' },
];

/** A condition that the SQL front end does not see; it stands in the statement as a parameter. */
export const predicate = (of: Predicate, span: Span): Frag => bind({ kind: 'predicate', predicate: of }, span);
export const vacuous = (why: string, span: Span): Frag => predicate(always(why), span);
export const unknownCondition = (reason: string, span: Span): Frag => bind(unknownValue(reason), span);

const mark = 'when the program says so';

/** What a part of a statement depends on. */
export interface Choice {
  /** `drop`: the condition is there where the test holds; `either`: one of two conditions by the test. */
  readonly kind: 'drop' | 'either';
  readonly on: Value;
  readonly why: string;
}

/** Choices of one statement, found again in what the SQL front end makes of it. */
export class Choices {
  readonly #all: Choice[] = [];

  /** `then` where the test holds, else `otherwise`. */
  write(choice: Choice, then: Frag, otherwise: Frag, span: Span): Frag {
    this.#all.push(choice);
    const marker: Value = { kind: 'apply', function: mark, to: [constant(this.#all.length - 1)] };
    return sql(span, 'CASE WHEN ', bind(marker, span), ' THEN (', then, ') ELSE (', otherwise, ') END');
  }

  /** Turns the marked CASE into what it stands for. */
  read(p: Predicate): Predicate {
    const [first] = p.kind === 'case' ? p.of : [];
    if (p.kind !== 'case' || !first || p.of.length !== 1) return p;
    const [when, then] = first;
    const marker = when.kind === 'value' && when.of.kind === 'apply' && when.of.function === mark ? when.of : undefined;
    const [index] = marker?.to ?? [];
    const choice = index?.kind === 'constant' ? this.#all[Number(index.value)] : undefined;
    if (!choice) return p;
    const { on, why } = choice;
    if (choice.kind === 'either') return { kind: 'either', of: [then, p.otherwise], test: on };
    const otherwise = p.otherwise.kind === 'always' ? always(why) : p.otherwise;
    return onlyIf(then, on, otherwise, why);
  }
}

/**
 * A condition that is there only where `test` holds. A test that asks for nothing but the presence of a value is told apart, because a missing
 * value is then what takes the condition away.
 */
export function onlyIf(of: Predicate, test: Value, otherwise: Predicate, why: string): Predicate {
  const on = presence(test);
  return on ? { kind: 'optional', of, on, otherwise, why } : { kind: 'either', of: [of, otherwise], test };
}

/** The value that may be missing, for a test that asks for nothing but its presence. */
function presence(test: Value): Value | undefined {
  const isNothing = (v: Value | undefined): boolean =>
    v?.kind === 'undefined' || (v?.kind === 'constant' && v.value === null);
  switch (test.kind) {
    case 'undefined':
    case 'missing-able':
      return test;
    case 'choice':
      return test.of.some((v) => presence(v) !== undefined) ? test : undefined;
    case 'apply': {
      const [a, b] = test.to;
      if (test.function === '!' && a?.kind === 'apply' && a.function === '!' && a.to[0]) return presence(a.to[0]);
      if (!a || !/^!==?$/.test(test.function)) return undefined;
      return isNothing(b) ? presence(a) : isNothing(a) && b ? presence(b) : undefined;
    }
    default:
      return undefined;
  }
}

export const isTrue: Frag = [{ text: 'TRUE', exact: false }];
export const isFalse: Frag = [{ text: 'FALSE', exact: false }];

export const negated = (test: Value): Value =>
  test.kind === 'apply' && test.function === '!' && test.to[0]
    ? test.to[0]
    : { kind: 'apply', function: '!', to: [test] };

const opposites: Readonly<Record<string, string>> = { '===': '!==', '!==': '===', '==': '!=', '!=': '==' };

/** Whether one test holds exactly where the other does not. */
export function isNegation(a: Value, b: Value): boolean {
  const same = (x: unknown, y: unknown): boolean => JSON.stringify(x) === JSON.stringify(y);
  if (a.kind === 'apply' && a.function === '!' && same(a.to[0], b)) return true;
  if (b.kind === 'apply' && b.function === '!' && same(b.to[0], a)) return true;
  return a.kind === 'apply' && b.kind === 'apply' && opposites[a.function] === b.function && same(a.to, b.to);
}
