import { execFile } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import module from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/** The packages as they are published, installed into an empty project: files, exports and dependencies are those of the tarballs. */

const repository = fileURLToPath(new URL('../..', import.meta.url));
let folder = '';
let app = '';

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const start = (
  cwd: string,
  file: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Outcome> =>
  new Promise((resolve) => {
    execFile(
      file,
      args,
      {
        cwd,
        timeout: 100_000,
        maxBuffer: 1 << 26,
        env: { ...process.env, NO_COLOR: '1', ...env },
        shell: process.platform === 'win32',
      },
      (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : -1, stdout, stderr });
      },
    );
  });

/** Runs a script of an installed package. */
const node = (file: string, ...args: string[]): Promise<Outcome> =>
  start(app, process.execPath, [path.join(app, file), ...args]);

function write(file: string, text: string): void {
  mkdirSync(path.dirname(path.join(app, file)), { recursive: true });
  writeFileSync(path.join(app, file), text);
}

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
  readonly private?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly exports?: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>;
}

const manifestOf = (workspace: string): Manifest =>
  JSON.parse(readFileSync(path.join(repository, workspace, 'package.json'), 'utf8')) as Manifest;

/** Every workspace that is published. */
const published = [...readdirSync(path.join(repository, 'packages')).map((name) => `packages/${name}`), 'rules'].filter(
  (workspace) => manifestOf(workspace).private !== true,
);

beforeAll(async () => {
  folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'tenant-lint-packed-')));
  app = path.join(folder, 'app');
  write('package.json', '{ "name": "app", "private": true }');
  const tarballs = path.join(folder, 'tarballs');
  mkdirSync(tarballs);
  // As `prepack` does: what is published runs from its bundle.
  const bundled = await start(repository, process.execPath, ['packages/devkit/dist/bundle.js']);
  expect(bundled.code, bundled.stderr).toBe(0);
  const packed = await start(repository, 'npm', [
    'pack',
    '--ignore-scripts',
    '--pack-destination',
    tarballs,
    ...published.flatMap((workspace) => ['--workspace', workspace]),
  ]);
  expect(packed.code, packed.stderr).toBe(0);
  const installed = readdirSync(tarballs);
  const install = await start(app, 'npm', [
    'install',
    '--ignore-scripts',
    '--prefer-offline',
    '--no-audit',
    '--no-fund',
    ...installed.map((file) => path.join(tarballs, file)),
    `eslint@${version('eslint')}`,
    `eslint9@npm:eslint@${version('eslint9')}`,
    `svelte@${version('svelte')}`,
    `svelte-eslint-parser@${version('svelte-eslint-parser')}`,
    `vue-eslint-parser@${version('vue-eslint-parser')}`,
    `@typescript-eslint/parser@${version('@typescript-eslint/parser')}`,
  ]);
  expect(install.code, install.stderr).toBe(0);

  write(
    'migrations/001_init.sql',
    `create table organizations (id uuid primary key);
create table members (organization_id uuid not null references organizations (id), user_id uuid not null);
create table invoices (id uuid primary key, organization_id uuid not null references organizations (id));
`,
  );
  write('queries/all.sql', '-- name: AllInvoices :many\nselect * from invoices;\n');
  write(
    'src/invoices.ts',
    `import { Pool } from 'pg';

const pool: Pool = new Pool();

export const all = async () => pool.query('select * from invoices');
`,
  );
  write('components/invoices.vue', `<template><p /></template>\n<script lang="ts">\n${component}</script>\n`);
  write('components/invoices.svelte', `<script lang="ts" context="module">\n${component}</script>\n<p></p>\n`);
  write('components/invoices.js', component);
}, 240_000);

const component = "import { Pool } from 'pg';\nexport const all = () => new Pool().query('select * from invoices');\n";

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const version = (name: string): string =>
  (JSON.parse(readFileSync(path.join(repository, 'node_modules', name, 'package.json'), 'utf8')) as { version: string })
    .version;

