import type { Predicate, Target, TargetRef, Value } from '@tenant-lint/model';
import { Cache } from './cache.js';
import { Calls } from './calls.js';
import { identityOf } from './identity.js';
import { bare } from './missing.js';
import type { ColumnFact, ProofQuestion, World } from './question.js';
import { hasOrder, refsIn, sizeOf, targetsIn } from './walk.js';

/** Conditions evaluated in all runs of one question, those of functions and of other tables' policies included. */
const maxEvaluations = 40_000;

/** Everything about a question that does not change between runs. */
export class Setup {
  readonly world: World;
  readonly target: Target;
  readonly targets = new Map<TargetRef, Target>();
  readonly nullRows: 'shared' | 'foreign';
  /** Rows in question that name the caller count as the caller's. */
  readonly named: boolean;
  /** Other targets of the access whose rows come with the one in question, because its condition names them. */
  readonly companions: readonly Target[];
  readonly cache: Cache;
  readonly calls: Calls;
  /** Settings that carry the tenant: those that the world names, and those that some condition compares with a key. */
  readonly carriers: Set<string>;
  /** Settings that carry the caller: those compared with what identifies a user in a looked-up row, or the user of a membership. */
  readonly callers = new Set<string>();
  /** Constants compared with keys or with the tenant: tenants may be called so. */
  readonly constants = new Set<string>();
  /** Keys of the values that a condition compares with something: a test of one of them asks for its presence. */
  readonly compared = new Set<string>();
  /** The constant patterns of LIKE; '%' stands for those that are computed. */
  readonly patterns = new Set<string>();
  /** The constants that each free value is compared with. */
  readonly #constantsOf = new Map<string, Set<string>>();
  #alternatives = 0;
  /** Whether something is compared by order. */
  ordered = false;

  /** How many conditions the runs have evaluated so far. */
  evaluations = 0;
  readonly maxEvaluations: number;
  /** How many conditions and values the predicate has. */
  readonly size: number;

  constructor(question: ProofQuestion) {
    const { target, predicate, world } = question;
    this.world = world;
    this.maxEvaluations = Math.min(maxEvaluations, question.budget?.left ?? maxEvaluations);
    this.cache = new Cache((f, index) => world.parameter?.(f, index));
    this.target = target;
    this.size = sizeOf(predicate);
    this.calls = new Calls(world, this.targets);
    this.carriers = new Set(world.settings ?? []);
    this.named = question.named === true;
    this.nullRows = question.nullRows ?? (target.operation === 'read' ? 'shared' : 'foreign');
    for (const other of question.others ?? []) this.targets.set(other.ref, other);
    const inner = targetsIn(predicate);
    for (const t of inner) this.targets.set(t.ref, t);
    this.targets.set(target.ref, target);
    this.companions = companionsOf(question, new Set(inner.map((t) => t.ref)));
    this.scan(predicate);
    for (const companion of this.companions) this.scan(companion.predicate);
  }

  /** How much has been learnt of names; a run that learns more is done again. */
  get known(): number {
    return (
      this.carriers.size +
      this.callers.size +
      this.constants.size +
      this.compared.size +
      this.patterns.size +
      this.#alternatives +
      (this.ordered ? 1 : 0)
    );
  }

  /** What a free value may equal: the constants that it is compared with anywhere, and something else. */
  alternativesOf(key: string, text: string): readonly (string | null)[] {
    let known = this.#constantsOf.get(key);
    if (!known) this.#constantsOf.set(key, (known = new Set()));
    if (!known.has(text)) {
      known.add(text);
      this.#alternatives++;
    }
    return [...known, null];
  }

  /** Learns from a condition which settings, constants and values matter. */
  scan(predicate: Predicate): void {
    this.ordered ||= hasOrder(predicate);
    // Which constants matter depends on which settings carry the tenant, and a later comparison may show that.
    let carriers: number;
    do {
      carriers = this.carriers.size;
      this.#scan(predicate, []);
    } while (this.carriers.size > carriers);
  }

