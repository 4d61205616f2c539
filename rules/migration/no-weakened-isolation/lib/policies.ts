import type { Command, Model, PolicyWeakening } from '@tenant-lint/analysis';
import type { Loss, Related, Table } from '@tenant-lint/model';
import { confidences } from '@tenant-lint/model';
import { relatedOf } from '../../../lib/evidence.js';
import { tableName } from '../../../lib/naming.js';
import { toldOnce } from '../../../lib/policy.js';
import type { Weakened } from '../rule.js';

/** How many earlier states of a table are compared with the last one. */
const maxStates = 8;

type LostPolicies = Extract<Loss, { kind: 'policies' }>;

/**
 * The last state of a table's policies that held back rows which they let through at the end, with the statement that ended it. States within
 * one file are on their way to the next: what a migration drops and makes again counts as it found it.
 */
export function* weakenedPolicies(model: Model, table: Table, history: readonly Loss[]): Iterable<Weakened> {
  if (!table.rowSecurity.enabled || table.policies.length === 0) return;
  const first = new Map<string, LostPolicies>();
  for (const loss of history)
    if (loss.kind === 'policies' && loss.table === table.id && !first.has(loss.removed.file))
      first.set(loss.removed.file, loss);
  // A table that is redone again and again: older states are of no interest to anybody.
  for (const loss of [...first.values()].slice(-maxStates).reverse()) {
    const opened = model.policyWeakenings(table, loss.policies).filter((w) => !elsewhere(model, table, w));
    const [worst] = [...opened].sort((a, b) => confidences.indexOf(a.confidence) - confidences.indexOf(b.confidence));
    if (!worst) continue;
    yield weakened(table, loss, worst, opened);
    return;
  }
}

/** A function, or a condition that several policies have, is what lets the rows through: that is one cause, and reported there. */
const elsewhere = (model: Model, table: Table, { policy, side }: PolicyWeakening): boolean =>
  model
    .policyLeaks(table)
    .some((leak) => leak.policy.name === policy.name && leak.side === side && !leak.excuse && toldOnce(leak, model));

function weakened(
  table: Table,
  loss: LostPolicies,
  worst: PolicyWeakening,
  opened: readonly PolicyWeakening[],
): Weakened {
  const names = [...new Set(opened.map(({ policy }) => policy.name))];
  const now = opened.map(({ policy }): Related => {
    const span = policy.origin.changed.at(-1) ?? policy.origin.created;
    return { span, text: `policy ${policy.name} as it is now` };
  });
  const related = [
    { span: loss.established, text: 'it was held back here' },
    ...now,
    ...relatedOf(worst.because, loss.removed),
  ];
  return {
    message: 'loosened',
    data: {
      table: tableName(table.id),
      policy: worst.policy.name,
      witness: worst.witness.text,
      done: doneBy(opened.map(({ command }) => command)),
    },
    span: loss.removed,
    related: related.filter(
      (r, i) =>
        related.findIndex((o) => same(o, r)) === i &&
        !(r.span.file === loss.removed.file && r.span.start === loss.removed.start),
    ),
    confidence: worst.confidence,
    witness: worst.witness.text,
    table: table.id,
    key: `policies ${table.id}`,
    cause: names.flatMap((name) =>
      ['', ' both', ' using', ' check'].map((side) => `policy ${table.id} ${name}${side}`),
    ),
  };
}

const same = (a: Related, b: Related): boolean => a.span.file === b.span.file && a.span.start === b.span.start;

const participles: Readonly<Record<Command, string>> = {
  select: 'read',
  insert: 'added',
  update: 'changed',
  delete: 'deleted',
};

function doneBy(commands: readonly Command[]): string {
  const order: readonly Command[] = ['select', 'insert', 'update', 'delete'];
  const words = order.filter((c) => commands.includes(c)).map((c) => participles[c]);
  const last = words.at(-1) ?? 'reached';
  return words.length > 1 ? `${words.slice(0, -1).join(', ')} and ${last}` : last;
}
