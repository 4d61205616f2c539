import type { Edit } from '@tenant-lint/model';
import { kindOf } from '../discover.js';
import type { Source } from '../memory.js';
import { edited } from '../suggest.js';
import type { NewFile } from './write.js';

/** A project with files that are not written yet, and with edits of those that are. */
export function overlaid(
  source: Source,
  files: readonly Pick<NewFile, 'file' | 'text'>[],
  edits: readonly Edit[],
): Source {
  const made = new Map(files.map((f) => [f.file, f.text]));
  const byFile = new Map<string, Edit[]>();
  for (const edit of edits) byFile.set(edit.file, [...(byFile.get(edit.file) ?? []), edit]);
  return {
    list() {
      const listed = source.list();
      const all = new Map(listed.files);
      for (const file of made.keys()) {
        const kind = kindOf(file);
        if (kind) all.set(file, kind);
      }
      return { ...listed, files: new Map([...all].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))) };
    },
    read(file) {
      const text = made.get(file);
      if (text !== undefined) return { text };
      const read = source.read(file);
      const own = byFile.get(file);
      return own && 'text' in read ? { text: edited(read.text, own) } : read;
    },
  };
}
