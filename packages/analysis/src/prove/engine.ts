import type { Operator, Predicate, Query, Target, TargetRef, Tenancy, Value, ValueOf } from '@tenant-lint/model';
import type { QueryFacts } from './cache.js';
import { applyFunction, castOf } from './functions.js';
import { identityOf } from './identity.js';
import { ANY, andOf, ERROR, FALSE, isOf, NULL, notOf, orOf, TRUE, truth, type Outcomes } from './logic.js';
import { bare, missing } from './missing.js';
import type { ColumnFact, ValueClass } from './question.js';
import type { Setup } from './setup.js';
import { Space, type Found } from './space.js';
import {
  canBeNull,
  failure,
  isSymbolic,
  keyOf,
  like,
  longer,
  lower,
  nothing,
  other,
  own,
  plain,
  refsOf,
  textOf,
  type Symbol,
} from './symbols.js';
import { refsIn, renameTargets, targetsIn } from './walk.js';

/** What the small world of one run contains. */
export interface Mode {
  /** References between keyed tables are taken to stay within a tenant. */
  readonly assume: boolean;
  /** Values that may be missing are missing, where that helps. */
  readonly missing: boolean;
  /** Settings may be unset, empty or set by the session itself; the caller may be anonymous; keys may be NULL or empty. */
  readonly failOpen: boolean;
  /** Claimed tenants may be any tenant. */
  readonly doubt: boolean;
  /** Filters that always vanish are put back. */
  readonly restore: boolean;
  /** What the current tenant is called. */
  readonly tenant: string;
}

/** Features of the world that would have mattered to a run that left them out. */
export type Feature = 'assume' | 'missing' | 'failOpen' | 'doubt' | 'vanished';

const maxCalls = 8;
const maxValues = 64;
const steps = 1500;

/** One run: evaluates the predicate over the small world of `mode` and searches for an assignment that makes it true. */
export class Engine {
  readonly touched = new Set<Feature>();
  /** What was not known and might have mattered. */
  readonly unknowns = new Map<string, string>();
  readonly assumptions = new Set<string>();
  readonly references = new Set<string>();
  readonly claims = new Map<string, Value>();
  readonly space = new Space(steps);
  readonly #calls: string[] = [];
  #definer = 0;

  constructor(
    readonly setup: Setup,
    readonly mode: Mode,
  ) {}

  /**
   * Searches for an assignment that makes the predicate true for the row in question, together with what must hold of the rows it comes with.
   * @throws TooLarge
   */
  run(predicate: Predicate): Found {
    return this.space.search(() => {
      let outcomes = this.evaluate(predicate);
      for (const companion of this.setup.companions) {
        if ((outcomes & (TRUE | NULL)) === 0) break;
        let together = 0;
        for (const gone of this.#absent(companion)) together |= gone ? TRUE : this.evaluate(companion.predicate);
        outcomes = andOf(outcomes, together);
      }
      return this.#verdict(outcomes);
    });
  }

  #verdict(outcomes: Outcomes): { canBeTrue: boolean; onlyTrue: boolean } {
    return { canBeTrue: (outcomes & TRUE) !== 0, onlyTrue: outcomes === TRUE };
  }

  /** Evaluates a part under the assignment that the run ended with. @throws TooLarge */
  evaluateAgain(p: Predicate): Outcomes {
    this.space.renew();
    return this.evaluate(p);
  }

  evaluate(p: Predicate): Outcomes {
    switch (p.kind) {
      case 'and': {
        let result = TRUE;
        for (const part of p.of) {
          result = andOf(result, this.evaluate(part));
          if ((result & (TRUE | NULL)) === 0) return result;
        }
        return result;
      }
      case 'or': {
        let result = FALSE;
        for (const part of p.of) {
          result = orOf(result, this.evaluate(part));
          if ((result & (FALSE | NULL)) === 0) return result;
        }
        return result;
      }
      case 'not':
        return notOf(this.evaluate(p.of));
      case 'is':
        return isOf(this.evaluate(p.of), p.test);
      case 'compare':
        return this.#compareValues(p.operator, p.left, p.right);
      case 'null':
        return this.#over([p.of], ([x]) => this.#isNull(x!));
      case 'in':
        return this.#in(p);
      case 'in-query':
        return this.#inQuery(p);
      case 'exists':
        return this.#exists(p.query);
      case 'related':
        return this.#related(p.target, p.to, p.by);
      case 'case': {
        let reached: Outcomes = TRUE;
        let result = 0;
        for (const [when, then] of p.of) {
          const test = this.evaluate(when);
          if (reached & TRUE && test & TRUE) result |= this.evaluate(then);
          if (test & ERROR) result |= ERROR;
          if ((test & (FALSE | NULL)) === 0) return result;
          reached = TRUE;
        }
        return result | this.evaluate(p.otherwise);
      }
      case 'value':
        return this.#condition(p.of);
      case 'optional':
        return this.#optional(p);
      case 'either': {
        let result = 0;
        if (p.test) {
          const [first, second] = p.of;
          for (const holds of this.#test(p.test)) result |= this.evaluate((holds ? first : second) ?? p.of[0]!);
          return result;
        }
        const key = `either|${this.setup.cache.keyOfValue({ kind: 'predicate', predicate: p })}`;
        for (const i of this.space.pick(key, [...p.of.keys()], [])) result |= this.evaluate(p.of[i]!);
        return result;
      }
      case 'always':
        return TRUE;
      case 'never':
        return FALSE;
      case 'unknown':
        return this.#unknown(p.reason);
    }
  }

  #unknown(reason: string): Outcomes {
    this.unknowns.set(reason, reason);
    return ANY;
  }

  // Conditions

