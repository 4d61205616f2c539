import type { Report } from '@tenant-lint/engine';
import type { Span } from '@tenant-lint/model';
import { located, placeOf, whereOf } from '../place.js';
import { printable } from '../printable.js';
import { uncheckedText } from '../words.js';
import type { ProjectMap } from './map.js';

/** Lines of code before and after a finding. */
const around = 2;
/** A finding over more lines shows the first of them. */
const mostLines = 9;

interface Line {
  readonly number: number;
  readonly text: string;
  readonly marked: boolean;
}

/** What the page shows, as plain data; texts of the project are printable. */
export interface PageData {
  readonly summary: Report['summary'];
  readonly model: Report['model'];
  readonly findings: readonly {
    readonly rule: string;
    readonly severity: string;
    readonly confidence: string;
    readonly place: string;
    readonly what: string;
    readonly why: string;
    readonly fix: string;
    readonly state: '' | 'suppressed' | 'baselined';
    readonly code: readonly Line[];
    readonly trail: readonly { readonly place: string; readonly text: string; readonly code: string }[];
  }[];
  readonly unchecked: readonly { readonly place: string; readonly reason: string }[];
  readonly map?: ProjectMap;
}

export function pageData(report: Report, textOf: (file: string) => string | undefined, map?: ProjectMap): PageData {
  const lines = new Map<string, readonly string[]>();
  const linesOf = (file: string): readonly string[] => {
    const known = lines.get(file) ?? (textOf(file) ?? '').split(/\r?\n/);
    lines.set(file, known);
    return known;
  };
  const frame = (span: Span): Line[] => {
    const { start, end } = placeOf(report, span);
    const last = Math.min(end.line, start.line + mostLines - 1);
    const all = linesOf(span.file);
    const found: Line[] = [];
    for (let n = Math.max(1, start.line - around); n <= Math.min(all.length, last + around); n++)
      found.push({ number: n, text: shown(all[n - 1]!), marked: n >= start.line && n <= last });
    return found;
  };
  return {
    summary: report.summary,
    model: report.model,
    findings: report.findings.map((f) => ({
      rule: f.rule,
      severity: f.severity,
      confidence: f.confidence,
      place: printable(f.span ? located(report, f.span) : (f.subject ?? '')),
      what: printable(f.text.what),
      why: printable(f.text.why),
      fix: printable(f.text.fix),
      state: f.suppressed ? 'suppressed' : f.baselined ? 'baselined' : '',
      code: f.span ? frame(f.span) : [],
      trail: f.related.map((r) => ({
        place: printable(whereOf(report, r)),
        text: printable(r.text),
        code: r.span ? shown(linesOf(r.span.file)[placeOf(report, r.span).start.line - 1] ?? '').trim() : '',
      })),
    })),
    unchecked: report.unchecked.map((u) => ({
      place: printable(u.span ? located(report, u.span) : u.file),
      reason: printable(uncheckedText(u)),
    })),
    ...(map ? { map } : {}),
  };
}

/** A line of code as the page shows it; one that no person reads is cut. */
const shown = (line: string): string => printable(line.length > 400 ? `${line.slice(0, 400)}…` : line);
