import type { PolicyLeak, Model } from '@tenant-lint/analysis';
import { defineRule, type Draft } from '@tenant-lint/engine';
import type { Policy, Related, SchemaFunction, Table } from '@tenant-lint/model';
import { clausesOf } from '../../lib/conditions.js';
import { placeOf } from '../../lib/evidence.js';
import { tableName } from '../../lib/naming.js';
import { causeOfLeak, nameOfFunction } from '../../lib/policy.js';
import { boundBody, selfComparisons, type SelfComparison } from './lib/self.js';

type Message = 'inner' | 'outer' | 'inFunction' | 'vacuous';

export default defineRule({
  meta: {
    id: 'no-shadowed-column',
    group: 'policy',
    summary:
      'Disallow sub-queries of policies in which a column is compared with itself, because a name means another table than it seems',
    since: 'next',
    severity: 'error',
    recommended: true,
    hosts: ['sql'],
    needs: ['migrations'],
    catalogue: ['Q07', 'Q27'],
    messages: {
      inner: {
        what: 'In policy {policy} of {table}, {column} means the column of {by}, the table of the sub-query, so it is compared with itself.',
        why: "Names belong to the innermost table that has such a column. The comparison is always true, so another tenant's rows can be {done}.",
        fix: "Write {table}.{column} for the column of the policy's own table.",
      },
      outer: {
        what: 'In policy {policy} of {table}, {column} means the column of {table} itself, also in the sub-query, which has no such column.',
        why: "The column is compared with itself, which is always true, so another tenant's rows can be {done}.",
        fix: 'Write the column of the looked-up table, and qualify every name of the sub-query.',
      },
      inFunction: {
        what: 'In function {function}, {column} means the column of {by} and not the parameter, so it is compared with itself.',
        why: "In SQL functions a column comes before a parameter of the same name. The comparison is always true, so through {policies} another tenant's rows can be {done}.",
        fix: 'Write {function}.{column} for the parameter, or give it another name.',
      },
      vacuous: {
        severity: 'warning',
        what: 'In policy {policy} of {table}, {column} of {by} is compared with itself.',
        why: 'A name without its table belongs to the innermost table that has such a column. The comparison holds nothing back; something else does.',
        fix: 'Qualify every column of the sub-query.',
      },
    },
  },
  subject: 'project',
  *check(_, model) {
    for (const table of model.schema.tables.values())
      for (const policy of table.policies) yield* ofPolicy(table, policy, model);
    for (const overloads of model.schema.functions.values()) for (const f of overloads) yield* ofFunction(f, model);
  },
});

function* ofPolicy(table: Table, policy: Policy, model: Model): Iterable<Draft<Message>> {
  const [found] = clausesOf(policy).flatMap((clause) => selfComparisons(clause, model));
  if (!found) return;
  const leaks = model.policyLeaks(table).filter((leak) => leak.policy.name === policy.name);
  const leak = leaks.find((l) => selfComparisons(clauseOf(l), model).length > 0);
  const place = placeOf(policy.origin, 'the policy is changed here');
  yield {
    message: leak === undefined ? 'vacuous' : found.self ? 'outer' : 'inner',
    data: {
      policy: policy.name,
      table: tableName(table.id),
      column: found.column,
      by: found.self ? tableName(table.id) : found.table,
      done: leak ? doneBy(leaks) : '',
    },
    span: place.span,
    related: [...place.related, ...at(found)],
    confidence: 'certain',
    ...(leak ? { witness: leak.witness.text, cause: causeOfLeak(leak, model) } : {}),
    table: table.id,
    key: `${table.id} ${policy.name}`,
  };
}

const clauseOf = (leak: PolicyLeak) =>
  leak.side === 'check' ? (leak.policy.check ?? leak.policy.using) : leak.policy.using;

/** A function through which policies leak. One that no policy hangs on is no matter of policies. */
function* ofFunction(f: SchemaFunction, model: Model): Iterable<Draft<Message>> {
  // PL/pgSQL refuses a name that is both a column and a variable.
  if (f.language !== 'sql' || !f.body.known) return;
  const [found] = selfComparisons(boundBody(f.body.value, model), model, true);
  if (!found || !f.parameters.some((p) => p.name === found.column)) return;
  const leaks = [...model.schema.tables.values()].flatMap((table) =>
    model.policyLeaks(table).filter((leak) => leak.through === f),
  );
  const [first] = leaks;
  if (!first) return;
  const policies = [...new Map(leaks.map((leak) => [`${leak.table} ${leak.policy.name}`, leak])).values()];
  const place = placeOf(f.origin);
  yield {
    message: 'inFunction',
    data: {
      function: nameOfFunction(f),
      column: found.column,
      by: found.table,
      done: doneBy(leaks),
      policies: policies.length === 1 ? `policy ${first.policy.name}` : `${policies.length} policies`,
    },
    span: place.span,
    related: [
      ...place.related,
      ...at(found),
      ...policies.map(({ policy, table }) => ({
        span: policy.origin.created,
        text: `policy ${policy.name} of ${tableName(table)} calls it`,
      })),
    ],
    confidence: 'certain',
    witness: first.witness.text,
    cause: causeOfLeak(first, model),
    table: first.table,
    key: `function ${nameOfFunction(f)}`,
  };
}

const at = ({ span, column }: SelfComparison): Related[] =>
  span ? [{ span, text: `${column} is compared with itself here` }] : [];

const participles = { select: 'read', insert: 'added', update: 'changed', delete: 'deleted' } as const;

function doneBy(leaks: readonly PolicyLeak[]): string {
  const commands = new Set(leaks.flatMap((leak) => leak.commands));
  const words = (['select', 'insert', 'update', 'delete'] as const)
    .filter((c) => commands.has(c))
    .map((c) => participles[c]);
  return words.length > 1 ? `${words.slice(0, -1).join(', ')} and ${words.at(-1) ?? ''}` : (words[0] ?? 'reached');
}
