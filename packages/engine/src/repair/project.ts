import { foldSchema, historyOf, primaryKey, sourcesOf, type Model } from '@tenant-lint/analysis';
import type {
  Constraint,
  FileFacts,
  Finding,
  Index,
  Schema,
  Origin,
  Span,
  Table,
  TableId,
  TableName,
  TenantKey,
} from '@tenant-lint/model';
import { freshName, Names, type Style } from './names.js';

export interface RepairInput {
  readonly model: Model;
  /** Those to be repaired: neither suppressed nor accepted. */
  readonly findings: readonly Finding[];
  /** The text that the model was made of. */
  readonly textOf: (file: string) => string | undefined;
}

export type ForeignKey = Extract<Constraint, { kind: 'foreign key' }>;

/** A reference of a table to another one that is known. */
export interface Edge {
  readonly constraint: ForeignKey;
  readonly to: Table;
  readonly referenced: readonly string[];
}

/** What all repairs of one run ask: the model, the histories and how they are written, and names that are still free. */
export class Project {
  readonly model: Model;
  /** Folders of the histories that are SQL, with their files in order. */
  readonly histories: ReadonlyMap<string, readonly FileFacts[]>;
  readonly findings: readonly Finding[];
  /** The schema as the migrations alone make it: what code declares may have other names there. */
  readonly #stored: Schema;
  /** Whether row security holds for owners in this project, or will. */
  readonly forces: boolean;
  /** Whether policies are to say for which roles they are. */
  readonly namesRoles: boolean;
  readonly #textOf: RepairInput['textOf'];
  readonly #names = new Map<string, Names>();
  readonly #taken = new Set<string>();
  readonly #made = new Map<string, string>();

