import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import picomatch from 'picomatch';
import { codeOf } from './discover.js';
import { Failure } from './failure.js';

/**
 * The folders that some arguments name, absolute. An argument may be a pattern (`packages/*\/.tenant-lint`), so that a script need not list
 * the packages of a monorepo; shells on Windows do not expand patterns. Throws Failure for a pattern that no folder matches.
 */
export function foldersMatching(given: readonly string[], cwd: string): readonly string[] {
  return [...new Set(given.flatMap((one) => expanded(one, cwd)))];
}

function expanded(given: string, cwd: string): readonly string[] {
  if (!hasPattern(given)) return [path.resolve(cwd, given)];
  const { root } = path.parse(given);
  const parts = given
    .slice(root.length)
    .split(path.sep === '\\' ? /[\\/]/ : '/')
    .filter((part) => part !== '' && part !== '.');
  let folders = [root === '' ? cwd : root];
  for (const part of parts)
    folders = hasPattern(part)
      ? folders.flatMap((folder) => foldersIn(folder, picomatch(part, { dot: part.startsWith('.') })))
      : folders.map((folder) => path.resolve(folder, part)).filter((folder) => isFolder(folder));
  if (folders.length > 0) return folders;
  throw new Failure(`No folder matches ${given}`, {
    advice: 'Check the pattern: it counts from the working directory.',
  });
}

const hasPattern = (text: string): boolean => /[*?{[]/.test(text);

function foldersIn(folder: string, matches: (name: string) => boolean): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name !== 'node_modules' && matches(name))
      .sort()
      .map((name) => path.join(folder, name))
      .filter(isFolder);
  } catch (error) {
    throw new Failure(`The folder cannot be read (${codeOf(error)}).`, {
      where: folder,
      advice: 'Check the pattern.',
      cause: error,
    });
  }
}

const isFolder = (folder: string): boolean => statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true;
