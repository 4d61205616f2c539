import type { CallChain, Client, LowerContext, Lowered, Step, Value } from '@tenant-lint/model';
import { Build, lowerStatement, snake, type Lost } from '../query-text/build.js';
import { callOf, type Builder, type Call } from '../query-text/calls.js';
import { receiverOf, type Receiver } from './client.js';
import { consumedBy } from '../query-text/uses.js';
import { familyOf, originOf, runsOf } from './family.js';
import { builderOf, queryText } from './query.js';
import { rawText } from './raw.js';
import { conditionWord, isBuilderStep, joins, runs, tables, writes } from './words.js';

/** Lowers a chain to what Knex does with it. */
export function lower(chain: CallChain, context: LowerContext): Lowered {
  if (!mayConcern(chain)) return 'not mine';
  const build = new Build(context, chain);
  const call = callOf(chain);
  const raw = rawAt(call);
  if (raw) return lowerRaw(call, raw, build);
  const batch = call.steps.find((s) => s.name === 'batchInsert' && s.arguments);
  if (batch) return lowerBatch(call, batch, build);
  if (call.steps.some((s) => s.name === 'schema' && !s.arguments)) return 'not mine';
  const root = originOf(chain, context);
  const builder = builderOf(chain, build);
  if (!builder) return 'not mine';
  const receiver = receiverOf(builder.base, builder.reads, context);
  if (!receiver.certain && !speaks(builder, build)) return 'not mine';
  if (builder.steps.some((s) => s.name === 'columnInfo')) return 'no access';
  return lowerBuilder(root, builder, receiver, build, 'knex');
}

/** Lowers a builder where it runs. */
export function lowerBuilder(
  root: CallChain,
  builder: Builder,
  receiver: Receiver,
  build: Build,
  library: string,
): Lowered {
  const { chain, context } = build;
  let more: string | undefined;
  if (!runsOf(root, context).some((r) => r.id === chain.id)) {
    more = chain.id === root.id ? escapes(root, context) : undefined;
    if (more === undefined) return 'no access';
  }
  const clear = builder.steps.findLast((s) => s.arguments && (s.name === 'clearWhere' || s.name === 'clear'));
  const kept = builder.steps.filter((s) => s.name !== 'clearWhere' && s.name !== 'clear');
  const lost: readonly Lost[] = clear
    ? [{ how: 'cleared', frag: queryText({ ...builder, steps: kept }, build), at: clear.span }]
    : [];
  const write = builder.steps.findLast((s) => s.arguments && writes.has(s.name));
  const read = builder.steps.find((s) => s.arguments && ['select', 'first', 'pluck', 'count'].includes(s.name));
  return lowerStatement(
    {
      frags: [queryText(builder, build)],
      library,
      method: write?.name ?? read?.name ?? 'select',
      client: clientOf(builder, receiver),
      lost,
      ...(more === undefined ? {} : { more }),
    },
    build,
  );
}

/** On what a builder runs: the transaction that it is bound to, or what it was made by. */
function clientOf(builder: Builder, receiver: Receiver): Client {
  const transaction = builder.steps.findLast((s) => s.arguments && s.name === 'transacting')?.arguments?.[0];
  if (transaction) return { receiver: builder.base, kind: 'transaction', transaction };
  return {
    receiver: builder.base,
    kind: receiver.kind,
    ...(receiver.transaction ? { transaction: receiver.transaction } : {}),
  };
}

const startWords: ReadonlySet<string> = new Set([
  'select',
  'from',
  'into',
  'table',
  'with',
  'insert',
  'queryBuilder',
  'raw',
]);

/** Whether a chain has any word of the library: nearly all chains of a program have none. */
function mayConcern(chain: CallChain): boolean {
  return chain.steps.some(
    (s) => s.arguments && (isBuilderStep(s.name) || startWords.has(s.name) || s.name === 'batchInsert' || isOpening(s)),
  );
}

const isOpening = (s: Step): boolean => {
  const [first] = s.arguments ?? [];
  return s.arguments?.length === 1 && first?.kind === 'constant' && typeof first.value === 'string';
};

