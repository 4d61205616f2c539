import {
  and,
  equal,
  or,
  type Predicate,
  type Query,
  type Target,
  type TargetRef,
  type Value,
} from '@tenant-lint/model';
import { claimPath, identityOf } from './identity.js';
import { refsIn, targetsIn } from './walk.js';

/** What has to be known of a looked-up table to tell the operator's own people from the administrators of a tenant. */
export interface StaffWorld {
  /** Whether the rows of a target belong to nobody: a role there is the user's own, not one within a tenant. */
  readonly ownedByNobody: (target: Target) => boolean;
  /** Whether a plain 'admin' names the operator's people in this project, and not those in charge of one tenant. */
  readonly meansStaff: () => boolean;
}

/** Words that name whoever runs the system. */
const strong =
  /^(?:is_|has_|can_)?(?:(?:super|site|platform|system|saas|global|internal|instance|server|root)_?(?:admin(?:istrator)?|manager|staff|operator|owner|user)s?|super_?users?|(?:superadmin|sysadmin)s?|staff|operators?|root|service_role)$/;
/** Words that name them or the administrators of a tenant. */
const weak = /^(?:is_)?admin(?:istrator)?s?$/;

type Strength = 'strong' | 'weak';

/** The word in lower case with underscores, whatever the spelling. */
const wordOf = (text: string): string =>
  text
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/[\s-]+/g, '_')
    .toLowerCase();

/** How surely a word names the operator's people. */
export function strengthOf(text: string): Strength | undefined {
  const word = wordOf(text);
  return strong.test(word) ? 'strong' : weak.test(word) ? 'weak' : undefined;
}

/** Whether a role or flag may be that of the operator's people. */
export const namesStaff = (word: string): boolean => strengthOf(word) !== undefined;

/**
 * Whether a sub-query finds a row only for the operator's own people: it looks the caller up, asks for a flag or a role that says so, and does
 * not ask which tenant the row in question belongs to. A plain 'admin' counts only in a table that no tenant owns.
 */
export function findsStaff(query: Query, world: StaffWorld): boolean {
  const parts = partsOf(query.condition);
  if (!looksUpCaller(query, parts)) return false;
  const flags = [...parts.map((part) => flagOf(part, query)), nameOfTable(query)];
  return counts(flags, query, world);
}

/**
 * A look-up without the alternatives that only the operator's own people meet: of `user_id = caller AND (role = 'super_admin' OR tenant_id = x)` the
 * second is left. Undefined: it finds nobody else.
 */
export function withoutStaff(query: Query, world: StaffWorld): Query | undefined {
  if (findsStaff(query, world)) return undefined;
  const gone = new Set(staffWays(query, world).map(({ way }) => way));
  if (gone.size === 0) return query;
  const parts = partsOf(query.condition).map((part) =>
    part.kind === 'or' ? or(...part.of.filter((way) => !gone.has(way))) : part,
  );
  return { ...query, condition: and(...parts) };
}

/** A look-up by each way in which it finds the operator's own people: itself, or with one alternative of its condition. */
export function staffTests(query: Query, world: StaffWorld): readonly Query[] {
  if (findsStaff(query, world) || readsStaffFlag(query, world)) return [query];
  return staffWays(query, world).map(({ alone }) => alone);
}

const asking = (query: Query, condition: Predicate): Query => ({
  ...query,
  targets: query.targets.map((target) => ({ ...target, predicate: condition })),
  condition,
});

function staffWays(query: Query, world: StaffWorld): readonly { readonly way: Predicate; readonly alone: Query }[] {
  const parts = partsOf(query.condition);
  return parts.flatMap((part) => {
    if (part.kind !== 'or') return [];
    const others = parts.filter((other) => other !== part && other.kind !== 'or');
    return part.of
      .map((way) => ({ way, alone: asking(query, and(...others, way)) }))
      .filter(({ alone }) => findsStaff(alone, world));
  });
}

