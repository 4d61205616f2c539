import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import Module, { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { constants, Script } from 'node:vm';
import { isMainThread } from 'node:worker_threads';

/** A cache that nobody has written for so long is of another version. */
const days = 60;
/** A run that took so many seconds has compiled what is worth keeping. */
const longRun = 1.5;

/** What the types of Node leave out: from Node 22 on it keeps what is compiled itself, and how it compiles a module of the older kind. */
interface Internals {
  enableCompileCache?(): unknown;
  wrap(content: string): string;
  prototype: { _compile(this: CommonJs, content: string, filename: string): unknown };
}

interface CommonJs {
  exports: unknown;
}

/** A script that was compiled in this run, and how many bytes of it an earlier run had kept. */
interface Compiled {
  readonly file: string;
  readonly script: Script;
  readonly before: number;
}

/**
 * Keeps what V8 compiles of the command's bundle, of the compiler and of the SQL parser for the next run. Compiled code is run as it is
 * found, so it is kept where only the user writes, and never in the project: whoever opens a pull request writes there. A cache that is not
 * there, cannot be written, or that others can write is none. Never throws.
 */
export function keepCompiled(): void {
  const node = Module as unknown as Internals;
  if (node.enableCompileCache) return void node.enableCompileCache();
  if (process.env['NODE_DISABLE_COMPILE_CACHE']) return;
  const folder = ownFolder();
  if (folder === undefined) return;
  const bundle = fileURLToPath(new URL('../bundle/', import.meta.url));
  const compiled: Compiled[] = [];
  const original = node.prototype._compile;
  node.prototype._compile = function (content, filename) {
    if (!filename.startsWith(bundle) && !/[\\/]node_modules[\\/](?:typescript|libpg-query)[\\/]/.test(filename))
      return original.call(this, content, filename);
    const file = path.join(folder, keyOf(filename));
    const cachedData = read(file);
    const script = new Script(node.wrap(content), {
      filename,
      ...(cachedData ? { cachedData } : {}),
      importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
    });
    compiled.push({ file, script, before: cachedData && !script.cachedDataRejected ? cachedData.length : 0 });
    const run = script.runInThisContext() as (...args: readonly unknown[]) => unknown;
    return run.call(this.exports, this.exports, createRequire(filename), this, filename, path.dirname(filename));
  };
  if (isMainThread) process.on('exit', () => save(folder, compiled));
}

/** Where the user's caches are; undefined where that is not a folder that only the user writes. */
function ownFolder(): string | undefined {
  const { XDG_CACHE_HOME, LOCALAPPDATA } = process.env;
  try {
    const home = process.platform === 'win32' ? LOCALAPPDATA : XDG_CACHE_HOME || path.join(os.homedir(), '.cache');
    if (!home || !path.isAbsolute(home)) return undefined;
    const folder = path.join(home, 'tenant-lint', 'compiled');
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const { uid, mode } = statSync(folder);
    return process.getuid && (uid !== process.getuid() || (mode & 0o022) !== 0) ? undefined : folder;
  } catch {
    return undefined;
  }
}

/** Nothing but a new file has the time of change of the old one, whatever time its archive gave it. */
function keyOf(filename: string): string {
  const { ctimeMs, size } = statSync(filename);
  const parts = [filename, ctimeMs, size, process.version, process.arch];
  return createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 32);
}

function read(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch {
    return undefined;
  }
}

/** Writes what was compiled for the first time, and after a long run what has grown by code that no earlier run had reached. */
function save(folder: string, compiled: readonly Compiled[]): void {
  try {
    const long = process.uptime() > longRun;
    for (const { file, script, before } of compiled) {
      if (before > 0 && !long) continue;
      const data = script.createCachedData();
      if (data.length < before * 1.25) continue;
      const temporary = `${file}.${process.pid}`;
      writeFileSync(temporary, data, { mode: 0o600 });
      renameSync(temporary, file);
    }
    if (compiled.some((c) => c.before === 0)) forget(folder);
  } catch {
    // The next run compiles again.
  }
}

function forget(folder: string): void {
  const oldest = Date.now() - days * 24 * 3600_000;
  for (const name of readdirSync(folder)) {
    const file = path.join(folder, name);
    if (statSync(file).mtimeMs < oldest) rmSync(file);
  }
}
