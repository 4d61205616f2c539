import type { Node } from '@pgsql/types';
import type { Predicate, Value } from '@tenant-lint/model';
import { unknownValue } from '@tenant-lint/model';
import { noteExhausted } from '../exhausted.js';
import * as conditions from './conditions.js';
import { NotLowered } from './context.js';
import type { Scope } from './scope.js';
import * as values from './values.js';

/** An expression outside of a query as a value. Never throws; what is not understood is `unknown`. */
export const lowerExpression = (node: Node | undefined, scope: Scope): Value =>
  guarded(() => values.lowerExpression(node, scope), unknownValue);

/** A condition outside of a query as a predicate. Never throws; what is not understood is `unknown`. */
export const lowerCondition = (node: Node | undefined, scope: Scope): Predicate =>
  guarded<Predicate>(
    () => conditions.lowerCondition(node, scope),
    (reason) => ({ kind: 'unknown', reason }),
  );

function guarded<T>(lower: () => T, otherwise: (reason: string) => T): T {
  try {
    return lower();
  } catch (error) {
    if (error instanceof NotLowered) return otherwise(error.message);
    if (error instanceof RangeError) {
      noteExhausted();
      return otherwise('nested too deeply');
    }
    throw error;
  }
}
