import type TS from 'typescript';
import { unknownValue, type Entry, type TypeName, type Value } from '@tenant-lint/model';
import { asTyped } from './chains.js';
import { narrowed } from './conditions.js';
import { evaluate, evaluateOr, withoutMissing } from './expressions.js';
import { propertyName } from './literals.js';
import { assign, declare, lookup } from './scope.js';
import type { Extraction } from './state.js';
import { ts } from './typescript.js';
import { inlined, missing, property, surely } from './values.js';

type Target = TS.BindingName | TS.Expression;

/** What a pattern takes apart is there: it throws otherwise. */
const taken = (x: Extraction, value: Value): Value => surely(narrowed(x, value));

/**
 * Gives the names of a pattern their parts of `value`. A default makes a value that may be missing present. Works for declarations and
 * for assignments, whose patterns are object and array literals.
 */
export function bindName(
  x: Extraction,
  target: Target,
  value: Value,
  type?: TypeName,
  initializer?: TS.Expression,
): void {
  if (ts.isIdentifier(target)) bindIdentifier(x, target.text, value, type, initializer);
  else if (ts.isObjectBindingPattern(target)) bindObject(x, target.elements, taken(x, value), type);
  else if (ts.isArrayBindingPattern(target)) {
    target.elements.forEach((element, i) => {
      if (ts.isOmittedExpression(element)) return;
      const item = element.dotDotDotToken ? unknownValue('rest of a list') : property(surely(value), String(i));
      bindName(x, element.name, withDefault(x, item, element.initializer));
    });
  } else if (ts.isObjectLiteralExpression(target)) {
    for (const member of target.properties) {
      if (ts.isShorthandPropertyAssignment(member)) {
        bindIdentifier(
          x,
          member.name.text,
          withDefault(x, property(value, member.name.text), member.objectAssignmentInitializer),
        );
      } else if (ts.isPropertyAssignment(member)) {
        const name = propertyName(x, member.name);
        assignElement(x, member.initializer, property(value, typeof name === 'string' ? name : '*'));
      } else if (ts.isSpreadAssignment(member)) {
        bindName(x, member.expression, { kind: 'object', entries: [{ spread: value }] });
      }
    }
  } else if (ts.isArrayLiteralExpression(target)) {
    target.elements.forEach((element, i) => {
      if (ts.isSpreadElement(element)) bindName(x, element.expression, unknownValue('rest of a list'));
      else if (!ts.isOmittedExpression(element)) assignElement(x, element, property(value, String(i)));
    });
  } else evaluate(x, target);
}

function assignElement(x: Extraction, element: TS.Expression, value: Value): void {
  if (ts.isBinaryExpression(element) && element.operatorToken.kind === ts.SyntaxKind.EqualsToken)
    bindName(x, element.left, withDefault(x, value, element.right));
  else bindName(x, element, value);
}

function bindIdentifier(x: Extraction, name: string, value: Value, type?: TypeName, initializer?: TS.Expression): void {
  const own = x.scope.variables.get(name);
  const variable = own ?? lookup(x.scope, name);
  const held = type?.optional && 'path' in value ? missing(value) : value;
  if (!variable) {
    // An assignment to a global, or a `var` met before its declaration was.
    if (initializer || type) declare(x, name, held).type = type;
    return;
  }
  if (variable.kind === 'symbolic') return;
  if (type) variable.type = type;
  if (variable.kind === 'module' && initializer && isConstAssertion(initializer)) variable.readThrough = true;
  assign(x, variable, held);
}

const isConstAssertion = (node: TS.Expression): boolean =>
  ts.isAsExpression(node) &&
  ts.isTypeReferenceNode(node.type) &&
  ts.isIdentifier(node.type.typeName) &&
  node.type.typeName.text === 'const';

function bindObject(x: Extraction, elements: readonly TS.BindingElement[], value: Value, type?: TypeName): void {
  const names: string[] = [];
  for (const element of elements) {
    if (element.dotDotDotToken) {
      const without = names.map((set): Entry => ({ set, value: { kind: 'undefined' } }));
      bindName(x, element.name, { kind: 'object', entries: [{ spread: inlined(value) }, ...without] });
      continue;
    }
    const key = element.propertyName ?? element.name;
    const name = ts.isIdentifier(key) ? key.text : ts.isPropertyName(key) ? propertyName(x, key) : '*';
    if (typeof name !== 'string') {
      bindName(x, element.name, withDefault(x, property(value, '*'), element.initializer));
      continue;
    }
    names.push(name);
    const partType = type?.properties?.[name];
    let part = asTyped(x, property(value, name));
    if (partType?.optional && 'path' in part) part = missing(part);
    bindName(x, element.name, withDefault(x, narrowed(x, part), element.initializer), partType);
  }
}

/** The value where a default stands beside it. The default itself shows only where the value is surely undefined. */
export function withDefault(x: Extraction, value: Value, initializer: TS.Expression | undefined): Value {
  if (!initializer) return value;
  const fallback = evaluateOr(x, initializer, undefined);
  if (value.kind === 'undefined') return fallback;
  return withoutMissing(value);
}
