import type { Build } from '../query-text/build.js';
import { both, type BuilderStep } from '../query-text/calls.js';
import { isBuilderStep, runs } from './words.js';
import { functionOf } from '../query-text/functions.js';
import { stepsIn } from './family.js';

/** A step in the place of what was not followed; it may add any condition. */
export const lostStep = '(not followed)';

/** Steps with `modify(f, ...)` replaced by what the function does to the builder. */
export function expandedSteps(steps: readonly BuilderStep[], build: Build): readonly BuilderStep[] {
  const end = steps.findIndex((s) => s.arguments && runs.has(s.name));
  return (end < 0 ? steps : steps.slice(0, end)).flatMap((s): readonly BuilderStep[] => {
    if (!s.arguments) return [];
    if (s.name === 'modify') return modified(s, build);
    // A method that the program added to the builder.
    return isBuilderStep(s.name) || s.name === lostStep ? [s] : [lost(s)];
  });
}

const lost = (step: BuilderStep): BuilderStep => ({
  name: lostStep,
  arguments: [],
  span: step.span,
  ...(step.when ? { when: step.when } : {}),
});

function modified(step: BuilderStep, build: Build): readonly BuilderStep[] {
  const [given, ...rest] = step.arguments ?? [];
  if (!given) return [];
  const callee = functionOf(given, build);
  if (callee === undefined) return [lost(step)];
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
    [lost(step)],
  );
}
