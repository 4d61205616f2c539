import {
  mapTarget,
  propertyOf,
  type Access,
  type CallChain,
  type LowerContext,
  type Lowered,
  type Operation,
  type Target,
  type Value,
} from '@tenant-lint/model';
import { lowerSqlText } from '../sql-text.js';
import { completionOf, continuesBuilder, resultsIn, startsBuilder, type BuilderStep } from './builder.js';
import { receiverOf, tableByKey, type Receiver } from './client.js';
import type { Call } from '../query-text/calls.js';
import { builderSteps, callOf, chainOf, functionCall, isDrizzle, selectStarts, setFunctions } from './names.js';
import { lowerRelational } from './relational.js';
import { withColumns } from './output.js';
import { lowerCountRows, lowerSelect } from './select.js';
import { Build, identify, Scope } from './scope.js';
import { expandHole } from './sql-template.js';
import { lowerWrite } from './write.js';

const writes = new Set(['insert', 'update', 'delete']);

/** Lowers a chain to what Drizzle does with it. */
export function lower(chain: CallChain, context: LowerContext): Lowered {
  if (!mayConcern(chain)) return 'not mine';
  const call = callOf(chain);
  const f = functionCall(call, context);
  if (f) return isDrizzle(f.module ?? '') ? lowerFunction(f.name, call, context) : 'not mine';
  const start = call.steps.findIndex((s, i) => s.arguments !== undefined && isVerb(s.name, i, call));
  const step = call.steps[start];
  if (start < 0 || !step) {
    return continuesBuilder(chain, context)
      ? lowerBuilder(call, receiverOf(call.base, [], context), context)
      : 'not mine';
  }
  if (writes.has(step.name) && !mayBeTable(step.arguments?.[0])) return 'not mine';
  const receiver = receiverOf(call.base, call.steps.slice(0, start), context);
  switch (step.name) {
    case 'transaction':
    case 'batch':
    case 'refreshMaterializedView':
      return receiver.certain ? 'no access' : 'not mine';
    case '$with':
      return 'no access';
    case 'findFirst':
    case 'findMany':
      return lowerFind(call, start, context);
    case 'execute':
      return isPrepared(call, context)
        ? lowerBuilder(call, receiver, context)
        : lowerExecute(call, start, receiver, context);
    case '$count':
      return lowerCount(call, start, receiver, context);
    default:
      return lowerBuilder(call, receiver, context);
  }
}

/** Whether a chain has any word of the library: nearly all chains of a program have none, and nothing else is asked of them. */
function mayConcern(chain: CallChain): boolean {
  const { receiver, steps } = chain;
  if (receiver.kind === 'import' && isDrizzle(receiver.module)) return true;
  if (
    steps[0] &&
    (steps[0].name === '' ? steps[1] && builderSteps.has(steps[1].name) : builderSteps.has(steps[0].name))
  )
    return true;
  for (const step of steps) {
    if (step.arguments && (verbs.has(step.name) || step.name === 'findFirst' || step.name === 'findMany')) return true;
  }
  return false;
}

/** Whether a value can be a table object at all: most calls of `delete` and `update` elsewhere are told apart by this. */
const mayBeTable = (value: Value | undefined): boolean =>
  value !== undefined &&
  ['binding', 'import', 'result', 'this', 'parameter', 'element', 'choice', 'global'].includes(value.kind);

const verbs = new Set([
  ...selectStarts,
  'insert',
  'update',
  'delete',
  'transaction',
  'batch',
  'refreshMaterializedView',
  '$with',
  'execute',
  '$count',
]);

/** Whether a step is what a client is asked for; before it stand properties, or calls that give the client. */
const isVerb = (name: string, at: number, call: Call): boolean =>
  verbs.has(name) || ((name === 'findFirst' || name === 'findMany') && call.steps[at - 2]?.name === 'query');

