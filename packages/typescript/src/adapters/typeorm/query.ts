import {
  always,
  column,
  equal,
  mapPredicate,
  type Access,
  type CallChain,
  type Known,
  type LowerContext,
  type Lowered,
  type Predicate,
  type TableName,
  type Target,
  type TextPart,
  type Value,
} from '@tenant-lint/model';
import { modelNamed, newLowering, type Lowering, type Rows } from '../prisma/lowering.js';
import { readList } from '../prisma/list.js';
import { lowerSqlText } from '../sql-text.js';
import { rewriteTarget } from '../substitute.js';
import { builderOf, isHandedOn, terminals, type Builder, type BuilderStep } from './builder.js';
import { tableOfEntity } from './client.js';
import { throwsOnMissing } from './names.js';
import { rowOf } from './operations.js';
import { QueryText } from './query-text.js';
import { droppedByTypeorm } from './where.js';

/** Lowers a query builder where it runs; one that only goes on is no access. */
export function lowerBuilder(chain: CallChain, context: LowerContext): Lowered {
  const last = chain.steps.findLast((s) => s.arguments && terminals.has(s.name));
  const builder = builderOf(chain, context);
  if (!builder) return 'not mine';
  if (!last)
    return isHandedOn(chain, context)
      ? { unknown: 'unresolved: the query builder is handed on, and what runs it is not followed', span: chain.span }
      : 'no access';
  const l: Lowering = {
    ...newLowering(context, chain.span),
    strict: throwsOnMissing(chain.span.file, context),
    dropped: droppedByTypeorm,
  };
  const verb = verbOf(builder.steps);
  if (verb === 'relation') return { unknown: 'unresolved: rows that are tied to a relation', span: chain.span };
  if (verb === 'select') return select(chain, builder, last.name, l);
  const table = tableOf(builder, verb, context);
  if (!table.known) return { unknown: `unresolved: the entity of the query: ${table.reason}`, span: chain.span };
  return verb === 'insert' ? insert(chain, builder, table.value, l) : change(chain, builder, verb, table.value, l);
}

type Verb = 'select' | 'update' | 'delete' | 'softDelete' | 'restore' | 'insert' | 'relation';
const verbs = new Set<string>(['update', 'delete', 'softDelete', 'restore', 'insert', 'relation']);

const verbOf = (steps: readonly BuilderStep[]): Verb =>
  (steps.find((s) => s.arguments && verbs.has(s.name))?.name as Verb | undefined) ?? 'select';

/** The entity that is written: of the repository, or what `update(E)`, `from(E)`, `into(E)` name. */
function tableOf({ on, steps }: Builder, verb: Verb, context: LowerContext): Known<TableName> {
  const entity =
    (verb === 'update'
      ? steps.find((s) => s.name === 'update')?.arguments?.find((a) => a.kind !== 'object')
      : undefined) ??
    steps.find((s) => s.name === 'from' || s.name === 'into')?.arguments?.[0] ??
    (on.is === 'manager' || on.is === 'source' ? steps[0]?.arguments?.[0] : undefined);
  return entity ? tableOfEntity(entity, context) : (on.table ?? { known: false, reason: 'no entity is named' });
}

function select(chain: CallChain, { on, receiver, steps }: Builder, method: string, l: Lowering): Lowered {
  const own = on.table?.known ? on.table.value : undefined;
  // Twice: parameters may be set behind the conditions that name them.
  const first = new QueryText(l);
  first.select(steps, own, chain.span);
  const q = new QueryText(newUnchecked(l));
  for (const [name, value] of first.parameters) q.parameters.set(name, value);
  const parts = q.select(steps, own, chain.span);
  if (!parts) return { unknown: 'unresolved: the entity of the query was not found', span: chain.span };
  return run(chain, q, parts, method, { receiver, kind: on.client });
}

const newUnchecked = (l: Lowering): Lowering => ({ ...l, unchecked: [] });

