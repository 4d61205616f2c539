import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

const names = ['ts', 'mts', 'js', 'mjs', 'json'].map((extension) => `tenant-lint.config.${extension}`);

/** The configuration file that holds for a folder: upwards to the root of the repository; undefined where there is none. */
export function findConfig(cwd: string): string | undefined {
  for (let folder = path.resolve(cwd); ; folder = path.dirname(folder)) {
    const file = configIn(folder);
    if (file !== undefined) return file;
    if (existsSync(path.join(folder, '.git')) || path.dirname(folder) === folder) return undefined;
  }
}

/** The configuration file that lies in a folder; undefined where there is none. */
export function configIn(folder: string): string | undefined {
  for (const name of names) if (existsSync(path.join(folder, name))) return path.join(folder, name);
  const manifest = path.join(folder, 'package.json');
  return existsSync(manifest) && hasOwnKey(manifest) ? manifest : undefined;
}

/**
 * The root of the project that a folder belongs to, for hosts that start from a file: the folder of the configuration, else the working
 * directory where the folder is below it, else that of the nearest manifest.
 */
export function projectRoot(folder: string, cwd: string): string {
  const config = findConfig(folder);
  if (config !== undefined) return path.dirname(config);
  const relative = path.relative(cwd, folder);
  if (!relative.startsWith('..') && !path.isAbsolute(relative)) return cwd;
  for (let at = folder; ; at = path.dirname(at)) {
    if (existsSync(path.join(at, 'package.json')) || path.dirname(at) === at) return at;
  }
}

/** A manifest that is not JSON is named where manifests are read. */
function hasOwnKey(manifest: string): boolean {
  try {
    const text = readFileSync(manifest, 'utf8');
    if (!text.includes('"tenantLint"')) return false;
    const value: unknown = JSON.parse(text.replace(/^\uFEFF/, ''));
    return typeof value === 'object' && value !== null && 'tenantLint' in value;
  } catch {
    return false;
  }
}
