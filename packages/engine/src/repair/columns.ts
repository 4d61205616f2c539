import { hasIndexLedBy } from '@tenant-lint/analysis';
import type { Finding, Table } from '@tenant-lint/model';
import { compositeReference, referenceToRoot } from './keys.js';
import { tenantIndex } from './indexes.js';
import { isNullable, type Edge, type Project } from './project.js';
import { enableRowSecurity } from './security.js';
import type { Repair, RepairStep } from './step.js';

/** require-tenant-not-null, and NOT NULL that a migration took away. */
export function requireNotNull(project: Project, finding: Finding): Repair {
  const table = project.table(finding.table);
  if (!table) return { reason: 'the table is not known' };
  const keys = project.keys(table).filter(({ column }) => isNullable(table, column));
  const steps = keys.flatMap(({ column }) => notNull(project, table, column, [finding.fingerprint]) ?? []);
  return steps.length > 0 ? { steps } : { reason: 'no migration of this project makes the table' };
}

/** Fills a key from what its rows refer to, and sets it NOT NULL; undefined where there is no history to continue. */
export function notNull(
  project: Project,
  table: Table,
  column: string,
  claims: readonly string[],
): RepairStep | undefined {
  const history = project.historyOf(table.origin);
  if (history === undefined) return undefined;
  const names = project.names(history);
  const sources = parentsOf(project, table).filter(({ edge }) =>
    project.common(table, edge.to).some((p) => p.own === column),
  );
  const fills = sources.map(({ edge, key }) => fill(project, history, table, column, edge, key));
  const sure = sources.some(({ edge }) => edge.constraint.columns.every((c) => !isNullable(table, c)));
  return {
    id: `not null ${table.id}.${column}`,
    phase: 'columns',
    history,
    title: `${shortName(table)}.${column} says whose each row is.`,
    up: [
      ...unforced(project, history, [table, ...sources.map((s) => s.edge.to)], fills),
      `ALTER TABLE ${names.table(table)} ALTER COLUMN ${names.name(column)} SET NOT NULL`,
    ],
    down: [`ALTER TABLE ${names.table(table)} ALTER COLUMN ${names.name(column)} DROP NOT NULL`],
    table: table.id,
    claims,
    needs: [],
    declares: [{ kind: 'not null', table: table.id, column }],
    notes: [
      ...project.insertsWithout(table),
      ...(sure
        ? []
        : [
            `It fails while a row of ${shortName(table)} has no ${column}${sources.length > 0 ? ' and refers to nothing that has one' : ''}: give such rows their tenant first, or delete them.`,
          ]),
    ],
  };
}

/** require-tenant-column: the column is added, filled through the parent, and brought to what other tables have. */
export function addTenantColumn(project: Project, finding: Finding): Repair {
  const table = project.table(finding.table);
  const history = table && project.historyOf(table.origin);
  if (!table || history === undefined) return { reason: 'no migration of this project makes the table' };
  const parents = parentsOf(project, table);
  const [first] = parents;
  if (!first) return { reason: 'nothing in the table says whose its rows are, so no statement can fill the column' };
  if (parents.some((p) => p.root !== first.root))
    return { reason: 'it refers to tables of different tenants, and which of them decides is not to be seen' };
  const names = project.names(history);
  const { key, edge } = first;
  const type = edge.to.columns.get(key)?.type ?? '';
  if (type === '') return { reason: `the type of ${edge.to.id}.${key} is not known` };
  if (table.columns.has(key)) return { reason: `it has a column ${key} already that is no tenant` };
  const id = `tenant column ${table.id}`;
  const claims = [finding.fingerprint];
  const sure = edge.constraint.columns.every((c) => !isNullable(table, c));
  const fills = [fill(project, history, table, key, edge, key)];
  const column: RepairStep = {
    id,
    phase: 'columns',
    history,
    title: `${shortName(table)} gets the ${key} of its ${shortName(edge.to)}.`,
    up: [
      `ALTER TABLE ${names.table(table)} ADD COLUMN ${names.name(key)} ${type}`,
      ...unforced(project, history, [table, edge.to], fills),
      `ALTER TABLE ${names.table(table)} ALTER COLUMN ${names.name(key)} SET NOT NULL`,
    ],
    down: [`ALTER TABLE ${names.table(table)} DROP COLUMN ${names.name(key)}`],
    table: table.id,
    claims,
    needs: [],
    declares: [{ kind: 'column', table: table.id, column: key, like: edge.to.id }],
    notes: [
      `From then on an insert into ${shortName(table)} has to give ${key}.`,
      ...(sure
        ? []
        : [
            `It fails while a row of ${shortName(table)} has no ${edge.constraint.columns.join(', ')}: such rows belong to nobody; give them a tenant, or delete them.`,
          ]),
    ],
  };
  const withKey: Table = {
    ...table,
    columns: new Map(table.columns).set(key, { ...edge.to.columns.get(key)!, notNull: true }),
  };
  const more: RepairStep[] = [
    ...parents.flatMap((p) => compositeReference(project, withKey, p.edge, { own: key, theirs: p.key }, [])),
    ...(first.root === undefined ? [] : referenceToRoot(project, withKey, key, first.root, [])),
    ...(hasIndexLedBy(table, key) ? [] : tenantIndex(project, withKey, [key], [])),
    ...(isolatedByDatabase(project) && !table.rowSecurity.enabled
      ? enableRowSecurity(project, withKey, { column: key, root: first.root }, [])
      : []),
  ].map((step) => ({ ...step, needs: [...step.needs, id] }));
  return { steps: [column, ...more] };
}

