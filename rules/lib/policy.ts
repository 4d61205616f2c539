import type { Command, Model, PolicyLeak } from '@tenant-lint/analysis';
import type { PolicySubject } from '@tenant-lint/engine';
import type { Confidence, Predicate, Related, Value } from '@tenant-lint/model';
import { confidences } from '@tenant-lint/model';
import { placeOf, relatedOf } from './evidence.js';
import { keyColumns, tableName } from './naming.js';
import { predicatesIn } from './schema.js';

export type PolicyRule = 'no-fail-open-policy' | 'no-leaking-check' | 'no-leaking-policy';

/**
 * Which rule explains a leak of a policy. A condition opens up only if it would hold otherwise: one that never compares the tenant leaks,
 * whatever settings it reads. What WITH CHECK lets in is a defect of WITH CHECK only where there is one of its own: without it Postgres
 * uses USING, and the cause is there.
 */
export function explains(leak: PolicyLeak, keys: readonly string[]): PolicyRule {
  const condition = leak.side === 'check' ? (leak.policy.check ?? leak.policy.using) : leak.policy.using;
  const compares = keys.length === 0 || (condition !== undefined && comparesTenant(condition, keys));
  if (leak.cause === 'fail-open' && compares) return 'no-fail-open-policy';
  return leak.side === 'check' && leak.policy.check !== undefined ? 'no-leaking-check' : 'no-leaking-policy';
}

/** Whether a key is compared with something of the session, or handed to a function that may do so. */
function comparesTenant(condition: Predicate, keys: readonly string[]): boolean {
  return [...predicatesIn(condition)].some((part) => {
    switch (part.kind) {
      case 'compare':
        return comparesKey([part.left], [part.right], keys) || comparesKey([part.right], [part.left], keys);
      case 'in':
        return comparesKey([part.left], part.right, keys) || comparesKey(part.right, [part.left], keys);
      case 'value':
        return part.of.kind === 'apply' && holds(part.of, (value) => isKey(value, keys));
      default:
        return false;
    }
  });
}

const comparesKey = (some: readonly Value[], others: readonly Value[], keys: readonly string[]): boolean =>
  some.some((value) => holds(value, (v) => isKey(v, keys))) && others.some((value) => holds(value, isOfSession));

const isKey = (value: Value, keys: readonly string[]): boolean =>
  value.kind === 'column' && keys.includes(value.column);

// A function without a column may read the session.
const isOfSession = (value: Value): boolean =>
  value.kind === 'setting' || value.kind === 'tenant' || (value.kind === 'apply' && value.to.length === 0);

/** Whether a value is, or is made of, one that `test` accepts. Scalar sub-queries count by what they select. */
function holds(value: Value, test: (value: Value) => boolean): boolean {
  if (test(value)) return true;
  if (value.kind === 'apply') return value.to.some((inner) => holds(inner, test));
  if (value.kind === 'choice') return value.of.some((inner) => holds(inner, test));
  if (value.kind === 'query') return value.query.output.some((inner) => holds(inner, test));
  return value.kind === 'element' || value.kind === 'missing-able' ? holds(value.of, test) : false;
}

/** What one rule says about one policy, all its leaks of that kind together; undefined if there are none. */
export function policyFinding(
  { table, policy }: PolicySubject,
  model: Model,
  rule: PolicyRule,
):
  | {
      readonly data: {
        readonly policy: string;
        readonly table: string;
        readonly key: string;
        readonly done: string;
        readonly witness: string;
      };
      readonly span: PolicySpan;
      readonly related: readonly Related[];
      readonly confidence: Confidence;
      readonly witness: string;
      readonly table: string;
      readonly key: string;
      readonly cause: string;
    }
  | undefined {
  const leaks = model.policyLeaks(table).filter((leak) => leak.policy.name === policy.name);
  const keys = keyColumns(model.tenancyOf(table.id));
  const own = leaks.filter((leak) => explains(leak, keys) === rule);
  const [worst] = [...own].sort((a, b) => confidences.indexOf(a.confidence) - confidences.indexOf(b.confidence));
  if (worst === undefined) return undefined;
  const place = placeOf(policy.origin, 'the policy is changed here');
  const key = keys.join(' or ');
  return {
    data: {
      policy: policy.name,
      table: tableName(table.id),
      key: key === '' ? 'the row it belongs to' : key,
      done: doneBy(own),
      witness: worst.witness.text,
    },
    span: place.span,
    related: [...place.related, ...relatedOf(worst.because, place.span)],
    confidence: worst.confidence,
    witness: worst.witness.text,
    table: table.id,
    key: `${table.id} ${policy.name}`,
    cause: `policy ${table.id} ${policy.name} ${leaks.length > own.length ? sideOf(worst, leaks) : 'both'}`,
  };
}

type PolicySpan = PolicySubject['policy']['origin']['created'];

/** USING and WITH CHECK are two causes unless they say the same; a setting that opens both is one. */
function sideOf(leak: PolicyLeak, leaks: readonly PolicyLeak[]): string {
  const { using, check } = leak.policy;
  const same = check === undefined || JSON.stringify(using) === JSON.stringify(check);
  return same || leaks.some((l) => l.cause === 'fail-open') ? 'both' : leak.side;
}

const participles: Readonly<Record<Command, string>> = {
  select: 'read',
  insert: 'added',
  update: 'changed',
  delete: 'deleted',
};

function doneBy(leaks: readonly PolicyLeak[]): string {
  const order: readonly Command[] = ['select', 'insert', 'update', 'delete'];
  const words = order.filter((c) => leaks.some((leak) => leak.commands.includes(c))).map((c) => participles[c]);
  const last = words.at(-1) ?? 'reached';
  return words.length > 1 ? `${words.slice(0, -1).join(', ')} and ${last}` : last;
}
