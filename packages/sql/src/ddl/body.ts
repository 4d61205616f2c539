import type { Node } from '@pgsql/types';
import { constant, unknownValue, type Access, type Value } from '@tenant-lint/model';
import { functionBodyScope, lowerExpression, lowerStatement, type Parameters } from '../lower/index.js';
import type { ParsedStatement } from '../parser/index.js';
import type { Reading } from './context.js';
import { settingOf } from './settings.js';

export interface Body {
  readonly value: { readonly known: true; readonly value: Value } | { readonly known: false; readonly reason: string };
  readonly queries: readonly Access[];
}

/** A body that is not one expression; the message says why. */
export class NotAnExpression extends Error {}

/** Why a function has no value, whatever its body computes; undefined where it has one. */
export const withoutValue = (returns: string): Body['value'] | undefined =>
  returns === 'trigger' || returns === 'event_trigger' || returns === 'void'
    ? { known: false, reason: `returns ${returns.replace('_', ' ')}` }
    : undefined;

/** The body of a function in SQL: its value is that of its last statement. */
export function sqlBody(
  reading: Reading,
  statements: readonly ParsedStatement[],
  parameters: Parameters,
  returns: string,
): Body {
  const queries = statements.flatMap((statement) => queriesOf(reading, statement, parameters));
  return { queries, value: withoutValue(returns) ?? attempt(() => lastValue(reading, statements, parameters)) };
}

function lastValue(reading: Reading, statements: readonly ParsedStatement[], parameters: Parameters): Value {
  const last = statements.at(-1);
  if (!last) throw new NotAnExpression('empty body');
  if (!last.node) throw new NotAnExpression(last.error?.message ?? 'not parsed');
  if ('ReturnStmt' in last.node) {
    const returned = last.node.ReturnStmt.returnval;
    if (returned) return lowerExpression(returned, functionBodyScope(reading.file, parameters, last));
  }
  return selected(reading, last, parameters);
}

/** What a SELECT of one column computes: the expression itself where there is no FROM, else a scalar sub-query. */
export function selected(reading: Reading, statement: ParsedStatement, parameters: Parameters, column?: number): Value {
  const { node } = statement;
  if (!node || !('SelectStmt' in node)) throw new NotAnExpression('the last statement is not a SELECT');
  const select = node.SelectStmt;
  const targets = select.targetList ?? [];
  const scope = functionBodyScope(reading.file, parameters, statement);
  const chosen = column === undefined ? targets[0] : targets[column];
  if (!select.op || select.op === 'SETOP_NONE') {
    if (!chosen || !('ResTarget' in chosen) || !chosen.ResTarget.val)
      throw new NotAnExpression('a SELECT without columns');
    if (column === undefined && targets.length > 1) throw new NotAnExpression('a SELECT of several columns');
    if (!select.fromClause && !select.whereClause && !select.withClause)
      return lowerExpression(chosen.ResTarget.val, scope);
  }
  const subselect: Node = {
    SelectStmt: column === undefined ? select : { ...select, targetList: chosen ? [chosen] : [] },
  };
  return lowerExpression({ SubLink: { subLinkType: 'EXPR_SUBLINK', subselect, location: -1 } }, scope);
}

export function queriesOf(reading: Reading, statement: ParsedStatement, parameters: Parameters): Access[] {
  const set = setAsCall(reading, statement);
  if (set) return [set];
  const read = lowerStatement(statement, { file: reading.file, id: reading.queryId(), library: 'sql', parameters });
  if (read === undefined) return [];
  if (!('unknown' in read)) return [read];
  const span = { file: reading.file, start: statement.start, end: statement.end };
  reading.unchecked({ reason: `unsupported: ${read.unknown}`, detail: 'in the body of a function', span });
  return [];
}

/** SET in a body does what `select set_config(name, value, is_local)` does, and is written down as that. */
function setAsCall(reading: Reading, { node, start, end }: ParsedStatement): Access | undefined {
  if (!node || !('VariableSetStmt' in node)) return undefined;
  const setting = settingOf(node.VariableSetStmt);
  if (!setting) return undefined;
  const to = [constant(setting.name), constant(setting.value), constant(node.VariableSetStmt.is_local ?? false)];
  return {
    id: reading.queryId(),
    library: 'sql',
    method: 'set',
    operation: 'raw',
    targets: [],
    client: { receiver: unknownValue('SQL text'), kind: 'unknown' },
    span: { file: reading.file, start, end },
    output: [{ name: 'set_config', value: { kind: 'apply', function: 'set_config', to } }],
  };
}

export function attempt(compute: () => Value): Body['value'] {
  try {
    return { known: true, value: compute() };
  } catch (error) {
    if (error instanceof NotAnExpression) return { known: false, reason: error.message };
    throw error;
  }
}
