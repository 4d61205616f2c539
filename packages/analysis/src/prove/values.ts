import type { Predicate, Value, ValueOf } from '@tenant-lint/model';
import type { Comparisons } from './compare.js';
import { speaks } from './compare.js';
import { applyFunction, castOf } from './functions.js';
import { identityOf } from './identity.js';
import { ERROR, FALSE, NULL, TRUE, type Outcomes } from './logic.js';
import { bare } from './missing.js';
import type { ValueClass } from './question.js';
import type { Queries } from './queries.js';
import type { Rows } from './rows.js';
import type { Run } from './run.js';
import { canBeNull, failure, keyOf, nothing, refsOf, textOf, type Symbol } from './symbols.js';

/** What values need of the rest of the evaluation. */
export interface Conditions {
  evaluate(predicate: Predicate): Outcomes;
  test(value: Value): readonly boolean[];
  readThrough<T>(call: ValueOf<'apply'>, known: (body: Value) => T, unknown: (reason: string) => T): T | undefined;
}

const maxTexts = 64;

/** What values evaluate to in the small world. */
export class Values {
  constructor(
    private readonly run: Run,
    private readonly rows: Rows,
    private readonly comparisons: Comparisons,
    private readonly queries: () => Queries,
    private readonly conditions: Conditions,
  ) {}

