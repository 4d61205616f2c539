import {
  and,
  equal,
  type Access,
  type Predicate,
  type Reason,
  type Schema,
  type SchemaFunction,
  type Table,
  type TableId,
  type Target,
  type TenancyModel,
  type Value,
} from '@tenant-lint/model';
import type { FunctionAccess, FunctionLeak } from '../model.js';
import { rewritten } from './blame.js';
import { identityOf } from './identity.js';
import { PolicyWorld } from './policy-world.js';
import { prove } from './prove.js';
import type { Budget, Proof, ProofQuestion, ValueClass } from './question.js';
import { resolveColumns } from './resolve.js';
import { bareOf, partsOf } from './staff.js';
import { isPredicate, refsIn, renameTargets } from './walk.js';

interface Context {
  readonly schema: Schema;
  readonly tenancy: TenancyModel;
}

/** Conditions evaluated for all statements of one function. */
const maxEvaluations = 120_000;

const everybody = { name: 'public', all: new Set(['public']), assumed: false };

/** The world of a function with its owner's rights: the policies of the tables it looks up do not hold. */
class OwnerWorld extends PolicyWorld {
  constructor(
    context: Context,
    private readonly rows: ReadonlyMap<string, Target>,
    private readonly f: Judged,
  ) {
    super(context, everybody);
  }

  /** A parameter that no key has the type of says nothing about tenancy. */
  classify(value: Value): ValueClass | undefined {
    if (value.kind !== 'placeholder') return undefined;
    const type = inputsOf(this.f)[Number(value.name) - 1]?.type;
    return type === undefined || identifies.test(type) ? undefined : 'free';
  }

  override rowSecurity(): undefined {
    return undefined;
  }

  /** The table of a target that holds rows of tenants. */
  tenantTable(target: Target): Table | undefined {
    const { kind } = this.tenancy(target);
    if (kind !== 'keyed' && kind !== 'child' && kind !== 'root') return undefined;
    return this.tableOf(target);
  }

  /** NEW and OLD, where a condition names them. */
  rowsIn(predicate: Predicate): readonly Target[] {
    const refs = refsIn(predicate);
    return [...this.rows.values()].filter((target) => refs.has(target.ref));
  }
}

const remembered = new WeakMap<SchemaFunction, Map<TableId | undefined, FunctionAccess>>();

/** See `Model.functionAccess`. Pure; never throws. */
export function functionAccess(f: SchemaFunction, context: Context, trigger?: Table): FunctionAccess {
  let known = remembered.get(f);
  if (!known) remembered.set(f, (known = new Map()));
  let found = known.get(trigger?.id);
  if (!found) known.set(trigger?.id, (found = judged(f, context, trigger)));
  return found;
}

/** See `Model.accessOf`. */
export const accessOf = (queries: readonly Access[], context: Context): FunctionAccess =>
  judged({ queries, parameters: [], securityDefiner: true }, context, undefined);

/** What of a function decides. */
type Judged = Pick<SchemaFunction, 'queries' | 'parameters' | 'securityDefiner'> & { readonly owner?: string };

function judged(f: Judged, context: Context, trigger: Table | undefined): FunctionAccess {
  const rows = new Map<string, Target>();
  for (const ref of trigger ? ['new', 'old'] : []) if (trigger) rows.set(ref, ownRow(trigger, ref, context));
  const world = new OwnerWorld(context, rows, f);
  const budget: Budget = { left: maxEvaluations };
  const tables = new Set<TableId>();
  const leaks: FunctionLeak[] = [];
  const unknown: Reason[] = [];
  for (const written of f.queries) {
    if ((written.interpolations?.length ?? 0) > 0 || written.operation === 'raw')
      unknown.push({ text: 'a dynamic statement', span: written.span });
    const access = resolveColumns(written, (target) => world.columns(target));
    for (const target of access.targets) {
      const table = world.tenantTable(target);
      if (!table) continue;
      tables.add(table.id);
      if (target.operation === 'read' && access.kept) continue;
      if (heldByPolicies(f, table, context)) continue;
      // What is joined to a leaking row leaks because that row does.
      if (target.role !== 'root' && leaks.some((leak) => leak.access.id === access.id)) continue;
      const proof = proofOf(access, target, world, budget);
      if (proof === undefined) continue;
      const leak = leakOf(f, proof);
      if (leak) leaks.push({ table: table.id, access, target, ...leak });
      else if (proof.kind === 'isolated' && proof.open)
        unknown.push({ text: 'something before it may refuse', span: access.span });
      else if (proof.kind === 'unknown') unknown.push(...proof.hangsOn.map((r) => ({ span: access.span, ...r })));
    }
  }
  return { tables: [...tables], leaks, unknown };
}

