import type { Table, TableId } from '@tenant-lint/model';
import { uniqueKeys } from '../fold/index.js';
import type { Graph } from './graph.js';
import { containerOf, keysIn, type Container } from './keys.js';
import type { TenancyHints } from './options.js';
import type { PolicyEvidence } from './evidence.js';
import { isTenantStem, nounWeight, stemOf, tableWords } from './words.js';

/** A table (or a key without a table) that may be what tenants are kept in. */
export interface Candidate {
  readonly container: Container;
  readonly id?: TableId;
  /** The most frequent name of its key column. */
  readonly key: string;
  /** Tables with a key column for it. */
  readonly direct: number;
  /** Tables that lead to it, directly or through others. */
  readonly reach: number;
  readonly noun: number;
  /** The table that ties users to it, or the column of the users' table. */
  readonly membership?: string;
  readonly policies: number;
  readonly users: boolean;
  readonly score: number;
}

/** Everything that could be the root, best first. */
export function candidatesOf(
  graph: Graph,
  evidence: PolicyEvidence,
  hints: TenancyHints | undefined,
): readonly Candidate[] {
  const { schema } = graph;
  const referenced = graph.ids.filter((id) => graph.in(id).some((e) => e.from !== id));
  const containers: Container[] = referenced.map((id) => containerOf(graph, id));
  containers.push(...tablelessContainers(graph, evidence));
  const total = Math.max(1, schema.tables.size - 1);
  return containers
    .map((c) => candidateOf(graph, c, total, evidence, hints))
    .filter((c) => c.direct > 0)
    .sort((a, b) => b.score - a.score || b.reach - a.reach || (a.key < b.key ? -1 : 1));
}

/** Key columns whose table is elsewhere: `tenant_id` in many tables, or what policies compare with a setting, whatever it is called. */
function tablelessContainers(graph: Graph, evidence: PolicyEvidence): readonly Container[] {
  const stems = new Set<string>();
  const bound = new Set<string>();
  for (const table of graph.schema.tables.values()) {
    const referring = new Set(graph.out(table.id).flatMap((e) => e.columns));
    for (const column of table.columns.keys()) {
      const stem = stemOf(column);
      if (stem === undefined || referring.has(column)) continue;
      if (isTenantStem(stem) || stem === 'user') stems.add(stem);
      else if (evidence.settings(table.id, column).size > 0) bound.add(stem);
    }
  }
  const called = new Set(graph.ids.flatMap((id) => graph.words(id).map((w) => w.join(' '))));
  return [
    ...[...stems].map((stem): Container => ({ stems: new Set([stem]) })),
    ...[...bound].map((stem): Container => ({ stems: new Set([stem]), exact: true })),
  ].filter((c) => ![...c.stems].some((stem) => called.has(stem)));
}

function candidateOf(
  graph: Graph,
  container: Container,
  total: number,
  evidence: PolicyEvidence,
  hints: TenancyHints | undefined,
): Candidate {
  const { id } = container;
  const names = new Map<string, number>();
  const carrying = new Set<TableId>();
  const certain = new Set<TableId>();
  let weight = 0;
  let policies = 0;
  let filtered = 0;
  for (const table of graph.schema.tables.values()) {
    if (table.id === id) continue;
    const keys = keysIn(graph, table, container);
    if (keys.length === 0) continue;
    carrying.add(table.id);
    if (keys.some((k) => !k.nullable)) certain.add(table.id);
    weight += certain.has(table.id) ? 1 : 0.5;
    for (const { column } of keys) {
      names.set(column, (names.get(column) ?? 0) + 1);
      filtered += hints?.filteredColumns?.get(table.id)?.get(column) ?? 0;
    }
    if (keys.some((k) => evidence.bound(table.id, k.column))) policies++;
  }
  const reached = reachOf(graph, certain, id);
  const chained = [...reached].filter((t) => !carrying.has(t)).length;
  const key = [...names].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))[0]?.[0] ?? '';
  const words = id === undefined ? [[...container.stems][0]?.split(' ') ?? []] : graph.words(id);
  const users = id === undefined ? container.stems.has('user') : graph.users.has(id);
  const noun = users
    ? 0.1
    : id !== undefined && graph.signIns.has(id)
      ? 0
      : Math.max(0, ...words.map((w) => nounWeight(w)));
  const membership = users || id === undefined ? undefined : membershipOf(graph, container, carrying);
  // An unusual name may still be a root, but then what refers to it directly must show it: everything leads to `plans` somehow.
  const plain = noun < 0.3 && membership === undefined && policies === 0;
  const coverage = plain ? weight / total : (weight + chained) / total;
  const uses = totalUses(hints);
  const score =
    Math.min(1, coverage) *
    (1 +
      2 * noun +
      (membership === undefined ? 0 : 1) +
      (policies > 0 ? 1.5 : 0) +
      (uses > 0 ? (2 * filtered) / uses : 0));
  return {
    container,
    ...(id === undefined ? {} : { id }),
    key,
    direct: carrying.size,
    reach: carrying.size + chained,
    noun,
    ...(membership === undefined ? {} : { membership }),
    policies,
    users,
    score: Math.round(score * 1000) / 1000,
  };
}

const totalUses = (hints: TenancyHints | undefined): number => {
  let sum = 0;
  for (const columns of hints?.filteredColumns?.values() ?? []) for (const count of columns.values()) sum += count;
  return sum;
};

/** The tables that lead to one of `start` by NOT NULL references; not through users, whose rows belong to people. */
function reachOf(graph: Graph, start: ReadonlySet<TableId>, root: TableId | undefined): ReadonlySet<TableId> {
  const reached = new Set(start);
  const queue = [...start];
  for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
    if (graph.users.has(id)) continue;
    for (const edge of graph.in(id)) {
      if (!edge.notNull || reached.has(edge.from) || edge.from === root) continue;
      reached.add(edge.from);
      queue.push(edge.from);
    }
  }
  return reached;
}

/**
 * What ties users to a candidate: a table that refers to both and is unique in the pair or called so, or a column of the users' table. Only
 * something that people belong to is a tenant.
 */
export function membershipOf(graph: Graph, container: Container, carrying: ReadonlySet<TableId>): string | undefined {
  for (const from of carrying) {
    const table = graph.schema.tables.get(from);
    if (table && isMembership(graph, table, container)) return table.name.name;
  }
  for (const user of graph.users) {
    const edge = graph.out(user).find((e) => e.to === container.id && e.notNull);
    if (edge && carrying.has(user)) return `${user.slice(user.indexOf('.') + 1)}.${edge.columns.join()}`;
  }
  return undefined;
}

/** Whether the rows of a table say which user belongs to which tenant. */
export function isMembership(graph: Graph, table: Table, container: Container): boolean {
  if (graph.users.has(table.id) || container.id === undefined) return false;
  const user = graph.out(table.id).find((e) => graph.users.has(e.to) && e.columns.length === 1)?.columns[0];
  const key = keysIn(graph, table, container)[0]?.column;
  if (user === undefined || key === undefined) return false;
  if (uniqueKeys(table).some((k) => k.length === 2 && k.includes(user) && k.includes(key))) return true;
  const words = tableWords(table.name.name);
  const named = words.some((w) => /^(?:member|membership|user|seat)$/.test(w));
  return (
    named && (words.length === 1 || table.columns.has('role') || [...container.stems].some((s) => words.includes(s)))
  );
}
