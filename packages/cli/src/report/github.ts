import type { Report } from '@tenant-lint/engine';
import { placeOf } from './place.js';
import { oneLine, shownFindings } from './printable.js';

const commands = { error: 'error', warning: 'warning', info: 'notice' } as const;

/**
 * Annotations as workflow commands of GitHub Actions, one line each. What a file or a table is called cannot end a command or begin another:
 * escaped as the runner's own toolkit does it (actions/toolkit, packages/core/src/command.ts).
 */
export function githubReport(report: Report, quiet = false): string {
  const lines = shownFindings(report, quiet).map((f) => {
    const properties: Record<string, string | number> = {};
    if (f.span) {
      const { start, end } = placeOf(report, f.span);
      properties['file'] = f.span.file;
      properties['line'] = start.line;
      properties['endLine'] = end.line;
      // The runner takes columns only within one line.
      if (start.line === end.line) Object.assign(properties, { col: start.column, endColumn: end.column });
    }
    properties['title'] = `tenant-lint: ${f.rule}`;
    const about = f.span || f.subject === undefined ? '' : `${f.subject}: `;
    return command(commands[f.severity], properties, `${about}${f.text.what} ${f.text.why} ${f.text.fix}`);
  });
  const { summary } = report;
  if (!quiet && summary.unchecked > 0) {
    const places = report.unchecked.slice(0, 10).map((u) => `${u.file} (${u.reason})`);
    const more = summary.unchecked > places.length ? ` and ${summary.unchecked - places.length} more` : '';
    lines.push(
      command('notice', { title: 'tenant-lint: not checked' }, `${summary.unchecked}: ${places.join(', ')}${more}`),
    );
  }
  return lines.map((line) => `${line}\n`).join('');
}

const command = (name: string, properties: Readonly<Record<string, string | number>>, message: string): string =>
  `::${name} ${Object.entries(properties)
    .map(([key, value]) => `${key}=${property(String(value))}`)
    .join(',')}::${data(message)}`;

const data = (text: string): string => oneLine(text).replace(/%/g, '%25');
const property = (text: string): string => data(text).replace(/:/g, '%3A').replace(/,/g, '%2C');