/** Functions of the library make expressions; set functions over selects run by themselves. */
function lowerFunction(name: string, call: Call, context: LowerContext): Lowered {
  if (!setFunctions.has(name)) return 'no access';
  const completion = completionOf(call, context);
  if (completion === 'part') return 'no access';
  const build = buildFor(call, context);
  const rows = lowerSelect({ steps: completion.steps, call, span: call.chain.span }, build, undefined, 'root');
  const [first] = call.steps.find((s) => s.arguments)?.arguments ?? [];
  const arm = first && chainOf(first, context);
  const receiver = arm && receiverOfSelect(callOf(arm), context);
  return access(build, call, {
    method: name,
    operation: 'read',
    targets: withColumns(rows.drafts, rows.output),
    receiver,
  });
}

const buildFor = (call: Call, context: LowerContext): Build =>
  new Build(context, call.chain.span.file, call.chain.id, call.chain.span);

function lowerBuilder(call: Call, receiver: Receiver, context: LowerContext): Lowered {
  const completion = completionOf(call, context);
  const all: readonly BuilderStep[] = completion === 'part' ? call.steps : completion.steps;
  const start = all.findIndex((s) => s.arguments && (selectStarts.has(s.name) || writes.has(s.name)));
  const step = all[start];
  if (start < 0 || !step) return 'not mine';
  const selects = selectStarts.has(step.name);
  const table = selects ? all.slice(start).find((s) => s.name === 'from')?.arguments?.[0] : step.arguments?.[0];
  // A prefix may be a continued builder: its receiver is asked where the builder starts.
  const own = start > 0 || all !== call.steps ? receiverOfStart(call, all, start, receiver, context) : receiver;
  if (!own.certain && !(table && isTable(table, context))) return 'not mine';
  if (selects && !table) return own.certain && all.slice(start).some((s) => s.name === 'as') ? 'no access' : 'not mine';
  if (completion === 'part') return 'no access';
  const build = buildFor(call, context);
  const steps = all.slice(start);
  const { drafts, output } = selects
    ? lowerSelect({ steps, call, span: call.chain.span }, build, undefined, 'root')
    : lowerWrite(steps, build, call);
  const targets = withColumns(drafts, output);
  const operation: Operation = selects ? 'read' : (targets[0]?.operation ?? 'raw');
  const bound = targets.map((t) => withParameters(t, steps));
  const open = completion.open ? bound.map((t) => opened(t)) : bound;
  return access(build, call, { method: step.name, operation, targets: open, receiver: own });
}

function receiverOfStart(
  call: Call,
  all: readonly BuilderStep[],
  start: number,
  receiver: Receiver,
  context: LowerContext,
): Receiver {
  const own = call.steps.indexOf(all[start]!);
  if (own >= 0) return receiverOf(call.base, call.steps.slice(0, own), context);
  const before = (base: Value): CallChain | undefined => {
    const [id] = resultsIn(base);
    return id === undefined ? chainOf(base, context) : context.chain(id);
  };
  let chain = before(call.base);
  for (let i = 0; chain && i < 12; i++) {
    const earlier = callOf(chain);
    const at = earlier.steps.findIndex((s) => s.arguments && (selectStarts.has(s.name) || writes.has(s.name)));
    if (at >= 0) return receiverOf(earlier.base, earlier.steps.slice(0, at), context);
    chain = before(earlier.base);
  }
  return receiver;
}

/** Whether `x.execute(...)` runs a builder that was prepared before. */
const isPrepared = (call: Call, context: LowerContext): boolean =>
  resultsIn(call.base).some((id) => {
    const chain = context.chain(id);
    return chain !== undefined && startsBuilder(chain);
  });

const isTable = (value: Value, context: LowerContext): boolean => identify(value, context) !== undefined;

/** A prepared statement gets the values of its placeholders when it runs. */
function withParameters(target: Target, steps: readonly BuilderStep[]): Target {
  const given = steps.findLast((s) => s.name === 'execute' && s.arguments?.[0])?.arguments?.[0];
  if (!given || !steps.some((s) => s.name === 'prepare')) return target;
  return mapTarget(target, (v) => (v.kind === 'placeholder' ? propertyOf(given, v.name) : v));
}

const opened = (target: Target): Target => {
  const rest = { kind: 'unknown', reason: 'the builder is handed to a function that may add conditions' } as const;
  return {
    ...target,
    predicate: target.predicate.kind === 'always' ? rest : { kind: 'and', of: [target.predicate, rest] },
  };
};

