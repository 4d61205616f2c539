import type { Model } from '../model.js';
import type { Change } from './change.js';
import { objectChanges } from './objects.js';
import { tableChanges } from './tables.js';

export type { Change, ChangedThing, Effect } from './change.js';

const order = { weaker: 0, unknown: 1, stricter: 2, neutral: 3 } as const;

/**
 * What a change does to the database and to whose rows are whose: the weakest first, otherwise by what it is about. Pure; equal models have
 * no differences.
 */
export const compareModels = (before: Model, after: Model): readonly Change[] =>
  [...tableChanges(before, after), ...objectChanges(before, after)].sort(
    (a, b) =>
      order[a.effect] - order[b.effect] ||
      compare(a.table ?? '', b.table ?? '') ||
      compare(a.thing, b.thing) ||
      compare(a.name, b.name) ||
      compare(a.text, b.text),
  );

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
