import ts from 'typescript';
import type { Span } from '@tenant-lint/model';

/** What a condition is in the text of its file. */
export type Place =
  /** A property of an object: `{ tenantId }`, `{ tenantId: x }`. */
  | {
      readonly kind: 'property';
      readonly node: ts.PropertyAssignment | ts.ShorthandPropertyAssignment;
      readonly object: ts.ObjectLiteralExpression;
    }
  /** A step of a chain: `.where('tenant_id', x)`, from its dot. */
  | { readonly kind: 'step'; readonly call: ts.CallExpression; readonly name: string; readonly dot: number }
  /** A call that makes a condition: `eq(docs.tenantId, x)`, `eb('tenant_id', '=', x)`. */
  | { readonly kind: 'call'; readonly call: ts.CallExpression; readonly name: string }
  /** A comparison in SQL text, from and to. */
  | { readonly kind: 'sql'; readonly start: number; readonly end: number }
  | { readonly kind: 'other'; readonly text: string };

export const parse = (file: string, text: string): ts.SourceFile =>
  ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);

export function placeOf(source: ts.SourceFile, { start, end }: Span): Place {
  const text = source.text;
  const path = nodesAt(source, start);
  const literal = path.find((n) => isText(n) && n.getStart() < start);
  if (literal) return { kind: 'sql', start, end: text[end] === '}' ? end + 1 : end };
  for (const node of path) {
    if (ts.isCallExpression(node) && node.end === end) {
      const { expression } = node;
      if (ts.isPropertyAccessExpression(expression) && expression.name.getStart() === start)
        return { kind: 'step', call: node, name: expression.name.text, dot: dotBefore(text, start) };
      if (expression.end === start || expression.getStart() === start || ts.isIdentifier(expression))
        return { kind: 'call', call: node, name: expression.getText() };
    }
    if ((ts.isPropertyAssignment(node) || ts.isShorthandPropertyAssignment(node)) && node.getStart() >= start - 1) {
      if (ts.isObjectLiteralExpression(node.parent)) return { kind: 'property', node, object: node.parent };
    }
  }
  const property = path.find((n) => ts.isPropertyAssignment(n) || ts.isShorthandPropertyAssignment(n));
  if (property && ts.isObjectLiteralExpression(property.parent) && property.end === end)
    return { kind: 'property', node: property as ts.PropertyAssignment, object: property.parent };
  return { kind: 'other', text: text.slice(start, end) };
}

/** The nodes that hold a position, the innermost first. */
function nodesAt(source: ts.SourceFile, position: number): ts.Node[] {
  const path: ts.Node[] = [];
  const visit = (node: ts.Node): void => {
    if (node.getStart() > position || node.end <= position) return;
    path.unshift(node);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return path;
}

const isText = (node: ts.Node): boolean =>
  ts.isStringLiteral(node) ||
  ts.isNoSubstitutionTemplateLiteral(node) ||
  ts.isTemplateExpression(node) ||
  ts.isTemplateHead(node) ||
  ts.isTemplateMiddleOrTemplateTail(node);

const dotBefore = (text: string, at: number): number => text.lastIndexOf('.', at - 1);
