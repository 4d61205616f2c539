import type { Claim, LinkedAccess, Model } from '@tenant-lint/analysis';
import { defineRule } from '@tenant-lint/engine';
import { sameValue, type Predicate, type Target, type TargetRef, type Value, type Writes } from '@tenant-lint/model';
import { relatedOf } from '../../lib/evidence.js';
import { keyColumns, methodName, tableName, targetKey } from '../../lib/naming.js';
import { claimThroughRest } from '../../lib/written.js';

export default defineRule({
  meta: {
    id: 'no-tenant-reassignment',
    group: 'write',
    summary: 'Disallow updates that let the request move a row to another tenant',
    since: 'next',
    severity: 'error',
    recommended: true,
    hosts: ['typescript'],
    needs: ['schema', 'code'],
    catalogue: ['C-39'],
    messages: {
      moved: {
        what: '{method} on {table} sets {column} to {source} of the request.',
        why: 'Whoever sends it moves the row to another tenant, where others read it, or plants it there.',
        fix: 'Leave {column} out of what an update sets, or set it to the tenant of the session.',
      },
      mass: {
        what: '{method} on {table} sets whatever {source} of the request holds, {column} too.',
        why: 'Whoever adds {column} to it moves the row to another tenant, where others read it, or plants it there.',
        fix: 'Name the columns that may be changed, or take them through a schema that does not know {column}.',
      },
    },
  },
  subject: 'access',
  *check(access, model) {
    for (const target of access.targets) {
      const writes = target.operation === 'update' ? target.writes : target.updates;
      const table = model.tableOf(target);
      if (!writes || !table || !('constraints' in table)) continue;
      const tenancy = model.tenancyOf(table.id);
      if (tenancy.kind !== 'keyed') continue;
      for (const column of keyColumns(tenancy)) {
        const property = table.columns.get(column)?.property ?? column;
        const found = claimOn(model, access, target, writes, column, property);
        if (!found) continue;
        yield {
          message: found.how,
          data: { method: methodName(access), table: tableName(table.id), column, source: found.claim.what },
          span: access.span,
          confidence: found.claim.confidence,
          table: table.id,
          related: relatedOf(
            [{ text: 'it is read from the request here', span: found.claim.place }, ...found.claim.because],
            access.span,
          ),
          key: `${targetKey(model, access, target, table)} ${column}`,
        };
        break;
      }
    }
  },
});

function claimOn(
  model: Model,
  access: LinkedAccess,
  target: Target,
  writes: Writes,
  column: string,
  property: string,
): { readonly how: 'moved' | 'mass'; readonly claim: Claim } | undefined {
  const value = writes.set[column];
  // What the row is found by it has already.
  if (value && value.kind !== 'undefined' && !isBound(target.predicate, target.ref, column, value)) {
    const standing = model.standing(access, value);
    if (standing.kind === 'request') return { how: 'moved', claim: standing };
  }
  const claim = claimThroughRest(model, access, writes, column, property);
  return claim && { how: 'mass', claim };
}

function isBound(predicate: Predicate, ref: TargetRef, column: string, value: Value): boolean {
  if (predicate.kind === 'and') return predicate.of.some((p) => isBound(p, ref, column, value));
  if (predicate.kind !== 'compare' || predicate.operator !== '=') return false;
  const sides = [predicate.left, predicate.right];
  return (
    sides.some((s) => s.kind === 'column' && s.target === ref && s.column === column) &&
    sides.some((s) => sameValue(s, value))
  );
}
