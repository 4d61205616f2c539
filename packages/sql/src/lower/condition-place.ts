import { Lexer } from '../parser/index.js';

/** Where a further condition goes in a statement: what is put in before and behind it, and at which offsets. */
export interface ConditionPlace {
  /** Offset behind the condition there is, or behind the tables. */
  readonly at: number;
  /** What joins it to what is there. */
  readonly before: ' WHERE ' | ' AND ' | ') AND ';
  /** Where a parenthesis opens around the condition there is, as AND binds closer than its OR. */
  readonly open?: number;
  /** How many parameters of the form `?` stand before it, and the highest number of one of the form `$1`. */
  readonly questionMarks: number;
  readonly highest: number;
}

/** Words that end the condition of a statement. */
const afterCondition = new Set(['group', 'having', 'window', 'order', 'limit', 'offset', 'fetch', 'for', 'returning']);
/** Statements that are more than one, or whose condition is elsewhere. */
const tooMuch = new Set(['with', 'union', 'intersect', 'except', 'merge', 'insert', 'values', 'lateral']);

/**
 * The place for one more condition in a SELECT, UPDATE or DELETE that stands alone. Undefined for statements that are put together (WITH,
 * UNION), for several, and for what is none of these. Never throws.
 */
export function conditionPlace(text: string): ConditionPlace | undefined {
  const lexer = new Lexer(text);
  let depth = 0;
  let first: string | undefined;
  let from: string | undefined;
  let where: number | undefined;
  let hasOr = false;
  let end: number | undefined;
  let last = 0;
  let questionMarks = 0;
  let highest = 0;
  while (lexer.next()) {
    const { kind, value } = lexer;
    if (kind === 'space') continue;
    if (lexer.unterminated || kind === 'backslash') return undefined;
    // A comment to the end of the line would swallow what is put behind it.
    if (kind === 'comment') {
      if (value.startsWith('--')) return undefined;
      continue;
    }
    if (kind === 'parameter') highest = Math.max(highest, Number(value.slice(1)) || 0);
    if (kind === 'operator' && value === '?' && end === undefined) questionMarks++;
    if (value === '(') depth++;
    if (value === ')') depth--;
    if (depth === 0 && value === ';') {
      end ??= last;
      continue;
    }
    const word = kind === 'word' ? value.toLowerCase() : undefined;
    if (depth === 0 && word !== undefined) {
      first ??= word;
      if (tooMuch.has(word)) return undefined;
      if (end === undefined && (word === 'from' || (word === 'set' && first === 'update'))) from ??= word;
      if (word === 'where') {
        if (where !== undefined) return undefined;
        where = lexer.end;
      } else if (word === 'or' && where !== undefined) hasOr = true;
      else if (afterCondition.has(word) && from !== undefined) end ??= last;
    }
    // A second statement.
    if (end !== undefined && text.slice(0, lexer.start).trimEnd().endsWith(';')) return undefined;
    first ??= '';
    last = lexer.end;
  }
  if (depth !== 0 || from === undefined || (first !== 'select' && first !== 'update' && first !== 'delete'))
    return undefined;
  const at = end ?? last;
  const numbers = { questionMarks, highest };
  if (where === undefined) return { at, before: ' WHERE ', ...numbers };
  const open = where + (/^\s*/.exec(text.slice(where))?.[0].length ?? 0);
  return hasOr ? { at, before: ') AND ', open, ...numbers } : { at, before: ' AND ', ...numbers };
}
