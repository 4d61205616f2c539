import type { Model } from '@tenant-lint/analysis';
import { defineRule, type Draft } from '@tenant-lint/engine';
import type { Table } from '@tenant-lint/model';
import { isRequestRole } from '../../lib/grants.js';
import { keyColumns, tableName } from '../../lib/naming.js';
import { isolatedTables, rolesOf } from '../../lib/roles.js';
import { isUnderPolicies, tablesOf, testsOf, type TestFile, type TestRun } from '../../lib/tests.js';

type Message = 'none' | 'untested' | 'owner' | 'privileged' | 'silent';

export default defineRule({
  meta: {
    id: 'require-isolation-test',
    group: 'proof',
    summary: 'Require tests that ask for rows as a role that policies hold for',
    since: 'next',
    severity: 'info',
    recommended: false,
    hosts: ['sql'],
    needs: ['migrations'],
    catalogue: ['H01', 'H02', 'H03', 'H04'],
    messages: {
      none: {
        what: 'No SQL test asks for rows of {table} as a role that policies hold for, nor for those of {others}.',
        why: 'What policies say has never been seen to hold.',
        fix: 'Write a test that takes the role and the identity of one tenant and asks for rows of another; `tenant-lint prove --emit pgtap` writes one.',
      },
      untested: {
        what: 'No SQL test asks for rows of {table} as a role that policies hold for.',
        why: 'Other tables are tested; what the policies of this one say has never been seen to hold.',
        fix: 'Add the table to the tests; `tenant-lint prove --emit pgtap` writes them.',
      },
      owner: {
        what: 'This test asks for rows of {table} without taking another role.',
        why: 'It runs as whoever started it, for whom policies do not hold, and proves nothing about them.',
        fix: 'Take the role of the application before the assertion: SET LOCAL ROLE.',
      },
      privileged: {
        what: 'This test asks for rows of {table} as {role}, for whom policies do not hold.',
        why: 'It would pass without any policy.',
        fix: 'Take the role under which the application runs.',
      },
      silent: {
        what: 'This test expects an error where {role} {done} rows of {table} that are not its own.',
        why: 'USING leaves rows out and raises nothing: the statement succeeds with no rows.',
        fix: 'Assert that no row comes back, or that the row is still there afterwards.',
      },
    },
  },
  subject: 'project',
  *check(model): Iterable<Draft<Message>> {
    const guarded = isolatedTables(model).filter((table) => table.rowSecurity.enabled);
    const tests = testsOf(model);
    const asked = new Set<string>();
    let futile = false;
    for (const test of tests) {
      for (const table of tablesTestedBy(model, test)) asked.add(table.id);
      const found = futileTest(model, test, guarded);
      if (found) {
        futile = true;
        yield found;
      }
      for (const run of test.runs) yield* silentDenial(model, run, guarded);
    }
    const untested = guarded.filter((table) => !asked.has(table.id));
    const [first, ...others] = untested;
    if (!first) return;
    if (untested.length === guarded.length) {
      if (!futile) yield missing('none', first, others.length, tests);
    } else for (const table of untested) yield missing('untested', table, 0, tests);
  },
});

function missing(
  message: 'none' | 'untested',
  table: Table,
  others: number,
  tests: readonly TestFile[],
): Draft<Message> {
  return {
    message,
    data: { table: tableName(table.id), others: others === 1 ? 'one other table' : `${others} other tables` },
    span: table.origin.created,
    // A prepared statement may be the one that asks for the table.
    confidence: tests.some((test) => test.unread) ? 'possible' : 'likely',
    table: table.id,
    key: table.id,
  };
}

/** Tables that a test reaches as somebody for whom policies hold, or as it is not known whom. */
function tablesTestedBy(model: Model, { runs, calls }: TestFile): readonly Table[] {
  const called = calls.flatMap((f) =>
    model.functionAccess(f).tables.flatMap((id) => model.schema.tables.get(id) ?? []),
  );
  const reached = runs.flatMap(({ as, access }) =>
    tablesOf(model, access).filter((table) => isUnderPolicies(model, as, table) !== false),
  );
  return [...called, ...reached];
}

