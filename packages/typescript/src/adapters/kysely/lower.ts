import type { CallChain, LowerContext, Lowered, Step, Value } from '@tenant-lint/model';
import { Build, lowerStatement, snake, type Lost } from '../query-text/build.js';
import { callOf, chainOf, resultsIn, type Call } from '../query-text/calls.js';
import { consumedBy, continuedBy } from '../query-text/uses.js';
import { lowerSqlText } from '../sql-text.js';
import { receiverOf, type Receiver } from './client.js';
import { linesOf, linesOfValue, type Line } from './line.js';
import { cleared, queryText } from './select.js';
import { sqlFunction, sqlText } from './template.js';
import { builderSteps, runs, starts } from './words.js';

/** Lowers a chain to what Kysely does with it. */
export function lower(chain: CallChain, context: LowerContext): Lowered {
  if (!mayConcern(chain)) return 'not mine';
  const call = callOf(chain);
  const build = new Build(context, chain);
  const f = sqlFunction(call, build);
  if (f) return f.rest.some((s) => s.name === 'execute') ? lowerTemplate(f.name, f.step, f.rest, build) : 'no access';
  const direct = call.steps.find((s) => s.name === 'executeQuery' && s.arguments);
  if (direct) return lowerCompiled(call, direct, build);
  const ending = call.steps.findLast((s) => s.arguments);
  const isRun = ending !== undefined && (runs.has(ending.name) || ['then', 'catch', 'finally'].includes(ending.name));
  const lines = linesOf(chain, build).filter((l) => l.steps.some((s) => s.arguments && starts.has(s.name)));
  if (lines.length === 0) return 'not mine';
  const receivers = lines.map((l) => startReceiver(l, context));
  const receiver = receivers.find((r) => r.certain) ?? receivers[0]!;
  if (!receiver.certain && !lines.some((l) => speaks(l, build))) return 'not mine';
  if (isRun && call.steps.some((s) => runs.has(s.name))) return lowerLines(lines, receiver, build);
  const more = escapes(chain, context);
  return more === undefined ? 'no access' : lowerLines(lines, receiver, build, more);
}

/** Whether a chain has any word of the library: nearly all chains of a program have none. */
function mayConcern(chain: CallChain): boolean {
  for (const step of chain.steps)
    if (step.arguments && (builderSteps.has(step.name) || step.name === 'executeQuery')) return true;
  return false;
}

/** On what the statement was started. */
function startReceiver(line: Line, context: LowerContext): Receiver & { readonly value: Value } {
  const at = line.steps.findIndex((s) => s.arguments && starts.has(s.name));
  const before = line.steps.slice(0, at);
  return { ...receiverOf(line.base, before, context), value: line.base };
}

/** Whether the words and tables are those of the library: on a receiver that was not found, only they tell. */
function speaks(line: Line, build: Build): boolean {
  const start = line.steps.find((s) => s.arguments && starts.has(s.name));
  const given = start?.arguments?.[0];
  const [name] = build.text(given?.kind === 'list' ? given.of[0]?.value : given)?.split(/\s+as\s+/i) ?? [];
  if (name === undefined) return false;
  const { context, chain } = build;
  const [table = '', schema] = name.split('.').reverse();
  const known = [table, snake(table)].some(
    (n) => context.table({ by: 'sql', name: n, ...(schema === undefined ? {} : { schema }) }) !== undefined,
  );
  return known || context.version(chain.span.file, 'kysely') !== undefined;
}

/** Why a builder that this chain does not run may run elsewhere with more conditions; undefined where it is part of another query. */
function escapes(chain: CallChain, context: LowerContext): string | undefined {
  if (chain.use !== 'argument') return undefined;
  const consumers = consumedBy(chain.id, context);
  const takes = (c: CallChain): boolean => {
    const base = callOf(c).base;
    if (base.kind === 'import' && /^kysely\b/.test(base.module)) return true;
    return c.steps.some(
      (s) =>
        s.arguments &&
        (builderSteps.has(s.name) ||
          (['and', 'or', 'not', 'exists', 'executeQuery', ''].includes(s.name) && isExpression(c))),
    );
  };
  return consumers.length > 0 && !consumers.some(takes)
    ? 'the builder is handed to a function that may add conditions'
    : undefined;
}

/** Whether a chain is called on what a callback gets: `eb('a', 'in', query)`. */
const isExpression = (chain: CallChain): boolean => callOf(chain).base.kind === 'parameter';

