import { uniqueKeys, type Model } from '@tenant-lint/analysis';
import type { Column, Constraint, Loss, LostOfTable, Table, Value } from '@tenant-lint/model';
import { isIssued } from '../../../lib/issued.js';
import { keyColumns, parentNames, tableName } from '../../../lib/naming.js';
import { tableNamed } from '../../../lib/schema.js';
import type { Weakened } from '../rule.js';

type Lost<K extends LostOfTable['kind']> = Extract<Exclude<Loss, { kind: 'view' }>, { kind: K }>;

const common = (
  table: Table,
  loss: Lost<LostOfTable['kind']>,
  established: string,
): Pick<Weakened, 'span' | 'related' | 'table'> => ({
  span: loss.removed,
  related: [{ span: loss.established, text: established }],
  table: table.id,
});

export function lostColumn(
  model: Model,
  table: Table,
  loss: Lost<'column'> | Lost<'not null'> | Lost<'type'> | Lost<'default'>,
): Weakened | undefined {
  if (loss.kind === 'column') return droppedKey(model, table, loss);
  const tenancy = model.tenancyOf(table.id);
  const keys = keyColumns(tenancy);
  const { column } = loss;
  if (tenancy.kind !== 'keyed' || !keys.includes(column.name) || loss.by === 'swapped') return undefined;
  const data = { table: tableName(table.id), column: column.name };
  const key = `${loss.kind} ${table.id}.${column.name}`;
  if (loss.kind === 'not null') {
    // Of several keys one that always holds is enough.
    if (keys.some((name) => table.columns.get(name)?.notNull === true)) return undefined;
    return {
      ...common(table, loss, 'it was NOT NULL here'),
      message: 'nullable',
      data,
      confidence: 'certain',
      key,
      cause: `not null ${table.id}.${column.name}`,
    };
  }
  if (loss.kind === 'type') {
    const root = rootOf(model, table, column);
    const now = table.columns.get(column.name)?.type;
    if (!root || root.type !== column.type || now === undefined || now === root.type) return undefined;
    return {
      ...common(table, loss, `it was ${column.type} here`),
      message: 'retyped',
      data: { ...data, type: now, before: root.type, root: root.name },
      confidence: 'certain',
      key,
    };
  }
  const now = table.columns.get(column.name);
  if (now?.default !== undefined || !readsSession(column.default)) return undefined;
  if (now?.notNull && !isLeftOut(model, table, column.name)) return undefined;
  return { ...common(table, loss, 'it had the default here'), message: 'undefaulted', data, confidence: 'likely', key };
}

/** A column that named the tenant, and that no other one replaces. */
function droppedKey(model: Model, table: Table, loss: Lost<'column'>): Weakened | undefined {
  const { column } = loss;
  if (loss.by === 'swapped' || !wasKey(model, table, column)) return undefined;
  const tenancy = model.tenancyOf(table.id);
  if (tenancy.kind === 'keyed' || tenancy.kind === 'root') return undefined;
  return {
    ...common(table, loss, `${column.name} was declared here`),
    message: tenancy.kind === 'child' ? 'keyDerived' : 'keyDropped',
    data: { table: tableName(table.id), column: column.name, parents: parentNames(tenancy).join(' or ') },
    // A table may have become common to all tenants.
    confidence: table.rowSecurity.enabled || tenancy.kind === 'child' ? 'certain' : 'likely',
    key: `column ${table.id}.${column.name}`,
    cause: `tenant column ${table.id}`,
  };
}

/** Whether a dropped column was the tenant's: it is spelled as other keys are, or was a reference to a table of tenants. */
function wasKey(model: Model, table: Table, column: Column): boolean {
  if (model.tenancy.keys.includes(column.name)) return true;
  return (model.schema.history ?? []).some(
    (loss) =>
      loss.kind === 'constraint' &&
      loss.table === table.id &&
      loss.constraint.kind === 'foreign key' &&
      loss.constraint.columns.join() === column.name &&
      model.tenancy.roots.includes(tableNamed(model, loss.constraint.references)?.id ?? ''),
  );
}

function rootOf(
  model: Model,
  table: Table,
  column: Column,
): { readonly name: string; readonly type: string } | undefined {
  const tenancy = model.tenancyOf(table.id);
  const id =
    tenancy.kind === 'keyed'
      ? (tenancy.keys.find((k) => k.column === column.name)?.root ?? model.tenancy.roots[0])
      : undefined;
  const root = id === undefined ? undefined : model.schema.tables.get(id);
  const of = root && model.tenancyOf(root.id);
  const type = of?.kind === 'root' ? root?.columns.get(of.key)?.type : undefined;
  return root && type !== undefined ? { name: tableName(root.id), type } : undefined;
}

function readsSession(value: Value | undefined): boolean {
  if (value === undefined) return false;
  if (value.kind === 'setting' || value.kind === 'tenant') return true;
  if (value.kind === 'apply') return value.to.length === 0 ? false : value.to.some(readsSession);
  if (value.kind === 'query') return value.query.output.some(readsSession);
  return value.kind === 'choice' && value.of.some(readsSession);
}

/** Whether some insert leaves a column out. */
const isLeftOut = (model: Model, table: Table, column: string): boolean =>
  model.accesses.some((access) =>
    access.targets.some(
      (t) =>
        t.operation === 'create' &&
        t.writes &&
        !t.writes.open &&
        !(column in t.writes.set) &&
        model.tableOf(t)?.id === table.id,
    ),
  );

/** A unique constraint or reference that carried the tenant, and in whose place one without it stands. */
export function lostKey(model: Model, table: Table, loss: Lost<'constraint'>): Weakened | undefined {
  const { constraint } = loss;
  const keys = keyColumns(model.tenancyOf(table.id));
  if (!('columns' in constraint) || constraint.columns.length < 2) return undefined;
  const [key] = constraint.columns.filter((c) => keys.includes(c));
  const rest = constraint.columns.filter((c) => !keys.includes(c));
  if (key === undefined || rest.length === 0) return undefined;
  const data = { table: tableName(table.id), before: constraint.columns.join(', '), key };
  const found = { ...common(table, loss, 'it carried the tenant here'), data, confidence: 'certain' } as const;
  const shape = [...rest].sort().join();
  if (constraint.kind === 'foreign key') {
    if (!isUntied(table, constraint, rest)) return undefined;
    return { ...found, message: 'untied', key: `reference ${table.id} ${shape}` };
  }
  const still = uniqueKeys(table).some((columns) => [...columns].sort().join() === shape);
  if (!still || rest.some((column) => isIssued(model, table, column))) return undefined;
  return { ...found, message: 'unscoped', key: `unique ${table.id} ${shape}`, cause: `unique ${table.id} ${shape}` };
}

const isUntied = (
  table: Table,
  before: Extract<Constraint, { kind: 'foreign key' }>,
  rest: readonly string[],
): boolean => {
  const to = (c: Constraint): string => (c.kind === 'foreign key' ? JSON.stringify(c.references) : '');
  const same = table.constraints.filter((c) => c.kind === 'foreign key' && to(c) === to(before));
  return (
    same.some((c) => 'columns' in c && c.columns.join() === rest.join()) &&
    !same.some((c) => 'columns' in c && c.columns.length > rest.length)
  );
};
