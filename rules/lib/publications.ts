import type { Model } from '@tenant-lint/analysis';
import type { Span, Table } from '@tenant-lint/model';
import { tableNamed } from './schema.js';

export interface Published {
  readonly publication: string;
  readonly table: Table;
  /** With a row filter or a list of columns. */
  readonly filtered: boolean;
  readonly span: Span;
}

/** The tables that publications send, by name, by schema, or all of them. */
export function publishedTables(model: Model): readonly Published[] {
  return (model.schema.publications ?? []).flatMap((publication): Published[] => {
    const { name, span, tables, allTables, schemas } = publication;
    const named = tables.flatMap((entry) => {
      const table = tableNamed(model, { by: 'sql', ...entry.table });
      return table ? [{ publication: name, table, filtered: entry.filtered, span: entry.span ?? span }] : [];
    });
    const whole = [...model.schema.tables.values()].filter(
      (t) => (allTables || schemas?.includes(t.name.schema ?? 'public') === true) && !named.some((n) => n.table === t),
    );
    return [...named, ...whole.map((table) => ({ publication: name, table, filtered: false, span }))];
  });
}
