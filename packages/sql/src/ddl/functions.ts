import type { AlterFunctionStmt, CreateFunctionStmt, FunctionParameter, Node, ObjectWithArgs } from '@pgsql/types';
import type { FunctionDefinition, SchemaAction, Value } from '@tenant-lint/model';
import { functionBodyScope, lowerExpression, type Parameters } from '../lower/index.js';
import type { ParsedStatement } from '../parser/index.js';
import { sqlBody, type Body } from './body.js';
import { assignedIn, callsIn, raisesIn } from './body-names.js';
import type { Ddl } from './context.js';
import { parseFragment, stringAt } from './fragment.js';
import { nameOf, plainText, strings } from './names.js';
import { settingOf } from './settings.js';
import { plpgsqlBody } from './plpgsql-body.js';
import { printType } from './types.js';

type Parameter = FunctionDefinition['parameters'][number];

const modes: Readonly<Record<string, Parameter['mode']>> = {
  FUNC_PARAM_OUT: 'out',
  FUNC_PARAM_INOUT: 'inout',
  FUNC_PARAM_VARIADIC: 'variadic',
  FUNC_PARAM_TABLE: 'table',
};

export function createFunction(ddl: Ddl, node: CreateFunctionStmt): SchemaAction[] {
  const name = nameOf(strings(node.funcname));
  const nodes = (node.parameters ?? []).flatMap((p) => ('FunctionParameter' in p ? [p.FunctionParameter] : []));
  const parameters = nodes.map((parameter) => parameterOf(ddl, parameter));
  const options = optionsByName(node.options);
  const language = (options.texts.get('language') ?? 'sql').toLowerCase();
  const returns = parameters.some((p) => p.mode === 'table')
    ? 'table'
    : node.is_procedure
      ? ''
      : printType(node.returnType);
  const isTrigger = returns === 'trigger';
  const body = bodyOf(ddl, node, language, returns, options.as, names(name.name, parameters, isTrigger));
  const source = sourceOf(ddl, node, options.as);
  const assigns = isTrigger ? assignedIn(source) : [];
  const definition: FunctionDefinition = {
    name,
    parameters,
    returns: returns === '' ? outType(parameters) : returns,
    language,
    securityDefiner: options.texts.get('security') === 'true',
    volatility: volatilityOf(options.texts) ?? 'volatile',
    leakproof: options.texts.get('leakproof') === 'true',
    strict: options.texts.get('strict') === 'true',
    settings: options.set,
    body: body.value,
    queries: body.queries,
    calls: callsIn(source),
    ...(raisesIn(source) ? { refuses: true as const } : {}),
    ...(assigns.length > 0 ? { assigns } : {}),
    text: ddl.statement.text,
  };
  return [{ do: 'create function', function: definition, replace: node.replace ?? false }];
}

function parameterOf(ddl: Ddl, node: FunctionParameter): Parameter {
  const scope = functionBodyScope(ddl.file, noParameters, ddl.statement);
  return {
    ...(node.name !== undefined ? { name: node.name } : {}),
    type: printType(node.argType),
    mode: modes[node.mode ?? ''] ?? 'in',
    ...(node.defexpr ? { default: lowerExpression(node.defexpr, scope) } : {}),
  };
}

const noParameters: Parameters = { values: new Map(), rows: new Map() };

/** Without RETURNS, the type is that of the one output parameter, or a record of several. */
function outType(parameters: readonly Parameter[]): string {
  const [only, ...more] = parameters.filter((p) => p.mode === 'out' || p.mode === 'inout');
  return only === undefined ? 'void' : more.length > 0 ? 'record' : only.type;
}

/** The input parameters by name and by position, as placeholders: their positions count input parameters only. */
function names(functionName: string, parameters: readonly Parameter[], isTrigger: boolean): Parameters {
  const values = new Map<string, Value>();
  parameters
    .filter((p) => p.mode !== 'out' && p.mode !== 'table')
    .forEach((parameter, i) => {
      if (parameter.name !== undefined) values.set(parameter.name, { kind: 'placeholder', name: String(i + 1) });
    });
  const rows: [string, string][] = isTrigger
    ? [
        ['new', 'new'],
        ['old', 'old'],
      ]
    : [];
  return { function: functionName, values, rows: new Map(rows) };
}

