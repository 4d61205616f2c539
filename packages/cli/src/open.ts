import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { rules } from '@tenant-lint/rules';
import {
  checkRuleSettings,
  configIn,
  Failure,
  findConfig,
  folderSource,
  hint,
  settingsOf,
  type Config,
  type Settings,
  type Source,
} from '@tenant-lint/workspace';

/** What a path that does not exist may have been meant as. */
const commands = ['check', 'init', 'inspect', 'prove', 'explain', 'baseline', 'merge', 'review', 'facts', 'fix'];

export interface Opened {
  /** Absolute; every path of a report is relative to it. */
  readonly root: string;
  readonly source: Source;
  readonly settings: Settings;
  /** Paths relative to the root that the report is limited to; empty: everything. */
  readonly within: readonly string[];
}

/**
 * Decides what a run looks at. The root is the folder of the configuration, else the working directory; one folder given as a path is the
 * root itself where it lies outside, or has a configuration of its own. Any other path limits the report, never the analysis.
 */
export async function open(
  paths: readonly string[],
  flags: { readonly config?: string; readonly configCode: boolean },
  cwd: string,
): Promise<Opened> {
  const given = paths.map((p) => path.resolve(cwd, p));
  for (const [i, file] of given.entries()) {
    if (!existsSync(file))
      throw new Failure(`There is no file, folder or command ${paths[i]!}${hint(paths[i]!, commands)}`, {
        advice: 'Check the paths of the command.',
      });
  }
  const start = ownRoot(given, cwd) ?? cwd;
  const file = flags.config === undefined ? findConfig(start) : path.resolve(cwd, flags.config);
  const config = file === undefined ? {} : await configOf(file, flags.configCode);
  checkRuleSettings(config, rules, file);
  const root = file === undefined || flags.config !== undefined ? start : path.dirname(file);
  const within = given.map((g) => path.relative(root, g).split(path.sep).join('/')).filter((g) => g !== '');
  const outside = within.find((w) => w.startsWith('..'));
  if (outside !== undefined) {
    throw new Failure('A path lies outside the root.', {
      where: outside,
      advice: `The root is ${root}. Give one folder, or paths below the root.`,
    });
  }
  return { root, source: folderSource(root), settings: settingsOf(config), within };
}

/** Loads the configuration; the validator is loaded only where there is something to validate. */
async function configOf(file: string, allowCode: boolean): Promise<Config> {
  const { loadConfig } = await import('@tenant-lint/workspace/config');
  return loadConfig({
    cwd: path.dirname(file),
    file,
    allowCode,
  }).config;
}

function ownRoot(given: readonly string[], cwd: string): string | undefined {
  const [only] = given;
  if (given.length !== 1 || only === undefined || !statSync(only).isDirectory()) return undefined;
  const outside = path.relative(cwd, only).startsWith('..') || path.isAbsolute(path.relative(cwd, only));
  return outside || configIn(only) !== undefined ? only : undefined;
}

/** Whether a file lies at or below one of some paths; every file does where there are none. */
export const isWithin = (file: string, within: readonly string[]): boolean =>
  within.length === 0 || within.some((w) => file === w || file.startsWith(`${w}/`));
