import { tokenize, type Token } from './tokens.js';

/** A stretch of the text, UTF-16 units, `end` exclusive. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** An argument's value: `"x"`, `3`, `Cascade`, `now()`, `[orgId, slug(sort: Desc)]`, `{ a: 1 }`. */
export type Expression = Range &
  (
    | { readonly kind: 'string' | 'number' | 'name'; readonly text: string }
    | { readonly kind: 'call'; readonly name: string; readonly arguments: readonly Argument[] }
    | { readonly kind: 'list'; readonly items: readonly Expression[] }
  );

export interface Argument {
  readonly name?: string;
  readonly value: Expression;
}

/** `@id`, `@db.VarChar(20)`, `@@unique([a, b])`. The name is without `@`. */
export interface Attribute extends Range {
  readonly name: string;
  readonly arguments: readonly Argument[];
}

/** A field of a model, a value of an enum (without a type), or a setting of a datasource or generator (with a value). */
export interface Member extends Range {
  readonly name: string;
  readonly type?: string;
  /** `Unsupported("polygon")` has it. */
  readonly typeArguments?: readonly Argument[];
  readonly list: boolean;
  readonly optional: boolean;
  readonly attributes: readonly Attribute[];
  readonly value?: Expression;
}

/** `model Invoice { ... }`. */
export interface Block extends Range {
  readonly keyword: string;
  readonly name: string;
  readonly members: readonly Member[];
  /** `@@` attributes. */
  readonly attributes: readonly Attribute[];
}

export interface SchemaText {
  readonly blocks: readonly Block[];
  readonly comments: readonly Token[];
  readonly errors: readonly (Range & { readonly message: string })[];
}

class SyntaxProblem extends Error {
  readonly at: Token | undefined;
  constructor(message: string, at: Token | undefined) {
    super(message);
    this.at = at;
  }
}

const maxDepth = 64;

/**
 * Reads a Prisma schema. A line that cannot be read costs itself only: it is named in `errors`, and reading goes on after it. Hand-written
 * because the parsers at hand give up a whole file at its first odd line, or give no positions of attributes. Never throws.
 */
export function parseSchema(text: string): SchemaText {
  const all = tokenize(text);
  const comments = all.filter((t) => t.kind === 'comment');
  const reader = new Reader(
    all.filter((t) => t.kind !== 'comment'),
    text.length,
  );
  const blocks: Block[] = [];
  for (reader.skipLines(); !reader.done; reader.skipLines()) {
    const block = reader.attempt(() => readBlock(reader));
    if (block) blocks.push(block);
    else reader.skipToNextBlock();
  }
  return { blocks, comments, errors: reader.errors };
}

function readBlock(reader: Reader): Block {
  const keyword = reader.word('a block such as model or enum');
  const name = reader.word(`the name of this ${keyword.text}`);
  reader.mark('{');
  const members: Member[] = [];
  const attributes: Attribute[] = [];
  for (reader.skipLines(); !reader.done && !reader.is('}') && !reader.atBlock(); reader.skipLines()) {
    const read = reader.attempt(() => {
      if (reader.is('@@')) attributes.push(readAttribute(reader, '@@'));
      else members.push(readMember(reader));
      if (!reader.is('}') && !reader.done) reader.line();
      return true;
    });
    if (!read) reader.skipRestOfLine();
  }
  reader.attempt(() => reader.mark('}'));
  return { keyword: keyword.text, name: name.text, members, attributes, start: keyword.start, end: reader.previousEnd };
}

function readMember(reader: Reader): Member {
  const name = reader.word('a field');
  if (reader.take('=')) {
    const value = readExpression(reader, 0);
    return { name: name.text, list: false, optional: false, attributes: [], value, start: name.start, end: value.end };
  }
  reader.take(':');
  const type = reader.peekWord() ? reader.word('a type') : undefined;
  const typeArguments = type && reader.is('(') ? readArguments(reader, 0) : undefined;
  const list = reader.take('[]');
  const optional = reader.take('?');
  if (!optional) reader.take('!');
  const attributes: Attribute[] = [];
  while (reader.is('@')) attributes.push(readAttribute(reader, '@'));
  return {
    name: name.text,
    ...(type ? { type: type.text } : {}),
    ...(typeArguments ? { typeArguments } : {}),
    list,
    optional,
    attributes,
    start: name.start,
    end: reader.previousEnd,
  };
}

function readAttribute(reader: Reader, sign: '@' | '@@'): Attribute {
  const first = reader.mark(sign);
  let name = reader.word('the name of an attribute').text;
  while (reader.take('.')) name += `.${reader.word('the rest of the name').text}`;
  const args = reader.is('(') ? readArguments(reader, 0) : [];
  return { name, arguments: args, start: first.start, end: reader.previousEnd };
}

