import type { Model } from '@tenant-lint/analysis';
import { positionAt, subjectAt, type Reason, type Span } from '@tenant-lint/model';
import type { Report } from '@tenant-lint/engine';

export interface Position {
  readonly line: number;
  readonly column: number;
}

/** `file:line:column`, where a span begins. */
export function located(report: Report, span: Span): string {
  const { start } = placeOf(report, span);
  return `${span.file}:${start.line}:${start.column}`;
}

/** Where something stands, or what it is about where it stands in no file. */
export const whereOf = (
  report: Report,
  { span, subject }: { readonly span?: Span; readonly subject?: string },
): string => (span ? located(report, span) : (subject ?? ''));

/** The place by the facts of a model, for what is no part of a report; of the catalogue of a database what it is about. */
export function locatedIn(model: Pick<Model, 'files'>, span: Span): string {
  const facts = model.files.get(span.file);
  if (facts?.live) return subjectAt(facts.live, span);
  const { line, column } = positionAt(facts?.lineStarts ?? [0], span.start);
  return `${span.file}:${line}:${column}`;
}

/** A reason with its place, in one line. */
export const placed = ({ text, span }: Reason, model: Pick<Model, 'files'>): string =>
  span ? `${text} (${locatedIn(model, span)})` : text;

/** Lines and columns of a span, from 1. A file whose line starts are not known is all on its first line. */
export function placeOf(report: Report, span: Span): { start: Position; end: Position } {
  const starts = report.lineStarts[span.file] ?? [0];
  return { start: positionAt(starts, span.start), end: positionAt(starts, span.end) };
}
