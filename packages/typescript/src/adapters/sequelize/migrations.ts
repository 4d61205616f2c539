import type { FileFacts, LinkContext, MigrationFacts } from '@tenant-lint/model';
import { nameOfTool, stepsOnTool, typeOfTool, type Entry } from '../migration/entries.js';
import { readMigrations, type MigrationReader } from '../migration/index.js';
import { runText } from '../migration/queries.js';
import type { Call, Run, Tool } from '../migration/run.js';
import { isMarker, marker } from '../migration/values.js';
import { interfaceCall } from './query-interface.js';

const reader: MigrationReader = {
  title: 'Sequelize migration',
  arguments: [marker('queryInterface'), marker('types')],
  isMine,
  tool: () => new SequelizeTool(),
};

/** Migrations of Sequelize and Umzug: `up(queryInterface, Sequelize)`, `up({ context: queryInterface })`. */
export const migrations = (facts: FileFacts, context: LinkContext): MigrationFacts | undefined =>
  readMigrations(facts, context, reader);

const own = new Set(
  ['createTable', 'addColumn', 'removeColumn', 'changeColumn', 'addIndex', 'removeIndex', 'addConstraint'].concat([
    'removeConstraint',
    'bulkInsert',
    'bulkDelete',
    'bulkUpdate',
    'describeTable',
    'renameColumn',
    'renameTable',
    'dropTable',
  ]),
);

function isMine(entry: Entry, facts: FileFacts): boolean {
  if (entry.class) return false;
  if (/\bQueryInterface\b/.test(typeOfTool(entry))) return true;
  const steps = stepsOnTool(facts, entry);
  if (steps.has('sequelize.query') || steps.has('sequelize.transaction')) return true;
  const named = /^_?(?:queryInterface|qi|query|context|migration)$/i.test(nameOfTool(entry)) || steps.has('context');
  return named && [...own].some((name) => steps.has(name));
}

class SequelizeTool implements Tool {
  call(call: Call, run: Run): boolean {
    const { receiver, steps } = call;
    if (receiver.kind === 'global' && receiver.name === '@types') return true;
    if (!isMarker(receiver, 'queryInterface')) return false;
    // Umzug hands over an object whose context is the query interface.
    const path = receiver.path.filter((name) => name !== 'context' && name !== 'queryInterface');
    const [first] = steps;
    if (!first?.arguments || call.from > 0) return true;
    if (path[0] === 'sequelize' || first.name === 'query') {
      if (first.name === 'query')
        runText(textIn(first.arguments[0], run), call, first, run, run.property(first.arguments[1], 'replacements'));
      else if (first.name === 'transaction')
        run.callback(
          [...first.arguments].reverse().find((a) => run.value(a).kind === 'function'),
          [marker('transaction')],
        );
    } else if (path.length === 0) interfaceCall(first, call, run);
    for (const step of steps.slice(1))
      if (step.name === 'then' || step.name === 'finally') run.callback(step.arguments?.[0], []);
    return true;
  }
}

/** `query({ query: '...' })`. */
const textIn = (value: Parameters<typeof runText>[0], run: Run): Parameters<typeof runText>[0] =>
  run.property(value, 'query') ?? value;
