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

/** What a piece of SQL may stand for, in the order in which it is tried: nothing, something in parentheses, an assignment. */
const forms: readonly ((hole: string) => string)[] = [() => '', (hole) => `(${hole})`, (hole) => `${hole} = 1`];
const maxRounds = 12;

/**
 * Parses a statement whose holes stand where the grammar has no name: the program puts in whole pieces of SQL there (`WHERE a = 1 ${more}`).
 * Each such hole, nearest to the error first, is left out or wrapped until the text parses or no change moves the error on.
 */
export function recover(text: string): Recovered | undefined {
  const holes = holesIn(text);
  const edits = new Map<number, Edit>();
  let best = errorOf(text);
  for (let round = 0; round < maxRounds; round++) {
    const current = applyEdits(text, [...edits.values()]);
    const at = current.original(best.at);
    const near = holes
      .filter((h) => !edits.has(h.n))
      .sort((a, b) => Math.abs(at - a.end) - Math.abs(at - b.end))
      .slice(0, 3);
    let moved = false;
    for (const hole of near) {
      for (const form of forms) {
        const edit: Edit = { start: hole.start, end: hole.end, by: form(text.slice(hole.start, hole.end)) };
        const tried = applyEdits(text, [...edits.values(), edit]);
        const result = errorOf(tried.text);
        if (result.statement) {
          edits.set(hole.n, edit);
          const places = holes.filter((h) => edits.has(h.n));
          return {
            statement: result.statement,
            original: tried.original,
            fragments: new Set(places.map((h) => h.n)),
            condition: places.some((h) => edits.get(h.n)?.by === '' && inCondition(text, h.start)),
          };
        }
        if (!moved && tried.original(result.at) > at) {
          edits.set(hole.n, edit);
          best = result;
          moved = true;
        }
      }
      if (moved) break;
    }
    if (!moved) return undefined;
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
