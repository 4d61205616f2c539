import type { Model } from '@tenant-lint/analysis';
import type { Loss, Table } from '@tenant-lint/model';
import { readThroughDefiner } from '../../../lib/definer.js';
import { tableName } from '../../../lib/naming.js';
import type { Weakened } from '../rule.js';

const isOwned = (model: Model, table: Table): boolean => {
  const { kind } = model.tenancyOf(table.id);
  return kind === 'keyed' || kind === 'child' || kind === 'root';
};

type LossOfTable = Exclude<Loss, { kind: 'view' }>;

export function lostRowSecurity(model: Model, table: Table, loss: LossOfTable): Weakened | undefined {
  if (!isOwned(model, table)) return undefined;
  return {
    message: loss.by === 'recreated' ? 'recreated' : 'disabled',
    data: { table: tableName(table.id) },
    span: loss.removed,
    related: [{ span: loss.established, text: 'it was enabled here' }],
    confidence: 'certain',
    table: table.id,
    key: `row security ${table.id}`,
    cause: `row security ${table.id}`,
  };
}

export function lostForce(model: Model, table: Table, loss: LossOfTable): Weakened | undefined {
  // A helper of its policies reads the table as its owner: FORCE would make it call itself.
  if (!isOwned(model, table) || readThroughDefiner(model, table)) return undefined;
  return {
    message: 'unforced',
    data: { table: tableName(table.id) },
    span: loss.removed,
    related: [{ span: loss.established, text: 'it was forced here' }],
    confidence: 'certain',
    table: table.id,
    key: `forced ${table.id}`,
    cause: [`forced ${table.id}`, `owned ${table.id}`],
  };
}
