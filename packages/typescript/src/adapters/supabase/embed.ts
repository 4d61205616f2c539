import {
  always,
  and,
  equal,
  type LowerContext,
  type Predicate,
  type Span,
  type Table,
  type TableName,
  type Target,
  type Value,
} from '@tenant-lint/model';
import type { Filter, Place } from './filters.js';
import type { Embed, Selection } from './select.js';

/** Rows that are read, and the table they are of. */
export interface Rows {
  readonly ref: string;
  readonly table: Table | undefined;
}

/** What embedding needs of the request as a whole. */
export interface Request {
  readonly context: LowerContext;
  readonly schema: string | undefined;
  readonly span: Span;
  readonly next: () => string;
}

/** What a selection and its filters make of some rows. */
export interface Reached {
  /** On the rows themselves: their filters, and that inner resources exist. */
  readonly condition: Predicate;
  readonly targets: readonly Target[];
}

/**
 * The conditions on rows and on everything embedded in them. A filter on an embedded resource leaves the parents alone, unless it is
 * embedded with `!inner`.
 */
export function reach(rows: Rows, selection: Selection, filters: readonly Filter[], request: Request): Reached {
  const targets: Target[] = [];
  const inner: Predicate[] = [];
  const found = new Map<string, Predicate>();
  for (const embed of selection.embeds) {
    const own = filters.flatMap((f): Filter[] => (f.path[0] === embed.name ? [{ ...f, path: f.path.slice(1) }] : []));
    const made = embedded(rows, embed, own, request);
    targets.push(...made.targets);
    found.set(embed.name, made.exists);
    if (embed.inner) inner.push(made.exists);
  }
  const place: Place = { ref: rows.ref, embedded: (name) => found.get(name) };
  const direct = filters.filter((f) => f.path.length === 0).map((f) => f.predicate(place));
  // The request fails; nothing is said about what it would have found.
  const lost = filters.filter((f) => f.path[0] !== undefined && !found.has(f.path[0]));
  const unknown = lost.map((f): Predicate => ({
    kind: 'unknown',
    reason: `${f.path.join('.')} is not embedded in the select`,
    span: request.span,
  }));
  return { condition: and(always('no condition'), ...direct, ...unknown, ...inner), targets };
}

function embedded(
  parent: Rows,
  embed: Embed,
  filters: readonly Filter[],
  request: Request,
): { readonly targets: readonly Target[]; readonly exists: Predicate } {
  const ref = request.next();
  const way = relationship(parent, embed, ref, request);
  const inside = reach({ ref, table: way.table }, embed.selection, filters, request);
  const predicate = and(way.join, inside.condition);
  const target: Target = {
    ref,
    table: way.name
      ? { known: true, value: way.name }
      : { known: false, reason: `what ${embed.target} embeds was not found` },
    role: 'include',
    operation: 'read',
    predicate,
    cardinality: 'many',
    ...(embed.selection.columns ? { columns: embed.selection.columns } : {}),
    span: request.span,
  };
  return {
    targets: [target, ...inside.targets],
    exists: {
      kind: 'exists',
      query: {
        targets: [{ ...target, role: 'subquery' }],
        condition: predicate,
        output: [{ kind: 'constant', value: 1 }],
        span: request.span,
      },
      span: request.span,
    },
  };
}

interface Way {
  readonly name: TableName | undefined;
  readonly table: Table | undefined;
  readonly join: Predicate;
}

/**
 * The table that is embedded and what ties its rows to those of the parent: the foreign key between the two, in either direction, or
 * through the table that the hint names. https://docs.postgrest.org/en/stable/references/api/resource_embedding.html
 */
