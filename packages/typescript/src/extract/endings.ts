import type TS from 'typescript';
import { lookup } from './scope.js';
import type { Extraction } from './state.js';
import { ts } from './typescript.js';

/** Functions of libraries whose declared type is `never`: by module and exported name. */
const neverReturning: Readonly<Record<string, readonly string[]>> = {
  'next/navigation': ['notFound', 'redirect', 'permanentRedirect', 'forbidden', 'unauthorized'],
  '@sveltejs/kit': ['error', 'redirect'],
  'node:process': ['exit', 'abort'],
};

/** Whether the expression is a call after which nothing runs. */
export function neverReturns(x: Extraction, expression: TS.Expression): boolean {
  let node = expression;
  while (ts.isAwaitExpression(node) || ts.isParenthesizedExpression(node)) node = node.expression;
  if (!ts.isCallExpression(node)) return false;
  const callee = node.expression;
  if (ts.isPropertyAccessExpression(callee))
    return (
      ts.isIdentifier(callee.expression) &&
      callee.expression.text === 'process' &&
      ['exit', 'abort'].includes(callee.name.text)
    );
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
