/** A replacement of a range of a text. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly by: string;
}

/** A text with replacements, and the way back: offsets of the new text to offsets of the old one. */
export interface Edited {
  readonly text: string;
  original(offset: number): number;
}

/** Applies edits that do not overlap. Offsets inside a replacement lead to the start of what it replaced, its end to the end. */
export function applyEdits(text: string, edits: readonly Edit[]): Edited {
  if (edits.length === 0) return { text, original: (offset) => offset };
  const sorted = [...edits].sort((a, b) => a.start - b.start);
  const pieces: { readonly at: number; readonly from: number; readonly length: number; readonly copied: boolean }[] =
    [];
  let result = '';
  let from = 0;
  const copy = (to: number): void => {
    if (to > from) pieces.push({ at: result.length, from, length: to - from, copied: true });
    result += text.slice(from, to);
  };
  for (const edit of sorted) {
    copy(edit.start);
    pieces.push({ at: result.length, from: edit.start, length: edit.by.length, copied: false });
    result += edit.by;
    from = edit.end;
  }
  copy(text.length);
  const original = (offset: number): number => {
    let low = 0;
    let high = pieces.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((pieces[middle]?.at ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    const piece = pieces[low];
    if (!piece) return offset;
    if (piece.copied) return piece.from + Math.min(offset - piece.at, piece.length);
    return offset - piece.at >= piece.length
      ? (sorted.find((e) => e.start === piece.from)?.end ?? piece.from)
      : piece.from;
  };
  return { text: result, original };
}
