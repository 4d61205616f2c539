import type TS from 'typescript';
import type { Edit, Span } from '@tenant-lint/model';
import { skipTrivia } from '../extract/positions.js';
import { ts } from '../extract/typescript.js';

/** A file as suggestions are written into it. */
export interface Written {
  readonly file: string;
  readonly text: string;
  readonly source: TS.SourceFile;
}

export const insertion = (file: string, at: number, text: string): Edit => ({ file, start: at, end: at, text });

/** The call that takes exactly this range; undefined where none does. */
export function callAt(
  { source, text }: Written,
  span: Span,
): TS.CallExpression | TS.TaggedTemplateExpression | undefined {
  let found: TS.CallExpression | TS.TaggedTemplateExpression | undefined;
  const visit = (node: TS.Node): void => {
    if (found || node.pos > span.start || node.end < span.end) return;
    const isHere = node.end === span.end && skipTrivia(text, node.pos) === span.start;
    if (isHere && (ts.isCallExpression(node) || ts.isTaggedTemplateExpression(node))) found = node;
    else ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** One call of a chain: `.where(x)`. */
export interface CallOf {
  readonly name: string;
  readonly call: TS.CallExpression | TS.TaggedTemplateExpression;
}

/** The calls of a chain, innermost first: `db.select().from(a)` is select, from. */
export function callsOf(node: TS.Expression): readonly CallOf[] {
  const calls: CallOf[] = [];
  let at: TS.Expression = node;
  for (;;) {
    if (ts.isCallExpression(at) || ts.isTaggedTemplateExpression(at)) {
      const callee: TS.Expression = ts.isCallExpression(at) ? at.expression : at.tag;
      calls.unshift({ name: ts.isPropertyAccessExpression(callee) ? callee.name.text : '', call: at });
      at = callee;
    } else if (
      ts.isPropertyAccessExpression(at) ||
      ts.isElementAccessExpression(at) ||
      ts.isNonNullExpression(at) ||
      ts.isParenthesizedExpression(at) ||
      ts.isAwaitExpression(at)
    )
      at = at.expression;
    else return calls;
  }
}

/** What is left of an expression without parentheses and type assertions. */
export function bareNode(node: TS.Expression): TS.Expression {
  let at = node;
  while (ts.isParenthesizedExpression(at) || ts.isAsExpression(at) || ts.isSatisfiesExpression(at)) at = at.expression;
  return at;
}

/** The property of an object literal by its name. */
export const propertyNamed = (
  object: TS.ObjectLiteralExpression,
  name: string,
): TS.PropertyAssignment | TS.ShorthandPropertyAssignment | undefined =>
  object.properties.find(
    (p): p is TS.PropertyAssignment | TS.ShorthandPropertyAssignment =>
      (ts.isPropertyAssignment(p) || ts.isShorthandPropertyAssignment(p)) &&
      (ts.isIdentifier(p.name) || ts.isStringLiteral(p.name)) &&
      p.name.text === name,
  );

/** One more property at the end of an object literal, in the layout that it has. */
export function withProperty(w: Written, object: TS.ObjectLiteralExpression, property: string): Edit {
  const last = object.properties.at(-1);
  if (!last) return { file: w.file, start: skipTrivia(w.text, object.pos), end: object.end, text: `{ ${property} }` };
  const start = skipTrivia(w.text, last.pos);
  const lineStart = w.text.lastIndexOf('\n', start - 1) + 1;
  const indent = w.text.slice(lineStart, start);
  const separator = /^[ \t]*$/.test(indent) && lineStart > object.pos ? `,\n${indent}` : ', ';
  return insertion(w.file, last.end, `${separator}${property}`);
}

/** `name: expression`, or the name alone where they are the same. */
export const assignment = (name: string, expression: string): string =>
  name === expression ? name : `${/^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name)}: ${expression}`;

/** Edits that import further names from a module that the file imports names from already; undefined where it does not. */
export function imports(w: Written, module: string, names: readonly string[]): readonly Edit[] | undefined {
  for (const statement of w.source.statements) {
    if (!ts.isImportDeclaration(statement) || !ts.isStringLiteral(statement.moduleSpecifier)) continue;
    if (statement.moduleSpecifier.text !== module) continue;
    const bindings = statement.importClause?.namedBindings;
    if (!bindings || !ts.isNamedImports(bindings) || statement.importClause?.phaseModifier !== undefined) continue;
    const there = new Set(bindings.elements.map((e) => (e.propertyName ? '' : e.name.text)));
    const missing = names.filter((name) => !there.has(name));
    const last = bindings.elements.at(-1);
    if (missing.length === 0) return [];
    return last ? [insertion(w.file, last.end, missing.map((name) => `, ${name}`).join(''))] : undefined;
  }
  return undefined;
}
