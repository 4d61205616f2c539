import {
  keyOfValue,
  sameValue,
  type FunctionFacts,
  type Confidence,
  type Reason,
  type Schema,
  type Table,
  type TableId,
  type Target,
  type Tenancy,
  type TenancyModel,
  type Value,
  type Verdict,
} from '@tenant-lint/model';
import { and } from '@tenant-lint/model';
import { primaryKey, referencesOf, uniqueKeys } from '../fold/index.js';
import type { LinkedAccess, Origin, PolicyLeak, Selection } from '../model.js';
import type { Program } from '../link/program.js';
import type { Tables } from '../link/tables.js';
import { policyLeaks, type Leak, type ValueClass } from '../prove/index.js';
import { Tracer, type Provenance } from '../trace/provenance.js';
import { comparesKey, isTestedLater, pathInto, propertyOfColumn } from './guards.js';
import { assumptionsOf, proveTarget } from './question.js';
import { Checks, stripped } from './checks.js';
import { Reach } from './reach.js';
import { bindsKey } from './binds.js';
import { joinedRefs, pinnedKey, pinsOf, type Pin } from './selection.js';
import { SchemaWorld } from './world.js';

export interface JudgeInput {
  readonly program: Program;
  readonly schema: Schema;
  readonly tables: Tables;
  readonly tenancy: TenancyModel;
  readonly accesses: readonly LinkedAccess[];
}

/** Reaches verdicts: the prover first, then the ways in which real code is safe without naming the key. */
export class Judge {
  readonly #verdicts = new Map<string, Verdict>();
  readonly #active = new Set<string>();
  readonly #policies = new Map<TableId, readonly PolicyLeak[]>();
  readonly #byChain = new Map<string, LinkedAccess[]>();
  readonly #byFunction = new Map<string, LinkedAccess[]>();
  readonly #tracer: Tracer;
  readonly #world: SchemaWorld;
  readonly #reach: Reach;
  readonly #checks: Checks;
  readonly #classes = new Map<string, ValueClass | undefined>();

  constructor(private readonly input: JudgeInput) {
    for (const access of input.accesses) {
      if (access.chain !== undefined) push(this.#byChain, access.chain, access);
      if (access.function !== undefined) push(this.#byFunction, access.function, access);
    }
    this.#reach = new Reach(input.program, (value) => this.#tracer.sourcesOf(value));
    this.#world = new SchemaWorld(input.schema, input.tables, input.tenancy);
    this.#checks = new Checks(
      input.program,
      (value) => this.#tracer.sourcesOf(value),
      (access, value) => this.#foundUnder(access, value),
      (f) => this.#byFunction.get(f) ?? [],
    );
    this.#tracer = new Tracer(
      input.program,
      (chain) => this.#byChain.has(chain),
      (value, chain) => this.#checks.before(value, chain),
    );
  }

  tenancyOf(table: TableId): Tenancy {
    return this.input.tenancy.tables.get(table) ?? { kind: 'unknown', why: 'not in the schema' };
  }

  databaseIsolates(table: Table): boolean {
    const { strategy } = this.input.tenancy;
    return strategy === 'rls' || strategy === 'hybrid' || table.rowSecurity.enabled || table.policies.length > 0;
  }

  policyLeaks(table: Table): readonly PolicyLeak[] {
    const known = this.#policies.get(table.id);
    if (known) return known;
    const leaks = policyLeaks(table, { schema: this.input.schema, tenancy: this.input.tenancy });
    this.#policies.set(table.id, leaks);
    return leaks;
  }