  /** Everything that a value may evaluate to. */
  symbols(value: Value): readonly Symbol[] {
    switch (value.kind) {
      case 'constant':
        return [value.value === null ? nothing : textOf(String(value.value), false)];
      case 'undefined':
        return [nothing];
      case 'column':
        return this.#column(value);
      case 'missing-able': {
        const absent = value.how === 'empty' ? textOf('', false) : nothing;
        return this.run.isMissing(value).flatMap((gone) => (gone ? [absent] : this.#surely(bare(value))));
      }
      case 'choice':
        return this.#choice(value);
      case 'apply':
        return this.#apply(value);
      case 'text': {
        const parts = value.parts.map((part): Value =>
          'hole' in part ? part.hole : { kind: 'constant', value: part.text },
        );
        return this.#concatenated(parts, false);
      }
      case 'query':
        return identityOf(value) === undefined ? this.queries().scalar(value.query) : this.#classified(value);
      case 'predicate':
        return this.#truth(this.conditions.evaluate(value.predicate));
      case 'unknown':
        return [{ is: 'unknown', key: this.#keyOf(value), refs: [], reason: value.reason }];
      case 'element':
        // An element of an array that SQL computes; of a program's value it is that value's class that counts.
        if (!inDatabase.has(value.of.kind)) return this.#classified(value);
        return isItem(value) ? this.symbols(value.of).map(itemsOf) : this.#member(value);
      case 'list':
        return unique(value.of.flatMap((item) => this.symbols(item.value)));
      default:
        return this.#classified(value);
    }
  }

  /** A column of a row, or a member of a document, that SQL computes: not known where the whole is not. */
  #member(value: ValueOf<'element'>): readonly Symbol[] {
    if (identityOf(value) !== undefined) return this.#classified(value);
    const unknown = this.symbols(value.of).find((s) => s.is === 'unknown');
    return unknown ? [{ ...unknown, key: this.#keyOf(value) }] : this.#classified(value);
  }

  /** What a value is to the question; undefined: its kind decides elsewhere. */
  classOf(value: Value): ValueClass | undefined {
    const { classes } = this.run.setup.cache;
    if (classes.has(value)) return classes.get(value);
    const found = identityOf(value) ?? this.run.setup.world.classify?.(value) ?? classByKind(value);
    classes.set(value, found);
    return found;
  }

  #keyOf(value: Value): string {
    return this.run.setup.cache.keyOfValue(value);
  }

  #truth(outcomes: Outcomes): readonly Symbol[] {
    const result: Symbol[] = [];
    if (outcomes & TRUE) result.push(textOf('true', false));
    if (outcomes & FALSE) result.push(textOf('false', false));
    if (outcomes & NULL) result.push(nothing);
    if (outcomes & ERROR) result.push(failure);
    return result;
  }

  #column(value: ValueOf<'column'>): readonly Symbol[] {
    const target = value.target === undefined ? undefined : this.run.setup.targets.get(value.target);
    if (target) return this.rows.column(target, value.column);
    const refs = value.target === undefined ? [] : [value.target];
    return [
      { is: 'unknown', key: this.#keyOf(value), refs, reason: `which table the column ${value.column} belongs to` },
    ];
  }

  #choice(value: ValueOf<'choice'>): readonly Symbol[] {
    const [first, second] = value.of;
    if (value.test && first && second)
      return unique(this.conditions.test(value.test).flatMap((holds) => this.symbols(holds ? first : second)));
    return unique(this.run.space.pick(`choice|${this.#keyOf(value)}`, value.of, []).flatMap((v) => this.symbols(v)));
  }

  // Values from outside of the database

  #claim(value: Value): Symbol {
    const key = this.#keyOf(value);
    this.run.claimable.set(key, value);
    return { is: 'claim', key };
  }

  /** The symbols of a value whose absence was another choice. */
  #surely(value: Value): readonly Symbol[] {
    return this.classOf(value) === 'tenant-unverified' ? [this.#claim(value)] : this.symbols(value);
  }

  #classified(value: Value): readonly Symbol[] {
    const key = this.#keyOf(value);
    const inSql = value.kind === 'apply' || value.kind === 'setting';
    switch (this.classOf(value)) {
      case 'tenant-verified':
        return inSql ? this.#unlessAnonymous({ is: 'tenant', key }) : [{ is: 'tenant', key }];
      case 'tenant-unverified':
        // Nothing shows that it may be missing, and nothing rules it out.
        return this.run.isMissing(value).map((gone) => (gone ? nothing : this.#claim(value)));
      case 'foreign-possible':
        return [{ is: 'foreign', key }];
      case 'caller':
        return inSql ? this.#unlessAnonymous({ is: 'caller', key }) : [{ is: 'caller', key }];
      case 'role':
        return [{ is: 'role', key }];
      default:
        return value.kind === 'setting' ? this.#setting(value) : [{ is: 'free', key, refs: [], nullable: true }];
    }
  }

  /** Without a logged-in user the claims of a token are NULL. */
  #unlessAnonymous(symbol: Extract<Symbol, { is: 'tenant' | 'caller' }>): readonly Symbol[] {
    if (this.run.mode.failOpen)
      return this.run.space.pick(`unset|${symbol.key}`, [false, true], []).map((unset) => (unset ? nothing : symbol));
    this.run.touched.add('failOpen');
    return [symbol];
  }

  /**
   * A setting that carries the tenant or the caller is set in a proper world. Otherwise it is NULL in a fresh session, and '' in one where a
   * transaction had set it; without missing_ok, NULL is an error.
   */
  #setting(value: ValueOf<'setting'>): readonly Symbol[] {
    const { setup, mode, touched, space } = this.run;
    const { name, missingOk } = value;
    const isCaller = setup.callers.has(name);
    if (!isCaller && !setup.carriers.has(name))
      return [{ is: 'free', key: `setting ${name}`, refs: [], nullable: missingOk, setting: true }];
    const set: Symbol = isCaller ? { is: 'caller', key: name } : textOf(mode.tenant, true);
    if (!mode.failOpen) {
      touched.add('failOpen');
      return [set];
    }
    const domain = missingOk ? [mode.tenant, '', null] : [mode.tenant, ''];
    return space
      .pick(`setting|${name}`, domain, [])
      .map((text) => (text === null ? nothing : text === '' ? textOf('', false) : set));
  }

  // Functions

