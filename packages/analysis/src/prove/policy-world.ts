import { and, mapValue } from '@tenant-lint/model';
import type {
  Policy,
  Predicate,
  Schema,
  SchemaFunction,
  Table,
  TableId,
  Target,
  TargetRef,
  Tenancy,
  TenancyModel,
  Value,
} from '@tenant-lint/model';
import { SchemaWorld } from '../judge/world.js';
import { Tables } from '../link/tables.js';
import { admitted, requesting, type RoleView } from './compose.js';
import { identityOf } from './identity.js';
import type { ColumnFact, World } from './question.js';
import { resolveColumns } from './resolve.js';
import { partsOf, type StaffWorld } from './staff.js';
import { adminsAreStaff } from './staff-words.js';
import { eachComparison, eachNode, eachValue, refsIn, renameTargets, separated, targetsIn } from './walk.js';

/** What does not depend on the role, remembered with the schema it was made from. */
interface Base {
  readonly tenancy: TenancyModel;
  readonly tables: Tables;
  readonly world: SchemaWorld;
  readonly bound: WeakMap<SchemaFunction, Value>;
  /** Columns by which policies of other tables, or functions, look a row up by the identity of the caller. */
  readonly lookups: Lookups;
  readonly demands: Demands;
  readonly staff: StaffWorld;
}

/** For each table the columns compared with the caller, each with the policies that do so themselves or by a function they call. */
type Lookups = ReadonlyMap<TableId, ReadonlyMap<string, readonly Policy[]>>;
/** What look-ups ask of the rows of a table besides, over `self`: one condition for each look-up. */
type Demands = ReadonlyMap<TableId, readonly Predicate[]>;

const bases = new WeakMap<Schema, Base>();

function baseOf(schema: Schema, tenancy: TenancyModel): Base {
  const known = bases.get(schema);
  if (known?.tenancy === tenancy) return known;
  const tables = new Tables(schema);
  const world = new SchemaWorld(schema, tables, tenancy);
  const plain = adminsAreStaff(schema, tenancy);
  const base: Base = {
    tenancy,
    tables,
    world,
    bound: new WeakMap(),
    ...lookupsOf(schema, tables, world),
    staff: {
      ownedByNobody: (target) => ['unknown', 'shared'].includes(world.tenancy(target).kind),
      meansStaff: () => plain,
    },
  };
  bases.set(schema, base);
  return base;
}

/** What the schema says to the prover about policies: as for queries, and the policies of looked-up tables hold for the role as well. */
export class PolicyWorld implements World {
  readonly settings: ReadonlySet<string>;
  readonly roles: ReadonlySet<string>;
  readonly staff: StaffWorld;
  readonly #base: Base;
  readonly #schema: Schema;

  constructor(
    context: { readonly schema: Schema; readonly tenancy: TenancyModel },
    private readonly role: RoleView,
  ) {
    this.#schema = context.schema;
    this.#base = baseOf(context.schema, context.tenancy);
    this.settings = this.#base.world.settings;
    this.staff = this.#base.staff;
    this.roles = new Set([...role.all, ...(role.name === 'public' ? requesting : [])]);
  }

  /** Where policies look up what the caller may see. */
  static lookups(context: { readonly schema: Schema; readonly tenancy: TenancyModel }): Lookups {
    return baseOf(context.schema, context.tenancy).lookups;
  }

  /** What the look-ups in a table ask of the row that they find. Empty: nothing is known of them. */
  static demands(
    context: { readonly schema: Schema; readonly tenancy: TenancyModel },
    table: TableId,
  ): readonly Predicate[] {
    return baseOf(context.schema, context.tenancy).demands.get(table) ?? [];
  }

  /** The row of a policy's own table. */
  self(table: Table): Target {
    return {
      ref: 'self',
      table: { known: true, value: { by: 'sql', schema: table.name.schema ?? 'public', name: table.name.name } },
      alias: table.name.name,
      role: 'root',
      operation: 'read',
      predicate: { kind: 'always', why: 'no condition' },
      cardinality: 'many',
      span: table.origin.created,
    };
  }

  tenancy(target: Target): Tenancy {
    return this.#base.world.tenancy(target);
  }

  column(target: Target, column: string): ColumnFact {
    const fact = this.#owned(this.#base.world.column(target, column));
    const table = this.tableOf(target);
    if (table?.complete && !table.columns.has(column) && !everyRowHas.test(column)) return { ...fact, absent: true };
    return fact.role !== 'key' && table && this.#base.lookups.get(table.id)?.has(column)
      ? { ...fact, role: 'user' }
      : fact;
  }

