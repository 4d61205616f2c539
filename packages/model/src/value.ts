import type { Span } from './span.js';
import type { Predicate, Query, TargetRef } from './predicate.js';

/** Identifies a function within all facts: `file#f<n>`; `#f0` is the module body. */
export type FunctionId = string;
/** Identifies a call chain within all facts: `file#c<n>`. */
export type ChainId = string;
/** Property names read from a value, outermost first: `x.a.b` is `['a', 'b']`. An index that is not a literal is `'*'`. */
export type Path = readonly string[];

/**
 * A value as an expression over what is known in one place. Front ends produce the symbolic kinds (parameter, result, import ...);
 * link and the prover replace them by what they turn out to be. Structural equality is meaningful: two equal values are the same value
 * at run time, except for `unknown`, which equals nothing.
 */
export type Value =
  /** A literal. `span`, quotes included, only for a string long enough to be a language of its own (SQL), where the file shows it. */
  | { readonly kind: 'constant'; readonly value: string | number | boolean | null; readonly span?: Span }
  /** JavaScript's undefined, written or implied (a missing argument). */
  | { readonly kind: 'undefined' }
  /**
   * A column of a target in scope. `target` is absent where SQL text names a column without a table; then `candidates` lists the
   * targets in scope, innermost scope first, and analysis resolves it with the schema (as Postgres does).
   */
  | {
      readonly kind: 'column';
      readonly target?: TargetRef;
      readonly column: string;
      readonly candidates?: readonly (readonly TargetRef[])[];
      /** With `candidates`: what the name means where none of them has such a column (a function's parameter, a column of a sub-select). */
      readonly otherwise?: Value;
      readonly span?: Span;
    }
  /** The current tenant. `verified`: from a session, verified token, request context; otherwise some value that only claims to be it. */
  | { readonly kind: 'tenant'; readonly verified: boolean; readonly source: string; readonly span?: Span }
  /** A Postgres setting read with current_setting(name [, missing_ok]). */
  | { readonly kind: 'setting'; readonly name: string; readonly missingOk: boolean }
  /** A bind parameter of SQL text: `$1` is '1', `:name` is 'name'. The adapter replaces it by the argument. */
  | { readonly kind: 'placeholder'; readonly name: string }
  /** A property of the row (or of the rows) that an earlier access returned. Made at link from `result`. */
  | { readonly kind: 'row'; readonly access: string; readonly path: Path }
  /** Data of the request: params, query, body, headers, procedure input, resolver arguments, job payload. */
  | { readonly kind: 'input'; readonly source: string; readonly path: Path }
  /** A property of a parameter of a function; an empty path is the parameter itself. */
  | { readonly kind: 'parameter'; readonly function: FunctionId; readonly index: number; readonly path: Path }
  /** (A property of) what a call chain evaluates to, awaited or not. */
  | { readonly kind: 'result'; readonly chain: ChainId; readonly path: Path }
  /** (A property of) a binding imported by the file `from`. `name` is the exported name, `default`, or `*` for the namespace. */
  | {
      readonly kind: 'import';
      readonly from: string;
      readonly module: string;
      readonly name: string;
      readonly path: Path;
    }
  /** (A property of) a module-level binding of the same file that other files may import, by its local name. */
  | { readonly kind: 'binding'; readonly file: string; readonly name: string; readonly path: Path }
  /** (A property of) a name that no scope of the file declares: process.env.X, globalThis.prisma. */
  | { readonly kind: 'global'; readonly name: string; readonly path: Path }
  /** (A property of) `this` within class `class` of the file `from`. */
  | { readonly kind: 'this'; readonly from: string; readonly class: string; readonly path: Path }
  /** A function or method of the program. */
  | { readonly kind: 'function'; readonly function: FunctionId }
  /** `new X(...)`. `injected`: by its declared type; with which arguments it was made is not known. */
  | {
      readonly kind: 'instance';
      readonly of: Value;
      readonly arguments: readonly Value[];
      readonly span: Span;
      readonly injected?: true;
    }
  /**
   * May be missing at run time (undefined, null, or an empty list or text). `certain`: syntax shows it (optional parameter or property,
   * `?.`, a declared `| undefined`); otherwise nothing rules it out.
   */
  | {
      readonly kind: 'missing-able';
      readonly of: Value;
      readonly how: 'undefined' | 'null' | 'empty';
      readonly certain: boolean;
    }
  | { readonly kind: 'object'; readonly entries: readonly Entry[]; readonly span?: Span }
  | { readonly kind: 'list'; readonly of: readonly Item[]; readonly span?: Span }
  /** A property of a value that is none of the symbolic kinds with a path of their own. */
  | { readonly kind: 'element'; readonly of: Value; readonly path: Path }
  /**
   * An operator or function applied: JavaScript operators by their token ('===', '!', '&&', '??', '+'), SQL functions by lower-case
   * name ('coalesce', 'lower'), casts as 'cast:<type>'.
   */
  | { readonly kind: 'apply'; readonly function: string; readonly to: readonly Value[]; readonly span?: Span }
  /** One of several values; with `test`, the first if the test holds, else the second. The test carries its marks of `missing-able`. */
  | { readonly kind: 'choice'; readonly of: readonly Value[]; readonly test?: Value }
  /** Text with holes: a template literal or a concatenation. A part that is a string carries where it starts in the file. */
  | { readonly kind: 'text'; readonly parts: readonly TextPart[]; readonly span: Span }
  /** A scalar sub-query. */
  | { readonly kind: 'query'; readonly query: Query }
  /** A condition as a value: `and(eq(...))` in a variable, a boolean expression in SQL. */
  | { readonly kind: 'predicate'; readonly predicate: Predicate }
  | { readonly kind: 'unknown'; readonly reason: string };