  #apply(value: ValueOf<'apply'>): readonly Symbol[] {
    if (this.classOf(value) !== undefined) return this.#classified(value);
    const read = this.conditions.readThrough(
      value,
      (body) => this.symbols(body),
      (reason): readonly Symbol[] => [{ is: 'unknown', key: this.#keyOf(value), refs: [], reason, about: true }],
    );
    if (read) return read;
    const { function: name, to } = value;
    if (name === 'coalesce' || name === '??' || (name === '||' && isJavascript(value)))
      return unique(this.#coalesced(to));
    if (name === 'nullif' && to[0] && to[1]) return unique(this.#nullif(to[0], to[1]));
    if (name === 'concat' || name === '||' || name === '+') return this.#concatenated(to, name === 'concat');
    if (name.startsWith('cast:') && to[0]) return unique(this.symbols(to[0]).map((s) => castOf(s, name.slice(5))));
    return applyFunction(value, (v) => this.symbols(v), this.#keyOf(value));
  }

  #coalesced([value, ...rest]: readonly Value[]): readonly Symbol[] {
    if (!value) return [nothing];
    return this.symbols(value).flatMap((symbol): readonly Symbol[] => {
      if (symbol.is === 'null') return this.#coalesced(rest);
      if (this.run.isSilent(symbol)) return [symbol, ...this.#coalesced(rest)];
      if (!canBeNull(symbol)) return [symbol];
      return this.run
        .nullness(symbol)
        .flatMap((isNull) => (isNull ? this.#coalesced(rest) : [{ ...symbol, nullable: false } as Symbol]));
    });
  }

  #nullif(a: Value, b: Value): readonly Symbol[] {
    const result: Symbol[] = [];
    for (const x of this.symbols(a))
      for (const y of this.symbols(b)) {
        const outcome = x.is === 'null' ? FALSE : this.comparisons.compare('=', x, y);
        if (outcome & TRUE) result.push(nothing);
        if (outcome & (FALSE | NULL)) result.push(x);
        if (outcome & ERROR) result.push(failure);
      }
    return result;
  }

  /** `a || b` is NULL if a part is; concat() leaves NULL out. */
  #concatenated(parts: readonly Value[], skipNull: boolean): readonly Symbol[] {
    let results: readonly Symbol[] = [textOf('', false)];
    for (const part of parts) {
      const after = this.symbols(part);
      results = unique(results.flatMap((before) => after.map((symbol) => this.#joined(before, symbol, skipNull))));
      if (results.length > maxTexts)
        return [
          { is: 'unknown', key: results.map(keyOf).join(), refs: [], reason: 'a text with too many possible values' },
        ];
    }
    return results;
  }

  #joined(a: Symbol, b: Symbol, skipNull: boolean): Symbol {
    if (a.is === 'error' || b.is === 'error') return failure;
    if (a.is === 'null' || b.is === 'null') return skipNull ? (a.is === 'null' ? b : a) : nothing;
    const text = (x: Symbol): string | undefined =>
      x.is === 'text' ? x.text : x.is === 'tenant' || x.is === 'claim' ? this.run.mode.tenant : undefined;
    const [x, y] = [text(a), text(b)];
    if (x === '') return b;
    if (y === '') return a;
    const tenancy = [a, b].some((s) => (s.is === 'text' && s.tenancy) || s.is === 'tenant' || s.is === 'claim');
    if (x !== undefined && y !== undefined) return textOf(x + y, tenancy);
    const key = `${keyOf(a)}||${keyOf(b)}`;
    const refs = [...refsOf(a), ...refsOf(b)];
    return tenancy || speaks(a) || speaks(b)
      ? { is: 'unknown', key, refs, reason: 'a text made of a tenant and something else' }
      : { is: 'free', key, refs, nullable: canBeNull(a) || canBeNull(b) };
  }
}

const inDatabase: ReadonlySet<Value['kind']> = new Set<Value['kind']>([
  'apply',
  'setting',
  'query',
  'column',
  'choice',
  'list',
]);

/** "Some item of": how an array stands in the place of its items. */
export const isItem = (value: Value): value is ValueOf<'element'> =>
  value.kind === 'element' && value.path.length === 1 && value.path[0] === '*';

/** JavaScript's `a || b`, not SQL's concatenation: SQL text never holds values of a program beside each other without a text between. */
const isJavascript = (value: ValueOf<'apply'>): boolean => value.to.some((v) => programKinds.has(v.kind));
const programKinds: ReadonlySet<Value['kind']> = new Set<Value['kind']>([
  'undefined',
  'parameter',
  'input',
  'missing-able',
]);

/** The items of an array that is written as a text: '{}' has none. */
function itemsOf(symbol: Symbol): Symbol {
  const items = symbol.is === 'text' ? /^\{([^{}"\\]*)\}$/.exec(symbol.text)?.[1] : undefined;
  if (items === undefined) return symbol;
  return { is: 'texts', of: items.trim() === '' ? [] : items.split(',').map((item) => item.trim()) };
}

function unique(symbols: readonly Symbol[]): readonly Symbol[] {
  if (symbols.length < 2) return symbols;
  return [...new Map(symbols.map((s) => [keyOf(s), s])).values()];
}

const claims: ReadonlySet<Value['kind']> = new Set<Value['kind']>([
  'input',
  'parameter',
  'result',
  'row',
  'import',
  'binding',
  'global',
  'this',
  'element',
  'placeholder',
]);

/** What a value is when the world says nothing. */
function classByKind(value: Value): ValueClass | undefined {
  if (value.kind === 'tenant') return value.verified ? 'tenant-verified' : 'tenant-unverified';
  return claims.has(value.kind) ? 'tenant-unverified' : undefined;
}