/** Whether a scalar sub-query gives the flag of the caller, which is true only for the operator's own people. */
export function readsStaffFlag(query: Query, world: StaffWorld): boolean {
  if (!looksUpCaller(query, partsOf(query.condition))) return false;
  const [output] = query.output;
  return output !== undefined && counts([flagColumn(output, query)], query, world);
}

/** Whether a value is the role of the caller, and a text one that only the operator's own people have. */
export function isStaffRole(value: Value, role: string, world: StaffWorld): boolean {
  const strength = strengthOf(role);
  if (strength === undefined) return false;
  const inner = bareOf(value);
  const path = claimPath(inner);
  // What the identity provider wrote into the token; the user writes nothing there.
  if (path) return identityOf(inner) === 'tenant-verified' && /role|type|level|admin|staff/i.test(path.at(-1) ?? '');
  if (inner.kind !== 'query') return false;
  const { query } = inner;
  const column = query.output[0] && ownColumn(query.output[0], query);
  if (column === undefined || !looksUpCaller(query, partsOf(query.condition))) return false;
  return strength === 'strong' || (world.meansStaff() && query.targets.every((t) => world.ownedByNobody(t)));
}

/** Whether a claim of the token is a flag that only the operator's own people have. */
export function isStaffClaim(value: Value): boolean {
  const inner = bareOf(value);
  const path = claimPath(inner);
  const last = path?.at(-1);
  return last !== undefined && identityOf(inner) === 'tenant-verified' && strengthOf(last) !== undefined;
}

/** The columns of a staff test that say so, by target. */
export function staffColumns(query: Query): readonly { readonly target: Target; readonly column: string }[] {
  const found: { target: Target; column: string }[] = [];
  const note = (value: Value): void => {
    const column = ownColumn(value, query);
    const target = column && query.targets.find((t) => t.ref === column.target);
    if (column && target) found.push({ target, column: column.column });
  };
  for (const part of partsOf(query.condition)) {
    if (flagOf(part, query) === undefined) continue;
    for (const value of sidesOf(part)) note(value);
  }
  for (const value of query.output) if (flagColumn(value, query) !== undefined) note(value);
  return found;
}

/** The sub-query of `auth.uid() IN (SELECT user_id FROM ...)`, with the comparison among its conditions. */
export const withMember = (p: Extract<Predicate, { kind: 'in-query' }>): Query => ({
  ...p.query,
  condition: and(
    ...p.left.flatMap((left, i): Predicate[] => {
      const right = p.query.output[i];
      return right ? [equal(left, right)] : [];
    }),
    p.query.condition,
  ),
});

/** The target whose row names the caller. */
export function callersRow(query: Query): Target | undefined {
  for (const part of partsOf(query.condition)) {
    const column = namesCaller(part, query);
    const target = column && query.targets.find((t) => t.ref === column.target);
    if (target) return target;
  }
  return undefined;
}

function counts(found: readonly (Strength | undefined)[], query: Query, world: StaffWorld): boolean {
  if (found.includes('strong')) return true;
  return found.includes('weak') && world.meansStaff() && query.targets.every((t) => world.ownedByNobody(t));
}

/** A row that names the caller, whatever the row in question: a look-up that asks for its tenant finds a membership. */
function looksUpCaller(query: Query, parts: readonly Predicate[]): boolean {
  if (query.arms?.length || !parts.some((part) => namesCaller(part, query))) return false;
  const inner = new Set<TargetRef>([...query.targets.map((t) => t.ref), ...targetsIn(query).map((t) => t.ref)]);
  return [...refsIn(query)].every((ref) => inner.has(ref));
}

function namesCaller(part: Predicate, query: Query): { target: TargetRef; column: string } | undefined {
  if (part.kind !== 'compare' || part.operator !== '=') return undefined;
  const sides = [part.left, part.right];
  const at = sides.findIndex((side) => identityOf(bareOf(side)) === 'caller');
  const side = sides[1 - at];
  return at < 0 || !side ? undefined : ownColumn(side, query);
}

