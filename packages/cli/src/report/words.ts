import type { Unchecked } from '@tenant-lint/model';

/** "1 error", "2 errors". */
export const plural = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`;

/** Why something was not checked, in one line. */
export const uncheckedText = ({ reason, detail }: Pick<Unchecked, 'reason' | 'detail'>): string =>
  detail === undefined ? reason : `${reason}: ${detail}`;

/** The order of code units, which no locale changes. */
export const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
