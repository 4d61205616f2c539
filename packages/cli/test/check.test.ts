import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv } from 'ajv';
import { afterEach, describe, expect, it } from 'vitest';
import { app, leaking, project, run, schema, spawned } from './support/project.js';

let remove: () => void = () => undefined;
afterEach(() => remove());

function opened(files: Readonly<Record<string, string>>): string {
  const made = project(files);
  remove = made.remove;
  return made.root;
}

interface Finding {
  readonly rule: string;
  readonly severity: string;
  readonly file: string;
  readonly start: { readonly line: number; readonly column: number };
  readonly end: { readonly line: number; readonly column: number };
  readonly fingerprint: string;
  readonly suppressed: boolean;
  readonly suppressReason?: string;
  readonly baselined: boolean;
}
interface Json {
  readonly summary: Readonly<Record<string, number>>;
  readonly findings: readonly Finding[];
}

async function findings(root: string, ...args: string[]): Promise<readonly Finding[]> {
  const { stdout, stderr } = await run(root, '--format', 'json', ...args);
  expect(stdout, stderr).not.toBe('');
  return (JSON.parse(stdout) as Json).findings;
}

const lineOf = (f: Finding): string => `${f.file}:${f.start.line} ${f.rule} ${f.severity}`;
const filterError = 'src/invoices.ts:6 require-tenant-filter error';

/** A warning: no index of the table begins with the tenant. */
const warned = {
  ...app,
  'migrations/002_notes.sql':
    'create table notes (id uuid primary key, organization_id uuid not null references organizations (id));\n',
};
/** Nothing to report. */
const clean = {
  ...app,
  'src/invoices.ts': leaking.replace(
    "select * from invoices'",
    "select * from invoices where organization_id = $1', [process.env.ORG]",
  ),
};

describe('exit codes', () => {
  it('1 with an error, 0 without', async () => {
    expect((await run(opened(app))).code).toBe(1);
    remove();
    const { code, stdout } = await run(opened(clean));
    expect([code, stdout]).toEqual([0, expect.stringContaining('0 errors, 0 warnings')]);
  });

  it('check is the default command', async () => {
    const root = opened(app);
    expect(await run(root, 'check')).toEqual(await run(root));
  });

  it('--fail-on', async () => {
    const root = opened({ ...clean, 'migrations/002_notes.sql': warned['migrations/002_notes.sql'] });
    const warnings = (await findings(root)).filter((f) => f.severity === 'warning');
    expect(warnings.length).toBeGreaterThan(0);
    expect((await run(root)).code).toBe(0);
    expect((await run(root, '--fail-on', 'warning')).code).toBe(1);
    remove();
    expect((await run(opened(app), '--fail-on', 'never')).code).toBe(0);
  });

  it('--max-warnings', async () => {
    const root = opened({ ...clean, 'migrations/002_notes.sql': warned['migrations/002_notes.sql'] });
    const count = (await findings(root)).length;
    expect((await run(root, '--max-warnings', String(count))).code).toBe(0);
    expect((await run(root, '--max-warnings', String(count - 1))).code).toBe(1);
  });

  it('--version and --help end with 0', async () => {
    const root = opened({});
    expect(await run(root, '--version')).toEqual({ code: 0, stdout: '0.1.0\n', stderr: '' });
    const help = await run(root, 'check', '--help');
    expect(help.code).toBe(0);
    expect(help.stdout).toContain('--max-warnings');
  });
});

