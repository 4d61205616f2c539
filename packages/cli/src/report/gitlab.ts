import type { Report } from '@tenant-lint/engine';
import { placeOf } from './place.js';
import { oneLine, printableJson, shownFindings } from './printable.js';

const severities = { error: 'critical', warning: 'minor', info: 'info' } as const;

/**
 * GitLab's Code Quality report: the part of the Code Climate format that GitLab reads. A finding without a file stands under what it is about,
 * as GitLab wants a path; what was not checked is left out.
 */
export function gitlabReport(report: Report, quiet = false): string {
  const issues = shownFindings(report, quiet).map((f) => {
    const place = f.span && placeOf(report, f.span);
    return {
      type: 'issue',
      check_name: f.rule,
      description: oneLine(`${f.text.what} ${f.text.fix}`),
      content: { body: oneLine(f.text.why) },
      categories: ['Security'],
      severity: severities[f.severity],
      fingerprint: f.fingerprint,
      location: {
        path: f.span?.file ?? f.subject ?? 'database',
        lines: { begin: place?.start.line ?? 1, end: place?.end.line ?? 1 },
      },
    };
  });
  return `${printableJson(JSON.stringify(issues, undefined, 2))}\n`;
}
