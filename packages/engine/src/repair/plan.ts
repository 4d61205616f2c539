import type { Finding } from '@tenant-lint/model';
import { addTenantColumn, dropDefault, requireNotNull } from './columns.js';
import { requireIndex } from './indexes.js';
import { keepTenant, requireComposite, requireInUnique, requireReference } from './keys.js';
import {
  declareStable,
  limitRole,
  makeStable,
  notLeakproof,
  pinSearchPath,
  restoreAttribute,
  revokeExecute,
  revokeTruncate,
  viewOption,
} from './objects.js';
import { nameRoles, narrowPolicies, PolicyEdits, safeSettings, wrapCalls } from './policies.js';
import { Project, type RepairInput } from './project.js';
import { forceRowSecurity, requireRowSecurity, wakePolicies } from './security.js';
import { phases, type Repair, type RepairPlan, type RepairStep, type Unrepaired } from './step.js';

type Maker = (project: Project, finding: Finding, edits: PolicyEdits) => Repair;

const never =
  (reason: string): Maker =>
  () => ({ reason });

/** How a finding of each rule is repaired by a migration, or why none can. Rules that are not here speak of code. */
const makers: Readonly<Record<string, Maker>> = {
  'require-tenant-column': addTenantColumn,
  'require-tenant-not-null': requireNotNull,
  'require-tenant-in-unique': requireInUnique,
  'require-composite-reference': requireComposite,
  'no-tenant-nulling-action': keepTenant,
  'require-tenant-reference': requireReference,
  'no-tenant-default': dropDefault,
  'require-tenant-first-index': requireIndex,
  'require-row-security': requireRowSecurity,
  'require-row-security-on-partition': requireRowSecurity,
  'no-unprotected-copy': requireRowSecurity,
  'no-dormant-policy': wakePolicies,
  'require-forced-row-security': forceRowSecurity,
  'no-leaking-policy': narrowPolicies,
  'no-leaking-check': narrowPolicies,
  'no-fail-open-policy': narrowPolicies,
  'no-user-controlled-claim': narrowPolicies,
  'no-shadowed-column': narrowPolicies,
  'require-policy-role': nameRoles,
  'no-per-row-policy-call': (project, finding, edits) =>
    finding.message === 'unwrapped' ? wrapCalls(project, finding, edits) : declareStable(project, finding),
  'require-safe-setting': safeSettings,
  'require-pinned-search-path': pinSearchPath,
  'no-leakproof-function': notLeakproof,
  'no-immutable-session-read': makeStable,
  'no-lost-function-attribute': restoreAttribute,
  'no-public-definer': revokeExecute,
  'require-security-invoker': viewOption(
    'security_invoker',
    'true',
    (v) => `${v.name.name} reads with the rights of whoever asks.`,
    'Who reads the view needs the privileges on what it reads.',
  ),
  'require-security-barrier': viewOption(
    'security_barrier',
    'true',
    (v) => `No condition of a caller runs before that of ${v.name.name}.`,
  ),
  'require-check-option': viewOption(
    'check_option',
    'cascaded',
    (v) => `What is written through ${v.name.name} is seen through it.`,
  ),
  'no-truncate-grant': revokeTruncate,
  'no-bypassing-role': limitRole,
  'no-owning-app-role': limitRole,
  'require-policy': never(
    'nobody reaches these rows now, and whom a new policy lets in is yours to say; fix never opens anything',
  ),
  'require-policy-with-table': never(
    'it is a matter of how the migrations are divided; a later one changes nothing about it',
  ),
  'no-weakened-isolation': never('what the earlier statement had, and why it went, is yours to say'),
  'no-renamed-tenant-key': never('code and database have to change together'),
  'consistent-tenant-key': never('another name or type of the key changes the code that uses it'),
  'consistent-tenant-setting': never('which of the settings the application sets is yours to say'),
  'no-guessable-id': never('another primary key changes every reference and the code'),
  'require-own-tenant-key': never('it is a matter of design'),
  'no-inert-policy': never('what the policy was meant to do is not to be seen'),
  'no-opaque-policy': never('the condition has to be written anew by hand'),
  'no-recursive-policy': never('the condition has to be written anew by hand'),
  'no-unprotected-lookup': never('who may write the table by which policies decide is yours to say'),
  'no-definer-without-tenant': never('the body of the function has to be written anew by hand'),
  'require-tenant-in-trigger': never('the body of the function has to be written anew by hand'),
  'no-broadcast-row': never('the body of the function has to be written anew by hand'),
  'no-rule-on-tenant-table': never('what should take the place of the rule is yours to say'),
  'no-public-grant': never('which role should have the privilege in its place is yours to say'),
  'no-broad-grant': never('which privileges the application needs is yours to say'),
  'no-tenant-materialized-view': never(
    'a materialized view has no row security; what should take its place is yours to say',
  ),
  'no-tenant-foreign-table': never('the other database has to isolate it'),
  'require-tenant-in-view': never('the query of the view has to be written anew by hand'),
  'require-tenant-in-partition-key': never('a table is partitioned anew by hand'),
  'no-cast-on-tenant-key': never('another type of the key changes the code that uses it'),
  'no-default-tenant-setting': never('what sets the tenant in its place is yours to say'),
  'no-row-security-off': never('the statement stands in a migration that has run'),
  'no-tenantless-upsert': never('the statement has to be written anew by hand'),
  'require-tenant-in-statement': never('the statement has to be written anew by hand'),
  'require-complete-erasure': never('what the erasure leaves out is deleted by hand'),
  'require-isolation-test': never('`tenant-lint prove --emit` writes such tests'),
};

