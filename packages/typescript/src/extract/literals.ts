import type TS from 'typescript';
import { unknownValue, type Entry, type Item, type TextPart, type Value } from '@tenant-lint/model';
import { evaluate, evaluateOr, type Use } from './expressions.js';
import { walkFunction, type Handed } from './functions.js';
import { spanOf, startOf, type Extraction } from './state.js';
import { ts } from './typescript.js';

/** Where a member of a literal that is handed over is; only for members that can hold a function. */
function inner(handed: Handed | undefined, name: string, node: TS.Expression): Handed | undefined {
  if (!handed || node.kind === ts.SyntaxKind.Identifier || node.kind === ts.SyntaxKind.StringLiteral) return undefined;
  return { ...handed, path: [...handed.path, name] };
}

export function evaluateObject(x: Extraction, node: TS.ObjectLiteralExpression, handed?: Handed): Value {
  const entries: Entry[] = [];
  for (const member of node.properties) {
    if (ts.isSpreadAssignment(member)) {
      entries.push({ spread: evaluate(x, member.expression), span: spanOf(x, member) });
      continue;
    }
    const where = spanOf(x, member);
    if (ts.isShorthandPropertyAssignment(member)) {
      entries.push({ set: member.name.text, value: evaluate(x, member.name), span: where });
      continue;
    }
    const name = propertyName(x, member.name);
    const key = typeof name === 'string' ? name : '*';
    const value: Value = ts.isPropertyAssignment(member)
      ? evaluateOr(
          x,
          member.initializer,
          typeof name === 'string' ? name : undefined,
          'other',
          inner(handed, key, member.initializer),
        )
      : walkMember(
          x,
          member,
          typeof name === 'string' ? name : undefined,
          handed && { ...handed, path: [...handed.path, key] },
        );
    entries.push(typeof name === 'string' ? { set: name, value, span: where } : { computed: name, value, span: where });
  }
  return { kind: 'object', entries, span: spanOf(x, node) };
}

/** A method is a function; what an accessor gives is not known before it is called. */
function walkMember(
  x: Extraction,
  member: TS.MethodDeclaration | TS.AccessorDeclaration,
  name: string | undefined,
  handed: Handed | undefined,
): Value {
  const id = walkFunction(x, member, { ...(name === undefined ? {} : { name }), ...(handed ? { handed } : {}) });
  return ts.isMethodDeclaration(member) ? { kind: 'function', function: id } : unknownValue('accessor');
}

/** The name of a member: text, or the value that is computed for it. */
export function propertyName(x: Extraction, name: TS.PropertyName): string | Value {
  if (!ts.isComputedPropertyName(name)) return name.text;
  const value = evaluate(x, name.expression);
  return value.kind === 'constant' && value.value !== null ? String(value.value) : value;
}

export function evaluateList(
  x: Extraction,
  node: TS.ArrayLiteralExpression,
  handed?: Handed,
  awaited = false,
  use: Use = 'other',
): Value {
  const of: Item[] = node.elements.map((element, i): Item => {
    if (ts.isSpreadElement(element)) return { value: evaluate(x, element.expression), spread: true };
    if (ts.isOmittedExpression(element)) return { value: { kind: 'undefined' } };
    return { value: evaluateOr(x, element, undefined, use, inner(handed, String(i), element), awaited) };
  });
  return { kind: 'list', of, span: spanOf(x, node) };
}

export function textPart(x: Extraction, node: TS.LiteralLikeNode, start: number, rawEnd: number): TextPart {
  return { text: node.text, start, exact: x.text.slice(start, rawEnd) === node.text };
}

/** A template as text; the parts between the holes carry where they are. */
export function evaluateTemplate(x: Extraction, node: TS.TemplateLiteral): Value {
  if (ts.isNoSubstitutionTemplateLiteral(node)) {
    const start = startOf(x, node) + 1;
    return { kind: 'text', parts: [textPart(x, node, start, node.end - 1)], span: spanOf(x, node) };
  }
  const headStart = startOf(x, node.head) + 1;
  const parts: TextPart[] = node.head.text === '' ? [] : [textPart(x, node.head, headStart, node.head.end - 2)];
  node.templateSpans.forEach(({ expression, literal }, i) => {
    parts.push({ hole: evaluate(x, expression), span: spanOf(x, expression) });
    const start = startOf(x, literal) + 1;
    const last = i === node.templateSpans.length - 1;
    if (literal.text !== '') parts.push(textPart(x, literal, start, literal.end - (last ? 1 : 2)));
  });
  return { kind: 'text', parts, span: spanOf(x, node) };
}
