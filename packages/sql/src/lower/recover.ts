import type { ParsedStatement } from '../parser/index.js';
import { parseSql } from '../parser/index.js';
import type { Edit } from './edits.js';
import { applyEdits } from './edits.js';
import { holesIn } from './holes.js';

/** A statement that parses once some of its holes are written differently. */
export interface Recovered {
  readonly statement: ParsedStatement;
  /** Offset of the statement's new text to the offset in the old one. */
  readonly original: (offset: number) => number;
  /** The holes that stand for pieces of SQL, not for one name or value. */
  readonly fragments: ReadonlySet<number>;
  /** Whether such a piece may be part of a condition. */
  readonly condition: boolean;
}

/** What a piece of SQL may stand for, in the order in which it is tried: nothing, something in parentheses, an assignment, a query. */
const forms: readonly ((hole: string) => string)[] = [
  () => '',
  (hole) => `(${hole})`,
  (hole) => `${hole} = 1`,
  (hole) => `select ${hole}`,
];
const maxRounds = 24;

/**
 * Parses a statement whose holes stand where the grammar has no name: the program puts in whole pieces of SQL there (`WHERE a = 1 ${more}`).
 * Each such hole, that at the error first, is left out or wrapped, whichever moves the error furthest, until the text parses or no change
 * moves the error on.
 */
export function recover(text: string): Recovered | undefined {
  const holes = holesIn(text);
  const edits = new Map<number, Edit>();
  let at = errorOf(text).at;
  for (let round = 0; round < maxRounds; round++) {
    // The error is at the hole, or at the first word behind it that does not fit.
    const distance = (start: number): number => (start <= at ? at - start : 2 * (start - at));
    const near = holes.filter((h) => !edits.has(h.n)).sort((a, b) => distance(a.start) - distance(b.start));
    const step = furthest(text, [...edits.values()], near.slice(0, 3), at);
    if (!step) return undefined;
    edits.set(step.n, step.edit);
    at = step.at;
    if (!step.statement) continue;
    const places = holes.filter((h) => edits.has(h.n));
    return {
      statement: step.statement,
      original: step.original,
      fragments: new Set(places.map((h) => h.n)),
      condition: places.some((h) => edits.get(h.n)?.by === '' && inCondition(text, h.start)),
    };
  }
  return undefined;
}

interface Step {
  readonly n: number;
  readonly edit: Edit;
  /** Where the error is then, in the original text. */
  readonly at: number;
  readonly statement?: ParsedStatement;
  readonly original: (offset: number) => number;
}

/** The best change of the first hole of which a change helps. */
function furthest(
  text: string,
  edits: readonly Edit[],
  holes: ReturnType<typeof holesIn>,
  at: number,
): Step | undefined {
  for (const { n, start, end } of holes) {
    let best: Step | undefined;
    for (const form of forms) {
      const edit: Edit = { start, end, by: form(text.slice(start, end)) };
      const { text: tried, original } = applyEdits(text, [...edits, edit]);
      const result = errorOf(tried);
      if (result.statement) return { n, edit, at: text.length, statement: result.statement, original };
      const moved = original(result.at);
      if (moved > (best?.at ?? at)) best = { n, edit, at: moved, original };
    }
    if (best) return best;
  }
  return undefined;
}

function errorOf(text: string): { readonly at: number; readonly statement?: ParsedStatement } {
  const { statements } = parseSql(text);
  const [only, ...more] = statements;
  if (only?.node && more.length === 0) return { at: text.length, statement: only };
  return { at: statements.find((s) => s.error)?.error?.at ?? 0 };
}

/** Whether a place in the text belongs to FROM, WHERE, HAVING or a join: the last such word before it, at its depth of parentheses, decides. */
function inCondition(text: string, at: number): boolean {
  const before = text.slice(0, at);
  let clause = '';
  const words =
    /'(?:[^']|'')*'|"[^"]*"|[()]|\b(?:from|where|on|having|join|using|select|order|group|limit|offset|returning|values|set|conflict|update|delete)\b/gi;
  const stack: string[] = [];
  for (const [word] of before.matchAll(words)) {
    if (word === '(') stack.push(clause);
    else if (word === ')') clause = stack.pop() ?? clause;
    else if (!word.startsWith("'") && !word.startsWith('"')) clause = word.toLowerCase();
  }
  return ['from', 'where', 'on', 'having', 'join', 'using', 'update', 'delete'].includes(clause);
}
