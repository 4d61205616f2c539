import {
  and,
  keyOfValue,
  sameValue,
  type Predicate,
  type Table,
  type Target,
  type TargetRef,
  type Value,
} from '@tenant-lint/model';
import { primaryKey } from '../fold/index.js';
import type { Program } from '../link/program.js';
import type { LinkedAccess } from '../model.js';
import type { ValueClass } from '../prove/index.js';
import type { Provenance } from '../trace/provenance.js';
import { stripped } from './conditions.js';
import { isSecret } from './confidence.js';
import { isDigest } from './digest.js';
import type { Ground } from './ground.js';
import { pinsOf } from './selection.js';
import { isHeldToCaller } from './tied.js';

/** What is the tenant's own: values, rows, and what was found by them. */
export class Own {
  readonly #classes = new Map<string, ValueClass | undefined>();

  constructor(private readonly ground: Ground) {}

  /** What a value is to the prover: only what the tenant's own data or a verified identity supplies is taken as the tenant's. */
  classOf(value: Value): ValueClass | undefined {
    if (!traceable.has(value.kind)) return undefined;
    const key = keyOfValue(value);
    if (this.#classes.has(key)) return this.#classes.get(key);
    const sources = this.ground.sourcesOf(value).filter((s) => s.kind !== 'constant');
    const own = sources.every((s) => this.#isOwnSource(s));
    const found: ValueClass | undefined =
      sources.length === 0 ? undefined : own ? 'tenant-verified' : 'tenant-unverified';
    this.#classes.set(key, found);
    return found;
  }

  #isOwnSource(source: Provenance): boolean {
    return source.kind === 'trusted' || (source.kind === 'row' && this.rowIsOwn(source.chain) === 'own');
  }

  /** Whether only the tenant's own data or a verified identity supplies a value. */
  isOwn(value: Value): boolean {
    const sources = this.ground.sourcesOf(value).filter((s) => s.kind !== 'constant');
    return sources.length > 0 && sources.every((s) => this.#isOwnSource(s));
  }

  /** Whether the rows that a chain returned are the tenant's own. */
  rowIsOwn(chain: string): 'own' | 'foreign' | 'unknown' {
    const accesses = this.ground.index.ofChain(chain);
    let result: 'own' | 'foreign' | 'unknown' = 'own';
    for (const access of accesses) {
      for (const target of access.targets) {
        if (target.role !== 'root') continue;
        const verdict = this.ground.verdict(access, target);
        if (verdict.kind === 'leak' || verdict.evidence === 'intended') return 'foreign';
        if (verdict.kind === 'unknown') result = 'unknown';
      }
    }
    return result;
  }

  /** Whether an access found a row of the tenant by this very value. */
  foundUnder(access: LinkedAccess, value: Value): boolean {
    return access.targets.some((t) => {
      if (t.role !== 'root' || t.operation === 'create') return false;
      const table = this.ground.tableOf(t);
      if (!table || this.ground.tenancyOf(table.id).kind === 'shared') return false;
      const pins = pinsOf(whereThere(t.predicate, value), t.ref);
      const isBy = pins.some((p) => sameValue(stripped(p.value), stripped(value)));
      // A row that carries a verified identity beside: the caller's own.
      if (isBy && isHeldToCaller(t.predicate, t.ref, this.ground)) return true;
      const verdict = isBy ? this.ground.verdict(access, t) : undefined;
      return verdict?.kind === 'isolated' && verdict.evidence !== 'intended';
    });
  }
}

/** A condition as it is where a value is there: what would be left out without it counts. */
function whereThere(predicate: Predicate, value: Value): Predicate {
  if (predicate.kind === 'and' || predicate.kind === 'either')
    return { ...predicate, of: predicate.of.map((p) => whereThere(p, value)) };
  const isIts = predicate.kind === 'optional' && sameValue(stripped(predicate.on), stripped(value));
  return isIts ? whereThere(predicate.of, value) : predicate;
}

/** A row found by a secret that the caller presented says who the caller is: an API key, a session, an invitation. */
export const isCredential = (target: Target): boolean => isFoundBySecret(target.predicate, target.ref);

/**
 * A row that is kept under the digest of what was presented, as its primary key: who presents what gives the digest has been given it. A
 * session is often kept so.
 */
export function isFoundByDigest(target: Target, table: Table, program: Program): boolean {
  const key = primaryKey(table);
  return pinsOf(target.predicate, target.ref).some(
    (pin) => !pin.several && key.length === 1 && key[0] === pin.column && isDigest(pin.value, program, 4),
  );
}

/** Whether a condition asks for a secret, of the row itself or of one that it is related to: `shares: { some: { token } }`. */
function isFoundBySecret(predicate: Predicate, target: TargetRef): boolean {
  if (predicate.kind === 'and') return predicate.of.some((p) => isFoundBySecret(p, target));
  if (predicate.kind === 'or') return predicate.of.length > 0 && predicate.of.every((p) => isFoundBySecret(p, target));
  if (predicate.kind === 'exists' && !predicate.query.arms) {
    const { targets, condition } = predicate.query;
    return targets.some((t) => isFoundBySecret(and(condition, t.predicate), t.ref));
  }
  return pinsOf(predicate, target).some((pin) => !pin.several && isSecret(pin.column));
}

/** The kinds that stand for a value of the program rather than of the database. */
export const traceable: ReadonlySet<Value['kind']> = new Set<Value['kind']>([
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
