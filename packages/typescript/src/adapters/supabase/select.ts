/** An embedded resource of a `select` text: `author:users!posts_author_id_fkey!inner(id, name)`. */
export interface Embed {
  /** By which filters call it: its alias, else its name. */
  readonly name: string;
  readonly target: string;
  /** Which of several relationships is meant: a constraint, a column, the table between. */
  readonly hint?: string;
  /** Rows of the parent without one are left out. */
  readonly inner: boolean;
  readonly selection: Selection;
}

export interface Selection {
  /** Columns by name; undefined: all. */
  readonly columns: readonly string[] | undefined;
  readonly embeds: readonly Embed[];
}

const name = /^(?:"[^"]*"|[^\s,()!:."]+)/;

/** Reads the text of PostgREST's `select`; undefined where it does not follow its grammar. */
export function parseSelect(text: string): Selection | undefined {
  const parser = new SelectParser(text.replace(/\s+/g, (s, at: number) => (insideQuotes(text, at) ? s : '')));
  const found = parser.list();
  return found && parser.done() ? found : undefined;
}

const insideQuotes = (text: string, at: number): boolean => (text.slice(0, at).split('"').length - 1) % 2 === 1;

class SelectParser {
  #at = 0;

  constructor(private readonly text: string) {}

  done = (): boolean => this.#at >= this.text.length;

  list(depth = 0): Selection | undefined {
    if (depth > 20) return undefined;
    const columns: string[] = [];
    const embeds: Embed[] = [];
    let all = false;
    if (this.done() || this.text[this.#at] === ')') return { columns, embeds };
    for (;;) {
      const item = this.#item(depth);
      if (!item) return undefined;
      if (item === '*') all = true;
      else if (typeof item === 'string') columns.push(item);
      else embeds.push(item);
      if (this.text[this.#at] !== ',') break;
      this.#at++;
    }
    return { columns: all ? undefined : columns, embeds };
  }

  #item(depth: number): Embed | string | undefined {
    if (this.#eat('*')) return '*';
    this.#eat('...');
    const first = this.#name();
    if (first === undefined) return undefined;
    let alias: string | undefined;
    let target = first;
    if (this.text[this.#at] === ':' && this.text[this.#at + 1] !== ':') {
      this.#at++;
      const second = this.#name();
      if (second === undefined) return undefined;
      [alias, target] = [first, second];
    }
    const hints: string[] = [];
    while (this.#eat('!')) {
      const hint = this.#name();
      if (hint === undefined) return undefined;
      hints.push(hint);
    }
    if (this.#eat('(')) {
      const selection = this.list(depth + 1);
      if (!selection || !this.#eat(')')) return undefined;
      const hint = hints.find((h) => h !== 'inner' && h !== 'left');
      return {
        name: alias ?? target,
        target,
        ...(hint === undefined ? {} : { hint }),
        inner: hints.includes('inner'),
        selection,
      };
    }
    if (hints.length > 0) return undefined;
    // A path into JSON, an aggregate, a cast: `data->a->>b`, `total.sum()`, `id::text`.
    const rest = /^(?:\.\w+\(\))?(?:::[\w ]+)?/.exec(this.text.slice(this.#at));
    this.#at += rest?.[0].length ?? 0;
    return target.split('->')[0] ?? target;
  }

  #name(): string | undefined {
    const found = name.exec(this.text.slice(this.#at))?.[0];
    if (found === undefined) return undefined;
    this.#at += found.length;
    return found.replace(/^"|"$/g, '');
  }

  #eat(token: string): boolean {
    if (!this.text.startsWith(token, this.#at)) return false;
    this.#at += token.length;
    return true;
  }
}
