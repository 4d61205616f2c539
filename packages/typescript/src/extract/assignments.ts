import type TS from 'typescript';
import { unknownValue, type Value } from '@tenant-lint/model';
import { branch } from './branches.js';
import { concatenated } from './concatenation.js';
import { evaluate, evaluateOr, type Use } from './expressions.js';
import { commonJsExport } from './modules.js';
import { bindName } from './patterns.js';
import { assign, join, lookup } from './scope.js';
import { spanOf, startOf, type Extraction, type Variable } from './state.js';
import { ts } from './typescript.js';
import { inlined, withEntry } from './values.js';

/** An assignment of any kind. Its value is the assigned one. */
export function assignTo(x: Extraction, node: TS.BinaryExpression, use: Use): Value {
  const K = ts.SyntaxKind;
  const { left, right } = node;
  const operator = node.operatorToken.kind;
  const kept: Use = use === 'returned' ? use : 'assigned';
  if (operator === K.EqualsToken) {
    const name = ts.isIdentifier(left) ? left.text : ts.isPropertyAccessExpression(left) ? left.name.text : undefined;
    const value = evaluateOr(x, right, name, kept);
    store(x, left, value);
    return value;
  }
  const before = evaluate(x, left);
  let value: Value;
  if (operator === K.PlusEqualsToken) {
    value = concatenated(x, [left, right], [before, evaluate(x, right)], node);
  } else if (
    operator === K.BarBarEqualsToken ||
    operator === K.QuestionQuestionEqualsToken ||
    operator === K.AmpersandAmpersandEqualsToken
  ) {
    const token = operator === K.BarBarEqualsToken ? '||' : operator === K.QuestionQuestionEqualsToken ? '??' : '&&';
    let given: Value = { kind: 'undefined' };
    const way = branch(x, token === '??' ? undefined : before, token === '&&', 'branch', startOf(x, right), () => {
      given = evaluate(x, right, kept);
    });
    join(x, [way.changes, []]);
    value = { kind: 'apply', function: token, to: [before, given] };
  } else {
    value = {
      kind: 'apply',
      function: (ts.tokenToString(operator) ?? '=').replace(/=$/, ''),
      to: [before, evaluate(x, right)],
    };
  }
  store(x, left, inlined(value));
  return value;
}

function store(x: Extraction, target: TS.Expression, value: Value): void {
  if (ts.isIdentifier(target)) keep(x, target, [], target, value);
  if (ts.isIdentifier(target) || ts.isObjectLiteralExpression(target) || ts.isArrayLiteralExpression(target)) {
    bindName(x, target, value);
    return;
  }
  if (ts.isParenthesizedExpression(target) || ts.isAsExpression(target) || ts.isNonNullExpression(target)) {
    store(x, target.expression, value);
    return;
  }
  const path: string[] = [];
  let at: TS.Expression = target;
  for (;;) {
    if (ts.isPropertyAccessExpression(at)) path.push(at.name.text);
    else if (ts.isElementAccessExpression(at)) {
      const key = evaluate(x, at.argumentExpression);
      path.push(key.kind === 'constant' && key.value !== null ? String(key.value) : '*');
    } else if (!ts.isNonNullExpression(at) && !ts.isParenthesizedExpression(at) && !ts.isAsExpression(at)) break;
    at = at.expression;
  }
  path.reverse();
  const [first] = path;
  keep(x, at, path, target, value);
  if (at.kind === ts.SyntaxKind.ThisKeyword && first !== undefined && path.length === 1) {
    storeField(x, first, value);
    return;
  }
  if (!ts.isIdentifier(at)) {
    evaluate(x, at);
    return;
  }
  const variable = lookup(x.scope, at.text);
  if (!variable) {
    commonJsExport(x, at.text, path, value);
    return;
  }
  if (variable.kind !== 'symbolic') storeProperty(x, variable, path, value);
}

/** Notes an assignment to a variable of the module, a static field, or a field outside of the constructor. */
function keep(x: Extraction, root: TS.Expression, path: readonly string[], target: TS.Node, value: Value): void {
  const { facts } = x.fn;
  if (facts.parent === undefined) return;
  const common = { path, value: inlined(value), function: facts.id, span: spanOf(x, target) };
  if (root.kind === ts.SyntaxKind.ThisKeyword) {
    const made = x.classes.findLast((c) => c.name === x.thisClass);
    if (made && made.construct !== facts.id) x.kept.push({ ...common, of: 'class', name: made.name });
    return;
  }
  if (!ts.isIdentifier(root)) return;
  const variable = lookup(x.scope, root.text);
  if (variable?.kind === 'module') x.kept.push({ ...common, of: 'binding', name: variable.name });
  else if (variable?.value.kind === 'parameter' && variable.value.path.length === 0 && path.length > 0)
    x.kept.push({ ...common, of: 'parameter', name: variable.name });
  else if (variable?.kind === 'symbolic' && path.length > 0 && x.classes.some((c) => c.name === root.text))
    x.kept.push({ ...common, of: 'class', name: root.text });
}

/** `variable.path = value`: an entry more in an object literal, or beside what the variable holds. */
function storeProperty(x: Extraction, variable: Variable, path: readonly string[], value: Value): void {
  if (variable.value.kind === 'object' && !variable.added) {
    const entries = withEntry(variable.value.entries, path, value);
    assign(x, variable, entries ? { ...variable.value, entries } : unknownValue('too large'));
    return;
  }
  if (variable.value.kind === 'list' || variable.value.kind === 'unknown') return;
  const added = withEntry(variable.added ?? [], path, value, variable.value);
  if (added) assign(x, variable, variable.value, added);
  else assign(x, variable, unknownValue('too large'));
}

/** `this.x = ...` of a constructor is the field's value. */
function storeField(x: Extraction, name: string, value: Value): void {
  const made = x.classes.findLast((c) => c.name === x.thisClass);
  if (!made || made.construct !== x.fn.facts.id) return;
  const fields = made.fields as Record<string, (typeof made.fields)[string]>;
  const before = Object.hasOwn(fields, name) ? fields[name] : undefined;
  fields[name] = { ...before, decorators: before?.decorators ?? [], value };
}
