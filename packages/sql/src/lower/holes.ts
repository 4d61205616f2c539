import type { Value } from '@tenant-lint/model';

const hole = /__hole_(\d+)__/;

/** The identifier that stands in SQL text for the n-th value of the host program that is no bind parameter. */
export const holeIdentifier = (n: number): string => `__hole_${n}__`;

/** The number of the (first) hole inside a name or text. */
export function holeOf(text: string | undefined): number | undefined {
  const found = text === undefined ? null : hole.exec(text);
  return found ? Number(found[1]) : undefined;
}

/** The value that a hole stands for; the host adapter replaces it by the program's value. */
export const holeValue = (n: number): Value => ({ kind: 'placeholder', name: `hole:${n}` });

/** All holes of a text with their offsets, in order. */
export function holesIn(text: string): { readonly n: number; readonly start: number; readonly end: number }[] {
  return [...text.matchAll(/__hole_(\d+)__/g)].map((m) => ({
    n: Number(m[1]),
    start: m.index,
    end: m.index + m[0].length,
  }));
}
