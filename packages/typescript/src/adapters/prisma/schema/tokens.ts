/** A token of the Prisma schema language; offsets are UTF-16 units of the text, `end` exclusive. */
export interface Token {
  readonly kind: 'word' | 'string' | 'number' | 'mark' | 'newline' | 'comment' | 'bad';
  /** The text; of a string, its content with escapes undone. */
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

const patterns: readonly (readonly [Token['kind'] | 'space', RegExp])[] = [
  ['newline', /\r\n|\n|\r/y],
  ['space', /[^\S\r\n]+|\uFEFF/y],
  ['comment', /\/\/[^\r\n]*|\/\*[^]*?\*\//y],
  ['string', /"(?:[^"\\\r\n]|\\[^\r\n])*"/y],
  ['number', /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w-])/y],
  ['word', /[\p{L}\p{N}_][\p{L}\p{N}_-]*/uy],
  ['mark', /@@|\[\]|[@{}()[\],:=?.!]/y],
];

/** Splits a schema into tokens. Every character is part of one, or blank; what no token begins with is `bad`. Never throws. */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    const found = next(text, at);
    if (found === undefined) {
      const end = at + (text.codePointAt(at)! > 0xffff ? 2 : 1);
      tokens.push({ kind: 'bad', text: text.slice(at, end), start: at, end });
      at = end;
      continue;
    }
    const [kind, end] = found;
    const raw = text.slice(at, end);
    if (kind !== 'space') tokens.push({ kind, text: kind === 'string' ? unescape(raw) : raw, start: at, end });
    at = end;
  }
  return tokens;
}

function next(text: string, at: number): [Token['kind'] | 'space', number] | undefined {
  for (const [kind, pattern] of patterns) {
    pattern.lastIndex = at;
    if (pattern.test(text)) return [kind, pattern.lastIndex];
  }
  return undefined;
}

const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f' };

const unescape = (raw: string): string =>
  raw
    .slice(1, -1)
    .replace(/\\(?:u([0-9a-fA-F]{4})|(.))/g, (_, code: string | undefined, plain: string) =>
      code === undefined ? (escapes[plain] ?? plain) : String.fromCharCode(Number.parseInt(code, 16)),
    );