/** The receiver of a chain that starts with a select. */
function receiverOfSelect(call: Call, context: LowerContext): Receiver {
  const at = call.steps.findIndex((s) => s.arguments !== undefined);
  return receiverOf(call.base, call.steps.slice(0, Math.max(0, at)), context);
}

function lowerFind(call: Call, at: number, context: LowerContext): Lowered {
  const receiver = receiverOf(call.base, call.steps.slice(0, at - 2), context);
  const key = call.steps[at - 1]!.name;
  const step = call.steps[at]!;
  const table = tableByKey(key, receiver, context);
  if (!table.known && !receiver.certain) return 'not mine';
  const build = buildFor(call, context);
  const targets = lowerRelational(table, step.arguments?.[0], build, call.chain.span);
  return access(build, call, { method: step.name, operation: 'read', targets, receiver });
}

function lowerCount(call: Call, at: number, receiver: Receiver, context: LowerContext): Lowered {
  const table = call.steps[at]?.arguments?.[0];
  if (!table || (!receiver.certain && !isTable(table, context))) return 'not mine';
  if (completionOf(call, context) === 'part') return 'no access';
  const build = buildFor(call, context);
  const rows = lowerCountRows(call, build, undefined, 'root');
  const targets = rows ? withColumns(rows.drafts, rows.output) : [];
  return access(build, call, { method: '$count', operation: 'read', targets, receiver });
}

/** `db.execute(sql)`; on something else than a client, a step of that name is a prepared statement's, or not ours. */
function lowerExecute(call: Call, at: number, receiver: Receiver, context: LowerContext): Lowered {
  const text = call.steps[at]?.arguments?.[0];
  const template = text && chainOf(text, context);
  const f = template && functionCall(callOf(template), context);
  if (!text || (!receiver.certain && f?.name !== 'sql' && f?.name !== 'sql.raw')) return 'not mine';
  const build = buildFor(call, context);
  const scope = new Scope(build);
  // A template that is resolved to its text is expanded like a fragment; a bare string, and that of `sql.raw`, is spliced.
  const raw = f?.name === 'sql.raw' ? f.arguments[0] : undefined;
  const lowered = lowerSqlText(raw ?? text, undefined, {
    file: build.file,
    library: 'drizzle',
    id: build.id,
    span: call.chain.span,
    context,
    holes: f && !raw ? 'bind' : 'splice',
    expand: (hole) => expandHole(hole, scope),
  });
  const accesses = lowered.accesses.map((a): Access => ({
    ...a,
    method: 'execute',
    client: receiver.client,
    chain: call.chain.id,
    function: call.chain.function,
  }));
  if (accesses.length === 0 && lowered.unchecked.length > 0)
    return { unknown: lowered.unchecked[0]!.reason, span: lowered.unchecked[0]!.span };
  const [first, ...others] = accesses;
  if (!first) return 'no access';
  return {
    accesses:
      lowered.unchecked.length > 0
        ? [{ ...first, unchecked: [...(first.unchecked ?? []), ...lowered.unchecked] }, ...others]
        : accesses,
  };
}

interface Made {
  readonly method: string;
  readonly operation: Operation;
  readonly targets: readonly Target[];
  readonly receiver: Receiver | undefined;
}

function access(build: Build, call: Call, made: Made): Lowered {
  const targets = [...made.targets].sort((a, b) => Number(b.role === 'root') - Number(a.role === 'root'));
  return {
    accesses: [
      {
        id: build.id,
        library: 'drizzle',
        method: made.method,
        operation: made.operation,
        targets,
        client: made.receiver?.client ?? { receiver: call.base, kind: 'unknown' },
        span: call.chain.span,
        chain: call.chain.id,
        function: call.chain.function,
        ...(build.unchecked.length > 0 ? { unchecked: build.unchecked } : {}),
        ...(build.interpolations.length > 0 ? { interpolations: build.interpolations } : {}),
        ...(build.lost.length > 0 ? { lost: build.lost } : {}),
      },
    ],
  };
}
