import type { LinkedAccess } from '@tenant-lint/analysis';
import type { Origin, Predicate, Reason, Related, Span, Target } from '@tenant-lint/model';

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

/**
 * An access from where its conditions are put together, where all of them are before it in the same function: `const conditions =
 * [eq(table.id, id)]`, and further down the query. There the one that is missing belongs.
 */
export function spanFromConditions({ span, in: f }: LinkedAccess, { predicate }: Target): Span {
  const spans: Span[] = [];
  const look = (p: Predicate): void => {
    if (p.kind === 'and' || p.kind === 'or' || p.kind === 'either') p.of.forEach(look);
    else if (p.kind === 'optional' || p.kind === 'not') look(p.of);
    else if ('span' in p && p.span) spans.push(p.span);
  };
  look(predicate);
  const isBefore = (s: Span): boolean => s.file === span.file && s.end <= span.start && s.start >= (f?.span.start ?? 0);
  return spans.every(isBefore) ? { ...span, start: Math.min(span.start, ...spans.map((s) => s.start)) } : span;
}