/** A test that says who asks, looks at guarded rows, and never as somebody for whom policies hold. */
function futileTest(
  model: Model,
  { file, runs, identifies }: TestFile,
  guarded: readonly Table[],
): Draft<Message> | undefined {
  if (!identifies) return undefined;
  let futile: { run: TestRun; table: Table } | undefined;
  for (const run of runs) {
    for (const table of tablesOf(model, run.access)) {
      if (!guarded.includes(table)) continue;
      if (isUnderPolicies(model, run.as, table) !== false) return undefined;
      const asserts = run.by !== undefined || run.access.operation === 'read';
      // As somebody else says more than as nobody in particular: the rows a test begins with are written by the owner.
      if (asserts && (!futile || (run.as.kind === 'role' && futile.run.as.kind === 'owner'))) futile = { run, table };
    }
  }
  if (!futile) return undefined;
  const { run, table } = futile;
  const data = { table: tableName(table.id), role: run.as.kind === 'role' ? run.as.name : '' };
  const span = run.as.kind === 'role' ? run.as.span : run.span;
  const message = run.as.kind === 'role' ? 'privileged' : 'owner';
  return { message, data, span, confidence: 'likely', table: table.id, key: `${file} ${table.id}` };
}

/** An error that is expected where policies only leave rows out. */
function* silentDenial(model: Model, run: TestRun, guarded: readonly Table[]): Iterable<Draft<Message>> {
  const { as, access, by } = run;
  if (!by?.name.startsWith('throws') || as.kind !== 'role') return;
  // Another error than a denial: a reference, a unique value, a message of a trigger.
  const [code] = by.expects;
  if (typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && code !== '42501') return;
  const [target, ...more] = access.targets;
  const table = target && guarded.find((t) => t === model.tableOf(target));
  if (!target || !table || more.length > 0 || isUnderPolicies(model, as, table) !== true) return;
  const privilege = privilegeFor[target.operation];
  if (!privilege || !isGranted(model, as.name, table, privilege) || mayRaise(model, target, table)) return;
  yield {
    message: 'silent',
    data: { role: as.name, table: tableName(table.id), done: verbs[privilege] },
    span: run.span,
    confidence: 'likely',
    table: table.id,
    key: `${run.span.file} ${table.id} ${target.operation} ${by.expects.join(' ')}`,
  };
}

type Privilege = 'select' | 'update' | 'delete';
const privilegeFor: Readonly<Partial<Record<string, Privilege>>> = {
  read: 'select',
  update: 'update',
  delete: 'delete',
};
const verbs: Readonly<Record<Privilege, string>> = { select: 'reads', update: 'changes', delete: 'deletes' };

/** Whether something else than USING answers: a trigger, or the check of a row as it would become. */
function mayRaise(model: Model, target: TestRun['access']['targets'][number], table: Table): boolean {
  const event = target.operation;
  if (table.triggers.some((t) => t.enabled && t.events.includes(event))) return true;
  if (target.operation !== 'update') return false;
  const keys = keyColumns(model.tenancyOf(table.id));
  const { writes } = target;
  const movesRow = writes === undefined || writes.open || Object.keys(writes.set).some((c) => keys.includes(c));
  return (
    movesRow || table.policies.some((p) => p.check !== undefined && (p.command === 'all' || p.command === 'update'))
  );
}

/** Whether a role has a privilege on a table, as far as migrations and the platform say: without it the error is the right one. */
function isGranted(model: Model, role: string, table: Table, privilege: Privilege): boolean {
  const roles = rolesOf(model, role);
  const { schema = 'public', name } = table.name;
  if (isRequestRole(model, role) && schema === 'public') return true;
  return model.schema.grants.some(
    (grant) =>
      grant.to.some((to) => to === 'public' || roles.has(to)) &&
      grant.privileges.some((p) => p.startsWith('all') || p === privilege) &&
      grant.on.some((o) => o.kind === 'table' && o.name.name === name && (o.name.schema ?? 'public') === schema),
  );
}