const configOf = (plugin: string, parser: string): string => `[
  { files: ['**/*.ts'], languageOptions: { parser: ${parser} } },
  ${plugin}.configs.recommended,
  ${plugin}.configs['recommended-sql'],
]`;

async function lint(config: string, eslint = 'eslint', folders = ['src', 'queries']): Promise<unknown> {
  const outcome = await node(`node_modules/${eslint}/bin/eslint.js`, '-c', config, '--format', 'json', ...folders);
  expect(outcome.stdout, outcome.stderr).toMatch(/^\[/);
  const results = JSON.parse(outcome.stdout) as { messages: { ruleId: string; line: number }[] }[];
  return [outcome.code, outcome.stderr, results.map((r) => r.messages.map((m) => `${m.line} ${m.ruleId}`)).sort()];
}

const linted = [1, '', [['2 tenant-lint/require-tenant-filter'], ['5 tenant-lint/require-tenant-filter']]];

describe('packed', () => {
  it('contains every package that another one depends on', () => {
    const names = published.map((workspace) => manifestOf(workspace).name);
    const wanted = published.flatMap((workspace) =>
      Object.keys(manifestOf(workspace).dependencies ?? {}).filter((name) =>
        /^(?:@tenant-lint\/|tenant-lint$)/.test(name),
      ),
    );
    expect(wanted.length).toBeGreaterThan(5);
    expect(wanted.filter((name) => !names.includes(name))).toEqual([]);
  });

  it.each(published)('%s is in order, as publint sees it and as its readers do', async (workspace) => {
    const { name, version: own, license } = manifestOf(workspace);
    const tarball = readFileSync(
      path.join(folder, 'tarballs', `${name.replace('@', '').replace('/', '-')}-${own}.tgz`),
    );
    const { messages, pkg } = await publint({
      pack: { tarball: new Uint8Array(tarball).buffer },
      strict: true,
    });
    expect(messages.map((m) => formatMessage(m, pkg))).toEqual([]);
    expect([own, license]).toEqual([version('tenant-lint'), 'MIT']);
    const installed = path.join(app, 'node_modules', name);
    const files = readdirSync(installed, { recursive: true, encoding: 'utf8' }).map((f) => f.split(path.sep).join('/'));
    expect(files).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'package.json']));
    expect(files.filter((f) => /(?:^|\/)(?:test|src)\/|\.test\.|tsbuildinfo/.test(f))).toEqual([]);
    expect(readFileSync(path.join(installed, 'LICENSE'), 'utf8')).toBe(
      readFileSync(path.join(repository, 'LICENSE'), 'utf8'),
    );
    expect(readFileSync(path.join(installed, 'README.md'), 'utf8')).toContain(`# ${name}\n`);
    // What it is made for: every entry has its types beside it.
    for (const entry of Object.values(manifestOf(workspace).exports ?? {})) {
      const parts = typeof entry === 'string' ? [entry] : [entry.types, entry.default];
      expect(files).toEqual(expect.arrayContaining(parts.map((part) => part.slice(2))));
    }
  });

  it('the changelog has the version, and every package depends on that version of the others', () => {
    const own = version('tenant-lint');
    expect(readFileSync(path.join(repository, 'CHANGELOG.md'), 'utf8')).toContain(`\n## ${own}\n`);
    const others = published.flatMap((workspace) =>
      Object.entries(manifestOf(workspace).dependencies ?? {}).filter(([name]) => name.includes('tenant-lint')),
    );
    expect(new Set(others.map(([, range]) => range))).toEqual(new Set([own]));
  });

  it('fingerprints hold from one version to the next', async () => {
    const report = async (): Promise<{ tool: { version: string }; findings: { fingerprint: string }[] }> =>
      JSON.parse((await node('node_modules/tenant-lint/bin/tenant-lint.js', '--format', 'json')).stdout) as Awaited<
        ReturnType<typeof report>
      >;
    const before = await report();
    expect(before.findings.length).toBeGreaterThan(0);
    const manifests = ['tenant-lint', '@tenant-lint/workspace'].map((name) =>
      path.join(app, 'node_modules', name, 'package.json'),
    );
    const texts = manifests.map((file) => readFileSync(file, 'utf8'));
    try {
      for (const [i, file] of manifests.entries())
        writeFileSync(file, texts[i]!.replace(/"version": "[^"]+"/, '"version": "9.9.9"'));
      const after = await report();
      expect(after.tool.version).toBe('9.9.9');
      expect(after.findings.map((f) => f.fingerprint)).toEqual(before.findings.map((f) => f.fingerprint));
    } finally {
      for (const [i, file] of manifests.entries()) writeFileSync(file, texts[i]!);
    }
  });

  it('the command starts from its bin', async () => {
    const shim = path.join(app, 'node_modules/.bin', process.platform === 'win32' ? 'tenant-lint.cmd' : 'tenant-lint');
    expect(await start(app, shim, ['--version'])).toEqual({
      code: 0,
      stdout: `${version('tenant-lint')}\n`,
      stderr: '',
    });
  });

  it('the command finds the leak', async () => {
    const { code, stdout, stderr } = await node('node_modules/tenant-lint/bin/tenant-lint.js', '--format', 'json');
    expect([code, stderr]).toEqual([1, '']);
    const { findings } = JSON.parse(stdout) as { findings: { rule: string; file: string; start: { line: number } }[] };
    expect(findings.filter((f) => f.file === 'src/invoices.ts').map((f) => `${f.rule} ${f.start.line}`)).toEqual([
      'require-tenant-filter 5',
    ]);
  });

  it('the command reads a configuration in TypeScript', async () => {
    write(
      'configured/tenant-lint.config.ts',
      "import { defineConfig } from 'tenant-lint';\nexport default defineConfig({ tenancy: { shared: ['invoices'] } });\n",
    );
    const { code, stdout, stderr } = await node(
      'node_modules/tenant-lint/bin/tenant-lint.js',
      '--config',
      'configured/tenant-lint.config.ts',
      '--rule',
      'require-tenant-filter',
    );
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain('0 errors, 0 warnings');
  });

  it('the command proves from its bundle, whose thread is a file of another package', async () => {
    const { code, stdout, stderr } = await node(
      'node_modules/tenant-lint/bin/tenant-lint.js',
      'prove',
      '--format',
      'json',
    );
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain('"matrix"');
  });

  it('the command extracts on threads from its bundle', async () => {
    for (let i = 0; i < 40; i++)
      write(`many/m${i}.ts`, `${component.replace('all', `all${i}`)}// ${'x'.repeat(12_000)}\n`);
    write('many/package.json', '{ "name": "many", "dependencies": { "pg": "8" } }');
    const run = (threads: string): Promise<Outcome> =>
      node(
        'node_modules/tenant-lint/bin/tenant-lint.js',
        '--no-cache',
        '--format',
        'json',
        '--timing',
        '--threads',
        threads,
      );
    const [alone, together] = [await run('1'), await run('2')];
    expect([together.code, together.stdout]).toEqual([1, alone.stdout]);
    expect(alone.stdout).toContain('many/m39.ts');
    expect(together.stderr).toMatch(/[1-9]\d* by other threads/);
    rmSync(path.join(app, 'many'), { recursive: true });
  });

  // From Node 22 on Node keeps what is compiled itself.
  it.skipIf('enableCompileCache' in module)('what V8 compiled is kept where only the user writes', async () => {
    const cache = path.join(folder, 'cache');
    const compiled = path.join(cache, 'tenant-lint/compiled');
    const run = (): Promise<Outcome> =>
      start(app, process.execPath, ['node_modules/tenant-lint/bin/tenant-lint.js', '--version'], {
        XDG_CACHE_HOME: cache,
      });
    const kept = (): number[] => readdirSync(compiled).map((file) => statSync(path.join(compiled, file)).mtimeMs);
    expect((await run()).code).toBe(0);
    const first = kept();
    expect(first.length).toBeGreaterThan(0);
    expect(statSync(compiled).mode & 0o777).toBe(0o700);
    expect((await run()).code).toBe(0);
    expect(kept(), 'read, and not written again').toEqual(first);
    // Damaged, and in a folder that others may write: none.
    for (const file of readdirSync(compiled)) writeFileSync(path.join(compiled, file), 'damaged');
    expect(await run()).toMatchObject({ code: 0, stderr: '' });
    rmSync(compiled, { recursive: true });
    mkdirSync(compiled);
    chmodSync(compiled, 0o777);
    expect((await run()).code).toBe(0);
    expect(kept()).toEqual([]);
  });

  it('the bundle names the licences of what is in it', () => {
    const text = readFileSync(path.join(app, 'node_modules/tenant-lint/bundle/LICENSES.txt'), 'utf8');
    expect(text).toMatch(/^commander \S+ \(MIT\)$/m);
    expect(text).not.toContain('no licence named');
  });

  it('ESLint with a configuration that is an ES module', async () => {
    write(
      'eslint.config.mjs',
      `import parser from '@typescript-eslint/parser';\nimport tenant from 'eslint-plugin-tenant-lint';\nexport default ${configOf('tenant', 'parser')};\n`,
    );
    expect(await lint('eslint.config.mjs')).toEqual(linted);
  });

  it('ESLint with a configuration in CommonJS', async () => {
    write(
      'eslint.config.cjs',
      `const tenant = require('eslint-plugin-tenant-lint');\nmodule.exports = ${configOf('tenant', "require('@typescript-eslint/parser')")};\n`,
    );
    expect(await lint('eslint.config.cjs')).toEqual(linted);
  });

  it.each(['eslint', 'eslint9'])('%s with each parser', async (eslint) => {
    write(
      'parsers.config.mjs',
      `import parser from '@typescript-eslint/parser';
import * as svelteParser from 'svelte-eslint-parser';
import * as vueParser from 'vue-eslint-parser';
import tenant from 'eslint-plugin-tenant-lint';
const { plugins, rules } = tenant.configs.recommended;
const languageOptions = (outer) => ({ parser: outer, parserOptions: { parser, sourceType: 'module' } });
export default [
  { files: ['**/*.ts'], languageOptions: { parser, parserOptions: { projectService: { allowDefaultProject: ['src/*.ts'] } } } },
  tenant.configs.recommended,
  tenant.configs['recommended-sql'],
  { files: ['**/*.vue'], plugins, rules, languageOptions: languageOptions(vueParser) },
  { files: ['**/*.svelte'], plugins, rules, languageOptions: languageOptions(svelteParser) },
];
`,
    );
    const found = (line: number): string[] => [`${line} tenant-lint/require-tenant-filter`];
    expect(await lint('parsers.config.mjs', eslint, ['components', 'queries', 'src'])).toEqual([
      1,
      '',
      [found(2), found(2), found(3), found(4), found(5)],
    ]);
  });

  it('types are there for both', async () => {
    write(
      'types/a.mts',
      `import { defineConfig, type Config } from 'tenant-lint';
import tenant from 'eslint-plugin-tenant-lint';
import type { Linter } from 'eslint';
const config: Config = defineConfig({ tenancy: { keys: ['organization_id'] } });
// @ts-expect-error a key that does not exist
defineConfig({ tenancy: { kyes: [] } });
const configs: Linter.Config[] = [tenant.configs.recommended, tenant.configs.strict, tenant.configs['all-sql']];
export { config, configs };
`,
    );
    const { code, stdout } = await node(
      'node_modules/typescript/bin/tsc',
      '--noEmit',
      '--strict',
      '--module',
      'nodenext',
      '--target',
      'es2022',
      'types/a.mts',
    );
    expect([code, stdout]).toEqual([0, '']);
  });
});
