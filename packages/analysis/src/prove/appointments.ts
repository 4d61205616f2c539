import type {
  Policy,
  Predicate,
  Query,
  SchemaFunction,
  Table,
  TableId,
  Target,
  TargetRef,
  Value,
} from '@tenant-lint/model';
import type { PolicyLookup } from '../model.js';
import { Calls } from './calls.js';
import { newRows, policiesFor, rolesOf } from './compose.js';
import { identityOf } from './identity.js';
import type { PolicyContext } from './policies.js';
import { PolicyWorld } from './policy-world.js';
import {
  bareOf,
  callersRow,
  findsStaff,
  isStaffClaim,
  isStaffRole,
  readsStaffFlag,
  staffColumns,
  staffTests,
  withMember,
} from './staff.js';
import { eachNode } from './walk.js';

interface Appointment {
  readonly table: Table;
  readonly columns: Set<string>;
  readonly by: Set<Policy>;
}

/**
 * The tables in which policies look up whether the caller is one of the operator's own people, with the policies by which somebody who is not can
 * write such a row.
 */
export function appointments(context: PolicyContext): readonly PolicyLookup[] {
  const found = new Map<TableId, Appointment>();
  const world = new PolicyWorld(context, { name: 'public', all: new Set(['public']), assumed: false });
  for (const table of context.schema.tables.values())
    for (const policy of table.policies)
      for (const clause of [policy.using, policy.check]) if (clause) collect(clause, policy, world, found);
  return [...found.values()].map(({ table, columns, by }) => ({
    table,
    columns: [...columns],
    by: [...by],
    writableBy: appointedBy(table, columns, context),
    staff: true,
  }));
}

/** Notes the staff tests of a condition and of the functions that it calls. */
function collect(clause: Predicate, policy: Policy, world: PolicyWorld, found: Map<TableId, Appointment>): void {
  const calls = new Calls(world, new Map<TargetRef, Target>());
  const seen = new Set<SchemaFunction | undefined>();
  const note = (target: Target | undefined, column?: string): void => {
    const table = target && world.tableOf(target);
    if (!table) return;
    let known = found.get(table.id);
    if (!known) found.set(table.id, (known = { table, columns: new Set(), by: new Set() }));
    if (column !== undefined) known.columns.add(column);
    known.by.add(policy);
  };
  const noteTest = (query: Query): void => {
    for (const test of staffTests(query, world.staff)) {
      const columns = staffColumns(test);
      for (const { target, column } of columns) note(target, column);
      if (columns.length === 0) note(callersRow(test));
    }
  };
  const look = (tree: Predicate | Value, depth: number): void =>
    eachNode(tree, (node) => {
      const part = node as unknown as Predicate | Value;
      if (part.kind === 'exists' || part.kind === 'query') noteTest(part.query);
      if (part.kind === 'in-query') noteTest(withMember(part));
      for (const [left, right] of pairsOf(part)) {
        const read = asksForStaff(left, right, world, calls);
        const output = typeof read === 'object' ? read.query.output[0] : undefined;
        if (typeof read === 'object' && output?.kind === 'column')
          note(
            read.query.targets.find((t) => t.ref === output.target),
            output.column,
          );
      }
      if (part.kind !== 'apply' || depth > 4) return;
      const f = world.function(part.function, part.to.length);
      // A call with other arguments may ask for another role.
      if (!f || (seen.has(f) && part.to.length === 0)) return;
      seen.add(f);
      const body = calls.body(part);
      if (typeof body === 'object') look(body, depth + 1);
    });
  look(clause, 0);
}

/** What a condition compares by equality. */
function pairsOf(part: Predicate | Value): readonly (readonly [Value, Value])[] {
  if (part.kind === 'compare' && part.operator === '=') return [[part.left, part.right]];
  return part.kind === 'in' ? part.right.map((item) => [part.left, item] as const) : [];
}

const isTest = (query: Query, world: PolicyWorld): boolean =>
  findsStaff(query, world.staff) || readsStaffFlag(query, world.staff);

