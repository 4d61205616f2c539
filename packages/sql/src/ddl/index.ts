import type { Node } from '@pgsql/types';
import type { Access, SchemaAction, SchemaEvent } from '@tenant-lint/model';
import { lowerStatement } from '../lower/index.js';
import type { ParsedStatement } from '../parser/index.js';
import { alterTable } from './alter-table.js';
import { spanOf, type Ddl, type Outcome, type Reading } from './context.js';
import { doBlock } from './do-block.js';
import { alterFunction, createFunction } from './functions.js';
import { nameOf, objectName, strings } from './names.js';
import { alterPublication, createPublication, createTrigger, drop, owner, rename, setSchema } from './objects.js';
import { alterPolicy, createPolicy, createView } from './policies.js';
import * as roles from './roles.js';
import { scheduledJob } from './jobs.js';
import { setConfig, setVariable } from './settings.js';
import { createIndex, createMaterializedView, createTable, createTableAs } from './tables.js';
import { printType } from './types.js';

export type { Reading } from './context.js';

/** What became of a statement. Its events have no direction yet. */
export interface ReadStatement {
  readonly became: 'folded' | 'query' | 'unchecked' | { readonly irrelevant: string };
  readonly events: readonly Omit<SchemaEvent, 'direction'>[];
  readonly queries: readonly Access[];
}

/** Reads one statement. What it does not understand is reported through `reading` as unchecked. */
export function readStatement(reading: Reading, statement: ParsedStatement): ReadStatement {
  if (statement.skipped !== undefined) return irrelevant(statement.skipped);
  const { node } = statement;
  if (!node) return { became: 'unchecked', events: [], queries: [] };
  const ddl: Ddl = { ...reading, statement };
  const span = spanOf(ddl);
  if ('DoStmt' in node) {
    let unchecked = 0;
    const counting: Reading = { ...reading, unchecked: (entry) => (unchecked++, reading.unchecked(entry)) };
    const block = doBlock({ ...counting, statement }, node.DoStmt, (inner) => {
      const { events, queries } = readStatement(counting, inner);
      return { actions: events.map((event) => event.action), queries };
    });
    const { events, queries } = block;
    if (events.length > 0) return { became: 'folded', events, queries };
    if (queries.length > 0) return { became: 'query', events, queries };
    return unchecked > 0 ? { became: 'unchecked', events, queries } : irrelevant('do');
  }
  const outcome = schemaStatement(ddl, node);
  if (outcome === undefined) return queryStatement(ddl, reading);
  if ('irrelevant' in outcome) return irrelevant(outcome.irrelevant);
  return {
    became: outcome.length > 0 ? 'folded' : 'unchecked',
    events: outcome.map((action) => ({ action, span })),
    queries: [],
  };
}

const irrelevant = (kind: string): ReadStatement => ({ became: { irrelevant: kind }, events: [], queries: [] });

function queryStatement(ddl: Ddl, reading: Reading): ReadStatement {
  const access = lowerStatement(ddl.statement, { file: ddl.file, id: reading.queryId(), library: 'sql' });
  if (access === undefined) return irrelevant(kindName(ddl.statement));
  if (!('unknown' in access)) return { became: 'query', events: [], queries: [access] };
  reading.unchecked({ reason: `unsupported: ${access.unknown}`, span: spanOf(ddl) });
  return { became: 'unchecked', events: [], queries: [] };
}

/** `CommentStmt` as 'comment'. */
const kindName = (statement: ParsedStatement): string => {
  const [kind = ''] = Object.keys(statement.node ?? {});
  return kind
    .replace(/Stmt$/, '')
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase();
};

/** The actions of a statement that changes the schema; undefined for all others. */
function schemaStatement(ddl: Ddl, node: Node): Outcome | undefined {
  if ('CreateStmt' in node) return createTable(ddl, node.CreateStmt);
  if ('CreateForeignTableStmt' in node) return createTable(ddl, node.CreateForeignTableStmt.base ?? {}, true);
  if ('CreateTableAsStmt' in node) {
    const { objtype, into, query, if_not_exists } = node.CreateTableAsStmt;
    if (objtype === 'OBJECT_MATVIEW') return createMaterializedView(ddl, node.CreateTableAsStmt);
    return createTableAs(ddl, into?.rel, into?.colNames, query, if_not_exists);
  }
  if ('SelectStmt' in node) {
    const { intoClause, ...select } = node.SelectStmt;
    return intoClause
      ? createTableAs(ddl, intoClause.rel, intoClause.colNames, { SelectStmt: select })
      : (setConfig(select) ?? scheduledJob(ddl, select));
  }
  if ('AlterTableStmt' in node) return alterTable(ddl, node.AlterTableStmt);
  if ('IndexStmt' in node) return createIndex(ddl, node.IndexStmt);
  if ('CreatePolicyStmt' in node) return createPolicy(ddl, node.CreatePolicyStmt);
  if ('AlterPolicyStmt' in node) return alterPolicy(ddl, node.AlterPolicyStmt);
  if ('ViewStmt' in node) return createView(ddl, node.ViewStmt);
  if ('CreateFunctionStmt' in node) return createFunction(ddl, node.CreateFunctionStmt);
  if ('AlterFunctionStmt' in node) return alterFunction(ddl, node.AlterFunctionStmt);
  if ('CreateTrigStmt' in node) return createTrigger(ddl, node.CreateTrigStmt);
  if ('RuleStmt' in node)
    return [
      {
        do: 'create rule',
        table: objectName(node.RuleStmt.relation),
        name: node.RuleStmt.rulename ?? '',
        ...((node.RuleStmt.instead ?? false) && !node.RuleStmt.actions?.length ? { idle: true as const } : {}),
      },
    ];
  if ('AlterPublicationStmt' in node) return alterPublication(ddl, node.AlterPublicationStmt);
  if ('DropStmt' in node) return drop(ddl, node.DropStmt);
  if ('RenameStmt' in node) return rename(ddl, node.RenameStmt);
  if ('AlterObjectSchemaStmt' in node) return setSchema(ddl, node.AlterObjectSchemaStmt);
  if ('AlterOwnerStmt' in node) return owner(ddl, node.AlterOwnerStmt);
  if ('CreatePublicationStmt' in node) return createPublication(ddl, node.CreatePublicationStmt);
  return roleStatement(ddl, node) ?? otherStatement(ddl, node);
}

