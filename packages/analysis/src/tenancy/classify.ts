import type { Table, TableId, Tenancy, TenantKey, Through } from '@tenant-lint/model';
import { primaryKey, uniqueKeys } from '../fold/index.js';
import { isOneToOne, type Edge, type Graph } from './graph.js';
import { isMembership } from './candidates.js';
import { keysIn, type Container } from './keys.js';
import { headOf, wordsOf } from './words.js';

/** What was decided for the whole project, before each table is looked at. */
export interface Decision {
  readonly roots: readonly Container[];
  /** What divides a tenant: projects of an organization, environments of a project. From the root downwards. */
  readonly levels: readonly Container[];
  /** People, where they are not themselves the tenants. */
  readonly owners: Container | undefined;
  readonly membership?: string;
}

/** The tenancy of every table. Children are found until nothing changes, so chains of any length are followed. */
export function classify(graph: Graph, decision: Decision): Map<TableId, Tenancy> {
  const { schema } = graph;
  const tenancies = new Map<TableId, Tenancy>();
  for (const root of decision.roots) {
    const table = root.id === undefined ? undefined : schema.tables.get(root.id);
    if (table)
      tenancies.set(table.id, {
        kind: 'root',
        key: primaryKey(table)[0] ?? 'id',
        why: `${graph.in(table.id).length} references lead to it${decision.membership === undefined ? '' : `, and ${decision.membership} ties users to it`}`,
      });
  }
  for (const table of schema.tables.values()) {
    if (tenancies.has(table.id)) continue;
    const keyed = keyedBy(graph, table, decision);
    if (keyed) tenancies.set(table.id, keyed);
  }
  findChildren(graph, tenancies);
  for (const table of schema.tables.values())
    if (!tenancies.has(table.id)) tenancies.set(table.id, rest(graph, table, decision, tenancies));
  return tenancies;
}

function keyedBy(graph: Graph, table: Table, decision: Decision): Tenancy | undefined {
  const containers = [...decision.roots, ...decision.levels].filter((c) => c.id !== table.id);
  const keys = uniqueKeysOf(containers.flatMap((c) => keysIn(graph, table, c)));
  if (keys.length === 0) return undefined;
  // A row without a tenant belongs to the person it names: personal and organization rows in one table.
  const personal =
    decision.owners && keys.every((k) => k.nullable) && !decision.roots.some((r) => isMembership(graph, table, r))
      ? keysIn(graph, table, decision.owners).filter((k) => !k.nullable)
      : [];
  const all = [...keys.filter((k) => !k.nullable), ...keys.filter((k) => k.nullable), ...personal];
  return { kind: 'keyed', keys: all, why: whyKeyed(graph, table, all, personal.length > 0) };
}

const uniqueKeysOf = (keys: readonly TenantKey[]): readonly TenantKey[] =>
  [...new Map([...keys].reverse().map((k) => [k.column, k])).values()].reverse();

function whyKeyed(graph: Graph, table: Table, keys: readonly TenantKey[], personal: boolean): string {
  const parts = keys.map(({ column, root, nullable }) => {
    const edge = graph.out(table.id).find((e) => e.to === root && e.columns.join() === column);
    const how =
      root === undefined
        ? 'is a tenant key by its name'
        : !edge || edge.stated === 'name'
          ? `names ${nameOf(root)}, without a foreign key`
          : `refers to ${nameOf(root)}`;
    return `${column} ${how}${nullable ? ' (may be NULL)' : ''}`;
  });
  return `${parts.join('; ')}${personal ? '; a row without a tenant belongs to its user' : ''}`;
}

function findChildren(graph: Graph, tenancies: Map<TableId, Tenancy>): void {
  const owned = (id: TableId): boolean => {
    const kind = tenancies.get(id)?.kind;
    return kind === 'keyed' || kind === 'child';
  };
  for (let changed = true; changed;) {
    changed = false;
    // Decided in rounds, so that the shortest way is the one that counts.
    const found: [TableId, Tenancy][] = [];
    for (const table of graph.schema.tables.values()) {
      if (tenancies.has(table.id)) continue;
      const edges = graph.out(table.id).filter((e) => e.notNull && e.to !== table.id && owned(e.to));
      if (edges.length === 0) continue;
      found.push([
        table.id,
        { kind: 'child', through: edges.map(throughOf), why: edges.map((e) => whyChild(e, tenancies)).join('; ') },
      ]);
    }
    for (const [id, tenancy] of found) {
      tenancies.set(id, tenancy);
      changed = true;
    }
  }
}

const throughOf = ({ columns, to, references }: Edge): Through => ({ columns, to, references });

