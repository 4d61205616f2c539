import type { Span, Value } from '@tenant-lint/model';
import { literalOf, quotedPath, replaced, type Piece } from '../migration/pieces.js';
import { described, type Run } from '../migration/run.js';

/** The text of `raw(sql, bindings)` with what is bound in place: `??` and `:name:` are names, `?` and `:name` values. */
export function boundSql(args: readonly Value[], span: Span, run: Run): readonly Piece[] {
  const [text, bindings] = args;
  const pieces = run.sql(text, span);
  if (bindings === undefined) return pieces;
  const given = run.value(bindings);
  if (given.kind === 'object') {
    return replaced(pieces, /\\?(::(\w+)::|:(\w+):|:(\w+))/g, (match) => {
      const name = match[2] ?? match[3] ?? match[4];
      const value = name === undefined ? undefined : run.property(given, name);
      return value && bound(value, match[4] === undefined);
    });
  }
  const values = run.items(given) ?? [given];
  let next = 0;
  return replaced(pieces, /\\\?|\?\??/g, (match) => {
    if (match[0] === '\\?') return { text: '?' };
    const value = values[next++];
    return value && bound(value, match[0] === '??');
  });
}

function bound(value: Value, isName: boolean): Omit<Piece, 'span'> {
  if (isName) {
    if (value.kind === 'constant') return { text: quotedPath(String(value.value)) };
  } else {
    const text = literalOf(value);
    if (text !== undefined) return { text };
  }
  return { text: '', hole: described(value) };
}