function roleStatement(ddl: Ddl, node: Node): Outcome | undefined {
  if ('CreateRoleStmt' in node) return roles.createRole(ddl, node.CreateRoleStmt);
  if ('AlterRoleStmt' in node) return roles.alterRole(ddl, node.AlterRoleStmt);
  if ('AlterRoleSetStmt' in node) return roles.alterRoleSet(ddl, node.AlterRoleSetStmt);
  if ('AlterDatabaseSetStmt' in node) return roles.alterDatabaseSet(ddl, node.AlterDatabaseSetStmt);
  if ('DropRoleStmt' in node) return roles.dropRole(ddl, node.DropRoleStmt);
  if ('GrantStmt' in node) return roles.grant(ddl, node.GrantStmt);
  if ('GrantRoleStmt' in node) return roles.grantRole(ddl, node.GrantRoleStmt);
  if ('AlterDefaultPrivilegesStmt' in node) return roles.defaultPrivileges(ddl, node.AlterDefaultPrivilegesStmt);
  return undefined;
}

function otherStatement(ddl: Ddl, node: Node): Outcome | undefined {
  if ('VariableSetStmt' in node) return setVariable(node.VariableSetStmt);
  if ('CreateExtensionStmt' in node) return [{ do: 'create extension', name: node.CreateExtensionStmt.extname ?? '' }];
  if ('CreateSchemaStmt' in node) return createSchema(ddl, node.CreateSchemaStmt);
  if ('CreateEnumStmt' in node) {
    return [
      {
        do: 'create type',
        name: nameOf(strings(node.CreateEnumStmt.typeName)),
        type: 'enum',
        labels: strings(node.CreateEnumStmt.vals),
      },
    ];
  }
  if ('CreateDomainStmt' in node) {
    const { domainname, typeName } = node.CreateDomainStmt;
    return [{ do: 'create type', name: nameOf(strings(domainname)), type: 'domain', base: printType(typeName) }];
  }
  if ('CompositeTypeStmt' in node)
    return [{ do: 'create type', name: objectName(node.CompositeTypeStmt.typevar), type: 'composite' }];
  if ('CreateRangeStmt' in node)
    return [{ do: 'create type', name: nameOf(strings(node.CreateRangeStmt.typeName)), type: 'range' }];
  if ('DefineStmt' in node && node.DefineStmt.kind === 'OBJECT_TYPE') {
    return [{ do: 'create type', name: nameOf(strings(node.DefineStmt.defnames)), type: 'base' }];
  }
  return undefined;
}

/** CREATE SCHEMA may carry its objects along; without a name it is called like its owner. */
function createSchema(ddl: Ddl, node: Extract<Node, { CreateSchemaStmt: unknown }>['CreateSchemaStmt']): Outcome {
  const name = node.schemaname ?? node.authrole?.rolename ?? '';
  const inner = (node.schemaElts ?? []).flatMap((element): readonly SchemaAction[] => {
    const outcome = schemaStatement(ddl, element);
    return outcome === undefined || 'irrelevant' in outcome ? [] : outcome.map((action) => inSchema(action, name));
  });
  const to = node.authrole?.rolename;
  const owned: SchemaAction[] = to === undefined ? [] : [{ do: 'owner', what: 'schema', name: { name }, to }];
  return [{ do: 'create schema', name }, ...owned, ...inner];
}

/** Objects made within CREATE SCHEMA are made in that schema. */
function inSchema(action: SchemaAction, schema: string): SchemaAction {
  if ('table' in action && 'name' in action.table && !('by' in action.table))
    return { ...action, table: { schema, ...action.table } } as SchemaAction;
  if ('view' in action) return { ...action, view: { schema, ...action.view } } as SchemaAction;
  return action;
}
