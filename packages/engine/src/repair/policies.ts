import type { Finding, Policy, PolicyCall, Predicate, Span, Table } from '@tenant-lint/model';
import { shortName } from './columns.js';
import { isolation, type Condition } from './condition.js';
import type { Project } from './project.js';
import type { Repair, RepairStep } from './step.js';

/** What becomes of one policy; the changes of several findings come together in one statement. */
export interface PolicyEdit {
  readonly table: Table;
  readonly policy: Policy;
  readonly claims: Set<string>;
  narrow?: Condition;
  roles?: readonly string[];
  wrap?: true;
  settings?: true;
}

/** The edits of all policies, by table and name. */
export class PolicyEdits {
  readonly #edits = new Map<string, PolicyEdit>();

  constructor(private readonly project: Project) {}

  of(table: Table, policy: Policy, claim: string): PolicyEdit {
    const key = `${table.id} ${policy.name}`;
    let edit = this.#edits.get(key);
    if (!edit) this.#edits.set(key, (edit = { table, policy, claims: new Set() }));
    edit.claims.add(claim);
    return edit;
  }

  steps(): RepairStep[] {
    return [...this.#edits.values()].flatMap((edit) => stepOf(this.project, edit) ?? []);
  }
}

/** Policies that let foreign rows through: they get the condition of the project beside their own, so that nothing new gets through. */
export function narrowPolicies(project: Project, finding: Finding, edits: PolicyEdits): Repair {
  if (finding.message === 'named' || finding.message === 'published')
    return { reason: 'it seems meant; whether rows of other tenants may be reached this way is yours to say' };
  let reason = 'no policy of this project stands where the finding is';
  let found = false;
  for (const { table, policy } of policiesAt(project, finding)) {
    if (!project.model.policyLeaks(table).some((l) => l.policy.name === policy.name && l.excuse === undefined)) {
      if (finding.rule !== 'no-shadowed-column') continue;
    }
    if (liftsBySession(policy)) {
      reason =
        'it lets a session past isolation on purpose, as it seems; whether something still needs that is yours to say';
      continue;
    }
    const history = project.historyOf(policy.origin);
    if (history === undefined) {
      reason = 'no migration of this project makes the policy';
      continue;
    }
    const condition = isolation(project, table, history);
    if (!condition) {
      reason = 'no other policy and no setting of the project says who the current tenant is';
      continue;
    }
    if (textsOf(project, policy) === undefined) {
      reason = 'its condition is put together by a program, and its text is not known';
      continue;
    }
    edits.of(table, policy, finding.fingerprint).narrow = condition;
    found = true;
  }
  return found ? { steps: [] } : { reason };
}

/** Whether a condition asks for something of the session alone: `current_setting('app.bypass') = 'on'`. With the tenant beside it, it would be dead. */
const liftsBySession = ({ using, check }: Policy): boolean =>
  [using, check].every(
    (c) => c === undefined || (c.kind === 'compare' && !JSON.stringify(c).includes('"kind":"column"')),
  ) && (using ?? check) !== undefined;

/** require-policy-role: the roles that may use the table at all. */
export function nameRoles(project: Project, finding: Finding, edits: PolicyEdits): Repair {
  const open: string[] = [];
  for (const { table, policy } of policiesAt(project, finding)) {
    const roles = project.usersOf(table);
    if (roles.length === 0) open.push(shortName(table));
    else edits.of(table, policy, finding.fingerprint).roles = roles;
  }
  return open.length > 0
    ? {
        reason: `which roles use ${open.slice(0, 3).join(', ')}${open.length > 3 ? ' ...' : ''} is not to be seen: no migration grants it to one`,
      }
    : { steps: [] };
}

/** no-per-row-policy-call: what depends on no row is computed once for a statement. */
export function wrapCalls(project: Project, finding: Finding, edits: PolicyEdits): Repair {
  let found = false;
  for (const { table, policy } of allPolicies(project)) {
    const calls = [...(policy.usingCalls ?? []), ...(policy.checkCalls ?? [])].filter(isRepeated);
    if (calls.length === 0 || !finding.text.what.includes(`${calls[0]!.function.replace(/^.*\./, '')}(`)) continue;
    if (textsOf(project, policy) === undefined) continue;
    edits.of(table, policy, finding.fingerprint).wrap = true;
    found = true;
  }
  return found ? { steps: [] } : { reason: 'the condition has to be written anew by hand' };
}

const isRepeated = (call: PolicyCall): boolean => call.place === 'row' && !call.readsColumns;

/** require-safe-setting, where policies read the setting themselves. */
export function safeSettings(project: Project, finding: Finding, edits: PolicyEdits): Repair {
  if (finding.message !== 'raises' && finding.message !== 'emptyText')
    return { reason: 'the same name has to be set and read everywhere, in code as well' };
  let found = 0;
  for (const { table, policy } of allPolicies(project)) {
    const places = [policy.usingSpan, policy.checkSpan, policy.origin.created];
    if (!places.some((p) => p && isPlaceOf(finding, p)) || textsOf(project, policy) === undefined) continue;
    edits.of(table, policy, finding.fingerprint).settings = true;
    found++;
  }
  // One finding speaks of every place that reads the setting.
  return found > finding.related.length
    ? { steps: [] }
    : { reason: 'a function reads the setting, and its body has to be written anew by hand' };
}

const isPlaceOf = (finding: Finding, span: Span): boolean =>
  [finding.span, ...finding.related.map((r) => r.span)].some((s) => s?.file === span.file && s.start === span.start);

function allPolicies(project: Project): { readonly table: Table; readonly policy: Policy }[] {
  return [...project.model.schema.tables.values()].flatMap((table) =>
    table.policies.map((policy) => ({ table, policy })),
  );
}

/** The policies that a finding speaks of. */
const policiesAt = (project: Project, finding: Finding): { readonly table: Table; readonly policy: Policy }[] =>
  allPolicies(project).filter(({ policy }) => project.isAt(finding, policy.origin));

/** The texts of the conditions of a policy; undefined where one is not to be had. */
function textsOf(project: Project, policy: Policy): { readonly using?: string; readonly check?: string } | undefined {
  const using = policy.using && (policy.usingSpan ? project.text(policy.usingSpan) : undefined);
  const check = policy.check && (policy.checkSpan ? project.text(policy.checkSpan) : undefined);
  if ((policy.using && using === undefined) || (policy.check && check === undefined)) return undefined;
  return { ...(using === undefined ? {} : { using }), ...(check === undefined ? {} : { check }) };
}

function stepOf(project: Project, edit: PolicyEdit): RepairStep | undefined {
  const { table, policy } = edit;
  const history = project.historyOf(policy.origin);
  const texts = textsOf(project, policy);
  if (history === undefined) return undefined;
  const names = project.names(history);
  const clause = (side: 'using' | 'check'): string | undefined => {
    const old = texts?.[side];
    const predicate = policy[side];
    const span = side === 'using' ? policy.usingSpan : policy.checkSpan;
    const calls = side === 'using' ? policy.usingCalls : policy.checkCalls;
    if (old === undefined || predicate === undefined || span === undefined) return undefined;
    let text = edit.wrap ? wrapped(old, span, calls ?? []) : old;
    if (edit.settings) text = withSafeSettings(text);
    if (edit.narrow) text = narrowed(text, predicate, edit.narrow);
    return text === old ? undefined : text;
  };
  const using = clause('using');
  const check = clause('check');
  const { roles } = edit;
  if (using === undefined && check === undefined && roles === undefined) return undefined;
  const head = `ALTER POLICY ${names.name(policy.name)} ON ${names.table(table)}`;
  return {
    id: `policy ${table.id} ${policy.name}`,
    phase: 'row security',
    history,
    title: edit.narrow
      ? `${policy.name} of ${shortName(table)} holds rows to the current tenant, ${edit.narrow.from}.`
      : roles && using === undefined && check === undefined
        ? `${policy.name} of ${shortName(table)} is for the roles that use the table.`
        : `${policy.name} of ${shortName(table)} lets through what it did, and works out once what depends on no row.`,
    up: [
      head +
        (roles ? ` TO ${roles.map((r) => names.role(r)).join(', ')}` : '') +
        (using === undefined ? '' : ` USING (${using})`) +
        (check === undefined ? '' : ` WITH CHECK (${check})`),
    ],
    down: [
      head +
        (roles
          ? ` TO ${policy.roles.length === 0 ? 'PUBLIC' : policy.roles.map((r) => names.role(r)).join(', ')}`
          : '') +
        (using === undefined ? '' : ` USING (${texts?.using ?? ''})`) +
        (check === undefined ? '' : ` WITH CHECK (${texts?.check ?? ''})`),
    ],
    table: table.id,
    claims: [...edit.claims],
    needs: [],
    notes: [],
  };
}

/** Old and new condition at once; the new one alone where it lets through nothing that the old one refuses. */
const narrowed = (old: string, predicate: Predicate, by: Condition): string =>
  predicate.kind === 'always' || by.implies(predicate)
    ? by.sql
    : `${by.sql} AND ${predicate.kind === 'value' ? old : `(${old})`}`;

function wrapped(text: string, span: Span, calls: readonly PolicyCall[]): string {
  const places = calls
    .filter(isRepeated)
    .map((c) => ({ start: c.span.start - span.start, end: c.span.end - span.start }));
  return places
    .sort((a, b) => b.start - a.start)
    .reduce((t, { start, end }) => `${t.slice(0, start)}(SELECT ${t.slice(start, end)})${t.slice(end)}`, text);
}

/** `nullif(current_setting('x', true), '')` for every bare read of a setting. */
const withSafeSettings = (text: string): string =>
  text.replaceAll(
    /(nullif\s*\(\s*)?current_setting\s*\(\s*('(?:[^']|'')+')(?:::text)?\s*(?:,\s*(?:true|false)\s*)?\)/gi,
    (whole: string, inside: string | undefined, name: string) =>
      inside === undefined ? `nullif(current_setting(${name}, true), '')` : `${inside}current_setting(${name}, true)`,
  );