const isolatedByDatabase = ({ model }: Project): boolean =>
  model.tenancy.strategy === 'rls' || model.tenancy.strategy === 'hybrid';

interface Parent {
  readonly edge: Edge;
  readonly key: string;
  readonly root: string | undefined;
}

/** References to tables with a key of their own, those that are never NULL first. */
function parentsOf(project: Project, table: Table): Parent[] {
  const found = project.edges(table).flatMap((edge): Parent[] => {
    if (edge.to.id === table.id) return [];
    const key = project.keys(edge.to).find((k) => !isNullable(edge.to, k.column)) ?? project.keys(edge.to)[0];
    if (key === undefined || edge.constraint.columns.includes(key.column)) return [];
    return [{ edge, key: key.column, root: key.root }];
  });
  const rank = ({ edge }: Parent): number => (edge.constraint.columns.every((c) => !isNullable(table, c)) ? 0 : 1);
  return found.sort((a, b) => rank(a) - rank(b));
}

/** Takes the key from the row that a reference points at. */
function fill(project: Project, history: string, table: Table, column: string, edge: Edge, key: string): string {
  const names = project.names(history);
  const of = names.table(table);
  const parent = names.table(edge.to);
  const tied = edge.constraint.columns.map(
    (own, i) => `${parent}.${names.name(edge.referenced[i] ?? own)} = ${of}.${names.name(own)}`,
  );
  return `UPDATE ${of} SET ${names.name(column)} = ${parent}.${names.name(key)} FROM ${parent} WHERE ${tied.join(' AND ')} AND ${of}.${names.name(column)} IS NULL`;
}

/** Forced row security hides rows from the migration as well; it is lifted for the statements and put back. */
function unforced(
  project: Project,
  history: string,
  tables: readonly Table[],
  statements: readonly string[],
): string[] {
  if (statements.length === 0) return [];
  const names = project.names(history);
  const forced = [...new Set(tables)].filter((t) => t.rowSecurity.enabled && t.rowSecurity.forced);
  return [
    ...forced.map((t) => `ALTER TABLE ${names.table(t)} NO FORCE ROW LEVEL SECURITY`),
    ...statements,
    ...forced.map((t) => `ALTER TABLE ${names.table(t)} FORCE ROW LEVEL SECURITY`),
  ];
}

/** no-tenant-default. */
export function dropDefault(project: Project, finding: Finding): Repair {
  const table = project.table(finding.table);
  const history = table && project.historyOf(table.origin);
  if (!table || history === undefined) return { reason: 'no migration of this project makes the table' };
  const names = project.names(history);
  const columns = project.keys(table).filter(({ column }) => table.columns.get(column)?.default !== undefined);
  return {
    steps: columns.map(({ column }) => ({
      id: `default ${table.id}.${column}`,
      phase: 'columns',
      history,
      title: `An insert into ${shortName(table)} without a tenant fails.`,
      up: [`ALTER TABLE ${names.table(table)} ALTER COLUMN ${names.name(column)} DROP DEFAULT`],
      down: [],
      table: table.id,
      claims: [finding.fingerprint],
      needs: [],
      notes: [`Rows that the default has marked keep their ${column}.`],
    })),
  };
}

/** A table as titles call it. */
export const shortName = (table: Table): string =>
  table.name.schema === undefined || table.name.schema === 'public'
    ? table.name.name
    : `${table.name.schema}.${table.name.name}`;