/** Whether the words and tables are those of the library: on a receiver that was not found, only they tell. */
function speaks(builder: Builder, build: Build): boolean {
  const { context, chain } = build;
  const from = builder.steps.find((s) => s.arguments && tables.has(s.name))?.arguments?.[0];
  const [name] = build.text(builder.table ?? from)?.split(/\s+as\s+/i) ?? [];
  if (name === undefined) return false;
  const [table = '', schema] = name.split('.').reverse();
  const known = [table, snake(table)].some(
    (n) => context.table({ by: 'sql', name: n, ...(schema === undefined ? {} : { schema }) }) !== undefined,
  );
  const installed = ['knex', 'objection'].some((p) => context.version(chain.span.file, p) !== undefined);
  return known && installed && (!builder.called || builder.steps.some((s) => isTelling(s, builder)));
}

/** Whether a step says that a call like `get('invoices')` made a query: `first()` and its like are steps of many things. */
function isTelling(step: Step, builder: Builder): boolean {
  if (!step.arguments) return false;
  if (conditionWord(step.name)?.clause === 'where' || step.name in joins) return true;
  const direct = builder.reads.at(-1)?.name === '';
  return (
    ['insert', 'update', 'del', 'returning', 'onConflict', 'transacting', 'orderBy', 'pluck'].includes(step.name) ||
    (direct && step.name === 'select')
  );
}

/** Why a builder that is handed on may run elsewhere with more conditions; undefined where it is part of another query, or never runs. */
function escapes(root: CallChain, context: LowerContext): string | undefined {
  const family = familyOf(root, context);
  const consumers = family.flatMap((m) => consumedBy(m.id, context));
  if (consumers.length === 0) return undefined;
  const takes = (c: CallChain): boolean =>
    c.steps.some((s) => s.arguments && (isBuilderStep(s.name) || s.name === 'raw'));
  return consumers.some(takes) ? undefined : 'the builder is handed to a function that may add conditions';
}

const rawAt = (call: Call): Step | undefined => {
  const at = call.steps.findIndex((s) => s.arguments !== undefined);
  const step = call.steps[at];
  return step?.name === 'raw' && !call.steps.slice(0, at).some((s) => s.name === 'schema') ? step : undefined;
};

/** `await knex.raw('SELECT ...', [...])`; raw text that is a part of a query is none of its own. */
function lowerRaw(call: Call, step: Step, build: Build): Lowered {
  const { chain, context } = build;
  const receiver = receiverOf(call.base, call.steps.slice(0, call.steps.indexOf(step)), context);
  if (!receiver.certain && !isInstalled(chain, context)) return 'not mine';
  const waited = chain.awaited || chain.use === 'returned' || call.steps.some((s) => runs.has(s.name));
  if (!waited) return 'no access';
  const statement = {
    frags: [rawText(step.arguments ?? [], build, step)],
    library: 'knex',
    method: 'raw',
    client: { receiver: call.base, kind: receiver.kind },
  };
  const lowered = lowerStatement(statement, build);
  return receiver.certain || (typeof lowered !== 'string' && 'accesses' in lowered) ? lowered : 'not mine';
}

const isInstalled = (chain: CallChain, context: LowerContext): boolean =>
  context.version(chain.span.file, 'knex') !== undefined || context.version(chain.span.file, 'objection') !== undefined;

/** `knex.batchInsert('table', rows)`. */
function lowerBatch(call: Call, step: Step, build: Build): Lowered {
  const [table, rows] = step.arguments ?? [];
  const reads = call.steps.slice(0, call.steps.indexOf(step));
  const receiver = receiverOf(call.base, reads, build.context);
  if (!table || !rows || (!receiver.certain && !isInstalled(build.chain, build.context))) return 'not mine';
  const insert: Step = { name: 'insert', arguments: [rows] satisfies Value[], span: step.span };
  const builder: Builder = { base: call.base, reads, table, called: true, steps: [insert] };
  return lowerStatement(
    {
      frags: [queryText(builder, build)],
      library: 'knex',
      method: 'batchInsert',
      client: { receiver: call.base, kind: receiver.kind },
    },
    build,
  );
}
