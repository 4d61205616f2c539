import type { Access, CallChain, LowerContext, Lowered, Operation, Target, Value } from '@tenant-lint/model';
import { lowerSqlText } from '../sql-text.js';
import { completionOf, type BuilderStep } from './builder.js';
import { receiverOf, tableByKey, type Receiver } from './client.js';
import { callOf, chainOf, functionCall, selectStarts, setFunctions, type Call } from './names.js';
import { lowerRelational } from './relational.js';
import { countOf, lowerSelect } from './select.js';
import { allTargets, Build, identify, Scope } from './scope.js';
import { expandHole } from './sql-template.js';
import { lowerWrite } from './write.js';

const writes = new Set(['insert', 'update', 'delete']);

/** Lowers a chain to what Drizzle does with it. */
export function lower(chain: CallChain, context: LowerContext): Lowered {
  const call = callOf(chain);
  const f = functionCall(call, context);
  if (f) return lowerFunction(f.name, call, context);
  const start = call.steps.findIndex((s) => s.arguments !== undefined);
  const step = call.steps[start];
  if (start < 0 || !step) return 'not mine';
  const receiver = receiverOf(call.base, call.steps.slice(0, start), context);
  if (step.name === 'transaction') return receiver.certain ? 'no access' : 'not mine';
  if (step.name === '$with' || step.name === 'batch')
    return receiver.certain || step.name === '$with' ? 'no access' : 'not mine';
  const relational = /^find(?:First|Many)$/.test(step.name) && start >= 2 && call.steps[start - 2]?.name === 'query';
  if (relational) return lowerFind(call, start, context);
  if (step.name === 'execute') return lowerExecute(call, start, receiver, context);
  if (step.name === '$count') return lowerCount(call, start, receiver, context);
  if (step.name === 'refreshMaterializedView') return receiver.certain ? 'no access' : 'not mine';
  return lowerBuilder(call, receiver, context);
}

/** Functions of the library make expressions; set functions over selects run by themselves. */
function lowerFunction(name: string, call: Call, context: LowerContext): Lowered {
  if (!setFunctions.has(name)) return 'no access';
  const completion = completionOf(call, context);
  if (completion === 'part') return 'no access';
  const build = buildFor(call, context);
  const selection = lowerSelect({ steps: completion.steps, call, span: call.chain.span }, undefined, 'root', build);
  return access(build, call, { method: name, operation: 'read', targets: selection.targets, receiver: undefined });
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
  const targets = selects
    ? lowerSelect({ steps, call, span: call.chain.span }, undefined, 'root', build).targets
    : lowerWrite(steps, build, call);
  const operation: Operation = selects ? 'read' : (targets[0]?.operation ?? 'raw');
  const open = completion.open ? targets.map((t) => opened(t)) : targets;
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
  if (own >= 0)
    return receiverOf(
      call.base,
      call.steps.slice(0, own).filter((s) => s.arguments === undefined),
      context,
    );
  let chain = chainOf(call.base, context);
  for (let i = 0; chain && i < 12; i++) {
    const before = callOf(chain);
    const at = before.steps.findIndex((s) => s.arguments && (selectStarts.has(s.name) || writes.has(s.name)));
    if (at >= 0)
      return receiverOf(
        before.base,
        before.steps.slice(0, at).filter((s) => s.arguments === undefined),
        context,
      );
    chain = chainOf(before.base, context);
  }
  return receiver;
}

const isTable = (value: Value, context: LowerContext): boolean => identify(value, context) !== undefined;

const opened = (target: Target): Target => {
  const rest = { kind: 'unknown', reason: 'the builder is handed to a function that may add conditions' } as const;
  return {
    ...target,
    predicate: target.predicate.kind === 'always' ? rest : { kind: 'and', of: [target.predicate, rest] },
  };
};

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
  const query = countOf(call, new Scope(build));
  const targets = (query?.targets ?? []).map((t): Target => ({ ...t, role: t.role === 'subquery' ? 'root' : t.role }));
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
  // A template that is resolved to its text is expanded like a fragment; a bare string is spliced.
  const lowered = lowerSqlText(text, undefined, {
    file: build.file,
    library: 'drizzle',
    id: build.id,
    span: call.chain.span,
    context,
    holes: f ? 'bind' : 'splice',
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
  const targets = allTargets(build, made.targets);
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
      },
    ],
  };
}
