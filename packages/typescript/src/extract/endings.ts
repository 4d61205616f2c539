import type TS from 'typescript';
import { constant, type Value } from '@tenant-lint/model';
import { lookup } from './scope.js';
import type { Extraction } from './state.js';
import { ts } from './typescript.js';

/** Functions of libraries whose declared type is `never`: by module and exported name. */
const neverReturning: Readonly<Record<string, readonly string[]>> = {
  'next/navigation': ['notFound', 'redirect', 'permanentRedirect', 'forbidden', 'unauthorized'],
  '@sveltejs/kit': ['error', 'redirect'],
  'node:process': ['exit', 'abort'],
};

/** Functions of libraries that throw unless their first argument is truthy: by module and exported name. */
const asserting: Readonly<Record<string, readonly string[]>> = {
  assert: ['default', '*', 'ok', 'strict'],
  'assert/strict': ['default', '*', 'ok'],
  'node:assert': ['default', '*', 'ok', 'strict'],
  'node:assert/strict': ['default', '*', 'ok'],
  'tiny-invariant': ['default'],
  'ts-invariant': ['invariant', 'default'],
  invariant: ['default', '*'],
};

/** The condition that holds after the expression because the call would have thrown otherwise. `value` is what it evaluated to. */
export function assertedBy(x: Extraction, expression: TS.Expression, value: Value): Value | undefined {
  if (!ts.isCallExpression(expression) || value.kind !== 'result' || value.path.length > 0) return undefined;
  const chain = x.chains[Number(value.chain.slice(value.chain.lastIndexOf('c') + 1))];
  const last = chain?.steps.at(-1);
  if (!chain || chain.steps.length !== 1 || !last?.arguments) return undefined;
  const { receiver } = chain;
  if (receiver.kind === 'import') {
    // `assert.ok(x)` of a default import, or the function itself.
    const names = asserting[receiver.module];
    const called = names?.includes(receiver.name) && (last.name === '' || names.includes(last.name));
    return called ? last.arguments[0] : undefined;
  }
  if (last.name !== '' || !ts.isIdentifier(expression.expression)) return undefined;
  const variable = lookup(x.scope, expression.expression.text);
  const declaration = variable && (x.declarations.get(variable) as TS.FunctionLikeDeclaration | undefined);
  const type = declaration?.type;
  if (!type || !ts.isTypePredicateNode(type) || !type.assertsModifier) return undefined;
  const name = type.parameterName;
  const index = declaration.parameters.findIndex(
    (p) => ts.isIdentifier(p.name) && ts.isIdentifier(name) && p.name.text === name.text,
  );
  const argument = last.arguments[index];
  if (!argument) return undefined;
  return type.type ? { kind: 'apply', function: '!=', to: [argument, constant(null)] } : argument;
}

/** Whether the expression is a call after which nothing runs. */
export function neverReturns(x: Extraction, expression: TS.Expression): boolean {
  let node = expression;
  while (ts.isAwaitExpression(node) || ts.isParenthesizedExpression(node)) node = node.expression;
  if (!ts.isCallExpression(node)) return false;
  const callee = node.expression;
  if (ts.isPropertyAccessExpression(callee)) {
    if (!ts.isIdentifier(callee.expression)) return false;
    if (callee.expression.text === 'process') return ['exit', 'abort'].includes(callee.name.text);
    // Koa: `ctx.throw(403)`.
    const of =
      callee.name.text === 'throw' && node.arguments.length > 0 ? lookup(x.scope, callee.expression.text) : undefined;
    return of?.value.kind === 'parameter';
  }
  if (!ts.isIdentifier(callee)) return false;
  const variable = lookup(x.scope, callee.text);
  if (!variable) return false;
  const { value } = variable;
  if (value.kind === 'import') return neverReturning[value.module]?.includes(value.name) ?? false;
  const declaration = x.declarations.get(variable);
  return declaration !== undefined && alwaysThrows(x, declaration as TS.FunctionLikeDeclaration);
}

/** Whether no call of a function of this file comes back: its type says `never`, or its body has no return and ends in a throw. */
function alwaysThrows(x: Extraction, node: TS.FunctionLikeDeclaration): boolean {
  const answered = x.neverReturns.get(node);
  if (answered !== undefined) return answered;
  // A function that ends by calling itself is not said to throw.
  x.neverReturns.set(node, false);
  const { body, type } = node;
  let answer = type?.kind === ts.SyntaxKind.NeverKeyword;
  if (!answer && body && ts.isBlock(body)) {
    const last = body.statements.at(-1);
    const ends =
      last && (ts.isThrowStatement(last) || (ts.isExpressionStatement(last) && neverReturns(x, last.expression)));
    answer = !!ends && !body.statements.some(returns);
  }
  x.neverReturns.set(node, answer);
  return answer;
}

const returns = (node: TS.Node): boolean => {
  if (ts.isReturnStatement(node)) return true;
  if (ts.isFunctionLike(node) || ts.isClassLike(node)) return false;
  return ts.forEachChild(node, (child) => returns(child) || undefined) ?? false;
};
