import { Lexer } from '../parser/index.js';

/** Values of the session that are written without brackets. */
const bare: ReadonlySet<string> = new Set(['current_user', 'session_user', 'current_role']);
/** Words that stand before a bracket and call nothing. */
const noCalls: ReadonlySet<string> = new Set(
  'and any array all as by case coalesce else exists from full group having if in index inner insert into is join key left like limit natural not nullif offset on or order outer over partition primary references return right select set some table then unique update using values when where with'.split(
    ' ',
  ),
);

interface Word {
  readonly text: string;
  readonly isName: boolean;
}

let known: { readonly source: string; readonly words: readonly Word[] } | undefined;

/** The tokens of a body, which several questions are asked about in a row. */
function wordsOf(source: string): readonly Word[] {
  if (known?.source !== source) known = { source, words: readWords(source) };
  return known.words;
}

function readWords(source: string): Word[] {
  const words: Word[] = [];
  const lexer = new Lexer(source);
  while (lexer.next()) {
    if (lexer.kind === 'space' || lexer.kind === 'comment') continue;
    const isName = lexer.kind === 'word' || lexer.kind === 'quoted name';
    const text = source.slice(lexer.start, lexer.end);
    words.push({ text: lexer.kind === 'quoted name' ? text.slice(1, -1) : text.toLowerCase(), isName });
  }
  return words;
}

/**
 * What the body of a function calls, whatever its language makes of the rest: names before an opening bracket, qualified as written, and
 * the values of the session that are written without one. Comments and texts do not count.
 */
export function callsIn(source: string): readonly string[] {
  const calls = new Set<string>();
  const words = wordsOf(source);
  words.forEach((word, i) => {
    if (!word.isName) return;
    const qualified = words[i - 1]?.text === '.' && words[i - 2]?.isName === true;
    if (words[i + 1]?.text === '(' && (qualified || !noCalls.has(word.text)))
      calls.add(qualified ? `${words[i - 2]?.text ?? ''}.${word.text}` : word.text);
    else if (!qualified && bare.has(word.text) && words[i + 1]?.text !== '.') calls.add(word.text);
  });
  return [...calls];
}

const messages: ReadonlySet<string> = new Set(['notice', 'info', 'warning', 'debug', 'log']);

/** Whether a body raises an error somewhere. */
export function raisesIn(source: string): boolean {
  const words = wordsOf(source);
  return words.some((word, i) => word.isName && word.text === 'raise' && !messages.has(words[i + 1]?.text ?? ''));
}

/** The columns of NEW that a trigger function assigns: `NEW.x := ...`, `SELECT ... INTO NEW.x`. */
export function assignedIn(source: string): readonly string[] {
  const columns = new Set<string>();
  const words = wordsOf(source);
  words.forEach((word, i) => {
    if (word.text !== 'new' || words[i + 1]?.text !== '.') return;
    const column = words[i + 2];
    const [before, after] = [words[i - 1]?.text, words[i + 3]?.text];
    const begins = before === undefined || [';', 'then', 'else', 'begin', 'loop'].includes(before);
    const assigned = begins && (after === ':=' || after === '=' || (after === ':' && words[i + 4]?.text === '='));
    if (column?.isName && (assigned || before === 'into')) columns.add(column.text);
  });
  return [...columns];
}
