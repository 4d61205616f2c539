import type { Node, SelectStmt } from '@pgsql/types';
import { callsIn } from './body-names.js';
import { queriesOf } from './body.js';
import type { Ddl, Outcome } from './context.js';
import { parseFragment, stringAt } from './fragment.js';
import { plainText, strings } from './names.js';

/**
 * `SELECT cron.schedule(...)` of pg_cron and nothing else: with the name of the job or without; `schedule_in_database` names a database and
 * a role as well. Undefined: something else. https://github.com/citusdata/pg_cron
 */
export function scheduledJob(ddl: Ddl, node: SelectStmt): Outcome | undefined {
  const [only, ...more] = node.targetList ?? [];
  if (node.fromClause || more.length > 0 || !only || !('ResTarget' in only)) return undefined;
  const call = only.ResTarget.val;
  if (!call || !('FuncCall' in call)) return undefined;
  const [schema, name] = strings(call.FuncCall.funcname);
  if (schema !== 'cron') return undefined;
  const args = (call.FuncCall.args ?? []).map(bare);
  const [first] = args;
  if (name === 'unschedule')
    return first && isText(first) ? [{ do: 'unschedule job', name: plainText(first) }] : undefined;
  if (name !== 'schedule' && name !== 'schedule_in_database') return undefined;
  const named = name === 'schedule_in_database' || args.length > 2;
  const command = args[named ? 2 : 1];
  const jobName = named && first && isText(first) ? plainText(first) : undefined;
  const base = { do: 'schedule job' as const, ...(jobName !== undefined ? { name: jobName } : {}) };
  const written = command && isText(command) ? plainText(command) : undefined;
  const found = command && 'A_Const' in command ? stringAt(ddl.statement, command.A_Const.location) : undefined;
  // Inside of a block the place is only that of the statement.
  const text =
    found?.text === written
      ? found
      : written === undefined
        ? undefined
        : { text: written, at: () => ddl.statement.start };
  if (!text) {
    ddl.unchecked({
      reason: 'unsupported: a scheduled job whose statement is computed',
      span: { file: ddl.file, start: ddl.statement.start, end: ddl.statement.end },
    });
    return [{ ...base, queries: [], calls: [] }];
  }
  const queries = parseFragment(text).flatMap((statement) =>
    queriesOf(ddl, statement, { values: new Map(), rows: new Map() }),
  );
  const role = name === 'schedule_in_database' ? args[4] : undefined;
  return [{ ...base, queries, calls: callsIn(text.text), ...(role && isText(role) ? { role: plainText(role) } : {}) }];
}

const bare = (node: Node): Node => {
  if ('NamedArgExpr' in node && node.NamedArgExpr.arg) return bare(node.NamedArgExpr.arg);
  return 'TypeCast' in node && node.TypeCast.arg ? bare(node.TypeCast.arg) : node;
};

const isText = (node: Node): boolean => 'A_Const' in node && node.A_Const.sval !== undefined;
