import { referencesOf, type LinkedAccess, type Model, type Reference } from '@tenant-lint/analysis';
import { defineRule, servingAccesses } from '@tenant-lint/engine';
import type { Table, Target } from '@tenant-lint/model';
import { relatedOf } from '../../lib/evidence.js';
import { boundElsewhere, leakOf } from '../../lib/leak.js';
import { keyColumns, methodName, participle, tableName, targetKey, tieOf } from '../../lib/naming.js';

export default defineRule({
  meta: {
    id: 'require-tenant-in-join',
    group: 'access',
    summary: 'Require that joined, included, united and nested rows belong to the current tenant too',
    since: 'next',
    severity: 'error',
    recommended: true,
    hosts: ['typescript', 'sql'],
    needs: ['schema'],
    catalogue: ['C-26', 'C-41', 'C-42', 'C-43', 'C-44'],
    messages: {
      reached: {
        what: '{method} reaches {table} by a {role} that has no condition on {tie}.',
        why: 'Rows of {table} that belong to other tenants can be {done} together with the isolated ones.',
        fix: 'Add a condition to the {role} that holds {tie} to the current tenant.',
      },
      elsewhere: {
        what: '{method} on {table} says which tenant only where {other} is joined.',
        why: 'That limits the joined rows; rows of {table} of every tenant can be {done}.',
        fix: 'Add a condition on {tie} of {table} to the query itself.',
      },
      reference: {
        what: '{table} is reached from {other} over {columns}, which does not carry the tenant.',
        why: 'Where a row of one tenant refers to a row of another, that row is {done} too.',
        fix: 'Make the reference composite with {tie}, or add a condition on {tie}.',
      },
    },
  },
  subject: 'project',
  *check(model) {
    const byReference = new Map<string, Followed[]>();
    for (const access of servingAccesses(model)) {
      for (const target of access.targets) {
        const table = model.tableOf(target);
        if (!table || target.operation === 'create') continue;
        const tenancy = model.tenancyOf(table.id);
        if (tenancy.kind !== 'keyed' && tenancy.kind !== 'child' && tenancy.kind !== 'root') continue;
        const followed = followedReference(model, access, target);
        if (followed) {
          const list = byReference.get(followed.key);
          if (list) list.push(followed);
          else byReference.set(followed.key, [followed]);
          continue;
        }
        const leak = leakOf({ access, target }, model);
        if (leak?.explainedBy !== 'require-tenant-in-join') continue;
        const other = target.role === 'root' ? boundElsewhere(access, target, model) : undefined;
        const otherTable = other && model.tableOf(other);
        yield {
          message: other ? 'elsewhere' : 'reached',
          data: {
            method: methodName(access),
            table: tableName(table.id),
            tie: tieOf(tenancy),
            done: participle(target.operation),
            role: roleName[target.role],
            other: otherTable ? tableName(otherTable.id) : '',
          },
          span: access.span,
          confidence: leak.verdict.confidence,
          evidence: leak.verdict.evidence,
          witness: leak.verdict.witness.text,
          table: table.id,
          related: relatedOf(leak.verdict.because, access.span),
          key: targetKey(model, access, target, table),
          cause: `target ${access.id} ${target.ref}`,
        };
      }
    }
    for (const [first, ...others] of byReference.values()) {
      if (!first) continue;
      const { access, target, table, from, reference } = first;
      yield {
        message: 'reference',
        data: {
          table: tableName(table.id),
          other: tableName(from.id),
          columns: `${tableName(reference.from)}.${reference.columns.join(', ')}`,
          tie: tieOf(model.tenancyOf(table.id)),
          done: participle(target.operation),
        },
        span: access.span,
        confidence: 'possible',
        evidence: 'derived',
        table: table.id,
        related: [
          { span: reference.constraint.origin.created, text: 'the reference' },
          ...others.slice(0, 10).map((o) => ({ span: o.access.span, text: 'and followed here' })),
        ],
        key: `reference ${first.key}`,
      };
    }
  },
});

/** A row of a table with a key of its own that is reached over a reference which does not carry the tenant. */
interface Followed {
  readonly key: string;
  readonly access: LinkedAccess;
  readonly target: Target;
  readonly table: Table;
  readonly from: Table;
  readonly reference: Reference;
}

/** The reference that alone holds an isolated target to the tenant, where every writer has to keep it. */
function followedReference(model: Model, access: LinkedAccess, target: Target): Followed | undefined {
  if (target.role !== 'include' && target.role !== 'join') return undefined;
  const verdict = model.verdict(access, target);
  if (verdict.kind !== 'isolated' || verdict.evidence !== 'derived') return undefined;
  const table = keyed(model, target);
  if (!table) return undefined;
  for (const other of access.targets) {
    const from = other === target ? undefined : keyed(model, other);
    if (!from || from.id === table.id) continue;
    const keys = new Set([table, from].flatMap((t) => keyColumns(model.tenancyOf(t.id))));
    const between = [
      ...referencesOf(from).filter((r) => r.to === table.id),
      ...referencesOf(table).filter((r) => r.to === from.id),
    ];
    const [reference] = between;
    if (!reference || between.some((r) => r.columns.some((c) => keys.has(c)))) continue;
    return { key: `${reference.from} ${reference.columns.join(',')}`, access, target, table, from, reference };
  }
  return undefined;
}

function keyed(model: Model, target: Target): Table | undefined {
  const table = model.tableOf(target);
  return table && 'rowSecurity' in table && model.tenancyOf(table.id).kind === 'keyed' ? table : undefined;
}

const roleName = {
  root: 'query',
  join: 'join',
  include: 'nested read',
  'nested-write': 'nested write',
  subquery: 'sub-query',
  cte: 'common table expression',
  'union-arm': 'branch of a union',
} as const;
