import { statSync } from 'node:fs';
import path from 'node:path';

/** What changes when a file (relative to the root) does: its time and size, which an editor or git changes; '' where there is none. */
export function stampOf(root: string, file: string): string {
  const stat = statSync(path.resolve(root, file), { throwIfNoEntry: false });
  return stat ? `${stat.mtimeMs}:${stat.size}` : '';
}
