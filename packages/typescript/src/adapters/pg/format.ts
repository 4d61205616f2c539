import type { LowerContext, Span, TextPart, Value } from '@tenant-lint/model';
import type { Expansion } from '../sql-pieces.js';

/**
 * What calls that make SQL text stand for: `escapeIdentifier(x)` and `escapeLiteral(x)` of node-postgres, and `format('... %I %L %s', ...)`
 * of pg-format. Anything else is a hole like any value.
 */
export function expandCall(hole: Value, context: LowerContext): Expansion | undefined {
  const chain = hole.kind === 'result' && hole.path.length === 0 ? context.chain(hole.chain) : undefined;
  const last = chain?.steps.at(-1);
  if (!chain || !last?.arguments) return undefined;
  const [first, ...rest] = last.arguments;
  if (!first) return undefined;
  const receiver = chain.receiver;
  const name =
    last.name ||
    (receiver.kind === 'import' || receiver.kind === 'binding'
      ? (('path' in receiver ? receiver.path.at(-1) : undefined) ?? receiver.name)
      : receiver.kind === 'global'
        ? receiver.name
        : '');
  const isFormat = receiver.kind === 'import' && receiver.module === 'pg-format';
  if (name === 'escapeIdentifier' || (isFormat && name === 'ident')) return { identifier: first, quoted: true };
  // An escaped literal is a value, as safe as a parameter.
  if (name === 'escapeLiteral' || (isFormat && name === 'literal')) return { bind: first };
  if (
    !isFormat ||
    !(name === 'default' || name === 'format' || name === '*' || last.name === '' || name === 'withArray')
  )
    return undefined;
  const args = name === 'withArray' && rest[0]?.kind === 'list' ? rest[0].of.map((i) => i.value) : rest;
  return formatted(first, args, last.span, context);
}

/** The parts of a format string: text, and a hole for each argument. */
function formatted(
  format: Value,
  args: readonly Value[],
  place: Span,
  context: LowerContext,
): readonly TextPart[] | undefined {
  const resolved = format.kind === 'constant' || format.kind === 'text' ? format : context.resolve(format);
  const pieces: readonly TextPart[] =
    resolved.kind === 'constant'
      ? [{ text: String(resolved.value), start: resolved.span ? resolved.span.start + 1 : place.start, exact: true }]
      : resolved.kind === 'text'
        ? resolved.parts
        : [];
  if (pieces.length === 0) return undefined;
  const parts: TextPart[] = [];
  let next = 0;
  for (const piece of pieces) {
    if ('hole' in piece) {
      parts.push(piece);
      continue;
    }
    let from = 0;
    for (const match of piece.text.matchAll(/%(?:(\d+)\$)?([ILs%])/g)) {
      const before = piece.text.slice(from, match.index);
      if (before) parts.push({ text: before, start: piece.start + from, exact: piece.exact });
      from = match.index + match[0].length;
      if (match[2] === '%') {
        parts.push({ text: '%', start: piece.start + match.index, exact: false });
        continue;
      }
      const index: number = match[1] === undefined ? next++ : Number(match[1]) - 1;
      if (match[1] !== undefined) next = index + 1;
      const value: Value = args[index] ?? { kind: 'undefined' };
      const at = piece.start + match.index;
      const span: Span = { file: place.file, start: at, end: at + match[0].length };
      parts.push({
        hole: match[2] === 's' ? value : { kind: 'apply', function: match[2] === 'I' ? '%I' : '%L', to: [value], span },
        span,
      });
    }
    const after = piece.text.slice(from);
    if (after) parts.push({ text: after, start: piece.start + from, exact: piece.exact });
  }
  return parts;
}

/** A hole of a format string: %I is a quoted name, %L an escaped value. */
export function expandFormatHole(hole: Value): Expansion | undefined {
  if (hole.kind !== 'apply' || (hole.function !== '%I' && hole.function !== '%L')) return undefined;
  const [of] = hole.to;
  if (!of) return undefined;
  return hole.function === '%I' ? { identifier: of, quoted: true } : { bind: of };
}
