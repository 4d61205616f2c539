import type { Predicate, Schema, SchemaFunction, TableId, Value } from '@tenant-lint/model';

/** What the policies of the schema say about tenant keys. */
export interface PolicyEvidence {
  /** Whether a policy of the table compares this column with something that does not come from the row. */
  bound(table: TableId, column: string): boolean;
  /** The settings that a policy of the table compares this column with, helper functions read through. */
  settings(table: TableId, column: string): ReadonlySet<string>;
}

/** Reads the conditions of all policies, the bodies of the functions they call included. */
export function policyEvidence(schema: Schema): PolicyEvidence {
  const found = new Map<TableId, Map<string, Set<string>>>();
  for (const table of schema.tables.values()) {
    const columns = new Map<string, Set<string>>();
    for (const policy of table.policies)
      for (const predicate of [policy.using, policy.check])
        if (predicate) for (const atom of atomsOf(predicate)) note(schema, atom, columns);
    if (columns.size > 0) found.set(table.id, columns);
  }
  const none = new Set<string>();
  return {
    bound: (table, column) => found.get(table)?.has(column) ?? false,
    settings: (table, column) => found.get(table)?.get(column) ?? none,
  };
}

type Atom = Extract<Predicate, { kind: 'compare' | 'in' | 'in-query' | 'value' | 'exists' }>;

function atomsOf(predicate: Predicate): readonly Atom[] {
  switch (predicate.kind) {
    case 'and':
    case 'or':
    case 'either':
      return predicate.of.flatMap(atomsOf);
    case 'not':
    case 'is':
    case 'optional':
      return atomsOf(predicate.of);
    case 'case':
      return [...predicate.of.flat().flatMap(atomsOf), ...atomsOf(predicate.otherwise)];
    case 'exists':
      return [predicate, ...atomsOf(predicate.query.condition)];
    case 'compare':
    case 'in':
    case 'in-query':
    case 'value':
      return [predicate];
    default:
      return [];
  }
}

/** Notes the columns of the row that an atom ties to something else, with the settings in it. */
function note(schema: Schema, atom: Atom, columns: Map<string, Set<string>>): void {
  if (atom.kind === 'exists') return;
  const sides: readonly Value[] =
    atom.kind === 'compare'
      ? [atom.left, atom.right]
      : atom.kind === 'in'
        ? [atom.left, ...atom.right]
        : atom.kind === 'in-query'
          ? atom.left
          : [atom.of];
  const own = sides.flatMap((side) => ownColumns(side));
  const foreign =
    atom.kind === 'in-query' ||
    atom.kind === 'value' ||
    sides.some((s) => (ownColumns(s).length === 0 && !isConstant(s)) || asksFor(schema, s));
  if (!foreign) return;
  const settings = new Set<string>();
  for (const side of sides) collectSettings(schema, side, settings, 0);
  for (const column of own) {
    const before = columns.get(column) ?? new Set<string>();
    for (const setting of settings) before.add(setting);
    columns.set(column, before);
  }
}

/** A function of the project that is handed a column, and answers what the caller is to the tenant there. */
const asksFor = (schema: Schema, value: Value): boolean =>
  value.kind === 'apply' &&
  (value.to.some((argument) => asksFor(schema, argument)) ||
    (ownColumns(value).length > 0 && functionsCalled(schema, value.function).length > 0));

function ownColumns(value: Value): readonly string[] {
  if (value.kind === 'column') return value.target === 'self' ? [value.column] : [];
  return value.kind === 'apply' ? value.to.flatMap(ownColumns) : [];
}

const isConstant = (value: Value): boolean =>
  value.kind === 'constant' ||
  (value.kind === 'apply' && value.function.startsWith('cast:') && value.to.every(isConstant));

const deepest = 6;

/** The settings a value is made of. Claims of a request (`request.jwt.claims`) hold many things and are no tenant by themselves. */
export function collectSettings(schema: Schema, value: Value, into: Set<string>, depth: number): void {
  if (depth > deepest) return;
  switch (value.kind) {
    case 'setting':
      if (!value.name.startsWith('request.')) into.add(value.name);
      return;
    case 'apply':
      for (const argument of value.to) collectSettings(schema, argument, into, depth);
      for (const f of functionsCalled(schema, value.function))
        if (f.body.known) collectSettings(schema, f.body.value, into, depth + 1);
      return;
    case 'choice':
      for (const option of value.of) collectSettings(schema, option, into, depth);
      return;
    case 'query':
      // `(select current_setting(...))`; a query over tables looks the tenant up, and its settings mean something else.
      if (value.query.targets.length === 0)
        for (const out of value.query.output) collectSettings(schema, out, into, depth);
      return;
    case 'predicate':
      for (const atom of atomsOf(value.predicate)) {
        if (atom.kind === 'compare')
          for (const side of [atom.left, atom.right]) collectSettings(schema, side, into, depth);
        if (atom.kind === 'value') collectSettings(schema, atom.of, into, depth);
      }
      return;
    default:
  }
}

const functionsCalled = (schema: Schema, name: string): readonly SchemaFunction[] =>
  schema.functions.get(name) ?? schema.functions.get(`public.${name}`) ?? [];