  constructor({ model, findings, textOf }: RepairInput) {
    this.model = model;
    this.findings = findings;
    this.#textOf = textOf;
    this.histories = new Map(
      sourcesOf([...model.files.values()])
        .filter((s) => s.kind === 'migrations')
        .map((s) => [s.folder, s.files] as const),
    );
    this.#stored = foldSchema([...model.files.values()].filter((f) => f.sql?.role === 'migration'));
    const tables = [...model.schema.tables.values()];
    this.forces =
      tables.some((t) => t.rowSecurity.forced) || findings.some((f) => f.rule === 'require-forced-row-security');
    this.namesRoles = findings.some((f) => f.rule === 'require-policy-role');
    for (const table of [...tables, ...this.#stored.tables.values()]) {
      for (const { name } of [...table.constraints, ...table.indexes]) if (name !== undefined) this.#taken.add(name);
      this.#taken.add(table.name.name);
    }
  }

  text(span: Span): string | undefined {
    return this.#textOf(span.file)?.slice(span.start, span.end);
  }

  table(id: TableId | undefined): Table | undefined {
    return id === undefined ? undefined : this.model.schema.tables.get(id);
  }

  /** What a constraint is in the database, where migrations make it: a constraint, or an index that is as good as one. */
  stored(table: Table, of: Constraint): Constraint | Index | undefined {
    const there = this.#stored.tables.get(table.id);
    if (!there || !('columns' in of)) return undefined;
    const same = (columns: readonly string[]): boolean => JSON.stringify(columns) === JSON.stringify(of.columns);
    return (
      there.constraints.find((c) => c.kind === of.kind && 'columns' in c && same(c.columns)) ??
      there.indexes.find(
        (i) => of.kind === 'unique' && i.unique && !i.predicate && same(i.keys.map((k) => k.column ?? '\0')),
      )
    );
  }

  /** The history that a repair of something belongs to: the one that made it, else the only one. */
  historyOf(origin: Origin): string | undefined {
    for (const span of [origin.created, ...origin.changed])
      if (this.model.files.get(span.file)?.sql?.role === 'migration') {
        const folder = historyOf(span.file);
        if (this.histories.has(folder)) return folder;
      }
    const [only, ...others] = this.histories.keys();
    return others.length === 0 ? only : undefined;
  }

  names(history: string): Names {
    let names = this.#names.get(history);
    if (!names) this.#names.set(history, (names = new Names(this.#styleOf(history))));
    return names;
  }

  #styleOf(history: string): Style {
    const text = (this.histories.get(history) ?? []).map((f) => this.#textOf(f.file) ?? '').join('\n');
    const count = (pattern: RegExp): number => text.match(pattern)?.length ?? 0;
    const tables = count(/\b(?:alter|create)\s+table\s+(?:if\s+(?:not\s+)?exists\s+|only\s+)*["\w]/gi);
    const quoted = count(/\b(?:alter|create)\s+table\s+(?:if\s+(?:not\s+)?exists\s+|only\s+)*"/gi);
    const qualified = count(/\b(?:alter|create)\s+table\s+(?:if\s+(?:not\s+)?exists\s+|only\s+)*"?public"?\s*\./gi);
    return { quoted: quoted * 2 > tables, qualified: qualified * 2 > tables };
  }

  /** What was made for an id, the first time only. */
  once(id: string, make: () => string): string {
    let made = this.#made.get(id);
    if (made === undefined) this.#made.set(id, (made = make()));
    return made;
  }

  /** A name for a new constraint or index; it is taken from then on. */
  fresh(parts: readonly string[], ending: string): string {
    const name = freshName(parts, ending, this.#taken);
    this.#taken.add(name);
    return name;
  }

  keys(table: Table): readonly TenantKey[] {
    const tenancy = this.model.tenancyOf(table.id);
    return tenancy.kind === 'keyed' ? tenancy.keys : [];
  }

  /** The references of a table to tables that are known. */
  edges(table: Table): readonly Edge[] {
    return table.constraints.flatMap((constraint): Edge[] => {
      if (constraint.kind !== 'foreign key') return [];
      const to = this.#named(constraint.references);
      if (!to) return [];
      const referenced = constraint.referencedColumns.length > 0 ? constraint.referencedColumns : primaryKey(to);
      return [{ constraint, to, referenced }];
    });
  }

  #named(name: TableName): Table | undefined {
    const { tables } = this.model.schema;
    if (name.by === 'sql') return tables.get(`${name.schema ?? 'public'}.${name.name}`);
    for (const table of tables.values())
      if (table.aliases.some((a) => a.by === name.by && a.name === name.name && fileOf(a) === fileOf(name)))
        return table;
    return undefined;
  }

  /** The columns by which two tables say the same tenant. */
  common(table: Table, parent: Table): readonly { readonly own: string; readonly theirs: string }[] {
    const same = (a: TenantKey, b: TenantKey): boolean =>
      a.root === undefined && b.root === undefined ? a.column === b.column : a.root === b.root;
    return this.keys(table).flatMap((own) =>
      this.keys(parent).flatMap((theirs) => (same(own, theirs) ? [{ own: own.column, theirs: theirs.column }] : [])),
    );
  }

  /** What inserts into a table without its tenant, as far as a finding says so. */
  insertsWithout(table: Table): readonly string[] {
    const files = this.findings.flatMap((f) =>
      f.rule === 'require-tenant-on-create' && f.table === table.id ? (f.span?.file ?? []) : [],
    );
    return [...new Set(files)].map(
      (file) => `${file} inserts without it, which fails from then on: change that first.`,
    );
  }

  /** The roles that may use a table, as far as migrations grant it by name; empty where that is not to be seen, or is everybody. */
  usersOf(table: Table): readonly string[] {
    const { schema, tenancy } = this.model;
    const bypasses = (role: string): boolean =>
      (schema.roles.get(role)?.attributes ?? []).some((a) => /^(?:bypassrls|superuser)$/i.test(a));
    const granted = schema.grants.flatMap((g) =>
      g.on.some((o) => o.kind === 'table' && `${o.name.schema ?? 'public'}.${o.name.name}` === table.id) ? g.to : [],
    );
    const roles = [...new Set([...granted, ...tenancy.appRoles])].filter((r) => !bypasses(r));
    return roles.includes('public') ? [] : roles;
  }

  /** Whether a finding points at something: by its place, or by one that is related. */
  isAt(finding: Finding, origin: Origin, own?: Span): boolean {
    const places = [...(finding.span ? [finding.span] : []), ...finding.related.flatMap((r) => r.span ?? [])];
    const mine = [origin.created, ...origin.changed, ...(own ? [own] : [])];
    return places.some((p) => mine.some((m) => m.file === p.file && m.start === p.start && m.end === p.end));
  }
}

const fileOf = (name: TableName): string => (name.by === 'binding' ? name.file : '');

/** Whether a column may be NULL. */
export const isNullable = (table: Table, column: string): boolean =>
  table.columns.get(column)?.notNull !== true && !primaryKey(table).includes(column);
