import { positionAt, type Span } from '@tenant-lint/model';
import type { Report } from '@tenant-lint/engine';

export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Lines and columns of a span, from 1. A file whose line starts are not known is all on its first line. */
export function placeOf(report: Report, span: Span): { start: Position; end: Position } {
  const starts = report.lineStarts[span.file] ?? [0];
  return { start: positionAt(starts, span.start), end: positionAt(starts, span.end) };
}
