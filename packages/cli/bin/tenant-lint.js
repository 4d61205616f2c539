#!/usr/bin/env node
import { existsSync, readdirSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { keepCompiled } from '../dist/compile-cache.js';

// Nearly all of a run is code that runs for the first time. V8's baseline compiler pays at once, its optimising one hardly ever does, and
// takes a core while it tries: a fifth of the time of a large run (docs/performance.md).
setFlagsFromString('--sparkplug');
// V8 of Node 22 and later does not know it, and says so on stderr.
if (Number.parseInt(process.versions.v8, 10) < 12) setFlagsFromString('--interrupt-budget=600000');
keepCompiled();

// A reader that has seen enough (`tenant-lint | head`) closes the pipe; that is no failure.
process.stdout.on('error', (error) => {
  if (error.code !== 'EPIPE') throw error;
});
const { main } = isBundled() ? createRequire(import.meta.url)('../bundle/main.js') : await import('../dist/main.js');
process.exitCode = await main(process.argv.slice(2));

/** Whether the bundle is what the modules are: always where the package is installed, and in its own repository until they are built anew. */
function isBundled() {
  const at = (file) => fileURLToPath(new URL(file, import.meta.url));
  if (!existsSync(at('../bundle/main.js'))) return false;
  if (!existsSync(at('../tsconfig.json'))) return true;
  const bundled = statSync(at('../bundle/package.json')).mtimeMs;
  const built = readdirSync(at('../..')).map((name) => at(`../../${name}/tsconfig.tsbuildinfo`));
  return [...built, at('../../../rules/dist/tsconfig.tsbuildinfo')].every(
    (file) => !existsSync(file) || statSync(file).mtimeMs <= bundled,
  );
}