export type ValueKind = Value['kind'];
export type ValueOf<K extends ValueKind> = Extract<Value, { kind: K }>;

/**
 * An entry of an object, in source order. `maybe`: set on some paths only (a conditional assignment), and `test` is the condition that
 * decides, where there is one: `if (id) where.id = id`.
 */
export type Entry =
  | {
      readonly set: string;
      readonly value: Value;
      readonly span?: Span;
      readonly maybe?: true;
      readonly test?: Value;
    }
  | {
      readonly computed: Value;
      readonly value: Value;
      readonly span?: Span;
      readonly maybe?: true;
      readonly test?: Value;
    }
  | { readonly spread: Value; readonly span?: Span; readonly maybe?: true; readonly test?: Value };

/** An item of a list. `spread`: `...value`; `maybe`: pushed on some paths only. */
export interface Item {
  readonly value: Value;
  readonly spread?: true;
  readonly maybe?: true;
}

export type TextPart =
  /** Cooked text. `start` is the offset of its first character in the file; `exact` tells that raw and cooked text are equal. */
  | { readonly text: string; readonly start: number; readonly exact: boolean }
  | { readonly hole: Value; readonly span: Span };

export const constant = (value: string | number | boolean | null): Value => ({ kind: 'constant', value });
export const unknownValue = (reason: string): Value => ({ kind: 'unknown', reason });
export const undefinedValue: Value = { kind: 'undefined' };
export const column = (target: TargetRef, name: string): Value => ({ kind: 'column', target, column: name });

/** The kinds that carry a path themselves. */
const pathKinds = new Set<ValueKind>([
  'row',
  'input',
  'parameter',
  'result',
  'import',
  'binding',
  'global',
  'this',
  'element',
]);

