import type { Model } from '@tenant-lint/analysis';
import type { Report } from '@tenant-lint/engine';
import type { Finding } from '@tenant-lint/model';
import { locatedIn, placed } from './report/place.js';

/** How many are told one by one. */
const maxTold = 20;

/**
 * What became of the findings that are there without types and not with them, one line each: types add what a function is called with and
 * what a call reaches, and nobody should have to guess why a finding went.
 */
export function lostWithTypes(before: Report, after: Report, model: Model): string[] {
  const left = new Set(after.findings.map(keyOf));
  const lost = before.findings.filter((f) => !f.suppressed && f.span && !left.has(keyOf(f)));
  const lines = lost
    .slice(0, maxTold)
    .map((f) => `with --types no ${f.rule} at ${locatedIn(model, f.span!)}: ${reasonOf(f, model)}`);
  return lost.length > maxTold ? [...lines, `with --types ${lost.length - maxTold} more findings are gone`] : lines;
}

const keyOf = (f: Finding): string => JSON.stringify([f.rule, f.span?.file, f.span?.start]);

/** What the model with types says of the same place. */
function reasonOf({ span }: Finding, model: Model): string {
  const targets = model.accesses
    .filter((a) => span && a.file === span.file && a.span.start <= span.start && span.end <= a.span.end)
    .flatMap((access) => access.targets.map((target) => model.verdict(access, target)));
  const [verdict] = targets;
  if (!verdict) return 'what it was about is understood otherwise';
  const because = verdict.kind === 'unknown' ? verdict.hangsOn : verdict.because;
  return [
    verdict.kind === 'leak' ? 'less certain now' : verdict.evidence,
    ...because.slice(0, 2).map((r) => placed(r, model)),
  ].join('; ');
}