describe('which rules, at which severity', () => {
  it('--rule', async () => {
    const root = opened(warned);
    expect((await findings(root)).map(lineOf)).toContain(filterError);
    const only = await findings(root, '--rule', 'require-tenant-first-index');
    expect(new Set(only.map((f) => f.rule))).toEqual(new Set(['require-tenant-first-index']));
    expect(
      (await findings(root, '--rule', 'require-tenant-first-index', '--rule', 'require-tenant-filter')).length,
    ).toBe(only.length + 1);
  });

  it('--severity wins over the configuration', async () => {
    const root = opened({ ...app, 'tenant-lint.config.json': '{ "rules": { "require-tenant-filter": "warning" } }' });
    expect((await findings(root)).map(lineOf)).toEqual(['src/invoices.ts:6 require-tenant-filter warning']);
    expect((await run(root)).code).toBe(0);
    expect((await findings(root, '--severity', 'require-tenant-filter=error')).map(lineOf)).toEqual([filterError]);
    expect(await findings(root, '--severity', 'require-tenant-filter=off')).toEqual([]);
  });

  it('--confidence', async () => {
    const root = opened(app);
    const at = async (level: string): Promise<number> => (await findings(root, '--confidence', level)).length;
    const [certain, likely, possible] = [await at('certain'), await at('likely'), await at('possible')];
    expect(certain).toBeLessThanOrEqual(likely);
    expect(likely).toBeLessThanOrEqual(possible);
    expect(likely).toBe((await findings(root)).length);
  });

  it('overrides hold in their files, the later one wins', async () => {
    const root = opened({
      ...app,
      'src/admin/all.ts': leaking,
      'src/admin/jobs/all.ts': leaking,
      'tenant-lint.config.json': JSON.stringify({
        overrides: [
          { files: ['src/admin'], rules: { 'require-tenant-filter': 'info' } },
          { files: ['src/admin/jobs/**'], rules: { 'require-tenant-filter': 'off' } },
        ],
      }),
    });
    expect((await findings(root)).map(lineOf)).toEqual(['src/admin/all.ts:6 require-tenant-filter info', filterError]);
  });

  it('an override turns on what is off elsewhere', async () => {
    const root = opened({
      ...app,
      'src/strict/all.ts': leaking,
      'tenant-lint.config.json': JSON.stringify({
        rules: { 'require-tenant-filter': 'off' },
        overrides: [{ files: ['src/strict/**'], rules: { 'require-tenant-filter': 'warning' } }],
      }),
    });
    expect((await findings(root)).map(lineOf)).toEqual(['src/strict/all.ts:6 require-tenant-filter warning']);
  });
});

describe('configuration', () => {
  it('in TypeScript, with defineConfig of the running command', async () => {
    const root = opened({
      ...app,
      'tenant-lint.config.ts': `import { defineConfig, type Config } from 'tenant-lint';
const shared: Config = { rules: { 'require-tenant-filter': 'info' } };
export default defineConfig({ ...shared, sources: { ignore: ['**/generated/**'] } });
`,
    });
    const { code, stdout, stderr } = await spawned(root, ['--format', 'json']);
    expect((JSON.parse(stdout) as Json).findings.map((f) => f.severity)).toEqual(['info']);
    expect([code, stderr]).toEqual([0, "tenant-lint: sources.ignore: '**/generated/**' matches no file\n"]);
  });

  for (const [file, text] of [
    ['tenant-lint.config.js', "module.exports = { rules: { 'require-tenant-filter': 'info' } };"],
    ['tenant-lint.config.mjs', "export default { rules: { 'require-tenant-filter': 'info' } };"],
    ['tenant-lint.config.mts', "export default { rules: { 'require-tenant-filter': 'info' as const } };"],
    ['tenant-lint.config.json', '{ /* comments and */ "rules": { "require-tenant-filter": "info" }, }'],
  ] as const) {
    it(`in ${file}`, async () => {
      const root = opened({ ...app, [file]: text });
      expect((await findings(root)).map((f) => f.severity)).toEqual(['info']);
    });
  }

  it('in package.json, and found from a folder below', async () => {
    const root = opened({
      ...app,
      'package.json': '{ "name": "app", "tenantLint": { "rules": { "require-tenant-filter": "info" } } }',
    });
    const below = await run(path.join(root, 'src'), '--format', 'json');
    expect((JSON.parse(below.stdout) as Json).findings.map((f) => `${f.file} ${f.severity}`)).toEqual([
      'src/invoices.ts info',
    ]);
  });

  it('by --config, from anywhere', async () => {
    const root = opened({ ...app, 'config/lint.json': '{ "rules": { "require-tenant-filter": "info" } }' });
    expect((await findings(root, '--config', 'config/lint.json')).map(lineOf)).toEqual([
      'src/invoices.ts:6 require-tenant-filter info',
    ]);
  });

  it('JSON is read under --no-config-code', async () => {
    const root = opened({ ...app, 'tenant-lint.config.json': '{ "rules": { "require-tenant-filter": "info" } }' });
    expect((await findings(root, '--no-config-code')).map((f) => f.severity)).toEqual(['info']);
  });

  it('says what has no effect', async () => {
    const root = opened({
      ...app,
      'tenant-lint.config.json': JSON.stringify({
        tenancy: {
          keys: ['organization_id', 'organisation_idd'],
          shared: ['projets'],
          tables: { invoices: { append: true } },
        },
        sources: { schema: ['migrations/*.sql'] },
        trust: { tenant: ['getTenant()'], guards: { assertMember: { tenant: 0 } } },
        intended: [{ files: ['apps/admin/**'], reason: 'staff only' }],
      }),
    });
    expect((await run(root)).stderr.trimEnd().split('\n')).toEqual([
      'tenant-lint: tenancy.tables.invoices.append has no effect yet',
      "tenant-lint: intended.0.files: 'apps/admin/**' matches no file",
      'tenant-lint: tenancy.shared: there is no table projets, did you mean projects?',
      'tenant-lint: tenancy.keys: no table has a column organisation_idd, did you mean organization_id?',
      'tenant-lint: trust.guards: nothing is called assertMember',
      'tenant-lint: trust.tenant: nothing is called getTenant',
    ]);
  });

  it('the tenancy of the configuration wins', async () => {
    const root = opened({ ...app, 'tenant-lint.config.json': '{ "tenancy": { "shared": ["invoices"] } }' });
    expect((await findings(root)).filter((f) => f.file === 'src/invoices.ts')).toEqual([]);
  });
});

