/** Where a hole stands in SQL text. `literal`: inside quotes; `comment`: it does not matter. */
export type HolePosition =
  'value' | 'identifier' | 'schema' | 'fragment' | 'literal' | 'quoted-identifier' | 'dollar' | 'comment';

/** What the text up to a hole leaves open. */
type State = {
  readonly in: 'plain' | 'literal' | 'identifier' | 'line' | 'block' | 'dollar';
  readonly tag?: string;
  readonly depth?: number;
  readonly escapes?: boolean;
};

/** After these words a name of a table, schema or another object follows. */
const beforeName = new Set(
  'from join into update table only schema database role user owner function view index sequence type search_path using references truncate concurrently'.split(
    ' ',
  ),
);
/** After these words an expression follows. */
const beforeExpression = new Set(
  'select where and or not in like ilike limit offset between values when then else case returning on having any all some distinct is set by fetch first next array row interval escape similar default return'.split(
    ' ',
  ),
);
/** After these a hole is a condition of its own: spliced text here is a whole part of the query. */
const beforeCondition = new Set(['where', 'and', 'or', 'not', 'on', 'having']);
/** What follows a name-expecting word only after another word. */
const skipped = new Set(['if', 'not', 'exists', 'only', 'lateral', 'local', 'session', 'to']);

const clauses = new Set(
  'select from where on having join using order group limit offset returning values set fetch update delete'.split(' '),
);
/** Clauses of which no part decides which rows are reached. */
const harmless = new Set(['select', 'order', 'group', 'limit', 'offset', 'returning', 'fetch', 'values', 'set']);

/** The word that a hole is; no text reads as it. */
const standIn = 'hole?';

/** Reads SQL piece by piece and says for each gap between two pieces where it stands. Pure: the state is in the object. */
export class SqlScanner {
  #state: State = { in: 'plain' };
  /** Tokens seen in plain text, latest last; only the tail matters. */
  #words: string[] = [];
  #adjacent = false;

  /** Reads a piece of literal text. */
  read(text: string): void {
    let i = 0;
    while (i < text.length) i = this.#step(text, i);
  }

  /** Where a hole stands that follows what was read and precedes `next`. */
  hole(next: string): HolePosition {
    switch (this.#state.in) {
      case 'literal':
        return 'literal';
      case 'identifier':
        return 'quoted-identifier';
      case 'dollar':
        return 'dollar';
      case 'line':
      case 'block':
        return 'comment';
      case 'plain':
    }
    const position = this.#plain(next);
    this.#words.push(position === 'fragment' ? '' : standIn);
    this.#adjacent = true;
    return position;
  }

  /** Whether what stands here can change which rows are reached: the last clause at this depth of parentheses is not a sort key or a limit. */
  get restricts(): boolean {
    let depth = 0;
    for (let i = this.#words.length - 1; i >= 0; i--) {
      const word = this.#words[i]!;
      if (word === ')') depth++;
      else if (word === '(') depth = Math.max(0, depth - 1);
      else if (depth === 0 && clauses.has(word)) return !harmless.has(word);
    }
    return true;
  }