  #scan(node: unknown, calls: readonly string[]): void {
    if (Array.isArray(node)) {
      for (const item of node) this.#scan(item, calls);
      return;
    }
    if (node === null || typeof node !== 'object') return;
    const p = node as Predicate | Value;
    if (p.kind === 'compare') this.#comparison(p.operator, p.left, p.right);
    else if (p.kind === 'in') this.#sides([p.left, ...p.right]);
    else if (p.kind === 'in-query') this.#sides([...p.left, ...p.query.output]);
    else if (p.kind === 'optional') this.compared.add(this.cache.keyOfValue(bare(p.on)));
    else if (p.kind === 'apply' && p.function === 'nullif') this.#sides(p.to);
    else if (p.kind === 'apply' && calls.length < 8 && !calls.includes(p.function)) {
      const body = this.calls.body(p);
      if (typeof body === 'object') {
        this.ordered ||= hasOrder(body);
        this.#scan(body, [...calls, p.function]);
      }
    }
    const record = node as Record<string, unknown>;
    for (const key in record) {
      const inner = record[key];
      if (typeof inner === 'object' && key !== 'span') this.#scan(inner, calls);
    }
  }

  #comparison(operator: string, left: Value, right: Value): void {
    const isPattern = /i?like$/.test(operator);
    if (isPattern) {
      const pattern = right.kind === 'constant' && typeof right.value === 'string' ? right.value : '%';
      this.patterns.add(pattern);
    }
    // Equality with a constant (or its negation) can name a tenant; an order or a pattern does not.
    this.#sides([left, right], /^(=|<>|!=|is (not )?distinct from)$/.test(operator));
  }

  /** `names`: the comparison is one by which a constant can name a tenant. */
  #sides(sides: readonly Value[], names = true): void {
    let key = false;
    let tenant = false;
    const settings: string[] = [];
    const constants: string[] = [];
    const visit = (value: Value): void => {
      if (value.kind === 'column') key ||= this.isKey(value);
      else if (value.kind === 'setting') settings.push(value.name);
      else if (value.kind === 'tenant') tenant = true;
      else if (value.kind === 'constant' && value.value !== null && typeof value.value !== 'boolean')
        constants.push(String(value.value));
    };
    for (const side of sides) {
      this.compared.add(this.cache.keyOfValue(bare(side)));
      this.#results(side, visit, []);
    }
    if (key) for (const name of settings) this.carriers.add(name);
    if (sides.some((side) => this.#isUser(side))) for (const name of settings) this.callers.add(name);
    if (!names) return;
    if (key || tenant || settings.some((name) => this.carriers.has(name)))
      for (const text of constants) if (this.constants.size < 12) this.constants.add(text);
  }

  /** The values that a value can come out as, not those that only decide which. */
  #results(value: Value, visit: (value: Value) => void, calls: readonly string[]): void {
    if (identityOf(value) !== undefined) return;
    visit(value);
    const each = (values: readonly Value[]): void => {
      for (const v of values) this.#results(v, visit, calls);
    };
    switch (value.kind) {
      case 'missing-able':
      case 'element':
        return each([value.of]);
      case 'choice':
        return each(value.of);
      case 'list':
        return each(value.of.map((item) => item.value));
      case 'query':
        return each(value.query.output);
      case 'text':
        return each(value.parts.flatMap((part) => ('hole' in part ? [part.hole] : [])));
      case 'apply': {
        const body = calls.includes(value.function) || calls.length > 8 ? undefined : this.calls.body(value);
        if (typeof body === 'object') return this.#results(body, visit, [...calls, value.function]);
        return each(value.to);
      }
      default:
    }
  }

  #isUser(value: Value): boolean {
    if (value.kind === 'apply' && value.function.startsWith('cast:') && value.to[0]) return this.#isUser(value.to[0]);
    if (value.kind !== 'column' || value.target === undefined) return false;
    const target = this.targets.get(value.target);
    const role = target && this.world.column(target, value.column).role;
    return role === 'user' || (role === 'reference' && value.target !== this.target.ref);
  }

  fact(target: Target, column: string): ColumnFact {
    const key = `${target.ref}.${column}`;
    let fact = this.cache.facts.get(key);
    if (!fact) this.cache.facts.set(key, (fact = this.world.column(target, column)));
    return fact;
  }

  isKey(value: Value): boolean {
    if (value.kind !== 'column' || value.target === undefined) return false;
    const target = this.targets.get(value.target);
    return target !== undefined && this.world.column(target, value.column).role === 'key';
  }
}

/** The other targets that the condition names, and those that their conditions name in turn. */
function companionsOf(question: ProofQuestion, inner: ReadonlySet<TargetRef>): readonly Target[] {
  const found = new Map<TargetRef, Target>();
  const add = (predicate: Predicate): void => {
    for (const ref of refsIn(predicate)) {
      if (ref === question.target.ref || inner.has(ref) || found.has(ref)) continue;
      const other = question.others?.find((o) => o.ref === ref);
      if (!other) continue;
      found.set(ref, other);
      add(other.predicate);
    }
  };
  if (question.others?.length) add(question.predicate);
  return [...found.values()];
}
