import { createRequire } from 'node:module';
import type TS from 'typescript';

/** The compiler. Set by loadTypescript; only read after that. */
export let ts: typeof TS;

/** Loads the compiler on first use: loading takes longer than linking a cached project, and `require` a third of what `import` takes. */
export function loadTypescript(): void {
  if (ts) return;
  const loaded = createRequire(import.meta.url)('typescript') as typeof TS;
  // The package's exports are getters, two thousand of them on one object; walking asks for them millions of times.
  ts = quick({ ...loaded, SyntaxKind: quick({ ...loaded.SyntaxKind }) });
}

/** V8 lays out the properties of a prototype for fast reading; an object of many properties is a hash table otherwise. */
function quick<T extends object>(object: T): T {
  Object.create(object);
  return object;
}
