import type { Model } from '@tenant-lint/analysis';
import { evidences, type Evidence, type Finding, type Unchecked } from '@tenant-lint/model';
import type { ModelFigures, Summary } from './report.js';
import { obligations, servingAccesses } from './subjects.js';

/** What was understood, in numbers. */
export function figuresOf(model: Model): ModelFigures {
  const counts = new Map<Evidence, number>();
  for (const { access, target } of obligations(model)) {
    const { evidence } = model.verdict(access, target);
    counts.set(evidence, (counts.get(evidence) ?? 0) + 1);
  }
  const tables = [...model.schema.tables.keys()];
  return {
    tables: tables.length,
    keyed: tables.filter((id) => model.tenancyOf(id).kind === 'keyed').length,
    accesses: servingAccesses(model).length,
    evidence: Object.fromEntries(evidences.flatMap((e) => (counts.has(e) ? [[e, counts.get(e)]] : []))),
  };
}

export function summarize(findings: readonly Finding[], unchecked: readonly Unchecked[]): Summary {
  const open = findings.filter((f) => !f.suppressed && !f.baselined);
  const at = (severity: Finding['severity']): number => open.filter((f) => f.severity === severity).length;
  return {
    error: at('error'),
    warning: at('warning'),
    info: at('info'),
    suppressed: findings.filter((f) => f.suppressed).length,
    baselined: findings.filter((f) => f.baselined && !f.suppressed).length,
    unchecked: unchecked.length,
  };
}

/** Line starts of the files that a report points into, by file name in order. */
export function lineStartsFor(
  model: Model,
  findings: readonly Finding[],
  unchecked: readonly Unchecked[],
): Record<string, readonly number[]> {
  const files = new Set([
    ...findings.flatMap((f) => [
      ...(f.span ? [f.span.file] : []),
      ...f.related.flatMap((r) => (r.span ? [r.span.file] : [])),
    ]),
    ...unchecked.flatMap((u) => (u.span ? [u.span.file] : [])),
  ]);
  return Object.fromEntries(
    [...files].sort().flatMap((file) => {
      const facts = model.files.get(file);
      return facts ? [[file, facts.lineStarts]] : [];
    }),
  );
}
