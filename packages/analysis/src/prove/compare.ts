import type { Operator, TargetRef } from '@tenant-lint/model';
import { ANY, ERROR, FALSE, NULL, notOf, truth, type Outcomes } from './logic.js';
import type { Rows } from './rows.js';
import type { Run } from './run.js';
import { canBeNull, keyOf, like, longer, lower, mark, other, own, refsOf, type Symbol } from './symbols.js';

type Kind<K extends Symbol['is']> = Extract<Symbol, { is: K }>;
type Pairs = readonly (readonly [string, string])[];

/** Whether comparing with a symbol says something about tenancy. */
export const speaks = (x: Symbol): boolean =>
  (x.is === 'text' && x.tenancy) || x.is === 'tenant' || x.is === 'reference' || x.is === 'unknown' || x.is === 'texts';

/** Comparisons of symbols. */
export class Comparisons {
  constructor(
    private readonly run: Run,
    private readonly rows: Rows,
  ) {}

  /** The outcome of `l operator r`. */
  compare(operator: Operator, l: Symbol, r: Symbol): Outcomes {
    if (l.is === 'error' || r.is === 'error') return ERROR;
    switch (operator) {
      case 'is distinct from':
        return notOf(this.#notDistinct(l, r));
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
    const both = (): Outcomes => this.#present(operator, l, r);
    return this.run.unlessNull(l, () => (keyOf(l) === keyOf(r) ? both() : this.run.unlessNull(r, both)));
  }

  #notDistinct(l: Symbol, r: Symbol): Outcomes {
    if (this.run.isSilent(l) || this.run.isSilent(r)) return ANY;
    const sides = (x: Symbol): readonly boolean[] =>
      x.is === 'null' ? [true] : canBeNull(x) ? this.run.nullness(x) : [false];
    let result = 0;
    for (const a of sides(l)) for (const b of sides(r)) result |= a || b ? truth(a && b) : this.#present('=', l, r);
    return result;
  }

  /** Both sides are present, the operator is '=', '<', 'like', 'ilike' or one that is not understood. */
  #present(operator: Operator, l: Symbol, r: Symbol): Outcomes {
    if (l.is === 'unknown') return this.#withUnknown(operator, l, r);
    if (r.is === 'unknown') return this.#withUnknown(operator, r, l);
    if (keyOf(l) === keyOf(r) && l.is !== 'text') return truth(['=', 'like', 'ilike'].includes(operator));
    switch (operator) {
      case '=':
        return this.#equal(l, r) ?? this.#equal(r, l) ?? this.#compared('=', l, r);
      case '<':
        return this.#less(l, r);
      case 'like':
      case 'ilike':
        return this.#like(operator, l, r);
      default:
        return speaks(l) || speaks(r) ? this.run.unknown(`the operator ${operator}`) : this.#compared(operator, l, r);
    }
  }

  #withUnknown(operator: Operator, unknown: Kind<'unknown'>, known: Symbol): Outcomes {
    // That a row of nobody knows whom names the caller ties it to no tenant.
    const plain = known.is === 'free' || known.is === 'caller' || (known.is === 'text' && !known.tenancy);
    const harmless = unknown.about !== true && plain;
    return harmless
      ? this.run.unlessNull(known, () => this.#compared(operator, unknown, known))
      : this.run.unknown(unknown.reason);
  }

  /** `l = r` where the kinds of the two, in this order, say something about it; else undefined. */
  #equal(l: Symbol, r: Symbol): Outcomes | undefined {
    const pairs = this.#texts(l, r);
    if (pairs) return pairs.reduce((result, [a, b]) => result | truth(a === b), 0);
    const asCompared = (): Outcomes => this.#compared('=', l, r);
    switch (l.is) {
      case 'reference':
        if (r.is === 'reference' && r.to === l.to) return this.#tied(l, r);
        if (r.is === 'tenant') return this.#ifOwn(l.row, asCompared, () => this.#ties(l));
        return this.#namesCaller(l.row, r) ? this.#ifOwn(l.row, asCompared) : undefined;
      case 'free':
        return l.row !== undefined && this.#namesCaller(l.row, r) ? this.#ifOwn(l.row, asCompared) : undefined;
      case 'user':
        if (r.is === 'caller' || r.is === 'role' || r.is === 'tenant') return this.#ifOwn(l.row, asCompared);
        return r.is === 'claim' ? (this.#doubts(r) ? asCompared() : this.#ifOwn(l.row, asCompared)) : undefined;
      case 'role':
        return r.is === 'text' ? this.#isRole(l, r) : undefined;
      default:
        return undefined;
    }
  }

