import type { Edit } from '@tenant-lint/model';

/** Lines compared at most; beyond that what differs is one edit. */
const most = 4000;

/** The edits of whole lines that make one text of another. */
export function lineEdits(file: string, before: string, after: string): Edit[] {
  if (before === after) return [];
  const a = before.match(/[^\n]*\n|[^\n]+$/g) ?? [];
  const b = after.match(/[^\n]*\n|[^\n]+$/g) ?? [];
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
  const [x, y] = [a.slice(head, a.length - tail), b.slice(head, b.length - tail)];
  const edits: Edit[] = [];
  let at = a.slice(0, head).join('').length;
  const put = (removed: readonly string[], text: readonly string[]): void => {
    const end = at + removed.join('').length;
    if (removed.length > 0 || text.length > 0) edits.push({ file, start: at, end, text: text.join('') });
    at = end;
  };
  if (x.length > most || y.length > most) {
    put(x, y);
    return edits;
  }
  // The longest common subsequence, from the back.
  const width = y.length + 1;
  const length = new Uint16Array((x.length + 1) * width);
  for (let i = x.length - 1; i >= 0; i--)
    for (let j = y.length - 1; j >= 0; j--)
      length[i * width + j] =
        x[i] === y[j]
          ? (length[(i + 1) * width + j + 1] ?? 0) + 1
          : Math.max(length[(i + 1) * width + j] ?? 0, length[i * width + j + 1] ?? 0);
  let [i, j] = [0, 0];
  while (i < x.length || j < y.length) {
    const [i0, j0] = [i, j];
    while ((i < x.length || j < y.length) && !(i < x.length && j < y.length && x[i] === y[j]))
      if (j >= y.length || (i < x.length && (length[(i + 1) * width + j] ?? 0) >= (length[i * width + j + 1] ?? 0)))
        i++;
      else j++;
    put(x.slice(i0, i), y.slice(j0, j));
    while (i < x.length && j < y.length && x[i] === y[j]) {
      at += (x[i] ?? '').length;
      i++;
      j++;
    }
  }
  return edits;
}