describe('what is accepted', () => {
  it('a suppression with its reason', async () => {
    const root = opened({
      ...app,
      'src/invoices.ts': leaking.replace(
        "  return pool.query('select * from invoices'",
        "  // tenant-lint-disable-next-line require-tenant-filter -- the nightly report counts everything\n  return pool.query('select * from invoices'",
      ),
    });
    const [finding, ...more] = await findings(root);
    expect(more).toEqual([]);
    expect(finding).toMatchObject({ suppressed: true, suppressReason: 'the nightly report counts everything' });
    expect((await run(root)).code).toBe(0);
    expect((await run(root)).stdout).toContain('1 suppressed');
  });

  it('a suppression without a reason is a finding', async () => {
    const root = opened({
      ...app,
      'src/invoices.ts': leaking.replace(
        "invoices');",
        "invoices'); // tenant-lint-disable-line require-tenant-filter",
      ),
    });
    expect((await findings(root)).filter((f) => !f.suppressed).map((f) => f.rule)).toEqual([
      'require-suppression-reason',
    ]);
  });

  it('an area that is declared to cross tenants', async () => {
    const root = opened({
      ...app,
      'tenant-lint.config.json': '{ "intended": [{ "files": ["src/**"], "reason": "staff only" }] }',
    });
    expect((await findings(root)).map((f) => [f.suppressed, f.suppressReason])).toEqual([[true, 'staff only']]);
    expect((await run(root)).code).toBe(0);
  });

  it('a baseline: what it holds is known, what is new is not', async () => {
    const root = opened(app);
    writeFileSync(path.join(root, 'baseline.json'), (await run(root, '--format', 'json')).stdout);
    expect((await findings(root, '--baseline', 'baseline.json')).map((f) => f.baselined)).toEqual([true]);
    expect((await run(root, '--baseline', 'baseline.json')).code).toBe(0);
    // Lines above move the finding, not its fingerprint.
    writeFileSync(path.join(root, 'src/invoices.ts'), `// moved\n\n\n${leaking}`);
    expect((await run(root, '--baseline', 'baseline.json')).code).toBe(0);
    writeFileSync(path.join(root, 'src/projects.ts'), leaking.replaceAll('invoices', 'projects'));
    const after = await run(root, '--baseline', 'baseline.json');
    expect(after.code).toBe(1);
    expect(after.stdout).toContain('1 error, 0 warnings, 1 in the baseline');
  });
});

