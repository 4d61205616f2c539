import type { Node } from '@pgsql/types';
import { Lexer, parseSql, type ParsedStatement } from '../parser/index.js';

/** Text inside a statement: the body of a function, an expression inside that. */
export interface Fragment {
  readonly text: string;
  /** Offset in the fragment's text to offset in the file. */
  at(offset: number): number;
}

/** The string constant at or behind a node's location, decoded. Undefined where there is none. */
export function stringAt(statement: ParsedStatement, location: number | undefined): Fragment | undefined {
  const { start: origin, text } = statement;
  const lexer = new Lexer(text, statement.offset(location ?? 0) - origin);
  while (lexer.next()) {
    if (lexer.kind === 'string' || lexer.kind === 'dollar string') return decode(lexer.value, origin + lexer.start);
  }
  return undefined;
}

/** The value of a string token, with the place of each of its characters. */
function decode(token: string, start: number): Fragment | undefined {
  const dollar = /^\$[^$]*\$/.exec(token);
  if (dollar) {
    const tag = dollar[0].length;
    return { text: token.slice(tag, -tag), at: (offset) => start + tag + offset };
  }
  const open = token.indexOf("'");
  const escapes = /^e/i.test(token);
  let text = '';
  const places: number[] = [];
  for (let i = open + 1; i < token.length - 1; i++) {
    places.push(start + i);
    const c = token[i] ?? '';
    if (c === "'" && token[i + 1] === "'") i++;
    else if (c === '\\' && escapes) {
      const escaped = token[++i] ?? '';
      text += { n: '\n', t: '\t', r: '\r' }[escaped] ?? escaped;
      continue;
    }
    text += c;
  }
  places.push(start + token.length - 1);
  return { text, at: (offset) => places[Math.min(Math.max(offset, 0), places.length - 1)] ?? start };
}

/** A part of a fragment as a fragment of its own. */
export const partOf = (fragment: Fragment, text: string, from: number): Fragment => ({
  text,
  at: (offset) => fragment.at(from + offset),
});

/** Parses the statements of a fragment, with positions in the file. */
export function parseFragment(fragment: Fragment): readonly ParsedStatement[] {
  return statementsOf(fragment.text).map((statement) => ({
    ...statement,
    start: fragment.at(statement.start),
    end: fragment.at(statement.end),
    offset: (bytes) => fragment.at(statement.offset(bytes)),
  }));
}

/** Expressions and short statements of bodies recur, within one and from one to the next. */
const parsed = new Map<string, readonly ParsedStatement[]>();
const longestKept = 400;
const mostKept = 2_000;

function statementsOf(text: string): readonly ParsedStatement[] {
  const known = parsed.get(text);
  if (known) return known;
  const { statements } = parseSql(text);
  if (text.length <= longestKept) {
    if (parsed.size >= mostKept) parsed.clear();
    parsed.set(text, statements);
  }
  return statements;
}

const prefix = 'select ';

/** Parses an expression, with positions in the file. */
export function parseExpression(
  fragment: Fragment,
): { readonly statement: ParsedStatement; readonly node: Node } | undefined {
  const shifted: Fragment = {
    text: prefix + fragment.text,
    at: (offset) => fragment.at(Math.max(0, offset - prefix.length)),
  };
  const [statement, ...more] = parseFragment(shifted);
  if (more.length > 0 || !statement?.node || !('SelectStmt' in statement.node)) return undefined;
  const [target, ...others] = statement.node.SelectStmt.targetList ?? [];
  if (others.length > 0 || !target || !('ResTarget' in target) || !target.ResTarget.val) return undefined;
  return { statement: { ...statement, text: fragment.text }, node: target.ResTarget.val };
}