function readArguments(reader: Reader, depth: number): Argument[] {
  const args: Argument[] = [];
  reader.mark('(');
  for (reader.skipLines(); !reader.is(')'); reader.skipLines()) {
    const name = reader.peekNamed();
    if (name !== undefined) {
      reader.word('a name');
      reader.mark(':');
    }
    reader.skipLines();
    const value = readExpression(reader, depth + 1);
    args.push(name === undefined ? { value } : { name, value });
    reader.skipLines();
    if (!reader.is(')')) reader.mark(',');
  }
  reader.mark(')');
  return args;
}

function readExpression(reader: Reader, depth: number): Expression {
  if (depth > maxDepth) reader.fail('nested too deeply');
  const token = reader.next('a value');
  if (token.kind === 'string' || token.kind === 'number') {
    return { kind: token.kind, text: token.text, start: token.start, end: token.end };
  }
  if (token.text === '[]') return { kind: 'list', items: [], start: token.start, end: token.end };
  if (token.text === '[' || token.text === '{') {
    const close = token.text === '[' ? ']' : '}';
    const items: Expression[] = [];
    for (reader.skipLines(); !reader.is(close); reader.skipLines()) {
      if (close === '}' && reader.peekNamed() !== undefined) {
        reader.word('a name');
        reader.mark(':');
      }
      items.push(readExpression(reader, depth + 1));
      reader.skipLines();
      if (!reader.is(close)) reader.mark(',');
    }
    return { kind: 'list', items, start: token.start, end: reader.mark(close).end };
  }
  if (token.kind !== 'word') reader.fail('a value is expected', token);
  let name = token.text;
  while (reader.take('.')) name += `.${reader.word('the rest of the name').text}`;
  if (!reader.is('(')) return { kind: 'name', text: name, start: token.start, end: reader.previousEnd };
  const args = readArguments(reader, depth + 1);
  return { kind: 'call', name, arguments: args, start: token.start, end: reader.previousEnd };
}

/** A cursor over tokens. Methods that need something throw a SyntaxProblem; `attempt` turns it into an error of the file. */
class Reader {
  readonly errors: { message: string; start: number; end: number }[] = [];
  private at = 0;
  constructor(
    private readonly tokens: readonly Token[],
    private readonly length: number,
  ) {}

  get done(): boolean {
    return this.at >= this.tokens.length;
  }
  get previousEnd(): number {
    return this.tokens[this.at - 1]?.end ?? 0;
  }
  is(text: string): boolean {
    const token = this.tokens[this.at];
    return token?.kind === 'mark' && token.text === text;
  }
  take(text: string): boolean {
    if (!this.is(text)) return false;
    this.at++;
    return true;
  }
  mark(text: string): Token {
    if (!this.is(text)) this.fail(`'${text}' is expected`);
    return this.next(text);
  }
  next(what: string): Token {
    const token = this.tokens[this.at];
    if (token === undefined) this.fail(`${what} is expected`);
    this.at++;
    return token;
  }
  peekWord(): boolean {
    return this.tokens[this.at]?.kind === 'word';
  }
  /** The name of `name: value`, without moving. */
  peekNamed(): string | undefined {
    const [word, colon] = [this.tokens[this.at], this.tokens[this.at + 1]];
    return word?.kind === 'word' && colon?.kind === 'mark' && colon.text === ':' ? word.text : undefined;
  }
  word(what: string): Token {
    if (!this.peekWord()) this.fail(`${what} is expected`);
    return this.next(what);
  }
  line(): void {
    if (this.tokens[this.at]?.kind !== 'newline') this.fail('the end of the line is expected');
    this.at++;
  }
  skipLines(): void {
    while (this.tokens[this.at]?.kind === 'newline') this.at++;
  }
  skipRestOfLine(): void {
    while (!this.done && this.tokens[this.at]?.kind !== 'newline') this.at++;
  }
  /** At a line that begins with two words and a brace, as only a block does. */
  atBlock(): boolean {
    if (this.at > 0 && this.tokens[this.at - 1]?.kind !== 'newline') return false;
    const [a, b, c] = [this.tokens[this.at], this.tokens[this.at + 1], this.tokens[this.at + 2]];
    return a?.kind === 'word' && b?.kind === 'word' && c?.kind === 'mark' && c.text === '{';
  }
  skipToNextBlock(): void {
    do this.at++;
    while (!this.done && !this.atBlock());
  }
  attempt<T>(read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof SyntaxProblem)) throw error;
      const at = error.at;
      this.errors.push({ message: error.message, start: at?.start ?? this.length, end: at?.end ?? this.length });
      return undefined;
    }
  }
  fail(message: string, at: Token | undefined = this.tokens[this.at]): never {
    throw new SyntaxProblem(message, at);
  }
}
