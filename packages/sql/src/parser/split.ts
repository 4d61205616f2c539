import { Lexer } from './lexer.js';

/** A piece of a SQL script. Offsets are UTF-16, `end` is exclusive and without the terminating semicolon. */
export interface Piece {
  /** 'meta': a psql command (`\connect`), 'data': the lines behind COPY ... FROM stdin. */
  readonly kind: 'statement' | 'meta' | 'data';
  readonly start: number;
  readonly end: number;
  /** The first words in lower case, at most six; quoted names are left out. */
  readonly words: readonly string[];
  /** The statement holds a quote or comment that is never closed. */
  readonly unterminated: boolean;
}

export interface Comment {
  readonly start: number;
  readonly end: number;
}

export interface Script {
  readonly pieces: readonly Piece[];
  readonly comments: readonly Comment[];
}

const keptWords = 6;

/**
 * Splits a script into its statements, as psql does: semicolons end a statement, but for those in quotes, in the parentheses of a
 * CREATE RULE (no other statement has semicolons in parentheses, so a forgotten one costs a single statement), and in the BEGIN ATOMIC body of
 * an SQL function.
 *
 * `accept` is asked about statements when the script holds a quote that is never closed: then some earlier quote was forgotten, and a
 * statement that is refused is cut at the first line end with a semicolon inside one of its quotes. Never throws.
 */
export function splitScript(text: string, accept: (piece: Piece) => boolean): Script {
  const plain = split(text, () => true, 0);
  return plain.pieces.some((piece) => piece.unterminated) ? split(text, accept, maxRecoveries) : plain;
}

/** Every recovery may look at the rest of the text once more. */
const maxRecoveries = 50;

function split(text: string, accept: (piece: Piece) => boolean, recoveries: number): Script {
  const pieces: Piece[] = [];
  const comments: Comment[] = [];
  let position = 0;
  for (;;) {
    const commentsBefore = comments.length;
    const { piece, next } = nextPiece(text, position, comments);
    if (piece === undefined) return { pieces, comments };
    if (recoveries > 0 && piece.kind === 'statement' && !accept(piece)) {
      const cut = cutInsideQuote(text, piece);
      if (cut !== undefined) {
        recoveries--;
        comments.length = commentsBefore;
        nextPiece(text, position, comments, piece.start);
        pieces.push({ ...piece, end: cut });
        position = cut + 1;
        continue;
      }
    }
    pieces.push(piece);
    position = next;
    if (piece.kind === 'statement' && copiesFromStdin(text, piece)) {
      const data = copyData(text, position);
      if (data) {
        pieces.push(data);
        position = data.end;
      }
    }
  }
}

/** The next piece at or behind `from`, and where to go on. Comments on the way are added to `comments`. */
function nextPiece(text: string, from: number, comments: Comment[], limit?: number): { piece?: Piece; next: number } {
  const lexer = new Lexer(text, from, limit);
  const words: string[] = [];
  let start = -1;
  let end = -1;
  let parentheses = 0;
  let atomic = 0;
  let previous = '';
  let unterminated = false;
  let isRoutine = false;
  let isRule = false;
  const finish = (next: number): { piece?: Piece; next: number } =>
    start < 0 ? { next } : { piece: { kind: 'statement', start, end, words, unterminated }, next };

  while (lexer.next()) {
    if (lexer.kind === 'space') continue;
    if (lexer.kind === 'comment') {
      comments.push({ start: lexer.start, end: lexer.end });
      if (lexer.unterminated && start < 0) start = lexer.start;
      if (lexer.unterminated) {
        unterminated = true;
        end = lexer.end;
      }
      continue;
    }
    if (lexer.kind === 'backslash') {
      const lineEnd = endOfLine(text, lexer.start);
      if (start >= 0) return finish(lexer.start);
      return { piece: { kind: 'meta', start: lexer.start, end: lineEnd, words, unterminated: false }, next: lineEnd };
    }
    const punctuation = lexer.kind === 'punctuation' ? text.charCodeAt(lexer.start) : 0;
    if (punctuation === 59 && atomic === 0 && !(isRule && parentheses > 0)) {
      if (start >= 0) return finish(lexer.end);
      continue;
    }
    if (start < 0) start = lexer.start;
    end = lexer.end;
    if (lexer.unterminated) unterminated = true;
    if (punctuation === 40) parentheses++;
    else if (punctuation === 41) parentheses--;
    else if (lexer.kind === 'word' && (isRoutine || words.length < keptWords)) {
      const word = lexer.value.toLowerCase();
      if (words.length < keptWords) {
        words.push(word);
        if (words[0] === 'create') {
          isRoutine ||= word === 'function' || word === 'procedure';
          isRule ||= word === 'rule';
        }
      }
      if (isRoutine) {
        if (word === 'atomic' && previous === 'begin') atomic = 1;
        else if (atomic > 0 && word === 'case') atomic++;
        else if (atomic > 0 && word === 'end') atomic--;
        previous = word;
      }
    }
  }
  return finish(lexer.end);
}

const endOfLine = (text: string, from: number): number => {
  const end = text.slice(from, from + 4096).search(/[\r\n]/);
  if (end !== -1) return from + end;
  const far = text.indexOf('\n', from);
  return far === -1 ? text.length : far;
};

const lineEndBehindSemicolon = /;[ \t]*(?:--[^\r\n]*)?[\r\n]/g;

/** Where a statement with a forgotten quote probably ended. */
function cutInsideQuote(text: string, piece: Piece): number | undefined {
  const lexer = new Lexer(text, piece.start, piece.end);
  while (lexer.next()) {
    const mayHide =
      lexer.kind === 'string' || lexer.kind === 'dollar string' || lexer.kind === 'quoted name' || lexer.unterminated;
    if (!mayHide) continue;
    lineEndBehindSemicolon.lastIndex = lexer.start;
    const found = lineEndBehindSemicolon.exec(text);
    if (found && found.index < lexer.end) return found.index;
  }
  return undefined;
}

const copiesFromStdin = (text: string, piece: Piece): boolean =>
  piece.words[0] === 'copy' && /\bfrom\s+stdin\b/i.test(text.slice(piece.start, piece.end));

/** The lines behind COPY ... FROM stdin, up to and with the line `\.`; nothing where that line is missing. */
function copyData(text: string, from: number): Piece | undefined {
  const start = endOfLine(text, from);
  const close = /^\\\.[ \t]*$/gm;
  close.lastIndex = start;
  const found = close.exec(text);
  return found
    ? { kind: 'data', start, end: found.index + found[0].length, words: [], unterminated: false }
    : undefined;
}
