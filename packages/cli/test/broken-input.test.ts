import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { app, leaking, project, run, schema, spawned, type Outcome } from './support/project.js';

/** The real command on files that are not as they should be: a clear message or an entry of what was not checked, in bounded time. */

const seconds = 30;
let remove: () => void = () => undefined;
afterEach(() => remove());

interface Json {
  readonly findings: readonly { rule: string; file: string; start: { line: number; column: number } }[];
  readonly unchecked: readonly { file: string; reason: string; detail?: string; start?: { line: number } }[];
}

async function check(
  files: Readonly<Record<string, string | Buffer>>,
  prepare: (root: string) => void = () => undefined,
): Promise<{ outcome: Outcome; json: Json }> {
  const made = project({ ...app, ...files });
  remove = made.remove;
  prepare(made.root);
  const outcome = await spawned(made.root, ['--format', 'json'], seconds);
  expectNoStack(outcome);
  expect(outcome.stdout, outcome.stderr).not.toBe('');
  return { outcome, json: JSON.parse(outcome.stdout) as Json };
}

function expectNoStack({ stdout, stderr }: Outcome): void {
  expect(stderr).not.toMatch(/^\s+at .*\.[cm]?[jt]s:\d+:\d+\)?$/m);
  expect(stderr).not.toContain('internal error');
  expect(stdout).not.toMatch(/\n\s+at .*\(.*:\d+:\d+\)/);
}

const uncheckedOf = (json: Json, file: string): readonly string[] =>
  json.unchecked.filter((u) => u.file === file).map((u) => u.reason);

/** What the rest of the application shows however broken one file is. */
const leak = { rule: 'require-tenant-filter', file: 'src/invoices.ts', line: 6 };
const leaks = (json: Json): unknown[] =>
  json.findings.map((f) => ({ rule: f.rule, file: f.file, line: f.start.line })).filter((f) => f.file === leak.file);

describe('files that do not parse', () => {
  it('TypeScript with a syntax error is named, with its line, and the rest is checked', async () => {
    const { outcome, json } = await check({
      'src/broken.ts': "import { Pool } from 'pg';\nconst pool = new Pool();\npool.query('select 1';\nconst = 2;\n",
    });
    expect(uncheckedOf(json, 'src/broken.ts')).toEqual(['syntax']);
    expect(json.unchecked.find((u) => u.file === 'src/broken.ts')?.start?.line).toBe(3);
    expect(leaks(json)).toEqual([leak]);
    expect(outcome.code).toBe(1);
  });

  it('one bad SQL statement does not cost the others', async () => {
    const { json } = await check({
      'migrations/002_more.sql':
        'create tabel oops (id int);\ncreate table notes (id uuid primary key, organization_id uuid);\n',
    });
    expect(uncheckedOf(json, 'migrations/002_more.sql')).toEqual(['syntax']);
    expect(
      json.findings.some((f) => f.rule === 'require-tenant-not-null' && f.file === 'migrations/002_more.sql'),
    ).toBe(true);
    expect(leaks(json)).toEqual([leak]);
  });

  it('a Prisma schema with a syntax error is named', async () => {
    const { json } = await check({ 'prisma/schema.prisma': 'model Invoice {\n  id String @id\n  total Int @@@\n' });
    expect(uncheckedOf(json, 'prisma/schema.prisma')).toContain('syntax');
    expect(leaks(json)).toEqual([leak]);
  });

  it('code that is being typed', async () => {
    const { json } = await check({
      'src/typing.ts': `${leaking}\nexport async function next(organizationId: string) {\n  return pool.query('select * from projects where organization_id = $1', [organiz`,
    });
    expect(uncheckedOf(json, 'src/typing.ts')).toContain('syntax');
    expect(leaks(json)).toEqual([leak]);
  });

  it('a manifest that is no JSON', async () => {
    const { json } = await check({ 'packages/a/package.json': '[1, 2' });
    expect(uncheckedOf(json, 'packages/a/package.json')).toEqual(['syntax']);
  });
});

