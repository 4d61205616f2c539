import type {
  Schema,
  Table,
  TableId,
  Tenancy,
  TenancyCandidate,
  TenancyModel,
  TenantKey,
  View,
} from '@tenant-lint/model';
import type { Candidate } from './candidates.js';
import { classify, type Decision } from './classify.js';
import { decide } from './decide.js';
import { policyEvidence, type PolicyEvidence } from './evidence.js';
import { Graph } from './graph.js';
import { containerOf, type Container } from './keys.js';
import { columnNamed, tablesNamed, type TenancyHints, type TenancyOptions } from './options.js';
import { isInTenantSchema, schemaPerTenant, strategyOf } from './strategy.js';
import { stemOf } from './words.js';

const shownCandidates = 5;

/**
 * Who owns which table. In: the folded schema, the configuration (which always wins), and what the program shows of how tables are
 * filtered. Out: a tenancy with its reason for every table, or a refusal with the candidates where nothing convinces. Never throws.
 */
export function inferTenancy(schema: Schema, options: TenancyOptions = {}, hints?: TenancyHints): TenancyModel {
  const graph = new Graph(schema);
  const evidence = policyEvidence(schema);
  const given = (options.roots ?? []).flatMap((name) => tablesNamed(schema, name).map((t) => t.id));
  const { choice, candidates } = decide(graph, evidence, hints, given);
  const decision: Decision | undefined = options.keys?.length ? withKeys(graph, options.keys, given) : choice;
  const tables = decision ? classify(graph, decision) : new Map<TableId, Tenancy>();
  for (const view of schema.views.values())
    if (view.columns && decision) tables.set(view.id, viewTenancy(view, decision));
  applyOptions(schema, options, decision, tables);
  const { strategy, reason } = strategyOf(schema, tables, options, hints);
  const keys = keysOf(tables, options);
  const base: TenancyModel = {
    strategy,
    strategyReason: decision && choice && !options.keys?.length ? `${reason}; root ${choice.why}` : reason,
    roots: decision?.roots.flatMap((r) => r.id ?? []) ?? [],
    keys,
    tables,
    settings: options.settings ?? settingsOf(schema, evidence, tables),
    appRoles: options.roles?.app ?? [],
    ...(options.roles?.admin ? { adminRoles: options.roles.admin } : {}),
  };
  const found = [...tables.values()].some((t) => t.kind === 'keyed' || t.kind === 'root');
  if (found) return base;
  const perSchema =
    base.strategy === 'schema' || base.strategy === 'database' || schemaPerTenant(schema, options, hints) !== undefined;
  if (perSchema && schema.tables.size > 0) return base;
  return {
    ...base,
    tables: base.tables.size > 0 ? base.tables : undecided(schema),
    refused: {
      reason:
        schema.tables.size === 0
          ? 'no schema found'
          : options.keys?.length
            ? `no table has a column ${options.keys.join(' or ')}`
            : 'nothing shows convincingly which tables hold the tenants',
      candidates: candidates.slice(0, shownCandidates).map(shownCandidate),
    },
  };
}

const undecided = (schema: Schema): ReadonlyMap<TableId, Tenancy> =>
  new Map(
    [...schema.tables.keys()].map((id) => [id, { kind: 'unknown', why: 'no tenant key was found in the project' }]),
  );

function shownCandidate(c: Candidate): TenancyCandidate {
  const why = [
    `${c.direct} tables have ${c.key}`,
    `${c.reach} lead to it`,
    ...(c.membership === undefined ? [] : [`${c.membership} ties users to it`]),
    ...(c.policies > 0 ? [`policies of ${c.policies} tables compare it`] : []),
  ];
  return {
    key: c.key,
    ...(c.id === undefined ? {} : { root: c.id }),
    tables: c.direct,
    score: c.score,
    why: why.join(', '),
  };
}

