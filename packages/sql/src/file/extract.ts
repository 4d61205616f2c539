import { createHash } from 'node:crypto';
import type { Access, FileFacts, SchemaEvent, SqlFileFacts, SqlRole, Unchecked } from '@tenant-lint/model';
import { lineStartsOf } from '@tenant-lint/model';
import { readStatement, type Reading } from '../ddl/index.js';
import { noteExhausted } from '../exhausted.js';
import { lowerEmbedded } from '../lower/embedded.js';
import { normalizePlaceholders } from '../lower/placeholders.js';
import { parseSql, type ParsedStatement } from '../parser/index.js';
import { refusedBySecond } from '../second/index.js';
import { assertedIn } from './assertions.js';
import { classifySql } from './classify.js';
import { foreignDialect, templateIn } from './dialect.js';
import { directivesIn } from './directives.js';
import { directionOf } from './layout.js';

export interface ExtractOptions {
  /** Relative to the root, with forward slashes. */
  readonly file: string;
  /** Overrides what path and text say. */
  readonly role?: SqlRole;
}

/** Facts of a `.sql` file. Pure in text and options; never throws: what cannot be read is in `unchecked`. */
export function extractSql(text: string, options: ExtractOptions): FileFacts {
  const { file } = options;
  const {
    role,
    reason: roleReason,
    byHand,
    loose,
  } = options.role === undefined
    ? classifySql(file, text)
    : { role: options.role, reason: 'configured', byHand: undefined, loose: undefined };
  const read = isBinary(text) ? unreadable(file) : readScript(text, file, role);
  return {
    file,
    hash: createHash('sha256').update(text).digest('hex').slice(0, 16),
    dialect: 'postgres',
    lineStarts: lineStartsOf(text),
    directives: read.directives,
    imports: [],
    exports: [],
    bindings: {},
    classes: [],
    functions: [],
    chains: [],
    schema: read.events,
    queries: read.queries,
    unchecked: read.unchecked,
    sql: {
      role,
      roleReason,
      ...(byHand ? { byHand } : {}),
      ...(loose ? { loose } : {}),
      statements: read.statements,
      ...(role === 'test' ? { asserted: assertedIn(read.queries) } : {}),
    },
  };
}

interface Script {
  readonly events: readonly SchemaEvent[];
  readonly queries: readonly Access[];
  readonly unchecked: readonly Unchecked[];
  readonly directives: FileFacts['directives'];
  readonly statements: SqlFileFacts['statements'];
}

/** UTF-16 text read as UTF-8, or no text at all. */
const isBinary = (text: string): boolean => {
  const head = text.slice(0, 4096);
  return head.split('\0').length > 8 || (head.match(/\uFFFD/g)?.length ?? 0) > head.length / 8 + 4;
};

const unreadable = (file: string): Script => ({
  events: [],
  queries: [],
  unchecked: [{ file, reason: 'unreadable', detail: 'not UTF-8 text' }],
  directives: [],
  statements: { folded: 0, query: 0, irrelevant: {}, unchecked: 0 },
});

/** Data in files from this size on, and in single statements from that size on, is not looked at row by row. */
const largeFile = 1_000_000;
const largeInsert = 100_000;

function readScript(text: string, file: string, role: SqlRole): Script {
  const isData = role === 'dump' || role === 'seed' || text.length > largeFile;
  const parsed = parseSql(text, {
    skip: ([first, second], length) => {
      if (first !== 'insert' || second !== 'into') return undefined;
      return isData || length > largeInsert ? 'insert of data' : undefined;
    },
  });
  const directives = directivesIn(file, text, parsed.comments);
  const broken = parsed.statements.filter((statement) => statement.error !== undefined);
  const refused = broken.filter((statement) => !tooLarge.test(statement.error?.message ?? ''));
  const holes = new Map(refused.map((statement) => [statement, templateIn(statement)]));
  const dialect = foreignDialect(file, text, refused);
  if (dialect !== undefined) {
    const span = { file, start: 0, end: text.length };
    const statements = { folded: 0, query: 0, irrelevant: {}, unchecked: parsed.statements.length };
    return {
      events: [],
      queries: [],
      unchecked: [{ file, reason: `dialect:${dialect}`, span }],
      directives,
      statements,
    };
  }
  return readStatements(text, file, role, { ...parsed, holes, directives });
}

