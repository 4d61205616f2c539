import type { Interpolation, Span, Value } from '@tenant-lint/model';

/** A piece of a dynamic statement: text of the program, or a value that becomes text. */
type Piece = string | { readonly value: Value; readonly quoted: boolean };

/**
 * What EXECUTE puts into its statement, from the expression that makes it: `format` with its placeholders and concatenation are
 * understood; anything else is one value of unknown position. `span` is the expression's.
 */
export function dynamicInterpolations(expression: Value, span: Span): Interpolation[] {
  const pieces = piecesOf(expression);
  return pieces.flatMap((piece, index) => {
    if (typeof piece === 'string') return [];
    const before = textOf(pieces.slice(0, index));
    const after = textOf(pieces.slice(index + 1));
    return [
      {
        position: positionOf(before, after),
        value: piece.value,
        quoted: piece.quoted,
        span,
        around: `${before.slice(-40)}?${after.slice(0, 20)}`.trim(),
      },
    ];
  });
}

function piecesOf(value: Value): Piece[] {
  if (value.kind === 'constant') return [String(value.value)];
  if (value.kind !== 'apply') return [{ value, quoted: false }];
  const name = value.function;
  if (name === '||' || name === 'concat') return value.to.flatMap(piecesOf);
  if (name === 'format') return formatted(value.to);
  if (name === 'quote_ident' || name === 'quote_literal' || name === 'quote_nullable') {
    return [{ value: value.to[0] ?? value, quoted: true }];
  }
  if (name.startsWith('cast:')) return value.to.flatMap(piecesOf);
  return [{ value, quoted: false }];
}

/** `format`: %s puts in text as it is, %I an identifier, %L a literal; `%2$I` takes the second argument. */
function formatted([template, ...args]: readonly Value[]): Piece[] {
  if (template?.kind !== 'constant' || typeof template.value !== 'string') {
    return template ? [{ value: template, quoted: false }] : [];
  }
  const pieces: Piece[] = [];
  let next = 0;
  let end = 0;
  for (const match of template.value.matchAll(/%(?:(\d+)\$)?-?\d*([sIL%])/g)) {
    pieces.push(template.value.slice(end, match.index));
    end = match.index + match[0].length;
    if (match[2] === '%') {
      pieces.push('%');
      continue;
    }
    if (match[1] !== undefined) next = Number(match[1]) - 1;
    const value = args[next++];
    // Too few arguments is an error at run time; nothing gets in.
    if (value) pieces.push(...(match[2] === 's' ? piecesOf(value) : [{ value, quoted: true }]));
  }
  pieces.push(template.value.slice(end));
  return pieces;
}

const textOf = (pieces: readonly Piece[]): string => pieces.map((p) => (typeof p === 'string' ? p : '?')).join('');

/** Where in the statement a value stands, by the words around it: the whole cannot be parsed before it is known. */
function positionOf(before: string, after: string): Interpolation['position'] {
  if (/\b(?:schema|search_path\s*(?:to|=))\s+(?:if\s+(?:not\s+)?exists\s+)?"?[\w?]*$/i.test(before)) return 'schema';
  if (/'[^']*$/.test(before.replaceAll("''", ''))) return 'value';
  const named =
    /\b(?:from|join|into|update|table|only|view|on|truncate|call|database|role)\s+(?:if\s+(?:not\s+)?exists\s+)?"?[\w?]*$/i;
  if (named.test(before)) return /^[\w?]*"?\s*\./.test(after) ? 'schema' : 'identifier';
  if (/\.\s*"?[\w?]*$/.test(before)) return 'identifier';
  return 'fragment';
}
