import { defineRule } from '@tenant-lint/engine';
import type { Grant, Table } from '@tenant-lint/model';
import { grantsOn, isRequestRole } from '../../lib/grants.js';
import { tableName } from '../../lib/naming.js';
import { isAdministrative, isolatedTables } from '../../lib/roles.js';

export default defineRule({
  meta: {
    id: 'no-truncate-grant',
    group: 'role',
    summary: 'Disallow privileges on tables that row security does not govern',
    since: 'next',
    severity: 'error',
    recommended: true,
    hosts: ['sql'],
    needs: ['migrations'],
    catalogue: ['A04', 'A05'],
    messages: {
      truncate: {
        what: '{role} may TRUNCATE {tables}.',
        why: "TRUNCATE does not ask row security: one statement removes all tenants' rows.",
        fix: 'Grant SELECT, INSERT, UPDATE and DELETE by name instead of ALL, and revoke TRUNCATE.',
      },
      references: {
        severity: 'warning',
        what: '{role} has {privileges} on {tables}.',
        why: 'A reference finds out which keys other tenants have, and a trigger runs code in their sessions; row security governs neither.',
        fix: 'Revoke {privileges}; the application needs neither at run time.',
      },
    },
  },
  subject: 'project',
  *check(_, model) {
    const found = new Map<string, Found>();
    for (const table of isolatedTables(model)) {
      for (const grant of grantsOn(model, table)) {
        if (grant.columns) continue;
        const beyond = ['truncate', 'references', 'trigger'].filter((p) => holds(grant, p));
        if (beyond.length === 0) continue;
        for (const role of grant.to) {
          if (isAdministrative(role) || role === table.owner?.role) continue;
          const kind = beyond.includes('truncate') ? 'truncate' : 'references';
          const key = `${kind} ${role}`;
          const entry: Found = found.get(key) ?? { kind, role, beyond, tables: [], grants: [] };
          if (!entry.tables.includes(table)) entry.tables.push(table);
          if (!entry.grants.some((g) => g.span === grant.span)) entry.grants.push(grant);
          found.set(key, entry);
        }
      }
    }
    for (const { kind, role, beyond, tables, grants } of found.values()) {
      const [first, ...rest] = tables;
      const [grant, ...more] = grants;
      if (!first || !grant) continue;
      yield {
        message: kind,
        data: {
          role: role === 'public' ? 'PUBLIC' : role,
          privileges: beyond.map((p) => p.toUpperCase()).join(' and '),
          tables: tableName(first.id) + (rest.length > 0 ? ` and ${rest.length} more` : ''),
        },
        span: grant.span,
        related: more.map(({ span }) => ({ span, text: 'and here' })),
        // Requests of a hosted platform reach the database through an interface that has no word for either.
        confidence: isRequestRole(model, role) ? 'possible' : 'certain',
        key: `${kind} ${role}`,
      };
    }
  },
});

interface Found {
  readonly kind: 'truncate' | 'references';
  readonly role: string;
  readonly beyond: readonly string[];
  readonly tables: Table[];
  readonly grants: Grant[];
}

const holds = ({ privileges }: Grant, privilege: string): boolean =>
  privileges.length === 0 || privileges.some((p) => p === privilege || /^all(?: privileges)?$/i.test(p));
