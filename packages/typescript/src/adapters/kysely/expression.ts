import type { Span, Step, Value } from '@tenant-lint/model';
import { literalOf, piece, quotedPath, type Piece } from '../migration/pieces.js';
import { described, type Run } from '../migration/run.js';

/** The SQL of `` sql`...` `` and its relatives: `sql.raw`, `sql.table`, `sql.ref`, `sql.id`, `sql.lit`, `sql.val`, `sql.join`. */
export function expressionSql(receiver: Value, steps: readonly Step[], span: Span, run: Run): readonly Piece[] {
  const own = run.value(receiver);
  const path = 'path' in own ? own.path : [];
  const [step] = steps;
  if (!step?.arguments) return [{ text: '', span, hole: 'an expression' }];
  const [given] = step.arguments;
  if (step.template) return templateSql(given, span, run);
  const kind = step.name === '' ? path.at(-1) : step.name;
  const text = run.text(given);
  switch (kind) {
    case 'raw':
      return run.sql(given, step.span);
    case 'table':
    case 'ref':
      return [text === undefined ? { text: '', span, hole: 'a name' } : piece(quotedPath(text), step.span)];
    case 'id': {
      const parts = step.arguments.map((a) => run.text(a));
      return [
        parts.every((p) => p !== undefined)
          ? piece(quotedPath(parts.join('.')), step.span)
          : { text: '', span, hole: 'a name' },
      ];
    }
    case 'lit':
    case 'val':
    case 'value': {
      const literal = literalOf(run.value(given));
      return [literal === undefined ? { text: '', span, hole: 'a value' } : piece(literal, step.span)];
    }
    default:
      return [{ text: '', span, hole: `sql.${kind ?? ''}` }];
  }
}

/** A template: fragments are put in, everything else is a value. */
function templateSql(text: Value | undefined, span: Span, run: Run): readonly Piece[] {
  if (text?.kind !== 'text') return run.sql(text, span);
  return text.parts.flatMap((p): readonly Piece[] => {
    if ('text' in p) return run.sql({ ...text, parts: [p] }, span);
    return valueSql(p.hole, p.span, run);
  });
}

/** A value where SQL is expected: a literal, or an expression. */
export function valueSql(value: Value | undefined, span: Span, run: Run): readonly Piece[] {
  const found = run.value(value);
  const literal = literalOf(found);
  if (literal !== undefined) return [piece(literal, span)];
  const made = run.made(found);
  const receiver = made?.receiver;
  if (made && receiver?.kind === 'import' && receiver.module === 'kysely')
    return expressionSql(receiver, made.steps, made.span, run);
  return [{ text: '', span, hole: described(found) }];
}