describe('paths', () => {
  it('relative, absolute and by folder limit the report, not the analysis', async () => {
    const root = opened({ ...app, 'src/other.ts': leaking });
    const at = async (cwd: string, ...paths: string[]): Promise<string[]> =>
      (await findings(cwd, ...paths)).map((f) => f.file);
    expect(await at(root)).toEqual(['src/invoices.ts', 'src/other.ts']);
    expect(await at(root, 'src/other.ts')).toEqual(['src/other.ts']);
    expect(await at(root, './src/other.ts')).toEqual(['src/other.ts']);
    expect(await at(root, path.join(root, 'src/other.ts'))).toEqual(['src/other.ts']);
    expect(await at(root, 'src')).toEqual(['src/invoices.ts', 'src/other.ts']);
    expect(await at(root, 'migrations')).toEqual([]);
    expect(await at(root, 'src/other.ts', 'src/invoices.ts')).toEqual(['src/invoices.ts', 'src/other.ts']);
  });

  it('a folder elsewhere is the root', async () => {
    const root = opened(app);
    const elsewhere = project({});
    try {
      expect((await findings(elsewhere.root, root)).map(lineOf)).toEqual([filterError]);
    } finally {
      elsewhere.remove();
    }
  });

  it('a folder with a configuration of its own is the root', async () => {
    const root = opened({
      'tenant-lint.config.json': '{}',
      ...Object.fromEntries(Object.entries(app).map(([file, text]) => [`services/billing/${file}`, text])),
      'services/billing/tenant-lint.config.json': '{ "rules": { "require-tenant-filter": "info" } }',
    });
    expect((await findings(root, 'services/billing')).map(lineOf)).toEqual([
      'src/invoices.ts:6 require-tenant-filter info',
    ]);
  });

  it('files outside the root are refused', async () => {
    const root = opened(app);
    const { code, stderr } = await run(path.join(root, 'migrations'), '../src/invoices.ts');
    expect(code).toBe(2);
    expect(stderr).toContain('outside the root');
  });
});

describe('formats', () => {
  it('json is version 1 as its schema says', async () => {
    const root = opened({
      ...warned,
      'migrations/003_bad.sql': 'create tabel x (id int);',
      'tenant-lint.config.json': '{ "intended": [{ "files": ["src/**"], "reason": "staff only" }] }',
    });
    const report: unknown = JSON.parse((await run(root, '--format', 'json', '--confidence', 'possible')).stdout);
    const file = fileURLToPath(new URL('../../../docs/report.schema.json', import.meta.url));
    const valid = new Ajv({ allErrors: true }).compile(JSON.parse(readFileSync(file, 'utf8')) as object);
    expect([valid(report), valid.errors]).toEqual([true, null]);
    expect((report as Json).summary).toMatchObject({ suppressed: 1, unchecked: 1 });
    // The schema refuses what is not of the format.
    expect(valid({ ...(report as object), extra: 1 })).toBe(false);
    expect(valid({ ...(report as object), version: 2 })).toBe(false);
  });

  it('text shows the code, the reason and the lines a finding rests on', async () => {
    const { stdout } = await run(opened(app));
    expect(stdout).toMatch(/src\/invoices\.ts:6:\d+ {2}error {2}require-tenant-filter/);
    expect(stdout).toMatch(/> 6 \| {3}return pool\.query\('select \* from invoices'\);/);
    expect(stdout).toContain('\n  fix  Add');
    expect(stdout).toContain('\n1 error, 0 warnings\n');
    expect(stdout).not.toContain('\u001b[');
  });

  it('--color always and --quiet', async () => {
    const root = opened({ ...warned, 'migrations/003_bad.sql': 'create tabel x (id int);' });
    expect((await run(root, '--color', 'always')).stdout).toContain('\u001b[31m');
    expect((await run(root, '--color', 'never')).stdout).not.toContain('\u001b[');
    const quiet = (await run(root, '--quiet')).stdout;
    expect(quiet).toContain('require-tenant-filter');
    expect(quiet).not.toContain('require-tenant-first-index');
    expect(quiet).not.toContain('Not checked');
    expect((await run(root)).stdout).toContain('Not checked: 1');
  });

  it('several formats, each to its place', async () => {
    const root = opened(app);
    const { stdout } = await run(
      root,
      '--format',
      'text',
      '--format',
      'json=out/report.json',
      '--format',
      'sarif=r.sarif',
    );
    expect(stdout).toContain('1 error, 0 warnings');
    expect((JSON.parse(readFileSync(path.join(root, 'out/report.json'), 'utf8')) as Json).findings).toHaveLength(1);
    expect(JSON.parse(readFileSync(path.join(root, 'r.sarif'), 'utf8'))).toMatchObject({ version: '2.1.0' });
    remove();
    const silent = opened(app);
    expect((await run(silent, '--format', 'json=report.json')).stdout).toBe('');
    expect(existsSync(path.join(silent, 'report.json'))).toBe(true);
  });

  for (const format of ['text', 'json', 'sarif']) {
    it(`${format} is byte-identical from run to run`, async () => {
      const root = opened({ ...warned, 'src/a.ts': leaking, 'src/b.ts': leaking, 'migrations/003_bad.sql': 'oops;' });
      const first = await spawned(root, ['--format', format]);
      const second = await spawned(root, ['--format', format, '--no-cache']);
      expect(first.stdout.length).toBeGreaterThan(100);
      expect(second.stdout).toBe(first.stdout);
    });
  }

  it('the same with and without the facts of an earlier run', async () => {
    const root = opened({ ...warned, 'node_modules/.keep': '' });
    const cold = await run(root, '--format', 'json');
    expect(existsSync(path.join(root, 'node_modules/.cache/tenant-lint/facts.bin'))).toBe(true);
    expect(await run(root, '--format', 'json')).toEqual(cold);
    writeFileSync(path.join(root, 'node_modules/.cache/tenant-lint/facts.bin'), '{ "damaged');
    expect(await run(root, '--format', 'json')).toEqual(cold);
  });
});

