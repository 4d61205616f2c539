import { defineRule } from '@tenant-lint/engine';
import type { LostCondition } from '@tenant-lint/model';
import { methodName, participle, tableName, targetKey, tieOf } from '../../lib/naming.js';

export default defineRule({
  meta: {
    id: 'no-disabled-scope',
    group: 'bypass',
    summary: 'Disallow queries that a scope, a filter or an extension which adds the tenant does not hold for',
    since: 'next',
    severity: 'error',
    recommended: true,
    hosts: ['typescript'],
    needs: ['schema', 'code'],
    catalogue: ['C-55', 'C-56', 'C-57'],
    messages: {
      disabled: {
        what: '{method} on {table} switches off what adds {tie} to every query.',
        why: 'Rows of every tenant can be {done}.',
        fix: 'Leave the scope or filter on, or add the condition on {tie} here.',
      },
      uncovered: {
        what: '{method} on {table} goes past the extension of the client that adds {tie} to other operations.',
        why: 'An extension holds for the operations that it names, and not for raw queries: rows of every tenant can be {done}.',
        fix: 'Let the extension cover this operation, or add the condition on {tie} here.',
      },
    },
  },
  subject: 'target',
  *check({ access, target }, model) {
    const table = model.tableOf(target);
    const candidates = (access.lost ?? []).filter(isOwn);
    if (!table || candidates.length === 0) return;
    const verdict = model.verdict(access, target);
    if (verdict.kind !== 'leak') return;
    const lost = candidates.find((one) => model.isolatedBy(access, target, one.predicate));
    if (!lost) return;
    yield {
      message: lost.how,
      data: {
        method: methodName(access),
        table: tableName(table.id),
        tie: tieOf(model.tenancyOf(table.id)),
        done: participle(target.operation),
      },
      span: access.span,
      confidence: verdict.confidence,
      evidence: verdict.evidence,
      witness: verdict.witness.text,
      table: table.id,
      related: [
        ...(lost.span ? [{ span: lost.span, text: 'this adds the condition' }] : []),
        ...(lost.at ? [{ span: lost.at, text: 'it is switched off here' }] : []),
      ],
      key: `${targetKey(model, access, target, table)} ${lost.how}`,
    };
  },
});

const isOwn = (lost: LostCondition): lost is LostCondition & { readonly how: 'disabled' | 'uncovered' } =>
  lost.how === 'disabled' || lost.how === 'uncovered';
