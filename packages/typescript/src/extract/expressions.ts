import type TS from 'typescript';
import { constant, unknownValue, type CallChain, type Value } from '@tenant-lint/model';
import { assignTo } from './assignments.js';
import { operand } from './branches.js';
import { walkChain } from './chains.js';
import { walkClass } from './classes.js';
import { narrowed, truthOf } from './conditions.js';
import { evaluateConcatenation } from './concatenation.js';
import { walkFunction, type Handed } from './functions.js';
import { evaluateJsx } from './jsx.js';
import { evaluateList, evaluateObject, evaluateTemplate } from './literals.js';
import { join, lookup } from './scope.js';
import { spanOf, textOf, type Extraction } from './state.js';
import { ts } from './typescript.js';
import { inlined, valueOfVariable } from './values.js';

export type Use = CallChain['use'];
type Evaluator = (x: Extraction, node: never, use: Use, awaited: boolean) => Value;

let evaluators: (Evaluator | undefined)[] | undefined;

/**
 * What the expression is, as a value; every chain and function in it is recorded on the way, so an expression is walked exactly once.
 * `use` and `awaited` describe what becomes of the value.
 */
export function evaluate(x: Extraction, node: TS.Expression, use: Use = 'other', awaited = false): Value {
  evaluators ??= table();
  const evaluator = evaluators[node.kind];
  if (evaluator) return evaluator(x, node as never, use, awaited);
  ts.forEachChild(node, (child) => {
    if (evaluators?.[child.kind]) evaluate(x, child as TS.Expression);
  });
  return unknownValue('expression not understood');
}

/** An expression that may be a function or class to which its context gives a name or a taker. */
export function evaluateOr(
  x: Extraction,
  node: TS.Expression,
  name: string | undefined,
  use: Use = 'other',
  handed?: Handed,
  awaited = false,
): Value {
  const K = ts.SyntaxKind;
  switch (node.kind) {
    case K.ArrowFunction:
    case K.FunctionExpression: {
      const id = walkFunction(x, node as TS.ArrowFunction | TS.FunctionExpression, {
        ...(name === undefined ? {} : { name }),
        ...(handed ? { handed } : {}),
      });
      return { kind: 'function', function: id };
    }
    case K.ObjectLiteralExpression:
      return evaluateObject(x, node as TS.ObjectLiteralExpression, handed);
    case K.ArrayLiteralExpression:
      // The calls listed in Promise.all([...]) are arguments of it.
      return evaluateList(x, node as TS.ArrayLiteralExpression, handed, awaited, use === 'argument' ? use : 'other');
    case K.ClassExpression:
      return walkClass(x, node as TS.ClassExpression, (node as TS.ClassExpression).name?.text ?? name ?? 'class');
    case K.ParenthesizedExpression:
    case K.AsExpression:
    case K.SatisfiesExpression:
      return evaluateOr(x, (node as TS.ParenthesizedExpression).expression, name, use, handed, awaited);
    default:
      return evaluate(x, node, use, awaited);
  }
}

/** What a name means here. */
export function evaluateName(x: Extraction, name: string): Value {
  const variable = lookup(x.scope, name);
  if (!variable) {
    if (name === 'undefined') return { kind: 'undefined' };
    // `exports.get(id)` in the module that says `exports.get = ...`.
    return name === 'exports'
      ? { kind: 'binding', file: x.file, name: 'module.exports', path: [] }
      : { kind: 'global', name, path: [] };
  }
  if (variable.kind === 'symbolic') return variable.value;
  if (variable.kind === 'module') return narrowed(x, { kind: 'binding', file: x.file, name, path: [] });
  return narrowed(x, inlined(valueOfVariable(variable)));
}

/** Both arms of a condition, each walked as a block of its own if it calls anything. */
function arms(
  x: Extraction,
  condition: Value,
  first: TS.Expression,
  second: TS.Expression,
  use: Use,
  awaited: boolean,
): Value {
  let one: Value = { kind: 'undefined' };
  let other: Value = one;
  const then = operand(x, condition, true, first, () => {
    one = evaluate(x, first, use, awaited);
  });
  const otherwise = operand(x, condition, false, second, () => {
    other = evaluate(x, second, use, awaited);
  });
  join(x, [then, otherwise], condition);
  const decided = truthOf(x, condition);
  if (decided !== undefined) return decided ? one : other;
  return { kind: 'choice', of: [one, other], test: condition };
}

