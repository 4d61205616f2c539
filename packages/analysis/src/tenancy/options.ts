import type { Schema, Strategy, Table, TableId } from '@tenant-lint/model';

/** The `tenancy` part of the configuration. Everything given wins over what is inferred. */
export interface TenancyOptions {
  readonly strategy?: Strategy;
  /** Columns that identify the tenant. Spellings count as one: `tenant_id` covers `tenantId`. */
  readonly keys?: readonly string[];
  readonly roots?: readonly string[];
  readonly shared?: readonly (string | { readonly table: string; readonly reason?: string })[];
  readonly tables?: Readonly<Record<string, TableOptions>>;
  readonly settings?: readonly string[];
  readonly roles?: { readonly app?: readonly string[]; readonly admin?: readonly string[] };
  /** A pattern of the schemas that each belong to one tenant: `tenant_*`. */
  readonly schemas?: string;
}

export interface TableOptions {
  readonly keys?: readonly string[];
  readonly append?: boolean;
  readonly shared?: boolean;
}

/** What the rest of the program says about tenancy; breaks ties. */
export interface TenancyHints {
  /** How often code filters a table by a column. */
  readonly filteredColumns?: ReadonlyMap<TableId, ReadonlyMap<string, number>>;
  /** Places where code puts a value into a schema name: a sign of a schema per tenant. */
  readonly dynamicSchemas?: number;
}

/** The tables that a name of the configuration means: by id, by name, or by a name in code; `*` stands for any characters. */
export function tablesNamed(schema: Schema, name: string): readonly Table[] {
  const exact = [...schema.tables.values()].filter((t) => namesOf(t).includes(name));
  if (exact.length > 0) return exact;
  const pattern = patternOf(name);
  return [...schema.tables.values()].filter((t) => namesOf(t).some((n) => pattern.test(n)));
}

const namesOf = (table: Table): readonly string[] => [table.id, table.name.name, ...table.aliases.map((a) => a.name)];

/** `*` stands for any characters; case does not count. */
export const patternOf = (glob: string): RegExp =>
  new RegExp(`^${glob.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replace(/\*/g, '.*')}$`, 'i');

/** Names of the configuration that no table or column has, with the option they stand in. */
export function unmatchedTenancyOptions(
  schema: Schema,
  options: TenancyOptions,
): readonly { readonly option: string; readonly name: string }[] {
  const unmatched: { option: string; name: string }[] = [];
  const expectTable = (option: string, name: string): void => {
    if (tablesNamed(schema, name).length === 0) unmatched.push({ option, name });
  };
  for (const root of options.roots ?? []) expectTable('tenancy.roots', root);
  for (const shared of options.shared ?? [])
    expectTable('tenancy.shared', typeof shared === 'string' ? shared : shared.table);
  for (const [name, table] of Object.entries(options.tables ?? {})) {
    expectTable('tenancy.tables', name);
    if (tablesNamed(schema, name).length === 0) continue;
    for (const key of table.keys ?? [])
      if (!tablesNamed(schema, name).some((t) => columnNamed(t, key) !== undefined))
        unmatched.push({ option: `tenancy.tables.${name}.keys`, name: key });
  }
  for (const key of options.keys ?? [])
    if (![...schema.tables.values()].some((t) => columnNamed(t, key) !== undefined))
      unmatched.push({ option: 'tenancy.keys', name: key });
  return unmatched;
}

/** The column of that name, of that name in code, or of that name in another spelling. */
export function columnNamed(table: Table, name: string): string | undefined {
  if (table.columns.has(name)) return name;
  for (const column of table.columns.values()) if (column.property === name) return column.name;
  const plain = plainOf(name);
  for (const column of table.columns.values()) if (plainOf(column.name) === plain) return column.name;
  return undefined;
}

const plainOf = (name: string): string => name.replace(/[_-]/g, '').toLowerCase();
