import type { Model } from '@tenant-lint/analysis';
import type { Table, TableId } from '@tenant-lint/model';
import { clausesOf, nodesIn } from './conditions.js';
import { tableNamed } from './schema.js';

/** By table: the names of the SECURITY DEFINER functions that read it, as calls write them. */
const readers = new WeakMap<Model, ReadonlyMap<TableId, ReadonlySet<string>>>();

/**
 * Whether a policy of the table calls a SECURITY DEFINER function that reads the table: the way to avoid recursion. It works only as long
 * as the function's owner is not bound by the policy, so FORCE would make every query of the table fail.
 */
export function readThroughDefiner(model: Model, table: Table): boolean {
  let byTable = readers.get(model);
  if (!byTable) readers.set(model, (byTable = definerReaders(model)));
  const names = byTable.get(table.id);
  if (!names) return false;
  for (const node of nodesIn(table.policies.map(clausesOf)))
    if (typeof node['function'] === 'string' && names.has(node['function'])) return true;
  return false;
}

function definerReaders(model: Model): ReadonlyMap<TableId, ReadonlySet<string>> {
  const found = new Map<TableId, Set<string>>();
  for (const f of [...model.schema.functions.values()].flat()) {
    if (!f.securityDefiner) continue;
    for (const target of f.queries.flatMap((query) => query.targets)) {
      const id = target.table.known ? tableNamed(model, target.table.value)?.id : undefined;
      if (id === undefined) continue;
      let names = found.get(id);
      if (!names) found.set(id, (names = new Set()));
      names.add(f.name.name).add(`${f.name.schema ?? 'public'}.${f.name.name}`);
    }
  }
  return found;
}
