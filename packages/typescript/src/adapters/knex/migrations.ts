import type { FileFacts, LinkContext, MigrationFacts, Span, Step, Value } from '@tenant-lint/model';
import { importsFrom, nameOfTool, stepsOnTool, typeOfTool, type Entry } from '../migration/entries.js';
import { readMigrations, type MigrationReader } from '../migration/index.js';
import { piece, type Piece } from '../migration/pieces.js';
import type { Call, Run, Tool } from '../migration/run.js';
import { runFile } from '../migration/files.js';
import { isMarker, marker } from '../migration/values.js';
import { boundSql } from './bindings.js';
import { isDataCall, schemaCall } from './schema-builder.js';
import { TableBuilder } from './table-builder.js';

const reader: MigrationReader = {
  title: 'Knex migration',
  arguments: [marker('knex')],
  isMine,
  tool: () => new KnexTool(),
};

/** Migrations of Knex (and of Objection and Bookshelf, which use them): `exports.up = (knex) => ...`. */
export const migrations = (facts: FileFacts, context: LinkContext): MigrationFacts | undefined =>
  readMigrations(facts, context, reader);

function isMine(entry: Entry, facts: FileFacts): boolean {
  if (entry.class || importsFrom(facts, 'kysely', 'typeorm')) return false;
  const type = typeOfTool(entry);
  if (/\bKnex\b/.test(type)) return true;
  if (type !== '' && type !== 'any' && type !== 'unknown') return false;
  const steps = stepsOnTool(facts, entry);
  const named = /^(?:knex|k|db|trx|kn|pg)$/i.test(nameOfTool(entry)) || importsFrom(facts, 'knex');
  const builds = /^schema\.(?:(?:create|alter|drop|rename|has|with)\w+|table|raw)$/;
  return [...steps].some((s) => builds.test(s)) || (named && steps.has('raw'));
}

class KnexTool implements Tool {
  readonly #tables = new Map<string, TableBuilder>();
  #made = 0;

  call(call: Call, run: Run): boolean {
    const { receiver } = call;
    if (receiver.kind === 'global' && receiver.name.startsWith('@table')) {
      this.#tables.get(receiver.name)?.call(call, run);
      return true;
    }
    if (!isMarker(receiver, 'knex')) return false;
    const path = receiver.path.filter((name) => name !== 'default');
    if (path[0] === 'schema') this.#schema(call, run);
    else if (path.length === 0 || path[0] === 'client' || path[0] === 'fn') this.#root(call, run);
    return true;
  }

  #root(call: Call, run: Run): void {
    const [first] = call.steps;
    if (!first?.arguments) return;
    switch (first.name) {
      case 'raw':
        if (call.from === 0) runRaw(first, call, run);
        return this.#rest(call, 1, run);
      case 'transaction':
        run.callback(first.arguments[0], [marker('knex')]);
        return this.#rest(call, 1, run);
      case 'batchInsert':
        return run.script.pass('data');
      default:
        if (isDataCall(first, call.steps)) run.script.pass('data');
        this.#rest(call, 1, run);
    }
  }

  /** What comes after a promise. */
  #rest(call: Call, from: number, run: Run): void {
    for (const step of call.steps.slice(Math.max(from, call.from)))
      if (/^(?:then|finally|tap)$/.test(step.name)) run.callback(step.arguments?.[0], []);
  }

  /** `knex.schema.withSchema('x').createTable(...).alterTable(...)`: each step a statement. */
  #schema(call: Call, run: Run): void {
    let schema: string | undefined;
    call.steps.forEach((step, i) => {
      if (!step.arguments) return;
      if (step.name === 'withSchema') {
        schema = run.text(step.arguments[0]);
        if (schema === undefined) run.script.unknown('the name of the schema is computed', step.span);
      }
      if (i < call.from) return;
      const span: Span = { ...call.span, start: i === 0 ? call.span.start : step.span.start, end: step.span.end };
      if (/^(?:then|finally|tap)$/.test(step.name)) run.callback(step.arguments[0], []);
      else if (step.name === 'raw') run.script.sql(boundSql(step.arguments, step.span, run), span);
      else
        schemaCall(step, span, schema, call.guarded, run, (table, create) =>
          this.#table(table, create, span, step, run),
        );
    });
  }

  #table(table: string, create: 'create' | 'alter', span: Span, step: Step, run: Run): TableBuilder {
    const name = `@table${this.#made++}`;
    const builder = new TableBuilder(table, create, span);
    this.#tables.set(name, builder);
    const callback = [...(step.arguments ?? [])].reverse().find((a) => run.value(a).kind === 'function');
    const self: Value = { kind: 'global', name, path: [] };
    // In a `function` callback the table is `this` too; its calls are the parameter's in every known use.
    if (callback) run.callback(callback, [self]);
    else if (step.name !== 'createTableLike')
      run.script.unknown('the columns are made by a function that was not found', span);
    return builder;
  }
}

function runRaw(step: Step, call: Call, run: Run): void {
  const [text] = step.arguments ?? [];
  const span: Span = { ...call.span, end: step.span.end };
  if (runFile(text, run, span)) return;
  const pieces: readonly Piece[] = text === undefined ? [piece('', span)] : boundSql(step.arguments!, step.span, run);
  run.script.sql(pieces, span);
}