/** Whether findings of a rule are a matter of a migration at all. */
export const isOfDatabase = (rule: string): boolean => Object.hasOwn(makers, rule);

/**
 * The steps of a corrective migration for some findings, in the order in which they run, and the findings that no step repairs, with the reason.
 * Pure. Nothing of it is verified: whoever offers it analyses and applies the result first.
 */
export function planRepairs(input: RepairInput): RepairPlan {
  const project = new Project(input);
  const edits = new PolicyEdits(project);
  const steps = new Map<string, RepairStep>();
  const unrepaired: Unrepaired[] = [];
  const add = (step: RepairStep): void => {
    const before = steps.get(step.id);
    steps.set(
      step.id,
      before
        ? {
            ...before,
            claims: united(before.claims, step.claims),
            needs: united(before.needs, step.needs),
            notes: united(before.notes, step.notes),
          }
        : step,
    );
  };
  for (const finding of project.findings) {
    const maker = makers[finding.rule];
    if (!maker) continue;
    const repair =
      finding.span && !isInDatabase(project, finding) ? { reason: inCode } : maker(project, finding, edits);
    if ('reason' in repair) unrepaired.push({ finding, reason: repair.reason });
    else for (const step of repair.steps) add(step);
  }
  for (const step of edits.steps()) add(step);
  const ordered = [...steps.values()].sort((a, b) => phases.indexOf(a.phase) - phases.indexOf(b.phase));
  const claimed = new Set(ordered.flatMap((s) => s.claims));
  for (const finding of project.findings)
    if (makers[finding.rule] && !claimed.has(finding.fingerprint) && !unrepaired.some((u) => u.finding === finding))
      unrepaired.push({ finding, reason: 'no statement is known that mends it' });
  return { steps: mergedForce(ordered), unrepaired };
}

const inCode = 'it is a matter of code';

/** Some rules speak of statements of code as well. */
const isInDatabase = (project: Project, finding: Finding): boolean => {
  const facts = finding.span && project.model.files.get(finding.span.file);
  return finding.table !== undefined || facts === undefined || facts.dialect !== 'typescript';
};

/** What is enabled and forced by one step is not forced by another. */
const mergedForce = (steps: readonly RepairStep[]): RepairStep[] => {
  const enabled = new Set(steps.filter((s) => s.id.startsWith('row security ')).map((s) => s.table));
  return steps.filter((s) => !(s.id.startsWith('force ') && enabled.has(s.table)));
};

const united = (a: readonly string[], b: readonly string[]): readonly string[] => [...new Set([...a, ...b])];
