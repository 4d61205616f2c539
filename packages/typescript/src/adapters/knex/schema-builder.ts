import type { Span, Step } from '@tenant-lint/model';
import { alterTableSql } from '../migration/ddl.js';
import { piece, quoted, quotedPath, type Piece } from '../migration/pieces.js';
import type { Run } from '../migration/run.js';
import type { TableBuilder } from './table-builder.js';

/** Steps of the schema builder that ask or set nothing in the schema. */
const silent = new Set(['withSchema', 'hasTable', 'hasColumn', 'queryContext', 'on', 'catch', 'timeout', 'debug']);
const written = new Set(['insert', 'update', 'del', 'delete', 'upsert', 'truncate', 'into', 'increment', 'decrement']);

/** Whether a chain on `knex` writes or reads rows. */
export const isDataCall = (first: Step, steps: readonly Step[]): boolean =>
  first.name === '' ||
  ['from', 'table', 'select', 'with', 'queryBuilder', 'into'].includes(first.name) ||
  steps.some((s) => written.has(s.name));

/** One step of the schema builder as statements. `table` runs the callback of a table builder. */
export function schemaCall(
  step: Step,
  span: Span,
  schema: string | undefined,
  guarded: boolean,
  run: Run,
  table: (name: string, create: 'create' | 'alter') => TableBuilder,
): void {
  const { name, arguments: args = [] } = step;
  if (silent.has(name)) return;
  const sql = (text: string): void => run.script.sql([piece(text, span)], span);
  const text = (i: number): string | undefined => run.text(args[i]);
  const first = text(0);
  if (first === undefined) {
    run.script.unknown(`${name}: the name is computed`, span);
    return;
  }
  const inSchema = (given: string): string => (schema === undefined ? '' : `${quoted(schema)}.`) + quotedPath(given);
  const own = inSchema(first);
  switch (name) {
    case 'createTable':
    case 'createTableIfNotExists': {
      const builder = table(own, 'create');
      builder.emit(run, { ifNotExists: guarded || name === 'createTableIfNotExists' });
      return;
    }
    case 'createTableLike': {
      const like = text(1);
      if (like === undefined) return run.script.unknown('createTableLike: the name is computed', span);
      sql(`CREATE TABLE ${own} (LIKE ${inSchema(like)} INCLUDING ALL)`);
      if (args.length > 2) table(own, 'alter').emit(run, {});
      return;
    }
    case 'alterTable':
    case 'table':
      return table(own, 'alter').emit(run, {});
    case 'dropTable':
      return sql(`DROP TABLE ${own}`);
    case 'dropTableIfExists':
      return sql(`DROP TABLE IF EXISTS ${own}`);
    case 'renameTable': {
      const to = text(1);
      return to === undefined
        ? run.script.unknown('renameTable: the name is computed', span)
        : run.script.sql(alterTableSql(own, `RENAME TO ${quoted(to)}`, span), span);
    }
    case 'createSchema':
      return sql(`CREATE SCHEMA ${quoted(first)}`);
    case 'createSchemaIfNotExists':
      return sql(`CREATE SCHEMA IF NOT EXISTS ${quoted(first)}`);
    case 'dropSchema':
    case 'dropSchemaIfExists':
      return sql(`DROP SCHEMA IF EXISTS ${quoted(first)}${run.isTrue(args[1]) ? ' CASCADE' : ''}`);
    case 'createExtension':
    case 'createExtensionIfNotExists':
      return sql(`CREATE EXTENSION IF NOT EXISTS ${quoted(first)}`);
    case 'dropView':
    case 'dropViewIfExists':
      return sql(`DROP VIEW IF EXISTS ${own}`);
    case 'dropMaterializedView':
    case 'dropMaterializedViewIfExists':
      return sql(`DROP MATERIALIZED VIEW IF EXISTS ${own}`);
    case 'refreshMaterializedView':
      return run.script.pass('refresh of a view');
    default:
      run.script.unknown(`${name} was not understood`, span);
  }
}

/** `raw('...')`, `knex.fn.now()`: SQL in the place of a value. */
export function rawOf(value: Parameters<Run['made']>[0], span: Span, run: Run): readonly Piece[] | undefined {
  const made = run.made(value);
  const [step] = made?.steps ?? [];
  if (!made || !step?.arguments || made.receiver.kind !== 'global') return undefined;
  if (made.receiver.path.at(-1) === 'fn' || made.receiver.path.includes('fn')) {
    const known: Readonly<Record<string, string>> = { now: 'CURRENT_TIMESTAMP', uuid: 'gen_random_uuid()' };
    const found = known[step.name];
    return found === undefined ? undefined : [piece(found, span)];
  }
  return step.name === 'raw' ? run.sql(step.arguments[0], step.span) : undefined;
}
