import type { FunctionId, Schema, SchemaFunction, Table, Target, Tenancy, TenancyModel } from '@tenant-lint/model';
import { referencesOf, uniqueKeys } from '../fold/index.js';
import type { Program } from '../link/program.js';
import type { Tables } from '../link/tables.js';
import type { ColumnFact, World } from '../prove/index.js';
import { tableWords } from '../tenancy/words.js';

/** What the schema and its tenancy say to the prover. */
export class SchemaWorld implements World {
  readonly settings: ReadonlySet<string>;
  readonly #columns = new Map<string, Map<string, ColumnFact>>();
  readonly #facts = new Map<string, ReadonlyMap<string, ColumnFact>>();
  /** Tables that some key names as its root: their own primary key is a key too. */
  readonly #roots: ReadonlySet<string>;

  constructor(
    private readonly schema: Schema,
    private readonly tables: Tables,
    private readonly model: TenancyModel,
    /** Absent where only SQL is asked about. */
    private readonly program?: Program,
  ) {
    this.settings = new Set(model.settings);
    const roots = new Set(model.roots);
    for (const tenancy of model.tables.values()) {
      if (tenancy.kind === 'keyed') for (const key of tenancy.keys) if (key.root !== undefined) roots.add(key.root);
    }
    this.#roots = roots;
  }

  tenancy(target: Target): Tenancy {
    const table = target.table.known ? this.tables.table(target.table.value) : undefined;
    return (table && this.model.tables.get(table.id)) ?? { kind: 'unknown', why: 'not in the schema' };
  }

  column(target: Target, column: string): ColumnFact {
    const table = target.table.known ? this.tables.table(target.table.value) : undefined;
    if (!table) return { role: 'plain' };
    let known = this.#columns.get(table.id);
    if (!known) this.#columns.set(table.id, (known = new Map()));
    const key = `${target.role === 'root' ? 'root' : 'other'} ${column}`;
    let fact = known.get(key);
    if (!fact) known.set(key, (fact = this.#columnOf(table, target, column)));
    return fact;
  }

  #columnOf(table: Table, target: Target, column: string): ColumnFact {
    let facts = this.#facts.get(table.id);
    if (!facts) {
      facts = this.#columnsOf(table);
      this.#facts.set(table.id, facts);
    }
    // A unique name of a tenant says which one it is, as its key does; found by that name itself, it is what has to be checked.
    const named = target.role !== 'root' && this.#roots.has(table.id) && this.#identifies(table, column);
    const found: ColumnFact = named ? { role: 'key' } : (facts.get(column) ?? { role: 'plain' });
    const definition = table.columns.get(column);
    return definition ? { ...found, type: definition.type, notNull: definition.notNull } : found;
  }

  function(name: string, args: number): SchemaFunction | undefined {
    const candidates = this.schema.functions.get(name) ?? this.schema.functions.get(`public.${name}`);
    return candidates?.find((f) => {
      const inputs = f.parameters.filter((p) => p.mode !== 'out' && p.mode !== 'table');
      return args <= inputs.length && inputs.slice(args).every((p) => p.default !== undefined);
    });
  }

  /** Whether a column of a table of tenants is unique by itself. */
  #identifies(table: Table, column: string): boolean {
    return (
      this.model.roots.includes(table.id) && uniqueKeys(table).some((key) => key.length === 1 && key[0] === column)
    );
  }

  parameter(f: FunctionId, index: number): string | undefined {
    return this.program?.function(f)?.parameters[index]?.name;
  }

  name(target: Target): string {
    if (target.alias !== undefined) return target.alias;
    const table = target.table.known ? this.tables.table(target.table.value) : undefined;
    return table?.name.name ?? (target.table.known ? target.table.value.name : 'a table');
  }

