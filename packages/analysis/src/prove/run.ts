import type { Target, TargetRef, Value } from '@tenant-lint/model';
import { ANY, ERROR, FALSE, NULL, TRUE, truth, type Outcomes } from './logic.js';
import { bare, missing } from './missing.js';
import type { Setup } from './setup.js';
import { Space, TooLarge } from './space.js';
import { canBeNull, keyOf, plain, refsOf, type Symbol } from './symbols.js';

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

/** A step evaluates the whole condition, so that a long one may take fewer of them: a question costs about the same at most. */
const maxSteps = 12_000;
const minSteps = 50;
const maxWork = 1_000_000;

/** The state of one run: what has been chosen, what was asked for, what the answer rests on. */
export class Run {
  readonly touched = new Set<Feature>();
  /** What was not known and might have mattered. */
  readonly unknowns = new Set<string>();
  readonly assumptions = new Set<string>();
  /** References that tied rows to their owners, 'orders.customer_id'. */
  readonly references = new Set<string>();
  /** Claimed tenants (and users) that were compared with keys. */
  readonly claims = new Map<string, Value>();
  /** Claimed values by the keys of their symbols. */
  readonly claimable = new Map<string, Value>();
  readonly space: Space;
  /** Functions being read through, and tables whose policies are. */
  readonly calls: string[] = [];
  /** How many of the functions being read through run with the rights of their owner. */
  definer = 0;

  constructor(
    readonly setup: Setup,
    readonly mode: Mode,
  ) {
    this.space = new Space(Math.max(minSteps, Math.min(maxSteps, Math.floor(maxWork / setup.size))));
  }

  /** Counts one condition more. @throws TooLarge */
  spend(): void {
    if (++this.setup.evaluations > this.setup.maxEvaluations) throw new TooLarge();
  }

  /** Every outcome is possible, and nobody chooses it. */
  unknown(reason: string): Outcomes {
    this.unknowns.add(reason);
    return ANY;
  }

  /** A fact about which nothing is known but that it is the same wherever it is asked for. */
  atom(key: string, refs: readonly TargetRef[]): Outcomes {
    let result = 0;
    for (const holds of this.space.pick(key, [true, false], refs)) result |= truth(holds);
    return result;
  }

  nullness(x: Symbol): readonly boolean[] {
    return this.space.pick(`null|${keyOf(x)}`, [false, true], refsOf(x));
  }

  /** Whether the symbol is a setting that says nothing in this run, because the session does not set it in a proper world. */
  isSilent(x: Symbol): boolean {
    if (x.is !== 'free' || !x.setting || this.mode.failOpen) return false;
    this.touched.add('failOpen');
    return true;
  }

  /** `then`, or NULL where the symbol is null. */
  unlessNull(x: Symbol, then: () => Outcomes): Outcomes {
    if (this.isSilent(x)) return ANY;
    if (!canBeNull(x)) return then();
    let result = 0;
    for (const isNull of this.nullness(x)) result |= isNull ? NULL : then();
    return result;
  }

  isNull(x: Symbol): Outcomes {
    if (x.is === 'null') return TRUE;
    if (x.is === 'error') return ERROR;
    if (x.is === 'unknown') return this.unknown(x.reason);
    if (this.isSilent(x)) return ANY;
    if (!canBeNull(x)) return FALSE;
    let result = 0;
    for (const isNull of this.nullness(x)) result |= truth(isNull);
    return result;
  }

  /** Whether a value is missing at run time: one choice for one value. */
  isMissing(value: Value): readonly boolean[] {
    if (!this.mode.missing) {
      this.touched.add('missing');
      return [false];
    }
    // Without a sign that it may be missing, that it is takes an assumption.
    const shown = missing(value);
    const sure = shown === 'certain' || shown === 'possible' ? shown : 'likely';
    return this.space.pick(`missing|${sure}|${this.setup.cache.keyOfValue(bare(value))}`, [false, true], []);
  }

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
