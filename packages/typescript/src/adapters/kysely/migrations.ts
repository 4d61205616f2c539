import type { FileFacts, LinkContext, MigrationFacts, Step, Value } from '@tenant-lint/model';
import { importsFrom, stepsOnTool, typeOfTool, type Entry } from '../migration/entries.js';
import { readMigrations, type MigrationReader } from '../migration/index.js';
import type { Call, Run, Tool } from '../migration/run.js';
import { isMarker, marker } from '../migration/values.js';
import { SchemaStatement, type ColumnBuilder } from './schema-builder.js';
import { expressionSql } from './expression.js';

const reader: MigrationReader = {
  title: 'Kysely migration',
  arguments: [marker('kysely')],
  isMine,
  tool: () => new KyselyTool(),
};

/** Migrations of Kysely: `up(db)` that builds statements and executes them. */
export const migrations = (facts: FileFacts, context: LinkContext): MigrationFacts | undefined =>
  readMigrations(facts, context, reader);

function isMine(entry: Entry, facts: FileFacts): boolean {
  if (/\bKysely\b|\bTransaction\s*</.test(typeOfTool(entry))) return true;
  if (!importsFrom(facts, 'kysely')) {
    const steps = stepsOnTool(facts, entry);
    // Only here a table is built in a chain that is executed.
    return steps.has('schema.createTable') && steps.has('addColumn') && steps.has('execute');
  }
  return true;
}

const reads =
  /^(?:selectFrom|insertInto|updateTable|deleteFrom|mergeInto|replaceInto|with|withRecursive|selectNoFrom|executeQuery)$/;

class KyselyTool implements Tool {
  readonly #columns = new Map<string, ColumnBuilder>();
  #made = 0;

  call(call: Call, run: Run): boolean {
    const { receiver, steps } = call;
    if (receiver.kind === 'global' && receiver.name.startsWith('@column')) {
      this.#columns.get(receiver.name)?.apply(steps, run);
      return true;
    }
    if (isSql(receiver, steps)) {
      const executed = steps.findIndex((s) => s.name === 'execute');
      if (executed >= call.from && executed >= 0)
        run.script.sql(expressionSql(call.chain.receiver, steps.slice(0, executed), call.span, run), call.span);
      return true;
    }
    if (!isMarker(receiver, 'kysely')) return false;
    const path = [...receiver.path];
    const [first] = steps;
    if (!first) return true;
    if (path[0] === 'schema') this.#schema(steps, call, run);
    else if (first.name === 'transaction' || first.name === 'connection') {
      const execute = steps.find((s) => s.name === 'execute');
      run.callback(execute?.arguments?.[0], [marker('kysely')]);
    } else if (reads.test(first.name)) {
      if (steps.some((s) => s.name.startsWith('execute'))) run.script.pass('data');
    } else if (first.name === 'withSchema') {
      const at = steps.findIndex((s) => s.name === 'schema');
      if (at >= 0)
        this.#schema(
          steps.filter((s) => s.name !== 'schema'),
          call,
          run,
        );
      else run.script.pass('data');
    }
    return true;
  }

  #schema(steps: readonly Step[], call: Call, run: Run): void {
    const executed = steps.findIndex((s, i) => s.name === 'execute' && i >= call.from);
    if (executed < 0) return;
    const statement = new SchemaStatement(steps.slice(0, executed), call.span, call.guarded, run, (callback, column) =>
      this.#build(callback, column, run),
    );
    statement.emit();
  }

  /** Runs `(col) => col.notNull().references(...)` on a column. */
  #build(callback: Value, column: ColumnBuilder, run: Run): void {
    const name = `@column${this.#made++}`;
    this.#columns.set(name, column);
    if (!run.callback(callback, [{ kind: 'global', name, path: [] }])) column.unknown(run);
  }
}

/** `` sql`...`.execute(db) ``, `sql.raw('...').execute(db)`. */
function isSql(receiver: Value, steps: readonly Step[]): boolean {
  if (receiver.kind !== 'import' || receiver.module !== 'kysely') return false;
  return receiver.name === 'sql' && steps.length > 0;
}
