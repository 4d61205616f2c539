import { describe, expect, test } from 'vitest';
import { parseSql, type ParsedFile } from '../src/parser/index.js';

const kinds = (file: ParsedFile): string[] =>
  file.statements.map((s) => s.skipped ?? Object.keys(s.node ?? {})[0] ?? (s.error ? 'error' : 'nothing'));
const texts = (sql: string): string[] => parseSql(sql).statements.map((s) => sql.slice(s.start, s.end));

describe('splitting', () => {
  test('statements end at semicolons and begin behind comments', () => {
    const sql = '-- first\nselect 1; /* two */ select 2 -- end\n;\n;;select 3';
    expect(texts(sql)).toEqual(['select 1', 'select 2', 'select 3']);
  });

  test('semicolons in quotes, comments, dollar quotes and quoted names end nothing', () => {
    const sql = `select ';', ";", $$;$$, $a$;$$;$a$, e'\\';' /* ; /* ; */ ; */ from t; select 2`;
    expect(texts(sql)).toHaveLength(2);
    expect(kinds(parseSql(sql))).toEqual(['SelectStmt', 'SelectStmt']);
  });

  test('the body of BEGIN ATOMIC and the actions of a rule keep their semicolons', () => {
    const sql = `create function f(a int) returns int begin atomic select 1; select case when a = 1 then 2 end; end;
create rule r as on insert to t do (select 1; select 2);
select 3`;
    expect(kinds(parseSql(sql))).toEqual(['CreateFunctionStmt', 'RuleStmt', 'SelectStmt']);
  });

  test('commands of psql and the data of COPY are no statements', () => {
    const sql = 'select 1;\n\\connect app\nCOPY t (a) FROM stdin;\n1\n; drop table x;\n\\.\n\nselect 2;\n\\if true\n';
    const file = parseSql(sql);
    expect(kinds(file)).toEqual(['SelectStmt', 'CopyStmt', 'SelectStmt']);
    expect(file.meta.map((m) => sql.slice(m.start, m.end))).toEqual(['\\connect app', '\\if true']);
    expect(file.unchecked).toEqual([]);
  });

  test('a broken statement in the middle costs only itself', () => {
    const sql = 'select 1;\ncreat table x (a int);\nselect (1;\nselect 2;';
    const file = parseSql(sql);
    expect(kinds(file)).toEqual(['SelectStmt', 'error', 'error', 'SelectStmt']);
    expect(file.unchecked.map((u) => sql.slice(u.start, u.end))).toEqual(['creat table x (a int)', 'select (1']);
    expect(file.statements[1]?.error?.at).toBe(sql.indexOf('creat '));
  });

  test('a forgotten quote costs only its statement', () => {
    const sql = `select 1;\ninsert into t values ('it's);\ncreate table t (a text default 'x');\nselect $$ open;\nselect 2;\n`;
    const file = parseSql(sql);
    expect(kinds(file)).toEqual(['SelectStmt', 'error', 'CreateStmt', 'error', 'SelectStmt']);
  });

  test.each(['', ' \n', '-- only a comment', '/* one */', '\uFEFF', ';;;', '/* open'])('no statement in %j', (sql) => {
    expect(parseSql(sql).statements.filter((s) => s.node)).toEqual([]);
  });
});

describe('positions', () => {
  test('nodes behind umlauts, emoji, a BOM and CRLF', () => {
    const sql = "\uFEFF-- é😀\r\nselect 'ü😀' as a,\r\n  x.ÿd as b from tää;\r\nselect 'é', wörd;";
    const [first, second] = parseSql(sql).statements;
    expect(sql.slice(first?.start, first?.end)).toBe("select 'ü😀' as a,\r\n  x.ÿd as b from tää");
    const node = first?.node;
    if (!first || !node || !('SelectStmt' in node)) throw new Error('not parsed');
    const places = (node.SelectStmt.targetList ?? []).map((t) =>
      'ResTarget' in t ? (t.ResTarget.location ?? -1) : -1,
    );
    expect(places.map((byte) => first.offset(byte))).toEqual([sql.indexOf("'ü😀'"), sql.indexOf('x.ÿd')]);
    expect(second?.start).toBe(sql.indexOf("select 'é'"));
  });

  test('an error behind an emoji points at its token', () => {
    const sql = "select '😀😀', from";
    expect(parseSql(sql).statements[0]?.error?.at).toBe(sql.indexOf('from'));
  });

  test('a lone surrogate keeps later positions right', () => {
    const sql = "select '\uD800', a from";
    const [statement] = parseSql(sql).statements;
    expect(statement?.error?.at).toBe(sql.length);
  });
});

describe('hostile input', () => {
  test('NUL does not hide what follows it', () => {
    const file = parseSql('select 1;\nselect 2\0; drop table t;\nselect 3;');
    expect(kinds(file)).toEqual(['SelectStmt', 'error', 'DropStmt', 'SelectStmt']);
    expect(file.unchecked[0]).toMatchObject({ reason: 'syntax', detail: 'NUL character' });
  });

  const deep: Record<string, string> = {
    'parentheses 10,000 deep': `select ${'('.repeat(10_000)}1${')'.repeat(10_000)}`,
    'sub-selects 10,000 deep': `select ${'(select '.repeat(10_000)}1${')'.repeat(10_000)}`,
    '10,000 operators in a chain': `select ${Array(10_000).fill('1').join('+')}`,
    '10,000 casts in a chain': `select 1${'::int'.repeat(10_000)}`,
    'NOT 10,000 times': `select ${'not '.repeat(10_000)}true`,
    '10,000 arms of a union': Array(10_000).fill('select 1').join(' union all '),
    'CASE 10,000 deep': `select ${'case when a then '.repeat(10_000)}1${' end'.repeat(10_000)}`,
  };
  test.each(Object.entries(deep))('%s', (_, sql) => {
    const file = parseSql(`select 1; ${sql}; select 2`);
    expect(kinds(file)).toEqual(['SelectStmt', 'error', 'SelectStmt']);
    expect(file.unchecked).toMatchObject([{ reason: 'too-large' }]);
  });

  test('lists may be as long as they like', () => {
    const list = Array.from({ length: 10_000 }, (_, i) => `${i} + 1`).join(', ');
    const conditions = Array.from({ length: 300 }, (_, i) => `a = ${i}`).join(' or ');
    expect(kinds(parseSql(`select ${list}; select 1 where ${conditions}`))).toEqual(['SelectStmt', 'SelectStmt']);
  });

  test('a huge statement is refused, its neighbours are not', () => {
    const file = parseSql(`select 1; select '${'x'.repeat(1_100_000)}'; select 2`);
    expect(kinds(file)).toEqual(['SelectStmt', 'error', 'SelectStmt']);
    expect(file.unchecked).toMatchObject([{ reason: 'too-large' }]);
  });

  test('many forgotten quotes end in bounded time', () => {
    const sql = "select 'a;\n".repeat(20_001);
    const started = performance.now();
    const file = parseSql(sql);
    expect(file.statements.length).toBeGreaterThan(0);
    expect(performance.now() - started).toBeLessThan(20_000);
  }, 30_000);

  test('blank lines by the hundred thousand', () => {
    const started = performance.now();
    expect(kinds(parseSql(`${'\n'.repeat(500_000)}select 1${' '.repeat(500_000)};`))).toEqual(['SelectStmt']);
    expect(performance.now() - started).toBeLessThan(10_000);
  }, 30_000);
});
