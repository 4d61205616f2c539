import type { FileFacts, LinkContext, MigrationFacts, Value } from '@tenant-lint/model';
import { entriesOf, type Entry } from './entries.js';
import { Run, type Tool } from './run.js';
import { Script } from './script.js';

/** What a library adds to read the migrations of its tool. */
export interface MigrationReader {
  /** In words: 'Knex migration'. */
  readonly title: string;
  /** Whether the functions are those of a migration of this tool. */
  isMine(entry: Entry, facts: FileFacts, context: LinkContext): boolean;
  /** What the tool hands to `up` and `down`. */
  readonly arguments: readonly Value[];
  tool(facts: FileFacts, context: LinkContext): Tool;
  /** The key by which the tool orders its migrations, where it is not the name of the file. */
  order?(entry: Entry, facts: FileFacts): string | undefined;
}

/** Runs the migrations of a file as the library would; undefined if it holds none of this tool. */
export function readMigrations(
  facts: FileFacts,
  context: LinkContext,
  reader: MigrationReader,
): MigrationFacts | undefined {
  let script: Script | undefined;
  let order: string | undefined;
  for (const entry of entriesOf(facts, context)) {
    if (!reader.isMine(entry, facts, context)) continue;
    script ??= new Script(facts.file);
    order ??= reader.order?.(entry, facts);
    for (const direction of ['up', 'down'] as const) {
      const target = entry[direction];
      if (!target) continue;
      script.direction = direction;
      const run = new Run(reader.tool(facts, context), script, facts, context);
      run.callback({ kind: 'function', function: target.id }, reader.arguments);
    }
  }
  return (
    script && {
      tool: reader.title,
      events: script.events,
      queries: script.queries,
      unchecked: script.unchecked,
      statements: script.statements,
      includes: script.included,
      ...(order === undefined ? {} : { order }),
    }
  );
}
