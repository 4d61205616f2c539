import { defineRule } from '@tenant-lint/engine';
import { isAnonymous, isRequestRole } from '../../lib/grants.js';
import { wordsOf } from '../../lib/issued.js';
import { appRoles, isolatedTables, reachableRoles } from '../../lib/roles.js';

/** Predefined roles that reach every table. https://www.postgresql.org/docs/current/predefined-roles.html */
const everywhere: Readonly<Record<string, string>> = {
  pg_read_all_data: 'reads',
  pg_write_all_data: 'writes',
};

export default defineRule({
  meta: {
    id: 'no-broad-grant',
    group: 'role',
    summary: 'Disallow privileges of the application on more than it needs',
    since: 'next',
    severity: 'info',
    recommended: false,
    hosts: ['sql'],
    needs: ['migrations'],
    catalogue: ['A08', 'A10'],
    messages: {
      everywhere: {
        what: '{role} is a member of {other}, which {does} every table.',
        why: 'Row security still holds for it, but every table without row security, and every one that comes later, is open.',
        fix: 'Revoke {other}, and grant {role} the tables that it needs.',
      },
      secret: {
        what: '{role} may read {column}.',
        why: 'Where a filter is forgotten, what leaks is not only rows of other tenants but what opens their accounts.',
        fix: 'Grant the columns that the application shows, and read {column} through a function that compares it.',
      },
    },
  },
  subject: 'project',
  *check(_, model) {
    if (isolatedTables(model).length === 0) return;
    const apps = appRoles(model);
    for (const role of apps) {
      for (const other of Object.keys(everywhere)) {
        const [at] = reachable(role.name).get(other) ?? [];
        const direct = model.schema.roles.get(role.name)?.memberAt?.[other];
        const span = direct ?? at;
        if (span === undefined) continue;
        const does = everywhere[other] ?? '';
        yield {
          message: 'everywhere',
          data: { role: role.name, other, does },
          span,
          confidence: 'certain',
          key: `${role.name} ${other}`,
        };
      }
    }
    for (const grant of model.schema.grants) {
      const role = grant.to.find(
        (r) => isAnonymous(model, r) || isRequestRole(model, r) || apps.some((a) => a.name === r),
      );
      const reads = grant.privileges.some((p) => /^(?:select|all(?: privileges)?)$/i.test(p));
      const column = grant.columns?.find(isSecret);
      if (role === undefined || !reads || column === undefined) continue;
      yield {
        message: 'secret',
        data: { role: role === 'public' ? 'PUBLIC' : role, column },
        span: grant.span,
        confidence: 'likely',
        key: `${role} ${column} ${grant.on.map((o) => (o.kind === 'table' ? o.name.name : '')).join()}`,
      };
    }

    function reachable(name: string): ReturnType<typeof reachableRoles> {
      return reachableRoles(model, name);
    }
  },
});

const secret: ReadonlySet<string> = new Set([
  'password',
  'passwd',
  'secret',
  'salt',
  'token',
  'hash',
  'otp',
  'credential',
]);

/** Whether the name of a column says that its values open something. */
const isSecret = (column: string): boolean => wordsOf(column).some((word) => secret.has(word.replace(/s$/, '')));
