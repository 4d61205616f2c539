import type { Model } from '@tenant-lint/analysis';
import type { Policy, SchemaFunction, Table, TableId, TableName } from '@tenant-lint/model';
import { clausesOf, functionsIn, nodesIn, remembered } from '../../../lib/conditions.js';
import { rolesOf } from '../../../lib/roles.js';
import { tableNamed } from '../../../lib/schema.js';

/** One step on the way round: a policy of a table that reads the next one. */
export interface Step {
  readonly table: Table;
  readonly policy: Policy;
  /** The function that does so for the policy. */
  readonly function?: SchemaFunction;
  /** Whether row security holds for the function's owner is not known. */
  readonly doubt: boolean;
}

interface Edge extends Step {
  readonly to: TableId;
}

/**
 * The circles in which policies ask for each other. Reading a table asks its policies for SELECT, whatever the command that began it, so
 * only those can go round; for one role at a time, because policies of roles that nobody has together never meet.
 */
export function cycles(model: Model): readonly (readonly Step[])[] {
  const edges = new Map<TableId, Edge[]>();
  for (const table of model.schema.tables.values()) {
    if (!table.rowSecurity.enabled) continue;
    const found = table.policies
      .filter((p) => p.command === 'all' || p.command === 'select')
      .flatMap((p) => readsOf(table, p, model));
    if (found.length > 0) edges.set(table.id, found);
  }
  const reported = new Map<string, readonly Step[]>();
  for (const id of edges.keys()) {
    const found = wayBack(id, edges, model);
    if (!found) continue;
    const key = found
      .map((step) => step.table.id)
      .sort()
      .join(' ');
    if (!reported.has(key)) reported.set(key, found);
  }
  return [...reported.values()];
}

/** The tables with row security that a policy reads, in sub-queries or in functions. */
function readsOf(table: Table, policy: Policy, model: Model): readonly Edge[] {
  const clauses = policy.using ? [policy.using] : clausesOf(policy);
  const direct = tablesIn(clauses, model).map((to): Edge => ({ table, policy, to: to.id, doubt: false }));
  const called = [...functionsIn(clauses, model)].flatMap((f) =>
    [...new Set([...tablesIn(f.queries, model), ...(f.body.known ? tablesIn(f.body.value, model) : [])])].flatMap(
      (to): Edge[] => {
        const bound = f.securityDefiner ? ownerIsBound(f, to, model) : true;
        return bound === false ? [] : [{ table, policy, to: to.id, function: f, doubt: bound === undefined }];
      },
    ),
  );
  return [...direct, ...called];
}

function tablesIn(tree: object, model: Model): readonly Table[] {
  const found = new Set<Table>();
  for (const name of tableNamesIn(tree)) {
    const table = tableNamed(model, name);
    if (table?.rowSecurity.enabled) found.add(table);
  }
  return [...found];
}

const tableNamesIn = remembered((tree: object): readonly TableName[] =>
  [...nodesIn(tree)].flatMap((node) => {
    if (!('ref' in node) || !('role' in node)) return [];
    const name = node['table'] as { known: boolean; value?: TableName } | undefined;
    return name?.known && name.value ? [name.value] : [];
  }),
);

/**
 * Whether row security holds for the owner of a SECURITY DEFINER function when it reads a table: only under FORCE, and only if the role does
 * not bypass it. Undefined where the owner is not known.
 */
function ownerIsBound(f: SchemaFunction, table: Table, model: Model): boolean | undefined {
  if (!table.rowSecurity.forced) return false;
  if (f.owner === undefined) return undefined;
  const role = model.schema.roles.get(f.owner);
  if (!role) return undefined;
  return !role.attributes.some((a) => /^(?:bypassrls|superuser)$/i.test(a));
}

/** The shortest way from a table back to itself, by policies that one role can have. */
function wayBack(
  start: TableId,
  edges: ReadonlyMap<TableId, readonly Edge[]>,
  model: Model,
): readonly Step[] | undefined {
  const open: (readonly Edge[])[] = (edges.get(start) ?? []).map((edge) => [edge]);
  const seen = new Set<string>();
  for (let path = open.shift(); path !== undefined; path = open.shift()) {
    const last = path[path.length - 1];
    if (!last) continue;
    if (last.to === start) return path;
    for (const edge of edges.get(last.to) ?? []) {
      const key = `${edge.policy.table} ${edge.policy.name} ${edge.to}`;
      if (seen.has(key) || !together([...path, edge], model)) continue;
      seen.add(key);
      open.push([...path, edge]);
    }
  }
  return undefined;
}

function together(path: readonly Edge[], model: Model): boolean {
  const named = path.map(({ policy }) => policy.roles).filter((roles) => roles.length > 0 && !roles.includes('public'));
  const [first, ...rest] = named;
  if (!first) return true;
  const candidates = [...new Set(named.flat())];
  return candidates.some((role) => [first, ...rest].every((roles) => roles.some((r) => rolesOf(model, role).has(r))));
}