const tooLarge = /^a statement (?:of|nested) /;

interface ReadInput {
  readonly statements: readonly ParsedStatement[];
  readonly comments: ReturnType<typeof parseSql>['comments'];
  readonly unchecked: ReturnType<typeof parseSql>['unchecked'];
  readonly holes: ReadonlyMap<ParsedStatement, string | undefined>;
  readonly directives: FileFacts['directives'];
}

function readStatements(text: string, file: string, role: SqlRole, input: ReadInput): Script {
  const events: SchemaEvent[] = [];
  const queries: Access[] = [];
  const unchecked: Unchecked[] = [];
  const irrelevant: Record<string, number> = {};
  const count = { folded: 0, query: 0, unchecked: 0 };
  let next = 0;
  const reading: Reading = {
    file,
    queryId: () => `${file}#q${next++}`,
    unchecked: (entry) => unchecked.push({ file, ...entry }),
  };
  const direction = directionOf(file, text, input.comments);
  const pass = (kind: string): void => {
    irrelevant[kind] = (irrelevant[kind] ?? 0) + 1;
  };
  for (const entry of input.unchecked) {
    if (input.statements.length === 0)
      unchecked.push({ file, reason: entry.reason, ...detailOf(entry.detail), span: spanIn(file, entry) });
  }
  for (const statement of input.statements) {
    const accesses = role === 'query' ? withPlaceholders(file, statement, `${file}#q${next}`) : [];
    if (accesses.length > 0) {
      next++;
      queries.push(...accesses);
      count.query++;
      continue;
    }
    if (statement.error) {
      count.unchecked++;
      unchecked.push({ file, ...refusal(statement, input.holes.get(statement)), span: spanIn(file, statement) });
      continue;
    }
    const where = direction(statement.start);
    const result = readBounded(reading, statement);
    events.push(...result.events.map((event) => ({ ...event, direction: where })));
    if (where === 'up') queries.push(...result.queries);
    if (typeof result.became === 'object') pass(result.became.irrelevant);
    else if (result.became === 'query' && where === 'down') pass('query of a down section');
    else count[result.became]++;
  }
  return { events, queries, unchecked, directives: input.directives, statements: { ...count, irrelevant } };
}

/** PL/pgSQL bodies nest without the bound that statements have. */
function readBounded(reading: Reading, statement: ParsedStatement): ReturnType<typeof readStatement> {
  try {
    return readStatement(reading, statement);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    noteExhausted();
    reading.unchecked({ reason: 'too-large', detail: 'nested too deeply', span: spanIn(reading.file, statement) });
    return { became: 'unchecked', events: [], queries: [] };
  }
}

const spanIn = (
  file: string,
  { start, end }: { start: number; end: number },
): { file: string; start: number; end: number } => ({ file, start, end });
const detailOf = (detail: string | undefined): { detail?: string } => (detail === undefined ? {} : { detail });

function refusal(statement: ParsedStatement, hole: string | undefined): { reason: string; detail: string } {
  const message = statement.error?.message ?? '';
  if (tooLarge.test(message)) return { reason: 'too-large', detail: message };
  if (message.startsWith(refusedBySecond)) return { reason: 'unsupported', detail: message };
  return hole === undefined
    ? { reason: 'syntax', detail: message }
    : { reason: 'template', detail: `${hole}: ${message}` };
}

/** A statement of a query file whose placeholders are those of a driver, not PostgreSQL's. None for other statements. */
function withPlaceholders(file: string, statement: ParsedStatement, idPrefix: string): readonly Access[] {
  const { start, end, text } = statement;
  if (statement.skipped !== undefined || normalizePlaceholders(text).text === text) return [];
  const span = { file, start, end };
  const { accesses, unchecked } = lowerEmbedded({
    file,
    text,
    idPrefix,
    library: 'sql',
    span,
    position: (offset) => start + offset,
  });
  return unchecked.length === 0 ? accesses.filter((access) => access.operation !== 'raw') : [];
}
