import type { Model } from '@tenant-lint/analysis';
import type { Table, TableId } from '@tenant-lint/model';

/** The tables above a partition or an inheriting table, nearest first. Broken histories can go in a circle. */
export function ancestorsOf(model: Model, table: Table): readonly Table[] {
  const found: Table[] = [];
  const open: TableId[] = [...(table.partitionOf === undefined ? [] : [table.partitionOf]), ...table.inherits];
  for (let id = open.shift(); id !== undefined; id = open.shift()) {
    const parent = model.schema.tables.get(id);
    if (!parent || parent === table || found.includes(parent)) continue;
    found.push(parent);
    if (parent.partitionOf !== undefined) open.push(parent.partitionOf);
    open.push(...parent.inherits);
  }
  return found;
}
