import {
  notKnown,
  known,
  type Known,
  type Schema,
  type Table,
  type TableName,
  type Value,
  type View,
} from '@tenant-lint/model';
import type { Program } from './program.js';

/** Finds tables by the names that code and SQL use for them. */
export class Tables {
  readonly #byAlias = new Map<string, Table>();
  readonly #byName = new Map<string, Table[]>();
  readonly #bound = new Map<string, TableName[]>();
  readonly #found = new WeakMap<TableName, { readonly table: Table | View | undefined }>();

  constructor(private readonly schema: Schema) {
    for (const table of schema.tables.values()) {
      for (const alias of table.aliases) {
        this.#byAlias.set(keyOf(alias), table);
        if (alias.by === 'binding') push(this.#bound, alias.name, alias);
      }
      push(this.#byName, table.name.name, table);
    }
  }

  /** The table (or view) of that name; an unqualified SQL name is looked up in `public`, then wherever it is the only one. */
  find(name: TableName): Table | View | undefined {
    let found = this.#found.get(name);
    if (!found) this.#found.set(name, (found = { table: this.#search(name) }));
    return found.table;
  }

  #search(name: TableName): Table | View | undefined {
    if (name.by !== 'sql') return this.#byAlias.get(keyOf(name));
    const id = `${name.schema ?? 'public'}.${name.name}`;
    const exact = this.schema.tables.get(id) ?? this.schema.views.get(id);
    if (exact || name.schema !== undefined) return exact;
    const same = this.#byName.get(name.name);
    return same?.length === 1 ? same[0] : undefined;
  }

  /** Views are left out. */
  table(name: TableName): Table | undefined {
    const found = this.find(name);
    return found && !('materialized' in found) ? found : undefined;
  }

  /** The tables whose declaring binding is called so, in any file. */
  bound(name: string): readonly TableName[] {
    return this.#bound.get(name) ?? [];
  }

  /** The declared table that a value denotes: the first binding on its way that declares one. */
  declaredBy(value: Value, program: Program): Known<TableName> {
    const found = program.resolveUntil(
      value,
      (v) =>
        v.kind === 'binding' &&
        v.path.length === 0 &&
        this.#byAlias.has(keyOf({ by: 'binding', file: v.file, name: v.name })),
    );
    return found?.kind === 'binding'
      ? known({ by: 'binding', file: found.file, name: found.name })
      : notKnown('not a table that the program declares');
  }
}

function keyOf(name: TableName): string {
  switch (name.by) {
    case 'sql':
      return `sql/${name.schema ?? 'public'}/${name.name}`;
    case 'model':
      return `model/${name.library}/${name.name}`;
    case 'binding':
      return `binding/${name.file}/${name.name}`;
  }
}

function push<T>(map: Map<string, T[]>, key: string, item: T): void {
  const list = map.get(key);
  if (list) list.push(item);
  else map.set(key, [item]);
}
