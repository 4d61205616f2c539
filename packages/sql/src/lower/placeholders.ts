import { Lexer } from '../parser/index.js';
import type { Edit, Edited } from './edits.js';
import { applyEdits } from './edits.js';
import { holeIdentifier, holesIn } from './holes.js';

/** SQL text in which every placeholder of another driver is one that Postgres knows, or a hole. */
export interface Normalized extends Edited {
  /** Placeholder values by the name they have after lowering ('1', 'hole:2') to the name in the original text ('tenantId'). */
  readonly names: ReadonlyMap<string, string>;
  /** Those that the driver writes out as the items of a list: `:...ids`, `$(ids:csv)`. */
  readonly lists: ReadonlySet<string>;
}

/** After these words, and after operators and opening brackets, an operand follows. */
const beforeOperand = new Set(
  `and or not in like ilike between select where by limit offset values set when then else is from returning any all some on having case
  similar to using distinct as fetch first next only into union except intersect with array exists`
    .split(/\s+/)
    .filter(Boolean),
);
/** Words that no operand begins with. */
const afterOperand = new Set(
  'and or then else end limit offset order group having returning union except intersect as from where for on when asc desc is in like ilike between not'.split(
    ' ',
  ),
);
/** Operators that a `?` or `@` behind them is not part of. */
const comparing = new Set(['=', '<', '>', '<=', '>=', '<>', '!=', '+', '-', '*', '/', '||', '%']);

/**
 * Rewrites the placeholders of other drivers: `?` (numbered in order), `:name`, `@name`, and pg-promise's `$(name)`, `$<name>`, `$[name]`
 * become `$n`; what stands for an identifier or for SQL (`??`, `:name:`, `:"name"`, `$(name:name)`, `${name}`) becomes a hole. A `?` between
 * two operands is the operator of jsonb, and so is every `?` in a text that uses `$1`. Nothing inside strings (but for `${name}`), quoted
 * names and comments is touched.
 */
