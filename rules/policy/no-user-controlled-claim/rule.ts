import type { Model } from '@tenant-lint/analysis';
import { defineRule, type Draft, type PolicySubject } from '@tenant-lint/engine';
import { clausesOf, functionsIn } from '../../lib/conditions.js';
import { placeOf } from '../../lib/evidence.js';
import { keyColumns, tableName } from '../../lib/naming.js';
import { policyFinding } from '../../lib/policy.js';
import { controlledParts, type Part } from './lib/parts.js';

type Message =
  | 'metadata'
  | 'client'
  | 'pattern'
  | 'email'
  | 'metadataRole'
  | 'list'
  | 'sessionUser'
  | 'mutable'
  | 'unknownRole'
  | 'stale';

export default defineRule({
  meta: {
    id: 'no-user-controlled-claim',
    group: 'policy',
    summary: 'Disallow policies that rest on what the user can choose or change',
    since: 'next',
    severity: 'error',
    recommended: true,
    hosts: ['sql'],
    needs: ['migrations'],
    catalogue: ['Q11', 'Q12', 'Q13', 'Q14', 'Q21', 'Q22', 'Q23', 'Q24'],
    messages: {
      metadata: {
        what: 'Policy {policy} of {table} believes what users write into their own metadata.',
        why: "Every user may change user_metadata, so another tenant's rows can be {done}.",
        fix: 'Take the claim from app_metadata, or look the membership of the caller up.',
      },
      client: {
        what: 'Policy {policy} of {table} believes what the client sent with the request.',
        why: "Headers and cookies are chosen by whoever asks, so another tenant's rows can be {done}.",
        fix: 'Take the tenant from the verified token, or look the membership of the caller up.',
      },
      pattern: {
        what: 'Policy {policy} of {table} compares with the current tenant by a pattern.',
        why: "A tenant whose name begins like another's, or holds a wildcard, matches its rows too: they can be {done}.",
        fix: 'Compare {key} by equality.',
      },
      email: {
        what: 'Policy {policy} of {table} lets rows through by a part of the mail address.',
        why: "Whoever signs up with such an address gets other tenants' rows: they can be {done}.",
        fix: 'Look the membership of the caller up by auth.uid().',
      },
      metadataRole: {
        severity: 'warning',
        what: 'Policy {policy} of {table} asks for something that users write into their own metadata.',
        why: 'Every user may change user_metadata, so the condition holds for whoever wants it to, within the tenant.',
        fix: 'Take the claim from app_metadata, or from a table that users cannot write.',
      },
      list: {
        severity: 'warning',
        what: 'Policy {policy} of {table} takes a list of tenants from one text.',
        why: 'A tenant whose identifier holds the separator, or a list that was put together wrongly, lets other tenants in.',
        fix: 'Compare {key} with a single setting, or look the memberships of the caller up.',
      },
      sessionUser: {
        severity: 'warning',
        what: 'Policy {policy} of {table} compares with the database role of the session.',
        why: 'Behind a connection pool all tenants share one role, so the comparison tells none of them apart.',
        fix: 'Compare with a setting of the transaction or with the identity in the token.',
      },
      mutable: {
        severity: 'warning',
        what: 'Policy {policy} of {table} knows the caller by the mail address.',
        why: 'An address can be changed and given to somebody else, who then gets the rows.',
        fix: 'Compare with auth.uid(), and store that in the row.',
      },
      unknownRole: {
        severity: 'warning',
        what: "Policy {policy} of {table} compares the role with '{role}', which is no role of the database.",
        why: 'auth.role() gives the database role of the request, so the comparison has always the same result.',
        fix: 'Compare with the role that the policy is for, or name the role in its TO clause.',
      },
      stale: {
        severity: 'info',
        what: 'Policy {policy} of {table} decides what may be written by the tenants that the token names.',
        why: 'A token keeps its claims until it expires, so a member who was removed can go on writing.',
        fix: 'Look the membership up where rows are written, or keep tokens short-lived.',
      },
    },
  },
  subject: 'policy',
  *check(subject, model) {
    const { table, policy } = subject;
    const { kind } = model.tenancyOf(table.id);
    if (!table.rowSecurity.enabled || kind === 'shared' || kind === 'unknown') return;
    const finding = policyFinding(subject, model, 'no-user-controlled-claim');
    const leak = model.policyLeaks(table).find((l) => l.policy.name === policy.name && l.owedTo !== undefined);
    if (finding && leak?.owedTo) yield { ...finding, message: leak.owedTo };
    else yield* notLeaking(subject, model, leak !== undefined);
  },
});

/** What rests on the user without being shown to leak. */
function* notLeaking({ table, policy }: PolicySubject, model: Model, leaks: boolean): Iterable<Draft<Message>> {
  const keys = keyColumns(model.tenancyOf(table.id));
  const clauses = clausesOf(policy);
  const trees = [...clauses, ...[...functionsIn(clauses, model)].flatMap((f) => (f.body.known ? [f.body.value] : []))];
  const told = new Set<Part['is']>();
  for (const part of controlledParts(trees, policy, keys, model)) {
    if (told.has(part.is) || (leaks && part.is === 'metadata')) continue;
    told.add(part.is);
    const { message, confidence } = judged(part, model);
    yield {
      message,
      data: {
        policy: policy.name,
        table: tableName(table.id),
        key: keys.join(' or ') || 'the row',
        role: part.is === 'role' ? part.role : '',
        done: 'reached',
      },
      ...placeOf(policy.origin, 'the policy is changed here'),
      confidence,
      table: table.id,
      key: `${table.id} ${policy.name} ${message}`,
      cause: `policy ${table.id} ${policy.name} ${part.is}`,
    };
  }
}

function judged(part: Part, model: Model): { message: Message; confidence: 'certain' | 'likely' | 'possible' } {
  switch (part.is) {
    case 'metadata':
      return part.key
        ? { message: 'metadata', confidence: 'likely' }
        : { message: 'metadataRole', confidence: 'certain' };
    case 'client':
      return { message: 'client', confidence: 'likely' };
    case 'pattern':
      return { message: 'pattern', confidence: 'likely' };
    case 'list':
      return { message: 'list', confidence: 'likely' };
    case 'session user':
      // A role for each tenant is a design; one role for all is the usual one.
      return { message: 'sessionUser', confidence: model.tenancy.appRoles.length === 1 ? 'likely' : 'possible' };
    case 'email':
      return { message: 'mutable', confidence: 'certain' };
    case 'role':
      return { message: 'unknownRole', confidence: 'certain' };
    case 'stale':
      return { message: 'stale', confidence: 'likely' };
  }
}