  verdict(access: LinkedAccess, target: Target): Verdict {
    const key = `${access.id}/${target.ref}`;
    const known = this.#verdicts.get(key);
    if (known) return known;
    if (this.#active.has(key))
      return { kind: 'unknown', evidence: 'unknown', hangsOn: [{ text: 'it depends on itself', span: target.span }] };
    this.#active.add(key);
    const verdict = this.#decide(access, target);
    this.#active.delete(key);
    this.#verdicts.set(key, verdict);
    return verdict;
  }

  selection(access: LinkedAccess, target: Target): Selection {
    const table = this.#table(target);
    if (!table) return { pinnedBy: [] };
    const pins = pinsOf(this.#whole(access, target), target.ref);
    const pinnedBy = pinnedKey(pins, table);
    const deciding = pins.find((p) => pinnedBy.includes(p.column)) ?? pins[0];
    const source = deciding && sourceReason(this.#tracer.sourcesOf(deciding.value), this.input.program);
    return { pinnedBy, ...(source ? { source } : {}) };
  }

  /** Who decides what a value is; the worst of its sources. */
  originOf(value: Value): Origin {
    const kinds = new Set(this.#tracer.sourcesOf(value).map((s) => s.kind));
    if (kinds.has('input')) return 'input';
    if (kinds.has('unknown') || kinds.has('parameter')) return 'unknown';
    return kinds.has('row') || kinds.has('trusted') ? 'trusted' : 'fixed';
  }

  #table(target: Target): Table | undefined {
    return target.table.known ? this.input.tables.table(target.table.value) : undefined;
  }

  /** The target through whose row an included one is reached: the relation joins their columns. */
  #parentOf(access: LinkedAccess, target: Target): Target | undefined {
    const refs = joinedRefs(target.predicate, target.ref);
    return access.targets.find(
      (t) =>
        t.ref !== target.ref &&
        refs.has(t.ref) &&
        !(t.role === 'include' && joinedRefs(t.predicate, t.ref).has(target.ref) && t.span.start > target.span.start),
    );
  }

  /** An included row belongs to whom the row belongs that it is reached through. */
  #through(access: LinkedAccess, parent: Target, target: Target): Verdict {
    const verdict = this.verdict(access, parent);
    if (verdict.kind === 'isolated') {
      return {
        kind: 'isolated',
        evidence: 'derived',
        because: [{ text: 'it is reached through a row of the tenant', span: parent.span }],
      };
    }
    return unknown({
      text: `it is reached through a row that ${verdict.kind === 'leak' ? 'is not isolated' : 'is undecided'}`,
      span: target.span,
    });
  }

  /** The condition of a target together with that of the target it is reached through. */
  #whole(access: LinkedAccess, target: Target): Target['predicate'] {
    if (target.role !== 'nested-write') return target.predicate;
    const root = access.targets.find((t) => t.role === 'root' && t.ref !== target.ref);
    return root ? and(target.predicate, root.predicate) : target.predicate;
  }

  #decide(access: LinkedAccess, target: Target): Verdict {
    if (target.operation === 'create') return isolated('isolated', { text: 'no existing row is reached' });
    if (!target.table.known) return unknown({ text: target.table.reason, span: target.span });
    const table = this.#table(target);
    if (!table) return unknown({ text: 'the table is not in the schema', span: target.span });
    const parent = target.role === 'include' ? this.#parentOf(access, target) : undefined;
    if (parent) return this.#through(access, parent, target);
    const tenancy = this.tenancyOf(table.id);
    if (tenancy.kind === 'shared')
      return isolated('isolated', { text: `${table.name.name} is shared by all tenants: ${tenancy.why}` });
    if (tenancy.kind === 'unknown')
      return unknown({ text: `it is not known who owns ${table.name.name}: ${tenancy.why}`, span: target.span });

    const predicate = this.#whole(access, target);
    const others = access.targets.filter((t) => t.ref !== target.ref);
    const proof = proveTarget(target, predicate, others, this.#world, (value) => this.#classOf(value));
    if (proof.kind === 'isolated') {
      const assumed = proof.assumptions.length > 0 || proof.references.length > 0;
      return {
        kind: 'isolated',
        evidence: assumed ? 'derived' : proof.evidence,
        because: [...proof.because, ...assumptionsOf(proof.assumptions)],
      };
    }
    if (access.client.kind === 'scoped')
      return isolated('contextual', { text: 'the client is bound to the tenant', span: access.span });

    const pins = pinsOf(predicate, target.ref);
    const derived = this.#derived(pins, table, target);
    if (derived.kind === 'safe') return { kind: 'isolated', evidence: 'derived', because: [derived.reason] };
    const guard = this.#guarded(access, target, table, tenancy, pins);
    if (guard) return isolated('guarded', guard);
    if (proof.kind === 'unknown') return { kind: 'unknown', evidence: 'unknown', hangsOn: proof.hangsOn };
    if (derived.kind === 'open') return unknown(derived.reason);
    return this.#leak(access, target, proof, derived);
  }

