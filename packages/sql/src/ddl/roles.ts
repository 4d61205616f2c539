import type {
  AlterDatabaseSetStmt,
  AlterDefaultPrivilegesStmt,
  AlterRoleSetStmt,
  AlterRoleStmt,
  CreateRoleStmt,
  DropRoleStmt,
  GrantRoleStmt,
  GrantStmt,
  Node,
} from '@pgsql/types';
import type { GrantObject, SchemaAction } from '@tenant-lint/model';
import type { Ddl } from './context.js';
import { inputsOf } from './functions.js';
import { nameOf, nodeName, objectName, plainText, roleName, roleNames, strings } from './names.js';
import { settingOf } from './settings.js';

/** The keyword of each option with a flag, as CREATE ROLE writes it. */
const flags: Readonly<Record<string, string>> = {
  canlogin: 'login',
  superuser: 'superuser',
  bypassrls: 'bypassrls',
  createdb: 'createdb',
  createrole: 'createrole',
  inherit: 'inherit',
  isreplication: 'replication',
};

function attributes(options: readonly Node[] | undefined): string[] {
  return (options ?? []).flatMap((option) => {
    if (!('DefElem' in option)) return [];
    const { defname = '', arg } = option.DefElem;
    const keyword = flags[defname];
    if (keyword === undefined || !arg || !('Boolean' in arg)) return [];
    return [arg.Boolean.boolval ? keyword : `no${keyword}`];
  });
}

const members = (options: readonly Node[] | undefined, name: string): string[] =>
  (options ?? []).flatMap((option) => {
    const { defname, arg } = 'DefElem' in option ? option.DefElem : {};
    return defname === name && arg && 'List' in arg ? roleNames(arg.List.items) : [];
  });

export function createRole(_: Ddl, node: CreateRoleStmt): SchemaAction[] {
  const name = node.role ?? '';
  const login = node.stmt_type === 'ROLESTMT_USER' ? ['login'] : [];
  const given = attributes(node.options);
  const own = given.includes('nologin') ? given : [...new Set([...login, ...given])];
  const newMembers = [...members(node.options, 'rolemembers'), ...members(node.options, 'adminmembers')];
  return [
    { do: 'create role', name, attributes: own, memberOf: members(node.options, 'addroleto') },
    ...(newMembers.length > 0 ? [{ do: 'grant role' as const, roles: [name], to: newMembers }] : []),
  ];
}

export function alterRole(_: Ddl, node: AlterRoleStmt): SchemaAction[] {
  const name = roleName(node.role);
  // ALTER GROUP ... ADD USER and DROP USER.
  const changed = members(node.options, 'rolemembers');
  if (changed.length > 0)
    return [{ do: node.action === -1 ? 'revoke role' : 'grant role', roles: [name], to: changed }];
  return [{ do: 'alter role', name, attributes: attributes(node.options) }];
}

export const dropRole = (_: Ddl, node: DropRoleStmt): SchemaAction[] =>
  roleNames(node.roles).map((name) => ({ do: 'drop role' as const, name }));

/** GRANT and REVOKE of roles. REVOKE ... OPTION FOR takes that option away and leaves the membership. */
export function grantRole(_: Ddl, node: GrantRoleStmt): SchemaAction[] | { irrelevant: string } {
  const options = (node.opt ?? []).flatMap((option) => ('DefElem' in option ? (option.DefElem.defname ?? []) : []));
  const takes = (name: string): boolean => (node.is_grant ? optionIsFalse(node.opt, name) : options.includes(name));
  if (!node.is_grant && options.includes('admin')) return { irrelevant: 'revoke admin option' };
  return [
    {
      do: node.is_grant || options.length > 0 ? 'grant role' : 'revoke role',
      roles: roleNames(node.granted_roles),
      to: roleNames(node.grantee_roles),
      ...(takes('set') ? { set: false as const } : {}),
      ...(takes('inherit') ? { inherit: false as const } : {}),
    },
  ];
}

/** GRANT ... WITH SET FALSE. */
const optionIsFalse = (options: readonly Node[] | undefined, name: string): boolean =>
  (options ?? []).some((option) => {
    const { defname, arg } = 'DefElem' in option ? option.DefElem : {};
    return defname === name && arg !== undefined && plainText(arg) === 'false';
  });

