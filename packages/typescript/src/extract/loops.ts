import type TS from 'typescript';
import type { Extraction } from './state.js';
import { ts } from './typescript.js';

const none: ReadonlySet<string> = new Set();

/** Names of variables that a loop assigns (not: whose properties it sets). One walk answers for all loops nested in it. */
export function assignedInLoop(x: Extraction, loop: TS.IterationStatement): ReadonlySet<string> {
  if (!x.loopAssignments.has(loop)) collect(x, loop);
  return x.loopAssignments.get(loop) ?? none;
}

function collect(x: Extraction, outermost: TS.Node): void {
  const open: Set<string>[] = [];
  const note = (target: TS.Node): void => {
    if (ts.isIdentifier(target)) for (const names of open) names.add(target.text);
    else if (ts.isArrayLiteralExpression(target) || ts.isObjectLiteralExpression(target)) ts.forEachChild(target, note);
    else if (ts.isShorthandPropertyAssignment(target)) note(target.name);
    else if (ts.isPropertyAssignment(target)) note(target.initializer);
  };
  const visit = (node: TS.Node): void => {
    if (ts.isBinaryExpression(node)) {
      const { kind } = node.operatorToken;
      if (kind >= ts.SyntaxKind.FirstAssignment && kind <= ts.SyntaxKind.LastAssignment) note(node.left);
    } else if (ts.isPrefixUnaryExpression(node) || ts.isPostfixUnaryExpression(node)) {
      if (node.operator === ts.SyntaxKind.PlusPlusToken || node.operator === ts.SyntaxKind.MinusMinusToken)
        note(node.operand);
    }
    if (ts.isIterationStatement(node, false)) {
      const names = new Set<string>();
      x.loopAssignments.set(node, names);
      open.push(names);
      ts.forEachChild(node, visit);
      open.pop();
    } else ts.forEachChild(node, visit);
  };
  visit(outermost);
}
