import type { Report } from '@tenant-lint/engine';
import type { Edit, Finding, Fix } from '@tenant-lint/model';
import { edited, mends, suggestionFor, type Source } from '@tenant-lint/workspace';
import type { Analysed } from '../analyse.js';

/** Edits of code, each with the finding that it mends. */
export type CodeFixes = ReadonlyMap<Finding, Fix>;

/**
 * The edits of code that surely mend a finding and bring no other: all of them are analysed at once, and where that does not hold, those of one file
 * at a time, and then one by one. What overlaps an earlier edit waits for the next run.
 */
export function codeFixes(findings: readonly Finding[], analysed: Analysed, source: Source): CodeFixes {
  const texts = new Map<string, string>();
  const textOf = (file: string): string | undefined => {
    if (!texts.has(file)) {
      const read = source.read(file);
      if ('text' in read) texts.set(file, read.text);
    }
    return texts.get(file);
  };
  const wanted = new Map<Finding, Fix>();
  for (const finding of findings) {
    const text = finding.span && textOf(finding.span.file);
    const fix = text === undefined ? undefined : suggestionFor(analysed.built.model, finding, text);
    if (fix && !overlaps(fix, [...wanted.values()])) wanted.set(finding, fix);
  }
  const holds = (fixes: CodeFixes): boolean => {
    const after = analysed.edited(
      [...editsByFile([...fixes.values()])].map(([file, own]) => ({ file, text: edited(textOf(file) ?? '', own) })),
    );
    return after !== undefined && mends([...fixes.keys()], analysed.report.findings, after.findings);
  };
  return holding(wanted, holds);
}

function holding(fixes: CodeFixes, holds: (fixes: CodeFixes) => boolean): CodeFixes {
  if (fixes.size === 0 || holds(fixes)) return fixes;
  if (fixes.size === 1) return new Map();
  const files = new Set([...fixes.values()].flatMap((f) => f.edits.map((e) => e.file)));
  const parts =
    files.size > 1
      ? [...files].map((file) => new Map([...fixes].filter(([, f]) => f.edits[0]?.file === file)))
      : [...fixes].map((one) => new Map([one]));
  const kept = new Map(parts.flatMap((part) => [...holding(part, holds)]));
  // Each holds by itself; together they hold unless one file's change is what another's rests on.
  return kept.size === fixes.size || (kept.size > 1 && !holds(kept)) ? new Map() : kept;
}

/** A report with the edits of its findings; nothing else about it changes. */
export function withFixes(report: Report, analysed: Analysed, source: Source): Report {
  const open = report.findings.filter((f) => !f.suppressed && !f.baselined);
  const fixes = new Map([...codeFixes(open, analysed, source)].map(([f, fix]) => [f.fingerprint, fix] as const));
  if (fixes.size === 0) return report;
  return {
    ...report,
    findings: report.findings.map((f) => {
      const fix = fixes.get(f.fingerprint);
      return fix ? { ...f, fixes: [...f.fixes, fix] } : f;
    }),
  };
}

/** The edits of several fixes, by file. */
export function editsByFile(fixes: readonly Pick<Fix, 'edits'>[]): ReadonlyMap<string, readonly Edit[]> {
  const byFile = new Map<string, Edit[]>();
  for (const edit of fixes.flatMap((f) => f.edits)) byFile.set(edit.file, [...(byFile.get(edit.file) ?? []), edit]);
  return new Map([...byFile].sort(([a], [b]) => (a < b ? -1 : 1)));
}

const overlaps = (fix: Fix, others: readonly Fix[]): boolean =>
  fix.edits.some((a) =>
    others.some((other) => other.edits.some((b) => a.file === b.file && a.start <= b.end && b.start <= a.end)),
  );
