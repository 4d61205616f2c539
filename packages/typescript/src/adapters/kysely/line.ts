import { unknownValue, type CallChain, type Step, type Value } from '@tenant-lint/model';
import type { Build } from '../query-text/build.js';
import { both, callOf, type BuilderStep } from '../query-text/calls.js';
import { negated } from '../query-text/frag.js';
import { functionOf, withName } from '../query-text/functions.js';
import { builderSteps, starts } from './words.js';

/** A builder as far as it can be followed back: what it was started on, and every step since. */
export interface Line {
  readonly base: Value;
  readonly steps: readonly BuilderStep[];
}

/** How many ways one builder may have been made that are looked at. */
const maxLines = 4;
const loop = 'changes in a loop';
/** A step in the place of what was not followed; it may add any condition. */
export const lostStep = '(not followed)';

/** The builder that a chain ends in, through variables and functions. Each is another way it may have been made. */
export function linesOf(chain: CallChain, build: Build): readonly Line[] {
  return build.guard(`line:${chain.id}`, () => linesOfCall(chain, build), []);
}

function linesOfCall(chain: CallChain, build: Build): readonly Line[] {
  const { base, steps } = callOf(chain);
  const made = steps.findIndex((s) => s.arguments && builderSteps.has(s.name));
  const from = steps.slice(0, Math.max(made, 0)).findLastIndex((s) => s.arguments !== undefined);
  if (made >= 0 && from >= 0 && !steps.some((s) => s.arguments && starts.has(s.name))) {
    // `tasks().where(...)`, `this.base(tx).where(...)`: a function of the program starts the builder.
    const inner = calledLines(base, steps.slice(0, from + 1), build);
    if (inner.length > 0) return inner.map((line) => extended(line, steps.slice(from + 1), build));
  }
  const before = linesOfValue(base, build).filter((l) => l.steps.length > 0);
  if (before.length > 0) return before.map((line) => extended(line, steps, build));
  return [extended({ base, steps: [] }, steps, build)];
}

/** What a call of the program returns, where it returns builders. */
function calledLines(base: Value, steps: readonly Step[], build: Build): readonly Line[] {
  const read = steps.reduce<Value>((v, s) => (s.name === '' ? v : withName(v, s.name)), base);
  const callee = build.resolved(read);
  const f = callee.kind === 'function' ? build.context.function(callee.function) : undefined;
  if (!f || f.returns.length === 0 || f.returns.length > maxLines) return [];
  build.called(f.id, steps.at(-1)?.arguments ?? []);
  return f.returns.flatMap((r) => linesOfValue(r.value, build)).slice(0, maxLines);
}

/** The builders that a value may be. */
export function linesOfValue(given: Value, build: Build): readonly Line[] {
  const value = build.value(given);
  switch (value.kind) {
    case 'result': {
      const chain = value.path.length === 0 ? build.context.chain(value.chain) : undefined;
      // What was awaited is rows, not a builder.
      return chain && !chain.awaited ? linesOf(chain, build) : [];
    }
    case 'missing-able':
      return linesOfValue(value.of, build);
    case 'choice':
      return forked(value, build);
    case 'binding':
    case 'import':
    case 'this': {
      const resolved = build.context.resolve(value);
      return resolved.kind === 'result' || resolved.kind === 'choice' ? linesOfValue(resolved, build) : [];
    }
    default:
      return [];
  }
}

/** Where the program goes one way or another: the steps that only one way adds hang on the test. */
function forked(value: Extract<Value, { kind: 'choice' }>, build: Build): readonly Line[] {
  const known = value.of.filter((v) => v.kind !== 'unknown' || v.reason !== loop);
  const ways = known.map((v) => linesOfValue(v, build));
  const [first, second] = ways;
  if (ways.length === 1) return first ?? [];
  const [a] = first ?? [];
  const [b] = second ?? [];
  if (ways.length !== 2 || first?.length !== 1 || second?.length !== 1 || !a || !b)
    return ways.flat().slice(0, maxLines);
  const common = a.steps.findIndex((s, i) => !sameStep(s, b.steps[i]));
  const shared = common < 0 ? a.steps.length : common;
  if (!a.steps.slice(0, shared).some((s) => starts.has(s.name))) return [a, b];
  const test = value.test ?? unknownValue('a branch');
  const only = (steps: readonly BuilderStep[], when: Value): readonly BuilderStep[] =>
    steps.map((s) => ({ ...s, when: both(when, s.when) ?? when }));
  return [
    {
      base: a.base,
      steps: [
        ...a.steps.slice(0, shared),
        ...only(a.steps.slice(shared), test),
        ...only(b.steps.slice(shared), value.test ? negated(test) : test),
      ],
    },
  ];
}

const sameStep = (a: BuilderStep, b: BuilderStep | undefined): boolean =>
  b !== undefined &&
  a.name === b.name &&
  a.span.start === b.span.start &&
  a.span.end === b.span.end &&
  JSON.stringify(a.when) === JSON.stringify(b.when);

/** Adds steps, with `$call` and `$if` replaced by what their functions add. */
function extended(line: Line, steps: readonly BuilderStep[], build: Build): Line {
  const added = steps.flatMap((s) => expanded(s, build));
  return { ...line, steps: [...line.steps, ...added] };
}

function expanded(step: BuilderStep, build: Build): readonly BuilderStep[] {
  if (step.name !== '$call' && step.name !== '$if') return [step];
  const [first, second] = step.arguments ?? [];
  const [given, test] = step.name === '$call' ? [first, undefined] : [second, first];
  const inner = given && addedBy(given, build);
  const when = both(step.when, test);
  const list = inner ?? [{ name: lostStep, span: step.span }];
  return list.map((s): BuilderStep => {
    const both_ = both(when, s.when);
    return both_ ? { ...s, when: both_ } : s;
  });
}

/** The steps that a function adds to the builder it gets; undefined where it was not followed. */
function addedBy(given: Value, build: Build): readonly BuilderStep[] | undefined {
  const callee = functionOf(given, build);
  const f = callee === undefined ? undefined : build.context.function(callee);
  if (!f) return undefined;
  const [returned] = f.returns;
  if (f.returns.length !== 1 || !returned) return undefined;
  if (isParameter(returned.value, f.id)) return [];
  const [line, ...more] = linesOfValue(returned.value, build);
  return line && more.length === 0 && isParameter(line.base, f.id) ? line.steps : undefined;
}

const isParameter = (value: Value, id: string): boolean =>
  value.kind === 'parameter' && value.function === id && value.index === 0 && value.path.length === 0;