  /**
   * A looked-up row that names the caller is a row of the caller, whose rows belong to the current tenant. So is the row in question, where
   * that is asked.
   */
  #namesCaller(row: TargetRef, r: Symbol): boolean {
    const { named, target } = this.run.setup;
    return (r.is === 'caller' && (named || row !== target.ref)) || (r.is === 'role' && row !== target.ref);
  }

  /** Two references to the same table can only be equal where the rows that hold them have the same owner. */
  #tied(l: Kind<'reference'>, r: Kind<'reference'>): Outcomes {
    let result = 0;
    for (const a of this.rows.owners(l.row))
      for (const b of this.rows.owners(r.row)) {
        if (a === b) result |= this.#compared('=', l, r);
        else {
          result |= FALSE;
          this.#ties(l, r);
        }
      }
    return result;
  }

  #ties(...of: Kind<'reference'>[]): void {
    for (const symbol of of) {
      const name = this.run.nameOf(symbol.key);
      this.run.references.add(name);
      if (symbol.assumed) this.run.assumptions.add(`every writer keeps ${name} within one tenant`);
    }
  }

  #ifOwn(row: TargetRef, then: () => Outcomes, otherwise?: () => void): Outcomes {
    let result = 0;
    for (const owner of this.rows.owners(row)) {
      if (owner === undefined || owner === this.run.mode.tenant) result |= then();
      else {
        result |= FALSE;
        otherwise?.();
      }
    }
    return result;
  }

  #isRole(role: Symbol, name: Kind<'text'>): Outcomes {
    const { roles } = this.run.setup.world;
    if (!roles) return this.run.unknown('under which role the application runs');
    if (roles.has(name.text)) return this.#compared('=', role, name);
    this.run.assumptions.add(`the application does not run as ${name.text}`);
    return FALSE;
  }

  /** The texts that the two sides stand for, where at least one of them is a tenant's. */
  #texts(l: Symbol, r: Symbol): Pairs | undefined {
    if (l.is === 'text' && r.is === 'text') return [[l.text, r.text]];
    const tenancy = (x: Symbol): boolean => (x.is === 'text' && x.tenancy) || x.is === 'tenant';
    if (!tenancy(l) && !tenancy(r)) return undefined;
    const ls = this.spelled(l);
    const rs = this.spelled(r);
    return ls && rs && ls.flatMap((a) => rs.map((b) => [a, b] as const));
  }

  /** As which tenants a value may appear when it is compared with one; undefined: it is nothing of that kind. */
  spelled(x: Symbol): readonly string[] | undefined {
    const { mode, space } = this.run;
    switch (x.is) {
      case 'text':
        return [x.text];
      case 'tenant':
      case 'caller':
      case 'role':
        return [mode.tenant];
      case 'claim':
        return this.#doubts(x) ? space.pick(`claim|${x.key}`, [mode.tenant, ...this.#others()], []) : [mode.tenant];
      case 'foreign':
        return space.pick(`foreign|${x.key}`, [...this.#others(), mode.tenant], []);
      default:
        return undefined;
    }
  }

  /** Notes that the answer rests on a claim; whether this run doubts it. */
  #doubts(claim: Kind<'claim'>): boolean {
    const { claims, claimable, mode, touched } = this.run;
    const value = claimable.get(claim.key);
    if (value) claims.set(claim.key, value);
    if (!mode.doubt) touched.add('doubt');
    return mode.doubt;
  }

  #others(): readonly string[] {
    return [other, longer, ...[...this.run.setup.constants].filter((c) => c !== this.run.mode.tenant)];
  }

  #less(l: Symbol, r: Symbol): Outcomes {
    const pairs = this.#texts(l, r);
    if (!pairs)
      return speaks(l) && speaks(r) ? this.run.unknown('an order between identifiers') : this.#compared('<', l, r);
    let result = 0;
    for (const [a, b] of pairs)
      for (const x of this.#placesOf(a)) for (const y of this.#placesOf(b)) result |= truth(x < y);
    return result;
  }

  /**
   * Where a text stands among the tenants of the small world. Where a constant stands is not fixed by anything, but the same wherever it
   * occurs; constants that take the same place keep the order of their texts.
   */
  #placesOf(text: string): readonly string[] {
    if (text === '' || text.startsWith(mark)) return [text];
    const constant = text.split(mark)[0]!;
    const places = ['', lower, own, longer, other];
    return this.run.space.pick(`place|${constant}`, places, []).map((after) => `${after}\uF8FF${text}`);
  }

  #like(operator: Operator, l: Symbol, r: Symbol): Outcomes {
    const pairs = this.#texts(l, r);
    if (!pairs) return speaks(l) ? this.run.unknown('a pattern over an identifier') : this.#compared(operator, l, r);
    return pairs.reduce((result, [text, pattern]) => result | truth(like(text, pattern, operator === 'ilike')), 0);
  }

  /** A value that says nothing about tenancy equals at most one of the texts it is compared with. */
  #equals(value: Symbol, text: string): Outcomes {
    const { setup, space } = this.run;
    const domain = setup.alternativesOf(keyOf(value), text);
    return space
      .pick(`is|${keyOf(value)}`, domain, refsOf(value))
      .reduce((result, is) => result | truth(is === text), 0);
  }

  /** A comparison that says nothing about tenancy; the same one has the same outcome. */
  #compared(operator: Operator, l: Symbol, r: Symbol): Outcomes {
    const [a, b] = [keyOf(l), keyOf(r)];
    if (operator === '=' && (l.is === 'text') !== (r.is === 'text')) {
      const [text, value] = l.is === 'text' ? [l.text, r] : [(r as Kind<'text'>).text, l];
      return this.#equals(value, text);
    }
    const key = operator === '=' && b < a ? `=|${b}|${a}` : `${operator}|${a}|${b}`;
    return this.run.atom(key, [...refsOf(l), ...refsOf(r)]);
  }
}
