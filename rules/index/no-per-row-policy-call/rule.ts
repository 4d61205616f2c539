import { hasIndexLedBy, type Model } from '@tenant-lint/analysis';
import { defineRule, type PolicySubject } from '@tenant-lint/engine';
import type {
  Policy,
  PolicyCall,
  PolicyCommand,
  Predicate,
  Related,
  SchemaFunction,
  Span,
  Table,
} from '@tenant-lint/model';
import { placeOf } from '../../lib/evidence.js';
import { tableName } from '../../lib/naming.js';
import { predicatesIn } from '../../lib/schema.js';
import { definedAt, functionsNamed, walk } from '../../lib/setting.js';

export default defineRule({
  meta: {
    id: 'no-per-row-policy-call',
    group: 'index',
    summary: 'Disallow calls in policies that Postgres makes again for every row',
    since: 'next',
    severity: 'warning',
    recommended: true,
    hosts: ['sql'],
    needs: ['migrations'],
    catalogue: ['X03', 'X04', 'X06', 'X08', 'X09', 'F14'],
    messages: {
      unwrapped: {
        what: 'Policy {policy} of {table} calls {function}() for every row{more}.',
        why: 'The result is the same for all of them, and on a large table the calls take longer than everything else.',
        fix: 'Write (select {function}(...)), which is evaluated once for each statement.',
      },
      inSubquery: {
        what: 'Policy {policy} of {table} calls {function}() in a sub-query that runs for every row{more}.',
        why: 'The result is the same for all of them, and on a large table the calls take longer than everything else.',
        fix: 'Write (select {function}(...)) in the sub-query, which is evaluated once for each statement.',
      },
      joins: {
        severity: 'info',
        what: 'Policy {policy} of {table} looks up, for every row, who may see it.',
        why: 'The look-up runs once for each row instead of once for each statement.',
        fix: "Turn it round: select what the caller may see, and ask whether the row's key is among it.",
      },
      volatile: {
        what: 'Policies call {function}(), which is VOLATILE.',
        why: 'Postgres may not keep its result nor search an index for it, and calls it again for every row.',
        fix: 'Make what the policy needs a STABLE function of its own.',
      },
      volatileByDefault: {
        what: 'Policies call {function}(), which is VOLATILE because nothing else is said.',
        why: 'Postgres may not keep its result nor search an index for it, and calls it again for every row.',
        fix: 'Declare it STABLE, since it changes nothing.',
      },
      several: {
        severity: 'info',
        what: '{count} permissive policies of {table} hold for {command} by the same role.',
        why: 'All of them are evaluated for a row until one lets it through.',
        fix: 'Join them to one policy.',
      },
    },
  },
  subject: 'project',
  *check(_, model) {
    yield* repeatedCalls(model);
    yield* volatileHelpers(model);
    for (const { table, policy } of policiesOf(model)) {
      if (!policy.using || !looksUpPerRow(policy.using)) continue;
      yield {
        message: 'joins',
        data: { policy: policy.name, table: tableName(table.id) },
        ...placeIn(policy),
        confidence: 'certain',
        table: table.id,
        key: `${table.id} ${policy.name} joins`,
      };
    }
    for (const table of model.schema.tables.values()) yield* severalPolicies(table);
  },
});

interface Draft {
  readonly message: 'unwrapped' | 'inSubquery' | 'volatile' | 'volatileByDefault' | 'several';
  readonly data: Readonly<Record<string, string | number>>;
  readonly span: Span;
  readonly related?: readonly Related[];
  readonly confidence: 'certain';
  readonly table?: string;
  readonly key: string;
}

function* policiesOf(model: Model): Iterable<PolicySubject> {
  for (const table of model.schema.tables.values()) {
    if (table.partitionOf !== undefined) continue;
    for (const policy of table.policies) yield { table, policy };
  }
}

const placeIn = (policy: Policy): { readonly span: Span; readonly related: readonly Related[] } => {
  const place = placeOf(policy.origin, 'the policy is changed here');
  return { ...place, span: policy.usingSpan ?? place.span };
};

interface Repeated {
  readonly subject: PolicySubject;
  readonly call: PolicyCall;
}

