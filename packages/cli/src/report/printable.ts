import type { Report } from '@tenant-lint/engine';

/**
 * Characters that a terminal obeys instead of showing, and those that reorder what is read (Unicode's bidirectional controls, see "Trojan
 * Source", CVE-2021-42574). Tab and line feed are layout.
 */
// eslint-disable-next-line no-control-regex -- control characters are what this is about
const obeyed = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** The text with every such character spelt out, `\u{1b}`: what a stranger's file says is shown, never obeyed. */
export const printable = (text: string): string =>
  text.replace(/\r\n/g, '\n').replace(obeyed, (c) => `\\u{${c.codePointAt(0)!.toString(16)}}`);

/** The same on one line. */
export const oneLine = (text: string): string => printable(text.replace(/\s*[\r\n]+\s*/g, ' '));

/** JSON text in which such characters are escapes; it means the same. */
export const printableJson = (json: string): string =>
  json.replace(obeyed, (c) => (c === '\n' ? c : `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`));

/** What a report's reader is shown: neither suppressed nor accepted before, errors only where `quiet`. */
export const shownFindings = (report: Report, quiet = false): Report['findings'] =>
  report.findings.filter((f) => !f.suppressed && !f.baselined && (!quiet || f.severity === 'error'));
