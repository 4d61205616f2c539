import type { Origin, Reason, Related, Span } from '@tenant-lint/model';

const sameSpan = (a: Span, b: Span): boolean => a.file === b.file && a.start === b.start && a.end === b.end;

/** The lines an argument rests on, without those that only point at the finding itself, each place once. */
export function relatedOf(reasons: readonly Reason[], main: Span): Related[] {
  const related: Related[] = [];
  for (const { span, text } of reasons) {
    if (span === undefined || sameSpan(span, main)) continue;
    if (!related.some((r) => r.text === text && sameSpan(r.span, span))) related.push({ span, text });
  }
  return related;
}

/** Where a fact of the schema stands: the statement that made it, and those that changed it since. */
export const placeOf = (
  origin: Origin,
  changed = 'changed here',
): { readonly span: Span; readonly related: Related[] } => ({
  span: origin.created,
  related: origin.changed.filter((span) => !sameSpan(span, origin.created)).map((span) => ({ span, text: changed })),
});
