import type TS from 'typescript';
import { constant, unknownValue, type CallChain, type Entry, type Value } from '@tenant-lint/model';
import { evaluate, evaluateOr } from './expressions.js';
import type { Handed } from './functions.js';
import { span, spanOf, textOf, type Extraction, type Mutable } from './state.js';
import { ts } from './typescript.js';
import { bounded } from './values.js';

/**
 * JSX is walked for the calls in it. Where components run on a server, an element is itself a call of its component with one argument:
 * the object of its attributes. What the element evaluates to is not known.
 */
export function evaluateJsx(x: Extraction, root: TS.Node): Value {
  const K = ts.SyntaxKind;
  const visit = (node: TS.Node): void => {
    switch (node.kind) {
      case K.JsxElement: {
        const { openingElement, children } = node as TS.JsxElement;
        visit(openingElement);
        children.forEach(visit);
        return;
      }
      case K.JsxOpeningElement:
      case K.JsxSelfClosingElement: {
        const element = node as TS.JsxOpeningLikeElement;
        const component = componentOf(x, element.tagName);
        if (component) recordElement(x, element, component);
        else ts.forEachChild(element.attributes, visit);
        return;
      }
      case K.JsxFragment:
        (node as TS.JsxFragment).children.forEach(visit);
        return;
      case K.JsxExpression: {
        const { expression } = node as TS.JsxExpression;
        if (expression) evaluate(x, expression);
        return;
      }
      case K.JsxSpreadAttribute:
        evaluate(x, (node as TS.JsxSpreadAttribute).expression);
        return;
      case K.JsxText:
        return;
      default:
        ts.forEachChild(node, visit);
    }
  };
  visit(root);
  return unknownValue('jsx');
}

/** The component that a tag names, if it may be one of the program and runs on the server. */
function componentOf(x: Extraction, tag: TS.JsxTagNameExpression): Value | undefined {
  if (x.isClient) return undefined;
  if (!ts.isPropertyAccessExpression(tag) && !(ts.isIdentifier(tag) && /^[^a-z]/.test(tag.text))) return undefined;
  const value = evaluate(x, tag as TS.Expression);
  return value.kind === 'global' || value.kind === 'unknown' ? undefined : value;
}

function recordElement(x: Extraction, element: TS.JsxOpeningLikeElement, component: Value): void {
  const id = `${x.file}#c${x.chains.length}`;
  const place = spanOf(x, element);
  const props: Entry[] = [];
  const argument: Value = { kind: 'object', entries: props, span: spanOf(x, element.attributes) };
  const steps: Mutable<CallChain['steps'][number]>[] = [{ name: '', span: span(x, element.tagName.end, element.end) }];
  x.chains.push({
    id,
    function: x.fn.facts.id,
    receiver: component,
    steps,
    awaited: false,
    use: 'other',
    block: x.fn.block,
    span: place,
  });
  for (const attribute of element.attributes.properties) {
    if (ts.isJsxSpreadAttribute(attribute)) {
      props.push({ spread: evaluate(x, attribute.expression), span: spanOf(x, attribute) });
      continue;
    }
    const name = textOf(x, attribute.name, 100);
    props.push({
      set: name,
      value: attributeValue(x, attribute, { chain: id, step: 0, argument: 0, path: [name] }),
      span: spanOf(x, attribute),
    });
  }
  for (const step of steps) step.arguments = [bounded(argument)];
}

function attributeValue(x: Extraction, { initializer }: TS.JsxAttribute, handed: Handed): Value {
  if (!initializer) return constant(true);
  if (!ts.isJsxExpression(initializer)) return evaluate(x, initializer);
  return initializer.expression
    ? evaluateOr(x, initializer.expression, undefined, 'argument', handed)
    : { kind: 'undefined' };
}