/** ALTER ROLE ... SET. A setting without role is that of all roles. */
export function alterRoleSet(_: Ddl, node: AlterRoleSetStmt): SchemaAction[] {
  const setting = settingOf(node.setstmt);
  if (!setting) return [];
  const of = node.role ? roleName(node.role) : undefined;
  return [
    {
      do: 'set',
      ...setting,
      scope: of === undefined && node.database !== undefined ? 'database' : 'role',
      of: of ?? node.database ?? 'all',
    },
  ];
}

export function alterDatabaseSet(_: Ddl, node: AlterDatabaseSetStmt): SchemaAction[] {
  const setting = settingOf(node.setstmt);
  return setting ? [{ do: 'set', ...setting, scope: 'database', of: node.dbname ?? '' }] : [];
}

/** Privileges and the columns they are limited to, one group for each different list of columns. No privilege named: all. */
function privileges(nodes: readonly Node[] | undefined): { privileges: string[]; columns?: string[] }[] {
  const groups = new Map<string, { privileges: string[]; columns?: string[] }>();
  for (const node of nodes ?? []) {
    if (!('AccessPriv' in node)) continue;
    const columns = strings(node.AccessPriv.cols);
    const key = columns.join('\0');
    const group = groups.get(key) ?? { privileges: [], ...(columns.length > 0 ? { columns } : {}) };
    group.privileges.push(node.AccessPriv.priv_name ?? 'all');
    groups.set(key, group);
  }
  return groups.size > 0 ? [...groups.values()] : [{ privileges: ['all'] }];
}

/** 'OBJECT_TABLE' as 'table'. */
const kindOf = (type: string | undefined): string =>
  (type ?? '').replace('OBJECT_', '').toLowerCase().replaceAll('_', ' ');

function grantObjects(node: GrantStmt): GrantObject[] {
  const kind = kindOf(node.objtype);
  const isRoutine = kind === 'function' || kind === 'procedure' || kind === 'routine';
  return (node.objects ?? []).map((object): GrantObject => {
    if (node.targtype === 'ACL_TARGET_ALL_IN_SCHEMA') {
      const schema = strings([object])[0] ?? '';
      if (isRoutine) return { kind: 'all functions', schema };
      return { kind: kind === 'sequence' ? 'all sequences' : 'all tables', schema };
    }
    if (kind === 'table' && 'RangeVar' in object) return { kind: 'table', name: objectName(object.RangeVar) };
    const name = nodeName(object);
    if (isRoutine) {
      const inputs = inputsOf('ObjectWithArgs' in object ? object.ObjectWithArgs : undefined);
      return { kind: 'function', name: nameOf(name), ...(inputs ? { inputs } : {}) };
    }
    return kind === 'schema'
      ? { kind: 'schema', name: name[0] ?? '' }
      : { kind: 'other', what: kind, name: name.join('.') };
  });
}

/** GRANT and REVOKE. Revoking only the grant option takes no privilege away. */
export function grant(_: Ddl, node: GrantStmt): SchemaAction[] | { irrelevant: string } {
  if (!node.is_grant && node.grant_option) return { irrelevant: 'revoke grant option' };
  const common = {
    do: node.is_grant ? ('grant' as const) : ('revoke' as const),
    on: grantObjects(node),
    to: roleNames(node.grantees),
  };
  return privileges(node.privileges).map((group) => ({ ...common, ...group }));
}

export function defaultPrivileges(_: Ddl, node: AlterDefaultPrivilegesStmt): SchemaAction[] {
  const action = node.action ?? {};
  const option = (name: string): Node[] =>
    (node.options ?? []).flatMap((o) =>
      'DefElem' in o && o.DefElem.defname === name && o.DefElem.arg && 'List' in o.DefElem.arg
        ? (o.DefElem.arg.List.items ?? [])
        : [],
    );
  return [
    {
      do: 'default privileges',
      grant: action.is_grant ?? false,
      privileges: privileges(action.privileges).flatMap((group) => group.privileges),
      objects: `${kindOf(action.objtype)}s`,
      schemas: strings(option('schemas')),
      forRoles: roleNames(option('roles')),
      to: roleNames(action.grantees),
    },
  ];
}
