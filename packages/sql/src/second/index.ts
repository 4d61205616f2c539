import { createRequire } from 'node:module';
import type { Statement } from 'pgsql-ast-parser';
import type { ParseResult } from '@pgsql/types';
import { noteExhausted } from '../exhausted.js';
import type { Parsed } from '../parser/instance.js';
import { locator, Untranslated } from './shape.js';
import { Statements } from './statements.js';

interface Library {
  parse(text: string, options: { readonly locationTracking: boolean }): readonly Statement[];
}

let library: Library | undefined;

/** What statements refused by this parser are told apart by. */
export const refusedBySecond = 'pgsql-ast-parser does not read this statement';

/**
 * The second parser: pgsql-ast-parser, written in JavaScript, for hosts that cannot load WebAssembly, and to hold the first one against.
 * Gives the tree that PostgreSQL's own grammar gives. It reads queries and plain DDL; everything else, row security above all, is an error.
 * Never throws.
 */
export function parseSecond(text: string): Parsed<ParseResult> {
  library ??= createRequire(import.meta.url)('pgsql-ast-parser') as Library;
  try {
    const to = new Statements(locator(text));
    const parsed = library.parse(text, { locationTracking: true });
    const stmts = parsed.map((s) => ({ stmt: to.statement(s) }));
    return { tree: { version: 0, stmts } as unknown as ParseResult };
  } catch (error) {
    if (error instanceof RangeError) noteExhausted();
    const detail = error instanceof Untranslated ? `: ${error.message}` : '';
    const at = error instanceof Error ? offsetIn(error) : 0;
    return { error: `${refusedBySecond}${detail}`, at };
  }
}

/** Where the parser stopped, as far as its error says. */
function offsetIn(error: Error): number {
  const { token } = error as { readonly token?: { readonly offset?: unknown } };
  return typeof token?.offset === 'number' ? token.offset : 0;
}
