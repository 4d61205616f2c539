import type { FileFacts, LinkContext, MigrationFacts, Value } from '@tenant-lint/model';
import type { Entry } from '../migration/entries.js';
import { readMigrations, type MigrationReader } from '../migration/index.js';
import { runText } from '../migration/queries.js';
import type { Call, Run, Tool } from '../migration/run.js';

const reader: MigrationReader = {
  title: 'MikroORM migration',
  arguments: [],
  isMine,
  tool: () => new MikroTool(),
};

/** Migrations of MikroORM: classes that extend Migration, whose methods add SQL. */
export const migrations = (facts: FileFacts, context: LinkContext): MigrationFacts | undefined =>
  readMigrations(facts, context, reader);

function isMine(entry: Entry, facts: FileFacts): boolean {
  const base = entry.class?.extends;
  const own = base?.kind === 'import' && /^@mikro-orm\/|^@medusajs\/framework\/mikro-orm/.test(base.module);
  return own || (base !== undefined && usesAddSql(facts));
}

const usesAddSql = (facts: FileFacts): boolean =>
  facts.chains.some((c) => c.receiver.kind === 'this' && c.steps[0]?.name === 'addSql');

class MikroTool implements Tool {
  call(call: Call, run: Run): boolean {
    const { receiver, steps } = call;
    if (receiver.kind !== 'this') return false;
    const [first] = steps;
    if (!first?.arguments || receiver.path.length > 0) return false;
    if (first.name === 'addSql' || first.name === 'execute') {
      if (call.from === 0) runText(textIn(first.arguments[0], run), call, first, run);
      return true;
    }
    if (first.name === 'getKnex' || first.name === 'getEntityManager') {
      run.script.pass('data');
      return true;
    }
    return false;
  }
}

/** The text of `sql`...``, `raw('...')` and of a query builder's `raw`. */
function textIn(value: Value | undefined, run: Run): Value | undefined {
  const made = run.made(value);
  const last = made?.steps.at(-1);
  return made && last?.arguments && (last.name === 'raw' || last.name === '') && !last.template
    ? last.arguments[0]
    : value;
}
