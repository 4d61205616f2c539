import type TS from 'typescript';
import { type TextPart, type Value } from '@tenant-lint/model';
import { evaluate } from './expressions.js';
import { textPart } from './literals.js';
import { spanOf, startOf, type Extraction } from './state.js';
import { ts } from './typescript.js';

/** `a + b + ...`: text if one operand surely is text, otherwise a sum. The left spine is walked in a loop: generated code nests it deeply. */
export function evaluateConcatenation(x: Extraction, node: TS.BinaryExpression): Value {
  const operands: TS.Expression[] = [];
  let at: TS.Expression = node;
  for (;;) {
    if (ts.isBinaryExpression(at) && at.operatorToken.kind === ts.SyntaxKind.PlusToken) {
      operands.push(at.right);
      at = at.left;
    } else break;
  }
  operands.push(at);
  operands.reverse();
  const values = operands.map((operand) => evaluate(x, operand));
  return concatenated(x, operands, values, node);
}

export function concatenated(
  x: Extraction,
  operands: readonly TS.Expression[],
  values: readonly Value[],
  node: TS.Node,
): Value {
  const isText = values.some(
    (value) => value.kind === 'text' || (value.kind === 'constant' && typeof value.value === 'string'),
  );
  if (!isText) return { kind: 'apply', function: '+', to: values };
  const parts: TextPart[] = [];
  values.forEach((value, i) => {
    const operand = operands[i];
    if (operand === undefined) return;
    const literal = withoutParentheses(operand);
    if (ts.isStringLiteral(literal)) {
      const start = startOf(x, literal) + 1;
      if (literal.text !== '') parts.push(textPart(x, literal, start, literal.end - 1));
    } else if (value.kind === 'text') parts.push(...value.parts);
    else if (value.kind === 'constant') {
      if (value.value !== '') parts.push(constantPart(value, startOf(x, operand)));
    } else parts.push({ hole: value, span: spanOf(x, operand) });
  });
  return { kind: 'text', parts, span: spanOf(x, node) };
}

/** The text of a variable stands where its literal does, if that kept its place. */
function constantPart({ value, span }: Extract<Value, { kind: 'constant' }>, otherwise: number): TextPart {
  const text = String(value);
  return span
    ? { text, start: span.start + 1, exact: span.end - span.start === text.length + 2 }
    : { text, start: otherwise, exact: false };
}

function withoutParentheses(node: TS.Expression): TS.Expression {
  let at = node;
  while (ts.isParenthesizedExpression(at)) at = at.expression;
  return at;
}
