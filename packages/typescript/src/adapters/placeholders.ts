import { propertyOf, type LowerContext, type Span, type TextPart, type Value } from '@tenant-lint/model';

/** Where a placeholder stands in a text. */
export interface Found {
  readonly text: string;
  readonly groups: readonly (string | undefined)[];
  /** What stands before it, in the whole text. */
  readonly before: string;
  readonly span: Span;
}

/**
 * The parts of a statement in which every match of `pattern` is replaced by what `write` makes of it; undefined keeps it. Quoted text is
 * left alone where the driver does so. The statement may be a literal, a template or a concatenation; undefined where it is none.
 */
export function replacePlaceholders(
  statement: Value,
  pattern: RegExp,
  write: (found: Found) => readonly TextPart[] | undefined,
  place: Span,
  context: LowerContext,
): readonly TextPart[] | undefined {
  const parts = textParts(statement, place, context, 0);
  if (!parts) return undefined;
  const out: TextPart[] = [];
  let before = '';
  for (const part of parts) {
    if ('hole' in part) {
      out.push(part);
      before += ' ? ';
      continue;
    }
    let from = 0;
    for (const match of part.text.matchAll(pattern)) {
      const at = part.start + match.index;
      const made = write({
        text: match[0],
        groups: match.slice(1),
        before: before + part.text.slice(0, match.index),
        span: { file: place.file, start: at, end: at + match[0].length },
      });
      if (!made) continue;
      const kept = part.text.slice(from, match.index);
      if (kept) out.push({ text: kept, start: part.start + from, exact: part.exact });
      out.push(...made);
      from = match.index + match[0].length;
    }
    const rest = part.text.slice(from);
    if (rest) out.push({ text: rest, start: part.start + from, exact: part.exact });
    before += part.text;
  }
  return out;
}

function textParts(value: Value, place: Span, context: LowerContext, depth: number): readonly TextPart[] | undefined {
  if (depth > 6) return undefined;
  switch (value.kind) {
    case 'constant':
      return typeof value.value === 'string'
        ? [
            {
              text: value.value,
              start: value.span ? value.span.start + 1 : place.start,
              exact: value.span !== undefined,
            },
          ]
        : undefined;
    case 'text':
      return value.parts.flatMap((part): readonly TextPart[] => {
        if ('text' in part) return [part];
        const resolved = context.resolve(part.hole);
        const inner =
          resolved.kind === 'constant' || resolved.kind === 'text'
            ? textParts(resolved, part.span, context, depth + 1)
            : undefined;
        return inner ?? [part];
      });
    case 'apply':
      return value.function === '+'
        ? value.to.flatMap(
            (v): readonly TextPart[] => textParts(v, place, context, depth + 1) ?? [{ hole: v, span: place }],
          )
        : undefined;
    case 'missing-able':
      return textParts(value.of, place, context, depth + 1);
    default: {
      const resolved = context.resolve(value);
      return resolved === value || resolved.kind === value.kind
        ? undefined
        : textParts(resolved, place, context, depth + 1);
    }
  }
}

/** The n-th of a list of values, as far as it is seen; undefined where the list ends before. */
export function itemOf(list: Value, n: number): Value | undefined {
  if (list.kind !== 'list') return propertyOf(list, String(n));
  const spread = list.of.findIndex((i) => i.spread);
  if (spread >= 0 && spread <= n) return propertyOf(list.of[spread]!.value, '*');
  return list.of[n]?.value;
}
