import type { Model } from '@tenant-lint/analysis';
import { defineRule } from '@tenant-lint/engine';
import type { Table } from '@tenant-lint/model';
import { keyColumns, tableName } from '../../lib/naming.js';
import { namesAccount, personColumns } from '../../lib/persons.js';
import { belongsToTenants, references } from '../../lib/schema.js';

export default defineRule({
  meta: {
    id: 'require-tenant-column',
    group: 'schema',
    summary: "Require a tenant column on every table that holds tenants' rows",
    since: 'next',
    severity: 'error',
    recommended: true,
    hosts: ['typescript', 'sql'],
    needs: ['schema'],
    catalogue: ['T01', 'T10'],
    messages: {
      missing: {
        what: '{table} has no {key}, and no required reference leads from it to a table that has one.',
        why: 'No condition and no policy can tell whose rows are in it, so every tenant sees all of them.',
        fix: 'Add {key} NOT NULL to {table}, or declare it in tenancy.shared if its rows are meant for everybody.',
      },
      optional: {
        what: '{table} has no {key}, and its reference to {parent} may be NULL.',
        why: 'Rows without {parent} belong to nobody, so no condition and no policy can keep them apart.',
        fix: 'Add {key} NOT NULL to {table}, or make the reference to {parent} NOT NULL.',
      },
      link: {
        what: '{table} links {parents} and has no {key}.',
        why: 'Nothing stops a row from tying what one tenant owns to what another one owns.',
        fix: 'Add {key} NOT NULL to {table}, and to both of its references.',
      },
      linkByFilter: {
        severity: 'warning',
        what: '{table} links {parents} and has no {key}.',
        why: 'Nothing stops a row from tying what one tenant owns to what another one owns.',
        fix: 'Add {key} NOT NULL to {table}, and to both of its references.',
      },
    },
  },
  subject: 'table',
  *check(table, model) {
    // A view of a table's columns that is incomplete cannot show that one is missing.
    if (!table.complete || table.partitionOf !== undefined || table.inherits.length > 0) return;
    const key = usualKey(model);
    if (key === undefined) return;
    const common = { span: table.origin.created, table: table.id, key: table.id, cause: `tenant column ${table.id}` };
    const tenancy = model.tenancyOf(table.id);
    const { kind } = tenancy;
    if (kind === 'child') {
      const parents = linkedTables(model, table);
      if (parents.length < 2) return;
      yield {
        ...common,
        message: model.databaseIsolates(table) ? 'link' : 'linkByFilter',
        data: { table: tableName(table.id), key, parents: parents.map((p) => tableName(p.id)).join(' and ') },
        confidence: 'certain',
      };
    }
    if (tenancy.kind !== 'unknown' || tenancy.settled === true) return;
    const parent = references(model, table).find(({ to }) => to !== undefined && belongsToTenants(model, to.id))?.to;
    if (parent) {
      yield {
        ...common,
        message: 'optional',
        data: { table: tableName(table.id), key, parent: tableName(parent.id) },
        // Policies that compare a column with the caller tell the rows of persons apart.
        confidence:
          personColumns(table).length > 0 || (namedByText(table) && onlyNamesPersons(model, table))
            ? 'possible'
            : 'likely',
      };
    } else {
      yield {
        ...common,
        message: 'missing',
        data: { table: tableName(table.id), key },
        // Assumes that what the database guards elsewhere is meant to be guarded here. By filters alone a table may as well be common to all,
        // and where it has policies of its own somebody decided who may do what.
        confidence:
          model.tenancy.strategy === 'rls' &&
          table.policies.length === 0 &&
          !isReference(model, table) &&
          besideTenants(model, table)
            ? 'likely'
            : 'possible',
      };
    }
  },
});

/** Whether its schema holds tables of tenants: several without one belong to a platform or a tool that keeps its own books. */
function besideTenants(model: Model, table: Table): boolean {
  const schemaOf = ({ name }: Table): string => name.schema ?? 'public';
  const there = [...model.schema.tables.values()].filter((other) => schemaOf(other) === schemaOf(table));
  return there.length < 2 || there.some((other) => belongsToTenants(model, other.id));
}

/**
 * Whether the rows of a table are listed for all rather than written by tenants: others refer to it, it is named by a text that somebody chose (a code, an
 * event of another system), or it refers to nothing but such tables.
 */
function isReference(model: Model, table: Table, seen: readonly string[] = []): boolean {
  const referred = [...model.schema.tables.values()].some(
    (other) => other.id !== table.id && references(model, other).some(({ to }) => to?.id === table.id),
  );
  if (referred || namedByText(table)) return true;
  const parents = references(model, table).flatMap(({ to }) => to ?? []);
  return (
    parents.length > 0 &&
    parents.every((to) => to.id !== table.id && !seen.includes(to.id) && isReference(model, to, [...seen, table.id]))
  );
}

/** Whether all that a table refers to are accounts of people who sign in: who changed a setting owns it as little as he owns the platform. */
const onlyNamesPersons = (model: Model, table: Table): boolean =>
  references(model, table).every(({ constraint, to }) => namesAccount(constraint.references, to));

function namedByText(table: Table): boolean {
  const primary = table.constraints.find((c) => c.kind === 'primary key');
  return (
    primary !== undefined &&
    primary.columns.every((name) => {
      const column = table.columns.get(name);
      return (
        column !== undefined &&
        column.default === undefined &&
        /^(?:text|varchar|character varying|citext|string)/i.test(column.type)
      );
    })
  );
}

/** The spelling that most tables use. */
function usualKey(model: Model): string | undefined {
  const counts = new Map<string, number>();
  for (const id of model.schema.tables.keys()) {
    const tenancy = model.tenancyOf(id);
    if (tenancy.kind !== 'keyed') continue;
    for (const column of keyColumns(tenancy)) counts.set(column, (counts.get(column) ?? 0) + 1);
  }
  return [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))[0]?.[0];
}

/**
 * The tables that a pure link table ties together: its primary or unique key is made of references to two or more tables with tenants of
 * their own. A link to a table that all tenants share (a user of several tenants) cannot cross.
 */
function linkedTables(model: Model, table: Table): Table[] {
  const owned = references(model, table).filter(
    ({ to }) => to !== undefined && model.tenancyOf(to.id).kind === 'keyed',
  );
  const linking = table.constraints.some(
    (c) =>
      (c.kind === 'primary key' || c.kind === 'unique') &&
      c.columns.length >= 2 &&
      c.columns.every((column) => owned.some(({ constraint }) => constraint.columns.includes(column))),
  );
  if (!linking) return [];
  return [...new Set(owned.flatMap(({ to }) => to ?? []))];
}
