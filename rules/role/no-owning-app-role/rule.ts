import { defineRule } from '@tenant-lint/engine';
import type { Table } from '@tenant-lint/model';
import { tableName } from '../../lib/naming.js';
import { appRoles, isolatedTables, reachableRoles } from '../../lib/roles.js';

export default defineRule({
  meta: {
    id: 'no-owning-app-role',
    group: 'role',
    summary: 'Disallow that the role of the application owns tables or creates them',
    since: 'next',
    severity: 'warning',
    recommended: true,
    hosts: ['sql'],
    needs: ['migrations'],
    catalogue: ['A02', 'A09'],
    messages: {
      owns: {
        what: 'The application connects as {role}, which owns {tables}{through}.',
        why: 'An owner may switch row security off, drop policies and grant privileges, so one injected statement ends isolation.',
        fix: 'Let the role that runs the migrations own the tables, and grant {role} what it needs.',
      },
      ownsUnforced: {
        severity: 'error',
        what: 'The application connects as {role}, which owns {tables}{through}, and row security is not forced.',
        why: "Row security does not hold for an owner, so {role} reads and changes all tenants' rows.",
        fix: 'Let the role that runs the migrations own the tables, or run ALTER TABLE ... FORCE ROW LEVEL SECURITY.',
      },
      creates: {
        what: 'The application connects as {role}, which may create objects in the schema {schema}.',
        why: 'It owns what it creates, so row security of such a table does not hold for it, and a function there can stand in for one of yours.',
        fix: 'Run REVOKE CREATE ON SCHEMA {schema} FROM {role}, and create objects in migrations only.',
      },
    },
  },
  subject: 'project',
  *check(_, model) {
    const tables = isolatedTables(model);
    if (tables.length === 0) return;
    const schemas = new Set(tables.map((table) => table.name.schema ?? 'public'));
    for (const role of appRoles(model)) {
      const confidence = role.configured ? 'certain' : 'likely';
      const reachable = reachableRoles(model, role.name);
      const byOwner = new Map<string, Table[]>();
      for (const table of tables) {
        const owner = table.owner?.role;
        if (owner === undefined || !reachable.has(owner)) continue;
        byOwner.set(owner, [...(byOwner.get(owner) ?? []), table]);
      }
      for (const [owner, owned] of byOwner) {
        const unforced = owned.filter((t) => t.rowSecurity.enabled && !t.rowSecurity.forced);
        const [first, ...rest] = [...unforced, ...owned.filter((t) => !unforced.includes(t))];
        if (first?.owner === undefined) continue;
        yield {
          message: unforced.length > 0 ? 'ownsUnforced' : 'owns',
          data: {
            role: role.name,
            tables: tableName(first.id) + (rest.length > 0 ? ` and ${rest.length} more` : ''),
            through: owner === role.name ? '' : ` as a member of ${owner}`,
          },
          span: first.owner.span,
          related: rest.flatMap((t) => (t.owner ? [{ span: t.owner.span, text: `and of ${tableName(t.id)}` }] : [])),
          confidence,
          key: `owner ${role.name} ${owner}`,
          ...(unforced.length > 0 ? { cause: `owner ${owner}` } : {}),
        };
      }
      for (const schema of schemas) {
        const owner = model.schema.schemaOwners?.get(schema);
        const grant = model.schema.grants.find(
          (g) =>
            g.on.some((o) => o.kind === 'schema' && o.name === schema) &&
            g.privileges.some((p) => /^(?:create|all(?: privileges)?)$/i.test(p)) &&
            g.to.some((r) => reachable.has(r)),
        );
        const span = owner && reachable.has(owner.role) ? owner.span : grant?.span;
        if (span)
          yield {
            message: 'creates',
            data: { role: role.name, schema },
            span,
            confidence,
            key: `schema ${role.name} ${schema}`,
          };
      }
    }
  },
});
