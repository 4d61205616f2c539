import type { Value, Writes } from '@tenant-lint/model';
import type { ReadObject } from './prisma/object.js';

/** What an object writes of which nothing is seen: whatever it holds. */
export const openWrites = (value: Value | undefined): Writes =>
  value ? { set: {}, open: true, rest: { of: [value], except: [] } } : { set: {}, open: false };

/** The objects that were spread into one that is written, without the columns that stand after them. */
export function restOf(object: ReadObject, columnNamed: (name: string) => string): Pick<Writes, 'rest'> {
  if (!object.rest?.length) return {};
  const settled = [...object.properties.values()].filter((p) => p.replaced === undefined);
  return { rest: { of: object.rest, except: settled.map((p) => columnNamed(p.name)) } };
}
