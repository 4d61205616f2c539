import type { Node } from '@pgsql/types';
import { parseSecond } from '../second/index.js';
import { parseTree } from './instance.js';
import { maxNesting, nestingOf } from './nesting.js';
import { byteOffsets, codePointOffset } from './offsets.js';
import { splitScript, type Comment, type Piece } from './split.js';

export { parsePlpgsql, type Parsed } from './instance.js';
export { Lexer } from './lexer.js';
export { maxNesting, nestingOf } from './nesting.js';
export type { Comment } from './split.js';

export interface ParsedStatement {
  /** UTF-16 offsets of the statement in the text, without comments and space before it; `end` is exclusive and without the semicolon. */
  readonly start: number;
  readonly end: number;
  /** The statement's text. */
  readonly text: string;
  /** The first words in lower case, at most six: what kind of statement it is where there is no tree. */
  readonly words: readonly string[];
  /** `{ SelectStmt: {...} }`. Absent with `error` and with `skipped`. */
  readonly node?: Node;
  readonly error?: { readonly message: string; readonly at: number };
  /** Not parsed: `skip` said so, with this name. */
  readonly skipped?: string;
  /** The offset in the text of a node's `location`, which counts bytes. */
  offset(byteLocation: number): number;
}

export interface ParsedFile {
  readonly statements: readonly ParsedStatement[];
  readonly comments: readonly Comment[];
  /** psql's own commands. */
  readonly meta: readonly { readonly start: number; readonly end: number }[];
  readonly unchecked: readonly {
    readonly reason: string;
    readonly detail?: string;
    readonly start: number;
    readonly end: number;
  }[];
}

export interface ParseOptions {
  /** A name for statements that need not be parsed, by their first words and length. */
  skip?(words: readonly string[], length: number): string | undefined;
}

export type SqlParser = 'libpg-query' | 'pgsql-ast-parser';

let chosen: SqlParser = 'libpg-query';

/** Runs `run`, which is synchronous, with this parser for all SQL text that is read meanwhile. */
export function withSqlParser<T>(parser: SqlParser, run: () => T): T {
  const before = chosen;
  chosen = parser;
  try {
    return run();
  } finally {
    chosen = before;
  }
}

/** The parser that SQL text is read with here and now. */
export const parserInUse = (): SqlParser => chosen;

/** A longer statement costs the parser more memory than it gives back, and no one writes it by hand. */
const maxStatement = 1_000_000;
const maxFile = 50_000_000;

/**
 * Parses a script with PostgreSQL's grammar, statement by statement: one that is broken, too large or too deep never costs another. All
 * such statements are in `statements` with an `error`, and named in `unchecked`. Never throws.
 */
export function parseSql(text: string, options: ParseOptions = {}): ParsedFile {
  if (text.length > maxFile) {
    const detail = `${Math.round(text.length / 1e6)} million characters`;
    return {
      statements: [],
      comments: [],
      meta: [],
      unchecked: [{ reason: 'too-large', detail, start: 0, end: text.length }],
    };
  }
  const unchecked: { reason: string; detail?: string; start: number; end: number }[] = [];
  const statements: ParsedStatement[] = [];
  // A lone surrogate has no UTF-8 form; its replacement has the same length in UTF-16.
  const wellFormed = text.replace(/\p{Surrogate}/gu, '\uFFFD');
  const tried = new Map<number, readonly Attempt[]>();
  const { pieces, comments } = splitScript(wellFormed, (piece) => {
    const attempts = parsePiece(wellFormed, piece, options);
    tried.set(piece.start, attempts);
    return attempts.every((a) => a.refused === undefined || a.refused.reason !== 'syntax');
  });
  for (const piece of pieces) {
    if (piece.kind !== 'statement') continue;
    const before = tried.get(piece.start);
    const attempts = before?.at(-1)?.statement.end === piece.end ? before : parsePiece(wellFormed, piece, options);
    for (const { statement, refused } of attempts) {
      statements.push(statement);
      if (refused) unchecked.push({ ...refused, start: statement.start, end: statement.end });
    }
  }
  return { statements, comments, meta: pieces.filter((piece) => piece.kind === 'meta'), unchecked };
}

interface Attempt {
  readonly statement: ParsedStatement;
  readonly refused?: { readonly reason: string; readonly detail: string };
}

function parsePiece(whole: string, piece: Piece, options: ParseOptions): readonly Attempt[] {
  const { start, end, words } = piece;
  const text = whole.slice(start, end);
  const skipped = options.skip?.(words, text.length);
  const offsets = byteOffsets(text);
  const offset = (bytes: number): number => start + offsets(bytes);
  const common = { start, end, text, words, offset };
  if (skipped !== undefined) return [{ statement: { ...common, skipped } }];
  const refuse = (reason: string, detail: string, at = start): readonly Attempt[] => [
    { statement: { ...common, error: { message: detail, at } }, refused: { reason, detail } },
  ];
  const nul = text.indexOf('\0');
  if (nul !== -1) return refuse('syntax', 'NUL character', start + nul);
  if (text.length > maxStatement) return refuse('too-large', `a statement of ${text.length} characters`);
  if (nestingOf(text) > maxNesting) return refuse('too-large', `a statement nested deeper than ${maxNesting} levels`);
  const parsed = chosen === 'pgsql-ast-parser' ? parseSecond(text) : parseTree(text);
  if ('error' in parsed) return refuse('syntax', parsed.error, start + codePointOffset(text, parsed.at));
  const trees = (parsed.tree.stmts ?? []).filter((raw) => raw.stmt !== undefined);
  if (trees.length <= 1) return trees.map((raw) => ({ statement: { ...common, node: raw.stmt as Node } }));
  // Two statements where the splitter saw one: offsets stay relative to the piece.
  return trees.map((raw) => {
    const from = offsets(raw.stmt_location ?? 0);
    const leading = /^\s*/.exec(text.slice(from))?.[0].length ?? 0;
    const to = raw.stmt_len ? offsets((raw.stmt_location ?? 0) + raw.stmt_len) : text.length;
    const own = { start: start + from + leading, end: start + to, text: text.slice(from + leading, to) };
    return { statement: { ...common, ...own, node: raw.stmt as Node } };
  });
}