/** Each function is one finding, at the first policy that calls it so. WITH CHECK looks at new rows only, which are few. */
function* repeatedCalls(model: Model): Iterable<Draft> {
  const found = new Map<string, Repeated[]>();
  for (const subject of policiesOf(model)) {
    const { table, policy } = subject;
    for (const call of policy.usingCalls ?? []) {
      if (call.readsColumns || !isCostly(model, call.function) || isVolatile(model, call.function)) continue;
      const message = repeats(call, table, policy);
      if (message === undefined) continue;
      const key = `${message} ${call.function}`;
      const list = found.get(key);
      if (list) list.push({ subject, call });
      else found.set(key, [{ subject, call }]);
    }
  }
  for (const [key, all] of found) {
    const [first, ...rest] = all;
    if (first === undefined) continue;
    const { table, policy } = first.subject;
    const others = new Set(rest.map(({ subject }) => subject.policy).filter((other) => other !== policy));
    yield {
      message: key.startsWith('unwrapped') ? 'unwrapped' : 'inSubquery',
      data: {
        policy: policy.name,
        table: tableName(table.id),
        function: first.call.function,
        more:
          others.size === 0 ? '' : others.size === 1 ? ', and so does another' : `, and so do ${others.size} others`,
      },
      span: first.call.span,
      related: rest
        .filter(({ subject }) => subject.policy !== policy)
        .slice(0, 20)
        .map(({ subject, call }) => ({
          span: call.span,
          text: `so does policy ${subject.policy.name} of ${tableName(subject.table.id)}`,
        })),
      confidence: 'certain',
      table: table.id,
      key,
    };
  }
}

function repeats(call: PolicyCall, table: Table, policy: Policy): 'unwrapped' | 'inSubquery' | undefined {
  if (call.place === 'once') return undefined;
  if (call.place === 'query') return policy.using && isCorrelated(policy.using) ? 'inSubquery' : undefined;
  // Postgres evaluates a stable call once to search an index for it.
  return call.equals !== undefined && hasIndexLedBy(table, call.equals) ? undefined : 'unwrapped';
}

/** Functions of the project and of extensions run SQL; of the built-in ones only reading a setting is worth a word. */
const isCostly = (model: Model, name: string): boolean =>
  name === 'current_setting' ||
  functionsNamed(model, name).length > 0 ||
  (name.includes('.') && !name.startsWith('pg_catalog.'));

const isVolatile = (model: Model, name: string): boolean =>
  functionsNamed(model, name).some((declared) => declared.volatility === 'volatile');

/** Whether a sub-query of the condition depends on the row. */
const isCorrelated = (condition: Predicate): boolean =>
  [...predicatesIn(condition)].some(
    (part) => (part.kind === 'exists' || part.kind === 'in-query') && readsRow(part.query.condition),
  );

/** `caller in (select user ... where team = row.team)`: a sub-query that depends on the row, asked for something that does not. */
const looksUpPerRow = (condition: Predicate): boolean =>
  [...predicatesIn(condition)].some(
    (part) => part.kind === 'in-query' && !readsRow(part.left) && readsRow(part.query.condition),
  );

function readsRow(root: unknown): boolean {
  let found = false;
  walk(root, (node) => {
    found ||= node['kind'] === 'column' && node['target'] === 'self';
  });
  return found;
}

function* volatileHelpers(model: Model): Iterable<Draft> {
  const callers = new Map<SchemaFunction, Repeated[]>();
  for (const subject of policiesOf(model)) {
    for (const call of subject.policy.usingCalls ?? []) {
      if (call.place === 'once') continue;
      for (const declared of functionsNamed(model, call.function)) {
        if (declared.volatility !== 'volatile') continue;
        callers.set(declared, [...(callers.get(declared) ?? []), { subject, call }]);
      }
    }
  }
  for (const [declared, calls] of callers) {
    const span = definedAt(model, declared);
    const chosen = /\bvolatile\b/i.test(declared.text) || declared.queries.some((query) => query.operation !== 'read');
    yield {
      message: chosen ? 'volatile' : 'volatileByDefault',
      data: { function: declared.name.name },
      span,
      related: calls.slice(0, 20).map(({ subject, call }) => ({
        span: call.span,
        text: `policy ${subject.policy.name} of ${tableName(subject.table.id)} calls it`,
      })),
      confidence: 'certain',
      key: `function ${declared.name.schema ?? 'public'}.${declared.name.name}`,
    };
  }
}

function* severalPolicies(table: Table): Iterable<Draft> {
  if (table.partitionOf !== undefined) return;
  const commands: readonly PolicyCommand[] = ['select', 'insert', 'update', 'delete'];
  for (const command of commands) {
    const holding = table.policies.filter((p) => p.permissive && (p.command === command || p.command === 'all'));
    const second = holding.find((p, i) => holding.slice(0, i).some((other) => rolesMeet(p, other)));
    if (second === undefined) continue;
    yield {
      message: 'several',
      data: { count: holding.length, table: tableName(table.id), command: command.toUpperCase() },
      span: second.origin.created,
      confidence: 'certain',
      table: table.id,
      key: `${table.id} several`,
    };
    return;
  }
}

const rolesMeet = (a: Policy, b: Policy): boolean =>
  a.roles.length === 0 || b.roles.length === 0 || a.roles.some((role) => b.roles.includes(role));
