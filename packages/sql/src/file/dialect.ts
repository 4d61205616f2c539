import { Lexer, type ParsedStatement } from '../parser/index.js';

/** Other databases by what only their SQL says. Tested against the code of statements that PostgreSQL refuses, without strings and comments. */
const signs: readonly (readonly [string, readonly RegExp[]])[] = [
  [
    'clickhouse',
    [
      /\bengine\s*=?\s*\w*(?:mergetree|distributed|kafka|buffer|memory|null|log)\b/i,
      /\b(?:nullable|lowcardinality|fixedstring|simpleaggregatefunction|aggregatefunction)\s*\(/i,
      /\b(?:U?Int(?:8|16|32|64|128|256)|Float(?:32|64)|DateTime64)\b/,
      /\bon\s+cluster\b/i,
      /\bcodec\s*\(/i,
      /\b(?:materialize|modify)\s+(?:index|column|ttl|projection|setting|query|order)\b/i,
      /\btype\s+(?:bloom_filter|minmax|set|tokenbf_v1|ngrambf_v1)\b/i,
      /\b(?:clear|drop)\s+index\s+(?:if\s+exists\s+)?\w+\s*$/i,
      /\b(?:exchange|rename)\s+tables?\b/i,
      /\binto\s+outfile\b|\bformat\s+(?:jsoneachrow|csv|tsv|values)\b|\b(?:settings|sync)\s*(?:\w+\s*=|$)/i,
    ],
  ],
  [
    'mysql',
    [
      /`/,
      /\bengine\s*=\s*(?:innodb|myisam|aria|rocksdb|archive)\b/i,
      /\bauto_increment\b/i,
      /\b(?:unsigned|zerofill|tinyint|mediumint|tinytext|mediumtext|longtext|mediumblob|longblob|datetime)\b/i,
      /`[^`]*`\s+(?:varchar|int|enum|decimal|char|bigint|json|timestamp|boolean|double)\b/i,
      /\bon\s+update\s+current_timestamp\b/i,
      /\bdefault\s+charset\b|\bcharacter\s+set\s+utf8|\bcollate\s*=?\s*utf8/i,
      /\b(?:modify|change)\s+(?:column\s+)?[`\w]+\s/i,
      /\bdrop\s+foreign\s+key\b|\bunique\s+key\b/i,
      /^[ \t]*(?:delimiter\b|lock\s+tables|unlock\s+tables|use\s+\w)/im,
      /\binterval\s+\d+\s+(?:second|minute|hour|day|week|month|year)\b/i,
      /^\s*delete\s+(?!from\b|only\b)\w+(?:\s*,\s*\w+)*\s+from\b/i,
      /^\s*update\s+\w+(?:\s+(?:as\s+)?\w+)?\s+(?:inner\s+|left\s+)?join\b/i,
      /\bon\s+duplicate\s+key\s+update\b|\binsert\s+ignore\b/i,
    ],
  ],
  [
    'sqlite',
    [
      /\bautoincrement\b/i,
      /^[ \t]*pragma\b/im,
      /\bwithout\s+rowid\b/i,
      /\binsert\s+or\s+(?:replace|ignore|abort)\b/i,
      /`[^`]*`\s+(?:text|integer|real|blob)\b/i,
      /`(?:__new_)?[^`]*`/,
      /\bvirtual\s+table\b/i,
      /\bsqlite_\w+/i,
      /\)\s*strict\s*$/i,
    ],
  ],
  [
    'tsql',
    [
      /\[\w+\]\s*\.\s*\[\w+\]/,
      /^[ \t]*go[ \t]*$/im,
      /\bnvarchar\b|\bvarchar\s*\(\s*max\s*\)/i,
      /\bidentity\s*\(\s*\d/i,
      /\bdeclare\s+@\w+/i,
      /\bgetdate\s*\(|\bobject_id\s*\(|\bsp_executesql\b/i,
      /\bclustered\b/i,
    ],
  ],
  ['oracle', [/\bvarchar2\b/i, /^[ \t]*\/[ \t]*$/m, /\bnumber\s*\(\s*\d+/i, /\bsysdate\b/i, /\bfrom\s+dual\b/i]],
  ['bigquery', [/\b(?:struct|array)\s*<\s*\w/i, /`[\w-]+\.[\w-]+\.[\w-]+`/, /\bsafe_cast\s*\(/i]],
];

/** Names that a folder or file has where all in it is for another database. */
const pathWords = new Map([
  ['clickhouse', 'clickhouse'],
  ['mysql', 'mysql'],
  ['mariadb', 'mysql'],
  ['sqlite', 'sqlite'],
  ['sqlite3', 'sqlite'],
  ['libsql', 'sqlite'],
  ['mssql', 'tsql'],
  ['sqlserver', 'tsql'],
  ['oracle', 'oracle'],
  ['bigquery', 'bigquery'],
  ['snowflake', 'snowflake'],
  ['duckdb', 'duckdb'],
]);

/** What no other database of the list says. */
const postgres =
  /\brow\s+level\s+security\b|\bcreate\s+(?:policy|extension|domain)\b|\b(?:timestamptz|jsonb|bigserial|plpgsql|gen_random_uuid)\b|::\s*\w|\$\$|\bsecurity\s+definer\b/i;

/**
 * The dialect of a script that is not PostgreSQL's: `refused` are the statements that PostgreSQL's grammar refuses. A path that names another
 * database is believed unless the text is clearly PostgreSQL.
 */
export function foreignDialect(file: string, text: string, refused: readonly ParsedStatement[]): string | undefined {
  const words = file.toLowerCase().split(/[^a-z0-9]+/);
  const named = words.map((word) => pathWords.get(word)).find((dialect) => dialect !== undefined);
  if (named !== undefined && !postgres.test(text)) return named;
  if (refused.length === 0) return undefined;
  const votes = new Map<string, number>();
  let convinced = 0;
  for (const statement of refused.slice(0, 200)) {
    const dialects = scores(codeOf(statement.text));
    if (dialects.size > 0) convinced++;
    for (const [dialect, score] of dialects) votes.set(dialect, (votes.get(dialect) ?? 0) + score);
  }
  if (convinced * 2 < Math.min(refused.length, 200)) return undefined;
  return [...votes].sort((a, b) => b[1] - a[1])[0]?.[0];
}

function scores(code: string): Map<string, number> {
  const found = new Map<string, number>();
  for (const [dialect, patterns] of signs) {
    const score = patterns.filter((pattern) => pattern.test(code)).length;
    if (score > 0) found.set(dialect, score);
  }
  return found;
}

/** At most this much of a statement is looked at. */
const examined = 20_000;

/** A statement without strings and comments. */
function codeOf(text: string): string {
  const lexer = new Lexer(text.slice(0, examined));
  let code = '';
  while (lexer.next()) {
    if (lexer.kind === 'string' || lexer.kind === 'dollar string') code += "''";
    else code += lexer.kind === 'comment' ? ' ' : lexer.value;
  }
  return code;
}

const templates: readonly (readonly [RegExp, string])[] = [
  [/\{\{[^{}]*\}\}|\{%[^{}]*%\}/, '{{ }}'],
  [/\$\{[^{}]*\}/, '${ }'],
  [/<%[^%]*%>/, '<% %>'],
  [/@\w+@/, '@name@'],
  [/(?:^|[^:\w"'\]]):(?:[A-Za-z_]\w*|'\w+'|"\w+")/, ':name'],
  [/%\(\w+\)s|(?:^|[\s(,=])%[sIL](?=[\s),;]|$)/, '%s'],
  [/\$\(\w+\)/, '$(name)'],
  [/#\{[^{}]*\}/, '#{ }'],
  [/(?:^|[\s(,=])\?(?=[\s),;]|$)/, '?'],
];

/** The kind of hole that a refused statement has where something else is put in before it runs. */
export function templateIn(statement: ParsedStatement): string | undefined {
  const code = codeOf(statement.text);
  return templates.find(([pattern]) => pattern.test(code))?.[1];
}
