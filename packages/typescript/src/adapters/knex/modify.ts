import type { Value } from '@tenant-lint/model';
import type { Build } from '../query-text/build.js';
import { both, type BuilderStep } from '../query-text/calls.js';
import { stepsIn } from './family.js';

/** A step in the place of what was not followed; it may add any condition. */
export const lostStep = '(not followed)';

/** Steps with `modify(f, ...)` replaced by what the function does to the builder. */
export function expandedSteps(steps: readonly BuilderStep[], build: Build): readonly BuilderStep[] {
  return steps.flatMap((s) => (s.name === 'modify' && s.arguments ? modified(s, build) : [s]));
}

function modified(step: BuilderStep, build: Build): readonly BuilderStep[] {
  const [given, ...rest] = step.arguments ?? [];
  const lost: BuilderStep = { name: lostStep, span: step.span, ...(step.when ? { when: step.when } : {}) };
  if (!given) return [];
  const callee = functionOf(given, build);
  if (callee === undefined) return [lost];
  return build.guard(
    `modify:${callee}`,
    () => {
      build.called(callee, [{ kind: 'parameter', function: callee, index: 0, path: [] }, ...rest]);
      const inner = expandedSteps(stepsIn(callee, build), build);
      return inner.map((s): BuilderStep => {
        const when = both(step.when, s.when);
        return when ? { ...s, when } : s;
      });
    },
    [lost],
  );
}

/** The function that a value is, also one that a call of the program returns: `modify(scopedTo(id))`. */
export function functionOf(given: Value, build: Build): string | undefined {
  const value = build.resolved(given);
  if (value.kind === 'function') return value.function;
  const chain = value.kind === 'result' && value.path.length === 0 ? build.context.chain(value.chain) : undefined;
  const step = chain?.steps[0];
  if (!chain || chain.steps.length !== 1 || !step?.arguments) return undefined;
  const read: Value =
    step.name === ''
      ? chain.receiver
      : 'path' in chain.receiver
        ? { ...chain.receiver, path: [...chain.receiver.path, step.name] }
        : { kind: 'element', of: chain.receiver, path: [step.name] };
  const maker = build.resolved(read);
  const f = maker.kind === 'function' ? build.context.function(maker.function) : undefined;
  const [returned] = f?.returns ?? [];
  if (!f || f.returns.length !== 1 || returned?.value.kind !== 'function') return undefined;
  build.called(f.id, step.arguments);
  return returned.value.function;
}