  #columnsOf(table: Table): ReadonlyMap<string, ColumnFact> {
    const facts = new Map<string, ColumnFact>();
    const tenancy = this.model.tables.get(table.id);
    const keys = new Set(
      tenancy?.kind === 'keyed' ? tenancy.keys.map((k) => k.column) : tenancy?.kind === 'root' ? [tenancy.key] : [],
    );
    const through = new Set(tenancy?.kind === 'child' ? tenancy.through.map((t) => t.columns.join()) : []);
    for (const key of uniqueKeys(table)) {
      if (key.length === 1 && !keys.has(key[0]!)) {
        const isTenant =
          this.#roots.has(table.id) &&
          table.constraints.some((c) => c.kind === 'primary key' && c.columns.join() === key[0]);
        facts.set(key[0]!, isTenant ? { role: 'key' } : { role: 'reference', to: table.id, ties: 'certain' });
      }
      // A membership: one row for a tenant and somebody whose rows no tenant owns, a user.
      const others = key.filter((c) => !keys.has(c));
      if (key.length === 2 && others.length === 1 && this.#namesUser(table, others[0]!))
        facts.set(others[0]!, { role: 'user' });
    }
    const user = this.#userOf(table, tenancy);
    if (user !== undefined && !keys.has(user)) facts.set(user, { role: 'user' });
    for (const reference of referencesOf(table)) {
      const carriesKey = reference.columns.some((c) => keys.has(c)) && reference.columns.length > 1;
      // Rows that no tenant owns tie nothing: users of several tenants, plans.
      const owner = this.model.tables.get(reference.to)?.kind ?? 'unknown';
      if (owner === 'unknown' || owner === 'shared') continue;
      const certain = through.has(reference.columns.join()) || carriesKey;
      for (const column of reference.columns) {
        if (keys.has(column) || facts.get(column)?.role === 'user') continue;
        facts.set(column, { role: 'reference', to: reference.to, ties: certain ? 'certain' : 'assumed' });
      }
    }
    // What says whose a row is ties it, with a foreign key or without.
    for (const { columns, to } of tenancy?.kind === 'child' ? tenancy.through : []) {
      const [column, ...more] = columns;
      if (column !== undefined && more.length === 0 && !facts.has(column))
        facts.set(column, { role: 'reference', to, ties: 'certain' });
    }
    for (const column of keys) facts.set(column, { role: 'key' });
    return facts;
  }

  /** The column that says who is a member, in a table called so, and who owns a tenant, in a table of tenants that belong to one user each. */
  #userOf(table: Table, tenancy: Tenancy | undefined): string | undefined {
    const words = tableWords(table.name.name);
    const last = words.at(-1) ?? '';
    const isMembership =
      tenancy?.kind === 'keyed' &&
      (/^(?:member|membership|seat)$/.test(last) || (words.length > 1 && last === 'user')) &&
      tenancy.keys.some((k) => !k.nullable);
    if (!isMembership && tenancy?.kind !== 'root') return undefined;
    const columns = [...table.columns.values()].filter(
      (c) => c.notNull && saysUser(c.name) && referencesOf(table).some((r) => r.columns.join() === c.name),
    );
    const [only, more] = columns.filter((c) => this.#namesUser(table, c.name));
    return more ? undefined : only?.name;
  }

  /** Whether a column refers to a table whose rows belong to no tenant: what two tenants can have in common besides shared data. */
  #namesUser(table: Table, column: string): boolean {
    const reference = referencesOf(table).find((r) => r.columns.length === 1 && r.columns[0] === column);
    // Without a reference to a table of the schema (auth.users is in none) its name has to say it.
    if (!reference) return saysUser(column);
    const owner = this.model.tables.get(reference.to)?.kind ?? 'unknown';
    return owner === 'unknown';
  }
}

const saysUser = (column: string): boolean =>
  /(?:^|_)(?:users?|members?|profile|person|subject)(?:_?(?:uu)?id)?$/i.test(
    column.replace(/([a-z0-9])([A-Z])/g, '$1_$2'),
  );