function change(
  chain: CallChain,
  { on, receiver, steps }: Builder,
  verb: Verb,
  table: TableName,
  l: Lowering,
): Lowered {
  const text = verb === 'delete' ? 'DELETE FROM ?' : 'UPDATE ? SET "__set" = 1';
  const q = new QueryText(l);
  q.change(text, steps, table, chain.span);
  const again = new QueryText(newUnchecked(l));
  for (const [name, value] of q.parameters) again.parameters.set(name, value);
  const parts = again.change(text, steps, table, chain.span);
  const rows: Rows = { ...modelNamed(table, l), ref: 't0' };
  const set = steps.findLast((s) => s.name === 'set')?.arguments?.[0];
  const values = set ?? steps.find((s) => s.name === 'update')?.arguments?.find((a) => a.kind === 'object');
  const writes = verb === 'update' ? rowOf(values, rows, l) : { set: {}, open: false };
  const finish = (t: Target): Target => (t.role === 'root' && verb !== 'delete' ? { ...t, writes } : t);
  return run(chain, again, parts, verb, { receiver, kind: on.client }, finish);
}

/** Runs the text through the SQL front end, and puts back what was no text. */
function run(
  chain: CallChain,
  q: QueryText,
  parts: readonly TextPart[],
  method: string,
  client: Access['client'],
  finish: (t: Target) => Target = (t) => t,
): Lowered {
  const { accesses, unchecked } = lowerSqlText({ kind: 'text', parts, span: chain.span }, undefined, {
    file: chain.span.file,
    library: 'typeorm',
    id: chain.id,
    span: chain.span,
    context: q.context,
    holes: 'splice',
    expand: (hole) => (q.bound.has(hole) ? { bind: hole } : undefined),
  });
  const [access] = accesses;
  if (!access) return { unknown: unchecked[0]?.reason ?? 'unresolved: the query was not understood', span: chain.span };
  const byAlias = new Map(access.targets.map((t) => [`@${t.alias ?? ''}`, t.ref]));
  const root = access.targets.find((t) => t.role === 'root')?.ref ?? 't0';
  const named = (p: Predicate): Predicate =>
    mapPredicate(p, (v: Value) =>
      v.kind === 'column' && v.target?.startsWith('@') ? { ...v, target: byAlias.get(v.target) ?? root } : v,
    );
  const all = [...q.l.unchecked, ...unchecked];
  return {
    accesses: [
      {
        ...access,
        method,
        client,
        span: chain.span,
        chain: chain.id,
        function: chain.function,
        targets: access.targets.map((t) => finish(rewriteTarget(t, (p) => settled(p, q, named)))),
        ...(all.length > 0 ? { unchecked: [...(access.unchecked ?? []), ...all] } : {}),
      },
    ],
  };
}

function settled(p: Predicate, q: QueryText, named: (p: Predicate) => Predicate): Predicate {
  const found = q.settle(p);
  return found === p ? p : named(found);
}

function insert(chain: CallChain, { on, receiver, steps }: Builder, table: TableName, l: Lowering): Lowered {
  const given = steps.findLast((s) => s.name === 'values')?.arguments?.[0];
  const list = given && readList(given, l);
  const update = steps.find((s) => s.name === 'orUpdate' && s.arguments);
  const conflict = update?.arguments?.[1] ? (readList(update.arguments[1], l) ?? []) : [];
  const names = conflict.flatMap((i) => (i.value.kind === 'constant' ? [String(i.value.value)] : []));
  const targets = (list ?? [{ value: given, spread: undefined }]).map((item): Target => {
    const rows: Rows = { ...modelNamed(table, l), ref: l.target() };
    const writes = rowOf(item.spread ? undefined : item.value, rows, l);
    const set = item.spread ? { ...writes, open: true } : writes;
    const equals = names.map((c) => equal(column(rows.ref, c), set.set[c] ?? { kind: 'unknown', reason: 'not seen' }));
    return {
      ref: rows.ref,
      table: { known: true, value: table },
      role: 'root',
      operation: update ? 'upsert' : 'create',
      predicate: update && equals.length > 0 ? { kind: 'and', of: equals } : always('a new row'),
      cardinality: 'one',
      writes: set,
      ...(update ? { updates: set, conflict: names } : {}),
      span: chain.span,
    };
  });
  const access: Access = {
    id: chain.id,
    library: 'typeorm',
    method: 'insert',
    operation: update ? 'upsert' : 'create',
    targets,
    client: { receiver, kind: on.client },
    span: chain.span,
    chain: chain.id,
    function: chain.function,
    ...(l.unchecked.length > 0 ? { unchecked: l.unchecked } : {}),
  };
  return { accesses: [access] };
}
