import type { LinkedAccess, Model } from '@tenant-lint/analysis';
import type { Access, ObjectName, Span, TableId, Target } from '@tenant-lint/model';
import { keyColumns } from '../../../lib/naming.js';

/** A temporary table with rows of several tenants that goes back into a table of tenants without a comparison of the key. */
export interface Merge {
  readonly staging: string;
  readonly source: TableId;
  readonly table: TableId;
  readonly key: string;
  readonly span: Span;
}

export function* mergesOf(model: Model): Iterable<Merge> {
  const staged = new Map<string, TableId>();
  for (const facts of model.files.values())
    for (const { action, direction } of facts.schema) {
      if (action.do !== 'create table' || !action.temporary || direction === 'down') continue;
      const source = action.asQuery && unboundSource(model, action.asQuery);
      if (source !== undefined) staged.set(action.table.name, source);
    }
  if (staged.size === 0) return;
  for (const access of model.accesses) {
    const [target, ...others] = access.targets;
    const table = target && model.tableOf(target);
    if (!target || !table || (target.operation !== 'update' && target.operation !== 'delete')) continue;
    const [key] = keyColumns(model.tenancyOf(table.id));
    const from = others.find((other) => staged.has(nameOf(other)?.name ?? ''));
    if (key === undefined || !from || bindsKey(access, target, key)) continue;
    const staging = nameOf(from)!.name;
    yield { staging, source: staged.get(staging)!, table: table.id, key, span: access.span };
  }
}

const nameOf = (target: Target): ObjectName | undefined => {
  const { table } = target;
  return table.known && table.value.by === 'sql' && table.value.schema === undefined
    ? { name: table.value.name }
    : undefined;
};

/** A table of tenants that a query reads without a condition on its key. */
function unboundSource(model: Model, query: Access): TableId | undefined {
  for (const target of query.targets) {
    const table = model.tableOf(target);
    const [key] = table && 'rowSecurity' in table ? keyColumns(model.tenancyOf(table.id)) : [];
    if (table && key !== undefined && !JSON.stringify(target.predicate).includes(`"column":"${key}"`)) return table.id;
  }
  return undefined;
}

const bindsKey = (access: LinkedAccess, target: Target, key: string): boolean =>
  JSON.stringify([target.predicate, access.targets.map((t) => (t === target ? null : t.predicate))]).includes(
    `"column":${JSON.stringify(key)}`,
  );