/** The text of the body, and of nothing else where that is known. */
function sourceOf(ddl: Ddl, node: CreateFunctionStmt, as: number | undefined): string {
  if (node.sql_body || as === undefined) return node.sql_body ? ddl.statement.text : '';
  return stringAt(ddl.statement, as)?.text ?? '';
}

/** The types of the input parameters by which a statement names one of several functions; undefined where it names none. */
export function inputsOf(object: ObjectWithArgs | undefined): readonly string[] | undefined {
  if (!object || object.args_unspecified) return undefined;
  const parameters = (object.objfuncargs ?? []).flatMap((p) => ('FunctionParameter' in p ? [p.FunctionParameter] : []));
  if (parameters.length > 0) {
    const inputs = parameters.filter((p) => p.mode !== 'FUNC_PARAM_OUT' && p.mode !== 'FUNC_PARAM_TABLE');
    return inputs.map((p) => printType(p.argType));
  }
  return (object.objargs ?? []).map((type) => ('TypeName' in type ? printType(type.TypeName) : ''));
}

function bodyOf(
  ddl: Ddl,
  node: CreateFunctionStmt,
  language: string,
  returns: string,
  as: number | undefined,
  parameters: Parameters,
): Body {
  const unknown = (reason: string): Body => ({ value: { known: false, reason }, queries: [] });
  if (node.sql_body) return sqlBody(ddl, atomicStatements(ddl.statement, node.sql_body), parameters, returns);
  const text = as === undefined ? undefined : stringAt(ddl.statement, as);
  if (!text) return unknown('no body');
  if (language === 'sql') return sqlBody(ddl, parseFragment(text), parameters, returns);
  if (language === 'plpgsql') return plpgsqlBody(ddl, ddl.statement.text, text, parameters, returns);
  return unknown(`language ${language}`);
}

/** RETURN expression, or the statements of BEGIN ATOMIC. */
function atomicStatements(statement: ParsedStatement, body: Node): ParsedStatement[] {
  if (!('List' in body)) return [{ ...statement, node: body }];
  return (body.List.items ?? []).flatMap((item) => atomicStatements(statement, item));
}

interface Options {
  readonly texts: ReadonlyMap<string, string>;
  readonly set: Readonly<Record<string, string>>;
  readonly reset: readonly string[];
  /** Where the body is written. */
  readonly as?: number;
}

function optionsByName(nodes: readonly Node[] | undefined): Options {
  const texts = new Map<string, string>();
  const set: Record<string, string> = {};
  const reset: string[] = [];
  let as: number | undefined;
  for (const node of nodes ?? []) {
    if (!('DefElem' in node)) continue;
    const { defname = '', arg, location } = node.DefElem;
    if (defname === 'as') as = location ?? 0;
    else if (arg && 'VariableSetStmt' in arg) {
      const { kind, name = '' } = arg.VariableSetStmt;
      const setting = settingOf(arg.VariableSetStmt);
      if (kind === 'VAR_RESET_ALL') reset.push('all');
      else if (kind === 'VAR_RESET' || kind === 'VAR_SET_DEFAULT') reset.push(name);
      else if (kind === 'VAR_SET_CURRENT') set[name] = 'from current';
      else if (setting) set[setting.name] = setting.value;
    } else if (arg) texts.set(defname, plainText(arg));
  }
  return { texts, set, reset, ...(as !== undefined ? { as } : {}) };
}

function volatilityOf(texts: ReadonlyMap<string, string>): FunctionDefinition['volatility'] | undefined {
  const text = texts.get('volatility');
  return text === 'immutable' || text === 'stable' || text === 'volatile' ? text : undefined;
}

export function alterFunction(_: Ddl, node: AlterFunctionStmt): SchemaAction[] {
  const { texts, set, reset } = optionsByName(node.actions);
  const volatility = volatilityOf(texts);
  const flag = (name: string): boolean | undefined => (texts.has(name) ? texts.get(name) === 'true' : undefined);
  const securityDefiner = flag('security');
  const leakproof = flag('leakproof');
  const inputs = inputsOf(node.func);
  return [
    {
      do: 'alter function',
      name: nameOf(strings(node.func?.objname)),
      ...(inputs ? { inputs } : {}),
      ...(securityDefiner !== undefined ? { securityDefiner } : {}),
      ...(volatility ? { volatility } : {}),
      ...(leakproof !== undefined ? { leakproof } : {}),
      ...(Object.keys(set).length > 0 ? { set } : {}),
      ...(reset.length > 0 ? { reset } : {}),
    },
  ];
}