  /** A reference to a table whose rows belong to no tenant (users of several) ties nothing. */
  #owned(fact: ColumnFact): ColumnFact {
    if (fact.role !== 'reference' || fact.to === undefined) return fact;
    const kind = this.#base.tenancy.tables.get(fact.to)?.kind ?? 'unknown';
    return kind === 'shared' || kind === 'unknown' ? { ...fact, role: 'plain' } : fact;
  }

  function(name: string, args: number): SchemaFunction | undefined {
    return functionOf(this.#schema, name, args);
  }

  bound(f: SchemaFunction): Value | undefined {
    if (!f.body.known) return undefined;
    let bound = this.#base.bound.get(f);
    if (!bound) {
      bound = resolveColumns(separated(f.body.value), (target) => this.columns(target));
      this.#base.bound.set(f, bound);
    }
    return bound;
  }

  columns(target: Target): ReadonlySet<string> | undefined {
    return columnsOf(this.#base.tables, target);
  }

  name(target: Target): string {
    return this.#base.world.name(target);
  }

  rowSecurity(target: Target): Predicate | undefined {
    const table = this.tableOf(target);
    return table?.rowSecurity.enabled ? admitted(table, 'select', this.role, 'using') : undefined;
  }

  /** The table of a target, as far as the schema has it. */
  tableOf(target: Target): Table | undefined {
    return target.table.known ? this.#base.tables.table(target.table.value) : undefined;
  }
}

function lookupsOf(
  schema: Schema,
  tables: Tables,
  world: SchemaWorld,
): { readonly lookups: Lookups; readonly demands: Demands } {
  const found = new Map<TableId, Map<string, Policy[]>>();
  const demands = new Map<TableId, Predicate[]>();
  const note = (table: Table, column: string, by: readonly Policy[]): void => {
    let columns = found.get(table.id);
    if (!columns) found.set(table.id, (columns = new Map<string, Policy[]>()));
    const known = columns.get(column) ?? [];
    columns.set(column, known);
    for (const policy of by) if (policy.table !== table.id && !known.includes(policy)) known.push(policy);
  };
  const look = (tree: Predicate | Value, of: Table | undefined, by: readonly Policy[]): void => {
    const targets = new Map(targetsIn(tree).map((t) => [t.ref, t]));
    if (targets.size === 0) return;
    let ties: Ties | undefined;
    const demanding = new Set<TargetRef>();
    eachComparison(tree, (sides) => {
      for (const [i, side] of sides.entries()) {
        const column = uncast(side);
        const target = column.kind === 'column' && column.target !== undefined ? targets.get(column.target) : undefined;
        const table = target?.table.known ? tables.table(target.table.value) : undefined;
        if (!target || !table || table === of || column.kind !== 'column') continue;
        const byCaller = sides.some((other, j) => j !== i && isCaller(other, world.column(target, column.column)));
        if (!byCaller || isParent(world, table, target, (ties ??= tiesIn(tree)))) continue;
        note(table, column.column, by);
        if (demanding.has(target.ref)) continue;
        demanding.add(target.ref);
        demands.set(table.id, [...(demands.get(table.id) ?? []), demandOf(target.ref, tree)]);
      }
    });
  };
  for (const table of schema.tables.values())
    for (const policy of table.policies) for (const clause of clausesOf(policy)) look(clause, table, [policy]);
  const callers = callersOf(schema);
  const handed = callerParameters(schema);
  for (const overloads of schema.functions.values())
    for (const f of overloads) {
      const { name, body } = f;
      if (body.known) {
        const qualified = `${name.schema ?? 'public'}.${name.name}`;
        const bound = resolveColumns(separated(body.value), (target) => columnsOf(tables, target));
        look(withCaller(bound, handed.get(f)), undefined, [
          ...(callers.get(name.name) ?? []),
          ...(callers.get(qualified) ?? []),
        ]);
      }
    }
  return { lookups: found, demands };
}

/** What a look-up asks of its row alone: the parts of its condition that name nothing else but constants. */
function demandOf(ref: TargetRef, tree: Predicate | Value): Predicate {
  const parts: Predicate[] = [];
  eachNode(tree, (node) => {
    const targets = node['targets'];
    if (!Array.isArray(targets) || !(targets as readonly Target[]).some((t) => t.ref === ref)) return;
    for (const part of partsOf(node['condition'] as Predicate)) {
      const refs = [...refsIn(part)];
      const alone = refs.length === 1 && refs[0] === ref && targetsIn(part).length === 0;
      if (alone && /^(?:compare|null|not|in|value|is)$/.test(part.kind) && !namesSession(part))
        parts.push(renameTargets(part, () => 'self'));
    }
  });
  return and(...parts);
}

/** Whether a condition depends on more than the row and constants. */
function namesSession(part: Predicate): boolean {
  let found = false;
  eachValue(part, (value) => {
    found ||=
      value.kind !== 'column' &&
      value.kind !== 'constant' &&
      !(value.kind === 'apply' && value.function.startsWith('cast:'));
  });
  return found;
}

/**
 * Whether a look-up finds nothing but the parent of a row: by its primary key, which is no key of a tenant. Whoever writes parents of his own reaches
 * their children by that, and nobody else's.
 */
function isParent(world: SchemaWorld, table: Table, target: Target, ties: Ties): boolean {
  const [column, ...more] = table.constraints.find((c) => c.kind === 'primary key')?.columns ?? [];
  if (column === undefined || more.length > 0 || world.column(target, column).role === 'key') return false;
  const own = [...(ties.get(target.ref) ?? [])];
  return own.length > 0 && own.every((tie) => tie === column);
}

/** The columns of each target by which it is tied to other rows: compared with their columns or with parameters, or selected. */
type Ties = ReadonlyMap<TargetRef, ReadonlySet<string>>;

function tiesIn(tree: Predicate | Value): Ties {
  const found = new Map<TargetRef, Set<string>>();
  const note = (value: Value): void => {
    if (value.kind !== 'column' || value.target === undefined) return;
    let columns = found.get(value.target);
    if (!columns) found.set(value.target, (columns = new Set()));
    columns.add(value.column);
  };
  eachComparison(tree, (sides) => {
    const bare = sides.map(uncast).filter((side) => side.kind === 'column' || side.kind === 'placeholder');
    const refs = new Set(bare.map((side) => (side.kind === 'column' ? side.target : side)));
    // With something else beside it, whichever of them that is.
    if (refs.size > 1) bare.forEach(note);
  });
  eachNode(tree, (node) => {
    if (Array.isArray(node['output'])) for (const value of node['output'] as readonly Value[]) note(uncast(value));
  });
  return found;
}

function columnsOf(tables: Tables, target: Target): ReadonlySet<string> | undefined {
  const table = target.table.known ? tables.table(target.table.value) : undefined;
  return table?.complete ? new Set(table.columns.keys()) : undefined;
}

/** The function that a call of this name with so many arguments reaches. */
function functionOf(schema: Schema, name: string, args: number): SchemaFunction | undefined {
  const overloads = schema.functions.get(name) ?? schema.functions.get(`public.${name}`);
  return overloads?.find((f) => {
    const parameters = f.parameters.filter((p) => p.mode !== 'out' && p.mode !== 'table');
    return parameters.length >= args && parameters.slice(args).every((p) => p.default !== undefined);
  });
}

/**
 * For each function the parameters, by their positions, that policies and functions hand the identity of the caller to: `is_member(auth.uid(), org_id)`.
 */
function callerParameters(schema: Schema): ReadonlyMap<SchemaFunction, ReadonlySet<string>> {
  const found = new Map<SchemaFunction, Set<string>>();
  const open: SchemaFunction[] = [];
  const follow = (tree: Predicate | Value, handed: ReadonlySet<string>): void =>
    eachValue(tree, (call) => {
      if (call.kind !== 'apply') return;
      const positions = call.to.flatMap((argument, i) => {
        const value = uncast(argument);
        const isHanded = value.kind === 'placeholder' ? handed.has(value.name) : identityOf(value) === 'caller';
        return isHanded ? [String(i + 1)] : [];
      });
      const f = positions.length > 0 ? functionOf(schema, call.function, call.to.length) : undefined;
      if (!f) return;
      const known = found.get(f) ?? new Set<string>();
      if (positions.every((position) => known.has(position))) return;
      found.set(f, new Set([...known, ...positions]));
      open.push(f);
    });
  const none: ReadonlySet<string> = new Set<string>();
  for (const table of schema.tables.values())
    for (const policy of table.policies) for (const clause of clausesOf(policy)) follow(clause, none);
  for (const f of [...schema.functions.values()].flat()) if (f.body.known) follow(f.body.value, none);
  for (let f = open.pop(); f; f = open.pop()) if (f.body.known) follow(f.body.value, found.get(f) ?? none);
  return found;
}

const withCaller = (body: Value, handed: ReadonlySet<string> | undefined): Value =>
  handed === undefined
    ? body
    : mapValue(body, (value) => (value.kind === 'placeholder' && handed.has(value.name) ? caller : value));

const caller: Value = { kind: 'apply', function: 'auth.uid', to: [] };

/** The policies that call each function, by the name they use. */
function callersOf(schema: Schema): ReadonlyMap<string, readonly Policy[]> {
  const found = new Map<string, Policy[]>();
  for (const table of schema.tables.values())
    for (const policy of table.policies)
      for (const clause of clausesOf(policy))
        eachValue(clause, (value) => {
          if (value.kind !== 'apply') return;
          const list = found.get(value.function);
          if (!list) found.set(value.function, [policy]);
          else if (!list.includes(policy)) list.push(policy);
        });
  return found;
}

const clausesOf = (policy: Policy): readonly Predicate[] => [policy.using, policy.check].flatMap((p) => p ?? []);

/** The identity of the session, or a setting that stands for it: one that a reference is compared with, and so no tenant and no role. */
function isCaller(value: Value, fact: ColumnFact): boolean {
  const inner = uncast(value);
  const identity = identityOf(inner);
  if (identity !== undefined) return identity === 'caller' || identity === 'role';
  return inner.kind === 'setting' && (fact.role === 'reference' || fact.role === 'user');
}

function uncast(value: Value): Value {
  if (value.kind === 'apply' && value.to[0] && (value.function.startsWith('cast:') || value.function === 'nullif'))
    return uncast(value.to[0]);
  if (value.kind === 'query' && value.query.targets.length === 0 && value.query.output[0])
    return uncast(value.query.output[0]);
  return value;
}

/** The whole row, and the columns of the system. */
const everyRowHas = /^(?:\*|tableoid|ctid|xmin|xmax|cmin|cmax|oid)$/;
