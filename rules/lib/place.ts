import { spanContains, type Origin, type Related, type Span, type Table } from '@tenant-lint/model';
import { placeOf } from './evidence.js';

/** A column, constraint or index with the place of its own definition, where that is known. */
export interface Defined {
  readonly origin: Origin;
  readonly span?: Span;
}

/** The definition itself where it is part of the statement that made it (a column of CREATE TABLE), else the whole statement. */
export function definitionOf({ origin, span }: Defined): Span {
  const { created } = origin;
  return span && spanContains(created, span) ? span : created;
}

/** Where a part of a table is defined; the declaration of the table, and later changes, are related. */
export function placeInTable(
  defined: Defined,
  table: Table,
): { readonly span: Span; readonly related: readonly Related[] } {
  const span = definitionOf(defined);
  const { related } = placeOf(defined.origin);
  const { created } = table.origin;
  const inside = spanContains(created, span) && (created.start !== span.start || created.end !== span.end);
  return { span, related: inside ? [{ span: created, text: 'the table is declared here' }, ...related] : related };
}
