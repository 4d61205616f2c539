import { discover } from './discover.js';
import type { Source } from './memory.js';
import { readSource } from './read.js';

/** The files below a folder, as they are on disk. */
export const folderSource = (root: string): Source => ({
  list: () => discover(root),
  read: (file) => readSource(root, file),
});
