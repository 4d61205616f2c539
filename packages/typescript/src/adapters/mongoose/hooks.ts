import { and, type CallChain, type FileFacts, type Predicate, type Step, type Value } from '@tenant-lint/model';
import { unknownCondition, type Rows } from '../prisma/lowering.js';
import { callsNamed, modelsIn, type DeclaredModel } from './models.js';
import { comparisonSteps, operations } from './operations.js';
import { pipelineOf } from './pipeline.js';
import { runQuery } from './query.js';
import { noFilter, type Mongo } from './shapes.js';

/** The model that declares a table, where code does. */
export function declaredModel(rows: Rows, l: Mongo): DeclaredModel | undefined {
  const { name, table } = rows;
  for (const span of table ? originsOf(table.origin) : []) {
    const facts = l.context.facts(span.file);
    const found = facts && modelsIn(facts, l.context).filter((m) => isAlias(m, rows));
    const own = found?.find((m) => name.by === 'model' && m.name === name.name) ?? found?.[0];
    if (own) return own;
  }
  return undefined;
}

const isAlias = (model: DeclaredModel, rows: Rows): boolean =>
  rows.table?.aliases.some((a) => a.by === 'model' && a.library === 'mongoose' && a.name === model.name) ?? false;

function originsOf(origin: unknown): readonly { file: string }[] {
  const found: { file: string }[] = [];
  const visit = (v: unknown): void => {
    if (Array.isArray(v)) v.forEach(visit);
    else if (typeof v === 'object' && v !== null) {
      if ('file' in v && typeof v.file === 'string') found.push({ file: v.file });
      else Object.values(v).forEach(visit);
    }
  };
  visit(origin);
  return found;
}

/** What the hooks and plugins of a schema add to the filter of an operation. */
export function hookCondition(method: string, rows: Rows, l: Mongo): Predicate {
  const model = declaredModel(rows, l);
  if (!model) return noFilter;
  const conditions: Predicate[] = [];
  for (const step of callsNamed(model.schema, 'pre')) conditions.push(byHook(step, method, rows, l));
  const plugins = [
    ...callsNamed(model.schema, 'plugin').map((s) => s.arguments?.[0]),
    ...Object.entries(l.context.options).flatMap(([name, v]) =>
      name.startsWith('mongoose plugin ') ? [v as Value] : [],
    ),
  ];
  for (const plugin of plugins) if (plugin) conditions.push(byPlugin(plugin, method, rows, l));
  return and(...conditions, noFilter);
}

function byPlugin(plugin: Value, method: string, rows: Rows, l: Mongo): Predicate {
  const resolved = l.context.resolve(plugin);
  const f = resolved.kind === 'function' ? l.context.function(resolved.function) : undefined;
  const facts = f && l.context.facts(f.span.file);
  if (!f || !facts) {
    const from = resolved.kind === 'import' ? `${resolved.module} ${resolved.name}` : '';
    return /tenan/i.test(from) ? unknownCondition(`a plugin of the schema may add a condition: ${from}`) : noFilter;
  }
  const hooks = facts.chains.filter(
    (c) =>
      c.function === f.id &&
      c.receiver.kind === 'parameter' &&
      c.receiver.function === f.id &&
      c.receiver.index === 0 &&
      c.steps[0]?.name === 'pre',
  );
  return and(
    ...hooks.flatMap((c) => c.steps.filter((s) => s.name === 'pre').map((s) => byHook(s, method, rows, l))),
    noFilter,
  );
}

/** `schema.pre(event, function () { this.where({ orgId }) })`. */
function byHook(step: Step, method: string, rows: Rows, l: Mongo): Predicate {
  const args = step.arguments ?? [];
  const [events] = args;
  const last = args.at(-1);
  if (!events || !last || !isFor(events, method, l)) return noFilter;
  const resolved = l.context.resolve(last);
  const f = resolved.kind === 'function' ? l.context.function(resolved.function) : undefined;
  const facts = f && l.context.facts(f.span.file);
  if (!f || !facts) return unknownCondition('a hook of the schema may add a condition', step.span);
  return and(...chainsOfThis(facts, f.id).map((c) => added(c, rows, l)), noFilter);
}

function isFor(events: Value, method: string, l: Mongo): boolean {
  const v = l.context.resolve(events);
  if (v.kind === 'list') return v.of.some((i) => isFor(i.value, method, l));
  if (v.kind === 'constant') return v.value === method;
  const [pattern] = v.kind === 'apply' && v.function === 'regexp' ? v.to : [];
  const text = pattern?.kind === 'constant' ? /^\/(.*)\/([a-z]*)$/s.exec(String(pattern.value)) : undefined;
  if (!text) return false;
  try {
    return new RegExp(text[1]!, text[2]).test(method);
  } catch {
    return false;
  }
}

const chainsOfThis = (facts: FileFacts, f: string): readonly CallChain[] =>
  facts.chains.filter((c) => c.function === f && c.receiver.kind === 'global' && c.receiver.name === 'this');

const narrowing = new Set(['where', 'find', 'findOne', 'and', 'nor', 'merge', ...comparisonSteps]);
/** Steps through which a hook gets hold of the filter itself. */
const opening = new Set(['getFilter', 'getQuery', 'setQuery', '_conditions', 'pipeline', 'or', 'match']);

/** The condition that a chain of a hook puts on its query. */
function added(chain: CallChain, rows: Rows, l: Mongo): Predicate {
  const [first] = chain.steps;
  if (!first) return noFilter;
  const sure = chain.block === 0;
  const stage = first.name === 'pipeline' ? chain.steps[1] : undefined;
  if (stage?.name === 'unshift' && stage.arguments && sure)
    return pipelineOf({ kind: 'list', of: stage.arguments.map((value) => ({ value })) }, rows, l).condition;
  if (chain.steps.some((s) => opening.has(s.name)))
    return unknownCondition('a hook of the schema may add a condition', chain.span);
  const steps = chain.steps.filter((s) => narrowing.has(s.name));
  if (steps.length === 0) return noFilter;
  const condition = runQuery(steps, operations['find']!, rows, l).condition;
  if (sure) return condition;
  if (!isForWhoIsThere(chain, l))
    return unknownCondition('a hook of the schema adds a condition on some paths', chain.span);
  l.lost.push({ how: 'skipped', predicate: condition, at: chain.span });
  return condition;
}

/** Whether all that decides about a call is that a value is there which it uses: `if (tenant) this.where({ tenant })`. */
function isForWhoIsThere(chain: CallChain, l: Mongo): boolean {
  const blocks = l.context.function(chain.function)?.blocks ?? [];
  const used = JSON.stringify(chain.steps.map((s) => s.arguments));
  for (let at: number | undefined = chain.block; at !== undefined; at = blocks[at]?.parent) {
    let holds: Value | undefined = blocks[at]?.holds;
    if (!holds) continue;
    // After `if (!tenant) return` it is there.
    while (holds?.kind === 'apply' && holds.function === '!') {
      const inner: Value | undefined = holds.to[0];
      if (inner?.kind !== 'apply' || inner.function !== '!') break;
      holds = inner.to[0];
    }
    const tested = holds?.kind === 'missing-able' ? holds.of : holds;
    if (!tested || tested.kind === 'apply' || !used.includes(JSON.stringify(tested).slice(0, -1))) return false;
  }
  return true;
}
