import { statSync } from 'node:fs';
import path from 'node:path';

/** A text that changes when one of some files (relative to the root) does: by its time and size, which an editor or git changes. */
export const stampOf = (root: string, files: Iterable<string>): string =>
  [...files]
    .map((file) => {
      const stat = statSync(path.resolve(root, file), { throwIfNoEntry: false });
      return stat ? `${file}:${stat.mtimeMs}:${stat.size}` : file;
    })
    .join('\n');
