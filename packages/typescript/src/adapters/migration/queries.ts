import type { Span, Step, Value } from '@tenant-lint/model';
import { replaced, type Piece } from './pieces.js';
import { literalOf } from './pieces.js';
import { runFile } from './files.js';
import type { Call, Run } from './run.js';

/** Runs the SQL text that a call is handed: `query(text)`. `named`: values of `:name`, put in as literals. */
export function runText(text: Value | undefined, call: Call, step: Step, run: Run, named?: Value): void {
  const span: Span = { ...call.span, end: step.span.end };
  const one = (value: Value | undefined): void => {
    if (runFile(value, run, span)) return;
    let pieces: readonly Piece[] = run.sql(value, step.span);
    if (named) {
      pieces = replaced(pieces, /(?<![:\w]):(\w+)/g, (match) => {
        const given = run.property(named, match[1] ?? '');
        const literal = given && literalOf(given);
        return literal === undefined ? undefined : { text: literal };
      });
    }
    run.script.sql(pieces, span);
  };
  const list = run.items(text);
  if (list) list.forEach(one);
  else one(text);
}
