import { idOf, sqlName, type Catalog, type Relation } from '../catalog.js';
import { insertOf } from '../fill/fill.js';
import { quoteName } from '../session/session.js';
import type { Planned, Way } from './attempt.js';
import { changed, holdsMarker, isOf, markersOf, note, quietly, type Owned } from './owned.js';
import type { As } from './tables.js';

/** The tables with owners that a view reads, through other views too. */
export function ownedBehind(view: Relation, catalog: Catalog, all: ReadonlyMap<string, Owned>): readonly Owned[] {
  const found = new Map<string, Owned>();
  const seen = new Set<string>();
  const visit = (oid: string): void => {
    if (seen.has(oid)) return;
    seen.add(oid);
    const owned = all.get(oid);
    if (owned) found.set(oid, owned);
    for (const next of catalog.reads[oid] ?? []) visit(next);
  };
  visit(view.oid);
  return [...found.values()].sort((a, b) => (idOf(a.relation) < idOf(b.relation) ? -1 : 1));
}

/** Every try through a view that the role may use. One cell for the view and command, under the first table behind it. */
export function planView(
  view: Relation,
  behind: readonly Owned[],
  as: As,
  may: (privilege: 'SELECT' | 'INSERT' | 'UPDATE' | 'DELETE') => boolean,
): readonly Planned[] {
  const [first] = behind;
  if (!first) return [];
  const way: Way = { kind: 'view', name: idOf(view) };
  const cell = { table: idOf(first.relation), way, role: as.role, context: as.context.name };
  const base = { ...cell, context: as.context, rowsLeak: false };
  const planned: Planned[] = [];
  if (may('SELECT')) {
    const content = `(select coalesce(md5(string_agg(v::text, ',' order by v::text)), '') from ${sqlName(view)} v)`;
    const command = 'read' as const;
    planned.push({
      ...cell,
      command,
      attempts: [
        {
          ...base,
          command,
          prepare: [],
          statement: `select 1 from ${sqlName(view)} v where ${holdsMarker('v::text', markersOf(behind))}`,
          rowsLeak: true,
        },
        ...(view.kind === 'view'
          ? [
              {
                ...base,
                command,
                prepare: [],
                statement: `select set_config('tenant_lint.mark', ${content}, true)`,
                between: quietly(behind.map((t) => `delete from ${sqlName(t.relation)} where ${isOf(t, 'B')}`)),
                probe: `select 1 where current_setting('tenant_lint.mark') is distinct from ${content}`,
                probeAsRole: true as const,
                world: 'what it shows changes with the rows of B',
              },
            ]
          : []),
      ],
    });
  }
  if (as.context.name !== '' || view.kind !== 'view') return planned;
  const column = view.columns.find(
    (c) => !first.columns.includes(c.name) && first.relation.columns.some((o) => o.name === c.name && !o.generated),
  );
  if (may('UPDATE') && column) {
    const set = quoteName(column.name);
    planned.push({
      ...cell,
      command: 'update',
      attempts: [
        {
          ...base,
          command: 'update',
          prepare: [note(behind)],
          statement: `update ${sqlName(view)} set ${set} = ${set}`,
          probe: changed(behind),
        },
      ],
    });
  }
  if (may('DELETE'))
    planned.push({
      ...cell,
      command: 'delete',
      attempts: [
        {
          ...base,
          command: 'delete',
          prepare: [...quietly(behind.flatMap((t) => t.keptBy ?? [])), note(behind)],
          statement: `delete from ${sqlName(view)}`,
          probe: changed(behind),
        },
      ],
    });
  if (may('INSERT') && behind.length === 1) {
    const row = Object.fromEntries(
      Object.entries(first.B).filter(([name]) => view.columns.some((c) => c.name === name)),
    );
    const known = first.columns.every((c) => c in row);
    planned.push({
      ...cell,
      command: 'insert',
      attempts: known
        ? [
            {
              ...base,
              command: 'insert',
              prepare: quietly([`delete from ${sqlName(first.relation)} where ${isOf(first, 'B')}`]),
              statement: insertOf(view, row),
              probe: `select 1 from ${sqlName(first.relation)} where ${isOf(first, 'B')}`,
            },
          ]
        : [],
      ...(known ? {} : { notTried: 'the view has no column that says whose a row is' }),
    });
  }
  return planned;
}
