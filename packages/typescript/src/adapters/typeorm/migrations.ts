import type { FileFacts, LinkContext, MigrationFacts, Step, Value } from '@tenant-lint/model';
import { nameOfTool, typeOfTool, type Entry } from '../migration/entries.js';
import { readMigrations, type MigrationReader } from '../migration/index.js';
import { runText } from '../migration/queries.js';
import type { Call, Run, Tool } from '../migration/run.js';
import { isMarker, marker } from '../migration/values.js';
import { tableCall } from './migrations-table.js';

const reader: MigrationReader = {
  title: 'TypeORM migration',
  arguments: [marker('runner')],
  isMine,
  tool: () => new TypeormTool(),
  order,
};

/** Migrations of TypeORM: classes with `up(queryRunner)`. */
export const migrations = (facts: FileFacts, context: LinkContext): MigrationFacts | undefined =>
  readMigrations(facts, context, reader);

function isMine(entry: Entry, facts: FileFacts): boolean {
  if (!entry.class) return false;
  if (/\bQueryRunner\b/.test(typeOfTool(entry))) return true;
  return (
    typeOfTool(entry) === '' &&
    (/^_?(?:queryRunner|runner)$/.test(nameOfTool(entry)) || facts.imports.some((i) => i.module === 'typeorm'))
  );
}

/** The time at the end of the class's name, or of its field `name`. */
function order(entry: Entry): string | undefined {
  const name = entry.class?.fields['name']?.value;
  const text = name?.kind === 'constant' ? String(name.value) : (entry.class?.name ?? '');
  return /\d{10,}$/.exec(text)?.[0];
}

/** Methods that change no schema. */
const silent = new Set(
  [
    'startTransaction',
    'commitTransaction',
    'rollbackTransaction',
    'connect',
    'release',
    'hasTable',
    'hasColumn',
  ].concat(
    [
      'hasSchema',
      'hasDatabase',
      'getTable',
      'getTables',
      'getView',
      'getViews',
      'getSchemas',
      'getDatabases',
      'getCurrentSchema',
    ],
    [
      'getCurrentDatabase',
      'enableSqlMemory',
      'disableSqlMemory',
      'clearSqlMemory',
      'getMemorySql',
      'stream',
      'log',
      'catch',
    ],
  ),
);
const data = new Set(
  [
    'find',
    'findOne',
    'findBy',
    'findOneBy',
    'save',
    'insert',
    'update',
    'delete',
    'create',
    'count',
    'remove',
    'upsert',
  ].concat([
    'createQueryBuilder',
    'getRepository',
    'getCustomRepository',
    'findOneOrFail',
    'findOneByOrFail',
    'clear',
    'getTreeRepository',
  ]),
);

class TypeormTool implements Tool {
  call(call: Call, run: Run): boolean {
    const { receiver, steps } = call;
    if (!isMarker(receiver, 'runner')) return false;
    const [first] = steps;
    if (!first?.arguments || call.from > 0) return true;
    if (first.name === 'query') runText(first.arguments[0], call, first, run);
    else if (first.name === 'transaction')
      run.callback(
        [...first.arguments].reverse().find((a) => run.value(a).kind === 'function'),
        [marker('runner')],
      );
    else if (receiver.path.length > 0 || data.has(first.name)) run.script.pass('data');
    else if (!silent.has(first.name)) tableCall(first, call, run);
    after(steps.slice(1), run);
    return true;
  }
}

const after = (steps: readonly Step[], run: Run): void => {
  for (const step of steps) {
    const [callback]: readonly (Value | undefined)[] = step.arguments ?? [];
    if (step.name === 'then' || step.name === 'finally') run.callback(callback, []);
  }
};
