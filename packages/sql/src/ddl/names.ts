import type { Node, RangeVar, RoleSpec } from '@pgsql/types';
import type { ObjectName } from '@tenant-lint/model';

/** The parser has folded names already: to lower case unless quoted. */
export const objectName = (range: RangeVar | undefined): ObjectName => ({
  ...(range?.schemaname !== undefined ? { schema: range.schemaname } : {}),
  name: range?.relname ?? '',
});

/** The texts of a list of String nodes. */
export const strings = (nodes: readonly Node[] | undefined): string[] =>
  (nodes ?? []).flatMap((node) => ('String' in node ? [node.String.sval ?? ''] : []));

/** `['schema', 'name']` or `['name']`; a leading database name is dropped. */
export function nameOf(parts: readonly string[]): ObjectName {
  const [name = '', schema] = [...parts].reverse();
  return schema === undefined ? { name } : { schema, name };
}

/** The name in any of the shapes in which the parser gives the object of a DROP, ALTER or COMMENT. */
export function nodeName(node: Node | undefined): string[] {
  if (node === undefined) return [];
  if ('List' in node) return strings(node.List.items);
  if ('String' in node) return [node.String.sval ?? ''];
  if ('ObjectWithArgs' in node) return strings(node.ObjectWithArgs.objname);
  if ('TypeName' in node) return strings(node.TypeName.names);
  if ('RangeVar' in node) {
    const { schema, name } = objectName(node.RangeVar);
    return schema === undefined ? [name] : [schema, name];
  }
  return [];
}

export function roleName(role: RoleSpec | undefined): string {
  switch (role?.roletype) {
    case 'ROLESPEC_PUBLIC':
      return 'public';
    case 'ROLESPEC_CURRENT_USER':
      return 'current_user';
    case 'ROLESPEC_CURRENT_ROLE':
      return 'current_role';
    case 'ROLESPEC_SESSION_USER':
      return 'session_user';
    default:
      return role?.rolename ?? '';
  }
}

export const roleNames = (nodes: readonly Node[] | undefined): string[] =>
  (nodes ?? []).flatMap((node) => {
    if ('RoleSpec' in node) return [roleName(node.RoleSpec)];
    return 'AccessPriv' in node ? [node.AccessPriv.priv_name ?? ''] : [];
  });

/** Options by name; a flag without a value is `true`. */
export function optionsOf(nodes: readonly Node[] | undefined): Record<string, string> {
  const options: Record<string, string> = {};
  for (const node of nodes ?? []) {
    if (!('DefElem' in node) || node.DefElem.defname === undefined) continue;
    options[node.DefElem.defname.toLowerCase()] = node.DefElem.arg === undefined ? 'true' : plainText(node.DefElem.arg);
  }
  return options;
}

/** A literal or a name as text. */
export function plainText(node: Node): string {
  if ('String' in node) return node.String.sval ?? '';
  if ('Integer' in node) return String(node.Integer.ival ?? 0);
  if ('Float' in node) return node.Float.fval ?? '';
  if ('Boolean' in node) return String(node.Boolean.boolval ?? false);
  if ('TypeName' in node) return strings(node.TypeName.names).join('.');
  if ('List' in node) return (node.List.items ?? []).map(plainText).join(', ');
  if ('TypeCast' in node && node.TypeCast.arg) return plainText(node.TypeCast.arg);
  if (!('A_Const' in node)) return '';
  const { sval, ival, fval, boolval, isnull } = node.A_Const;
  if (sval) return sval.sval ?? '';
  if (fval) return fval.fval ?? '';
  if (boolval) return String(boolval.boolval ?? false);
  return isnull ? 'null' : ival ? String(ival.ival ?? 0) : '';
}
