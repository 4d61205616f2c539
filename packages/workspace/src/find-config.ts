import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

const names = ['ts', 'mts', 'js', 'mjs', 'json'].map((extension) => `tenant-lint.config.${extension}`);

/** The configuration file that holds for a folder: upwards to the root of the repository; undefined where there is none. */
export function findConfig(cwd: string): string | undefined {
  for (let folder = path.resolve(cwd); ; folder = path.dirname(folder)) {
    for (const name of names) if (existsSync(path.join(folder, name))) return path.join(folder, name);
    const manifest = path.join(folder, 'package.json');
    if (existsSync(manifest) && /"tenantLint"\s*:/.test(safeText(manifest))) return manifest;
    if (existsSync(path.join(folder, '.git')) || path.dirname(folder) === folder) return undefined;
  }
}

function safeText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
