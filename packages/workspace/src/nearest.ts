import { closest, distance } from 'fastest-levenshtein';

/** ", did you mean ...?" with the nearest of some names, if one is near. */
export function hint(name: string, among: readonly string[]): string {
  const near = nearest(name, among);
  return near === undefined ? '' : `, did you mean ${near}?`;
}

/** The nearest of some names to a misspelt one, if it is near at all. */
export function nearest(name: string, among: readonly string[]): string | undefined {
  if (among.length === 0) return undefined;
  const near = closest(name, [...among]);
  return distance(name, near) <= Math.max(2, Math.floor(name.length / 3)) ? near : undefined;
}
