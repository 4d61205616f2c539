import { defineRule } from '@tenant-lint/engine';
import type { Table } from '@tenant-lint/model';
import { grantsOn, isAnonymous, isRequestRole } from '../../lib/grants.js';
import { tableName } from '../../lib/naming.js';
import { appRoles, isolatedTables } from '../../lib/roles.js';

export default defineRule({
  meta: {
    id: 'no-public-grant',
    group: 'role',
    summary: 'Disallow privileges of everybody on tables without row security',
    since: 'next',
    severity: 'error',
    recommended: true,
    hosts: ['sql'],
    needs: ['migrations'],
    catalogue: ['A06', 'A07', 'A11'],
    messages: {
      open: {
        what: '{role} has {privileges} on {table}, which has no row security.',
        why: "Whoever gets a connection reaches all tenants' rows.",
        fix: 'Run REVOKE ALL ON {table} FROM {role}, or enable row security with a policy on {table}.',
      },
      allTables: {
        severity: 'warning',
        what: '{role} has {privileges} on all tables of {schema}, {tables} without row security among them.',
        why: "The grant opens tables that nobody had in mind: all tenants' rows of {tables}.",
        fix: 'Grant table by table, or enable row security on every table first.',
      },
      future: {
        severity: 'warning',
        what: 'Tables that are created later give {privileges} to {role} at once.',
        why: 'A new table is open until a later statement enables row security, and for good if that is forgotten.',
        fix: 'Grant in the migration that creates a table and its policies, not by default.',
      },
    },
  },
  subject: 'project',
  *check(_, model) {
    const isolated = isolatedTables(model);
    if (isolated.length === 0) return;
    const open = isolated.filter((t) => !t.rowSecurity.enabled && t.partitionOf === undefined);
    const wholesale = new Map<
      string,
      { readonly grant: (typeof model.schema.grants)[number]; readonly tables: Table[] }
    >();
    for (const table of open) {
      for (const grant of grantsOn(model, table)) {
        const role = grant.to.find((r) => isAnonymous(model, r));
        if (role === undefined) continue;
        const all = grant.on.find((o) => o.kind === 'all tables');
        const key = `${grant.span.file} ${grant.span.start}`;
        if (all) {
          const before = wholesale.get(key)?.tables ?? [];
          wholesale.set(key, { grant, tables: [...before, table] });
          continue;
        }
        yield {
          message: 'open',
          data: { role: shown(role), privileges: listed(grant.privileges), table: tableName(table.id) },
          span: grant.span,
          related: [{ span: table.origin.created, text: 'the table is created here' }],
          confidence: 'certain',
          table: table.id,
          key: `${table.id} ${role}`,
        };
      }
    }
    for (const { grant, tables } of wholesale.values()) {
      const schema = grant.on.flatMap((o) => (o.kind === 'all tables' ? [o.schema] : []))[0] ?? 'public';
      yield {
        message: 'allTables',
        data: {
          role: shown(grant.to.find((r) => isAnonymous(model, r)) ?? 'public'),
          privileges: listed(grant.privileges),
          schema,
          tables: tables.map((t) => tableName(t.id)).join(', '),
        },
        span: grant.span,
        related: tables.map((t) => ({ span: t.origin.created, text: `${tableName(t.id)} has no row security` })),
        confidence: 'certain',
        key: `all tables ${schema} ${grant.to.join()}`,
      };
    }
    const apps = new Set(appRoles(model).map((r) => r.name));
    for (const given of model.schema.defaultPrivileges) {
      if (given.objects !== 'tables') continue;
      const role = given.to.find((r) => isAnonymous(model, r)) ?? given.to.find((r) => apps.has(r));
      if (role === undefined) continue;
      yield {
        message: 'future',
        data: { role: shown(role), privileges: listed(given.privileges) },
        span: given.span,
        // For the one role of the application, and for those of a platform that has the same default anyway, it is common and often meant.
        confidence:
          role === 'public' ? 'certain' : isRequestRole(model, role) || apps.has(role) ? 'possible' : 'likely',
        key: `default ${role} ${given.on.map((o) => ('name' in o ? String(o.name) : '')).join()}`,
      };
    }
  },
});

const shown = (role: string): string => (role === 'public' ? 'PUBLIC' : role);
const listed = (privileges: readonly string[]): string => privileges.map((p) => p.toUpperCase()).join(', ') || 'ALL';