/** The property `name` of `value`, without evaluating more than object and list literals show. */
export function propertyOf(value: Value, name: string): Value {
  if (value.kind === 'object') {
    for (let i = value.entries.length - 1; i >= 0; i--) {
      const entry = value.entries[i];
      if (entry === undefined) continue;
      if ('set' in entry) {
        if (entry.set !== name) continue;
        if (!entry.maybe) return entry.value;
        const before = propertyOf({ kind: 'object', entries: value.entries.slice(0, i) }, name);
        return { kind: 'choice', of: [entry.value, before], ...(entry.test ? { test: entry.test } : {}) };
      }
      if ('spread' in entry && entry.spread.kind === 'object' && !entry.maybe) {
        const inner = propertyOf(entry.spread, name);
        if (inner.kind !== 'undefined') return inner;
        continue;
      }
      if ('spread' in entry && entry.spread.kind === 'undefined') continue;
      const before = propertyOf({ kind: 'object', entries: value.entries.slice(0, i) }, name);
      const here = 'spread' in entry ? propertyOf(entry.spread, name) : unknownValue('computed property');
      // With nothing before it, what a spread value lacks the object lacks.
      if (before.kind === 'undefined' && 'spread' in entry && !entry.maybe) return here;
      return { kind: 'choice', of: [here, before] };
    }
    return undefinedValue;
  }
  if (value.kind === 'list') {
    const index = /^\d+$/.test(name) ? Number(name) : undefined;
    const item = index === undefined ? undefined : value.of[index];
    if (item && !item.spread && !item.maybe && value.of.slice(0, index).every((i) => !i.spread && !i.maybe))
      return item.value;
    return { kind: 'element', of: value, path: [name] };
  }
  if (value.kind === 'undefined' || value.kind === 'constant') return undefinedValue;
  if (value.kind === 'unknown') return value;
  if (value.kind === 'missing-able') return { ...value, of: propertyOf(value.of, name) };
  if (value.kind === 'choice') return { ...value, of: value.of.map((v) => propertyOf(v, name)) };
  // `condition && { a }` has what the object has, or nothing.
  const last = value.kind === 'apply' && value.function === '&&' ? value.to.at(-1) : undefined;
  if (last) {
    const inner = propertyOf(last, name);
    return inner.kind === 'undefined' ? inner : { kind: 'choice', of: [inner, undefinedValue] };
  }
  if (value.kind === 'apply' && (value.function === '||' || value.function === '??'))
    return { kind: 'choice', of: value.to.map((v) => propertyOf(v, name)) };
  if (pathKinds.has(value.kind))
    return { ...(value as ValueOf<'element'>), path: [...(value as ValueOf<'element'>).path, name] };
  return { kind: 'element', of: value, path: [name] };
}

/** Follows `path` from `value`, see propertyOf. */
export const valueAt = (value: Value, path: Path): Value => path.reduce(propertyOf, value);

/** Structural equality; `unknown` equals nothing, spans do not count. */
export function sameValue(a: Value, b: Value): boolean {
  if (a.kind !== b.kind || a.kind === 'unknown') return false;
  // Most pairs differ in how long their path is, which costs nothing to see.
  if ('path' in a && 'path' in b && a.path.length !== b.path.length) return false;
  return a === b || keyOfValue(a) === keyOfValue(b);
}

const keys = new WeakMap<Value, string>();

/**
 * A text that is equal for structurally equal values. Spans are left out; the keys of each kind are in construction order. Values never
 * change, so that each is written once.
 */
export function keyOfValue(value: Value): string {
  let key = keys.get(value);
  if (key === undefined) {
    key = JSON.stringify(value, (name, inner: unknown) =>
      name === 'span' || name === 'start' || name === 'source' ? undefined : inner,
    );
    keys.set(value, key);
  }
  return key;
}

/** Whether JavaScript takes a value for true; undefined where that is not known. */
export function truthinessOf(value: Value): boolean | undefined {
  switch (value.kind) {
    case 'undefined':
      return false;
    case 'constant':
      return Boolean(value.value);
    case 'object':
    case 'list':
    case 'function':
    case 'instance':
      return true;
    default:
      return undefined;
  }
}
