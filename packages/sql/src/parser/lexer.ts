export type TokenKind =
  | 'space'
  | 'comment'
  | 'string'
  | 'dollar string'
  | 'quoted name'
  | 'word'
  | 'number'
  | 'parameter'
  | 'operator'
  | 'punctuation'
  | 'backslash';

const isSpace = (c: number): boolean => c === 32 || (c >= 9 && c <= 13) || c === 0xfeff;
const isDigit = (c: number): boolean => c >= 48 && c <= 57;
const isWordStart = (c: number): boolean => (c >= 97 && c <= 122) || (c >= 65 && c <= 90) || c === 95 || c >= 128;
const isWordPart = (c: number): boolean => isWordStart(c) || isDigit(c) || c === 36;

const operatorCharacters = new Set([...'+-*/<>=~!@#%^&|`?'].map((c) => c.charCodeAt(0)));
const quote = 39;

/**
 * A forgiving lexer for PostgreSQL's lexical structure (documentation, chapter "Lexical Structure"). It never fails: what is not closed
 * reaches to the end of the text and is marked `unterminated`. PostgreSQL's own scanner gives up on the whole text there, and its
 * byte offsets would have to be mapped back; statements must be found without both.
 */
export class Lexer {
  kind: TokenKind = 'space';
  start = 0;
  end: number;
  unterminated = false;

  constructor(
    readonly text: string,
    from = 0,
    readonly limit = text.length,
  ) {
    this.end = from;
  }

  /** Moves to the next token; false at the end. */
  next(): boolean {
    const { text, limit } = this;
    const start = this.end;
    if (start >= limit) return false;
    this.start = start;
    this.unterminated = false;
    const c = text.charCodeAt(start);
    if (isSpace(c)) {
      let i = start + 1;
      while (i < limit && isSpace(text.charCodeAt(i))) i++;
      return this.token('space', i);
    }
    if (isWordStart(c)) return this.word(c);
    const following = text.charCodeAt(start + 1);
    if (isDigit(c) || (c === 46 && isDigit(following))) return this.number();
    if (c === quote) return this.string(start + 1, false);
    if (c === 34) return this.quoted('quoted name', start + 1, '"');
    if (c === 45 && following === 45) {
      let i = start + 2;
      while (i < limit && text.charCodeAt(i) !== 10 && text.charCodeAt(i) !== 13) i++;
      return this.token('comment', i);
    }
    if (c === 47 && following === 42) return this.blockComment();
    if (c === 36) return this.dollar(following);
    if (c === 92) return this.token('backslash', start + 1);
    if (operatorCharacters.has(c)) return this.operator();
    return this.token('punctuation', start + 1);
  }

  /** The token's text. */
  get value(): string {
    return this.text.slice(this.start, this.end);
  }

  private token(kind: TokenKind, end: number): true {
    this.kind = kind;
    this.end = end;
    return true;
  }

  private word(first: number): true {
    const { text, limit, start } = this;
    const second = text.charCodeAt(start + 1);
    if (second === quote) {
      const prefix = first | 32;
      if (prefix === 101) return this.string(start + 2, true);
      if (prefix === 98 || prefix === 120 || prefix === 110) return this.string(start + 2, false);
    }
    if ((first | 32) === 117 && second === 38) {
      const third = text.charCodeAt(start + 2);
      if (third === quote) return this.string(start + 3, false);
      if (third === 34) return this.quoted('quoted name', start + 3, '"');
    }
    let i = start + 1;
    while (i < limit && isWordPart(text.charCodeAt(i))) i++;
    if (i < limit && text.charCodeAt(i) === 0xfeff) i++;
    return this.token('word', i);
  }

  private number(): true {
    const { text, limit } = this;
    let i = this.start + 1;
    while (i < limit) {
      const c = text.charCodeAt(i);
      const exponent =
        (c === 43 || c === 45) && (text.charCodeAt(i - 1) | 32) === 101 && isDigit(text.charCodeAt(i + 1));
      if (isWordPart(c) || exponent || (c === 46 && text.charCodeAt(i + 1) !== 46)) i++;
      else break;
    }
    return this.token('number', i);
  }

  /** From behind the opening quote of a string; with `escapes`, a backslash escapes the next character. */
  private string(from: number, escapes: boolean): true {
    if (!escapes) return this.quoted('string', from, "'");
    const { text, limit } = this;
    for (let i = from; i < limit; i++) {
      const c = text.charCodeAt(i);
      if (c === 92) i++;
      else if (c === quote) {
        if (text.charCodeAt(i + 1) !== quote) return this.token('string', i + 1);
        i++;
      }
    }
    this.unterminated = true;
    return this.token('string', limit);
  }

  private quoted(kind: TokenKind, from: number, delimiter: string): true {
    const { text, limit } = this;
    for (let i = text.indexOf(delimiter, from); i !== -1 && i < limit; i = text.indexOf(delimiter, i + 2)) {
      if (text[i + 1] !== delimiter || i + 1 >= limit) return this.token(kind, i + 1);
    }
    this.unterminated = true;
    return this.token(kind, limit);
  }

  private blockComment(): true {
    const { text, limit } = this;
    let depth = 1;
    for (let i = this.start + 2; i < limit; i++) {
      const c = text.charCodeAt(i);
      if (c === 42 && text.charCodeAt(i + 1) === 47) {
        i++;
        if (--depth === 0) return this.token('comment', i + 1);
      } else if (c === 47 && text.charCodeAt(i + 1) === 42) {
        i++;
        depth++;
      }
    }
    this.unterminated = true;
    return this.token('comment', limit);
  }

  private dollar(following: number): true {
    const { text, limit, start } = this;
    let i = start + 1;
    if (isDigit(following)) {
      while (i < limit && isDigit(text.charCodeAt(i))) i++;
      return this.token('parameter', i);
    }
    while (i < limit && isWordPart(text.charCodeAt(i)) && text.charCodeAt(i) !== 36) i++;
    if (text.charCodeAt(i) !== 36 || i >= limit) return this.token('punctuation', start + 1);
    const tag = text.slice(start, i + 1);
    const close = text.indexOf(tag, i + 1);
    if (close !== -1 && close + tag.length <= limit) return this.token('dollar string', close + tag.length);
    this.unterminated = true;
    return this.token('dollar string', limit);
  }

  private operator(): true {
    const { text, limit } = this;
    let i = this.start + 1;
    while (i < limit && operatorCharacters.has(text.charCodeAt(i))) {
      const c = text.charCodeAt(i);
      const following = text.charCodeAt(i + 1);
      if ((c === 45 && following === 45) || (c === 47 && following === 42)) break;
      i++;
    }
    return this.token('operator', i);
  }
}
