import type TS from 'typescript';
import { hoistImport } from './modules.js';
import type { Extraction } from './state.js';
import { ts } from './typescript.js';

const declaring = /@(?:type|param|arg|argument|typedef|import)\b/;

/** Whether the comments of a file may declare types: those of JavaScript do, those of TypeScript say nothing. */
export const hasTypesInComments = (file: string, code: string): boolean =>
  /\.[cm]?jsx?$/i.test(file) && declaring.test(code);

/**
 * Notes the types that comments declare: `@type` of a variable or field, `@param` of a function, and the names that `@typedef` and `@import`
 * bring in. Asked for before anything else of a file is read.
 */
export function readComments(x: Extraction): void {
  if (!hasTypesInComments(x.file, x.text)) return;
  const visit = (node: TS.Node): void => {
    for (const comment of commentsOf(node)) for (const tag of comment.tags ?? []) readTag(x, node, tag);
    ts.forEachChild(node, visit);
  };
  visit(x.source);
  // At the end of a file, after everything: where type definitions often stand.
  for (const comment of commentsOf(x.source.endOfFileToken))
    for (const tag of comment.tags ?? []) readTag(x, x.source.endOfFileToken, tag);
}

const commentsOf = (node: TS.Node): readonly TS.JSDoc[] => (node as { jsDoc?: readonly TS.JSDoc[] }).jsDoc ?? [];

function readTag(x: Extraction, node: TS.Node, tag: TS.JSDocTag): void {
  if (ts.isJSDocTypeTag(tag)) {
    for (const one of declaredBy(node)) x.commented.set(one, tag.typeExpression.type);
  } else if (ts.isJSDocParameterTag(tag)) {
    const { name, typeExpression } = tag;
    if (!typeExpression || !ts.isIdentifier(name)) return;
    for (const one of declaredBy(node)) {
      const f = functionOf(one);
      const parameter = f?.parameters.find((p) => ts.isIdentifier(p.name) && p.name.text === name.text);
      if (parameter) x.commented.set(parameter, typeExpression.type);
    }
  } else if (ts.isJSDocTypedefTag(tag)) {
    const { name, typeExpression } = tag;
    if (!name || !typeExpression || !ts.isIdentifier(name) || x.types.has(name.text)) return;
    const type = ts.isJSDocTypeExpression(typeExpression) ? typeExpression.type : typeExpression;
    x.types.set(name.text, ts.factory.createTypeAliasDeclaration(undefined, name, undefined, type));
  } else if (ts.isJSDocImportTag(tag)) {
    hoistImport(x, tag);
  }
}

/** What a comment before a statement or member is about. */
function declaredBy(node: TS.Node): readonly TS.Node[] {
  if (ts.isVariableStatement(node)) return node.declarationList.declarations;
  return [node];
}

/** The function that something is, or is given. */
function functionOf(node: TS.Node): TS.SignatureDeclaration | undefined {
  if (ts.isFunctionLike(node)) return node;
  const given =
    ts.isVariableDeclaration(node) || ts.isPropertyDeclaration(node) || ts.isPropertyAssignment(node)
      ? node.initializer
      : ts.isExpressionStatement(node) ||
          ts.isReturnStatement(node) ||
          ts.isExportAssignment(node) ||
          ts.isParenthesizedExpression(node)
        ? node.expression
        : ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.EqualsToken
          ? node.right
          : undefined;
  return given && functionOf(given);
}
