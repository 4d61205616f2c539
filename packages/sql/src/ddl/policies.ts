import type { AlterPolicyStmt, CreatePolicyStmt, ViewStmt } from '@pgsql/types';
import type { PolicyCall, PolicyCommand, Predicate, SchemaAction, Span } from '@tenant-lint/model';
import { clauseSpan, innerQuery, rowCondition, type Ddl } from './context.js';
import { callsIn } from './policy-calls.js';
import { objectName, optionsOf, roleNames, strings } from './names.js';
import { viewShape } from './view-shape.js';

interface Clauses {
  readonly using?: Predicate;
  readonly check?: Predicate;
  readonly usingSpan?: Span;
  readonly checkSpan?: Span;
  readonly usingCalls?: readonly PolicyCall[];
  readonly checkCalls?: readonly PolicyCall[];
}

function clauses(ddl: Ddl, node: CreatePolicyStmt | AlterPolicyStmt): Clauses {
  const table = objectName(node.table);
  const usingSpan = node.qual ? clauseSpan(ddl, 'using') : undefined;
  const checkSpan = node.with_check ? clauseSpan(ddl, 'check') : undefined;
  return {
    ...(node.qual ? { using: rowCondition(ddl, table, node.qual) } : {}),
    ...(node.with_check ? { check: rowCondition(ddl, table, node.with_check) } : {}),
    ...(usingSpan ? { usingSpan } : {}),
    ...(checkSpan ? { checkSpan } : {}),
    ...(node.qual ? { usingCalls: callsIn(ddl, node.qual) } : {}),
    ...(node.with_check ? { checkCalls: callsIn(ddl, node.with_check) } : {}),
  };
}

/** The roles of a policy; PUBLIC anywhere in the list makes it apply to everybody, which the model writes as an empty list. */
function policyRoles(node: CreatePolicyStmt | AlterPolicyStmt): string[] {
  const roles = roleNames(node.roles);
  return roles.includes('public') ? [] : roles;
}

export function createPolicy(ddl: Ddl, node: CreatePolicyStmt): SchemaAction[] {
  const policy = {
    name: node.policy_name ?? '',
    // The parser only writes the flag down where it is set: RESTRICTIVE leaves it out.
    permissive: node.permissive ?? false,
    command: (node.cmd_name ?? 'all') as PolicyCommand,
    roles: policyRoles(node),
    ...clauses(ddl, node),
  };
  return [{ do: 'create policy', table: objectName(node.table), policy }];
}

export function alterPolicy(ddl: Ddl, node: AlterPolicyStmt): SchemaAction[] {
  const roles = node.roles ? { roles: policyRoles(node) } : {};
  return [
    {
      do: 'alter policy',
      table: objectName(node.table),
      name: node.policy_name ?? '',
      ...roles,
      ...clauses(ddl, node),
    },
  ];
}

export function createView(ddl: Ddl, node: ViewStmt): SchemaAction[] {
  const check =
    node.withCheckOption === 'LOCAL_CHECK_OPTION'
      ? 'local'
      : node.withCheckOption === 'CASCADED_CHECK_OPTION'
        ? 'cascaded'
        : undefined;
  return [
    {
      do: 'create view',
      view: objectName(node.view),
      materialized: false,
      replace: node.replace ?? false,
      options: { ...optionsOf(node.options), ...(check ? { check_option: check } : {}) },
      columns: strings(node.aliases),
      query: innerQuery(ddl, node.query),
      ...(node.query ? { shape: viewShape(node.query) } : {}),
    },
  ];
}
