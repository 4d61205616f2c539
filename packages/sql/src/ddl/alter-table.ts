import type { AlterTableCmd, AlterTableStmt, Constraint } from '@pgsql/types';
import type { ObjectName, SchemaAction } from '@tenant-lint/model';
import { columnOf } from './columns.js';
import { constraintOf } from './constraints.js';
import { elementSpan, rowValue, spanOf, type Ddl, type Outcome } from './context.js';
import { objectName, optionsOf, roleName } from './names.js';
import { printType } from './types.js';

/** ALTER TABLE, VIEW, INDEX, SEQUENCE ...: every subcommand is an action of its own. */
export function alterTable(ddl: Ddl, node: AlterTableStmt): Outcome {
  const table = objectName(node.relation);
  const kind = (node.objtype ?? 'OBJECT_TABLE').slice('OBJECT_'.length).toLowerCase();
  const actions = (node.cmds ?? []).flatMap((cmd) =>
    'AlterTableCmd' in cmd ? command(ddl, table, kind, cmd.AlterTableCmd) : [],
  );
  return actions.length > 0 ? actions : { irrelevant: `alter ${kind}` };
}

function command(ddl: Ddl, table: ObjectName, kind: string, cmd: AlterTableCmd): SchemaAction[] {
  const column = cmd.name ?? '';
  const cascade = cmd.behavior === 'DROP_CASCADE';
  const def = cmd.def;
  switch (cmd.subtype) {
    case 'AT_AddColumn': {
      if (!def || !('ColumnDef' in def)) return [];
      return [
        { do: 'add column', table, ...columnOf(ddl, table, def.ColumnDef), ifNotExists: cmd.missing_ok ?? false },
      ];
    }
    case 'AT_DropColumn':
      return [{ do: 'drop column', table, column, cascade }];
    case 'AT_ColumnDefault':
      return [{ do: 'alter column', table, column, default: def ? rowValue(ddl, table, def) : null }];
    case 'AT_SetNotNull':
      return [{ do: 'alter column', table, column, notNull: true }];
    case 'AT_DropNotNull':
      return [{ do: 'alter column', table, column, notNull: false }];
    case 'AT_AlterColumnType': {
      const type = def && 'ColumnDef' in def ? printType(def.ColumnDef.typeName) : '';
      return [{ do: 'alter column', table, column, type }];
    }
    case 'AT_AddConstraint':
      return def && 'Constraint' in def ? addConstraint(ddl, table, def.Constraint) : [];
    case 'AT_DropConstraint':
      return [{ do: 'drop constraint', table, constraint: column, cascade }];
    case 'AT_ValidateConstraint':
      return [{ do: 'validate constraint', table, constraint: column }];
    case 'AT_EnableRowSecurity':
      return [{ do: 'row security', table, enabled: true }];
    case 'AT_DisableRowSecurity':
      return [{ do: 'row security', table, enabled: false }];
    case 'AT_ForceRowSecurity':
      return [{ do: 'row security', table, forced: true }];
    case 'AT_NoForceRowSecurity':
      return [{ do: 'row security', table, forced: false }];
    case 'AT_ChangeOwner':
      return [{ do: 'owner', what: kind, name: table, to: roleName(cmd.newowner) }];
    case 'AT_AttachPartition':
    case 'AT_DetachPartition': {
      if (kind !== 'table' || !def || !('PartitionCmd' in def)) return [];
      const partition = objectName(def.PartitionCmd.name);
      return [{ do: cmd.subtype === 'AT_AttachPartition' ? 'attach partition' : 'detach partition', table, partition }];
    }
    case 'AT_AddInherit':
    case 'AT_DropInherit': {
      if (!def || !('RangeVar' in def)) return [];
      return [
        { do: cmd.subtype === 'AT_AddInherit' ? 'inherit' : 'no inherit', table, parent: objectName(def.RangeVar) },
      ];
    }
    case 'AT_SetRelOptions':
    case 'AT_ResetRelOptions': {
      if (kind !== 'view' || !def || !('List' in def)) return [];
      const options = optionsOf(def.List.items);
      const set = cmd.subtype === 'AT_SetRelOptions';
      return [
        { do: 'alter view options', view: table, set: set ? options : {}, reset: set ? [] : Object.keys(options) },
      ];
    }
    case 'AT_AddIdentity':
      return [{ do: 'alter column', table, column, notNull: true }];
    default:
      return toggled(table, cmd);
  }
}

/** Switching triggers on and off; `all` and `user` stand for all of them. ENABLE REPLICA is off for ordinary sessions. */
function toggled(table: ObjectName, cmd: AlterTableCmd): SchemaAction[] {
  const toggle = /^AT_(Enable|EnableReplica|Disable)(?:Always)?Trig(All|User)?$/.exec(cmd.subtype ?? '');
  if (!toggle) return [];
  const name = toggle[2]?.toLowerCase() ?? cmd.name ?? '';
  return [{ do: 'toggle trigger', table, name, enabled: toggle[1] === 'Enable' }];
}

function addConstraint(ddl: Ddl, table: ObjectName, node: Constraint): SchemaAction[] {
  if (node.indexname !== undefined) {
    const constraint = node.contype === 'CONSTR_PRIMARY' ? 'primary key' : 'unique';
    const name = node.conname !== undefined ? { name: node.conname } : {};
    return [{ do: 'add constraint using index', table, constraint, ...name, index: node.indexname }];
  }
  if (node.contype === 'CONSTR_NOTNULL') {
    return (node.keys ?? []).flatMap((key) =>
      'String' in key ? [{ do: 'alter column' as const, table, column: key.String.sval ?? '', notNull: true }] : [],
    );
  }
  const constraint = constraintOf(ddl, table, node, elementSpan(ddl, node.location));
  if (constraint) return [{ do: 'add constraint', table, constraint }];
  ddl.unchecked({ reason: 'unsupported: constraint', detail: node.contype ?? '', span: spanOf(ddl) });
  return [];
}
