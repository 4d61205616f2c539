import { formatPatch, structuredPatch } from 'diff';
import type { Edit } from '@tenant-lint/model';

/** A file that is new, as a unified diff that `git apply` and `patch` take. */
export const diffOfNew = (file: string, text: string): string =>
  written(file, ['new file mode 100644'], structuredPatch('/dev/null', `b/${file}`, '', text));

/** Edits of a file, which do not overlap, as a unified diff. */
export function diffOfEdits(file: string, before: string, edits: readonly Edit[]): string {
  const after = [...edits]
    .sort((a, b) => b.start - a.start)
    .reduce((text, edit) => text.slice(0, edit.start) + edit.text + text.slice(edit.end), before);
  return written(file, [], structuredPatch(`a/${file}`, `b/${file}`, before, after, '', '', { context: 3 }));
}

/** The patch with the header of git. The library quotes the names of its own two lines. */
function written(file: string, more: readonly string[], patch: Parameters<typeof formatPatch>[0]): string {
  const text = formatPatch(patch);
  const start = text.indexOf('--- ');
  return [`diff --git ${named('a/', file)} ${named('b/', file)}`, ...more, text.slice(start)].join('\n');
}

/** A path as git quotes it. */
const named = (side: string, file: string): string =>
  /["\\\p{Cc}]/u.test(file) ? JSON.stringify(side + file) : side + file;