  #in(p: Extract<Predicate, { kind: 'in' }>): Outcomes {
    let result: Outcomes = FALSE;
    for (const item of p.open ? p.right.flatMap(itemsOf) : p.right) {
      const one = p.open
        ? this.#over([p.left, item], ([l, r]) => this.#inList(l!, r!))
        : this.#compareValues('=', p.left, item);
      result = orOf(result, one);
      if ((result & (FALSE | NULL)) === 0) return result;
    }
    return result;
  }

  #inList(left: Symbol, list: Symbol): Outcomes {
    if (list.is !== 'texts') return this.compare('=', left, list);
    let result: Outcomes = FALSE;
    for (const text of list.of) result = orOf(result, this.compare('=', left, textOf(text, isSymbolic(text))));
    return result;
  }

  /** `(a, b) IN (SELECT x, y ...)`: true if some row equals, else NULL if some comparison is NULL, else false. */
  #inQuery(p: Extract<Predicate, { kind: 'in-query' }>): Outcomes {
    let forms = this.setup.cache.memberships.get(p);
    if (!forms) {
      const nullable = [...p.left, ...outputsOf(p.query)].some((v) => !this.#surelyPresent(v));
      forms = {
        equal: tied(p, (equal) => equal),
        unknown: nullable ? tied(p, (equal) => ({ kind: 'is', of: equal, test: null })) : undefined,
      };
      this.setup.cache.memberships.set(p, forms);
    }
    const equal = this.evaluate(forms.equal);
    if ((equal & FALSE) === 0 || !forms.unknown) return equal;
    const unknown = this.evaluate(forms.unknown);
    return (equal & ~FALSE) | (unknown & TRUE ? NULL : 0) | (unknown & FALSE ? FALSE : 0);
  }

  #surelyPresent(value: Value): boolean {
    if (value.kind === 'apply' && value.function.startsWith('cast:') && value.to[0])
      return this.#surelyPresent(value.to[0]);
    if (value.kind !== 'column' || value.target === undefined)
      return value.kind === 'tenant' || value.kind === 'constant';
    const target = this.setup.targets.get(value.target);
    return target !== undefined && this.#fact(target, value.column).notNull === true;
  }

  #queryFacts(query: Query): QueryFacts {
    let facts = this.setup.cache.queries.get(query);
    if (!facts) {
      const refs = query.targets.map((t) => t.ref);
      const inner = new Set([...refs, ...targetsIn(query).map((t) => t.ref)]);
      facts = {
        refs,
        outer: [...refsIn(query)].filter((ref) => !inner.has(ref)),
        key: this.setup.cache.keyOfValue({ kind: 'query', query }),
      };
      for (const target of query.targets) this.setup.targets.set(target.ref, target);
      this.setup.cache.queries.set(query, facts);
    }
    return facts;
  }

  #exists(query: Query): Outcomes {
    const { refs, outer, key } = this.#queryFacts(query);
    const found = this.space.within(refs, () => this.space.search(() => this.#verdict(this.#rows(query))));
    const arms = (query.arms ?? []).map((arm) => this.#exists(arm));
    let result: Outcomes;
    if (found === 'no') result = FALSE;
    else if (refs.length === 0 && found === 'yes') result = TRUE;
    else if (found === 'yes') {
      result = 0;
      // A looked-up row may exist or not; whether it does is one choice for the same sub-query.
      for (const exists of this.space.pick(`exists|${key}`, [true, false], outer)) result |= truth(exists);
    } else result = TRUE | FALSE;
    return arms.reduce(orOf, result);
  }

  /** The condition of a sub-query for one row of each of its targets, as visible to whoever runs it. */
  #rows(query: Query): Outcomes {
    let result: Outcomes = TRUE;
    for (const target of query.targets) {
      result = andOf(result, this.#visible(target));
      if ((result & (TRUE | NULL)) === 0) return result;
    }
    return andOf(result, this.evaluate(query.condition));
  }

  /** Whether the policies of a looked-up table show a row of it. */
  #visible(target: Target): Outcomes {
    if (this.#definer > 0) return TRUE;
    const condition = this.#policy(target);
    if (!condition) return TRUE;
    // Postgres refuses policies that come back to their own table.
    const name = `policies of ${this.targetName(target)}`;
    if (this.#calls.includes(name)) return ERROR;
    this.#calls.push(name);
    const outcomes = this.evaluate(condition);
    this.#calls.pop();
    return outcomes;
  }

  #policy(target: Target): Predicate | undefined {
    const { visible } = this.setup.cache;
    if (!this.setup.world.rowSecurity) return undefined;
    if (visible.has(target.ref)) return visible.get(target.ref);
    const condition = this.setup.world.rowSecurity(target);
    const bound =
      condition && renameTargets(condition, (ref) => (ref === 'self' ? target.ref : `${target.ref}~${ref}`));
    if (bound) {
      for (const t of targetsIn(bound)) this.setup.targets.set(t.ref, t);
      this.setup.scan(bound);
    }
    visible.set(target.ref, bound);
    return bound;
  }

  #related(target: TargetRef, to: TargetRef, by: string): Outcomes {
    if (!this.mode.assume) {
      this.touched.add('assume');
      return this.#atom(`related|${target}|${to}|${by}`, [target, to]);
    }
    let result = 0;
    for (const a of this.#owners(target))
      for (const b of this.#owners(to)) {
        if (a === b) result |= this.#atom(`related|${target}|${to}|${by}`, [target, to]);
        else {
          result |= FALSE;
          this.assumptions.add(`every writer keeps the relation ${by} within one tenant`);
          this.references.add(by);
        }
      }
    return result;
  }

  #optional(p: Extract<Predicate, { kind: 'optional' }>): Outcomes {
    const how = missing(p.on);
    if (how === 'never') return this.evaluate(p.of);
    if (how === 'always') {
      this.touched.add('vanished');
      return this.evaluate(this.mode.restore ? p.of : p.otherwise);
    }
    let result = 0;
    for (const gone of this.#missing(p.on)) result |= this.evaluate(gone ? p.otherwise : p.of);
    return result;
  }

  /** Whether a value is missing at run time: one choice for one value. */
  #missing(value: Value): readonly boolean[] {
    if (!this.mode.missing) {
      this.touched.add('missing');
      return [false];
    }
    const inner = bare(value);
    const certain =
      missing(value) === 'certain'
        ? 'certain'
        : value.kind === 'missing-able' || value.kind === 'choice'
          ? 'possible'
          : 'likely';
    return this.space.pick(`missing|${certain}|${this.setup.cache.keyOfValue(inner)}`, [false, true], []);
  }

  /** The truth of a JavaScript condition. Asking for a value that the condition uses is asking for its presence. */
  #test(test: Value): readonly boolean[] {
    if (test.kind === 'constant') return [Boolean(test.value)];
    if (test.kind === 'undefined') return [false];
    if (test.kind === 'predicate') {
      const outcomes = this.evaluate(test.predicate);
      return [...(outcomes & TRUE ? [true] : []), ...(outcomes & ~TRUE ? [false] : [])];
    }
    if (test.kind === 'apply') {
      const [a, b] = test.to;
      if (test.function === '!' && a) return this.#test(a).map((t) => !t);
      if ((test.function === '&&' || test.function === '||') && a && b) {
        const results = new Set<boolean>();
        for (const x of this.#test(a))
          for (const y of this.#test(b)) results.add(test.function === '&&' ? x && y : x || y);
        return [...results];
      }
      if (a && b && /^[!=]==?$/.test(test.function)) {
        const value = isNothing(b) ? a : isNothing(a) ? b : undefined;
        if (value) return this.#present(value).map((p) => (test.function.startsWith('!') ? p : !p));
      }
    }
    return this.#present(test);
  }

  #present(value: Value): readonly boolean[] {
    const key = this.setup.cache.keyOfValue(bare(value));
    if (this.setup.compared.has(key)) {
      if (missing(value) === 'never' && this.#classOf(bare(value)) === 'tenant-verified') return [true];
      return this.#missing(value).map((gone) => !gone);
    }
    return this.space.pick(`test|${key}`, [true, false], []);
  }

  /** A value in the place of a condition. */
  #condition(value: Value): Outcomes {
    if (value.kind === 'predicate') return this.evaluate(value.predicate);
    if (value.kind === 'constant')
      return value.value === null ? NULL : truth(/^(true|t|yes|on|1)$/i.test(String(value.value)));
    if (value.kind === 'query' && value.query.targets.length === 0 && value.query.output[0])
      return this.#condition(value.query.output[0]);
    if (value.kind === 'apply') {
      const body = this.setup.calls.body(value);
      if (body !== undefined)
        return this.#called(
          value,
          body,
          (inner) => this.#condition(inner),
          (reason) => this.#unknown(reason),
        );
      if (value.function === 'pg_has_role') {
        this.assumptions.add('the role of the application is not a member of the role that the condition asks for');
        return FALSE;
      }
    }
    return this.#over([value], ([x]) => this.#truthOf(x!));
  }

  #truthOf(x: Symbol): Outcomes {
    switch (x.is) {
      case 'text':
        return truth(/^(true|t|yes|on|1)$/i.test(x.text));
      case 'null':
        return NULL;
      case 'error':
        return ERROR;
      case 'unknown':
        return this.#unknown(x.reason);
      case 'free':
        return this.#free(x, () => this.#atom(`true|${x.key}`, x.refs));
      default:
        return this.#atom(`true|${keyOf(x)}`, refsOf(x));
    }
  }

  /** Runs `then` unless the symbol is null; a setting says something only in a world where the session sets it. */
  #free(x: Symbol, then: () => Outcomes): Outcomes {
    if (x.is === 'free' && x.setting && !this.mode.failOpen) {
      this.touched.add('failOpen');
      return ANY;
    }
    if (!canBeNull(x)) return then();
    let result = 0;
    for (const isNull of this.#nullness(x)) result |= isNull ? NULL : then();
    return result;
  }

  #nullness(x: Symbol): readonly boolean[] {
    return this.space.pick(`null|${keyOf(x)}`, [false, true], refsOf(x));
  }

  #isNull(x: Symbol): Outcomes {
    if (x.is === 'null') return TRUE;
    if (x.is === 'error') return ERROR;
    if (x.is === 'unknown') return this.#unknown(x.reason);
    if (x.is === 'free' && x.setting && !this.mode.failOpen) {
      this.touched.add('failOpen');
      return ANY;
    }
    if (!canBeNull(x)) return FALSE;
    let result = 0;
    for (const isNull of this.#nullness(x)) result |= truth(isNull);
    return result;
  }

  #atom(key: string, refs: readonly TargetRef[]): Outcomes {
    let result = 0;
    for (const holds of this.space.pick(key, [true, false], refs)) result |= truth(holds);
    return result;
  }

  // Comparisons

  #over(values: readonly Value[], f: (symbols: readonly Symbol[]) => Outcomes): Outcomes {
    const lists = values.map((v) => this.symbols(v));
    let result = 0;
    const visit = (i: number, chosen: readonly Symbol[]): void => {
      if (i === lists.length) result |= f(chosen);
      else for (const symbol of lists[i]!) visit(i + 1, [...chosen, symbol]);
    };
    visit(0, []);
    return result;
  }

  #compareValues(operator: Operator, left: Value, right: Value): Outcomes {
    const ls = this.symbols(left);
    const rs = this.symbols(right);
    let result = 0;
    for (const l of ls) for (const r of rs) result |= this.compare(operator, l, r);
    return result;
  }

  /** The outcome of `l operator r`. */
  compare(operator: Operator, l: Symbol, r: Symbol): Outcomes {
    if (l.is === 'error' || r.is === 'error') return ERROR;
    switch (operator) {
      case 'is distinct from':
        return notOf(this.compare('is not distinct from', l, r));
      case 'is not distinct from':
        return this.#notDistinct(l, r);
      case '<>':
      case '!=':
        return notOf(this.compare('=', l, r));
      case '>=':
        return notOf(this.compare('<', l, r));
      case '<=':
        return notOf(this.compare('<', r, l));
      case '>':
        return this.compare('<', r, l);
      case 'not like':
        return notOf(this.compare('like', l, r));
      case 'not ilike':
        return notOf(this.compare('ilike', l, r));
    }
    if (l.is === 'null' || r.is === 'null') return NULL;
    return this.#free(l, () =>
      keyOf(l) === keyOf(r) ? this.#core(operator, l, r) : this.#free(r, () => this.#core(operator, l, r)),
    );
  }

  #notDistinct(l: Symbol, r: Symbol): Outcomes {
    let result = 0;
    const sides = (x: Symbol): readonly boolean[] =>
      x.is === 'null'
        ? [true]
        : x.is === 'free' && x.setting && !this.mode.failOpen
          ? [true, false]
          : canBeNull(x)
            ? this.#nullness(x)
            : [false];
    for (const a of sides(l))
      for (const b of sides(r)) result |= a || b ? truth(a && b) : (this.#setting(l, r) ?? this.#core('=', l, r));
    return result;
  }

  #setting(l: Symbol, r: Symbol): Outcomes | undefined {
    const free = (x: Symbol): boolean => x.is === 'free' && x.setting === true;
    if (this.mode.failOpen || !(free(l) || free(r))) return undefined;
    this.touched.add('failOpen');
    return ANY;
  }

  /** Both sides are present, the operator is '=', '<', 'like', 'ilike' or one that is not understood. */
  #core(operator: Operator, l: Symbol, r: Symbol): Outcomes {
    if (l.is === 'unknown' || r.is === 'unknown') {
      const [unknown, known] = l.is === 'unknown' ? [l, r] : [r as Extract<Symbol, { is: 'unknown' }>, l];
      return known.is === 'free' || (known.is === 'text' && !known.tenancy)
        ? this.#free(known, () => this.#compared(operator, l, r))
        : this.#unknown(unknown.reason);
    }
    if (keyOf(l) === keyOf(r) && l.is !== 'text')
      return truth(operator === '=' || operator === 'like' || operator === 'ilike');
    if (operator === '=') return this.#equal(l, r) ?? this.#equal(r, l) ?? this.#compared('=', l, r);
    const pair = this.#texts(l, r);
    if (operator === '<') return this.#less(l, r, pair);
    if (operator === 'like' || operator === 'ilike') return this.#like(operator, l, r, pair);
    return speaks(l) || speaks(r) ? this.#unknown(`the operator ${operator}`) : this.#compared(operator, l, r);
  }

  /** `l = r` where the kinds of the two say something about it; else undefined. */
  #equal(l: Symbol, r: Symbol): Outcomes | undefined {
    const pair = this.#texts(l, r);
    if (pair) return pair.reduce((result, [a, b]) => result | truth(a === b), 0);
    if (l.is === 'reference') {
      if (r.is === 'reference' && r.to === l.to) {
        let result = 0;
        for (const a of this.#owners(l.row))
          for (const b of this.#owners(r.row)) {
            if (a === b) result |= this.#compared('=', l, r);
            else {
              result |= FALSE;
              this.#ties(l, r);
            }
          }
        return result;
      }
      if (r.is === 'tenant') {
        let result = 0;
        for (const owner of this.#owners(l.row)) {
          if (owner === this.mode.tenant) result |= this.#compared('=', l, r);
          else {
            result |= FALSE;
            this.#ties(l);
          }
        }
        return result;
      }
    }
    if (l.is === 'user' && (r.is === 'caller' || r.is === 'role' || r.is === 'tenant' || r.is === 'claim')) {
      if (r.is === 'claim') this.claims.set(r.key, this.#claimed.get(r.key)!);
      if (r.is === 'claim' && this.mode.doubt) return this.#compared('=', l, r);
      if (r.is === 'claim') this.touched.add('doubt');
      return this.#ifOwn(l.row, () => this.#compared('=', l, r));
    }
    // A looked-up row that names the caller is a row of the caller, whose rows belong to the current tenant.
    if (
      (l.is === 'free' || l.is === 'reference') &&
      l.row !== undefined &&
      (r.is === 'caller' || r.is === 'role') &&
      l.row !== this.setup.target.ref
    )
      return this.#ifOwn(l.row, () => this.#compared('=', l, r));
    if (l.is === 'role' && r.is === 'text') {
      const { roles } = this.setup.world;
      if (!roles) return this.#unknown('under which role the application runs');
      if (roles.has(r.text)) return this.#compared('=', l, r);
      this.assumptions.add(`the application does not run as ${r.text}`);
      return FALSE;
    }
    return undefined;
  }

  #ifOwn(row: TargetRef, then: () => Outcomes): Outcomes {
    let result = 0;
    for (const owner of this.#owners(row)) result |= owner === undefined || owner === this.mode.tenant ? then() : FALSE;
    return result;
  }

  #ties(...of: Symbol[]): void {
    for (const symbol of of) {
      if (symbol.is !== 'reference') continue;
      const name = this.nameOf(symbol.key);
      this.references.add(name);
      if (symbol.assumed) this.assumptions.add(`every writer keeps ${name} within one tenant`);
    }
  }

  /** The texts that the two sides stand for, where at least one of them is a tenant's. */
  #texts(l: Symbol, r: Symbol): (readonly [string, string])[] | undefined {
    const tenancy = (x: Symbol): boolean => (x.is === 'text' && x.tenancy) || x.is === 'tenant';
    if (l.is === 'text' && r.is === 'text') return [[l.text, r.text]];
    if (!tenancy(l) && !tenancy(r)) return undefined;
    if (l.is === 'role' && !(r.is === 'text' && isSymbolic(r.text)) && r.is !== 'tenant') return undefined;
    const ls = this.#spelled(l);
    const rs = this.#spelled(r);
    if (!ls || !rs) return undefined;
    return ls.flatMap((a) => rs.map((b) => [a, b] as const));
  }

  /** As which tenants a value may appear when it is compared with one. */
  #spelled(x: Symbol): readonly string[] | undefined {
    switch (x.is) {
      case 'text':
        return [x.text];
      case 'tenant':
      case 'caller':
      case 'role':
        return [this.mode.tenant];
      case 'claim':
        this.claims.set(x.key, this.#claimed.get(x.key)!);
        if (this.mode.doubt) return this.space.pick(`claim|${x.key}`, [this.mode.tenant, ...this.#others()], []);
        this.touched.add('doubt');
        return [this.mode.tenant];
      case 'foreign':
        return this.space.pick(`foreign|${x.key}`, [...this.#others(), this.mode.tenant], []);
      default:
        return undefined;
    }
  }

  #others(): readonly string[] {
    return [other, longer, ...[...this.setup.constants].filter((c) => c !== this.mode.tenant)];
  }

  #less(l: Symbol, r: Symbol, pair: (readonly [string, string])[] | undefined): Outcomes {
    if (!pair)
      return speaks(l) && speaks(r) ? this.#unknown('an order between identifiers') : this.#compared('<', l, r);
    let result = 0;
    for (const [a, b] of pair)
      for (const x of this.#placeOf(a)) for (const y of this.#placeOf(b)) result |= truth(x < y);
    return result;
  }

  /**
   * Where a text stands among the tenants of the small world. Where a constant stands is not fixed by anything, but the same wherever it
   * occurs; two constants keep the order of their texts only where they take the same place.
   */
  #placeOf(text: string): readonly string[] {
    if (text === '' || isSymbolic(text)) return [text];
    const places = ['', lower, own, longer, other];
    return this.space.pick(`place|${text}`, places, []).map((after) => `${after}\uF8FF${text}`);
  }

  #like(operator: Operator, l: Symbol, r: Symbol, pair: (readonly [string, string])[] | undefined): Outcomes {
    if (!pair) return speaks(l) ? this.#unknown('a pattern over an identifier') : this.#compared(operator, l, r);
    let result = 0;
    for (const [text, pattern] of pair) {
      const decided = isSymbolic(pattern) || !isSymbolic(text) || /^([%_]*|[^%_]*)$/.test(pattern);
      result |= decided ? truth(like(text, pattern, operator === 'ilike')) : this.#atom(`like|${text}|${pattern}`, []);
    }
    return result;
  }

  #compared(operator: Operator, l: Symbol, r: Symbol): Outcomes {
    const [a, b] = [keyOf(l), keyOf(r)];
    const key = operator === '=' && b < a ? `=|${b}|${a}` : `${operator}|${a}|${b}`;
    return this.#atom(key, [...refsOf(l), ...refsOf(r)]);
  }

  // Rows

  /** Who may own the row of a target; undefined where the table belongs to nobody. */
  #owners(ref: TargetRef): readonly (string | null | undefined)[] {
    const domain = this.#records(ref);
    return domain ? this.space.pick(`row|${ref}`, domain, [ref]).map(ownerOf) : [undefined];
  }

  readonly #domains = new Map<TargetRef, readonly (string | null)[] | undefined>();

  /**
   * The kinds of rows of a target: by owner, and `owner|column` for a row of mixed tenancy that lacks one of its keys. The row in question
   * is a foreign one.
   */
  #records(ref: TargetRef): readonly (string | null)[] | undefined {
    if (this.#domains.has(ref)) return this.#domains.get(ref);
    const target = this.setup.targets.get(ref);
    const tenancy = target && this.setup.world.tenancy(target);
    let domain: (string | null)[] | undefined;
    if (target && tenancy && tenancy.kind !== 'shared' && tenancy.kind !== 'unknown') {
      const type = this.#keyType(target, tenancy);
      domain = [other, ...(ref === this.setup.target.ref ? [] : [this.mode.tenant])];
      if (!/^uuid/.test(type)) domain.push(longer);
      if (this.setup.ordered) domain.push(lower);
      for (const c of this.setup.constants) if (c !== this.mode.tenant && c !== '') domain.push(c);
      if (tenancy.kind === 'keyed') domain.push(...this.#lacking(ref, tenancy, domain, type));
    }
    this.#domains.set(ref, domain);
    return domain;
  }

  #lacking(
    ref: TargetRef,
    tenancy: Extract<Tenancy, { kind: 'keyed' }>,
    owners: readonly (string | null)[],
    type: string,
  ): (string | null)[] {
    const nullable = tenancy.keys.filter((key) => key.nullable);
    const rows: (string | null)[] = [];
    if (tenancy.keys.length > 1)
      for (const key of nullable) for (const owner of owners.slice(0, 2)) rows.push(`${String(owner)}|${key.column}`);
    const texty = !/^(uuid|int|integer|bigint|smallint|serial|bigserial|numeric)/.test(type);
    const empty: (string | null)[] = texty ? [''] : [];
    if (nullable.length === tenancy.keys.length && (ref !== this.setup.target.ref || this.setup.nullRows === 'foreign'))
      empty.unshift(null);
    if (this.mode.failOpen) rows.push(...empty);
    else if (empty.length > 0) this.touched.add('failOpen');
    return rows;
  }

  #keyType(target: Target, tenancy: Tenancy): string {
    const key = tenancy.kind === 'root' ? tenancy.key : tenancy.kind === 'keyed' ? tenancy.keys[0]?.column : undefined;
    return key === undefined ? 'uuid' : (this.#fact(target, key).type ?? '');
  }

  #fact(target: Target, column: string): ColumnFact {
    const key = `${target.ref}.${column}`;
    let fact = this.setup.cache.facts.get(key);
    if (!fact) this.setup.cache.facts.set(key, (fact = this.setup.world.column(target, column)));
    return fact;
  }

  // Values

  /** What a value may evaluate to. */
  symbols(value: Value): readonly Symbol[] {
    switch (value.kind) {
      case 'constant':
        return [value.value === null ? nothing : textOf(String(value.value), false)];
      case 'undefined':
        return [nothing];
      case 'column':
        return this.#column(value);
      case 'missing-able': {
        const result: Symbol[] = [];
        for (const gone of this.#missing(value))
          result.push(
            ...(gone ? [value.how === 'empty' ? textOf('', false) : nothing] : this.#presentSymbols(value.of)),
          );
        return result;
      }
      case 'choice':
        return this.#choice(value);
      case 'apply':
        return this.#apply(value);
      case 'text':
        return this.#concatenated(
          value.parts.map((part): Value => ('hole' in part ? part.hole : { kind: 'constant', value: part.text })),
          false,
        );
      case 'query':
        return this.#scalar(value.query);
      case 'predicate': {
        const outcomes = this.evaluate(value.predicate);
        return [
          ...(outcomes & TRUE ? [textOf('true', false)] : []),
          ...(outcomes & FALSE ? [textOf('false', false)] : []),
          ...(outcomes & NULL ? [nothing] : []),
          ...(outcomes & ERROR ? [failure] : []),
        ];
      }
      case 'unknown':
        return [{ is: 'unknown', key: this.setup.cache.keyOfValue(value), refs: [], reason: value.reason }];
      case 'element':
        // An element of an array that SQL computes; of a program's value it is that value's class that counts.
        if (value.path.length === 1 && value.path[0] === '*' && inDatabase.has(value.of.kind))
          return this.symbols(value.of);
        return this.#classified(value);
      case 'list':
        return unique(value.of.flatMap((item) => this.symbols(item.value)));
      default:
        return this.#classified(value);
    }
  }

  /** The symbols of a value whose absence is another choice. */
  #presentSymbols(value: Value): readonly Symbol[] {
    const inner = bare(value);
    if (this.#classOf(inner) !== 'tenant-unverified') return this.symbols(inner);
    const key = this.setup.cache.keyOfValue(inner);
    this.#claimed.set(key, inner);
    return [{ is: 'claim', key }];
  }

  #choice(value: ValueOf<'choice'>): readonly Symbol[] {
    if (value.test && value.of.length === 2)
      return unique(this.#test(value.test).flatMap((holds) => this.symbols(value.of[holds ? 0 : 1]!)));
    const key = `choice|${this.setup.cache.keyOfValue(value)}`;
    return unique(this.space.pick(key, [...value.of.keys()], []).flatMap((i) => this.symbols(value.of[i]!)));
  }

  #column(value: ValueOf<'column'>): readonly Symbol[] {
    const ref = value.target;
    const target = ref === undefined ? undefined : this.setup.targets.get(ref);
    if (ref === undefined || !target) {
      const reason = `which table the column ${value.column} belongs to`;
      return [{ is: 'unknown', key: this.setup.cache.keyOfValue(value), refs: ref === undefined ? [] : [ref], reason }];
    }
    if (!this.setup.companions.some((c) => c.ref === ref)) return this.#columnOf(target, value.column);
    return this.#absent(target).flatMap((gone) => (gone ? [nothing] : this.#columnOf(target, value.column)));
  }

  /** A joined row may be absent (an outer join), and then all its columns are NULL. */
  #absent(target: Target): readonly boolean[] {
    return target.role === 'join' ? this.space.pick(`absent|${target.ref}`, [false, true], [target.ref]) : [false];
  }

  #columnOf(target: Target, column: string): readonly Symbol[] {
    const { ref } = target;
    const fact = this.#fact(target, column);
    const key = `${ref}.${column}`;
    const nullable = fact.notNull !== true;
    const tenancy = this.setup.world.tenancy(target);
    const records = this.#records(ref);
    if (fact.role === 'key' && records) {
      return this.space.pick(`row|${ref}`, records, [ref]).map((record) => {
        if (record === null || record.endsWith(`|${column}`)) return nothing;
        return textOf(record.split('|')[0]!, true);
      });
    }
    if (fact.role === 'user' && records) return [{ is: 'user', key, refs: [ref], nullable, row: ref }];
    if (fact.role === 'reference' && records && fact.to !== undefined) {
      const assumed = fact.ties !== 'certain';
      if (!assumed || this.mode.assume)
        return [{ is: 'reference', key, refs: [ref], nullable, row: ref, to: fact.to, assumed }];
      this.touched.add('assume');
    }
    if (tenancy.kind === 'unknown')
      return [{ is: 'unknown', key, refs: [ref], reason: `who owns the rows of ${this.targetName(target)}` }];
    return [{ is: 'free', key, refs: [ref], nullable, ...(records ? { row: ref } : {}) }];
  }

  readonly #claimed = new Map<string, Value>();

  #classOf(value: Value): ValueClass | undefined {
    const { classes } = this.setup.cache;
    if (classes.has(value)) return classes.get(value);
    const found = identityOf(value) ?? this.setup.world.classify?.(value) ?? classByKind(value);
    classes.set(value, found);
    return found;
  }

  #classified(value: Value): readonly Symbol[] {
    const key = this.setup.cache.keyOfValue(value);
    const anonymous = (symbol: Symbol): readonly Symbol[] => {
      if (!this.mode.failOpen) {
        this.touched.add('failOpen');
        return [symbol];
      }
      return this.space.pick(`unset|${key}`, [false, true], []).map((unset) => (unset ? nothing : symbol));
    };
    const inSql = value.kind === 'apply' || value.kind === 'setting';
    switch (this.#classOf(value)) {
      case 'tenant-verified':
        return inSql ? anonymous({ is: 'tenant', key }) : [{ is: 'tenant', key }];
      case 'tenant-unverified': {
        this.#claimed.set(key, value);
        // Nothing shows that it may be null, and nothing rules it out.
        return this.#missing(value).map((gone) => (gone ? nothing : { is: 'claim', key }));
      }
      case 'foreign-possible':
        return [{ is: 'foreign', key }];
      case 'caller':
        return inSql ? anonymous({ is: 'caller', key }) : [{ is: 'caller', key }];
      case 'role':
        return [{ is: 'role', key }];
      case 'free':
        return [{ is: 'free', key, refs: [], nullable: true }];
      default:
        return value.kind === 'setting' ? this.#readSetting(value) : [{ is: 'free', key, refs: [], nullable: true }];
    }
  }

  #readSetting(value: ValueOf<'setting'>): readonly Symbol[] {
    const caller = this.setup.callers.has(value.name);
    if (caller && !this.mode.failOpen) this.touched.add('failOpen');
    if (caller) {
      const domain = !this.mode.failOpen ? [true] : value.missingOk ? [true, '', null] : [true, ''];
      return this.space
        .pick<true | '' | null>(`setting|${value.name}`, domain as (true | '' | null)[], [])
        .map((set): Symbol =>
          set === null ? nothing : set === '' ? textOf('', false) : { is: 'caller', key: value.name },
        );
    }
    if (!this.setup.carriers.has(value.name))
      return [{ is: 'free', key: `setting ${value.name}`, refs: [], nullable: value.missingOk, setting: true }];
    const set = this.mode.tenant;
    if (!this.mode.failOpen) {
      this.touched.add('failOpen');
      return [textOf(set, true)];
    }
    // Unset it is NULL in a fresh session and '' after a transaction-local value; without missing_ok, NULL is an error.
    const domain = value.missingOk ? [set, '', null] : [set, ''];
    return this.space
      .pick(`setting|${value.name}`, domain, [])
      .map((text) => (text === null ? nothing : textOf(text, text !== '')));
  }

  #scalar(query: Query): readonly Symbol[] {
    const output = query.output[0];
    if (query.arms?.length || query.output.length !== 1 || !output)
      return [
        {
          is: 'unknown',
          key: this.setup.cache.keyOfValue({ kind: 'query', query }),
          refs: [],
          reason: 'a sub-query that is not a single value',
        },
      ];
    if (query.targets.length === 0)
      return query.condition.kind === 'always' ? this.symbols(output) : [nothing, ...this.symbols(output)];
    const { refs, outer, key } = this.#queryFacts(query);
    const found = new Map<string, Symbol>();
    this.space.within(refs, () =>
      this.space.search(
        () => this.#verdict(this.#rows(query)),
        () => {
          for (const symbol of this.symbols(output)) {
            // What belongs to a row that is not in scope any more is only known by its text.
            const outside = refsOf(symbol).some((ref) => refs.includes(ref)) ? this.#exported(symbol) : symbol;
            found.set(keyOf(outside), outside);
          }
        },
      ),
    );
    found.set('null', nothing);
    if (found.size > maxValues)
      return [{ is: 'unknown', key, refs: [], reason: 'a sub-query with too many possible values' }];
    return this.space.pick(`value|${key}`, [...found.keys()], outer).map((k) => found.get(k)!);
  }

  /** A column's symbol outside the sub-query it comes from: the owner is fixed there. */
  #exported(symbol: Symbol): Symbol {
    if (symbol.is === 'free') return { is: 'free', key: keyOf(symbol), refs: [], nullable: symbol.nullable };
    if (
      (symbol.is === 'reference' || symbol.is === 'user') &&
      this.#owners(symbol.row).every((o) => o === this.mode.tenant)
    )
      return { is: 'tenant', key: keyOf(symbol) };
    return { is: 'free', key: keyOf(symbol), refs: [], nullable: true };
  }

  #apply(value: ValueOf<'apply'>): readonly Symbol[] {
    if (this.#classOf(value) !== undefined) return this.#classified(value);
    const body = this.setup.calls.body(value);
    const key = this.setup.cache.keyOfValue(value);
    if (body !== undefined)
      return this.#called(
        value,
        body,
        (inner) => this.symbols(inner),
        (reason) => [{ is: 'unknown', key, refs: [], reason }],
      );
    const name = value.function;
    if (name === 'coalesce' || name === '??' || (name === '||' && isJavascript(value)))
      return unique(this.#coalesce(value.to, 0));
    if (name === 'nullif') return unique(this.#nullif(value.to));
    if (name === 'concat' || name === '||' || name === '+') return this.#concatenated(value.to, name === 'concat');
    if (name.startsWith('cast:')) return unique(this.symbols(value.to[0]!).map((s) => castOf(s, name.slice(5))));
    return applyFunction(value, (v) => this.symbols(v), key);
  }

  #coalesce(values: readonly Value[], from: number): readonly Symbol[] {
    const value = values[from];
    if (!value) return [nothing];
    const result: Symbol[] = [];
    for (const symbol of this.symbols(value)) {
      if (symbol.is === 'null') result.push(...this.#coalesce(values, from + 1));
      else if (canBeNull(symbol)) {
        if (symbol.is === 'free' && symbol.setting && !this.mode.failOpen) {
          this.touched.add('failOpen');
          result.push(symbol, ...this.#coalesce(values, from + 1));
          continue;
        }
        for (const isNull of this.#nullness(symbol))
          result.push(...(isNull ? this.#coalesce(values, from + 1) : [{ ...symbol, nullable: false } as Symbol]));
      } else result.push(symbol);
    }
    return result;
  }

  #nullif(values: readonly Value[]): readonly Symbol[] {
    const [a, b] = values;
    if (!a || !b) return [nothing];
    const result: Symbol[] = [];
    for (const x of this.symbols(a))
      for (const y of this.symbols(b)) {
        const outcome = x.is === 'null' ? FALSE : this.compare('=', x, y);
        if (outcome & TRUE) result.push(nothing);
        if (outcome & (FALSE | NULL)) result.push(x);
        if (outcome & ERROR) result.push(failure);
      }
    return result;
  }

  /** `a || b`: NULL if a part is; concat() and templates leave NULL out. */
  #concatenated(parts: readonly Value[], skipNull: boolean): readonly Symbol[] {
    let results: readonly Symbol[] = [textOf('', false)];
    for (const part of parts) {
      const next: Symbol[] = [];
      for (const before of results)
        for (const after of this.symbols(part)) next.push(join(before, after, skipNull, this.mode.tenant));
      results = unique(next);
      if (results.length > maxValues)
        return [
          { is: 'unknown', key: results.map(keyOf).join(), refs: [], reason: 'a text with too many possible values' },
        ];
    }
    return results;
  }

  // Functions

  #called<T>(
    value: ValueOf<'apply'>,
    body: Value | string,
    known: (body: Value) => T,
    unknown: (reason: string) => T,
  ): T {
    if (typeof body === 'string') return unknown(body);
    if (this.#calls.includes(value.function))
      return unknown(`what the function ${value.function} does (it calls itself)`);
    if (this.#calls.length >= maxCalls)
      return unknown(`what the function ${value.function} does (too many nested calls)`);
    const definer = this.setup.calls.isDefiner(value);
    this.#calls.push(value.function);
    if (definer) this.#definer++;
    try {
      return known(body);
    } finally {
      this.#calls.pop();
      if (definer) this.#definer--;
    }
  }

  // Words

  targetName(target: Target): string {
    if (this.setup.world.name) return this.setup.world.name(target);
    return target.alias ?? (target.table.known ? target.table.value.name : target.ref);
  }

  /** A key of the space in words: 't0.status' becomes 'invoices.status'. */
  nameOf(key: string): string {
    const label = this.setup.cache.labels.get(key);
    if (label !== undefined) return label;
    const dot = key.indexOf('.');
    const target = dot < 0 ? undefined : this.setup.targets.get(key.slice(0, dot));
    return plain(target ? `${this.targetName(target)}${key.slice(dot)}` : key);
  }
}

const outputsOf = (query: Query): readonly Value[] => [...query.output, ...(query.arms ?? []).flatMap(outputsOf)];

/** EXISTS over the rows of an IN's sub-query for which `condition` of the equality holds. */
function tied(p: Extract<Predicate, { kind: 'in-query' }>, condition: (equal: Predicate) => Predicate): Predicate {
  const of = (query: Query): Query => {
    const equal = p.left.map((left, i): Predicate => {
      const right = query.output[i];
      return right
        ? { kind: 'compare', left, operator: '=', right }
        : { kind: 'unknown', reason: 'a sub-query whose output is not known' };
    });
    const whole: Predicate = { kind: 'and', of: [condition({ kind: 'and', of: equal }), query.condition] };
    return { ...query, condition: whole, ...(query.arms ? { arms: query.arms.map(of) } : {}) };
  };
  return { kind: 'exists', query: of(p.query) };
}

const inDatabase: ReadonlySet<Value['kind']> = new Set<Value['kind']>([
  'apply',
  'setting',
  'query',
  'column',
  'choice',
  'list',
]);

/** The items of an open list where it is written out after all: `= ANY ($1)` whose argument is a list literal. */
function itemsOf(value: Value): readonly Value[] {
  if (value.kind === 'element' && value.path.length === 1 && value.path[0] === '*') {
    const list = bare(value.of);
    if (list.kind === 'list')
      return list.of.map((item) => (item.spread ? { kind: 'element', of: item.value, path: ['*'] } : item.value));
  }
  return [value];
}

const ownerOf = (record: string | null): string | null => (record === null ? null : record.split('|')[0]!);

/** Whether comparing with a symbol says something about tenancy. */
const speaks = (x: Symbol): boolean =>
  (x.is === 'text' && x.tenancy) || x.is === 'tenant' || x.is === 'reference' || x.is === 'unknown' || x.is === 'texts';

const isNothing = (value: Value): boolean =>
  value.kind === 'undefined' || (value.kind === 'constant' && value.value === null);

/** JavaScript's `a || b`, not SQL's concatenation: link never hands over the former with a text constant. */
const isJavascript = (value: ValueOf<'apply'>): boolean =>
  value.to.some(
    (v) => v.kind === 'undefined' || v.kind === 'parameter' || v.kind === 'input' || v.kind === 'missing-able',
  );

function unique(symbols: readonly Symbol[]): readonly Symbol[] {
  if (symbols.length < 2) return symbols;
  return [...new Map(symbols.map((s) => [keyOf(s), s])).values()];
}

function join(a: Symbol, b: Symbol, skipNull: boolean, tenant: string): Symbol {
  if (a.is === 'error' || b.is === 'error') return failure;
  if (a.is === 'null' || b.is === 'null') return skipNull ? (a.is === 'null' ? b : a) : nothing;
  const textual = (x: Symbol): string | undefined =>
    x.is === 'text' ? x.text : x.is === 'tenant' || x.is === 'claim' ? tenant : undefined;
  const [x, y] = [textual(a), textual(b)];
  const tenancy = (s: Symbol): boolean => (s.is === 'text' && s.tenancy) || s.is === 'tenant' || s.is === 'claim';
  if (x === '') return b;
  if (y === '') return a;
  if (x !== undefined && y !== undefined) return textOf(x + y, tenancy(a) || tenancy(b));
  const key = `${keyOf(a)}||${keyOf(b)}`;
  const refs = [...refsOf(a), ...refsOf(b)];
  return speaks(a) || speaks(b)
    ? { is: 'unknown', key, refs, reason: 'a text made of a tenant and something else' }
    : { is: 'free', key, refs, nullable: canBeNull(a) || canBeNull(b) };
}

/** What a value is when the caller of the prover says nothing. */
function classByKind(value: Value): ValueClass | undefined {
  switch (value.kind) {
    case 'tenant':
      return value.verified ? 'tenant-verified' : 'tenant-unverified';
    case 'input':
    case 'parameter':
    case 'result':
    case 'row':
    case 'import':
    case 'binding':
    case 'global':
    case 'this':
    case 'element':
    case 'placeholder':
      return 'tenant-unverified';
    default:
      return undefined;
  }
}
