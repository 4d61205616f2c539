import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { ParseResult } from '@pgsql/types';
import { noteExhausted } from '../exhausted.js';

/** The part of libpg-query's WebAssembly module that is used here. Pointers are numbers. */
interface PgQuery {
  /** Its memory; another one whenever it had to grow. */
  readonly HEAPU8: Uint8Array;
  getValue(pointer: number, type: 'i32'): number;
  _malloc(size: number): number;
  _free(pointer: number): void;
  _wasm_parse_query_raw(pointer: number): number;
  _wasm_free_parse_result(pointer: number): void;
  _wasm_parse_plpgsql(pointer: number): number;
  _wasm_free_string(pointer: number): void;
}

/** The part of the WebAssembly interface that is used: the types for Node do not declare it, and those of the DOM declare too much. */
interface Wasm {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: object };
}
const { WebAssembly: wasm } = globalThis as unknown as { readonly WebAssembly: Wasm };

export type Parsed<T> =
  | { readonly tree: T }
  /** `at` counts code points from the beginning of the text. */
  | { readonly error: string; readonly at: number };

let instance: PgQuery | undefined;
let compiled: object | undefined;

/**
 * libpg-query's own entry loads asynchronously, which would force a top-level await on every host (and ESLint rules are synchronous), so
 * its module is instantiated here: the emscripten factory fills the object it is given before it first awaits.
 */
function load(): PgQuery {
  const require = createRequire(import.meta.url);
  const loaded = require('libpg-query/wasm/libpg-query.js') as Factory | { default: Factory };
  const factory = typeof loaded === 'function' ? loaded : loaded.default;
  const code = (compiled ??= new wasm.Module(readFileSync(require.resolve('libpg-query/wasm/libpg-query.wasm'))));
  const module = {
    instantiateWasm(imports: object, done: (instance: object) => void): object {
      const created = new wasm.Instance(code, imports);
      done(created);
      return created.exports;
    },
    // The parser's complaints come back as results; nothing may reach the terminal.
    print: () => undefined,
    printErr: () => undefined,
  };
  void factory(module);
  return module as unknown as PgQuery;
}

type Factory = (module: object) => Promise<unknown>;

let memory: Buffer = Buffer.alloc(0);

/** The parser's memory, read and written with Node's own conversions: those of emscripten take a tenth of the time of parsing. */
function memoryOf({ HEAPU8: { buffer } }: PgQuery): Buffer {
  if (memory.buffer !== buffer) memory = Buffer.from(buffer);
  return memory;
}

function textAt(pg: PgQuery, pointer: number): string {
  const bytes = memoryOf(pg);
  return bytes.toString('utf8', pointer, bytes.indexOf(0, pointer));
}

/**
 * Hands `text` to `use` inside the parser's memory. Whatever `use` throws (a RangeError of a too deep text, a trap) may have left that memory
 * inconsistent: repeated, later parses fail or never return. So the instance is given up, and the next call loads a fresh one.
 */
function withText<T>(text: string, use: (pg: PgQuery, pointer: number) => Parsed<T>): Parsed<T> {
  instance ??= load();
  try {
    const size = Buffer.byteLength(text);
    const pointer = instance._malloc(size + 1);
    const bytes = memoryOf(instance);
    bytes.write(text, pointer, size);
    bytes[pointer + size] = 0;
    const result = use(instance, pointer);
    instance._free(pointer);
    return result;
  } catch (error) {
    instance = undefined;
    noteExhausted();
    return { error: `the parser failed: ${error instanceof Error ? error.message : String(error)}`, at: 0 };
  }
}

/** Parses SQL text (without NUL, not empty) with PostgreSQL's grammar. Never throws. */
export function parseTree(text: string): Parsed<ParseResult> {
  return withText(text, (pg, pointer) => {
    const result = pg._wasm_parse_query_raw(pointer);
    if (result === 0) throw new Error('out of memory');
    const tree = pg.getValue(result, 'i32');
    const error = pg.getValue(result + 8, 'i32');
    const parsed: Parsed<ParseResult> = error
      ? { error: textAt(pg, pg.getValue(error, 'i32')), at: Math.max(0, pg.getValue(error + 16, 'i32') - 1) }
      : { tree: JSON.parse(textAt(pg, tree)) as ParseResult };
    pg._wasm_free_parse_result(result);
    return parsed;
  });
}

/** Parses a CREATE FUNCTION or DO statement in PL/pgSQL (the whole statement, not its body alone). Never throws. */
export function parsePlpgsql(text: string): Parsed<unknown> {
  return withText(text, (pg, pointer) => {
    const result = pg._wasm_parse_plpgsql(pointer);
    const answer = textAt(pg, result);
    pg._wasm_free_string(result);
    return answer.startsWith('{') ? { tree: JSON.parse(answer) as unknown } : { error: answer, at: 0 };
  });
}
