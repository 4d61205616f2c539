import type { SqlRole } from '@tenant-lint/model';
import { isDownFile, sectionMarkers } from './layout.js';

interface Classified {
  readonly role: SqlRole;
  readonly reason: string;
  /** Queries none of which waits for a value: a person runs them, and no program. */
  readonly byHand?: true;
  /** It changes the schema, and is not where a migration tool would look for it. */
  readonly loose?: true;
}

const testPath = /(?:^|\/)(?:tests?|__tests__|spec|specs|e2e|pgtap|testdata|__fixtures__)\//i;
const testName = /\.(?:test|spec)\.sql$|(?:^|\/)test[_-][^/]*\.sql$|(?:^|\/)[a-z][^/]*_test\.sql$/i;
const pgTap =
  /^[ \t]*(?:select\s+)?(?:plan|no_plan)\s*\(|\bselect\s+\*\s+from\s+(?:finish|no_plan)\s*\(|create\s+extension\s+(?:if\s+not\s+exists\s+)?pgtap/im;
const seedPath =
  /(?:^|[/_.-])(?:seeds?|seeding|sample[_-]?data|demo[_-]?data|fixtures?|testdata|mock[_-]?data)(?:[/_.-]|\d)/i;
const dumpHeader = /^--\s*(?:PostgreSQL database (?:cluster )?dump|Dumped (?:from|by))/m;
const dumpName = /(?:^|\/)(?:structure|schema|dump|backup|baseline|full[_-]?schema)\.sql$/i;

/** Layouts of migration tools, by path. */
const migrationPaths: readonly (readonly [RegExp, string])[] = [
  [/(?:^|\/)prisma\/(?:.*\/)?migrations\/[^/]+\/migration\.sql$/i, 'Prisma migration'],
  [/(?:^|\/)migrations\/[^/]+\/migration\.sql$/i, 'Prisma migration'],
  [/(?:^|\/)drizzle\/(?:.*\/)?\d{4}_[^/]+\.sql$/i, 'Drizzle migration'],
  [/(?:^|\/)supabase\/migrations\//i, 'path supabase/migrations/'],
  [/(?:^|\/)[VUB]\d+(?:[._]\d+)*__[^/]+\.sql$/, 'Flyway version'],
  [/(?:^|\/)R__[^/]+\.sql$/, 'Flyway repeatable migration'],
  [/\.(?:up|down)\.sql$/i, 'name .up.sql or .down.sql'],
  [/(?:^|\/)(?:up|down)\.sql$/i, 'name up.sql or down.sql'],
];
const migrationFolder = /(?:^|\/)((?:[\w-]*[_-])?(?:migrations?|migrate|flyway)(?:[_-][\w-]*)?)\/(?:.*\/)?[^/]+\.sql$/i;
const numbered = /(?:^|\/)\d+[-_.][^/]*\.sql$/;
const sqitch = /(?:^|\/)(deploy|revert|verify)\/(?:.*\/)?[^/]+\.sql$/i;
const sqitchHeader = /^--\s*(?:Deploy|Revert|Verify)\s+\S+/im;

const createsTable = /^[ \t]*create\s+(?:(?:unlogged|foreign)\s+)?table\b/im;
const definesSchema =
  /^[ \t]*(?:create\s+(?:or\s+replace\s+)?(?:unique\s+|materialized\s+|constraint\s+)?(?:policy|index|view|function|procedure|trigger|type|domain|role|user|schema|extension|rule|publication|sequence)|alter\s+(?:table|policy|view|function|role|default|type|schema|index|sequence|publication)|drop\s+(?:table|policy|view|function|index|trigger|type|role|schema)|grant|revoke|do\s+(?:language\s+\w+\s+)?\$)\b/im;
const asks = /^[ \t]*(?:with|select|update|delete|merge)\b/im;
/** Statements of a program: annotated for a code generator, or with parameters. */
const parametrised = /^--\s*name:|\/\*\s*@name\b|(?:[=(,]|\bvalues\b)\s*(?:\$\d|\?(?=[\s,)])|[:@][a-z_]\w*)/im;
const queryPath = /(?:^|\/)quer(?:y|ies)\//i;
const inserts = /^[ \t]*(?:insert\s+into|copy)\b/im;

/**
 * What a script is for, from its path and its text. The order is that of how much a sign says: a test's migrations are a test's; a migration
 * may begin with a dump; a script that creates tables outside of any history describes a state, as a dump does.
 */
export function classifySql(file: string, text: string): Classified {
  const path = file.replaceAll('\\', '/');
  const match = (role: SqlRole, reason: string): Classified => ({ role, reason });
  const loose = (reason: string): Classified => ({ role: 'migration', reason, loose: true });
  const folder = testPath.exec(path);
  if (folder) return match('test', `path ${folder[0].replace(/^\//, '')}`);
  if (testName.test(path)) return match('test', 'name of a test');
  if (pgTap.test(text)) return match('test', 'pgTAP');

  const layout = migrationPaths.find(([pattern]) => pattern.test(path));
  if (layout) return match('migration', layout[1]);
  const step = sqitch.exec(path);
  if (step && sqitchHeader.test(text)) {
    return match(step[1]?.toLowerCase() === 'verify' ? 'test' : 'migration', `Sqitch ${step[1]?.toLowerCase() ?? ''}`);
  }
  const markers = sectionMarkers(text);
  if (markers !== undefined) return match('migration', markers);
  const inMigrations = migrationFolder.exec(path);
  if (inMigrations && !seedPath.test(path)) return match('migration', `path ${inMigrations[1] ?? ''}/`);
  if (text.includes('--> statement-breakpoint')) return match('migration', 'Drizzle migration');

  if (dumpHeader.test(text)) return match('dump', 'pg_dump header');
  if (seedPath.test(path)) return match('seed', 'path of seed data');
  const defines = createsTable.test(text) || definesSchema.test(text);
  if (numbered.test(path) && defines) return loose('numbered file');
  if (createsTable.test(text))
    return match('dump', dumpName.test(path) ? 'name of a schema file' : 'creates tables outside of any history');
  if (defines) return loose(isDownFile(path) ? 'undoes schema changes' : 'changes the schema');
  const isProgram = queryPath.test(path) || parametrised.test(text);
  if (inserts.test(text) && !asks.test(text) && !isProgram) return match('seed', 'only inserts rows');
  const what = asks.test(text) || inserts.test(text) ? 'only queries' : 'no statement that changes the schema';
  return { ...match('query', what), ...(isProgram ? {} : { byHand: true }) };
}