  #leak(
    access: LinkedAccess,
    target: Target,
    proof: Leak,
    derived: Exclude<Derived, { kind: 'safe' | 'open' }>,
  ): Verdict {
    // A key that is compared only with other columns, or with constants, was not meant to say which tenant.
    const binds =
      proof.evidence === 'none'
        ? 'nothing'
        : bindsKey(target, this.#whole(access, target), access.targets, this.#world);
    const evidence = binds === 'nothing' ? 'none' : proof.evidence;
    const confidence = worst(
      proof.confidence,
      // A key of another table: whether its rows are tied to these is what could not be shown.
      binds === 'constant' || (binds === 'elsewhere' && evidence === 'negated')
        ? 'possible'
        : evidence === 'none'
          ? this.#confidence(access, derived)
          : 'certain',
    );
    const because = [...proof.because, ...(derived.kind === 'foreign' ? derived.reasons : [])];
    return {
      kind: 'leak',
      evidence,
      confidence,
      witness: proof.witness,
      because: because.length > 0 ? because : [{ text: 'no condition on the tenant', span: target.span }],
    };
  }

  /** How sure it is that a foreign row is asked for: by the source of the value that picks the rows, or by who can run the code. */
  #confidence(access: LinkedAccess, derived: Exclude<Derived, { kind: 'safe' | 'open' }>): Confidence {
    const reached = access.function === undefined ? 'unknown' : this.#reach.of(access.function);
    const own = derived.kind === 'foreign' ? derived.confidence : 'likely';
    // Code that no request leads to, or only requests of the system itself, works for all tenants: jobs, webhooks, scripts.
    if (reached === 'system' || (reached === 'no request' && own !== 'certain')) return 'possible';
    // What only finds out whose row one identifier names serves a check elsewhere more often than it leaks.
    return derived.kind === 'foreign' && this.#readsOnlyTheTenant(access) ? worst(own, 'possible') : own;
  }

  /** A read that gives nothing of the row but its key, or what leads to it. */
  #readsOnlyTheTenant(access: LinkedAccess): boolean {
    if (access.operation !== 'read') return false;
    let named = 0;
    for (const target of access.targets) {
      const table = this.#table(target);
      if (!table || target.columns === undefined) return false;
      const tenancy = this.tenancyOf(table.id);
      const keys = new Set([...this.#keyColumns(tenancy), ...(tenancy.kind === 'root' ? [tenancy.key] : [])]);
      const identifying = new Set([
        ...keys,
        ...uniqueKeys(table)
          .filter((k) => k.length === 1)
          .flat(),
        ...referencesOf(table).flatMap((r) => r.columns),
      ]);
      if (!target.columns.every((c) => identifying.has(c))) return false;
      named += target.columns.filter((c) => keys.has(c)).length;
    }
    return named > 0;
  }

  /** What a value is to the prover: only what the tenant's own data or a verified identity supplies is taken as the tenant's. */
  #classOf(value: Value): ValueClass | undefined {
    if (!traceable.has(value.kind)) return undefined;
    const key = keyOfValue(value);
    if (this.#classes.has(key)) return this.#classes.get(key);
    const sources = this.#tracer.sourcesOf(value).filter((s) => s.kind !== 'constant');
    const own = sources.every((s) => s.kind === 'trusted' || (s.kind === 'row' && this.#rowIsOwn(s.chain) === 'own'));
    const found: ValueClass | undefined =
      sources.length === 0 ? undefined : own ? 'tenant-verified' : 'tenant-unverified';
    this.#classes.set(key, found);
    return found;
  }

  /** Whether the rows that a chain returned are the tenant's own. */
  #rowIsOwn(chain: string): 'own' | 'foreign' | 'unknown' {
    const accesses = this.#byChain.get(chain) ?? [];
    let result: 'own' | 'foreign' | 'unknown' = 'own';
    for (const access of accesses) {
      for (const target of access.targets) {
        if (target.role !== 'root') continue;
        const verdict = this.verdict(access, target);
        if (verdict.kind === 'leak') return 'foreign';
        if (verdict.kind === 'unknown') result = 'unknown';
      }
    }
    return result;
  }

  /** Whether a key of the row is pinned by a value that only the tenant's own data supplies. */
  #derived(pins: readonly Pin[], table: Table, target: Target): Derived {
    const keyColumns = new Set([...pinnedKey(pins, table), ...referencesOf(table).flatMap((r) => r.columns)]);
    let worstFound: Exclude<Derived, { kind: 'safe' }> = { kind: 'unpinned' };
    for (const pin of pins) {
      if (!keyColumns.has(pin.column)) continue;
      const sources = this.#tracer.sourcesOf(pin.value);
      const found = this.#judgeSources(pin, sources, table, target);
      if (found.kind === 'safe') return found;
      if (worstFound.kind === 'unpinned' || found.kind === 'foreign') worstFound = found;
    }
    return worstFound;
  }

  #judgeSources(pin: Pin, sources: readonly Provenance[], table: Table, target: Target): Derived {
    const reasons: Reason[] = [];
    let open: Reason | undefined;
    let confidence: Confidence | undefined;
    for (const source of sources) {
      switch (source.kind) {
        case 'trusted':
          continue;
        case 'row': {
          const own = this.#rowIsOwn(source.chain);
          if (own === 'own') continue;
          open = {
            text: `${pin.column} comes from a row that is itself ${own === 'foreign' ? 'not isolated' : 'undecided'}`,
            ...this.#spanOf(source.chain),
          };
          continue;
        }
        case 'input':
          confidence = best(confidence, isSecret(pin.column) ? 'possible' : source.assumed ? 'likely' : 'certain');
          reasons.push({ text: `${pin.column} is ${source.what} of the request` }, ...source.via);
          continue;
        case 'parameter': {
          const f = this.input.program.function(source.function);
          confidence = best(
            confidence,
            this.#isExported(source.function) && !isSecret(pin.column) ? 'likely' : 'possible',
          );
          reasons.push(
            {
              text: `${pin.column} is parameter ${source.name}${f?.name ? ` of ${f.name}` : ''}`,
              ...(f ? { span: f.span } : {}),
            },
            ...source.via,
          );
          continue;
        }
        case 'constant':
          continue;
        case 'unknown':
          confidence = best(confidence, 'possible');
          reasons.push({ text: `where ${pin.column} comes from is not known: ${source.reason}`, span: target.span });
      }
    }
    // A way that was not followed to its end may be the one on which it is checked.
    if (confidence === 'certain' && sources.some((s) => s.kind === 'unknown')) confidence = 'likely';
    if (confidence !== undefined && confidence !== 'possible') return { kind: 'foreign', confidence, reasons };
    if (open) return { kind: 'open', reason: open };
    if (confidence) return { kind: 'foreign', confidence, reasons };
    const bySource = sources.some((s) => s.kind === 'trusted' || s.kind === 'row');
    if (bySource)
      return {
        kind: 'safe',
        reason: {
          text: `${table.name.name}.${pin.column} is pinned by a value of the tenant's own data`,
          span: target.span,
        },
      };
    return {
      kind: 'foreign',
      confidence: 'possible',
      reasons: [{ text: `${pin.column} is a fixed value`, span: target.span }],
    };
  }

  #spanOf(chain: string): { span?: Reason['span'] & object } {
    const span = this.input.program.chain(chain)?.span;
    return span ? { span } : {};
  }

  #isExported(id: string): boolean {
    const f = this.input.program.function(id);
    const facts = f && this.input.program.facts(f.span.file);
    if (!f || !facts) return false;
    if (f.class !== undefined) return facts.exports.some((e) => 'local' in e && e.local === f.class);
    const names = Object.entries(facts.bindings).flatMap(([name, value]) => (this.#denotes(value, id) ? [name] : []));
    return facts.exports.some((e) => 'local' in e && (e.local === f.name || names.includes(e.local)));
  }

  /** Whether a binding holds the function, directly or as what a wrapper makes of it. */
  #denotes(value: Value, id: string): boolean {
    if (value.kind === 'function') return value.function === id;
    if (value.kind !== 'result') return false;
    return this.input.program.function(id)?.handedTo?.chain === value.chain;
  }

  /** A check on every path that ties the row, or the identifier it is chosen by, to the tenant. */
  #guarded(
    access: LinkedAccess,
    target: Target,
    table: Table,
    tenancy: Tenancy,
    pins: readonly Pin[],
  ): Reason | undefined {
    const f = access.in;
    const { program } = this.input;
    if (!f || access.chain === undefined) return undefined;
    const chain = program.chain(access.chain);
    if (!chain) return undefined;
    if (target.role === 'root' && target.operation === 'read') {
      const after =
        this.#checkedAfter(access.chain, table, f, chain.span.end) ?? this.#checkedByCallers(access, table, tenancy, f);
      if (after) return after;
    }
    for (const own of pins) {
      const checked = this.#checks.before(own.value, chain);
      if (checked) return checked;
    }
    return undefined;
  }

  /** Whether an access found a row of the tenant by this very value. */
  #foundUnder(access: LinkedAccess, value: Value): boolean {
    return access.targets.some(
      (t) =>
        t.role === 'root' &&
        pinsOf(t.predicate, t.ref).some((p) => sameValue(stripped(p.value), stripped(value))) &&
        this.verdict(access, t).kind === 'isolated',
    );
  }

  /** Every caller compares what this function returned with the tenant before it goes on. */
  #checkedByCallers(access: LinkedAccess, table: Table, tenancy: Tenancy, f: FunctionFacts): Reason | undefined {
    const { program } = this.input;
    const returned = f.returns.some(
      (r) => r.value.kind === 'result' && pathInto(r.value, access.chain!, program) !== undefined,
    );
    const callers = returned ? program.callersOf(f.id) : [];
    if (callers.length === 0) return undefined;
    const checks = callers.map(({ chain }) => {
      const caller = program.function(chain.function);
      return caller && this.#checkedAfter(chain.id, table, caller, chain.span.end);
    });
    return checks.every((c) => c !== undefined) ? checks[0] : undefined;
  }

  #isVerified(value: Value): boolean {
    return this.#tracer.sourcesOf(value).every((s) => s.kind === 'trusted');
  }

  /** Whether a path reads the tenant of a row: its key, or the identity of a row it refers to, through relations as far as need be. */
  #isKeyPath(table: Table, path: readonly string[], depth: number): boolean {
    // The first of a list of rows.
    const [name, ...rest] = path[0] !== undefined && /^(?:\d+|\*)$/.test(path[0]) ? path.slice(1) : path;
    if (name === undefined || depth <= 0) return false;
    const keys = this.#keyColumns(this.tenancyOf(table.id));
    if (keys.some((column) => propertyOfColumn(table, column) === name)) return true;
    const relation = table.relations.find((r) => r.name === name);
    const to = relation && this.input.schema.tables.get(relation.to);
    if (!relation || !to) return false;
    const [next, ...further] = rest;
    const identity = relation.references.length > 0 ? relation.references : primaryKey(to);
    const isIdentity =
      next !== undefined && further.length === 0 && identity.some((c) => propertyOfColumn(to, c) === next);
    // The identity of a referenced row says the tenant only where that row is a tenant.
    const owner = this.tenancyOf(to.id).kind;
    return (isIdentity && (owner === 'root' || this.#isLevel(to))) || this.#isKeyPath(to, rest, depth - 1);
  }

  /** A table whose rows are tenants themselves, below the root: projects that carry the key of an organization. */
  #isLevel(table: Table): boolean {
    return [...this.input.tenancy.tables.values()].some(
      (t) => t.kind === 'keyed' && t.keys.some((k) => k.root === table.id),
    );
  }

  #checkedAfter(chainId: string, table: Table, f: FunctionFacts, after: number): Reason | undefined {
    const { program } = this.input;
    const isKey = (path: readonly string[]): boolean => this.#isKeyPath(table, path, 4);
    const block = comparesKey(f, chainId, after, isKey, (value) => this.#isVerified(value), program);
    if (block) {
      return {
        text: 'the loaded row is compared with the tenant before it is used',
        span: { file: f.span.file, start: block.start, end: block.start },
      };
    }
    const authorised = this.#checks.after(chainId, f, after);
    if (authorised) return authorised;
    // A membership look-up by the key of the loaded row, whose result is tested.
    for (const later of this.#byFunction.get(f.id) ?? []) {
      const chain = later.chain === undefined ? undefined : program.chain(later.chain);
      if (!chain || chain.span.start < after || !isTestedLater(f, chain.id, chain.span.end, program)) continue;
      for (const target of later.targets) {
        const pins = pinsOf(target.predicate, target.ref);
        const byRow = pins.some((p) => {
          const path = pathInto(p.value, chainId, program);
          return path !== undefined && isKey(path);
        });
        const byCaller = pins.some((p) => this.#isVerified(p.value));
        if (byRow && byCaller)
          return { text: "membership of the loaded row's tenant is checked afterwards", span: later.span };
      }
    }
    return undefined;
  }

  #keyColumns(tenancy: Tenancy): readonly string[] {
    if (tenancy.kind === 'keyed') return tenancy.keys.map((k) => k.column);
    if (tenancy.kind === 'root') return [tenancy.key];
    if (tenancy.kind === 'child') return tenancy.through.flatMap((t) => t.columns);
    return [];
  }
}