/** The decision of a configuration that names the keys: these columns and no others, and the tables they refer to. */
function withKeys(graph: Graph, keys: readonly string[], given: readonly TableId[]): Decision {
  const referred = new Map<TableId, number>();
  for (const table of graph.schema.tables.values())
    for (const key of keys) {
      const column = columnNamed(table, key);
      const edge = graph
        .out(table.id)
        .find((e) => e.columns.length === 1 && e.columns[0] === column && e.to !== table.id);
      if (edge) referred.set(edge.to, (referred.get(edge.to) ?? 0) + 1);
    }
  const roots = given.length > 0 ? given : [...referred].filter(([, count]) => count > 0).map(([id]) => id);
  const stems = new Set(keys.flatMap((k) => stemOf(k) ?? []));
  const containers: Container[] = roots.map((id) => {
    const own = containerOf(graph, id).stems;
    return { id, stems: new Set([...own].filter((s) => stems.has(s))), exact: true };
  });
  const covered = new Set(containers.flatMap((c) => [...c.stems]));
  const rest = [...stems].filter((s) => !covered.has(s));
  return {
    roots: [...containers, ...rest.map((stem): Container => ({ stems: new Set([stem]), exact: true }))],
    levels: [],
    owners: undefined,
  };
}

function viewTenancy(view: View, decision: Decision): Tenancy {
  const keys = [...(view.columns?.values() ?? [])].flatMap((column): TenantKey[] => {
    const stem = stemOf(column.name);
    const container =
      stem === undefined ? undefined : [...decision.roots, ...decision.levels].find((c) => c.stems.has(stem));
    if (!container) return [];
    return [
      { column: column.name, ...(container.id === undefined ? {} : { root: container.id }), nullable: !column.notNull },
    ];
  });
  return keys.length > 0
    ? { kind: 'keyed', keys, why: `a view that shows ${keys.map((k) => k.column).join(', ')}` }
    : { kind: 'unknown', why: 'a view that shows no tenant key' };
}

function applyOptions(
  schema: Schema,
  options: TenancyOptions,
  decision: Decision | undefined,
  tables: Map<TableId, Tenancy>,
): void {
  for (const table of schema.tables.values())
    if (isInTenantSchema(table, options) && tables.get(table.id)?.kind !== 'keyed')
      tables.set(table.id, {
        kind: 'unknown',
        why: `its schema ${table.name.schema ?? 'public'} belongs to one tenant`,
        settled: true,
      });
  for (const entry of options.shared ?? []) {
    const { table: name, reason } = typeof entry === 'string' ? { table: entry, reason: undefined } : entry;
    for (const table of tablesNamed(schema, name))
      tables.set(table.id, { kind: 'shared', why: reason ?? 'declared in the configuration' });
  }
  for (const [name, option] of Object.entries(options.tables ?? {}))
    for (const table of tablesNamed(schema, name)) {
      if (option.shared === true) tables.set(table.id, { kind: 'shared', why: 'declared in the configuration' });
      const keys = (option.keys ?? []).flatMap((key) => declaredKey(table, key, decision));
      if (keys.length > 0) tables.set(table.id, { kind: 'keyed', keys, why: 'declared in the configuration' });
    }
}

function declaredKey(table: Table, name: string, decision: Decision | undefined): readonly TenantKey[] {
  const column = columnNamed(table, name);
  if (column === undefined) return [];
  const stem = stemOf(column);
  const root = [...(decision?.roots ?? []), ...(decision?.levels ?? [])].find(
    (c) => stem !== undefined && c.stems.has(stem),
  )?.id;
  return [{ column, ...(root === undefined ? {} : { root }), nullable: table.columns.get(column)?.notNull !== true }];
}

/** The spellings of the key over all tables, most frequent first. */
function keysOf(tables: ReadonlyMap<TableId, Tenancy>, options: TenancyOptions): readonly string[] {
  const counts = new Map<string, number>();
  for (const tenancy of tables.values())
    if (tenancy.kind === 'keyed')
      for (const { column } of tenancy.keys) counts.set(column, (counts.get(column) ?? 0) + 1);
  const found = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).map(([name]) => name);
  return [...new Set([...(options.keys ?? []), ...found])];
}

/** The settings that policies compare with tenant keys. */
function settingsOf(
  schema: Schema,
  evidence: PolicyEvidence,
  tables: ReadonlyMap<TableId, Tenancy>,
): readonly string[] {
  const settings = new Set<string>();
  for (const table of schema.tables.values()) {
    const tenancy = tables.get(table.id);
    const columns =
      tenancy?.kind === 'keyed' ? tenancy.keys.map((k) => k.column) : tenancy?.kind === 'root' ? [tenancy.key] : [];
    for (const column of columns) for (const setting of evidence.settings(table.id, column)) settings.add(setting);
  }
  return [...settings].sort();
}
