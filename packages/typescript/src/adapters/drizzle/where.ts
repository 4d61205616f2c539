import { onlyIf } from '../query-text/frag.js';
import { always, type Predicate, type Value } from '@tenant-lint/model';
import type { BuilderStep } from './builder.js';
import { lowerWhere } from './condition.js';
import type { Scope } from './scope.js';

/** The where (or having) that counts: a later one replaces an earlier one; one that only some paths add is one of two conditions. */
export function whereOf(steps: readonly BuilderStep[], name: 'where' | 'having', scope: Scope): Predicate {
  let result: Predicate = always('no condition');
  let last: Value | undefined;
  let stated: BuilderStep | undefined;
  for (const step of steps) {
    if (step.name !== name || !step.arguments) continue;
    const next = lowerWhere(step.arguments[0], scope);
    if (stated && result.kind !== 'always' && !(step.when && last && isNegation(step.when, last))) {
      scope.build.lost.push({ how: 'replaced', predicate: result, span: stated.span, at: step.span });
    }
    stated = step;
    if (!step.when) {
      result = next;
      last = undefined;
    } else if (last && isNegation(step.when, last)) {
      // The other branch of the same test: what was there before both never counts.
      const first: Predicate =
        result.kind === 'optional' ? result.of : result.kind === 'either' ? (result.of[0] ?? result) : result;
      result = { kind: 'either', of: [first, next], test: last };
      last = undefined;
    } else {
      result =
        result.kind === 'always'
          ? onlyIf(next, step.when, result, 'the condition is added on some paths only')
          : { kind: 'either', of: [next, result], test: step.when };
      last = step.when;
    }
  }
  return result;
}

const opposites: Readonly<Record<string, string>> = { '===': '!==', '!==': '===', '==': '!=', '!=': '==' };

function isNegation(a: Value, b: Value): boolean {
  const same = (x: unknown, y: unknown): boolean => JSON.stringify(x) === JSON.stringify(y);
  if (a.kind === 'apply' && a.function === '!' && same(a.to[0], b)) return true;
  if (b.kind === 'apply' && b.function === '!' && same(b.to[0], a)) return true;
  return a.kind === 'apply' && b.kind === 'apply' && opposites[a.function] === b.function && same(a.to, b.to);
}
