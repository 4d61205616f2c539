import type { Predicate, TargetRef, Value, ValueOf } from '@tenant-lint/model';
import { Comparisons } from './compare.js';
import { andOf, ERROR, FALSE, isOf, NULL, notOf, orOf, TRUE, truth, verdictOf, type Outcomes } from './logic.js';
import { bare, missing } from './missing.js';
import { Queries } from './queries.js';
import { Rows } from './rows.js';
import { Run } from './run.js';
import type { Found } from './space.js';
import { bareOf, isStaffClaim, isStaffRole, strengthOf } from './staff.js';
import { isSymbolic, keyOf, refsOf, textOf, type Symbol } from './symbols.js';
import { isItem, Values } from './values.js';

const maxCalls = 8;

/** One run: evaluates the predicate over the small world of its mode, and searches for an assignment that makes it true. */
export class Engine extends Run {
  readonly #rows = new Rows(this);
  readonly #comparisons = new Comparisons(this, this.#rows);
  readonly #values: Values = new Values(this, this.#rows, this.#comparisons, () => this.#queries, this);
  readonly #queries = new Queries(this, this.#rows, {
    evaluate: (p) => this.evaluate(p),
    symbols: (v) => this.#values.symbols(v),
  });

  /**
   * Searches for an assignment that makes the predicate true for the row in question, together with what must hold of the rows it comes with.
   * @throws TooLarge
   */
  search(predicate: Predicate): Found {
    return this.space.search(() => {
      let outcomes = this.evaluate(predicate);
      for (const companion of this.setup.companions) {
        if ((outcomes & (TRUE | NULL)) === 0) break;
        let together = 0;
        for (const gone of this.#rows.absent(companion)) together |= gone ? TRUE : this.evaluate(companion.predicate);
        outcomes = andOf(outcomes, together);
      }
      return verdictOf(outcomes);
    });
  }

  /** Evaluates a part under the assignment that the search ended with. @throws TooLarge */
  evaluateAgain(p: Predicate): Outcomes {
    this.space.renew();
    return this.evaluate(p);
  }

  evaluate(p: Predicate): Outcomes {
    this.spend();
    switch (p.kind) {
      case 'and':
        return this.#all(p.of);
      case 'or':
        return this.#any(p.of, (part) => this.evaluate(part));
      case 'not':
        return notOf(this.evaluate(p.of));
      case 'is':
        return isOf(this.evaluate(p.of), p.test);
      case 'compare':
        if (p.operator === '=' && this.#isStaff(p.left, p.right)) return FALSE | NULL;
        return this.#over(p.left, p.right, (l, r) => this.#comparisons.compare(p.operator, l, r));
      case 'null':
        return this.#values.symbols(p.of).reduce((result, x) => result | this.isNull(x), 0);
      case 'in':
        return this.#in(p);
      case 'in-query':
        return this.#queries.contains(p);
      case 'exists':
        return this.#queries.exists(p.query);
      case 'related':
        return this.#related(p.target, p.to, p.by);
      case 'case':
        return this.#case(p);
      case 'value':
        return this.#condition(p.of);
      case 'optional':
        return this.#optional(p);
      case 'either':
        return this.#either(p);
      case 'always':
        return TRUE;
      case 'never':
        return FALSE;
      case 'unknown':
        return this.unknown(p.reason);
    }
  }

  #all(parts: readonly Predicate[]): Outcomes {
    let result: Outcomes = TRUE;
    for (const part of parts) {
      result = andOf(result, this.evaluate(part));
      if ((result & (TRUE | NULL)) === 0) break;
    }
    return result;
  }

  #any<T>(parts: readonly T[], outcomesOf: (part: T) => Outcomes): Outcomes {
    let result: Outcomes = FALSE;
    for (const part of parts) {
      result = orOf(result, outcomesOf(part));
      if ((result & (FALSE | NULL)) === 0) break;
    }
    return result;
  }

  #over(left: Value, right: Value, outcome: (l: Symbol, r: Symbol) => Outcomes): Outcomes {
    const [ls, rs] = [this.#values.symbols(left), this.#values.symbols(right)];
    let result = 0;
    for (const l of ls) for (const r of rs) result |= outcome(l, r);
    return result;
  }

  #in(p: Extract<Predicate, { kind: 'in' }>): Outcomes {
    const items = p.open ? p.right.flatMap(itemsOf) : p.right;
    return this.#any(items, (item) =>
      this.#isStaff(p.left, item)
        ? FALSE
        : this.#over(p.left, item, (l, r) =>
            r.is === 'texts'
              ? this.#any(r.of, (text) => this.#comparisons.compare('=', l, textOf(text, isSymbolic(text))))
              : this.#comparisons.compare('=', l, r),
          ),
    );
  }

  /** Whether one side is the caller's role, and the other one that only the operator's own people have: whoever asks is none of them. */
  #isStaff(a: Value, b: Value): boolean {
    const { staff } = this.setup.world;
    if (!staff) return false;
    const [left, right] = [bareOf(a), bareOf(b)];
    const [constant, other] = left.kind === 'constant' ? [left, right] : [right, left];
    if (constant.kind !== 'constant' || typeof constant.value !== 'string') return false;
    return strengthOf(constant.value) !== undefined && isStaffRole(this.#read(other), constant.value, staff);
  }

  /** What a call comes out as, where that is one value. */
  #read(value: Value): Value {
    let read = value;
    for (let depth = 0; read.kind === 'apply' && depth < maxCalls; depth++) {
      const body = this.setup.calls.body(read);
      if (typeof body !== 'object') break;
      read = bareOf(body);
    }
    return read;
  }

  #related(target: TargetRef, to: TargetRef, by: string): Outcomes {
    const related = (): Outcomes => this.atom(`related|${target}|${to}|${by}`, [target, to]);
    if (!this.mode.assume) {
      this.touched.add('assume');
      return related();
    }
    let result = 0;
    for (const a of this.#rows.owners(target))
      for (const b of this.#rows.owners(to)) {
        if (a === b) result |= related();
        else {
          result |= FALSE;
          this.assumptions.add(`every writer keeps the relation ${by} within one tenant`);
          this.references.add(by);
        }
      }
    return result;
  }

  #case(p: Extract<Predicate, { kind: 'case' }>): Outcomes {
    let result = 0;
    for (const [when, then] of p.of) {
      const test = this.evaluate(when);
      if (test & TRUE) result |= this.evaluate(then);
      result |= test & ERROR;
      if ((test & (FALSE | NULL)) === 0) return result;
    }
    return result | this.evaluate(p.otherwise);
  }

  #optional(p: Extract<Predicate, { kind: 'optional' }>): Outcomes {
    switch (missing(p.on)) {
      case 'never':
        return this.evaluate(p.of);
      case 'always':
        this.touched.add('vanished');
        return this.evaluate(this.mode.restore ? p.of : p.otherwise);
      default:
        return this.isMissing(p.on).reduce((result, gone) => result | this.evaluate(gone ? p.otherwise : p.of), 0);
    }
  }

  #either(p: Extract<Predicate, { kind: 'either' }>): Outcomes {
    const [first, second] = p.of;
    if (p.test && first && second)
      return this.test(p.test).reduce((result, holds) => result | this.evaluate(holds ? first : second), 0);
    const key = `either|${this.setup.cache.keyOfPredicate(p)}`;
    return this.space.pick(key, p.of, []).reduce((result, part) => result | this.evaluate(part), 0);
  }

  /** The truth of a JavaScript condition. Asking for a value that the predicate compares with something is asking for its presence. */
  test(test: Value): readonly boolean[] {
    if (test.kind === 'constant') return [Boolean(test.value)];
    if (test.kind === 'undefined') return [false];
    if (test.kind === 'predicate') {
      const outcomes = this.evaluate(test.predicate);
      return [...(outcomes & TRUE ? [true] : []), ...(outcomes & ~TRUE ? [false] : [])];
    }
    if (test.kind !== 'apply') return this.#isThere(test);
    const [a, b] = test.to;
    if (test.function === '!' && a) return this.test(a).map((t) => !t);
    if ((test.function === '&&' || test.function === '||') && a && b) {
      const both = (x: boolean, y: boolean): boolean => (test.function === '&&' ? x && y : x || y);
      return [...new Set(this.test(a).flatMap((x) => this.test(b).map((y) => both(x, y))))];
    }
    const value =
      a && b && /^[!=]==?$/.test(test.function) ? (isNothing(b) ? a : isNothing(a) ? b : undefined) : undefined;
    return value ? this.#isThere(value).map((there) => there === test.function.startsWith('!')) : this.#isThere(test);
  }

  #isThere(value: Value): readonly boolean[] {
    const inner = bare(value);
    const key = this.setup.cache.keyOfValue(inner);
    if (!this.setup.compared.has(key)) return this.space.pick(`test|${key}`, [true, false], []);
    if (missing(value) === 'never' && this.#values.classOf(inner) === 'tenant-verified') return [true];
    return this.isMissing(value).map((gone) => !gone);
  }

  /** A value in the place of a condition. */
  #condition(value: Value): Outcomes {
    if (value.kind === 'predicate') return this.evaluate(value.predicate);
    if (value.kind === 'query' && value.query.targets.length === 0 && value.query.output[0])
      return this.#condition(value.query.output[0]);
    if (this.setup.world.staff && isStaffClaim(value)) return FALSE | NULL;
    if (value.kind === 'apply') {
      const read = this.readThrough(
        value,
        (body) => this.#condition(body),
        (reason) => this.unknown(reason),
      );
      if (read !== undefined) return read;
      if (value.function === 'pg_has_role') {
        this.assumptions.add('the role of the application is not a member of the role that the condition asks for');
        return FALSE;
      }
    }
    return this.#values.symbols(value).reduce((result, x) => result | this.#truthOf(x), 0);
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
        return this.unknown(x.reason);
      default:
        return this.unlessNull(x, () => this.atom(`true|${keyOf(x)}`, refsOf(x)));
    }
  }

  /** Hands the body of the function that a call reaches to `known`; undefined if it is no function of the project. Bounded. */
  readThrough<T>(call: ValueOf<'apply'>, known: (body: Value) => T, unknown: (reason: string) => T): T | undefined {
    const body = this.setup.calls.body(call);
    if (body === undefined) return undefined;
    const what = `what the function ${call.function} does`;
    if (typeof body === 'string') return unknown(body);
    if (this.calls.includes(call.function)) return unknown(`${what} (it calls itself)`);
    if (this.calls.length >= maxCalls) return unknown(`${what} (too many nested calls)`);
    const definer = this.setup.calls.isDefiner(call) ? 1 : 0;
    this.calls.push(call.function);
    this.definer += definer;
    try {
      return known(body);
    } finally {
      this.calls.pop();
      this.definer -= definer;
    }
  }
}

/** The items of an open list where it is written out after all: `= ANY ($1)` whose argument is a list literal. */
function itemsOf(value: Value): readonly Value[] {
  const list = isItem(value) ? bare(value.of) : undefined;
  if (list?.kind !== 'list') return [value];
  return list.of.map((item): Value => (item.spread ? { kind: 'element', of: item.value, path: ['*'] } : item.value));
}

const isNothing = (value: Value): boolean =>
  value.kind === 'undefined' || (value.kind === 'constant' && value.value === null);
