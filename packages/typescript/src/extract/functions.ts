import type TS from 'typescript';
import type { Decorator, FunctionFacts, Parameter, Path, TypeName, Value } from '@tenant-lint/model';
import { forget } from './conditions.js';
import { evaluate, evaluateOr } from './expressions.js';
import { hoistNames } from './hoist.js';
import { bindName } from './patterns.js';
import { join, takeChanges } from './scope.js';
import { span, startOf, type Extraction, type FunctionState, type Mutable, type Scope } from './state.js';
import { walkStatements } from './statements.js';
import { ts } from './typescript.js';
import { typeName } from './types.js';
import { bounded } from './values.js';

/** The argument position of a chain that a function literal is handed to. */
export interface Handed {
  readonly chain: string;
  readonly step: number;
  readonly argument: number;
  readonly path: Path;
}

interface Context {
  readonly name?: string;
  readonly handed?: Handed;
  readonly class?: string;
  readonly decorators?: readonly Decorator[];
}

export type FunctionNode =
  | TS.FunctionDeclaration
  | TS.FunctionExpression
  | TS.ArrowFunction
  | TS.MethodDeclaration
  | TS.AccessorDeclaration
  | TS.ConstructorDeclaration
  | TS.ClassStaticBlockDeclaration;

/** The id of a function; handed out on first mention, so that hoisted functions can be named before they are walked. */
export function functionId(x: Extraction, node: TS.Node): string {
  const known = x.functionIds.get(node);
  if (known !== undefined) return known;
  const id = `${x.file}#f${x.functions.length}`;
  x.functionIds.set(node, id);
  x.functions.push(emptyFunction(x, id, startOf(x, node), node.end));
  return id;
}

export const emptyFunction = (
  x: { file: string },
  id: string,
  start: number,
  end: number,
): Extraction['functions'][number] => ({
  id,
  span: { file: x.file, start, end },
  decorators: [],
  parameters: [],
  async: false,
  returns: [],
  blocks: [{ start }],
});

/** Walks a function: its parameters, its body, and what it leaves changed in the variables around it. Returns its id. */
export function walkFunction(x: Extraction, node: FunctionNode, context: Context): string {
  const id = functionId(x, node);
  const facts = x.functions[Number(id.slice(id.lastIndexOf('f') + 1))] as Mutable<FunctionFacts> &
    Extraction['functions'][number];
  if (node.kind !== ts.SyntaxKind.ClassStaticBlockDeclaration && !node.body) return id;
  const outer = x.fn;
  const { scope: outerScope, thisClass } = x;
  facts.parent = outer.facts.id;
  const name = context.name ?? ('name' in node && node.name && ts.isIdentifier(node.name) ? node.name.text : undefined);
  if (name !== undefined) facts.name = name;
  const inClass = context.class ?? (ts.isArrowFunction(node) ? thisClass : undefined);
  if (inClass !== undefined) facts.class = inClass;
  if (context.decorators) facts.decorators = [...context.decorators];
  if (context.handed) facts.handedTo = context.handed;
  facts.async = 'modifiers' in node && !!node.modifiers?.some((m) => m.kind === ts.SyntaxKind.AsyncKeyword);
  x.functionById.set(id, facts);

  // A plain function has a `this` of its own; methods and arrows have that of the class.
  if (context.class !== undefined) x.thisClass = context.class;
  else if (!ts.isArrowFunction(node)) x.thisClass = undefined;
  const scope: Scope = { parent: outerScope, variables: new Map() };
  const state: FunctionState = { facts, scope, block: 0, exit: undefined, breaks: [], throws: [] };
  x.scope = scope;
  x.fn = state;
  const mark = x.trail.length;
  const log = x.presentLog.length;
  // Its own name, for recursion.
  if (ts.isFunctionExpression(node) && node.name)
    scope.variables.set(node.name.text, {
      name: node.name.text,
      kind: 'local',
      value: { kind: 'function', function: id },
    });
  walkParameters(x, node, facts);
  walkBody(x, node, facts);
  forget(x, log);
  // It may run, once or often, later or never.
  const changes = takeChanges(x, mark).filter(({ variable }) => scope.variables.get(variable.name) !== variable);
  x.fn = outer;
  x.scope = outerScope;
  x.thisClass = thisClass;
  if (changes.length > 0) join(x, [changes, []]);
  return id;
}

function walkBody(x: Extraction, node: FunctionNode, facts: Extraction['functions'][number]): void {
  const { body } = node;
  if (!body) return;
  if (ts.isBlock(body)) {
    const [first] = body.statements;
    if (
      first &&
      ts.isExpressionStatement(first) &&
      ts.isStringLiteral(first.expression) &&
      first.expression.text === 'use server'
    )
      x.serverActions.push(facts.id);
    walkStatements(x, body.statements);
    return;
  }
  const value = evaluate(x, body, 'returned');
  facts.returns.push({ value: bounded(value), block: x.fn.block, span: span(x, startOf(x, body), body.end) });
}

function walkParameters(x: Extraction, node: FunctionNode, facts: Extraction['functions'][number]): void {
  if (ts.isClassStaticBlockDeclaration(node)) return;
  const list = node.parameters.filter((p) => !(ts.isIdentifier(p.name) && p.name.text === 'this'));
  for (const parameter of list) hoistNames(x, parameter.name, x.scope);
  const types: (TypeName | undefined)[] = [];
  for (const parameter of list) {
    const made: Mutable<Parameter> = {
      optional: !!parameter.questionToken,
      rest: !!parameter.dotDotDotToken,
      decorators: decoratorsOf(x, parameter),
    };
    if (ts.isIdentifier(parameter.name)) made.name = parameter.name.text;
    const declared = parameter.type ?? x.commented.get(parameter);
    if (declared) {
      const type = typeName(x, declared);
      made.type = parameter.questionToken ? { ...type, optional: true } : type;
    }
    if (parameter.initializer) made.default = bounded(evaluateOr(x, parameter.initializer, undefined));
    types.push(made.type);
    facts.parameters.push(made);
  }
  list.forEach((parameter, index) => {
    const type = types[index];
    const plain: Value = { kind: 'parameter', function: facts.id, index, path: [] };
    const optional = !parameter.initializer && (!!parameter.questionToken || type?.optional === true);
    const value: Value = optional ? { kind: 'missing-able', of: plain, how: 'undefined', certain: true } : plain;
    if (ts.isIdentifier(parameter.name)) {
      const variable = x.scope.variables.get(parameter.name.text);
      if (variable) variable.value = value;
    } else bindName(x, parameter.name, value);
  });
}

/** The decorators before a declaration. */
export function decoratorsOf(x: Extraction, node: TS.Node): Decorator[] {
  const { modifiers } = node as { modifiers?: readonly TS.ModifierLike[] };
  if (!modifiers) return [];
  const decorators: Decorator[] = [];
  for (const modifier of modifiers) {
    if (!ts.isDecorator(modifier)) continue;
    const { expression } = modifier;
    if (ts.isCallExpression(expression)) {
      const name = evaluate(x, expression.expression);
      decorators.push({
        name,
        arguments: expression.arguments.map((argument) => evaluateOr(x, argument, undefined, 'argument')),
      });
    } else decorators.push({ name: evaluate(x, expression), arguments: [] });
  }
  return decorators;
}