describe('files that hold no text', () => {
  it('empty files hold nothing, and are no failure', async () => {
    const { outcome, json } = await check({
      'src/empty.ts': '',
      'migrations/002_empty.sql': '',
      'prisma/schema.prisma': '',
      'packages/a/package.json': '',
    });
    expect(json.unchecked.filter((u) => u.file !== 'packages/a/package.json')).toEqual([]);
    expect(leaks(json)).toEqual([leak]);
    expect(outcome.code).toBe(1);
  });

  it('binary files', async () => {
    const bytes = Buffer.from([0, 1, 2, 255, 254, 0, 7, 8, 9, 0]);
    const { json } = await check({
      'migrations/002_blob.sql': bytes,
      'src/blob.ts': bytes,
      'src/late.ts': Buffer.concat([Buffer.from(`${leaking}\n// ${'x'.repeat(9000)}`), bytes]),
    });
    expect(uncheckedOf(json, 'migrations/002_blob.sql')).toEqual(['binary']);
    expect(uncheckedOf(json, 'src/blob.ts')).toEqual(['binary']);
    expect(uncheckedOf(json, 'src/late.ts').length).toBeGreaterThan(0);
    expect(leaks(json)).toEqual([leak]);
  });

  it('files of 10 MB', async () => {
    const big = Buffer.alloc(10 << 20, '-- nothing but a comment of many lines\n');
    const { json } = await check({ 'migrations/002_big.sql': big, 'src/big.ts': big });
    expect(uncheckedOf(json, 'migrations/002_big.sql')).toEqual(['too-large']);
    expect(uncheckedOf(json, 'src/big.ts')).toEqual(['too-large']);
    expect(leaks(json)).toEqual([leak]);
  });
});

describe('nesting of 10,000', () => {
  const depth = 10_000;

  it('in TypeScript', async () => {
    const nested = `${'('.repeat(depth)}1${')'.repeat(depth)}`;
    const objects = `${'{ a: '.repeat(depth)}1${' }'.repeat(depth)}`;
    const { json } = await check({
      'src/parentheses.ts': `import { Pool } from 'pg';\nexport const x = ${nested};\nnew Pool().query('select * from invoices');\n`,
      'src/objects.ts': `import { Pool } from 'pg';\nnew Pool().query('select 1', ${objects});\n`,
      'src/blocks.ts': `import { Pool } from 'pg';\n${'{'.repeat(depth)}${'}'.repeat(depth)}\n`,
    });
    for (const file of ['src/parentheses.ts', 'src/objects.ts', 'src/blocks.ts'])
      expect(uncheckedOf(json, file), file).not.toEqual([]);
    expect(leaks(json)).toEqual([leak]);
  });

  it('in SQL', async () => {
    const nested = `${'('.repeat(depth)}1${')'.repeat(depth)}`;
    const selects = `${'select * from ('.repeat(depth)}select 1${') s'.repeat(depth)}`;
    const { json } = await check({
      'migrations/002_deep.sql': `select ${nested};\ncreate table notes (id uuid primary key, organization_id uuid);\n`,
      'migrations/003_selects.sql': `${selects};`,
      'migrations/004_and.sql': `select 1 where ${'true and '.repeat(depth)} true;`,
    });
    expect(uncheckedOf(json, 'migrations/002_deep.sql')).not.toEqual([]);
    expect(uncheckedOf(json, 'migrations/003_selects.sql')).not.toEqual([]);
    expect(
      json.findings.some((f) => f.rule === 'require-tenant-not-null' && f.file === 'migrations/002_deep.sql'),
    ).toBe(true);
    expect(leaks(json)).toEqual([leak]);
  });
});

