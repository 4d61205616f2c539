import type { Schema, Table, TableId } from '@tenant-lint/model';
import { primaryKey, referencesOf, uniqueKeys } from '../fold/index.js';
import { headOf, looksLikeReference, namesTable, stemOf, tableWords, wordsOf } from './words.js';

/** A reference of one table to another, however the project states it. */
export interface Edge {
  readonly from: TableId;
  readonly columns: readonly string[];
  readonly to: TableId;
  readonly references: readonly string[];
  /** All its columns are NOT NULL: every row has what it refers to. */
  readonly notNull: boolean;
  readonly stated: 'foreign key' | 'relation' | 'name';
}

/** Who refers to whom. Tables that only foreign keys name (`auth.users`) take part by id. */
export class Graph {
  readonly #out = new Map<TableId, Edge[]>();
  readonly #in = new Map<TableId, Edge[]>();
  readonly #words = new Map<TableId, readonly (readonly string[])[]>();
  readonly users: ReadonlySet<TableId>;
  /** The accounts by which users sign in elsewhere: one user's, with a provider and what it gave them. */
  readonly signIns: ReadonlySet<TableId>;

  constructor(readonly schema: Schema) {
    for (const table of schema.tables.values()) {
      const models = table.aliases.map((a) => tableWords(a.name));
      this.#words.set(table.id, [tableWords(table.name.name), ...models]);
    }
    for (const table of schema.tables.values()) {
      for (const edge of statedEdges(table)) this.#add(edge);
    }
    for (const table of schema.tables.values()) for (const edge of this.#namedEdges(table)) this.#add(edge);
    this.users = this.#findUsers();
    this.signIns = this.#findSignIns();
  }

  out(id: TableId): readonly Edge[] {
    return this.#out.get(id) ?? [];
  }

  in(id: TableId): readonly Edge[] {
    return this.#in.get(id) ?? [];
  }

  /** The names of a table as words: in the database, then in code. */
  words(id: TableId): readonly (readonly string[])[] {
    return this.#words.get(id) ?? [tableWords(id.slice(id.indexOf('.') + 1))];
  }

  /** Every table, and every table that only references name. */
  get ids(): readonly TableId[] {
    return [...new Set([...this.schema.tables.keys(), ...this.#in.keys()])];
  }

  #add(edge: Edge): void {
    push(this.#out, edge.from, edge);
    push(this.#in, edge.to, edge);
  }

  /** References that only the name shows: `workspace_id` without a foreign key, where there is one table of workspaces. */
  #namedEdges(table: Table): readonly Edge[] {
    const stated = new Set(this.out(table.id).flatMap((e) => e.columns));
    const own = primaryKey(table);
    return [...table.columns.values()].flatMap((column): Edge[] => {
      if (stated.has(column.name) || !looksLikeReference(column.name)) return [];
      const stem = stemOf(column.name);
      // The primary key is a reference only where it is called after another table.
      if (own.join() === column.name && this.words(table.id).some((w) => stem !== undefined && namesTable(stem, w)))
        return [];
      const target = stem === undefined ? undefined : this.#tableCalled(stem, table);
      const key = target && primaryKey(target);
      if (!target || !key || key.length !== 1 || target.id === table.id) return [];
      return [
        {
          from: table.id,
          columns: [column.name],
          to: target.id,
          references: key,
          notNull: column.notNull,
          stated: 'name',
        },
      ];
    });
  }

  #tableCalled(stem: string, from: Table): Table | undefined {
    const called = [...this.schema.tables.values()].filter((t) => this.words(t.id).some((w) => w.join(' ') === stem));
    const near = called.filter((t) => t.name.schema === from.name.schema);
    const list = near.length > 0 ? near : called;
    return list.length === 1 ? list[0] : undefined;
  }

  /**
   * The tables of people who sign in: called users, and what extends such a table one to one (profiles). A table called like one that
   * refers to users is a membership (`account_user`).
   */
  #findUsers(): ReadonlySet<TableId> {
    const called = this.ids.filter((id) => this.words(id).some((w) => headOf(w) === 'user'));
    const plain = called.filter((id) => this.words(id).some((w) => w.length === 1));
    const users = new Set(plain);
    for (const id of called)
      if (
        !this.out(id).some((e) => called.includes(e.to) && e.to !== id) &&
        (plain.length === 0 || this.in(id).length > 0)
      )
        users.add(id);
    for (const table of this.schema.tables.values()) {
      const key = primaryKey(table);
      if (
        key.length === 1 &&
        this.out(table.id).some((e) => e.stated !== 'name' && users.has(e.to) && e.columns.join() === key[0])
      )
        users.add(table.id);
    }
    return users;
  }

  #findSignIns(): ReadonlySet<TableId> {
    const found = [...this.schema.tables.values()].filter((table) => {
      const names = [...table.columns.keys()].map(wordsOf);
      return (
        this.out(table.id).some((e) => e.notNull && this.users.has(e.to)) &&
        names.some((words) => words[0] === 'provider') &&
        names.some((words) => headOf(words) === 'token')
      );
    });
    return new Set(found.map((table) => table.id));
  }
}

function statedEdges(table: Table): readonly Edge[] {
  const edges = new Map<string, Edge>();
  const notNull = (columns: readonly string[]): boolean => columns.every((c) => table.columns.get(c)?.notNull ?? false);
  for (const { columns, to, referencedColumns } of referencesOf(table)) {
    edges.set(`${columns.join()} ${to}`, {
      from: table.id,
      columns,
      to,
      references: referencedColumns,
      notNull: notNull(columns),
      stated: 'foreign key',
    });
  }
  for (const { columns, to, references, cardinality, inverse } of table.relations) {
    const key = `${columns.join()} ${to}`;
    if (columns.length === 0 || inverse || cardinality === 'many' || edges.has(key)) continue;
    edges.set(key, { from: table.id, columns, to, references, notNull: notNull(columns), stated: 'relation' });
  }
  return [...edges.values()];
}

/** Whether at most one row of the table refers to each row at the other end. */
export const isOneToOne = (schema: Schema, edge: Edge): boolean => {
  const table = schema.tables.get(edge.from);
  return (
    table !== undefined &&
    uniqueKeys(table).some((k) => k.length === edge.columns.length && k.every((c) => edge.columns.includes(c)))
  );
};

function push<T>(map: Map<string, T[]>, key: string, item: T): void {
  const list = map.get(key);
  if (list) list.push(item);
  else map.set(key, [item]);
}
