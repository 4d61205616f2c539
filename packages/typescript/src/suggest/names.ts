import type { Path, Span, Value } from '@tenant-lint/model';
import { evaluate } from '../extract/expressions.js';
import { extractFromSource, parsed } from '../extract/extract.js';
import { lookup } from '../extract/scope.js';
import type { Extraction, Scope } from '../extract/state.js';
import { loadTypescript, ts } from '../extract/typescript.js';

/** An expression that can be written at some place, and the value it has there, in the terms of the file's facts. */
export interface Named {
  readonly expression: string;
  readonly value: Value;
}

/** More names than this nobody chooses from. */
const maxNames = 200;

/**
 * What local names, and the properties of them at `tails`, are where a call chain (by its span) runs; the shortest expressions first. Ones
 * that syntax shows to be missing at times are left out, whole or in a part. Nothing where no such chain is found.
 */
export function namesAt(text: string, at: Span, tails: readonly Path[]): readonly Named[] {
  const read = parsed(text, at.file);
  if (!read) return [];
  const found = new Map<string, Value>();
  extractFromSource(read.source, read.code, at.file, undefined, (x, { span }) => {
    if (span.start !== at.start || span.end !== at.end || found.size > 0) return;
    for (const name of visibleNames(x.scope)) {
      for (const tail of tails) {
        const value = valueOf(x, name, tail);
        if (value) found.set([name, ...tail].join('.'), value);
      }
    }
  });
  return [...found]
    .map(([expression, value]) => ({ expression, value }))
    .sort((a, b) => a.expression.length - b.expression.length || (a.expression < b.expression ? -1 : 1));
}

/** The names of the scopes around, those of the module left out: what a module holds belongs to no request. */
function visibleNames(scope: Scope): readonly string[] {
  const names = new Set<string>();
  for (let at: Scope | undefined = scope; at?.parent; at = at.parent)
    for (const name of at.variables.keys()) if (names.size < maxNames && isIdentifier(name)) names.add(name);
  return [...names];
}

function valueOf(x: Extraction, name: string, tail: Path): Value | undefined {
  if (lookup(x.scope, name)?.kind !== 'local' || !tail.every(isIdentifier)) return undefined;
  let value: Value | undefined;
  for (let length = 0; length <= tail.length; length++) {
    value = evaluate(x, expressionOf([name, ...tail.slice(0, length)]));
    if (value.kind === 'missing-able' && value.certain) return undefined;
  }
  return value;
}

function expressionOf(parts: readonly string[]) {
  loadTypescript();
  const [first = '', ...rest] = parts;
  return rest.reduce<
    ReturnType<typeof ts.factory.createPropertyAccessExpression> | ReturnType<typeof ts.factory.createIdentifier>
  >((on, name) => ts.factory.createPropertyAccessExpression(on, name), ts.factory.createIdentifier(first));
}

const isIdentifier = (name: string): boolean => /^[A-Za-z_$][\w$]*$/.test(name);
