import type { Finding, Table } from '@tenant-lint/model';
import { shortName } from './columns.js';
import { isolation, type OwnKey } from './condition.js';
import type { Project } from './project.js';
import type { Repair, RepairStep } from './step.js';

/** require-row-security, require-row-security-on-partition, no-unprotected-copy. */
export function requireRowSecurity(project: Project, finding: Finding): Repair {
  const table = project.table(finding.table);
  if (!table || table.rowSecurity.enabled) return { reason: 'the table is not known' };
  if (project.historyOf(table.origin) === undefined) return { reason: 'no migration of this project makes the table' };
  const steps = enableRowSecurity(project, table, undefined, [finding.fingerprint]);
  return steps.length > 0
    ? { steps }
    : { reason: 'no other policy and no setting of the project says who the current tenant is' };
}

/** Row security with a policy as the project writes them; the policies that a table has are left as they are. */
export function enableRowSecurity(
  project: Project,
  table: Table,
  key: OwnKey | undefined,
  claims: readonly string[],
): RepairStep[] {
  const history = project.historyOf(table.origin);
  if (history === undefined) return [];
  const names = project.names(history);
  const of = names.table(table);
  const above =
    project.table(table.partitionOf) ?? project.table(table.inherits[0]) ?? project.table(table.copyOf?.[0]?.table);
  const like = project.model.tenancyOf(table.id).kind === 'unknown' && above ? above : table;
  const condition = table.policies.length > 0 ? undefined : isolation(project, like, history, key);
  if (table.policies.length === 0 && !condition) return [];
  const command = project.model.tenancyOf(table.id).kind === 'root' ? rootCommand(project, table) : '';
  const roles =
    condition && condition.roles.length > 0 ? condition.roles : project.namesRoles ? project.usersOf(table) : [];
  const policy =
    condition &&
    [
      `CREATE POLICY ${names.name(condition.name)} ON ${of}`,
      command,
      roles.length > 0 ? ` TO ${roles.map((r) => names.role(r)).join(', ')}` : '',
      ` USING (${condition.sql})`,
      command === ' FOR SELECT' ? '' : ` WITH CHECK (${condition.sql})`,
    ].join('');
  const forces = project.forces && !table.rowSecurity.forced;
  return [
    {
      id: `row security ${table.id}`,
      phase: 'row security',
      history,
      title: `Row security of ${shortName(table)}${condition ? `, ${condition.from}` : ', so that its policies hold'}.`,
      up: [
        ...(policy === undefined ? [] : [policy]),
        `ALTER TABLE ${of} ENABLE ROW LEVEL SECURITY`,
        ...(forces ? [`ALTER TABLE ${of} FORCE ROW LEVEL SECURITY`] : []),
      ],
      down: [
        ...(forces ? [`ALTER TABLE ${of} NO FORCE ROW LEVEL SECURITY`] : []),
        `ALTER TABLE ${of} DISABLE ROW LEVEL SECURITY`,
        ...(condition ? [`DROP POLICY ${names.name(condition.name)} ON ${of}`] : []),
      ],
      table: table.id,
      claims,
      needs: [],
      notes:
        project.model.tenancyOf(table.id).kind === 'root' && command === ''
          ? [`What makes a new tenant has to run as another role, or with the setting put to the new one.`]
          : [],
    },
  ];
}

/** Where the application may only read the table of tenants, so may its policy. */
function rootCommand(project: Project, table: Table): string {
  const grants = project.model.schema.grants.filter((g) =>
    g.on.some((o) => o.kind === 'table' && `${o.name.schema ?? 'public'}.${o.name.name}` === table.id),
  );
  return grants.length > 0 && grants.every((g) => g.privileges.every((p) => /^select$/i.test(p))) ? ' FOR SELECT' : '';
}

/** require-forced-row-security, and FORCE that was taken away: every table that the finding speaks of. */
export function forceRowSecurity(project: Project, finding: Finding): Repair {
  const steps = [...project.model.schema.tables.values()].flatMap((table): RepairStep[] => {
    const { enabled, forced, origin } = table.rowSecurity;
    const history = project.historyOf(table.origin);
    if (!enabled || forced || history === undefined) return [];
    if (table.id !== finding.table && !(origin && project.isAt(finding, origin))) return [];
    const of = project.names(history).table(table);
    return [
      {
        id: `force ${table.id}`,
        phase: 'row security',
        history,
        title: `Row security of ${shortName(table)} holds for its owner too.`,
        up: [`ALTER TABLE ${of} FORCE ROW LEVEL SECURITY`],
        down: [`ALTER TABLE ${of} NO FORCE ROW LEVEL SECURITY`],
        table: table.id,
        claims: [finding.fingerprint],
        needs: [],
        notes: [
          'Migrations and jobs that run as the owner see no rows from then on unless they set the tenant or have BYPASSRLS.',
        ],
      },
    ];
  });
  return steps.length > 0 ? { steps } : { reason: 'no migration of this project makes the table' };
}

/** no-dormant-policy: policies that nobody asks. */
export function wakePolicies(project: Project, finding: Finding): Repair {
  const table = project.table(finding.table);
  if (!table) return { reason: 'the table is not known' };
  const steps = enableRowSecurity(project, table, undefined, [finding.fingerprint]);
  return steps.length > 0 ? { steps } : { reason: 'no migration of this project makes the table' };
}
