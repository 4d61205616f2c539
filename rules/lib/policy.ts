import type { Command, Model, PolicyLeak } from '@tenant-lint/analysis';
import type { PolicySubject } from '@tenant-lint/engine';
import type { Confidence, Related } from '@tenant-lint/model';
import { confidences } from '@tenant-lint/model';
import { placeOf, relatedOf } from './evidence.js';
import { keyColumns, tableName } from './naming.js';

export type PolicyRule = 'no-fail-open-policy' | 'no-leaking-check' | 'no-leaking-policy';

/**
 * Which rule explains a leak of a policy. What WITH CHECK lets in is a defect of WITH CHECK only where there is one of its own: without
 * it Postgres uses USING, and the cause is there.
 */
export function explains(leak: PolicyLeak): PolicyRule {
  if (leak.cause === 'fail-open') return 'no-fail-open-policy';
  return leak.side === 'check' && leak.policy.check !== undefined ? 'no-leaking-check' : 'no-leaking-policy';
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
  const own = leaks.filter((leak) => explains(leak) === rule);
  const [worst] = [...own].sort((a, b) => confidences.indexOf(a.confidence) - confidences.indexOf(b.confidence));
  if (worst === undefined) return undefined;
  const place = placeOf(policy.origin, 'the policy is changed here');
  const key = keyColumns(model.tenancyOf(table.id)).join(' or ');
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
