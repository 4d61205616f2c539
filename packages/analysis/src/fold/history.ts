import type {
  Constraint,
  Index,
  Loss,
  LostOfTable,
  Origin,
  Policy,
  Schema,
  Span,
  Table,
  TableId,
  View,
} from '@tenant-lint/model';
import { idOfDraft, type TableDraft, type World } from './world.js';

/** What one source took away on its way, before anyone knows whether it came back. */
export interface History {
  readonly losses: DraftLoss[];
  /** Tables that gave up their name: to be dropped, or for another one. */
  readonly holders: {
    readonly id: TableId;
    readonly before: TableDraft;
    readonly dropped: boolean;
    readonly span: Span;
  }[];
}

type DraftLoss = { readonly established: Span; readonly removed: Span } & (
  { readonly of: TableDraft; readonly lost: LostOfTable; readonly cascade: boolean } | { readonly view: View }
);

/** The statement that made a fact what it is. */
export const lastOf = (origin: Origin): Span => origin.changed.at(-1) ?? origin.created;

/** Notes that a table loses something by the statement `removed`; with `cascade` because it rests on what the statement drops. */
export function lose(
  world: World,
  table: TableDraft,
  lost: LostOfTable,
  established: Span,
  removed: Span,
  cascade = false,
): void {
  world.history.losses.push({ of: table, lost, established, removed, cascade });
}

/** Notes the policies of a table before one of them goes or changes. */
export function losePolicies(world: World, table: TableDraft, named: string, removed: Span, cascade = false): void {
  const policy = table.policies.find((p) => p.name === named);
  if (!policy) return;
  const policies = table.policies.map((p): Policy => ({ ...p, table: idOfDraft(table) }));
  lose(world, table, { kind: 'policies', policies }, lastOf(policy.origin), removed, cascade);
}

/** What a source lost, by the names its tables have at the end. Tables that are gone lose nothing. */
export function lossesOf(world: World): readonly Loss[] {
  const found: Loss[] = [];
  for (const loss of world.history.losses) {
    const { established, removed } = loss;
    if ('view' in loss) found.push({ kind: 'view', before: loss.view, established, removed });
    else {
      const table = idOfDraft(loss.of);
      if (world.tables.get(table) !== loss.of) continue;
      found.push({ ...loss.lost, table, by: loss.cascade ? 'cascade' : 'statement', established, removed });
    }
  }
  for (const holder of world.history.holders) found.push(...inherited(world, holder));
  return found;
}

/** What a table had that gave its name to the table that has it now. */
function* inherited(world: World, holder: History['holders'][number]): Iterable<Loss> {
  const { id, before, dropped, span: removed } = holder;
  const now = world.tables.get(id);
  if (!now || now === before) return;
  // Two tables that have no column in common have nothing to do with each other.
  if (![...before.columns.keys()].some((c) => now.columns.has(c))) return;
  const by = dropped ? 'recreated' : 'swapped';
  const loss = (lost: LostOfTable, established: Span): Loss => ({ ...lost, table: id, by, established, removed });
  const { enabled, forced } = before.protectedBy;
  if (before.rowSecurity.enabled) yield loss({ kind: 'row security' }, enabled ?? before.origin.created);
  if (before.rowSecurity.forced) yield loss({ kind: 'forced row security' }, forced ?? before.origin.created);
  const [policy] = before.policies;
  if (policy) {
    const policies = before.policies.map((p): Policy => ({ ...p, table: id }));
    yield loss({ kind: 'policies', policies }, lastOf(policy.origin));
  }
  for (const column of before.columns.values()) {
    if (!now.columns.has(column.name)) yield loss({ kind: 'column', column }, lastOf(column.origin));
    else if (column.notNull) yield loss({ kind: 'not null', column }, lastOf(column.origin));
  }
  for (const constraint of before.constraints)
    yield loss({ kind: 'constraint', constraint }, lastOf(constraint.origin));
}

/** The losses that still are some in the finished schema, the last of each kind. */
export function settleLosses(losses: readonly Loss[], schema: Omit<Schema, 'history'>): readonly Loss[] {
  const real = losses.filter((loss) => isLost(loss, schema));
  const last = new Map<string, Loss>();
  for (const loss of real) last.set(keyOf(loss), loss);
  return real.filter((loss) => last.get(keyOf(loss)) === loss);
}

/** Of policies every state counts: which of them isolated is for the prover to say. */
function keyOf(loss: Loss): string {
  const subject = JSON.stringify;
  switch (loss.kind) {
    case 'policies':
      return subject([loss.kind, loss.table, loss.policies, loss.removed]);
    case 'view':
      return subject([loss.kind, loss.before.id, loss.before.options]);
    case 'constraint':
      return subject([loss.kind, loss.table, loss.constraint.name]);
    case 'index':
      return subject([loss.kind, loss.table, loss.index.name]);
    case 'row security':
    case 'forced row security':
      return subject([loss.kind, loss.table]);
    default:
      return subject([loss.kind, loss.table, loss.column.name]);
  }
}

function isLost(loss: Loss, schema: Omit<Schema, 'history'>): boolean {
  if (loss.kind === 'view') {
    const now = schema.views.get(loss.before.id);
    return now !== undefined && !same([now.options, now.query], [loss.before.options, loss.before.query]);
  }
  const table = schema.tables.get(loss.table);
  return table !== undefined && isLostOf(table, loss);
}

function isLostOf(table: Table, lost: LostOfTable): boolean {
  switch (lost.kind) {
    case 'row security':
      return !table.rowSecurity.enabled;
    case 'forced row security':
      return table.rowSecurity.enabled && !table.rowSecurity.forced;
    case 'policies':
      return !same(lost.policies.map(withoutOrigin), table.policies.map(withoutOrigin));
    case 'column':
      return !table.columns.has(lost.column.name) && table.complete;
    case 'not null':
      return table.columns.get(lost.column.name)?.notNull === false;
    case 'type': {
      const now = table.columns.get(lost.column.name);
      return now !== undefined && now.type !== lost.column.type;
    }
    case 'default': {
      const now = table.columns.get(lost.column.name);
      return now !== undefined && !same(now.default, lost.column.default);
    }
    case 'constraint':
      return !table.constraints.some((c) => same(meaning(c), meaning(lost.constraint)));
    case 'index':
      return !table.indexes.some((i) => same(indexMeaning(i), indexMeaning(lost.index)));
  }
}

const withoutOrigin = ({ origin: _, table: __, ...policy }: Policy): object => policy;
const meaning = ({ origin: _, name: __, ...constraint }: Constraint): object => constraint;
const indexMeaning = ({ origin: _, name: __, ...index }: Index): object => index;

const isPlace = (key: string): boolean => key === 'span' || key.endsWith('Span') || key === 'origin';
const same = (a: unknown, b: unknown): boolean => textOf(a) === textOf(b);
const textOf = (value: unknown): string | undefined =>
  JSON.stringify(value, (key, inner: unknown) => (isPlace(key) ? undefined : inner));
