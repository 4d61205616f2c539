import type { Report } from '@tenant-lint/engine';
import { placeOf } from './place.js';
import { oneLine, printableJson, shownFindings } from './printable.js';

const severities = { error: 'critical', warning: 'minor', info: 'info' } as const;

/**
 * GitLab's Code Quality report: the part of the Code Climate format that GitLab reads. Findings without a file are left out, GitLab has no
 * place for them; so is what was not checked.
 */
export function gitlabReport(report: Report, quiet = false): string {
  const issues = shownFindings(report, quiet).flatMap((f) => {
    if (!f.span) return [];
    const { start, end } = placeOf(report, f.span);
    return [
      {
        type: 'issue',
        check_name: f.rule,
        description: oneLine(`${f.text.what} ${f.text.fix}`),
        content: { body: oneLine(f.text.why) },
        categories: ['Security'],
        severity: severities[f.severity],
        fingerprint: f.fingerprint,
        location: { path: f.span.file, lines: { begin: start.line, end: end.line } },
      },
    ];
  });
  return `${printableJson(JSON.stringify(issues, undefined, 2))}\n`;
}
