import { keyOfValue, type Predicate, type Query, type TargetRef, type Value } from '@tenant-lint/model';
import { describeValue, type NameOf } from './describe.js';
import type { ColumnFact, ValueClass } from './question.js';

export interface QueryFacts {
  readonly refs: readonly TargetRef[];
  /** Targets of enclosing scopes that the query names. */
  readonly outer: readonly TargetRef[];
  readonly key: string;
}

/** What is remembered across the runs of one question. */
export class Cache {
  readonly #keys = new Map<Value, string>();
  /** By its whole key, the short one of a value: a search looks a choice up by its key at every step. */
  readonly #short = new Map<string, string>();
  readonly queries = new Map<Query, QueryFacts>();
  /** Look-ups without what only the operator's own people meet. */
  readonly tenants = new Map<Query, Query | undefined>();
  readonly facts = new Map<string, ColumnFact>();
  readonly visible = new Map<TargetRef, Predicate | undefined>();
  /** The two questions that an IN over a sub-query asks: whether a row is equal, and whether a comparison is NULL. */
  readonly memberships = new Map<Predicate, { readonly equal: Predicate; readonly unknown: Predicate | undefined }>();
  readonly #wrapped = new Map<Predicate, Value>();
  readonly classes = new Map<Value, ValueClass | undefined>();
  /** Words for the keys of values. */
  readonly labels = new Map<string, string>();

  constructor(private readonly nameOf?: NameOf) {}

  /** As keyOfValue, for a predicate. */
  keyOfPredicate(predicate: Predicate): string {
    let value = this.#wrapped.get(predicate);
    if (!value) this.#wrapped.set(predicate, (value = { kind: 'predicate', predicate }));
    return this.keyOfValue(value);
  }

  /** A text that is equal for equal values; no two unknown values are equal. */
  keyOfValue(value: Value): string {
    let key = this.#keys.get(value);
    if (key === undefined) {
      key = value.kind === 'unknown' ? `unknown#${this.#keys.size}` : this.#shortened(keyOfValue(value));
      this.#keys.set(value, key);
      if (!this.labels.has(key)) this.labels.set(key, describeValue(value, this.nameOf));
    }
    return key;
  }

  #shortened(whole: string): string {
    let short = this.#short.get(whole);
    if (short === undefined) this.#short.set(whole, (short = `value#${this.#short.size}`));
    return short;
  }
}