export function normalizePlaceholders(text: string): Normalized {
  if (!/[?:@]|\$[({<[]/.test(text)) return { ...applyEdits(text, []), names: new Map(), lists: new Set() };
  return new Normalizer(text).run();
}

interface Token {
  readonly kind: string;
  readonly value: string;
  readonly start: number;
  readonly end: number;
}

class Normalizer {
  private readonly edits: Edit[] = [];
  private readonly names = new Map<string, string>();
  private readonly lists = new Set<string>();
  private readonly byName = new Map<string, number>();
  private readonly tokens: Token[] = [];
  private readonly native: boolean;
  private parameters: number;
  private holes: number;

  constructor(private readonly text: string) {
    const lexer = new Lexer(text);
    while (lexer.next()) {
      if (lexer.kind !== 'space' && lexer.kind !== 'comment') {
        this.tokens.push({ kind: lexer.kind, value: lexer.value, start: lexer.start, end: lexer.end });
      }
    }
    const numbers = this.tokens.flatMap((t) => (t.kind === 'parameter' ? [Number(t.value.slice(1))] : []));
    this.native = numbers.length > 0;
    this.parameters = Math.max(0, ...numbers);
    this.holes = Math.max(-1, ...holesIn(text).map((h) => h.n)) + 1;
  }

  run(): Normalized {
    let brackets = 0;
    for (let i = 0; i < this.tokens.length; i++) {
      const token = this.tokens[i];
      if (!token) continue;
      if (token.value === '[') brackets++;
      if (token.value === ']') brackets--;
      if (token.kind === 'string' || token.kind === 'quoted name') this.insideString(token);
      else if (token.kind === 'operator') this.operator(i, token);
      else if (token.value === ':' && this.text[token.start - 1] !== ':' && brackets <= 0) i = this.colon(i, token);
      else if (token.value === '$') i = this.dollar(i, token);
    }
    return { ...applyEdits(this.text, this.edits), names: this.names, lists: this.lists };
  }

  private value(start: number, end: number, name?: string, list = false): void {
    const known = name === undefined ? undefined : this.byName.get(name);
    const n = known ?? ++this.parameters;
    if (name !== undefined) {
      this.byName.set(name, n);
      this.names.set(String(n), name);
      if (list) this.lists.add(String(n));
    }
    // Without the space `= :a AND` could run into the next token.
    this.edits.push({ start, end, by: `$${n}${/[\w$]/.test(this.text[end] ?? '') ? ' ' : ''}` });
  }

  private hole(start: number, end: number, name: string): void {
    const n = this.holes++;
    this.names.set(`hole:${n}`, name);
    this.edits.push({ start, end, by: holeIdentifier(n) });
  }

  /** `${name}` inside a string or a quoted name. */
  private insideString(token: Token): void {
    for (const found of token.value.matchAll(/\$\{([^{}']*)\}/g)) {
      const start = token.start + found.index;
      this.hole(start, start + found[0].length, (found[1] ?? '').trim());
    }
  }

  private operator(i: number, token: Token): void {
    const mark = token.value.at(-1);
    const before = token.value.slice(0, -1);
    if (mark === '?' && !this.native) {
      if (token.value === '??') {
        if (this.operandBefore(i) && this.operandAfter(i))
          this.edits.push({ start: token.start, end: token.end, by: '?' });
        else this.hole(token.start, token.end, '??');
      } else if (comparing.has(before)) this.value(token.end - 1, token.end);
      else if (before === '' && this.text[token.start - 1] === '\\')
        this.edits.push({ start: token.start - 1, end: token.end, by: '?' });
      else if (before === '' && !(this.operandBefore(i) && this.operandAfter(i))) this.value(token.start, token.end);
    }
    const next = this.tokens[i + 1];
    if (
      mark === '@' &&
      !this.native &&
      next?.kind === 'word' &&
      next.start === token.end &&
      (before === '' || comparing.has(before))
    ) {
      if (!/^__hole_/.test(next.value)) this.value(token.end - 1, next.end, next.value);
    }
  }

  /** `:name`, `:name:`, `:'name'`, `:"name"`, `:...names`. Returns the index of the last token it took. */
  private colon(i: number, token: Token): number {
    let at = i + 1;
    let next = this.tokens[at];
    if (this.text.startsWith('...', token.end)) {
      at = this.tokens.findIndex((t) => t.start >= token.end + 3);
      next = this.tokens[at];
      if (next?.start !== token.end + 3) return i;
    } else if (next?.start !== token.end) return i;
    if (next?.kind === 'string') this.value(token.start, next.end, next.value.slice(1, -1));
    else if (next?.kind === 'quoted name') this.hole(token.start, next.end, next.value.slice(1, -1));
    else if (next?.kind === 'word') {
      const after = this.tokens[at + 1];
      const identifier =
        after?.value === ':' &&
        after.start === next.end &&
        this.text[after.end] !== ':' &&
        !/[\w'"]/.test(this.text[after.end] ?? '');
      if (identifier && after) {
        this.hole(token.start, after.end, next.value);
        return at + 1;
      }
      this.value(token.start, next.end, next.value, at > i + 1);
    } else return i;
    return at;
  }

  /** `${...}`, `$(name)`, `$<name>`, `$[name]`; pg-promise's `:name`, `~` and `:raw`, `^` make it an identifier or SQL. */
  private dollar(i: number, token: Token): number {
    const rest = this.text.slice(token.start, token.start + 200);
    const template = /^\$\{([^{}]*)\}/.exec(rest);
    const named =
      /^\$(?:\(\s*([\w.]+)\s*([:~^#]\w*)?\s*\)|<\s*([\w.]+)\s*([:~^#]\w*)?\s*>|\[\s*([\w.]+)\s*([:~^#]\w*)?\s*\])/.exec(
        rest,
      );
    const found = template ?? named;
    if (!found) return i;
    const end = token.start + found[0].length;
    const name = (found[1] ?? found[3] ?? found[5] ?? '').trim();
    const modifier = named ? (found[2] ?? found[4] ?? found[6]) : undefined;
    if (template || (modifier !== undefined && /^(~|\^|:(name|alias|raw)$)/.test(modifier)))
      this.hole(token.start, end, name);
    else this.value(token.start, end, name, modifier === ':csv' || modifier === ':list');
    let last = i;
    while ((this.tokens[last + 1]?.start ?? Infinity) < end) last++;
    return last;
  }

  private operandBefore(i: number): boolean {
    const token = this.tokens[i - 1];
    if (!token) return false;
    if (token.kind === 'word') return !beforeOperand.has(token.value.toLowerCase());
    if (token.kind === 'operator') return token.value === '?';
    return (
      ['string', 'dollar string', 'quoted name', 'number', 'parameter'].includes(token.kind) ||
      token.value === ')' ||
      token.value === ']'
    );
  }

  private operandAfter(i: number): boolean {
    const token = this.tokens[i + 1];
    if (!token) return false;
    if (token.kind === 'word') return !afterOperand.has(token.value.toLowerCase());
    if (token.kind === 'operator') return token.value === '?';
    return (
      ['string', 'dollar string', 'quoted name', 'number', 'parameter'].includes(token.kind) ||
      token.value === '(' ||
      token.value === '$'
    );
  }
}
