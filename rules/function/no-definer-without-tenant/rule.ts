import type { FunctionLeak } from '@tenant-lint/analysis';
import { defineRule } from '@tenant-lint/engine';
import type { Confidence, SchemaFunction } from '@tenant-lint/model';
import { relatedOf } from '../../lib/evidence.js';
import {
  callersOf,
  definedAt,
  functionKey,
  functionName,
  isMaintenance,
  isMeantForAdministration,
  isPolicyHelper,
  leaksOf,
  triggersOf,
} from '../../lib/functions.js';
import { soundsIssued } from '../../lib/issued.js';
import { participle, tableName } from '../../lib/naming.js';

export default defineRule({
  meta: {
    id: 'no-definer-without-tenant',
    group: 'function',
    summary: "Disallow SECURITY DEFINER functions through which another tenant's rows are reached",
    since: 'next',
    severity: 'error',
    recommended: true,
    hosts: ['sql'],
    needs: ['migrations'],
    catalogue: ['F01', 'F06', 'F09'],
    messages: {
      unbound: {
        what: 'Rows of {table} are {done} by {function} with the rights of its owner, whoever they belong to.',
        why: "Row security does not hold for the owner, and nothing in the function ties the rows to the caller's tenant.",
        fix: "Make it SECURITY INVOKER, or compare the tenant of {table} with the caller's in the statement.",
      },
      parameter: {
        what: 'Rows of {table} are {done} by {function} for the tenant that its parameter {parameter} names.',
        why: 'It runs with the rights of its owner, so the caller chooses whose rows these are.',
        fix: 'Take the tenant from the session, or check that the caller belongs to {parameter} before anything else.',
      },
      trigger: {
        what: 'Rows of {table} are {done} by the trigger function {function} with the rights of its owner, whoever they belong to.',
        why: 'Row security does not hold for the owner, and nothing ties the rows to the tenant of the row that fires the trigger.',
        fix: 'Make it SECURITY INVOKER, or compare the tenant of {table} with that of NEW.',
      },
    },
  },
  subject: 'function',
  *check(f, model) {
    if (!f.securityDefiner || f.returns === 'event_trigger') return;
    if (f.returns === 'trigger') {
      for (const { table, trigger } of triggersOf(model, f)) {
        const [leak] = trigger.enabled ? leaksOf(model, f, table).filter((l) => l.cause === 'unbound') : [];
        if (!leak || !model.databaseIsolates(table) || !belongs(model.tenancyOf(table.id).kind)) continue;
        const draft = draftOf(f, leak, leak.confidence);
        yield {
          ...draft,
          message: 'trigger',
          related: [...draft.related, { span: trigger.origin.created, text: `fires for ${tableName(table.id)}` }],
        };
        return;
      }
      return;
    }
    if (callersOf(model, f).length === 0 || isMeantForAdministration(model, f)) return;
    const [leak] = leaksOf(model, f);
    if (!leak || (leak.cause === 'unbound' && isMaintenance(f))) return;
    // What a policy asks with its own arguments, and what only says yes or no, shows no rows.
    const asks = f.returns === 'boolean' || bySecret(leak) || (isPolicyHelper(model, f) && leak.cause === 'parameter');
    yield { ...draftOf(f, leak, asks ? 'possible' : leak.confidence), message: leak.cause };
  },
});

/** Whether the row is found by a token or the like: who knows it was given it. */
const bySecret = ({ access, target }: FunctionLeak): boolean =>
  access.targets.some(
    (t) =>
      (t === target || t.role === 'root') &&
      (t.predicate.kind === 'and' ? t.predicate.of : [t.predicate]).some(
        (p) =>
          p.kind === 'compare' &&
          p.operator === '=' &&
          [p.left, p.right].some((v) => v.kind === 'placeholder') &&
          [p.left, p.right].some((v) => v.kind === 'column' && soundsIssued(v.column)),
      ),
  );

const belongs = (kind: string): boolean => kind === 'keyed' || kind === 'child' || kind === 'root';

function draftOf(f: SchemaFunction, leak: FunctionLeak, confidence: Confidence) {
  const span = definedAt(f);
  const [at] = [leak.access.span];
  return {
    data: {
      function: functionName(f),
      table: tableName(leak.table),
      done: participle(leak.target.operation),
      parameter: leak.parameters.join(' and '),
    },
    span,
    related: relatedOf([{ span: at, text: 'this statement' }, ...leak.because], span),
    confidence,
    ...(leak.witness ? { witness: leak.witness.text } : {}),
    table: leak.table,
    key: functionKey(f),
    cause: `function ${functionKey(f)}`,
  };
}
