#!/usr/bin/env node
import module from 'node:module';
import { setFlagsFromString } from 'node:v8';

// Nearly all of a run is code that runs for the first time. V8's baseline compiler pays at once, its optimising one hardly ever does, and
// takes a core while it tries: a fifth of the time of a large run (docs/performance.md).
setFlagsFromString('--sparkplug');
setFlagsFromString('--interrupt-budget=600000');
module.enableCompileCache?.();

// A reader that has seen enough (`tenant-lint | head`) closes the pipe; that is no failure.
process.stdout.on('error', (error) => {
  if (error.code !== 'EPIPE') throw error;
});
const { main } = await import('../dist/main.js');
process.exitCode = await main(process.argv.slice(2));
