import type { Constraint } from '@pgsql/types';
import type { ConstraintDefinition, ObjectName, ReferenceAction, Span } from '@tenant-lint/model';
import { rowCondition, type Ddl } from './context.js';
import { objectName, strings } from './names.js';

const actions: Readonly<Record<string, ReferenceAction>> = {
  r: 'restrict',
  c: 'cascade',
  n: 'set null',
  d: 'set default',
};

/**
 * A constraint of a table; for one written with a column, `column` is that column. Undefined for what is no constraint of its own (NOT
 * NULL, DEFAULT, DEFERRABLE ...).
 */
export function constraintOf(
  ddl: Ddl,
  table: ObjectName,
  node: Constraint,
  span: Span,
  column?: string,
): ConstraintDefinition | undefined {
  const name = node.conname !== undefined ? { name: node.conname } : {};
  const own = column === undefined ? undefined : [column];
  switch (node.contype) {
    case 'CONSTR_PRIMARY':
      return { kind: 'primary key', ...name, columns: own ?? strings(node.keys), span };
    case 'CONSTR_UNIQUE': {
      const nulls = node.nulls_not_distinct ? { nullsNotDistinct: true } : {};
      return { kind: 'unique', ...name, columns: own ?? strings(node.keys), ...nulls, span };
    }
    case 'CONSTR_FOREIGN': {
      const onDelete = actions[node.fk_del_action ?? ''];
      const onUpdate = actions[node.fk_upd_action ?? ''];
      const onDeleteColumns = strings(node.fk_del_set_cols);
      return {
        kind: 'foreign key',
        ...name,
        columns: own ?? strings(node.fk_attrs),
        references: { by: 'sql', ...objectName(node.pktable) },
        referencedColumns: strings(node.pk_attrs),
        ...(onDelete ? { onDelete } : {}),
        ...(onDeleteColumns.length > 0 ? { onDeleteColumns } : {}),
        ...(onUpdate ? { onUpdate } : {}),
        ...(node.fk_matchtype === 'f' ? { matchFull: true } : {}),
        ...(node.skip_validation ? { notValid: true } : {}),
        span,
      };
    }
    case 'CONSTR_CHECK': {
      if (!node.raw_expr) return undefined;
      const predicate = rowCondition(ddl, table, node.raw_expr);
      return { kind: 'check', ...name, predicate, ...(node.skip_validation ? { notValid: true } : {}), span };
    }
    case 'CONSTR_EXCLUSION':
      return { kind: 'exclude', ...name, elements: exclusions(node), span };
    default:
      return undefined;
  }
}

function exclusions(node: Constraint): { column?: string; operator: string }[] {
  return (node.exclusions ?? []).map((pair) => {
    const [element, operator] = 'List' in pair ? (pair.List.items ?? []) : [];
    const column = element && 'IndexElem' in element ? element.IndexElem.name : undefined;
    const names = operator && 'List' in operator ? strings(operator.List.items) : [];
    return { ...(column !== undefined ? { column } : {}), operator: names.at(-1) ?? '' };
  });
}
