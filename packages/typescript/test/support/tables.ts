import type { Origin, SchemaEvent, Table, TableName } from '@tenant-lint/model';

/** Tables as the events create them, for tests of lowering; nothing is altered or dropped. */
export function tablesOf(events: readonly SchemaEvent[]): Table[] {
  const creates = events.flatMap((e) => (e.action.do === 'create table' ? [{ action: e.action, span: e.span }] : []));
  const idOf = (name: TableName): string | undefined => {
    const found = creates.find(({ action }) =>
      name.by === 'sql'
        ? action.table.name === name.name
        : action.aliases.some(
            (a) =>
              a.by === name.by &&
              a.name === name.name &&
              (a.by !== 'binding' || name.by !== 'binding' || a.file === name.file),
          ),
    );
    return found && `${found.action.table.schema ?? 'public'}.${found.action.table.name}`;
  };
  const added = events.flatMap((e) => (e.action.do === 'add relations' ? [e.action] : []));
  return creates.map(({ action, span }): Table => {
    const origin: Origin = { created: span, changed: [] };
    const id = `${action.table.schema ?? 'public'}.${action.table.name}`;
    const relations = [...action.relations, ...added.filter((a) => idOf(a.table) === id).flatMap((a) => a.relations)];
    return {
      id,
      name: action.table,
      aliases: action.aliases,
      columns: new Map(action.columns.map((c) => [c.name, { ...c, origin }])),
      constraints: action.constraints.map((c) => ({ ...c, origin })),
      indexes: action.indexes.map((i) => ({ ...i, origin })),
      relations: relations.flatMap((r) => {
        const to = idOf(r.to);
        return to === undefined ? [] : [{ ...r, to }];
      }),
      rowSecurity: { enabled: false, forced: false },
      policies: [],
      triggers: [],
      inherits: [],
      origin,
      complete: true,
      ...(action.documents ? { documents: true as const } : {}),
    };
  });
}