function relationship(parent: Rows, embed: Embed, ref: string, request: Request): Way {
  const named: TableName = {
    by: 'sql',
    ...(request.schema === undefined ? {} : { schema: request.schema }),
    name: embed.target,
  };
  const table = request.context.table(named);
  const own = parent.table;
  if (!table && own) {
    // The name of a column or of a constraint instead of the table's.
    const key = keysOf(own).find(
      (k) => k.name === embed.target || (k.columns.length === 1 && k.columns[0] === embed.target),
    );
    const to = key && request.context.table(key.references);
    if (key && to) return { name: nameOf(to), table: to, join: tie(parent.ref, key.columns, ref, referenced(key, to)) };
  }
  const unclear = (reason: string): Way => ({
    name: named,
    table,
    join: { kind: 'unknown', reason, span: request.span },
  });
  if (!table || !own) return unclear(`how ${embed.target} is tied to the rows was not found`);
  const matches = (k: Key): boolean =>
    embed.hint === undefined || k.name === embed.hint || (k.columns.length === 1 && k.columns[0] === embed.hint);
  const forward = keysOf(own).filter((k) => request.context.table(k.references)?.id === table.id);
  const back = keysOf(table).filter((k) => request.context.table(k.references)?.id === own.id);
  const joins = [
    ...forward.filter(matches).map((k) => tie(parent.ref, k.columns, ref, referenced(k, table))),
    ...(own.id === table.id && embed.hint === undefined
      ? []
      : back.filter(matches).map((k) => tie(ref, k.columns, parent.ref, referenced(k, own)))),
  ];
  const [join] = joins;
  if (join && joins.length === 1) return { name: named, table, join };
  const between = embed.hint === undefined ? undefined : through(parent, own, table, embed.hint, ref, request);
  return between ? { name: named, table, join: between } : unclear(`several or no relationships to ${embed.target}`);
}

/** Rows tied by a table between: `users!memberships(*)`. */
function through(
  parent: Rows,
  own: Table,
  table: Table,
  hint: string,
  ref: string,
  request: Request,
): Predicate | undefined {
  const between = request.context.table({
    by: 'sql',
    ...(request.schema === undefined ? {} : { schema: request.schema }),
    name: hint,
  });
  const keys = between ? keysOf(between) : [];
  const toOwn = keys.find((k) => request.context.table(k.references)?.id === own.id);
  const toOther = keys.find((k) => request.context.table(k.references)?.id === table.id);
  if (!between || !toOwn || !toOther) return undefined;
  const middle = request.next();
  const condition = and(
    tie(middle, toOwn.columns, parent.ref, referenced(toOwn, own)),
    tie(middle, toOther.columns, ref, referenced(toOther, table)),
  );
  return {
    kind: 'exists',
    query: {
      targets: [
        {
          ref: middle,
          table: { known: true, value: nameOf(between) },
          role: 'subquery',
          operation: 'read',
          predicate: condition,
          cardinality: 'many',
          span: request.span,
        },
      ],
      condition,
      output: [{ kind: 'constant', value: 1 }],
      span: request.span,
    },
    span: request.span,
  };
}

interface Key {
  readonly name: string;
  readonly columns: readonly string[];
  readonly references: TableName;
  readonly referencedColumns: readonly string[];
}

/** The foreign keys of a table; one without a name has the one that Postgres gives it. */
const keysOf = (table: Table): readonly Key[] =>
  table.constraints.flatMap((c): Key[] =>
    c.kind === 'foreign key'
      ? [
          {
            name: c.name ?? `${table.name.name}_${c.columns.join('_')}_fkey`,
            columns: c.columns,
            references: c.references,
            referencedColumns: c.referencedColumns,
          },
        ]
      : [],
  );

const primaryKey = (table: Table): readonly string[] => {
  const found = table.constraints.find((c) => c.kind === 'primary key');
  return found?.kind === 'primary key' ? found.columns : ['id'];
};

const referenced = (key: Key, table: Table): readonly string[] =>
  key.referencedColumns.length > 0 ? key.referencedColumns : primaryKey(table);

export const conflictColumns = primaryKey;

const tie = (a: string, columns: readonly string[], b: string, others: readonly string[]): Predicate =>
  and(...columns.map((c, i) => equal(columnOf(a, c), columnOf(b, others[i] ?? c))));

const columnOf = (target: string, column: string): Value => ({ kind: 'column', target, column });

export const nameOf = (table: Table): TableName => ({
  by: 'sql',
  ...(table.name.schema === undefined ? {} : { schema: table.name.schema }),
  name: table.name.name,
});