describe('as a hook before a commit', () => {
  it('looks at the files that git knows, and fails on a leak', () => {
    const root = opened({ ...app, '.gitignore': 'ignored/\n', 'ignored/more.ts': leaking });
    const git = (...args: string[]): Buffer => execFileSync('git', args, { cwd: root, stdio: 'pipe' });
    git('init', '-q');
    git('config', 'user.email', 'a@example.com');
    git('config', 'user.name', 'A');
    const bin = fileURLToPath(new URL('../bin/tenant-lint.js', import.meta.url));
    const hook = `#!/bin/sh\n"${process.execPath}" "${bin}" check $(git diff --cached --name-only --diff-filter=ACM)\n`;
    writeFileSync(path.join(root, '.git/hooks/pre-commit'), hook, { mode: 0o755 });
    git('add', '.');
    const commit = (): string => {
      try {
        git('commit', '-qm', 'work');
        return 'committed';
      } catch (error) {
        return String((error as { stdout: Buffer }).stdout) + String((error as { stderr: Buffer }).stderr);
      }
    };
    const refused = commit();
    expect(refused).toMatch(/src\/invoices\.ts:6:\d+ {2}error {2}require-tenant-filter/);
    expect(refused).not.toContain('ignored/more.ts');
    writeFileSync(path.join(root, 'src/invoices.ts'), clean['src/invoices.ts']);
    git('add', '.');
    expect(commit()).toBe('committed');
  });
});

describe('inspect and explain', () => {
  it('inspect shows tables, tenancy and why', async () => {
    const root = opened(app);
    const { code, stdout } = await run(root, 'inspect');
    expect(code).toBe(0);
    expect(stdout).toMatch(/tenants in public\.organizations/);
    expect(stdout).toMatch(/public\.invoices +keyed .*organization_id/);
    const json = JSON.parse((await run(root, 'inspect', '--format', 'json')).stdout) as Record<string, unknown>;
    expect(json).toMatchObject({ keys: ['organization_id'], roots: ['public.organizations'] });
    expect(json).not.toHaveProperty('lines');
  });

  it('inspect of a table and of a file', async () => {
    const root = opened({ ...app, 'migrations/002_bad.sql': 'oops;' });
    expect((await run(root, 'inspect', 'invoices')).stdout).toMatch(
      /migrations\/001_init\.sql:7:1[\s\S]*src\/invoices\.ts:6:/,
    );
    expect((await run(root, 'inspect', 'src/invoices.ts')).stdout).toMatch(/pg\.query public\.invoices/);
    expect((await run(root, 'inspect', 'migrations/002_bad.sql')).stdout).toContain('not checked: syntax');
  });

  it('explain prints what, why, fix and the documentation', async () => {
    const { code, stdout } = await run(opened({}), 'explain', 'no-unscoped-get');
    expect(code).toBe(0);
    for (const part of ['no-unscoped-get (access, error)', '  what  ', '  why  ', '  fix  ', '## Invalid', '## Limits'])
      expect(stdout).toContain(part);
  });
});

it('an ordinary schema gives no finding of its own', async () => {
  expect(await findings(opened({ 'migrations/001_init.sql': schema }))).toEqual([]);
});