/** A column whose value nobody can guess: who knows it has been given it, so that finding the row by it is a check of its own. */
const isSecret = (column: string): boolean =>
  /(?:^|_)(?:token|secret|hash|hashed|signature|nonce|otp|api_?key|public_?key|private_?key|access_?key|key_?hash)(?:_|$)/i.test(
    column.replace(/([a-z0-9])([A-Z])/g, '$1_$2'),
  );

/** The kinds that stand for a value of the program rather than of the database. */
const traceable: ReadonlySet<Value['kind']> = new Set<Value['kind']>([
  'parameter',
  'result',
  'import',
  'binding',
  'global',
  'this',
  'element',
  'missing-able',
  'input',
  'row',
  'choice',
  'text',
  'list',
  'unknown',
  'instance',
]);

type Derived =
  | { readonly kind: 'safe'; readonly reason: Reason }
  /** A foreign value can be the one that picks the row. */
  | { readonly kind: 'foreign'; readonly confidence: Confidence; readonly reasons: readonly Reason[] }
  /** It hangs on another access, which is reported by itself. */
  | { readonly kind: 'open'; readonly reason: Reason }
  | { readonly kind: 'unpinned' };

const order: readonly Confidence[] = ['certain', 'likely', 'possible'];
const best = (a: Confidence | undefined, b: Confidence): Confidence =>
  a === undefined || order.indexOf(b) < order.indexOf(a) ? b : a;
const worst = (a: Confidence, b: Confidence): Confidence => (order.indexOf(a) > order.indexOf(b) ? a : b);

const isolated = (evidence: 'isolated' | 'guarded' | 'contextual', reason: Reason): Verdict => ({
  kind: 'isolated',
  evidence,
  because: [reason],
});
const unknown = (reason: Reason): Verdict => ({ kind: 'unknown', evidence: 'unknown', hangsOn: [reason] });

function sourceReason(sources: readonly Provenance[], program: Program): Reason | undefined {
  const input = sources.find((s) => s.kind === 'input');
  if (input)
    return { text: `${input.what} of the request`, ...(input.via[0]?.span ? { span: input.via[0].span } : {}) };
  const parameter = sources.find((s) => s.kind === 'parameter');
  if (!parameter) return undefined;
  const f = program.function(parameter.function);
  return { text: `parameter ${parameter.name}${f?.name ? ` of ${f.name}` : ''}`, ...(f ? { span: f.span } : {}) };
}

function push<K, T>(map: Map<K, T[]>, key: K, item: T): void {
  const list = map.get(key);
  if (list) list.push(item);
  else map.set(key, [item]);
}
