import type { Finding } from '@tenant-lint/model';
import type { Report } from '@tenant-lint/engine';
import { located, whereOf } from './place.js';
import { oneLine, shownFindings } from './printable.js';
import { plural, uncheckedText } from './words.js';

/** So many findings stand in full; a comment of a pull request has a bound, and nobody reads further. */
const shownInFull = 50;

/** For a pull request: counts, findings by rule with their trail, what was not checked. */
export function markdownReport(report: Report, quiet = false): string {
  const { summary } = report;
  const shown = shownFindings(report, quiet);
  const counts = [
    plural(summary.error, 'error'),
    plural(summary.warning, 'warning'),
    ...(summary.info > 0 ? [`${summary.info} info`] : []),
    ...(summary.baselined > 0 ? [`${summary.baselined} in the baseline`] : []),
    ...(summary.suppressed > 0 ? [`${summary.suppressed} suppressed`] : []),
    ...(summary.unchecked > 0 ? [`${summary.unchecked} not checked`] : []),
  ];
  const lines = ['## tenant-lint', '', `**${counts.join(', ')}**`, ''];
  const worst = [...shown].sort((a, b) => rank(a) - rank(b));
  for (const f of worst.slice(0, shownInFull)) lines.push(...finding(f, report));
  if (worst.length > shownInFull) {
    const rest = worst.slice(shownInFull);
    lines.push('', `<details><summary>${rest.length} more</summary>`, '');
    for (const f of rest) lines.push(`- ${code(f.rule)} ${where(f, report)}`);
    lines.push('', '</details>', '');
  }
  if (!quiet && report.unchecked.length > 0) {
    lines.push(`<details><summary>Not checked: ${report.unchecked.length}</summary>`, '');
    for (const u of report.unchecked.slice(0, 200))
      lines.push(`- ${code(u.span ? located(report, u.span) : u.file)} ${text(uncheckedText(u))}`);
    if (report.unchecked.length > 200) lines.push(`- and ${report.unchecked.length - 200} more`);
    lines.push('', '</details>', '');
  }
  return `${lines.join('\n').trimEnd()}\n`;
}

const rank = (f: Finding): number => ({ error: 0, warning: 1, info: 2 })[f.severity];

function finding(f: Finding, report: Report): string[] {
  return [
    `- **${f.severity}** ${code(f.rule)} ${where(f, report)}${f.confidence === 'certain' ? '' : ` _(${f.confidence})_`}`,
    `  ${text(f.text.what)} ${text(f.text.why)}`,
    `  Fix: ${text(f.text.fix)}`,
    ...f.related.map((r) => `  - ${code(whereOf(report, r))} ${text(r.text)}`),
  ];
}

const where = (f: Finding, report: Report): string => code(f.span ? located(report, f.span) : (f.subject ?? f.rule));

/** A code span that its content cannot leave: the fence is longer than any run of backticks inside (CommonMark 6.1). */
export function code(content: string): string {
  const safe = oneLine(content);
  const longest = Math.max(0, ...[...safe.matchAll(/`+/g)].map((m) => m[0].length));
  const fence = '`'.repeat(longest + 1);
  const pad = safe.startsWith('`') || safe.endsWith('`') || safe.trim() === '' ? ' ' : '';
  return `${fence}${pad}${safe}${pad}${fence}`;
}

/** Plain words: nothing in them is markup, a link, HTML, or a mention of somebody. */
export const text = (content: string): string =>
  oneLine(content)
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/[\\`*_[\]{}()#!|~$^]/g, '\\$&')
    // A word joiner keeps `@name`, `www.` and `https:` from becoming mentions and links.
    .replace(/@(?=\w)/g, '@\u2060')
    .replace(/\b(https?|ftp|mailto|www)([:.])/gi, '$1\u2060$2');