/** The policies by which somebody who is no staff can write a row with those columns as he likes. */
function appointedBy(table: Table, columns: ReadonlySet<string>, context: PolicyContext): readonly Policy[] {
  if (!table.rowSecurity.enabled) return [];
  const found = new Set<Policy>();
  for (const role of rolesOf(table, context)) {
    const world = new PolicyWorld(context, role);
    const calls = new Calls(world, new Map<TargetRef, Target>());
    for (const command of ['insert', 'update'] as const) {
      const { permissive, restrictive } = policiesFor(table, command, role);
      for (const policy of permissive) {
        const clauses = [newRows(policy), ...restrictive.map(newRows)].flatMap((p) => p ?? []);
        if (newRows(policy) && clauses.every((p) => mayHold(p, columns, world, calls, 0))) found.add(policy);
      }
    }
  }
  return [...found];
}

/**
 * Whether a condition may hold for a new row whoever writes it, and whatever it says of who is staff: it does not ask for staff itself, and leaves the
 * columns alone. What nobody can read may hold nothing.
 */
function mayHold(p: Predicate, columns: ReadonlySet<string>, world: PolicyWorld, calls: Calls, depth: number): boolean {
  const inner = (part: Predicate): boolean => mayHold(part, columns, world, calls, depth);
  switch (p.kind) {
    case 'and':
      return p.of.every(inner);
    case 'or':
      return p.of.some(inner);
    case 'never':
    case 'unknown':
      return false;
    case 'exists':
      return !isTest(p.query, world) && !names(p, columns);
    case 'in-query':
      return !isTest(withMember(p), world) && !names(p, columns);
    case 'compare':
      return !names(p, columns) && asksForStaff(p.left, p.right, world, calls) === false;
    case 'in':
      return !names(p, columns) && p.right.some((item) => asksForStaff(p.left, item, world, calls) === false);
    case 'value':
      return !names(p, columns) && valueMayHold(p.of, columns, world, calls, depth);
    default:
      return !names(p, columns);
  }
}

function valueMayHold(
  value: Value,
  columns: ReadonlySet<string>,
  world: PolicyWorld,
  calls: Calls,
  depth: number,
): boolean {
  const inner = bareOf(value);
  switch (inner.kind) {
    case 'predicate':
      return mayHold(inner.predicate, columns, world, calls, depth);
    case 'query':
      return !isTest(inner.query, world);
    case 'constant':
      return inner.value === true;
    case 'choice': {
      const [then, otherwise] = inner.of;
      if (inner.test && then && otherwise)
        return (
          (valueMayHold(inner.test, columns, world, calls, depth) &&
            valueMayHold(then, columns, world, calls, depth)) ||
          valueMayHold(otherwise, columns, world, calls, depth)
        );
      return inner.of.some((v) => valueMayHold(v, columns, world, calls, depth));
    }
    case 'apply': {
      if (isStaffClaim(inner) || depth > 4) return false;
      const body = calls.body(inner);
      return typeof body === 'object' && valueMayHold(body, columns, world, calls, depth + 1);
    }
    default:
      return false;
  }
}

/**
 * Whether the caller's role is compared with that of staff (then by which look-up), or the database role with one that no request runs under.
 */
function asksForStaff(
  left: Value,
  right: Value,
  world: PolicyWorld,
  calls: Calls,
): boolean | Extract<Value, { kind: 'query' }> {
  const sides = [bareOf(left), bareOf(right)];
  const constant = sides.find((side) => side.kind === 'constant');
  const other = sides.find((side) => side !== constant);
  if (constant?.kind !== 'constant' || !other) return false;
  if (identityOf(other) === 'role') return !world.roles.has(String(constant.value));
  let read = other;
  for (let depth = 0; read.kind === 'apply' && depth < 4; depth++) {
    const body = calls.body(read);
    if (typeof body !== 'object') break;
    read = bareOf(body);
  }
  if (constant.value === true && read.kind === 'query') return isTest(read.query, world) ? read : false;
  if (typeof constant.value !== 'string' || !isStaffRole(read, constant.value, world.staff)) return false;
  return read.kind === 'query' ? read : true;
}

/** Whether a condition says anything of such a column of the row itself. */
function names(p: Predicate, columns: ReadonlySet<string>): boolean {
  let found = false;
  eachNode(p, (node) => {
    found ||= node['kind'] === 'column' && node['target'] === 'self' && columns.has(String(node['column']));
  });
  return found;
}