function evaluateBinary(x: Extraction, node: TS.BinaryExpression, use: Use, awaited: boolean): Value {
  const K = ts.SyntaxKind;
  const operator = node.operatorToken.kind;
  if (operator === K.PlusToken) return evaluateConcatenation(x, node);
  if (operator >= K.FirstAssignment && operator <= K.LastAssignment) return assignTo(x, node, use);
  if (operator === K.CommaToken) {
    evaluate(x, node.left, 'discarded');
    return evaluate(x, node.right, use, awaited);
  }
  const left = evaluate(
    x,
    node.left,
    operator === K.BarBarToken || operator === K.QuestionQuestionToken ? use : 'other',
    awaited,
  );
  const token = ts.tokenToString(operator) ?? 'operator';
  let right: Value = { kind: 'undefined' };
  const run = (): void => {
    right = evaluate(
      x,
      node.right,
      use === 'discarded' || use === 'returned' || use === 'assigned' ? use : 'other',
      awaited,
    );
  };
  if (operator === K.AmpersandAmpersandToken || operator === K.BarBarToken) {
    join(x, [operand(x, left, operator === K.AmpersandAmpersandToken, node.right, run), []]);
  } else if (operator === K.QuestionQuestionToken) {
    const missing: Value = { kind: 'apply', function: '==', to: [left, constant(null)] };
    join(x, [operand(x, missing, true, node.right, run), []]);
  } else {
    right = evaluate(x, node.right);
  }
  // What stands in for a missing value is a place of its own: the value may be used far from it.
  const isFallback = operator === K.BarBarToken || operator === K.QuestionQuestionToken;
  return { kind: 'apply', function: token, to: [left, right], ...(isFallback ? { span: spanOf(x, node) } : {}) };
}

/** A string that may be a language of its own (SQL) keeps its place. */
function stringConstant(x: Extraction, node: TS.StringLiteral): Value {
  const { text } = node;
  return text.length > 7 && text.includes(' ')
    ? { kind: 'constant', value: text, span: spanOf(x, node) }
    : constant(text);
}

const transparent: Evaluator = (x, node: TS.ParenthesizedExpression, use, awaited) =>
  evaluate(x, node.expression, use, awaited);
const functionLiteral: Evaluator = (x, node: TS.ArrowFunction | TS.FunctionExpression) =>
  evaluateOr(x, node, undefined);

function evaluateUnary(x: Extraction, node: TS.PrefixUnaryExpression | TS.PostfixUnaryExpression): Value {
  const token = ts.tokenToString(node.operator) ?? 'operator';
  const on = evaluate(x, node.operand);
  if (token === '++' || token === '--') {
    if (ts.isIdentifier(node.operand)) {
      const variable = lookup(x.scope, node.operand.text);
      if (variable) {
        const value: Value = { kind: 'apply', function: token, to: [on] };
        x.trail.push({ variable, value: variable.value, added: variable.added });
        variable.value = inlined(value);
      }
    }
    return on;
  }
  if (on.kind === 'constant') {
    if (token === '-' && typeof on.value === 'number') return constant(-on.value);
    if (token === '!') return constant(!on.value);
    if (token === '+' && typeof on.value === 'number') return on;
  }
  return { kind: 'apply', function: token, to: [on] };
}

function evaluateNew(x: Extraction, node: TS.NewExpression): Value {
  const of = evaluate(x, node.expression);
  const place = spanOf(x, node);
  const list = node.arguments?.map((argument) =>
    ts.isSpreadElement(argument)
      ? spreadArgument(evaluate(x, argument.expression))
      : evaluateOr(x, argument, undefined, 'argument'),
  );
  return { kind: 'instance', of, arguments: list ?? [], span: place };
}

export const spreadArgument = (value: Value): Value => ({ kind: 'apply', function: '...', to: [value] });

function receiverOfClass(x: Extraction, name: string, path: string[]): Value {
  if (x.thisClass === undefined) return { kind: 'global', name, path: [] };
  return { kind: 'this', from: x.file, class: x.thisClass, path };
}

