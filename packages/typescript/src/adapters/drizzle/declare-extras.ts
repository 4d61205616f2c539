import {
  type CallChain,
  type ConstraintDefinition,
  type IndexDefinition,
  type LinkContext,
  type PolicyDefinition,
  type Predicate,
  type Span,
  type Step,
  type Value,
} from '@tenant-lint/model';
import { actions, columnNameIn, type DeclaredColumn } from './declare-columns.js';
import { parsed, relocated } from './declare-sql.js';
import { declarationOf, textOf, type DeclaredTable } from './declared.js';
import { callOf, chainOf, functionCall } from './names.js';

/** What stands beside the columns of a table. */
export interface Extras {
  readonly constraints: readonly ConstraintDefinition[];
  readonly indexes: readonly IndexDefinition[];
  readonly policies: readonly { readonly definition: PolicyDefinition; readonly span: Span }[];
  readonly rowSecurity?: Span;
}

/** The third argument of a table: a callback or a list, of keys, indexes, checks and policies. */
export function readExtras(table: DeclaredTable, columns: readonly DeclaredColumn[], context: LinkContext): Extras {
  const reader = new ExtrasReader(table, columns, context);
  const given = table.extras;
  const f = given?.kind === 'function' ? context.function(given.function) : undefined;
  if (f) reader.self = f.id;
  const value = f ? f.returns[0]?.value : given;
  if (value) reader.readAll(value, 0);
  // A policy switches row security on by itself.
  const rowSecurity = table.rowSecurity ?? reader.policies[0]?.span;
  return {
    constraints: reader.constraints,
    indexes: reader.indexes,
    policies: reader.policies,
    ...(rowSecurity ? { rowSecurity } : {}),
  };
}

class ExtrasReader {
  readonly constraints: ConstraintDefinition[] = [];
  readonly indexes: IndexDefinition[] = [];
  readonly policies: { definition: PolicyDefinition; span: Span }[] = [];
  /** The callback whose first parameter is the table's columns. */
  self: string | undefined;
  readonly table: DeclaredTable;
  readonly columns: readonly DeclaredColumn[];
  readonly context: LinkContext;

  constructor(table: DeclaredTable, columns: readonly DeclaredColumn[], context: LinkContext) {
    this.table = table;
    this.columns = columns;
    this.context = context;
  }

