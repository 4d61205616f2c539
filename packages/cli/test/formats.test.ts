import { readFileSync } from 'node:fs';
import path from 'node:path';
import { HtmlRenderer, Parser } from 'commonmark';
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { afterEach, describe, expect, it } from 'vitest';
import { app, project, run } from './support/project.js';

let remove: () => void = () => undefined;
afterEach(() => remove());

function opened(files: Readonly<Record<string, string>>): string {
  const made = project(files);
  remove = made.remove;
  return made.root;
}

const place = 'src/invoices.ts';
const broken = { ...app, 'migrations/002.sql': 'create tabel x (id int);\n' };

describe('github', () => {
  it('is one workflow command a finding, at the place of the finding', async () => {
    const { code, stdout } = await run(opened(broken), '--format', 'github');
    expect(code).toBe(1);
    const lines = stdout.trimEnd().split('\n');
    expect(lines[0]).toMatch(
      /^::error file=src\/invoices\.ts,line=6,endLine=6,col=\d+,endColumn=\d+,title=tenant-lint%3A require-tenant-filter::\S/,
    );
    expect(lines.at(-1)).toMatch(/^::notice title=tenant-lint%3A not checked::1: migrations\/002\.sql \(/);
    expect(lines).toHaveLength(2);
  });

  it('is empty where there is nothing to say', async () => {
    const { stdout } = await run(opened({ ...app, [place]: 'export const x = 1;\n' }), '--format', 'github');
    expect(stdout).toBe('');
  });
});

describe('gitlab', () => {
  it('is a list of issues with what GitLab requires of each', async () => {
    const { stdout } = await run(opened(app), '--format', 'gitlab');
    const issues = JSON.parse(stdout) as Record<string, unknown>[];
    expect(issues).toHaveLength(1);
    expect(issues[0]).toMatchObject({
      check_name: 'require-tenant-filter',
      severity: 'critical',
      location: { path: place, lines: { begin: 6, end: 6 } },
    });
    expect(issues[0]!['description']).toMatch(/\S/);
    expect(issues[0]!['fingerprint']).toMatch(/^[0-9a-f]{16}$/);
  });

  it('is an empty list where there is nothing to say', async () => {
    const { stdout } = await run(opened({ ...app, [place]: 'export const x = 1;\n' }), '--format', 'gitlab');
    expect(JSON.parse(stdout)).toEqual([]);
  });
});

interface Suite {
  readonly name: string;
  readonly tests: string;
  readonly failures: string;
  readonly skipped: string;
  readonly testcase: readonly Record<string, unknown>[];
}

function junit(text: string): { readonly tests: string; readonly failures: string; readonly suites: readonly Suite[] } {
  expect(XMLValidator.validate(text)).toBe(true);
  const parser = new XMLParser({
    ignoreAttributes: false,
    attributeNamePrefix: '',
    isArray: (name) => name === 'testsuite' || name === 'testcase',
  });
  const { testsuites } = parser.parse(text) as {
    testsuites: { tests: string; failures: string; testsuite: readonly Suite[] };
  };
  return { tests: testsuites.tests, failures: testsuites.failures, suites: testsuites.testsuite };
}

describe('junit', () => {
  it('has a failed case for each finding that fails the run, a skipped one for what was not checked', async () => {
    const { stdout } = await run(opened(broken), '--format', 'junit');
    const report = junit(stdout);
    expect([report.tests, report.failures]).toEqual(['2', '1']);
    const code = report.suites.find((s) => s.name === place)!;
    expect(code.testcase[0]).toMatchObject({ classname: place, file: place, line: '6' });
    expect(code.testcase[0]!['failure']).toMatchObject({ type: 'require-tenant-filter' });
    expect(report.suites.find((s) => s.name === 'migrations/002.sql')).toMatchObject({ skipped: '1', failures: '0' });
  });

  it('fails a case for a warning only with --fail-on warning', async () => {
    const files = {
      ...app,
      [place]: 'export const x = 1;\n',
      'migrations/002_notes.sql':
        'create table notes (id uuid primary key, organization_id uuid not null references organizations (id));\n',
    };
    const root = opened(files);
    expect(junit((await run(root, '--format', 'junit')).stdout)).toMatchObject({ tests: '1', failures: '0' });
    expect(junit((await run(root, '--format', 'junit', '--fail-on', 'warning')).stdout)).toMatchObject({
      failures: '1',
    });
  });

  it('has one passed case where there is nothing to say', async () => {
    const { stdout } = await run(opened({ ...app, [place]: 'export const x = 1;\n' }), '--format', 'junit');
    expect(junit(stdout)).toMatchObject({ tests: '1', failures: '0' });
  });
});

const html = (markdown: string): string => new HtmlRenderer().render(new Parser().parse(markdown));

describe('markdown', () => {
  it('has the counts, the finding with its place, and what was not checked', async () => {
    const { stdout } = await run(opened(broken), '--format', 'markdown');
    const page = html(stdout);
    expect(page).toContain('<strong>1 error, 0 warnings, 1 not checked</strong>');
    expect(page).toContain('<code>src/invoices.ts:6:');
    expect(page).toContain('<code>migrations/002.sql');
  });
});

describe('agent', () => {
  it('has a record for each finding and a line for each reason why something was not checked', async () => {
    const { stdout } = await run(opened(broken), '--format', 'agent');
    expect(stdout).toMatch(/^tenant-lint: 1 errors, 0 warnings, 0 info, 1 not checked\n/);
    expect(stdout).toMatch(/^src\/invoices\.ts:6:\d+-6:\d+ error\/\w+ require-tenant-filter table \S+\n {2}what: /m);
    expect(stdout).toMatch(/^- syntax: migrations\/002\.sql:1:/m);
  });
});

describe('several formats in one run', () => {
  it('each goes to its file, the one without a file to stdout', async () => {
    const root = opened(app);
    const { stdout } = await run(
      root,
      '--format',
      'json',
      '--format',
      'junit=out/junit.xml',
      '--format',
      'sarif=s.json',
    );
    expect((JSON.parse(stdout) as { version: number }).version).toBe(1);
    junit(readFileSync(path.join(root, 'out/junit.xml'), 'utf8'));
    expect((JSON.parse(readFileSync(path.join(root, 's.json'), 'utf8')) as { version: string }).version).toBe('2.1.0');
  });
});

/** Names that a stranger chooses: files, tables, and the code around a finding. */
describe('names that would be obeyed', () => {
  const escape = '\u001b]0;owned\u0007\u001b[2J';
  const file = 'src/a%0A::error::x,`<img src=x onerror=alert(1)>`|@root.ts';
  const table = '"`</code><script>alert(1)</script>::set-output name=x::y"';
  const hostile = {
    'package.json': '{ "name": "app", "dependencies": { "pg": "8.13.0" } }',
    'migrations/001_init.sql': `create table organizations (id uuid primary key);
create table ${table} (id uuid primary key, organization_id uuid not null references organizations (id));
create index on ${table} (organization_id);
`,
    [file]: `import { Pool } from 'pg';
const pool = new Pool();
/* ${escape} \u202e */ export const all = () => pool.query('select * from ${table} /* ${escape}\u009b31m */');
`,
  };

  it.each(['text', 'json', 'sarif', 'github', 'gitlab', 'junit', 'markdown', 'agent'])(
    '%s holds no character that a terminal obeys',
    async (format) => {
      const { code, stdout } = await run(opened(hostile), '--format', format);
      expect(code).toBe(1);
      expect(stdout).toContain('require-tenant-filter');
      // eslint-disable-next-line no-control-regex -- these are what must not be there
      expect(stdout).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
    },
  );

  it('github: nothing but our own commands', async () => {
    const { stdout } = await run(opened(hostile), '--format', 'github');
    const lines = stdout.trimEnd().split('\n');
    expect(lines.every((line) => /^::(?:error|warning|notice) /.test(line))).toBe(true);
    const [, properties] = /^::error ([^\n]*?)::/.exec(lines[0]!)!;
    const keys = properties!.split(',').map((p) => p.split('=')[0]);
    expect(keys.filter((k) => !['file', 'line', 'endLine', 'col', 'endColumn', 'title'].includes(k!))).toEqual([]);
    // What the runner reads back is the name of the file.
    const read = properties!
      .split(',')
      .find((p) => p.startsWith('file='))!
      .slice(5)
      .replace(/%3A/g, ':')
      .replace(/%2C/g, ',')
      .replace(/%25/g, '%');
    expect(read).toBe(file);
  });

  it('markdown: no HTML, no link, no mention', async () => {
    const { stdout } = await run(opened(hostile), '--format', 'markdown');
    const page = html(stdout);
    expect(page.replace(/<\/?(?:h2|p|ul|li|strong|em|code|details|summary)>/g, '')).not.toMatch(/<[a-z/]/i);
    expect(page.replace(/<code>.*?<\/code>/gs, '')).not.toMatch(/@\w/);
  });

  it('junit: well-formed, names unharmed', async () => {
    const { stdout } = await run(opened(hostile), '--format', 'junit');
    const parsed = junit(stdout);
    expect(parsed.suites.map((s) => s.name)).toContain(file);
  });

  it('json: the same values', async () => {
    const { stdout } = await run(opened(hostile), '--format', 'json');
    const { findings } = JSON.parse(stdout) as { findings: { file: string; table?: string }[] };
    expect(findings[0]!.file).toBe(file);
  });
});