/** The row of the trigger: its own table's policies or writer have tied it to the caller's tenant. */
function ownRow(table: Table, ref: string, { tenancy }: Context): Target {
  const of = tenancy.tables.get(table.id);
  const keys = of?.kind === 'keyed' ? of.keys.map((k) => k.column) : of?.kind === 'root' ? [of.key] : [];
  const primary = table.constraints.find((c) => c.kind === 'primary key');
  const columns = keys.length > 0 ? keys : primary?.kind === 'primary key' ? primary.columns.slice(0, 1) : [];
  const tenant: Value = { kind: 'tenant', verified: true, source: 'the row of the trigger' };
  return {
    ref,
    table: { known: true, value: { by: 'sql', schema: table.name.schema ?? 'public', name: table.name.name } },
    alias: ref.toUpperCase(),
    role: 'root',
    operation: 'read',
    predicate: and(...columns.map((column) => equal({ kind: 'column', target: ref, column }, tenant))),
    cardinality: 'one',
    span: table.origin.created,
  };
}

/** Whether policies hold for the function after all: its owner is known, does not bypass them, and is not exempt as the table's owner. */
function heldByPolicies(f: Judged, table: Table, { schema }: Context): boolean {
  if (!f.securityDefiner) return table.rowSecurity.enabled;
  const owner = f.owner === undefined ? undefined : schema.roles.get(f.owner);
  if (!owner || !table.rowSecurity.enabled) return false;
  if (owner.attributes.some((a) => a === 'bypassrls' || a === 'superuser')) return false;
  const owns =
    table.owner?.role === owner.name || (table.owner !== undefined && owner.memberOf.includes(table.owner.role));
  return table.rowSecurity.forced || (table.owner !== undefined && !owns);
}

function proofOf(access: Access, target: Target, world: OwnerWorld, budget: Budget): Proof | undefined {
  const guards = (access.guards ?? [])
    .filter(saysSomething)
    .flatMap((guard) => refusalOf(guard, world))
    .map((guard, i) =>
      renameTargets(
        resolveColumns(guard, (t) => world.columns(t)),
        (ref) => (ref === 'new' || ref === 'old' ? ref : `g${i}~${ref}`),
      ),
    );
  const own = target.operation === 'create' ? written(target, world) : target.predicate;
  if (own === undefined) return undefined;
  const predicate = and(own, ...guards);
  const others = access.targets.filter((t) => t !== target && t.operation !== 'create');
  const rows = world.rowsIn(and(predicate, ...others.map((t) => t.predicate)));
  const question: ProofQuestion = {
    target,
    predicate,
    others: [...others, ...rows],
    world,
    nullRows: 'shared',
    budget,
  };
  const proof = prove(question);
  return proof.kind === 'leak' && target.operation === 'read' && readsOwn(question, others) ? undefined : proof;
}

/**
 * Whether nothing but rows that name the caller are read, directly or by a row of his own that is joined: they are his, whatever tenant they
 * belong to. Writing one is another matter: members of that tenant see what nobody there wrote.
 */
