import { summarize, type Report } from '@tenant-lint/engine';
import type { Finding, Unchecked } from '@tenant-lint/model';

/** What was found in the state before a change, as far as it is compared: see findingKey and uncheckedKey. */
export interface KnownBefore {
  readonly findings: readonly string[];
  readonly unchecked: readonly string[];
}

/**
 * The part of a report that a change touches or causes: what is found in a changed file, and what is found elsewhere now and was not before.
 * `before` gives the report of the state before, and is asked only where something is found elsewhere; undefined where nothing could be
 * decided then, and everything counts as caused.
 */
export function changedPart(report: Report, files: ReadonlySet<string>, before: () => KnownBefore | undefined): Report {
  const touched = (file: string | undefined): boolean => file !== undefined && files.has(file);
  const elsewhere =
    report.findings.some((f) => !touched(f.span?.file)) || report.unchecked.some((u) => !touched(u.file));
  const known = elsewhere ? before() : undefined;
  const newFinding = beyond(known?.findings ?? [], findingKey);
  const newUnchecked = beyond(known?.unchecked ?? [], uncheckedKey);
  const findings = report.findings.filter((f) => touched(f.span?.file) || newFinding(f));
  const unchecked = report.unchecked.filter((u) => touched(u.file) || newUnchecked(u));
  return { ...report, findings, unchecked, summary: summarize(findings, unchecked) };
}

/** What one report has and the other has not, by what is found and in which file. An error that has come to stand for more places is new. */
export function findingsBeyond(report: Report, known: Report | undefined): readonly Finding[] {
  const others = new Map<string, number[]>();
  for (const f of known?.findings ?? []) others.set(findingKey(f), [...(others.get(findingKey(f)) ?? []), othersIn(f)]);
  return report.findings.filter((f) => {
    const before = others.get(findingKey(f))?.shift();
    return before === undefined || (f.severity === 'error' && othersIn(f) > before);
  });
}

/** What an earlier report had and the later one has not; one that stands for fewer places is still there. */
export const findingsGone = (earlier: Report, later: Report): readonly Finding[] =>
  earlier.findings.filter(beyond(later.findings.map(findingKey), findingKey));

/** Likewise of what was not checked. */
export const uncheckedBeyond = (report: Report, known: Report | undefined): readonly Unchecked[] =>
  report.unchecked.filter(beyond((known?.unchecked ?? []).map(uncheckedKey), uncheckedKey));

/**
 * Without places and occurrence: an equal finding further up in the project does not make this one new, nor does another one that is told with
 * it. Objects of the database are what their names say, whichever migration made them last.
 */
export const findingKey = (f: Finding): string =>
  JSON.stringify([
    f.rule,
    f.message,
    f.span?.file.endsWith('.sql') ? 'sql' : f.span?.file,
    f.subject,
    f.text.what.replace(otherPlaces, 'others'),
  ]);

/** How a finding tells of the places that it stands for besides its own. */
const otherPlaces = /\b(\d+) others?\b/g;
const othersIn = (f: Finding): number =>
  [...f.text.what.matchAll(otherPlaces)].reduce((sum, [, count]) => sum + Number(count), 0);
export const uncheckedKey = (u: Unchecked): string => JSON.stringify([u.file, u.reason, u.detail]);

/** Tells those that exceed in number the equal ones among `known`. */
function beyond<T>(known: readonly string[], key: (one: T) => string): (one: T) => boolean {
  const left = new Map<string, number>();
  for (const one of known) left.set(one, (left.get(one) ?? 0) + 1);
  return (one) => {
    const k = key(one);
    const rest = left.get(k) ?? 0;
    if (rest > 0) left.set(k, rest - 1);
    return rest === 0;
  };
}
