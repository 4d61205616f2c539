import { summarize, type Report } from '@tenant-lint/engine';

/** The report on some of the files: findings elsewhere are left out, what was not checked stays said. */
export function limited(report: Report, includes: (file: string) => boolean): Report {
  const findings = report.findings.filter((f) => f.span === undefined || includes(f.span.file));
  if (findings.length === report.findings.length) return report;
  return { ...report, findings, summary: summarize(findings, report.unchecked) };
}