function whyChild(edge: Edge, tenancies: ReadonlyMap<TableId, Tenancy>): string {
  const parent = tenancies.get(edge.to);
  const carries =
    parent?.kind === 'keyed'
      ? `which carries ${parent.keys.map((k) => k.column).join(', ')}`
      : 'which belongs to a tenant itself';
  return `${edge.columns.join(', ')} leads to ${nameOf(edge.to)}, ${carries}`;
}

/** Tables that nothing ties to a tenant for certain. */
function rest(graph: Graph, table: Table, decision: Decision, tenancies: ReadonlyMap<TableId, Tenancy>): Tenancy {
  const roots = decision.roots.map((r) => (r.id === undefined ? [...r.stems].join(' or ') : nameOf(r.id))).join(' or ');
  if (graph.users.has(table.id))
    return {
      kind: 'unknown',
      why:
        decision.membership === undefined
          ? 'users, and nothing says to which tenant one belongs'
          : `a user may belong to several tenants, through ${decision.membership}`,
      ...(decision.membership === undefined ? {} : { settled: true, person: primaryKey(table) }),
    };
  const out = graph.out(table.id).filter((e) => e.to !== table.id);
  const maybe = out.filter((e) => !graph.users.has(e.to) && isOwned(tenancies.get(e.to)));
  if (maybe.length > 0)
    return {
      kind: 'unknown',
      why: `${maybe.map((e) => `${e.columns.join(', ')} may lead to ${nameOf(e.to)}`).join('; ')}, but may be NULL`,
    };
  const user = out.find((e) => graph.users.has(e.to)) ?? undefined;
  const person = decision.owners && keysIn(graph, table, decision.owners)[0];
  if (user || person)
    return {
      kind: 'unknown',
      why: `${user?.columns.join(', ') ?? person?.column ?? ''}: belongs to a user, not to a tenant`,
      ...(user?.notNull && decision.membership !== undefined ? { person: user.columns } : {}),
    };
  const lookup = lookedUp(graph, table, tenancies);
  if (lookup !== undefined) return { kind: 'shared', why: `${lookup}, and nothing leads from it to ${roots}` };
  const owners = graph.in(table.id).filter((e) => e.from !== table.id && isOwned(tenancies.get(e.from)));
  if (owners.length > 0)
    return {
      kind: 'unknown',
      why: `no way to ${roots}; ${[...new Set(owners.map((e) => nameOf(e.from)))].slice(0, 3).join(', ')} refer to it`,
    };
  return { kind: 'unknown', why: `no key, and no reference that leads to ${roots}` };
}

const isOwned = (tenancy: Tenancy | undefined): boolean =>
  tenancy?.kind === 'keyed' || tenancy?.kind === 'child' || tenancy?.kind === 'root';

/**
 * Why a table without any way to a tenant is one that all look things up in: several rows refer to the same row of it, and its rows are
 * known by a name of their own (a unique code, slug or name) rather than made for each tenant.
 */
function lookedUp(graph: Graph, table: Table, tenancies: ReadonlyMap<TableId, Tenancy>): string | undefined {
  const incoming = graph.in(table.id).filter((e) => e.from !== table.id && !isOneToOne(graph.schema, e));
  const users = [
    ...new Set(incoming.filter((e) => isOwned(tenancies.get(e.from)) || graph.users.has(e.from)).map((e) => e.from)),
  ];
  if (users.length === 0) return undefined;
  // What leads on to something that itself may be someone's is not settled.
  if (
    graph
      .out(table.id)
      .some((e) => e.to !== table.id && tenancies.get(e.to)?.kind !== 'shared' && !isLookup(graph, e.to))
  )
    return undefined;
  const natural = uniqueKeys(table).find((k) => k.length === 1 && isNaturalKey(table, k[0] ?? ''));
  if (!natural) return undefined;
  return `${users.slice(0, 3).map(nameOf).join(', ')} look it up, ${natural[0] ?? ''} is unique over all tenants`;
}

const isLookup = (graph: Graph, id: TableId): boolean => graph.out(id).length === 0;

/** A name people give, as opposed to a generated identifier or a secret. */
function isNaturalKey(table: Table, column: string): boolean {
  const definition = table.columns.get(column);
  if (!definition || definition.identity === true) return false;
  const word = headOf(wordsOf(column));
  // A code or a key may be a secret or an invitation; as the primary key it is what the rows are called.
  if (word === 'code' || word === 'key') return primaryKey(table).join() === column;
  return /^(?:slug|name|iso\w*|symbol|locale|currency|language|country)$/.test(word);
}

const nameOf = (id: TableId): string => (id.startsWith('public.') ? id.slice(7) : id);
