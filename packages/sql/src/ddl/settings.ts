import type { Node, SelectStmt, VariableSetStmt } from '@pgsql/types';
import type { SchemaAction } from '@tenant-lint/model';
import type { Outcome } from './context.js';
import { plainText, strings } from './names.js';

/** Name and value of a SET. RESET and TO DEFAULT have the value ''. Undefined for SET TRANSACTION and the like. */
export function settingOf(node: VariableSetStmt | undefined): { name: string; value: string } | undefined {
  if (node?.name === undefined || node.kind === 'VAR_SET_MULTI') return undefined;
  return { name: node.name.toLowerCase(), value: (node.args ?? []).map(plainText).join(', ') };
}

/** SET, RESET, SET LOCAL. */
export function setVariable(node: VariableSetStmt): Outcome {
  if (node.kind === 'VAR_RESET_ALL') return [{ do: 'search path', schemas: [], local: false }];
  const setting = settingOf(node);
  if (!setting) return { irrelevant: 'set' };
  return [variable(setting.name, setting.value, (node.args ?? []).map(plainText), node.is_local ?? false)];
}

/** An empty list of schemas is the default search path for RESET, and no schema at all for ''; both leave names that no schema qualifies. */
function variable(name: string, value: string, schemas: readonly string[], local: boolean): SchemaAction {
  if (name === 'search_path') return { do: 'search path', schemas: schemas.filter((schema) => schema !== ''), local };
  return { do: 'set', name, value, scope: local ? 'local' : 'session' };
}

/** `SELECT set_config(...)` and nothing else: what pg_dump writes instead of SET. */
export function setConfig(node: SelectStmt): Outcome | undefined {
  const [only, ...more] = node.targetList ?? [];
  if (node.fromClause || more.length > 0 || !only || !('ResTarget' in only)) return undefined;
  const call = only.ResTarget.val;
  if (!call || !('FuncCall' in call) || strings(call.FuncCall.funcname).at(-1) !== 'set_config') return undefined;
  const [name, value, local] = call.FuncCall.args ?? [];
  if (!isConstant(name) || !isConstant(value) || !isConstant(local)) return undefined;
  const text = plainText(value);
  const schemas = text.split(',').map((schema) => unquote(schema.trim()));
  return [variable(plainText(name).toLowerCase(), text, schemas, plainText(local) === 'true')];
}

const isConstant = (node: Node | undefined): node is Node => node !== undefined && 'A_Const' in node;

const unquote = (name: string): string =>
  /^".*"$/s.test(name) ? name.slice(1, -1).replaceAll('""', '"') : name.toLowerCase();
