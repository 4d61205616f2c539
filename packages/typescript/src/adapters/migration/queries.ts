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
      const list = run.items(named);
      let next = 0;
      pieces = replaced(pieces, list ? /\?/g : /(?<![:\w]):([a-z_]\w*)/gi, (match) => {
        const given = list ? list[next++] : run.property(named, match[1] ?? '');
        const literal = given && literalOf(given);
        return literal === undefined ? { text: '', hole: 'a value that is put in' } : { text: literal };
      });
    }
    run.script.sql(pieces, span);
  };
  const list = run.items(text);
  if (list) list.forEach(one);
  else one(text);
}
