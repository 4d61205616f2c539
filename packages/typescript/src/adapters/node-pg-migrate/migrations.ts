import type { FileFacts, LinkContext, MigrationFacts, Step } from '@tenant-lint/model';
import { importsFrom, nameOfTool, stepsOnTool, typeOfTool, type Entry } from '../migration/entries.js';
import { readMigrations, type MigrationReader } from '../migration/index.js';
import { piece, replaced, type Piece } from '../migration/pieces.js';
import { runFile } from '../migration/files.js';
import type { Call, Run, Tool } from '../migration/run.js';
import { isMarker, marker } from '../migration/values.js';
import { Builder } from './builder.js';
import { idOf, literalName } from './names.js';
import { otherCall } from './objects.js';

const reader: MigrationReader = {
  title: 'node-pg-migrate migration',
  arguments: [marker('pgm')],
  isMine,
  tool: (facts) => new PgmTool(facts),
};

/** Migrations of node-pg-migrate: `up(pgm)`. */
export const migrations = (facts: FileFacts, context: LinkContext): MigrationFacts | undefined =>
  readMigrations(facts, context, reader);

function isMine(entry: Entry, facts: FileFacts): boolean {
  if (entry.class) return false;
  if (/\bMigrationBuilder\b/.test(typeOfTool(entry)) || importsFrom(facts, 'node-pg-migrate')) return true;
  const steps = stepsOnTool(facts, entry);
  return nameOfTool(entry) === 'pgm' && steps.size > 0;
}

const silent = new Set(['noTransaction', 'db', 'func', 'addShorthand', 'catch']);

class PgmTool implements Tool {
  readonly #facts: FileFacts;

  constructor(facts: FileFacts) {
    this.#facts = facts;
  }

  call(call: Call, run: Run): boolean {
    const { receiver, steps } = call;
    if (!isMarker(receiver, 'pgm')) return false;
    const [first] = steps;
    if (!first?.arguments || call.from > 0) return true;
    if (receiver.path.length > 0) {
      // pgm.db.query(...)
      if (first.name === 'query') run.script.sql(run.sql(first.arguments[0], first.span), call.span);
      else run.script.pass('data');
    } else if (first.name === 'sql') sqlCall(first, call, run);
    else if (!silent.has(first.name)) {
      const builder = new Builder(first, call, run, this.#facts);
      if (!builder.write() && !otherCall(first, call, run))
        run.script.unknown(`${first.name} was not understood`, call.span);
    }
    for (const step of steps.slice(1)) if (step.name === 'then') run.callback(step.arguments?.[0], []);
    return true;
  }
}

/** `pgm.sql(text, args)`: `{name}` is put in as the library writes it. */
function sqlCall(step: Step, call: Call, run: Run): void {
  const [text, args] = step.arguments ?? [];
  if (runFile(text, run, call.span)) return;
  let pieces: readonly Piece[] = run.sql(text, step.span);
  if (args)
    pieces = replaced(pieces, /\{(\w+)\}/g, (match) => {
      const value = run.property(args, match[1] ?? '');
      const name = value && idOf(value, run);
      return name === undefined ? undefined : { text: literalName(name) };
    });
  run.script.sql(pieces.length === 0 ? [piece('', call.span)] : pieces, call.span);
}
