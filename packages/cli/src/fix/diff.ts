import type { Edit } from '@tenant-lint/model';

/** Lines around a change. */
const context = 3;

/** A file that is new, as a unified diff that `git apply` and `patch` take. */
export function diffOfNew(file: string, text: string): string {
  const lines = linesOf(text);
  return [
    `diff --git ${named('a/', file)} ${named('b/', file)}`,
    'new file mode 100644',
    '--- /dev/null',
    `+++ ${named('b/', file)}`,
    `@@ -0,0 +1,${lines.length} @@`,
    ...lines.flatMap((l) => marked('+', l)),
    '',
  ].join('\n');
}

/** Edits of a file, which do not overlap, as a unified diff. */
export function diffOfEdits(file: string, before: string, edits: readonly Edit[]): string {
  const lines = linesOf(before);
  const starts: number[] = [];
  let at = 0;
  for (const line of lines) {
    starts.push(at);
    at += line.length;
  }
  const lineAt = (offset: number): number => {
    let i = starts.length - 1;
    while (i > 0 && (starts[i] ?? 0) > offset) i--;
    return Math.max(0, i);
  };
  // Each changed block: lines [from, to) become `after`.
  const blocks: { from: number; to: number; after: string[] }[] = [];
  for (const group of grouped(
    [...edits].sort((a, b) => a.start - b.start),
    lineAt,
  )) {
    const from = lineAt(group[0]?.start ?? 0);
    const to = Math.max(...group.map((e) => lineAt(Math.max(e.start, e.end - 1)))) + 1;
    const base = starts[from] ?? 0;
    const old = lines.slice(from, to).join('');
    const text = [...group]
      .reverse()
      .reduce((t, e) => t.slice(0, e.start - base) + e.text + t.slice(e.end - base), old);
    blocks.push(trimmed({ from, to, after: linesOf(text) }, lines));
  }
  const out = [
    `diff --git ${named('a/', file)} ${named('b/', file)}`,
    `--- ${named('a/', file)}`,
    `+++ ${named('b/', file)}`,
  ];
  let shift = 0;
  for (const hunk of hunksOf(blocks)) {
    const begin = Math.max(0, (hunk[0]?.from ?? 0) - context);
    const end = Math.min(lines.length, (hunk.at(-1)?.to ?? 0) + context);
    const body: string[] = [];
    let here = begin;
    for (const { from, to, after } of hunk) {
      body.push(...lines.slice(here, from).flatMap((l) => marked(' ', l)));
      body.push(...lines.slice(from, to).flatMap((l) => marked('-', l)));
      body.push(...after.flatMap((l) => marked('+', l)));
      here = to;
    }
    body.push(...lines.slice(here, end).flatMap((l) => marked(' ', l)));
    const removed = end - begin;
    const added = removed + hunk.reduce((n, b) => n + b.after.length - (b.to - b.from), 0);
    out.push(`@@ -${begin + 1},${removed} +${begin + 1 + shift},${added} @@`, ...body);
    shift += added - removed;
  }
  return `${out.join('\n')}\n`;
}

/** Edits that touch the same or neighbouring lines are one block. */
function grouped(edits: readonly Edit[], lineAt: (offset: number) => number): Edit[][] {
  const groups: Edit[][] = [];
  let last = -1;
  for (const edit of edits) {
    const first = lineAt(edit.start);
    const group = groups.at(-1);
    if (group && first <= last) group.push(edit);
    else groups.push([edit]);
    last = Math.max(last, lineAt(Math.max(edit.start, edit.end - 1)));
  }
  return groups;
}

/** Without lines at its ends that do not change. */
function trimmed(block: { from: number; to: number; after: string[] }, lines: readonly string[]): typeof block {
  let { from, to } = block;
  let after = block.after;
  while (from < to && after.length > 0 && lines[from] === after[0]) {
    from++;
    after = after.slice(1);
  }
  while (to > from && after.length > 0 && lines[to - 1] === after.at(-1)) {
    to--;
    after = after.slice(0, -1);
  }
  return { from, to, after };
}

/** Blocks whose context would overlap share a hunk. */
function hunksOf<B extends { readonly from: number; readonly to: number }>(blocks: readonly B[]): B[][] {
  const hunks: B[][] = [];
  for (const block of blocks) {
    const last = hunks.at(-1);
    if (last && block.from - (last.at(-1)?.to ?? 0) <= 2 * context) last.push(block);
    else hunks.push([block]);
  }
  return hunks;
}

/** With their line ends. */
const linesOf = (text: string): string[] => text.match(/[^\n]*\n|[^\n]+$/g) ?? [];

const marked = (mark: string, line: string): string[] =>
  line.endsWith('\n') ? [mark + line.slice(0, -1)] : [mark + line, '\\ No newline at end of file'];

/** A path as git quotes it. */
const named = (side: string, file: string): string =>
  /["\\\p{Cc}]/u.test(file) ? JSON.stringify(side + file) : side + file;
