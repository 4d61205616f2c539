import type { Model, PolicyLookup } from '@tenant-lint/analysis';
import { defineRule, type Draft } from '@tenant-lint/engine';
import type { Policy, Related, Table } from '@tenant-lint/model';
import { placeOf } from '../../lib/evidence.js';
import { tableName } from '../../lib/naming.js';
import { tenantKeys } from '../../lib/schema.js';

export default defineRule({
  meta: {
    id: 'no-unprotected-lookup',
    group: 'policy',
    summary: 'Disallow policies that look access up in a table which the caller can write',
    since: 'next',
    severity: 'error',
    recommended: true,
    hosts: ['sql'],
    needs: ['migrations'],
    catalogue: ['Q16'],
    messages: {
      open: {
        what: 'Policies look up in {table} what the caller may see, and row security is not enabled on it.',
        why: 'Whoever may write {table} gives himself access to any tenant, and whoever may read it sees who belongs to which.',
        fix: 'Enable row security on {table}, with policies under which nobody can add himself to a tenant.',
      },
      selfGranted: {
        what: 'Policy {policy} lets callers write their own row of {table} for any tenant.',
        why: 'Other policies look up in {table} what the caller may see, so everybody can give himself access to any tenant.',
        fix: 'Let members who may invite, or a function with its own check, write {table}; compare {key} in WITH CHECK.',
      },
      selfAppointed: {
        what: 'Policy {policy} lets callers who are no staff write {table}, whatever {columns} says.',
        why: "Other policies show every tenant's rows to whoever is staff by {table}, so whoever this policy admits can make himself that.",
        fix: 'Let staff alone write {columns}: compare it in WITH CHECK, or grant UPDATE on the other columns only.',
      },
    },
  },
  subject: 'project',
  *check(_, model) {
    for (const lookup of model.lookups()) {
      const { table, by, writableBy } = lookup;
      const others = [...new Set(by)].filter((policy) => policy.table !== table.id);
      if (others.length === 0) continue;
      const related = others.map((policy): Related => ({
        span: policy.origin.created,
        text: `policy ${policy.name} of ${tableName(policy.table)} relies on it`,
      }));
      if (!table.rowSecurity.enabled) {
        if (!mayWrite(model, table)) continue;
        yield {
          message: 'open',
          data: { table: tableName(table.id) },
          span: table.origin.created,
          related,
          confidence: 'certain',
          table: table.id,
          key: table.id,
          cause: `row security ${table.id}`,
        };
        continue;
      }
      if (lookup.staff) {
        yield* appointed(model, lookup, related);
        continue;
      }
      for (const policy of writableBy) {
        const place = placeOf(policy.origin, 'the policy is changed here');
        yield {
          message: 'selfGranted',
          data: { policy: policy.name, table: tableName(table.id), key: keyOf(model, lookup) },
          span: place.span,
          related: [...place.related, ...related],
          confidence: guarded(model, lookup, policy) ? 'possible' : 'likely',
          table: table.id,
          key: `${table.id} ${policy.name}`,
        };
      }
    }
  },
});

const keyOf = (model: Model, { table }: PolicyLookup): string =>
  tenantKeys(model, table)
    .map((key) => key.column)
    .join(' or ') || 'the tenant';

/** Told once for a table: whoever mends one of its policies has to look at the others. */
function* appointed(model: Model, lookup: PolicyLookup, related: readonly Related[]): Iterable<Draft<'selfAppointed'>> {
  const { table, writableBy } = lookup;
  if (!mayWriteColumns(model, lookup)) return;
  const open = writableBy.filter((policy) => !guarded(model, lookup, policy));
  const [policy, ...others] = open.length > 0 ? open : writableBy;
  if (!policy) return;
  const place = placeOf(policy.origin, 'the policy is changed here');
  yield {
    message: 'selfAppointed',
    data: { policy: policy.name, table: tableName(table.id), columns: columnsOf(lookup) },
    span: place.span,
    related: [
      ...place.related,
      ...others.map((other) => ({ span: other.origin.created, text: `policy ${other.name} lets them too` })),
      ...related,
    ],
    confidence: open.length > 0 ? 'likely' : 'possible',
    table: table.id,
    key: `staff ${table.id}`,
  };
}

const columnsOf = ({ columns }: PolicyLookup): string => columns.join(' and ') || 'the row';

/** Whether the columns may be written: where grants name the columns of an update, theirs have to be among them. */
function mayWriteColumns(model: Model, { table, columns }: PolicyLookup): boolean {
  const grants = model.schema.grants.filter(
    (grant) =>
      grant.on.some((o) => o.kind === 'table' && `${o.name.schema ?? 'public'}.${o.name.name}` === table.id) &&
      grant.privileges.some((p) => /^(?:insert|update|all)/i.test(p)),
  );
  return (
    grants.length === 0 || grants.some((g) => g.columns === undefined || columns.some((c) => g.columns?.includes(c)))
  );
}

/** Whether some role may write the table; where no grant speaks of it, a platform or the owner gave the privileges. */
function mayWrite(model: Model, table: Table): boolean {
  const grants = model.schema.grants.filter((grant) =>
    grant.on.some(
      (object) =>
        (object.kind === 'table' && `${object.name.schema ?? 'public'}.${object.name.name}` === table.id) ||
        (object.kind === 'all tables' && object.schema === (table.name.schema ?? 'public')),
    ),
  );
  return grants.length === 0 || grants.some((grant) => grant.privileges.some((p) => /^(?:insert|update|all)/i.test(p)));
}

/** Something else may hold the write back: a trigger before it that can refuse the row, or sets what the look-up asks for. */
function guarded(model: Model, { table, columns }: PolicyLookup, policy: Policy): boolean {
  const decisive = new Set([...columns, ...tenantKeys(model, table).map((key) => key.column)]);
  return table.triggers.some((trigger) => {
    const before = trigger.enabled && trigger.timing.toLowerCase() === 'before';
    if (!before || !trigger.events.some((e) => policy.command === 'all' || e.toLowerCase() === policy.command))
      return false;
    const { schema, name } = trigger.function;
    const [f] = model.schema.functions.get(`${schema ?? 'public'}.${name}`) ?? model.schema.functions.get(name) ?? [];
    if (f === undefined || f.refuses === true || (f.assigns ?? []).some((column) => decisive.has(column))) return true;
    return (f.calls ?? []).some((call) => !harmless.test(call));
  });
}

/** Functions of Postgres that triggers call to stamp a row. */
const harmless =
  /^(?:now|clock_timestamp|statement_timestamp|transaction_timestamp|timezone|date_trunc|coalesce|nullif|lower|upper|trim|btrim|gen_random_uuid|uuid_generate_v4|to_tsvector|setweight|jsonb_build_object|auth\.uid)$/;
