import type { Node } from '@pgsql/types';
import type { ViewShape } from '@tenant-lint/model';
import { isAggregate } from '../lower/index.js';

/**
 * How the rows of a view come about, by its query. When a view is updatable: https://www.postgresql.org/docs/current/sql-createview.html
 * (whether what it reads is a table or another updatable view only the schema knows).
 */
export function viewShape(query: Node): ViewShape {
  if (!('SelectStmt' in query)) return { grouped: false, updatable: false };
  const select = query.SelectStmt;
  if (select.op !== undefined && select.op !== 'SETOP_NONE') return { grouped: false, updatable: false };
  const items = select.targetList ?? [];
  const grouped = select.groupClause !== undefined || select.havingClause !== undefined || items.some(isAggregate);
  const [from, ...more] = select.fromClause ?? [];
  const plain =
    !select.withClause && !select.distinctClause && !select.limitCount && !select.limitOffset && !select.windowClause;
  return {
    grouped,
    updatable: !grouped && plain && more.length === 0 && from !== undefined && 'RangeVar' in from,
  };
}