function lowerLines(
  lines: readonly Line[],
  receiver: Receiver & { readonly value?: Value },
  build: Build,
  more?: string,
): Lowered {
  const starting = lines.flatMap((l) => l.steps.find((s) => s.arguments && starts.has(s.name)) ?? []);
  const [first] = starting;
  if (starting.some((s) => s.name === 'mergeInto')) return { unknown: 'MERGE is not read', span: build.chain.span };
  return lowerStatement(
    {
      frags: lines.map((l) => queryText(l, build)),
      library: 'kysely',
      method: first?.name ?? 'execute',
      client: { receiver: receiver.value ?? build.chain.receiver, kind: receiver.kind },
      lost: lostOf(lines, build),
      ...(more === undefined ? {} : { more }),
    },
    build,
  );
}

/** Conditions that `clearWhere()` takes away, and those added to a copy of the builder that nobody uses. */
function lostOf(lines: readonly Line[], build: Build): readonly Lost[] {
  const [line, ...others] = lines;
  if (!line || others.length > 0) return [];
  const without = cleared(line);
  const at = without?.at.span;
  const taken: Lost[] = without && at ? [{ how: 'cleared', frag: queryText(without.line, build), at }] : [];
  const thrown = discardedFrom(build.chain, build.context).flatMap((chain): readonly Lost[] => {
    const [own] = linesOf(chain, build);
    return own ? [{ how: 'discarded', frag: queryText(own, build), span: chain.span }] : [];
  });
  return [...taken, ...thrown];
}

/** Chains that go on with the builder of `run`, and whose result is not used. */
function discardedFrom(run: CallChain, context: LowerContext): readonly CallChain[] {
  const ids = new Set<string>();
  const queue = [...resultsIn(callOf(run).base)];
  while (queue.length > 0 && ids.size < 40) {
    const id = queue.pop()!;
    const chain = ids.has(id) ? undefined : context.chain(id);
    ids.add(id);
    if (chain && !chain.awaited) queue.push(...resultsIn(callOf(chain).base));
  }
  const all = new Set([...ids].flatMap((id) => continuedBy(id, context)));
  return [...all].filter(
    (c) =>
      c.use === 'discarded' &&
      !c.awaited &&
      c.function === run.function &&
      c.span.end < run.span.end &&
      !c.steps.some((step) => runs.has(step.name)),
  );
}

/** `` sql`...`.execute(db) ``. */
function lowerTemplate(name: string, step: Step, rest: readonly Step[], build: Build): Lowered {
  const on = rest.find((s) => s.name === 'execute')?.arguments?.[0];
  const receiver = on ? receiverOf(build.value(on), [], build.context) : undefined;
  return lowerStatement(
    {
      frags: [sqlText(name, step, build)],
      library: 'kysely',
      method: 'sql',
      client: { receiver: on ?? build.chain.receiver, kind: receiver?.kind ?? 'unknown' },
    },
    build,
  );
}

/** `db.executeQuery(query.compile())`, `db.executeQuery(CompiledQuery.raw(text, parameters))`. */
function lowerCompiled(call: Call, step: Step, build: Build): Lowered {
  const given = step.arguments?.[0];
  const { context, chain } = build;
  const receiver = receiverOf(call.base, call.steps.slice(0, call.steps.indexOf(step)), context);
  const made = given && chainOf(given, context);
  const raw = made?.steps.find((s) => s.name === 'raw' && s.arguments);
  if (made?.receiver.kind === 'import' && made.receiver.name === 'CompiledQuery' && raw?.arguments?.[0]) {
    const list = raw.arguments[1] && context.resolve(raw.arguments[1]);
    const parameters = list?.kind === 'list' ? list.of.map((i) => i.value) : undefined;
    const { accesses, unchecked } = lowerSqlText(raw.arguments[0], parameters, {
      file: chain.span.file,
      library: 'kysely',
      id: chain.id,
      span: chain.span,
      context,
    });
    const [why] = unchecked;
    if (why) return { unknown: why.reason, span: why.span };
    const client = { receiver: call.base, kind: receiver.kind };
    return {
      accesses: accesses.map((a) => ({
        ...a,
        method: 'executeQuery',
        client,
        chain: chain.id,
        function: chain.function,
      })),
    };
  }
  const lines = given ? linesOfValue(given, build).filter((l) => l.steps.some((s) => starts.has(s.name))) : [];
  if (lines.length > 0) return lowerLines(lines, { ...receiver, value: call.base }, build);
  if (!receiver.certain) return 'not mine';
  return { unknown: `unresolved: ${unknownReason}`, span: step.span };
}

const unknownReason = 'the compiled query was not found';
