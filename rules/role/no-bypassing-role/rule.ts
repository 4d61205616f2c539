import type { Model } from '@tenant-lint/analysis';
import { defineRule } from '@tenant-lint/engine';
import type { Related, Span, Table } from '@tenant-lint/model';
import { tableName } from '../../lib/naming.js';
import { appRoles, bypasses, isolatedTables, reachableRoles, type AppRole } from '../../lib/roles.js';

export default defineRule({
  meta: {
    id: 'no-bypassing-role',
    group: 'role',
    summary: 'Disallow that the role of the application is exempt from row security',
    since: 'next',
    severity: 'error',
    recommended: true,
    hosts: ['sql'],
    needs: ['migrations'],
    catalogue: ['A01', 'A03', 'M10'],
    messages: {
      bypasses: {
        what: 'The role {role} has {attribute}.',
        why: "No policy holds for it, so whatever connects as {role} reads and changes all tenants' rows.",
        fix: 'Run ALTER ROLE {role} NO{attribute}, and keep another role for administration.',
      },
      becomes: {
        what: 'The role {role} is a member of {other}, which has {attribute}.',
        why: 'SET ROLE {other} ends row security for the session, and every statement can do that.',
        fix: 'Run REVOKE {other} FROM {role}, or grant it WITH SET FALSE.',
      },
      owns: {
        what: 'From here on {role} owns {table}, or is a member of its owner.',
        why: "Row security of {table} is not forced, so it does not hold for {role} any more: it reads all tenants' rows.",
        fix: 'Give {table} back to the role that runs the migrations, or run ALTER TABLE {table} FORCE ROW LEVEL SECURITY.',
      },
    },
  },
  subject: 'project',
  *check(_, model) {
    const tables = isolatedTables(model);
    if (tables.length === 0) return;
    for (const role of appRoles(model)) {
      for (const [other, way] of reachableRoles(model, role.name)) {
        const attribute = bypasses(model, other);
        const place = placeOf(model, other, attribute, way);
        if (attribute === undefined || place === undefined) continue;
        yield {
          message: other === role.name ? 'bypasses' : 'becomes',
          data: { role: role.name, other, attribute },
          ...place,
          confidence: role.configured ? 'certain' : 'likely',
          key: `role ${role.name} ${other}`,
        };
      }
      for (const table of tables) {
        const at = laterOwner(model, role, table);
        if (at === undefined) continue;
        const enabled = table.rowSecurity.origin?.created;
        yield {
          message: 'owns',
          data: { role: role.name, table: tableName(table.id) },
          span: at,
          related: enabled ? [{ span: enabled, text: 'row security is enabled here' }] : [],
          confidence: role.configured ? 'certain' : 'likely',
          table: table.id,
          key: `owner ${role.name} ${table.id}`,
          cause: role.configured ? `owned ${table.id}` : `owner ${table.owner?.role ?? ''}`,
        };
      }
    }
  },
});

function placeOf(
  model: Model,
  name: string,
  attribute: string | undefined,
  way: readonly Span[],
): { readonly span: Span; readonly related: readonly Related[] } | undefined {
  const role = model.schema.roles.get(name);
  const given = attribute === undefined ? undefined : role?.attributeAt?.[attribute.toLowerCase()];
  const [membership] = way;
  if (membership !== undefined)
    return { span: membership, related: given ? [{ span: given, text: `${name} gets it here` }] : [] };
  if (given === undefined) return undefined;
  const created = role?.origin.created;
  const earlier = created && (created.file !== given.file || created.start !== given.start);
  return { span: given, related: earlier ? [{ span: created, text: 'the role is created here' }] : [] };
}

/** The statement of a later migration by which the role came to own a table whose row security was on by then. */
function laterOwner(model: Model, { name }: AppRole, table: Table): Span | undefined {
  const { owner, rowSecurity } = table;
  if (!owner || !rowSecurity.enabled || rowSecurity.forced || !rowSecurity.origin) return undefined;
  const way = reachableRoles(model, name).get(owner.role);
  if (!way) return undefined;
  const last = [...way, owner.span].reduce((a, b) =>
    a.file < b.file || (a.file === b.file && a.start < b.start) ? b : a,
  );
  return last.file > rowSecurity.origin.created.file ? last : undefined;
}
