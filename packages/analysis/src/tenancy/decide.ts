import type { TableId } from '@tenant-lint/model';
import { candidatesOf, membershipOf, type Candidate } from './candidates.js';
import type { Decision } from './classify.js';
import type { PolicyEvidence } from './evidence.js';
import type { Graph } from './graph.js';
import { containerOf, keysIn, type Container } from './keys.js';
import type { TenancyHints } from './options.js';
import { isDivision } from './words.js';

/** A score below this convinces nobody. About: half of the tables refer to something that may be a tenant by its name. */
const convincing = 0.6;

export interface Choice extends Decision {
  readonly candidates: readonly Candidate[];
  readonly why: string;
}

/** Chooses the root, goes up to what contains it, and finds what divides it. Undefined if no candidate convinces. */
export function decide(
  graph: Graph,
  evidence: PolicyEvidence,
  hints: TenancyHints | undefined,
  given: readonly TableId[],
): { readonly choice?: Choice; readonly candidates: readonly Candidate[] } {
  const candidates = candidatesOf(graph, evidence, hints);
  const best = given.length > 0 ? undefined : bestOf(graph, candidates);
  if (given.length === 0 && !best) return { candidates };
  const climbed = best ? climb(graph, best, candidates, evidence) : undefined;
  const chosen = climbed?.top;
  const roots = chosen ? [chosen.container, ...beside(chosen, candidates)] : given.map((id) => containerOf(graph, id));
  const levels = levelsOf(graph, roots, candidates, climbed?.passed ?? []);
  const people = candidates.find((c) => c.users);
  const owners =
    people && !roots.some((r) => r === people.container || (r.id !== undefined && graph.users.has(r.id)))
      ? people.container
      : undefined;
  const membership = chosen?.membership ?? membershipOfFirst(graph, roots[0]);
  return {
    candidates,
    choice: {
      roots,
      levels,
      owners,
      candidates,
      ...(membership === undefined ? {} : { membership }),
      why: chosen ? whyChosen(chosen, candidates) : 'given by the configuration',
    },
  };
}

/** Organizations that only a token or a setting knows, beside users: where policies compare them, they are tenants too. */
const beside = (chosen: Candidate, candidates: readonly Candidate[]): readonly Container[] =>
  chosen.users
    ? candidates
        .filter((c) => c.id === undefined && !c.users && c.noun >= 0.95 && c.policies > 0)
        .map((c) => c.container)
    : [];

function membershipOfFirst(graph: Graph, root: Container | undefined): string | undefined {
  if (root?.id === undefined) return undefined;
  const carrying = new Set(
    [...graph.schema.tables.values()].filter((t) => keysIn(graph, t, root).length > 0).map((t) => t.id),
  );
  return membershipOf(graph, root, carrying);
}

/**
 * The best candidate that is not users; users only where nothing else convinces, or where the other belongs to a single user, has no
 * members and is compared by no policy, and either has a weak name (the projects of a to-do list) or policies compare the user instead.
 */
function bestOf(graph: Graph, candidates: readonly Candidate[]): Candidate | undefined {
  const users = candidates.find((c) => c.users && c.score > 0);
  const other = candidates.find((c) => !c.users && c.score >= convincing);
  if (!other) {
    if (!users) return undefined;
    // What policies compare, and much more of the schema leads to, is rather the tenant than the few rows that name users.
    const rival = candidates.find((c) => !c.users && c.policies > 0 && c.score >= 0.4 && c.score > 2 * users.score);
    return rival ?? (usersConvince(graph, users) ? users : undefined);
  }
  const personal =
    users !== undefined &&
    (other.noun < 0.8 || users.policies * 2 >= Math.max(1, other.direct)) &&
    other.membership === undefined &&
    other.policies === 0 &&
    (other.id === undefined || graph.out(other.id).some((e) => e.notNull && graph.users.has(e.to)));
  return personal ? users : other;
}

const usersConvince = (graph: Graph, users: Candidate): boolean =>
  users.policies > 0 || users.reach * 2 >= graph.schema.tables.size - 1;

/**
 * From a workspace to the organization that every workspace has: the outermost is the tenant. A reference that may be NULL counts where policies of the
 * workspaces themselves compare it: whoever is in the organization sees all of its workspaces. `passed`: what such references led away from.
 */
function climb(
  graph: Graph,
  start: Candidate,
  candidates: readonly Candidate[],
  evidence: PolicyEvidence,
): { readonly top: Candidate; readonly passed: readonly Container[] } {
  let at = start;
  const passed: Container[] = [];
  for (const seen = new Set<TableId>(); at.id !== undefined && !seen.has(at.id);) {
    seen.add(at.id);
    const from = at.id;
    const edges = graph
      .out(from)
      .filter((e) => e.to !== from && (e.notNull || e.columns.some((column) => evidence.bound(from, column))));
    const above = candidates.find(
      (c) =>
        c.id !== undefined &&
        !c.users &&
        edges.some((e) => e.to === c.id) &&
        (c.noun >= 0.8 ||
          c.membership !== undefined ||
          edges.some((e) => e.to === c.id && e.columns.some((column) => evidence.bound(from, column)))),
    );
    if (!above) break;
    if (!edges.some((e) => e.to === above.id && e.notNull)) passed.push(at.container);
    at = above;
  }
  return { top: at, passed };
}

/**
 * What divides tenants: a table that always belongs to the root or to a higher division, that others refer to, and that is called like one, or
 * has members or policies of its own. A column that names it determines the tenant as well.
 */
function levelsOf(
  graph: Graph,
  roots: readonly Container[],
  candidates: readonly Candidate[],
  passed: readonly Container[],
): readonly Container[] {
  const levels: Container[] = [...passed];
  const people = roots.some((r) => r.id !== undefined && graph.users.has(r.id));
  const above = new Set([...roots, ...passed].flatMap((r) => r.id ?? []));
  for (let changed = true; changed;) {
    changed = false;
    for (const candidate of candidates) {
      const { id } = candidate;
      if (id === undefined || above.has(id) || (candidate.users && !people)) continue;
      const table = graph.schema.tables.get(id);
      if (!table) continue;
      const belongs = [...roots, ...levels].some((c) => keysIn(graph, table, c).some((k) => !k.nullable));
      // Where users are the tenants, so is what extends their table one to one.
      if (!belongs || !(candidate.users || divides(graph, candidate))) continue;
      levels.push(candidate.container);
      above.add(id);
      changed = true;
    }
  }
  return levels;
}

function divides(graph: Graph, candidate: Candidate): boolean {
  if (candidate.id === undefined || candidate.direct < 2) return false;
  if (graph.words(candidate.id).some((w) => isDivision(w))) return true;
  return candidate.noun > 0 && candidate.membership !== undefined;
}

function whyChosen(chosen: Candidate, candidates: readonly Candidate[]): string {
  const { id, key, direct, reach, membership, policies } = chosen;
  const what = id === undefined ? `${key} (no table of its own)` : nameOf(id);
  const parts = [`${direct} tables carry its key, ${reach} lead to it`];
  if (membership !== undefined) parts.push(`${membership} ties users to it`);
  if (policies > 0) parts.push(`policies of ${policies} tables compare it`);
  const rival = candidates.find(
    (c) => c !== chosen && c.id !== chosen.id && !c.users && c.score >= convincing && c.noun >= 0.8,
  );
  if (rival) parts.push(`more than ${rival.id === undefined ? rival.key : nameOf(rival.id)} (${rival.reach})`);
  return `${what}: ${parts.join(', ')}`;
}

const nameOf = (id: TableId): string => (id.startsWith('public.') ? id.slice(7) : id);
