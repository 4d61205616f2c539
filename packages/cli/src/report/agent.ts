import type { Finding } from '@tenant-lint/model';
import type { Report } from '@tenant-lint/engine';
import { located, placeOf, whereOf } from './place.js';
import { oneLine, shownFindings } from './printable.js';

/**
 * For coding assistants: few tokens, no drawing, everything that is needed to mend a finding, and every step of its trail with its place.
 * One line says what a record is made of, so that nothing has to be guessed.
 */
export function agentReport(report: Report, quiet = false): string {
  const shown = shownFindings(report, quiet);
  const { summary } = report;
  const lines = [
    `tenant-lint: ${summary.error} errors, ${summary.warning} warnings, ${summary.info} info, ${summary.unchecked} not checked`,
  ];
  if (shown.length > 0)
    lines.push('Each: file:line:column-line:column severity/confidence rule; what; why; fix; the places it rests on.');
  for (const f of shown) lines.push(...record(f, report));
  if (!quiet && report.unchecked.length > 0) {
    lines.push('Not checked, so nothing is said about:');
    const groups = new Map<string, string[]>();
    for (const u of report.unchecked) {
      const files = groups.get(u.reason) ?? [];
      files.push(u.span ? located(report, u.span) : u.file);
      groups.set(u.reason, files);
    }
    for (const [reason, files] of groups) {
      const more = files.length > 5 ? ` and ${files.length - 5} more` : '';
      lines.push(oneLine(`- ${reason}: ${files.slice(0, 5).join(', ')}${more}`));
    }
  }
  return `${lines.join('\n')}\n`;
}

function record(f: Finding, report: Report): string[] {
  const range = f.span && placeOf(report, f.span);
  const where =
    f.span && range ? `${located(report, f.span)}-${range.end.line}:${range.end.column}` : (f.subject ?? f.rule);
  return [
    oneLine(`${where} ${f.severity}/${f.confidence} ${f.rule}${f.table === undefined ? '' : ` table ${f.table}`}`),
    oneLine(`  what: ${f.text.what}`),
    oneLine(`  why: ${f.text.why}`),
    oneLine(`  fix: ${f.text.fix}`),
    ...f.related.map((r) => oneLine(`  at ${whereOf(report, r)}: ${r.text}`)),
  ].map((line) => line.trimEnd());
}