  /** The table's own name, by which its columns are qualified in the statements made here. */
  get #on(): string {
    const { schema, name } = this.table.name;
    return `${schema === undefined ? '' : `"${schema}".`}"${name}"`;
  }

  readAll(value: Value, depth: number): void {
    if (depth > 4) return;
    const resolved = value.kind === 'list' || value.kind === 'object' ? value : this.context.resolve(value);
    if (resolved.kind === 'list') {
      for (const item of resolved.of) {
        if (item.spread) this.readAll(item.value, depth + 1);
        else this.#read(item.value);
      }
    } else if (resolved.kind === 'object') {
      for (const entry of resolved.entries) {
        if ('spread' in entry) this.readAll(entry.spread, depth + 1);
        else this.#read(entry.value);
      }
    }
  }

  #read(value: Value): void {
    const chain = chainOf(value, this.context);
    const f = chain && functionCall(callOf(chain), this.context);
    if (!chain || !f) return;
    const { span } = chain;
    const on = f.rest.find((s) => (s.name === 'on' || s.name === 'onOnly' || s.name === 'using') && s.arguments);
    const name = f.arguments[0]?.kind === 'constant' ? { name: String(f.arguments[0].value) } : {};
    switch (f.name) {
      case 'primaryKey': {
        const columns =
          f.arguments[0]?.kind === 'object' ? this.#list(f.arguments[0], 'columns') : this.#columns(f.arguments);
        if (columns)
          this.constraints.push({ kind: 'primary key', ...this.#text(f.arguments[0], 'name'), columns, span });
        return;
      }
      case 'unique': {
        const columns = on?.arguments && this.#columns(on.arguments);
        const nulls = f.rest.some((s) => s.name === 'nullsNotDistinct');
        if (columns)
          this.constraints.push({
            kind: 'unique',
            ...name,
            columns,
            ...(nulls ? { nullsNotDistinct: true } : {}),
            span,
          });
        return;
      }
      case 'index':
      case 'uniqueIndex':
        if (on?.arguments) this.indexes.push({ ...this.#index(f.name === 'uniqueIndex', name, on, f.rest), span });
        return;
      case 'foreignKey':
        this.#foreignKey(f.arguments[0], f.rest, span);
        return;
      case 'check': {
        const sql = f.arguments[1] && this.#sql(f.arguments[1]);
        const action =
          sql === undefined ? undefined : parsed(`ALTER TABLE ${this.#on} ADD CONSTRAINT "c" CHECK (${sql})`);
        const predicate: Predicate =
          action?.do === 'add constraint' && action.constraint.kind === 'check'
            ? action.constraint.predicate
            : { kind: 'unknown', reason: 'a check that was not understood' };
        this.constraints.push({ kind: 'check', ...name, predicate: relocated(predicate, span), span });
        return;
      }
      case 'pgPolicy':
        this.#policy(name.name ?? '', f.arguments[1], chain);
        return;
      default:
    }
  }

  /** The column that a value is: of the callback's parameter, or of the table by its name. */
  #column(value: Value): string | undefined {
    const bare = value.kind === 'missing-able' ? value.of : value;
    if (bare.kind === 'parameter' && bare.function === this.self && bare.path[0] !== undefined)
      return this.#name(bare.path[0]);
    // `table.column.asc()`, `.op('text_ops')`: a call on a column.
    if (bare.kind === 'result') {
      const chain = this.context.chain(bare.chain);
      const call = chain && callOf(chain);
      const at = call?.steps.findIndex((s) => s.arguments !== undefined) ?? -1;
      if (call && at >= 1 && call.base.kind === 'parameter' && call.base.function === this.self)
        return this.#name(call.steps[0]!.name);
    }
    const found = declarationOf(bare, this.context);
    if (!found?.property) return undefined;
    return found.table.chain.id === this.table.chain.id
      ? this.#name(found.property)
      : columnNameIn(found.table, found.property, this.context);
  }

  #name(property: string): string {
    return this.columns.find((c) => c.property === property)?.definition.name ?? property;
  }

  #columns(values: readonly Value[]): readonly string[] | undefined {
    const flat = values.flatMap((v) => (v.kind === 'list' ? v.of.map((i) => i.value) : [v]));
    const names = flat.map((v) => this.#column(v));
    return names.length > 0 && names.every((n) => n !== undefined) ? names : undefined;
  }

  #list(options: Value, name: string): readonly string[] | undefined {
    const value = entryOf(options, name);
    return value && this.#columns([value]);
  }

  #text(options: Value | undefined, name: string): { name?: string } {
    const value = entryOf(options, name);
    return value?.kind === 'constant' ? { name: String(value.value) } : {};
  }

  #index(unique: boolean, name: { name?: string }, on: Step, rest: readonly Step[]): IndexDefinition {
    const args = on.name === 'using' ? on.arguments!.slice(1) : on.arguments!;
    const method =
      on.name === 'using' && on.arguments![0]?.kind === 'constant' ? String(on.arguments![0].value) : 'btree';
    const keys = args.map((v) => {
      const column = this.#column(v);
      return column === undefined ? { expression: v } : { column };
    });
    const where = rest.find((s) => s.name === 'where')?.arguments?.[0];
    const sql = where && this.#sql(where);
    const action = sql === undefined ? undefined : parsed(`CREATE INDEX "i" ON ${this.#on} ("c") WHERE ${sql}`);
    const predicate: Predicate | undefined = action?.do === 'create index' ? action.index.predicate : undefined;
    return {
      ...name,
      unique,
      method,
      keys,
      include: [],
      ...(where
        ? {
            predicate: predicate
              ? relocated(predicate, on.span)
              : { kind: 'unknown', reason: 'a condition that was not understood' },
          }
        : {}),
    };
  }

  #foreignKey(options: Value | undefined, rest: readonly Step[], span: Span): void {
    if (!options) return;
    const columns = this.#list(options, 'columns');
    const foreign = entryOf(options, 'foreignColumns');
    const items = foreign?.kind === 'list' ? foreign.of.map((i) => i.value) : [];
    const found = items.map((v) =>
      v.kind === 'parameter' && v.function === this.self ? undefined : declarationOf(v, this.context),
    );
    const [first] = found;
    if (!columns || !first) return;
    const onDelete = rest.find((s) => s.name === 'onDelete')?.arguments?.[0];
    const onUpdate = rest.find((s) => s.name === 'onUpdate')?.arguments?.[0];
    this.constraints.push({
      kind: 'foreign key',
      ...this.#text(options, 'name'),
      columns,
      references: first.name,
      referencedColumns: found.map((d, i) =>
        d?.property === undefined ? (columns[i] ?? '') : columnNameIn(d.table, d.property, this.context),
      ),
      ...actions({
        kind: 'object',
        entries: [
          ...(onDelete ? [{ set: 'onDelete', value: onDelete }] : []),
          ...(onUpdate ? [{ set: 'onUpdate', value: onUpdate }] : []),
        ],
      }),
      span,
    });
  }

  #policy(name: string, options: Value | undefined, chain: CallChain): void {
    const text = (key: string): string | undefined => {
      const value = entryOf(options, key);
      return value?.kind === 'constant' ? String(value.value) : undefined;
    };
    const using = entryOf(options, 'using');
    const check = entryOf(options, 'withCheck');
    const command = text('for') ?? 'all';
    const definition: PolicyDefinition = {
      name,
      permissive: text('as') !== 'restrictive',
      command:
        command === 'select' || command === 'insert' || command === 'update' || command === 'delete' ? command : 'all',
      roles: this.#roles(entryOf(options, 'to')),
      ...(using ? { using: this.#policyCondition(using, 'USING', chain.span), usingSpan: chain.span } : {}),
      ...(check ? { check: this.#policyCondition(check, 'WITH CHECK', chain.span), checkSpan: chain.span } : {}),
    };
    this.policies.push({ definition, span: chain.span });
  }

  #policyCondition(value: Value, clause: 'USING' | 'WITH CHECK', span: Span): Predicate {
    const sql = this.#sql(value);
    const action = sql === undefined ? undefined : parsed(`CREATE POLICY "p" ON ${this.#on} ${clause} (${sql})`);
    const policy = action?.do === 'create policy' ? action.policy : undefined;
    const predicate = clause === 'USING' ? policy?.using : policy?.check;
    return predicate ? relocated(predicate, span) : { kind: 'unknown', reason: 'the text of the policy was not found' };
  }

  #roles(value: Value | undefined): readonly string[] {
    if (!value) return [];
    if (value.kind === 'list') return value.of.flatMap((i) => this.#roles(i.value));
    if (value.kind === 'constant') return value.value === 'public' ? [] : [String(value.value)];
    const chain = chainOf(value, this.context);
    const f = chain && functionCall(callOf(chain), this.context);
    const first = f?.name === 'pgRole' ? f.arguments[0] : undefined;
    if (first?.kind === 'constant') return [String(first.value)];
    // Roles that the library exports for a platform: `authenticatedRole`, `anonRole`, `serviceRole`.
    const resolved = this.context.resolve(value);
    if (resolved.kind === 'import' && resolved.name.endsWith('Role')) {
      return [
        resolved.name === 'serviceRole'
          ? 'service_role'
          : resolved.name.slice(0, -4).replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`),
      ];
    }
    return ['unknown'];
  }

  /** The SQL of a template whose holes are columns, tables, constants or templates; undefined where a hole is something else. */
  #sql(value: Value, depth = 0): string | undefined {
    if (depth > 6) return undefined;
    if (value.kind === 'text') {
      let text = '';
      for (const part of value.parts) {
        const next = 'text' in part ? part.text : this.#sqlHole(part.hole, depth);
        if (next === undefined) return undefined;
        text += next;
      }
      return text;
    }
    const chain = chainOf(value, this.context);
    const f = chain && functionCall(callOf(chain), this.context);
    if (f && (f.name === 'sql' || f.name === 'sql.raw') && f.arguments[0]) {
      const text = f.arguments[0].kind === 'text' ? f.arguments[0] : undefined;
      return text ? this.#sql(text, depth + 1) : textOf(f.arguments[0], this.context);
    }
    if (f && (f.name === 'and' || f.name === 'or')) {
      const parts = f.arguments.map((a) => this.#sql(a, depth + 1));
      return parts.every((p) => p !== undefined) ? parts.map((p) => `(${p})`).join(` ${f.name} `) : undefined;
    }
    const operator = f && ({ eq: '=', ne: '<>', gt: '>', lt: '<', gte: '>=', lte: '<=' } as const)[f.name as 'eq'];
    if (f && operator) {
      const [left, right] = [f.arguments[0], f.arguments[1]].map((a) => a && this.#sqlHole(a, depth));
      return left !== undefined && right !== undefined ? `${left} ${operator} ${right}` : undefined;
    }
    return this.#known(value);
  }

  /** Fragments that the library exports for a platform. */
  #known(value: Value): string | undefined {
    const resolved = this.context.resolve(value);
    return resolved.kind === 'import' && resolved.name === 'authUid' ? '(select auth.uid())' : undefined;
  }

  #sqlHole(hole: Value, depth: number): string | undefined {
    const column = this.#column(hole);
    if (column !== undefined) {
      const found = hole.kind === 'parameter' ? undefined : declarationOf(hole, this.context);
      const owner = found && found.table.chain.id !== this.table.chain.id ? found.table.name : this.table.name;
      return `"${owner.name}"."${column}"`;
    }
    const table = declarationOf(hole, this.context);
    if (table)
      return `${table.table.name.schema === undefined ? '' : `"${table.table.name.schema}".`}"${table.table.name.name}"`;
    if (hole.kind === 'constant')
      return typeof hole.value === 'string' ? `'${hole.value.replaceAll("'", "''")}'` : String(hole.value);
    return this.#sql(hole, depth + 1);
  }
}

function entryOf(value: Value | undefined, name: string): Value | undefined {
  const entry = value?.kind === 'object' ? value.entries.find((e) => 'set' in e && e.set === name) : undefined;
  return entry && 'set' in entry ? entry.value : undefined;
}
