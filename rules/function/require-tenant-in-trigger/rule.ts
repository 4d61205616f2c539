import { identityOf, type Model } from '@tenant-lint/analysis';
import { defineRule } from '@tenant-lint/engine';
import type { Access, Predicate, SchemaFunction, Span, Table, Target, Trigger } from '@tenant-lint/model';
import { bareValue } from '../../lib/conditions.js';
import { definedAt } from '../../lib/functions.js';
import { keyColumns, tableName } from '../../lib/naming.js';
import { personColumns } from '../../lib/persons.js';
import { tableNamed } from '../../lib/schema.js';

export default defineRule({
  meta: {
    id: 'require-tenant-in-trigger',
    group: 'function',
    summary: 'Require that triggers keep the tenant of the row that fires them',
    since: 'next',
    severity: 'error',
    recommended: true,
    hosts: ['sql'],
    needs: ['migrations'],
    catalogue: ['F10', 'M15'],
    messages: {
      copies: {
        what: 'The trigger {trigger} copies rows of {table} into {copy} without their tenant.',
        why: 'Rows of all tenants lie side by side in {copy}, and no condition can tell them apart.',
        fix: 'Give {copy} a tenant column, and write NEW.{key} into it.',
      },
      unset: {
        what: 'The trigger {trigger} of {table} writes to {copy} and leaves {column} unset.',
        why: 'The row belongs to no tenant, or to whichever the default names.',
        fix: 'Write NEW.{key} into {column}.',
      },
      disabled: {
        what: 'The trigger {trigger}, which sets {key} of {table}, is disabled.',
        why: 'New rows keep the tenant that the statement names, or get none.',
        fix: 'Run ALTER TABLE {table} ENABLE TRIGGER {trigger}.',
      },
    },
  },
  subject: 'table',
  *check(table, model) {
    const tenancy = model.tenancyOf(table.id);
    const keys = keyColumns(tenancy);
    const [key] = keys;
    if (tenancy.kind !== 'keyed' || key === undefined) return;
    for (const trigger of table.triggers) {
      const f = functionOf(model, trigger);
      if (!f) continue;
      const base = { trigger: trigger.name, table: tableName(table.id), key };
      if (!trigger.enabled) {
        const stamped = keys.find((column) => f.assigns?.includes(column));
        if (stamped === undefined) continue;
        yield {
          message: 'disabled',
          data: { ...base, key: stamped, copy: '', column: '' },
          span: trigger.origin.changed.at(-1) ?? trigger.origin.created,
          related: [{ span: trigger.origin.created, text: 'the trigger is created here' }],
          confidence: 'certain',
          table: table.id,
          key: `${table.id} ${trigger.name} disabled`,
        };
        continue;
      }
      for (const copy of copiesOf(model, f, table, keys)) {
        yield {
          message: copy.column === undefined ? 'copies' : 'unset',
          data: { ...base, copy: tableName(copy.to.id), column: copy.column ?? '' },
          span: definedAt(f),
          related: [
            { span: copy.at, text: 'the row is written here' },
            { span: trigger.origin.created, text: `fires for ${tableName(table.id)}` },
          ],
          confidence: 'likely',
          table: copy.to.id,
          key: `${table.id} ${trigger.name} ${copy.to.id}`,
        };
      }
    }
  },
});

const functionOf = (model: Model, { function: name }: Trigger): SchemaFunction | undefined =>
  (model.schema.functions.get(`${name.schema ?? 'public'}.${name.name}`) ?? []).find((f) => f.returns === 'trigger');

interface Copy {
  readonly to: Table;
  readonly at: Span;
  /** The key that stays unset; undefined: the table has none. */
  readonly column?: string;
}

/** Inserts of what the row holds into other tables, without its tenant. */
function* copiesOf(model: Model, f: SchemaFunction, from: Table, keys: readonly string[]): Iterable<Copy> {
  for (const access of f.queries) {
    for (const target of access.targets) {
      if (target.operation !== 'create') continue;
      const to = target.table.known ? tableNamed(model, target.table.value) : undefined;
      if (!to || to.id === from.id || !carriesRow(access, target)) continue;
      const tenancy = model.tenancyOf(to.id);
      if (tenancy.kind === 'keyed') {
        const { writes } = target;
        const unsetIn = ({ column }: { readonly column: string }): boolean =>
          writes?.open === false && !(column in writes.set);
        // Of several keys one that every row has is enough: a row of a person's own has no organization.
        const has = tenancy.keys.some((k) => !k.nullable && !unsetIn(k));
        const unset = tenancy.keys.find((k) => unsetIn(k) && !(has && k.nullable));
        const filled = unset && to.columns.get(unset.column)?.default !== undefined;
        if (unset && !filled) yield { to, at: access.span, column: unset.column };
      } else if (tenancy.kind === 'unknown' && !mentions(access, keys) && !isForPerson(to, target))
        yield { to, at: access.span };
    }
  }
}

/** Whether values of NEW or OLD are written, or the whole row. */
const carriesRow = (access: Access, target: Target): boolean =>
  /"target":"(?:new|old)"|"variable (?:new|old)"|"(?:new|old)"/.test(
    JSON.stringify([target.writes ?? null, access.output ?? null, access.targets.map((t) => t.predicate)]),
  );

/** Whether the copy is for somebody whom it names, and nobody else reads it: a notification. */
const isForPerson = (to: Table, { writes }: Target): boolean => {
  const named = personColumns(to).filter((column) => writes !== undefined && column in writes.set);
  return named.length > 0 && readers(to).every((using) => named.some((column) => requires(using, column)));
};

/** The conditions of the policies by which rows are read. */
const readers = (table: Table): readonly Predicate[] =>
  table.policies.flatMap(({ permissive, command, using }) =>
    permissive && (command === 'select' || command === 'all') && using ? [using] : [],
  );

/** Whether a condition holds only for whoever the column names. */
const requires = (condition: Predicate, column: string): boolean =>
  condition.kind === 'and'
    ? condition.of.some((part) => requires(part, column))
    : condition.kind === 'or'
      ? condition.of.every((part) => requires(part, column))
      : condition.kind === 'compare' &&
        condition.operator === '=' &&
        [condition.left, condition.right].map(bareValue).some((v) => v.kind === 'column' && v.column === column) &&
        [condition.left, condition.right].some((v) => identityOf(bareValue(v)) === 'caller');

/** Whether the tenant is written into some column of its own, whatever that is called. */
const mentions = (access: Access, keys: readonly string[]): boolean => {
  const text = JSON.stringify(access.targets.map((t) => t.writes?.set ?? null));
  return keys.some((key) => new RegExp(`"target":"(?:new|old)","column":${JSON.stringify(key)}`).test(text));
};
