import type { LinkedAccess, Model } from '@tenant-lint/analysis';
import { defineRule, servingAccesses } from '@tenant-lint/engine';
import { confidences, type Confidence, type Related, type Table, type Target, type View } from '@tenant-lint/model';
import { leakOf, reliesOnPolicies } from '../../lib/leak.js';
import { functionPath, methodName, participle, tableName } from '../../lib/naming.js';
import { unguarded } from '../../lib/views.js';

export default defineRule({
  meta: {
    id: 'require-database-isolation',
    group: 'bypass',
    summary: 'Require the row security that code leaves the isolation of tenants to',
    since: 'next',
    severity: 'error',
    recommended: true,
    hosts: ['typescript'],
    needs: ['schema', 'code', 'migrations'],
    catalogue: ['C-66', 'C-67'],
    messages: {
      table: {
        what: '{method} leaves it to the database whose rows of {table} it reaches, and {table} has no row security.',
        why: 'The tenant that the session carries is asked by nobody: rows of every tenant can be {done}.',
        fix: 'Enable row security on {table} with a policy that asks for that tenant, or add the condition here.',
      },
      view: {
        what: '{method} leaves it to the policies of {table} which rows of view {view} it reaches, and the view reads {table} with the rights of its owner.',
        why: 'Policies do not apply to the owner, so rows of every tenant can be read.',
        fix: 'Create the view WITH (security_invoker = true).',
      },
    },
  },
  subject: 'project',
  *check(_, model) {
    for (const [table, uses] of groupedBy(unprotected(model), (use) => use.table)) {
      const [{ access, target, confidence }] = uses;
      yield {
        message: 'table',
        data: { method: methodName(access), table: tableName(table.id), done: participle(target.operation) },
        span: access.span,
        confidence,
        evidence: 'none',
        table: table.id,
        related: [...setAt(access, model), ...others(uses), ...madeAt(table, 'is created')],
        key: `${access.file} ${functionPath(model, access)} ${table.id}`,
        cause: uses.map((use) => `target ${use.access.id} ${use.target.ref}`),
      };
    }
    for (const [view, uses] of groupedBy(throughViews(model), (use) => use.table)) {
      const [{ access, of }] = uses;
      yield {
        message: 'view',
        data: { method: methodName(access), view: tableName(view.id), table: of },
        span: access.span,
        confidence: 'likely',
        table: view.id,
        related: [...setAt(access, model), ...others(uses), ...madeAt(view, 'is defined')],
        key: `${access.file} ${functionPath(model, access)} ${view.id}`,
        cause: `view ${view.id}`,
      };
    }
  },
});

interface Use<T extends Table | View> {
  readonly access: LinkedAccess;
  readonly target: Target;
  readonly table: T;
  readonly confidence: Confidence;
  /** The tables that a view reads. */
  readonly of: string;
}

/** Accesses under a tenant that nothing in the table asks for. */
function* unprotected(model: Model): Iterable<Use<Table | View>> {
  for (const access of servingAccesses(model)) {
    for (const target of access.targets) {
      const leak = target.operation === 'create' ? undefined : leakOf({ access, target }, model);
      if (leak?.explainedBy !== 'require-database-isolation') continue;
      yield { access, target, table: leak.table, confidence: leak.verdict.confidence, of: '' };
    }
  }
}

/** Accesses to views that policies are to protect and do not. */
function* throughViews(model: Model): Iterable<Use<View>> {
  const leaking = new Map<string, string>();
  for (const view of model.schema.views.values()) {
    const tables = view.materialized
      ? []
      : unguarded(model, view).filter(({ sure, proof }) => sure === 'certain' && proof.kind === 'leak');
    if (tables.length > 0) leaking.set(view.id, [...new Set(tables.map((t) => tableName(t.table.id)))].join(', '));
  }
  if (leaking.size === 0) return;
  for (const access of servingAccesses(model)) {
    for (const target of access.targets) {
      const view = model.tableOf(target);
      const of = view && leaking.get(view.id);
      if (of === undefined || !reliesOnPolicies(access, model)) continue;
      yield { access, target, table: view as View, confidence: 'likely', of };
    }
  }
}

/** The uses of each table, the surest first. */
function groupedBy<T extends Table | View>(
  uses: Iterable<Use<T>>,
  of: (use: Use<T>) => T,
): ReadonlyMap<T, readonly [Use<T>, ...Use<T>[]]> {
  const groups = new Map<T, [Use<T>, ...Use<T>[]]>();
  for (const use of uses) {
    const group = groups.get(of(use));
    if (group) group.push(use);
    else groups.set(of(use), [use]);
  }
  for (const group of groups.values())
    group.sort((a, b) => confidences.indexOf(a.confidence) - confidences.indexOf(b.confidence));
  return groups;
}

const setAt = (access: LinkedAccess, model: Model): Related[] =>
  model.sessionOf(access).map(({ name, span }) => ({ span, text: `${name} is set here` }));

const others = ([, ...more]: readonly Use<Table | View>[]): Related[] =>
  more.map(({ access }) => ({ span: access.span, text: 'the same is left to the database here' })).slice(0, 20);

const madeAt = (table: Table | View, how: string): Related[] => [
  { span: table.origin.created, text: `${tableName(table.id)} ${how} here` },
];