/** How surely a part of the condition asks for the operator's people. */
function flagOf(part: Predicate, query: Query): Strength | undefined {
  switch (part.kind) {
    case 'value':
      return flagColumn(part.of, query);
    case 'is':
      return part.test === true ? flagOf(part.of, query) : undefined;
    case 'or':
      return weakest(part.of.map((p) => flagOf(p, query)));
    case 'compare': {
      if (part.operator !== '=') return undefined;
      const sides = [part.left, part.right].map(bareOf);
      const constant = sides.find((side) => side.kind === 'constant');
      const other = sides.find((side) => side.kind !== 'constant');
      if (constant?.kind !== 'constant' || !other) return undefined;
      return constant.value === true ? flagColumn(other, query) : roleOf(other, constant.value, query);
    }
    case 'in':
      return weakest(
        part.right.flatMap(itemsOf).map((item) => {
          const value = bareOf(item);
          return value.kind === 'constant' ? roleOf(part.left, value.value, query) : undefined;
        }),
      );
    default:
      return undefined;
  }
}

/** The items of `= ANY (...)` over a list that is written out. */
function itemsOf(item: Value): readonly Value[] {
  const list = item.kind === 'element' ? bareOf(item.of) : item;
  return list.kind === 'list' ? list.of.map(({ value }) => value) : [item];
}

const roleOf = (column: Value, role: unknown, query: Query): Strength | undefined =>
  typeof role === 'string' && ownColumn(column, query) ? strengthOf(role) : undefined;

function flagColumn(value: Value, query: Query): Strength | undefined {
  const column = ownColumn(value, query);
  // A column called 'root' or 'staff' may be anything; one that says is_ may not.
  return column && strengthOf(column.column);
}

/** `platform_admins`: that the caller has a row there is all there is to ask. */
function nameOfTable(query: Query): Strength | undefined {
  const [target, ...others] = query.targets;
  if (!target || others.length > 0 || !target.table.known) return undefined;
  const { name } = target.table.value;
  return name.endsWith('s') ? strengthOf(name) : undefined;
}

const weakest = (of: readonly (Strength | undefined)[]): Strength | undefined =>
  of.length === 0 || of.includes(undefined) ? undefined : of.includes('weak') ? 'weak' : 'strong';

/** A column of one of the query's own targets. */
function ownColumn(value: Value, query: Query): { target: TargetRef; column: string } | undefined {
  const inner = bareOf(value);
  if (inner.kind !== 'column') return undefined;
  const { target } = inner;
  return target !== undefined && query.targets.some((t) => t.ref === target)
    ? { target, column: inner.column }
    : undefined;
}

function sidesOf(part: Predicate): readonly Value[] {
  switch (part.kind) {
    case 'value':
      return [part.of];
    case 'is':
      return sidesOf(part.of);
    case 'or':
      return part.of.flatMap(sidesOf);
    case 'compare':
      return [part.left, part.right];
    case 'in':
      return [part.left];
    default:
      return [];
  }
}

/** The parts that an AND joins. */
export const partsOf = (p: Predicate): readonly Predicate[] => (p.kind === 'and' ? p.of.flatMap(partsOf) : [p]);

/** Without casts, defaults, changes of case, and the SELECT around a single value. */
export function bareOf(value: Value): Value {
  if (
    value.kind === 'apply' &&
    value.to[0] &&
    (value.function.startsWith('cast:') || /^(?:coalesce|lower|nullif|trim|btrim)$/.test(value.function))
  )
    return bareOf(value.to[0]);
  if (
    value.kind === 'query' &&
    value.query.targets.length === 0 &&
    value.query.output.length === 1 &&
    value.query.output[0]
  )
    return bareOf(value.query.output[0]);
  return value;
}