describe('line ends and encodings', () => {
  it('CRLF: the same findings on the same lines and columns', async () => {
    const crlf = (text: string): string => text.replaceAll('\n', '\r\n');
    const plain = await check({});
    remove();
    const { json } = await check({ 'src/invoices.ts': crlf(leaking), 'migrations/001_init.sql': crlf(schema) });
    expect(json.findings.map((f) => [f.rule, f.file, f.start])).toEqual(
      plain.json.findings.map((f) => [f.rule, f.file, f.start]),
    );
    expect(json.findings.length).toBeGreaterThan(0);
    expect(json.unchecked).toEqual([]);
  });

  it('a byte order mark counts in no column', async () => {
    const oneLine = "import { Pool } from 'pg'; export const all = () => new Pool().query('select * from invoices');\n";
    const plain = await check({ 'src/one.ts': oneLine });
    remove();
    const marked = await check({ 'src/one.ts': `\uFEFF${oneLine}`, 'migrations/001_init.sql': `\uFEFF${schema}` });
    const at = (json: Json): unknown => json.findings.filter((f) => f.file === 'src/one.ts').map((f) => f.start);
    expect(at(marked.json)).toEqual(at(plain.json));
    expect(at(marked.json)).not.toEqual([]);
    expect(marked.json.unchecked).toEqual([]);
  });

  it('UTF-16 with a byte order mark is read, in both orders', async () => {
    const little = Buffer.from(`\uFEFF${leaking}`, 'utf16le');
    const big = Buffer.from(`\uFEFF${schema}`, 'utf16le').swap16();
    const { json } = await check({ 'src/invoices.ts': little, 'migrations/001_init.sql': big });
    expect(leaks(json)).toEqual([leak]);
    expect(json.unchecked).toEqual([]);
  });

  it('UTF-16 with an odd number of bytes, and without a mark', async () => {
    const cut = Buffer.from(`\uFEFFselect 1;`, 'utf16le').swap16();
    const { json } = await check({
      'migrations/002_odd.sql': Buffer.concat([cut, Buffer.from([0])]),
      'migrations/003_bare.sql': Buffer.from('select 1;', 'utf16le'),
    });
    expect(uncheckedOf(json, 'migrations/003_bare.sql')).toEqual(['binary']);
    expect(leaks(json)).toEqual([leak]);
  });

  it('bytes that are no UTF-8', async () => {
    const { json } = await check({
      'src/latin.ts': Buffer.concat([Buffer.from('// '), Buffer.from([0xe4, 0xf6, 0xfc]), Buffer.from(`\n${leaking}`)]),
    });
    expect(json.findings.some((f) => f.file === 'src/latin.ts' && f.start.line === 7)).toBe(true);
  });
});

describe('things that are no files', () => {
  it('a folder named like a SQL file', async () => {
    const { json } = await check({
      'migrations/x.sql/readme.txt': 'not SQL',
      'migrations/x.sql/inner.sql': 'select 1;',
    });
    expect(uncheckedOf(json, 'migrations/x.sql')).toEqual(['folder']);
    expect(leaks(json)).toEqual([leak]);
  });

  it('an empty folder named like a SQL file', async () => {
    const { json } = await check({}, (root) => mkdirSync(path.join(root, 'migrations/y.sql')));
    expect(leaks(json)).toEqual([leak]);
  });

  for (const git of [false, true]) {
    it(`links in a circle, out of the project and to nowhere${git ? ', in git' : ''}`, async () => {
      const { json } = await check({}, (root) => {
        symlinkSync('..', path.join(root, 'src/loop'));
        symlinkSync('self.sql', path.join(root, 'migrations/self.sql'));
        symlinkSync('missing.sql', path.join(root, 'migrations/dangling.sql'));
        symlinkSync('/', path.join(root, 'src/outside'));
        if (git) {
          execFileSync('git', ['init', '-q'], { cwd: root });
          execFileSync('git', ['add', '.'], { cwd: root });
        }
      });
      expect(uncheckedOf(json, 'src/loop')).toEqual(['link']);
      expect(uncheckedOf(json, 'src/outside')).toEqual(['link']);
      expect(uncheckedOf(json, 'migrations/self.sql')).toEqual(['link']);
      expect(uncheckedOf(json, 'migrations/dangling.sql')).toEqual(['link']);
      expect(leaks(json)).toEqual([leak]);
    });
  }

  it('a file deleted in the work tree is not there, and nothing is said of it', async () => {
    const { json } = await check({ 'src/deleted.ts': leaking }, (root) => {
      execFileSync('git', ['init', '-q'], { cwd: root });
      execFileSync('git', ['add', '.'], { cwd: root });
      execFileSync('rm', ['src/deleted.ts'], { cwd: root });
    });
    expect(json.unchecked).toEqual([]);
    expect(json.findings.filter((f) => f.file === 'src/deleted.ts')).toEqual([]);
  });

  it('what may not be read', async () => {
    const { json } = await check({ 'migrations/002_secret.sql': 'select 1;', 'locked/a.sql': 'select 1;' }, (root) => {
      // The administrator reads what has no permission bits: a named pipe cannot be read as a file by anyone.
      if (process.getuid?.() === 0) {
        execFileSync('rm', ['migrations/002_secret.sql', 'locked/a.sql'], { cwd: root });
        execFileSync('mkfifo', ['migrations/002_secret.sql', 'locked/a.sql'], { cwd: root });
      } else {
        chmodSync(path.join(root, 'migrations/002_secret.sql'), 0);
        chmodSync(path.join(root, 'locked/a.sql'), 0);
      }
    });
    expect(uncheckedOf(json, 'migrations/002_secret.sql')).toEqual(['unreadable']);
    expect(uncheckedOf(json, 'locked/a.sql')).toEqual(['unreadable']);
    expect(leaks(json)).toEqual([leak]);
  });
});

