import type { Model } from '@tenant-lint/analysis';
import { positionAt, type Reason, type Span } from '@tenant-lint/model';
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

/** The same by the facts of a model, for what is no part of a report. */
export function locatedIn(model: Pick<Model, 'files'>, span: Span): string {
  const { line, column } = positionAt(model.files.get(span.file)?.lineStarts ?? [0], span.start);
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