const operation =
  (name: string): Evaluator =>
  (x, node: TS.TypeOfExpression) => ({ kind: 'apply', function: name, to: [evaluate(x, node.expression)] });

function table(): (Evaluator | undefined)[] {
  const K = ts.SyntaxKind;
  const of: (Evaluator | undefined)[] = [];
  const chain: Evaluator = (x, node: TS.Expression, use, awaited) => walkChain(x, node, use, awaited);
  const jsx: Evaluator = evaluateJsx;
  const set = (kind: TS.SyntaxKind, evaluator: Evaluator): void => {
    of[kind] = evaluator;
  };
  set(K.Identifier, (x, node: TS.Identifier) => evaluateName(x, node.text));
  set(K.StringLiteral, stringConstant);
  set(K.NumericLiteral, (_x, node: TS.NumericLiteral) => constant(Number(node.text)));
  set(K.BigIntLiteral, (_x, node: TS.BigIntLiteral) => constant(node.text));
  set(K.TrueKeyword, () => constant(true));
  set(K.FalseKeyword, () => constant(false));
  set(K.NullKeyword, () => constant(null));
  set(K.RegularExpressionLiteral, (x, node: TS.Node) => ({
    kind: 'apply',
    function: 'regexp',
    to: [constant(textOf(x, node, 200))],
  }));
  set(K.NoSubstitutionTemplateLiteral, evaluateTemplate);
  set(K.TemplateExpression, evaluateTemplate);
  for (const kind of [
    K.PropertyAccessExpression,
    K.ElementAccessExpression,
    K.CallExpression,
    K.TaggedTemplateExpression,
  ])
    set(kind, chain);
  for (const kind of [
    K.ParenthesizedExpression,
    K.AsExpression,
    K.SatisfiesExpression,
    K.TypeAssertionExpression,
    K.ExpressionWithTypeArguments,
  ])
    set(kind, transparent);
  set(K.NonNullExpression, (x, node: TS.NonNullExpression, use, awaited) =>
    withoutMissing(evaluate(x, node.expression, use, awaited)),
  );
  set(K.AwaitExpression, (x, node: TS.AwaitExpression, use) => evaluate(x, node.expression, use, true));
  set(K.ObjectLiteralExpression, (x, node: TS.ObjectLiteralExpression) => evaluateObject(x, node));
  set(K.ArrayLiteralExpression, (x, node: TS.ArrayLiteralExpression) => evaluateList(x, node));
  set(K.ArrowFunction, functionLiteral);
  set(K.FunctionExpression, functionLiteral);
  set(K.ClassExpression, functionLiteral);
  set(K.BinaryExpression, evaluateBinary);
  set(K.ConditionalExpression, (x, node: TS.ConditionalExpression, use, awaited) =>
    arms(x, evaluate(x, node.condition), node.whenTrue, node.whenFalse, use, awaited),
  );
  set(K.PrefixUnaryExpression, evaluateUnary);
  set(K.PostfixUnaryExpression, evaluateUnary);
  set(K.NewExpression, evaluateNew);
  set(K.ThisKeyword, (x) => receiverOfClass(x, 'this', []));
  set(K.SuperKeyword, (x) => receiverOfClass(x, 'super', ['super']));
  set(K.TypeOfExpression, operation('typeof'));
  set(K.VoidExpression, (x, node: TS.VoidExpression) => {
    evaluate(x, node.expression, 'discarded');
    return { kind: 'undefined' };
  });
  set(K.DeleteExpression, operation('delete'));
  set(K.YieldExpression, (x, node: TS.YieldExpression) => {
    if (node.expression) evaluate(x, node.expression, 'returned');
    return unknownValue('yield');
  });
  set(K.MetaProperty, (x, node: TS.Node) => ({ kind: 'global', name: textOf(x, node, 20), path: [] }));
  set(K.JsxElement, jsx);
  set(K.JsxSelfClosingElement, jsx);
  set(K.JsxFragment, jsx);
  set(K.OmittedExpression, () => ({ kind: 'undefined' }));
  set(K.SpreadElement, (x, node: TS.SpreadElement) => spreadArgument(evaluate(x, node.expression)));
  set(K.ImportKeyword, () => ({ kind: 'global', name: 'import', path: [] }));
  return of;
}

export const withoutMissing = (value: Value): Value => (value.kind === 'missing-able' ? value.of : value);
