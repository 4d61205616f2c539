import type { Confidence, Reason, Value } from '@tenant-lint/model';
import { Engine } from './engine.js';
import { explain, mentionsKey, witnessOf } from './explain.js';
import type { Leak, Proof, ProofQuestion } from './question.js';
import type { Mode } from './run.js';
import { Setup } from './setup.js';
import { TooLarge, type Found } from './space.js';
import { own } from './symbols.js';

const strict: Mode = { assume: false, missing: false, failOpen: false, doubt: false, restore: false, tenant: own };

interface Attempt {
  readonly engine: Engine;
  readonly found: Found | 'too large';
}

/**
 * Answers the question by searching a small world for a counterexample, in runs of growing liberty: first the world as it should be, then
 * one in which settings are unset and keys empty, then one in which values are missing, then one in which a tenant is called as some
 * constant. The first run that finds a foreign row is the answer; if none does, a last one doubts the values that only claim to be the
 * tenant. Bounded; a question beyond the bound is answered by unknown. Never throws.
 */
export function prove(question: ProofQuestion): Proof {
  const tenancy = question.world.tenancy(question.target);
  if (tenancy.kind === 'shared') {
    const because = [{ text: `all tenants share the table: ${tenancy.why}` }];
    return { kind: 'isolated', evidence: 'isolated', restsOn: [], assumptions: [], references: [], because };
  }
  if (tenancy.kind === 'unknown') {
    return {
      kind: 'unknown',
      evidence: 'unknown',
      hangsOn: [{ text: `it is not known who owns the rows: ${tenancy.why}` }],
    };
  }
  const prover = new Prover(question);
  const proof = prover.answer();
  if (question.budget) question.budget.left -= prover.evaluations;
  return proof;
}

class Prover {
  readonly #setup: Setup;
  readonly #reasons = new Map<string, Reason>();
  readonly #touched = new Set<string>();
  #assume = false;

  constructor(private readonly question: ProofQuestion) {
    this.#setup = new Setup(question);
  }

  /** How many conditions the answer took. */
  get evaluations(): number {
    return this.#setup.evaluations;
  }

  answer(): Proof {
    const plain = this.#attempt(strict);
    if (plain.found === 'yes') return this.#leak(plain, 'leak');
    if (this.#touched.has('failOpen')) {
      const open = this.#attempt({ ...strict, failOpen: true });
      if (open.found === 'yes') return this.#leak(open, 'fail-open');
    }
    const failOpen = this.#touched.has('failOpen');
    if (this.#touched.has('missing')) {
      const without = this.#attempt({ ...strict, missing: true });
      if (without.found === 'yes') return this.#leak(without, 'leak');
    }
    for (const tenant of this.#tenantNames()) {
      const named = this.#attempt({ ...strict, tenant, failOpen });
      if (named.found === 'yes') return this.#leak(named, 'fail-open', [`a tenant is called '${tenant}'`]);
    }
    // What a world of less liberty left open, one of more has looked at again.
    const last = this.#attempt({ ...strict, failOpen, missing: this.#touched.has('missing') });
    if (last.found !== 'no') return this.#undecided(last);
    return this.#isolated(last);
  }

  /** A run; where it is not clean and references between keyed tables would help, one more that assumes that writers keep them. */
  #attempt(mode: Mode): Attempt {
    const run = this.#run({ ...mode, assume: this.#assume });
    if (this.#assume || run.found === 'no' || !run.engine.touched.has('assume')) return run;
    const assuming = this.#run({ ...mode, assume: true });
    if (assuming.found !== 'no') return run.found === 'yes' ? (assuming.found === 'yes' ? assuming : run) : assuming;
    this.#assume = true;
    return assuming;
  }

  #run(mode: Mode): Attempt {
    const known = this.#setup.known;
    const engine = new Engine(this.#setup, mode);
    let found: Attempt['found'];
    try {
      found = engine.search(this.question.predicate);
    } catch (error) {
      if (!(error instanceof TooLarge)) throw error;
      found = 'too large';
    }
    // The policies of a looked-up table, read on the way, may name further settings and constants.
    if (this.#setup.known > known) return this.#run(mode);
    for (const feature of engine.touched) this.#touched.add(feature);
    return { engine, found };
  }

  /** Constants that are compared with the tenant: what if the current tenant is called so. */
  #tenantNames(): readonly string[] {
    return [...this.#setup.constants].filter((c) => c !== '').slice(0, 4);
  }

  #leak(run: Attempt, cause: Leak['cause'], assumptions: readonly string[] = []): Leak {
    const { engine } = run;
    const { evidence, confidence } = this.#evidence(run);
    const explained = explain(this.question.predicate, engine);
    const named = [...assumptions, ...engine.assumptions];
    const vanished = evidence === 'vanishing' ? explained.vanished : undefined;
    const emptyRow = engine.space.chosen.get(`row|${this.question.target.ref}`) === '';
    if (emptyRow) named.push('a row with an empty tenant key exists');
    return {
      kind: 'leak',
      evidence,
      cause,
      confidence: named.length > 0 && confidence === 'certain' ? 'likely' : confidence,
      why: vanished ?? explained.why,
      witness: witnessOf(engine, this.question),
      assumptions: named,
      because: explained.because,
    };
  }

  #evidence(run: Attempt): { evidence: Leak['evidence']; confidence: Confidence } {
    const chosen = [...run.engine.space.chosen].filter(([key, value]) => key.startsWith('missing|') && value === true);
    if (chosen.length > 0) {
      const kinds = chosen.map(([key]) => key.split('|')[1]);
      const confidence = kinds.includes('possible') ? 'possible' : kinds.includes('likely') ? 'likely' : 'certain';
      return { evidence: 'vanishing', confidence };
    }
    if (run.engine.touched.has('vanished') && this.#run({ ...run.engine.mode, restore: true }).found === 'no')
      return { evidence: 'vanishing', confidence: 'certain' };
    return { evidence: mentionsKey(this.question, run.engine) ? 'negated' : 'none', confidence: 'certain' };
  }

  #undecided(run: Attempt): Proof {
    const texts = run.found === 'too large' ? ['too many combinations to look at'] : [...run.engine.unknowns];
    for (const text of texts) this.#reasons.set(text, { text });
    const hangsOn = [...this.#reasons.values()];
    return {
      kind: 'unknown',
      evidence: 'unknown',
      hangsOn: hangsOn.length > 0 ? hangsOn : [{ text: 'a condition that is not understood' }],
      ...(run.found === 'too large' ? { exhausted: true } : {}),
    };
  }

  #isolated(run: Attempt): Proof {
    const { engine } = run;
    let restsOn: readonly Value[] = [];
    let open = false;
    if (engine.touched.has('doubt')) {
      const doubting = this.#run({ ...engine.mode, doubt: true });
      if (doubting.found !== 'no') restsOn = [...doubting.engine.claims.values()];
      open = doubting.found !== 'no' && doubting.found !== 'yes';
    }
    const explained = explain(this.question.predicate, engine);
    return {
      kind: 'isolated',
      evidence: restsOn.length > 0 ? 'unverified' : 'isolated',
      restsOn,
      ...(open ? { open } : {}),
      assumptions: [...engine.assumptions],
      references: [...engine.references],
      because: explained.because,
    };
  }
}
