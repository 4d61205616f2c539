import type { ColumnDef, Constraint } from '@pgsql/types';
import type { ColumnDefinition, ConstraintDefinition, ObjectName, Value } from '@tenant-lint/model';
import { constant } from '@tenant-lint/model';
import { constraintOf } from './constraints.js';
import { elementSpan, rowValue, type Ddl } from './context.js';
import { printType, serialBase } from './types.js';

export interface ReadColumn {
  readonly column: ColumnDefinition;
  readonly constraints: readonly ConstraintDefinition[];
}

/** A column with the constraints written beside it. */
export function columnOf(ddl: Ddl, table: ObjectName, node: ColumnDef): ReadColumn {
  const name = node.colname ?? '';
  const span = elementSpan(ddl, node.location);
  const serial = serialBase(node.typeName);
  let notNull = serial !== undefined;
  let value: Value | undefined = serial === undefined ? undefined : sequence(table, name);
  let generated = false;
  let identity = false;
  const constraints: ConstraintDefinition[] = [];
  const nodes = (node.constraints ?? []).flatMap((c) => ('Constraint' in c ? [c.Constraint] : []));
  nodes.forEach((constraint, i) => {
    switch (constraint.contype) {
      case 'CONSTR_NOTNULL':
        notNull = true;
        break;
      case 'CONSTR_DEFAULT':
        if (constraint.raw_expr) value = rowValue(ddl, table, constraint.raw_expr);
        break;
      case 'CONSTR_GENERATED':
        generated = true;
        break;
      case 'CONSTR_IDENTITY':
        identity = true;
        notNull = true;
        break;
      default: {
        if (constraint.contype === 'CONSTR_PRIMARY') notNull = true;
        const own = elementSpan(ddl, constraint.location, startOf(ddl, nodes[i + 1]));
        const read = constraintOf(ddl, table, constraint, own, name);
        if (read) constraints.push(read);
      }
    }
  });
  return {
    column: {
      name,
      type: printType(node.typeName),
      notNull,
      ...(value ? { default: value } : {}),
      ...(generated ? { generated } : {}),
      ...(identity ? { identity } : {}),
      span,
    },
    constraints,
  };
}

const startOf = (ddl: Ddl, constraint: Constraint | undefined): number | undefined =>
  constraint?.location === undefined ? undefined : ddl.statement.offset(constraint.location);

/** What a serial column really has. */
const sequence = (table: ObjectName, column: string): Value => ({
  kind: 'apply',
  function: 'nextval',
  to: [constant(`${table.name}_${column}_seq`)],
});
