import type { LinkedAccess, Model } from '@tenant-lint/analysis';
import { defineRule, servingAccesses } from '@tenant-lint/engine';
import type { Confidence, LostCondition, Target } from '@tenant-lint/model';
import { methodName, participle, tableName, targetKey, tieOf } from '../../lib/naming.js';

export default defineRule({
  meta: {
    id: 'no-lost-filter',
    group: 'access',
    summary: 'Disallow a tenant condition that is written and then replaced, discarded, cleared or overridden',
    since: 'next',
    severity: 'error',
    recommended: true,
    hosts: ['typescript'],
    needs: ['schema', 'code'],
    catalogue: ['C-17', 'C-18', 'C-19', 'C-22'],
    messages: {
      replaced: {
        what: 'The condition on {tie} is replaced by a later one before {method} reads {table}.',
        why: 'Only the last condition counts, so rows of every tenant can be {done}.',
        fix: 'Join both conditions into one with AND.',
      },
      discarded: {
        what: 'The condition on {tie} is added to a copy of the query that nothing runs; {method} on {table} goes without it.',
        why: 'The builder is immutable, so rows of every tenant can be {done}.',
        fix: 'Assign what the builder returns to the variable that is run.',
      },
      cleared: {
        what: 'The condition on {tie} is taken away again before {method} on {table} runs.',
        why: 'Rows of every tenant can be {done}.',
        fix: 'Remove the step that clears the conditions, or add the condition after it.',
      },
      overridden: {
        what: 'The condition on {tie} of {method} on {table} comes before a spread of {source}, which can set it anew.',
        why: 'Of two equal keys the last one counts: whoever sends the key of another tenant has its rows {done}.',
        fix: 'Write the condition after the spread, or spread only the properties that are expected.',
      },
    },
  },
  subject: 'project',
  *check(model) {
    for (const access of servingAccesses(model)) {
      for (const target of access.targets) {
        const table = model.tableOf(target);
        if (!table || target.operation === 'create' || (access.lost ?? []).length === 0) continue;
        const kind = model.tenancyOf(table.id).kind;
        if (kind !== 'keyed' && kind !== 'root' && kind !== 'child') continue;
        const lost = access.lost?.find((one) => judged(model, access, target, one) !== undefined);
        const found = lost && judged(model, access, target, lost);
        if (!lost || !found || !isOwn(lost.how)) continue;
        yield {
          message: lost.how,
          data: {
            method: methodName(access),
            table: tableName(table.id),
            tie: tieOf(model.tenancyOf(table.id)),
            done: participle(target.operation),
            source: found.source,
          },
          span: access.span,
          confidence: found.confidence,
          evidence: 'none',
          table: table.id,
          related: [
            ...(lost.span ? [{ span: lost.span, text: 'the condition is stated here' }] : []),
            ...(lost.at ? [{ span: lost.at, text: 'and lost here' }] : []),
          ],
          key: `${targetKey(model, access, target, table)} ${lost.how}`,
          cause: `target ${access.id} ${target.ref}`,
        };
      }
    }
  },
});

const isOwn = (how: LostCondition['how']): how is 'replaced' | 'discarded' | 'cleared' | 'overridden' =>
  how !== 'disabled' && how !== 'uncovered' && how !== 'skipped';

/** How sure it is that a lost condition is what would have isolated a target; undefined where it would not, or another one does. */
function judged(
  model: Model,
  access: LinkedAccess,
  target: Target,
  lost: LostCondition,
): { readonly confidence: Confidence; readonly source: string } | undefined {
  // What is switched off, or never there, is no-disabled-scope's.
  if (!isOwn(lost.how)) return undefined;
  const verdict = model.verdict(access, target);
  if (verdict.kind === 'isolated' || !model.isolatedBy(access, target, lost.predicate)) return undefined;
  if (lost.how !== 'overridden')
    return verdict.kind === 'leak' ? { confidence: verdict.confidence, source: '' } : undefined;
  if (!lost.by) return undefined;
  // What is not data of the request has the properties that the program gives it.
  const standing = model.standing(access, lost.by);
  if (standing.kind !== 'request') return undefined;
  // A schema that the data went through keeps only the properties it names.
  return {
    confidence: standing.form === undefined ? standing.confidence : 'possible',
    source: `${standing.what} of the request`,
  };
}
