import { createRequire } from 'node:module';
import type TS from 'typescript';

/** The compiler. Set by loadTypescript; only read after that. */
export let ts: typeof TS;

/** Loads the compiler on first use: loading takes longer than linking a cached project, and `require` a third of what `import` takes. */
export function loadTypescript(): typeof TS {
  ts ??= createRequire(import.meta.url)('typescript') as typeof TS;
  return ts;
}
