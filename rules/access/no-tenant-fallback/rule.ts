import type { LinkedAccess, Model, TenantStopgap } from '@tenant-lint/analysis';
import { defineRule, servingAccesses } from '@tenant-lint/engine';
import type { Span, Table, Target, View } from '@tenant-lint/model';
import { functionPath, methodName, participle, tableName } from '../../lib/naming.js';

export default defineRule({
  meta: {
    id: 'no-tenant-fallback',
    group: 'access',
    summary: 'Disallow a default or hard-coded tenant in the place of the current one',
    since: 'next',
    severity: 'error',
    recommended: true,
    hosts: ['typescript'],
    needs: ['schema', 'code'],
    catalogue: ['C-8', 'C-34'],
    messages: {
      fallback: {
        what: 'Where there is no tenant, {value} stands in for it in {column} of {tables}.',
        why: 'A request without a tenant works with the rows of that one: they can be {done} by anybody.',
        fix: 'Refuse the request where there is no tenant, and remove the default.',
      },
      fixed: {
        what: '{method} on {tables} works for the tenant {value}, whoever asks.',
        why: 'The rows of that tenant can be {done} by users of all others.',
        fix: 'Take the tenant from the session instead of a constant.',
      },
    },
  },
  subject: 'project',
  *check(model) {
    for (const uses of grouped(model)) {
      const { access, target, table, gap } = uses[0];
      const place = placeOf(uses[0]);
      yield {
        message: gap.kind,
        data: {
          value: gap.value,
          column: gap.column,
          method: methodName(access),
          tables: [...new Set(uses.map((u) => tableName(u.table.id)))].slice(0, 3).join(', '),
          done: participle(target.operation),
        },
        span: place,
        confidence: gap.confidence,
        evidence: 'none',
        table: table.id,
        related: uses
          .filter((u) => u.access.span.file !== place.file || u.access.span.start !== place.start)
          .slice(0, 20)
          .map((u) => ({
            span: u.access.span,
            text: `${tableName(u.table.id)} is ${participle(u.target.operation)} here`,
          })),
        key: `${place.file} ${functionPath(model, access)} ${gap.kind} ${gap.column} ${gap.value}`,
        ...(gap.kind === 'fixed' ? { cause: uses.map((u) => `target ${u.access.id} ${u.target.ref}`) } : {}),
      };
    }
  },
});

interface Use {
  readonly access: LinkedAccess;
  readonly target: Target;
  readonly table: Table | View;
  readonly gap: TenantStopgap;
}

/** The expression that puts the constant in, which several accesses may share; else the access itself. */
const placeOf = ({ access, gap }: Use): Span => gap.span ?? access.span;

/** All accesses that have a constant in the place of the tenant, by the place where it is put in; the surest first. */
function grouped(model: Model): readonly [Use, ...Use[]][] {
  const order = ['certain', 'likely', 'possible'];
  const groups = new Map<string, [Use, ...Use[]]>();
  for (const access of servingAccesses(model)) {
    for (const target of access.targets) {
      const table = model.tableOf(target);
      const gap = table && model.stopgap(access, target);
      if (!gap) continue;
      const use = { access, target, table, gap };
      const place = placeOf(use);
      const key = `${place.file} ${place.start} ${gap.kind}`;
      const group = groups.get(key);
      if (group) group.push(use);
      else groups.set(key, [use]);
    }
  }
  return [...groups.values()].map((uses) =>
    uses.sort((a, b) => order.indexOf(a.gap.confidence) - order.indexOf(b.gap.confidence)),
  );
}