function readsOwn(question: ProofQuestion, others: readonly Target[]): boolean {
  const { target } = question;
  const own = others.filter((t) => t.role === 'join' || t.role === 'root').filter(isCallers);
  const named = (node: Predicate | Value): Predicate | undefined => {
    if (!isPredicate(node) || node.kind !== 'compare' || node.operator !== '=') return undefined;
    const sides = [node.left, node.right].map(bareOf);
    const column = sides.find((v) => v.kind === 'column' && v.target === target.ref);
    const other = sides.find((v) => v !== column && v.kind === 'column' && v.column === 'id');
    const joined = other?.kind === 'column' && own.some((t) => t.ref === other.target);
    return column && joined ? equal(column, caller) : undefined;
  };
  return prove(rewritten({ ...question, named: true }, named)).kind === 'isolated';
}

const caller: Value = { kind: 'apply', function: 'auth.uid', to: [] };

/** A joined row that has to name the caller. */
const isCallers = ({ ref, predicate }: Target): boolean =>
  partsOf(predicate).some(
    (part) =>
      part.kind === 'compare' &&
      part.operator === '=' &&
      [part.left, part.right].some((v) => identityOf(bareOf(v)) === 'caller') &&
      [part.left, part.right].map(bareOf).some((v) => v.kind === 'column' && v.target === ref),
  );

/** A test of nothing but what event the trigger is for tells nothing about rows. */
const saysSomething = (guard: Predicate): boolean => !JSON.stringify(guard).includes('"variable tg_');

/** A call before a statement: it may refuse if its body raises errors, or if nobody knows its body. */
function refusalOf(guard: Predicate, world: OwnerWorld): readonly Predicate[] {
  if (guard.kind !== 'value' || guard.of.kind !== 'apply') return [guard];
  const called = world.function(guard.of.function, guard.of.to.length);
  const foreign = /^(?!pg_catalog\.|extensions\.)\w+\./.test(guard.of.function) && identityOf(guard.of) === undefined;
  if (called ? called.refuses !== true : !foreign) return [];
  return [{ kind: 'unknown', reason: `whether ${guard.of.function} refuses` }];
}

/** A new row by the key that it gets. Undefined where that is not stated. */
function written(target: Target, world: OwnerWorld): Predicate | undefined {
  const tenancy = world.tenancy(target);
  if (tenancy.kind !== 'keyed') return undefined;
  const set = target.writes?.set ?? {};
  const keys = tenancy.keys.filter((key) => set[key.column] !== undefined);
  if (keys.length === 0) return undefined;
  return and(
    ...keys.map((key) =>
      equal({ kind: 'column', target: target.ref, column: key.column }, set[key.column] ?? { kind: 'undefined' }),
    ),
  );
}

type Found = Pick<FunctionLeak, 'cause' | 'parameters' | 'confidence' | 'witness' | 'because'>;

function leakOf(f: Judged, proof: Proof): Found | undefined {
  if (proof.kind === 'leak') {
    const { confidence, witness, because, why } = proof;
    return { cause: 'unbound', parameters: [], confidence, witness, because: [{ text: why }, ...because] };
  }
  if (proof.kind !== 'isolated' || proof.evidence !== 'unverified' || proof.open) return undefined;
  const parameters = proof.restsOn.flatMap((value) => (value.kind === 'placeholder' ? [nameOf(f, value.name)] : []));
  if (parameters.length === 0) return undefined;
  return { cause: 'parameter', parameters, confidence: 'likely', because: proof.because };
}

function nameOf(f: Judged, position: string): string {
  return inputsOf(f)[Number(position) - 1]?.name ?? `$${position}`;
}

const inputsOf = (f: Judged): SchemaFunction['parameters'] =>
  f.parameters.filter((p) => p.mode !== 'out' && p.mode !== 'table');

/** Types of identifiers, domains and enums included, and lists of them. */
const identifies =
  /^(?!(?:boolean|real|double|numeric|timestamp|date|time|interval|jsonb?|bytea|(?:\w+\.)?(?:vector|halfvec|sparsevec))\b)/;