describe('runs that cannot do their job end with 2 and say what to do', () => {
  const refusals: readonly {
    readonly name: string;
    readonly files: Readonly<Record<string, string>>;
    readonly args?: readonly string[];
    readonly says: readonly RegExp[];
  }[] = [
    { name: 'an empty folder', files: {}, says: [/nothing to check here/, /folder of the project/] },
    {
      name: 'code without any schema',
      files: { 'src/a.ts': leaking },
      says: [/No table was found in 1 file/, /migrations or the Prisma or Drizzle schema/],
    },
    {
      name: 'a schema that cannot be read',
      files: { 'migrations/001.sql': 'create tabel x (id int);' },
      says: [/No table was found/, /migrations\/001\.sql: syntax/],
    },
    {
      name: 'tables in which nothing shows a tenant',
      files: { 'migrations/001.sql': 'create table a (id int primary key);\ncreate table b (id int primary key);' },
      says: [/could not be inferred/, /tenancy: \{ keys: \[/],
    },
    {
      name: 'a path that does not exist',
      files: app,
      args: ['src/nothere.ts'],
      says: [/no file, folder or command src\/nothere\.ts/],
    },
    { name: 'a misspelt command', files: app, args: ['inspct'], says: [/did you mean inspect\?/] },
    {
      name: 'an option that does not exist',
      files: app,
      args: ['--formt', 'json'],
      says: [/unknown option '--formt'/, /--format/],
    },
    { name: 'a format that does not exist', files: app, args: ['--format', 'jsn'], says: [/text, json, sarif/] },
    {
      name: 'a rule that does not exist',
      files: app,
      args: ['--rule', 'no-unscoped-gett'],
      says: [/did you mean no-unscoped-get\?/],
    },
    {
      name: 'a severity that does not exist',
      files: app,
      args: ['--severity', 'no-unscoped-get=loud'],
      says: [/off, info, warning, error/],
    },
    { name: 'a number that is none', files: app, args: ['--max-warnings', 'few'], says: [/Not a number/] },
    {
      name: 'a baseline that does not exist',
      files: app,
      args: ['--baseline', 'no.json'],
      says: [/baseline cannot be read \(ENOENT\)/],
    },
    {
      name: 'a baseline that is none',
      files: { ...app, 'b.json': '{}' },
      args: ['--baseline', 'b.json'],
      says: [/no list of findings/],
    },
    {
      name: 'a report that cannot be written',
      files: app,
      args: ['--format', 'json=src'],
      says: [/report cannot be written \(EISDIR\)/],
    },
    {
      name: 'a configuration that is no JSON',
      files: { ...app, 'tenant-lint.config.json': '{ "tenancy": { "keys": [ } }' },
      says: [/not valid JSON/, /tenant-lint\.config\.json:1:/],
    },
    {
      name: 'a configuration with an unknown key',
      files: { ...app, 'tenant-lint.config.json': '{ "tenancy": { "kyes": ["organization_id"] } }' },
      says: [/tenancy\.kyes: no such key, did you mean keys\?/, /tenant-lint\.config\.json/],
    },
    {
      name: 'a configuration with a value of another kind',
      files: { ...app, 'tenant-lint.config.json': '{ "tenancy": { "keys": "organization_id" } }' },
      says: [/tenancy\.keys: /, /array/],
    },
    {
      name: 'a configuration that is a list',
      files: { ...app, 'tenant-lint.config.json': '[]' },
      says: [/the configuration: /],
    },
    {
      name: 'a configuration with an unknown rule',
      files: { ...app, 'tenant-lint.config.json': '{ "rules": { "require-tenant-filtre": "error" } }' },
      says: [
        /rules\.require-tenant-filtre: there is no rule require-tenant-filtre, did you mean require-tenant-filter\?/,
      ],
    },
    {
      name: 'a configuration with an unknown severity',
      files: { ...app, 'tenant-lint.config.json': '{ "rules": { "require-tenant-filter": "loud" } }' },
      says: [/rules\.require-tenant-filter: write off, info, warning or error/],
    },
    {
      name: 'a configuration with an option that the rule does not have',
      files: {
        ...app,
        'tenant-lint.config.json': '{ "rules": { "require-tenant-filter": ["error", { "depth": 3 }] } }',
      },
      says: [/rules\.require-tenant-filter: no option depth/],
    },
    {
      name: 'a configuration that throws',
      files: { ...app, 'tenant-lint.config.ts': "throw new Error('no luck');" },
      says: [/does not load: no luck/, /tenant-lint\.config\.ts/],
    },
    {
      name: 'a configuration that does not parse',
      files: { ...app, 'tenant-lint.config.ts': 'export default {' },
      says: [/does not load/, /tenant-lint\.config\.ts/],
    },
    {
      name: 'a configuration without a default export',
      files: { ...app, 'tenant-lint.config.ts': 'export const config = {};' },
      says: [/no default export/],
    },
    {
      name: 'a configuration that is code where only JSON is allowed',
      files: { ...app, 'tenant-lint.config.ts': 'export default {};' },
      args: ['--no-config-code'],
      says: [/--no-config-code allows JSON only/],
    },
    {
      name: 'a configuration that is not there',
      files: app,
      args: ['--config', 'no.ts'],
      says: [/no configuration at this path/],
    },
    {
      name: 'a manifest without the key as configuration',
      files: app,
      args: ['--config', 'package.json'],
      says: [/no key tenantLint/],
    },
    {
      name: 'a rule to explain that does not exist',
      files: app,
      args: ['explain', 'no-unscoped'],
      says: [/There is no rule no-unscoped/],
    },
    {
      name: 'a table to inspect that does not exist',
      files: app,
      args: ['inspect', 'invoises'],
      says: [/did you mean invoices\?/],
    },
  ];

  for (const { name, files, args = [], says } of refusals) {
    it(name, async () => {
      const made = project(files);
      remove = made.remove;
      const outcome = await run(made.root, ...args);
      expect(outcome.code, outcome.stdout + outcome.stderr).toBe(2);
      for (const pattern of says) expect(outcome.stderr).toMatch(pattern);
      expectNoStack(outcome);
      expect(outcome.stdout).toBe('');
      expect(outcome.stderr.split('\n').length).toBeLessThan(15);
    });
  }

  it('input that was not checked, under --strict', async () => {
    const made = project({ ...app, 'migrations/002_bad.sql': 'create tabel x (id int);' });
    remove = made.remove;
    const lax = await spawned(made.root, ['--fail-on', 'never']);
    expect(lax.code).toBe(0);
    const strict = await spawned(made.root, ['--fail-on', 'never', '--strict']);
    expect(strict.code).toBe(2);
    expect(strict.stdout).toContain('migrations/002_bad.sql:1:');
    expect(strict.stderr).toMatch(/1 input was not checked, and --strict/);
    expect(readFileSync(path.join(made.root, 'migrations/002_bad.sql'), 'utf8')).toContain('tabel');
  });
});
