import type { Case } from './cases.js';

/** What the cases of its rule show of one entry of the catalogue. */
export interface EntryCoverage {
  /** Cases that name the entry and must be reported by its rule. */
  readonly bad: number;
  /** Cases that name the entry and must stay silent. */
  readonly good: number;
  /** Bad cases whose effect a probe shows in a database, and good ones where it shows that there is none. */
  readonly executed: number;
  readonly refuted: number;
}

/** Counts the cases of a rule that name an entry. */
export function coverageOf(entry: string, rule: string, cases: readonly Case[]): EntryCoverage {
  const own = cases.filter((one) => one.entries.includes(entry));
  const bad = own.filter((one) => one.marks.some((mark) => mark.rule === rule));
  const good = own.filter((one) => one.marks.length === 0);
  return {
    bad: bad.length,
    good: good.length,
    executed: bad.filter((one) => one.probes.some((probe) => probe.leaks)).length,
    refuted: good.filter((one) => one.probes.some((probe) => !probe.leaks)).length,
  };
}
