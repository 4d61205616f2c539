import type { Predicate, Query, Target, Value } from '@tenant-lint/model';
import type { QueryFacts } from './cache.js';
import { andOf, ERROR, FALSE, NULL, orOf, TRUE, truth, verdictOf, type Outcomes } from './logic.js';
import type { Rows } from './rows.js';
import type { Run } from './run.js';
import type { Found, Remembered } from './space.js';
import { readsStaffFlag, withoutStaff } from './staff.js';
import { keyOf, nothing, refsOf, textOf, type Symbol } from './symbols.js';
import { refsIn, renameTargets, targetsIn } from './walk.js';

/** What sub-queries need of the rest of the evaluation. */
export interface Evaluation {
  evaluate(predicate: Predicate): Outcomes;
  symbols(value: Value): readonly Symbol[];
}

const maxValues = 64;

/** Sub-queries: whether they find a row, and which values they may give. */
export class Queries {
  readonly #remembered = new Map<Query, Remembered<Found>[]>();

  constructor(
    private readonly run: Run,
    private readonly rows: Rows,
    private readonly evaluation: Evaluation,
  ) {}

  exists(query: Query): Outcomes {
    const { refs, outer, key } = this.#facts(query);
    const asked = this.#byTenants(query);
    const found =
      asked === undefined
        ? 'no'
        : this.run.space.remembering(this.#memoryOf(query), () =>
            this.run.space.within(refs, () => this.run.space.search(() => verdictOf(this.#condition(asked)))),
          );
    let result: Outcomes = TRUE | FALSE;
    if (found === 'no') result = FALSE;
    else if (found === 'yes') result = refs.length === 0 ? TRUE : this.#rowExists(key, outer);
    return (query.arms ?? []).reduce((before, arm) => orOf(before, this.exists(arm)), result);
  }

  /**
   * A look-up as it is when whoever asks is not one of the operator's own people: without the alternatives that find only these. Undefined: nothing
   * is left of it.
   */
  #byTenants(query: Query): Query | undefined {
    const { staff } = this.run.setup.world;
    if (!staff) return query;
    const { tenants } = this.run.setup.cache;
    if (!tenants.has(query)) tenants.set(query, withoutStaff(query, staff));
    return tenants.get(query);
  }

  /** A looked-up row that could be there may be there or not; whether it is is one choice for the same sub-query. */
  #rowExists(key: string, outer: readonly string[]): Outcomes {
    let result = 0;
    for (const exists of this.run.space.pick(`exists|${key}`, [true, false], outer)) result |= truth(exists);
    return result;
  }

  /** `(a, b) IN (SELECT x, y ...)`: true if some row equals, else NULL if some comparison is NULL, else false. */
  contains(p: Extract<Predicate, { kind: 'in-query' }>): Outcomes {
    const { memberships } = this.run.setup.cache;
    let forms = memberships.get(p);
    if (!forms) {
      const nullable = [...p.left, ...outputsOf(p.query)].some((v) => !this.#surelyPresent(v));
      forms = {
        equal: tied(p, (equal) => equal),
        unknown: nullable ? tied(p, (equal) => ({ kind: 'is', of: equal, test: null })) : undefined,
      };
      memberships.set(p, forms);
    }
    const equal = this.evaluation.evaluate(forms.equal);
    if ((equal & FALSE) === 0 || !forms.unknown) return equal;
    const unknown = this.evaluation.evaluate(forms.unknown);
    return (equal & ~FALSE) | (unknown & TRUE ? NULL : 0) | (unknown & FALSE ? FALSE : 0);
  }

  #surelyPresent(value: Value): boolean {
    if (value.kind === 'apply' && value.function.startsWith('cast:') && value.to[0])
      return this.#surelyPresent(value.to[0]);
    if (value.kind !== 'column' || value.target === undefined)
      return value.kind === 'tenant' || value.kind === 'constant';
    const target = this.run.setup.targets.get(value.target);
    return target !== undefined && this.run.setup.fact(target, value.column).notNull === true;
  }

  /** The values that a scalar sub-query may give: NULL if it finds nothing. */
  scalar(query: Query): readonly Symbol[] {
    const output = query.output[0];
    const { refs, outer, key } = this.#facts(query);
    if (query.arms?.length) {
      const { arms, ...rest } = query;
      const all = [...(rest.condition.kind === 'never' ? [] : [rest]), ...arms].flatMap((arm) => this.scalar(arm));
      return this.#oneOf(`value|${key}`, new Map(all.map((symbol) => [keyOf(symbol), symbol])), outer);
    }
    if (query.output.length !== 1 || !output)
      return [{ is: 'unknown', key, refs: outer, reason: 'a sub-query that is not a single value', about: true }];
    if (refs.length === 0)
      return query.condition.kind === 'always'
        ? this.evaluation.symbols(output)
        : [nothing, ...this.evaluation.symbols(output)];
    const { staff } = this.run.setup.world;
    if (staff && readsStaffFlag(query, staff)) return [nothing, textOf('false', false)];
    const found = new Map<string, Symbol>([['null', nothing]]);
    const note = (surely: boolean): void => {
      if (!surely) {
        // What it finds hangs on the unknown.
        found.set(key, { is: 'unknown', key, refs: outer, reason: 'what a sub-query finds', about: true });
        return;
      }
      for (const symbol of this.evaluation.symbols(output)) {
        const outside = refsOf(symbol).some((ref) => refs.includes(ref)) ? this.#exported(symbol) : symbol;
        found.set(keyOf(outside), outside);
      }
    };
    this.run.space.within(refs, () => this.run.space.search(() => verdictOf(this.#condition(query)), note));
    if (found.size > maxValues)
      return [{ is: 'unknown', key, refs: outer, reason: 'a sub-query with too many possible values', about: true }];
    return this.#oneOf(`value|${key}`, found, outer);
  }

  #oneOf(key: string, symbols: ReadonlyMap<string, Symbol>, outer: readonly string[]): readonly Symbol[] {
    return this.run.space.pick(key, [...symbols.keys()], outer).map((k) => symbols.get(k)!);
  }

  /** The symbol of a column outside of the sub-query that it comes from: the row is not in scope any more, its owner is settled. */
  #exported(symbol: Symbol): Symbol {
    const key = keyOf(symbol);
    if (symbol.is === 'unknown') return { ...symbol, refs: [] };
    const settled = symbol.is === 'reference' && this.rows.owners(symbol.row).every((o) => o === this.run.mode.tenant);
    return settled ? { is: 'tenant', key } : { is: 'free', key, refs: [], nullable: true };
  }

  /** The condition of a sub-query for one row of each of its targets, as far as these are visible. */
  #condition(query: Query): Outcomes {
    let result: Outcomes = TRUE;
    for (const target of query.targets) {
      result = andOf(result, this.#visible(target));
      if ((result & (TRUE | NULL)) === 0) return result;
    }
    return andOf(result, this.evaluation.evaluate(query.condition));
  }

  /** Whether the policies of a looked-up table show a row of it to whoever runs the sub-query. */
  #visible(target: Target): Outcomes {
    if (this.run.definer > 0) return TRUE;
    const policies = this.#policies(target);
    if (!policies) return TRUE;
    const { calls } = this.run;
    const name = `policies of ${this.run.targetName(target)}`;
    // Postgres refuses policies that come back to their own table.
    if (calls.includes(name)) return ERROR;
    calls.push(name);
    const outcomes = this.evaluation.evaluate(policies);
    calls.pop();
    return outcomes;
  }

  #policies(target: Target): Predicate | undefined {
    const { cache, world, targets } = this.run.setup;
    if (!world.rowSecurity) return undefined;
    if (cache.visible.has(target.ref)) return cache.visible.get(target.ref);
    const condition = world.rowSecurity(target);
    const bound =
      condition && renameTargets(condition, (ref) => (ref === 'self' ? target.ref : `${target.ref}~${ref}`));
    if (bound) {
      for (const t of targetsIn(bound)) targets.set(t.ref, t);
      this.run.setup.scan(bound);
    }
    cache.visible.set(target.ref, bound);
    return bound;
  }

  #facts(query: Query): QueryFacts {
    const { cache, targets } = this.run.setup;
    let facts = cache.queries.get(query);
    if (!facts) {
      const refs = query.targets.map((t) => t.ref);
      const inner = new Set([...refs, ...targetsIn(query).map((t) => t.ref)]);
      const outer = [...refsIn(query)].filter((ref) => !inner.has(ref));
      facts = { refs, outer, key: cache.keyOfValue({ kind: 'query', query }) };
      for (const target of query.targets) targets.set(target.ref, target);
      cache.queries.set(query, facts);
    }
    return facts;
  }

  #memoryOf(query: Query): Remembered<Found>[] {
    let memory = this.#remembered.get(query);
    if (!memory) this.#remembered.set(query, (memory = []));
    return memory;
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
