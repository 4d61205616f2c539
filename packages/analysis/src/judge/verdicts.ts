import { and, type Predicate, type Target, type Verdict } from '@tenant-lint/model';
import type { LinkedAccess } from '../model.js';
import type { Ground } from './ground.js';
import { guardOf, staffOnly } from './guard.js';
import { leakOf, requestedLeak } from './leak.js';
import { personVerdict } from './person.js';
import { assumptionsOf, proveTarget } from './question.js';
import { isolated, unknown } from './verdict-kinds.js';
import { joinedRefs, pinsOf, wholeCondition } from './selection.js';

/** Reaches verdicts: the prover first, then the ways in which real code is safe without naming the key. */
export class Verdicts {
  readonly #known = new Map<string, Verdict>();
  readonly #active = new Set<string>();

  constructor(private readonly ground: Ground) {}

  /** Can this access reach a row of another tenant through this target? */
  of(access: LinkedAccess, target: Target): Verdict {
    const key = `${access.id}/${target.ref}`;
    const known = this.#known.get(key);
    if (known) return known;
    if (this.#active.has(key))
      return { kind: 'unknown', evidence: 'unknown', hangsOn: [{ text: 'it depends on itself', span: target.span }] };
    this.#active.add(key);
    const verdict = this.#decide(access, target);
    this.#active.delete(key);
    this.#known.set(key, verdict);
    return verdict;
  }

  /** Whether a target would be isolated if this condition held for it besides. */
  isolatedBy(access: LinkedAccess, target: Target, condition: Predicate): boolean {
    const changed = { ...target, predicate: and(target.predicate, condition) };
    const targets = access.targets.map((t) => (t.ref === target.ref ? changed : t));
    // A name of its own, so that no answer about the access as it is takes its place.
    return this.#decide({ ...access, id: `${access.id}+`, targets }, changed).kind === 'isolated';
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
    const verdict = this.ground.verdict(access, parent);
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

  #decide(access: LinkedAccess, target: Target): Verdict {
    if (target.operation === 'create') return isolated('isolated', { text: 'no existing row is reached' });
    if (!target.table.known) return unknown({ text: target.table.reason, span: target.span });
    const table = this.ground.tableOf(target);
    if (!table) return unknown({ text: 'the table is not in the schema', span: target.span });
    const parent = target.role === 'include' ? this.#parentOf(access, target) : undefined;
    if (parent) return this.#through(access, parent, target);
    const tenancy = this.ground.tenancyOf(table.id);
    if (tenancy.kind === 'shared')
      return isolated('isolated', { text: `${table.name.name} is shared by all tenants: ${tenancy.why}` });
    const person = tenancy.kind === 'unknown' && tenancy.person;
    const ofPerson = person && personVerdict(access, target, table, person, this.ground);
    if (ofPerson) return ofPerson;
    if (tenancy.kind === 'unknown')
      return unknown({ text: `it is not known who owns ${table.name.name}: ${tenancy.why}`, span: target.span });

    const predicate = wholeCondition(access, target);
    const others = access.targets.filter((t) => t.ref !== target.ref);
    const proof = proveTarget(target, predicate, others, this.ground.world, (value) => this.ground.own.classOf(value));
    if (proof.kind === 'isolated') {
      const assumed = proof.assumptions.length > 0 || proof.references.length > 0;
      if (proof.restsOn.length > 0)
        this.ground.restsOn.set(
          `${access.id}/${target.ref}`,
          proof.restsOn.map((value) => ({ value })),
        );
      return {
        kind: 'isolated',
        evidence: assumed ? 'derived' : proof.evidence,
        because: [...proof.because, ...assumptionsOf(proof.assumptions)],
      };
    }
    const client = this.ground.declared.clientOf(access.client.receiver) ?? access.client.kind;
    if (client === 'scoped')
      return isolated('contextual', { text: 'the client is bound to the tenant', span: access.span });
    // The policies themselves are judged where they stand.
    const policed = client !== 'bypass' && table.rowSecurity.enabled ? access.client.policies : undefined;
    if (policed === 'hold')
      return isolated('contextual', {
        text: `the client acts for the caller, whom the policies of ${table.name.name} hold`,
        span: access.span,
      });

    const enforced = client === 'bypass' ? undefined : this.ground.enforced.verdict(access, table, target);
    if (enforced?.kind === 'isolated') return enforced;

    const pins = pinsOf(predicate, target.ref);
    const derived = this.ground.sources.of(pins, table, target, access);
    if (derived.kind === 'safe') return { kind: 'isolated', evidence: derived.evidence, because: [derived.reason] };
    const guard = guardOf(access, target, table, pins, this.ground);
    if (guard) return isolated('guarded', guard);
    const staff = staffOnly(access, this.ground);
    if (staff) return isolated('intended', staff);
    if (enforced) return enforced;
    if (proof.kind === 'unknown')
      return (
        requestedLeak(access, table, target, others, derived, this.ground) ?? {
          kind: 'unknown',
          evidence: 'unknown',
          hangsOn: proof.hangsOn,
        }
      );
    if (derived.kind === 'open') return unknown(derived.reason);
    if (policed === 'perhaps')
      return unknown({
        text: `whether the policies of ${table.name.name} hold depends on the key of the client, which was not found`,
        span: access.span,
      });
    return leakOf(access, table, target, proof, derived, this.ground);
  }
}
