import type { Model } from '@tenant-lint/analysis';
import type { Access, Asserted, SchemaFunction, Span, Table } from '@tenant-lint/model';
import { bypasses, isAdministrative } from './roles.js';

/** Under whom a statement of a test runs. */
export type RunAs =
  /** Whoever started the tests: for pgTAP the owner of the database. */
  | { readonly kind: 'owner' }
  | { readonly kind: 'role'; readonly name: string; readonly span: Span }
  /** A function that is not read may have switched the role. */
  | { readonly kind: 'unknown' };

/** Something that a test of SQL asks the database. */
export interface TestRun {
  readonly as: RunAs;
  readonly access: Access;
  /** The assertion whose text it is; absent for a statement of the test itself. */
  readonly by?: Asserted;
  readonly span: Span;
}

export interface TestFile {
  readonly file: string;
  readonly runs: readonly TestRun[];
  /** Functions of the project that it calls. */
  readonly calls: readonly SchemaFunction[];
  /** It says who asks, by a setting of the session: what it tests is what somebody may see. */
  readonly identifies: boolean;
  /** An assertion runs a prepared statement, whose text is elsewhere. */
  readonly unread: boolean;
}

/** Functions of pgTAP, and of Postgres, that leave the role as it is. */
const keepsRole =
  /^(?:pg_catalog\.)?(?:pg_\w+|now|clock_timestamp|gen_random_uuid|set_config|current_setting|count|nextval|setval|format|concat|coalesce)$|(?:^|\.)(?:plan|no_plan|finish|diag|skip|todo\w*|ok|is|isnt|isa_ok|pass|fail|matches|imatches|doesnt_\w+|alike|ialike|unalike|unialike|cmp_ok|throws_\w+|lives_ok|performs_\w+|results_\w+|set_(?:eq|ne|has|hasnt)|bag_\w+|row_eq|is_\w+|isnt_\w+|has_\w+|hasnt_\w+|col_\w+|fk_ok|can|can_ok|\w+_(?:are|is|privs)|policy_\w+|index_\w+|trigger_\w+|function_\w+|view_\w+|table_\w+|schema_\w+|rule_\w+|domain_\w+|enum_\w+|cast_\w+|language_\w+|collect_tap|runtests)$/;

/** The SQL tests of a project, with the role under which each statement runs. */
export function testsOf(model: Model): readonly TestFile[] {
  return [...model.files.values()].flatMap((facts) => {
    if (facts.sql?.role !== 'test') return [];
    const asserted = facts.sql.asserted ?? [];
    const runs: TestRun[] = [];
    const calls: SchemaFunction[] = [];
    let as: RunAs = { kind: 'owner' };
    const switches = facts.schema.flatMap(({ action, span }) =>
      action.do === 'set' && (action.name === 'role' || action.name === 'session_authorization')
        ? [{ at: span.start, span, role: action.value }]
        : [],
    );
    const steps = [...switches, ...facts.queries.map((query) => ({ at: query.span.start, query }))];
    for (const step of steps.sort((a, b) => a.at - b.at)) {
      if ('role' in step) {
        const isBack = step.role === '' || step.role.toLowerCase() === 'none' || step.role.toLowerCase() === 'default';
        as = isBack ? { kind: 'owner' } : { kind: 'role', name: step.role, span: step.span };
        continue;
      }
      const { query } = step;
      for (const by of asserted)
        if (by.span.start === query.span.start)
          for (const access of by.accesses) runs.push({ as, access, by, span: query.span });
      if (query.targets.length > 0) runs.push({ as, access: query, span: query.span });
      for (const name of calledBy(query)) {
        calls.push(...(model.schema.functions.get(name.includes('.') ? name : `public.${name}`) ?? []));
        if (!keepsRole.test(name)) as = { kind: 'unknown' };
      }
    }
    const identifies = facts.schema.some(({ action }) => action.do === 'set' && action.name.includes('.'));
    return [{ file: facts.file, runs, calls, identifies, unread: asserted.some((by) => by.accesses.length === 0) }];
  });
}

/** The functions that a statement calls by its output: `select tests.sign_in('ada')`. */
function calledBy({ output }: Access): string[] {
  return (output ?? []).flatMap((column) => {
    if (!('value' in column) || column.value.kind !== 'apply') return [];
    const { function: name, to } = column.value;
    // A role that is put together at run time.
    const [setting] = to;
    const setsRole = name.endsWith('set_config') && setting?.kind === 'constant' && setting.value === 'role';
    return /^[\w.]+$/.test(name) ? [setsRole ? 'set role' : name] : [];
  });
}

/** Whether policies of a table hold for what a test asks; undefined where it is not known who asks. */
export function isUnderPolicies(model: Model, as: RunAs, table: Table): boolean | undefined {
  if (as.kind === 'unknown') return undefined;
  if (as.kind === 'owner') return false;
  if (bypasses(model, as.name) !== undefined || isAdministrative(as.name)) return false;
  return table.owner?.role !== as.name || table.rowSecurity.forced;
}

/** The tables that something in a test reaches, those behind views included. */
export const tablesOf = (model: Model, access: Access): readonly Table[] =>
  access.targets.flatMap((target) => {
    const found = model.tableOf(target);
    if (!found) return [];
    return 'rowSecurity' in found ? [found] : model.viewReaches(found).map((reach) => reach.table);
  });
