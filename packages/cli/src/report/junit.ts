import type { Finding } from '@tenant-lint/model';
import type { Report } from '@tenant-lint/engine';
import { placeOf, whereOf } from './place.js';
import { printable, shownFindings } from './printable.js';
import { uncheckedText } from './words.js';

/** Which findings make the run fail, and so are failures; the others are passed cases with their text as output. */
export interface JunitOptions {
  readonly quiet: boolean;
  readonly fails: (finding: Finding) => boolean;
}

/** JUnit XML: a suite for each file, a case for each finding; what was not checked is a skipped case. */
export function junitReport(report: Report, options: JunitOptions): string {
  const cases: Case[] = shownFindings(report, options.quiet).map((f) => ({
    suite: f.span?.file ?? f.subject ?? 'database',
    element: caseOf(f, report, options.fails(f)),
    outcome: options.fails(f) ? 'failed' : 'passed',
  }));
  for (const u of report.unchecked) {
    cases.push({
      suite: u.file,
      element: `    <testcase name="not checked" classname="${attribute(u.file)}">\n      <skipped message="${attribute(uncheckedText(u))}"/>\n    </testcase>`,
      outcome: 'skipped',
    });
  }
  // Readers take a report without any case for a run that never happened.
  if (cases.length === 0)
    cases.push({
      suite: 'tenant-lint',
      element: '    <testcase name="no finding" classname="tenant-lint"/>',
      outcome: 'passed',
    });
  const suites = [...new Set(cases.map((c) => c.suite))].map((name) => {
    const own = cases.filter((c) => c.suite === name);
    return `  <testsuite name="${attribute(name)}" ${counts(own)}>\n${own.map((c) => c.element).join('\n')}\n  </testsuite>`;
  });
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="tenant-lint" ${counts(cases)}>\n${suites.join('\n')}\n</testsuites>\n`;
}

interface Case {
  readonly suite: string;
  readonly element: string;
  readonly outcome: 'failed' | 'passed' | 'skipped';
}

const counts = (cases: readonly Case[]): string =>
  `tests="${cases.length}" failures="${cases.filter((c) => c.outcome === 'failed').length}" errors="0" skipped="${cases.filter((c) => c.outcome === 'skipped').length}"`;

function caseOf(f: Finding, report: Report, fails: boolean): string {
  const start = f.span && placeOf(report, f.span).start;
  const where = start ? `:${start.line}:${start.column}` : '';
  const classname = f.span?.file ?? f.subject ?? 'database';
  const open = `    <testcase name="${attribute(`${f.rule}${where === '' ? '' : ` at ${where.slice(1)}`}`)}" classname="${attribute(classname)}"${f.span && start ? ` file="${attribute(f.span.file)}" line="${start.line}"` : ''}>`;
  const related = f.related.map((r) => `rests on ${whereOf(report, r)} ${r.text}`);
  const body = content(
    [
      `${classname}${where} ${f.severity} ${f.rule} (${f.confidence})`,
      f.text.what,
      f.text.why,
      f.text.fix,
      ...related,
    ].join('\n'),
  );
  const inner = fails
    ? `      <failure type="${attribute(f.rule)}" message="${attribute(f.text.what)}">${body}</failure>`
    : `      <system-out>${body}</system-out>`;
  return `${open}\n${inner}\n    </testcase>`;
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};
/** XML 1.0 forbids most control characters even as references, lone surrogates and two non-characters. */
const content = (text: string): string =>
  printable(text)
    .replace(/[\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, '\ufffd')
    .replace(/[&<>"']/g, (c) => entities[c]!);
const attribute = (text: string): string => content(text).replace(/\n/g, '&#10;').replace(/\t/g, '&#9;');