  #plain(next: string): HolePosition {
    const last = this.#words.at(-1) ?? '';
    const before = this.#words.at(-2) ?? '';
    const named = this.#expectsName();
    if (/^\s*\.(?!\d)/.test(next)) return named ? 'schema' : 'identifier';
    if (last === '.') return 'identifier';
    if (this.#adjacent && /[\w$?]$/.test(last)) return 'identifier';
    if (/^[\w$]/.test(next)) return 'identifier';
    if (last === '=' || last === 'to') {
      if (before === 'search_path') return 'schema';
      if (last === 'to') return 'identifier';
    }
    if (last === ',' && this.#words.includes('search_path') && this.#words.includes('set')) return 'schema';
    if (named) return named === 'schema' ? 'schema' : 'identifier';
    if (last === 'from') return 'value';
    if (beforeCondition.has(last) && !/^\s*(?:[=<>!~@&|+*/%^:[-]|is\b|in\b|not\b|like\b|ilike\b|between\b)/i.test(next))
      return 'fragment';
    if (last === 'by') return 'fragment';
    if (last === 'select' && /^\s*(?:,|from\b)/i.test(next)) return 'fragment';
    if (last === '' || last === ';') return 'fragment';
    if (/^[=<>!~@&|+*/%^([,:?-]/.test(last) || beforeExpression.has(last)) return 'value';
    return 'fragment';
  }

  /** The word after which the hole is a name, if it is one. IS DISTINCT FROM is none. */
  #expectsName(): string | undefined {
    for (let i = this.#words.length - 1; i >= 0; i--) {
      const word = this.#words[i]!;
      if (word === 'not' && this.#words[i - 1] !== 'if') return undefined;
      if (skipped.has(word)) continue;
      const compares = word === 'from' && this.#words[i - 1] === 'distinct';
      return beforeName.has(word) && !compares ? word : undefined;
    }
    return undefined;
  }

  #step(text: string, i: number): number {
    const state = this.#state;
    switch (state.in) {
      case 'plain':
        return this.#stepPlain(text, i);
      case 'literal': {
        const at = text.slice(i).search(state.escapes ? /['\\]/ : /'/);
        if (at < 0) return text.length;
        if (text[i + at] === '\\') return i + at + 2;
        if (text[i + at + 1] === "'") return i + at + 2;
        return this.#leave(i + at + 1, "''");
      }
      case 'identifier': {
        const at = text.indexOf('"', i);
        if (at < 0) return text.length;
        return text[at + 1] === '"' ? at + 2 : this.#leave(at + 1, 'x');
      }
      case 'line': {
        const at = text.indexOf('\n', i);
        return at < 0 ? text.length : this.#leave(at + 1);
      }
      case 'block': {
        const at = text.slice(i).search(/\*\/|\/\*/);
        if (at < 0) return text.length;
        const depth = (state.depth ?? 1) + (text[i + at] === '/' ? 1 : -1);
        if (depth === 0) return this.#leave(i + at + 2);
        this.#state = { in: 'block', depth };
        return i + at + 2;
      }
      case 'dollar': {
        const tag = state.tag ?? '$$';
        const at = text.indexOf(tag, i);
        return at < 0 ? text.length : this.#leave(at + tag.length, "''");
      }
    }
  }

  #leave(next: number, word?: string): number {
    this.#state = { in: 'plain' };
    if (word) this.#push(word);
    return next;
  }

  #push(word: string): void {
    this.#words.push(word);
    this.#adjacent = true;
    if (this.#words.length > 400) this.#words.splice(0, 200);
  }

  #stepPlain(text: string, i: number): number {
    const rest = text.slice(i, i + 200);
    const c = text[i]!;
    if (/\s/.test(c)) {
      this.#adjacent = false;
      return i + 1;
    }
    if (rest.startsWith('--')) this.#state = { in: 'line' };
    else if (rest.startsWith('/*')) this.#state = { in: 'block', depth: 1 };
    if (this.#state.in !== 'plain') return i + 2;
    if (c === "'") {
      const escapes = this.#adjacent && this.#words.at(-1) === 'e';
      if (escapes) this.#words.pop();
      this.#state = { in: 'literal', escapes };
      return i + 1;
    }
    if (c === '"') {
      this.#state = { in: 'identifier' };
      return i + 1;
    }
    const dollar = /^\$(?:[A-Za-z_]\w*)?\$/.exec(rest);
    if (dollar && !(this.#adjacent && /\w$/.test(this.#words.at(-1) ?? ''))) {
      this.#state = { in: 'dollar', tag: dollar[0] };
      return i + dollar[0].length;
    }
    const word = /^[\w$]+/.exec(text.slice(i));
    if (word) {
      const previous = this.#words.at(-1);
      // A word right behind a hole continues the hole's identifier.
      const continues = this.#adjacent && previous === standIn;
      if (continues) this.#words.pop();
      this.#push(continues ? `?${word[0].toLowerCase()}` : word[0].toLowerCase());
      return i + word[0].length;
    }
    if (c === ';') this.#words = [];
    this.#push(c);
    if (c !== '.') this.#adjacent = c !== ',' && c !== '(' && c !== ')' ? this.#adjacent : false;
    return i + 1;
  }
}
