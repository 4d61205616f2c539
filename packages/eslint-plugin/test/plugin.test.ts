import { utimesSync } from 'node:fs';
import type { Linter } from 'eslint';
import { parser } from 'typescript-eslint';
import { afterEach, describe, expect, it, vi } from 'vitest';
import plugin from '../src/index.js';
import { counters } from '../src/project.js';
import { Folder, hosts, rulesOf } from './support.js';

const schema = `create table organizations (id uuid primary key);
create table members (organization_id uuid not null references organizations (id), user_id uuid not null);
create index on members (organization_id);
create table invoices (id uuid primary key, organization_id uuid not null references organizations (id));
create index on invoices (organization_id);
`;
const leaking = `import { Pool } from 'pg';

const pool = new Pool();

export const allInvoices = async () => pool.query('select * from invoices');
`;
const files = {
  'package.json': '{ "name": "app", "type": "module", "dependencies": { "pg": "8.13.0" } }',
  'tsconfig.json': '{ "compilerOptions": { "strict": true, "allowJs": true }, "include": ["src"] }',
  'migrations/001_init.sql': schema,
  'src/invoices.ts': leaking,
  'src/plain.js': leaking,
};

let project: Folder;
afterEach(() => {
  vi.useRealTimers();
  project.remove();
});

function opened(more: Readonly<Record<string, string>> = {}): void {
  project = new Folder({ ...files, ...more });
}

const typescript: Linter.Config = { files: ['**/*.ts'], languageOptions: { parser: parser as Linter.Parser } };
const typed = (): Linter.Config => ({
  files: ['**/*.ts'],
  languageOptions: {
    parser: parser as Linter.Parser,
    parserOptions: { projectService: true, tsconfigRootDir: project.root },
  },
});

const leak = ['5 tenant-lint/require-tenant-filter'];

for (const [version, Host] of hosts) {
  describe(`ESLint ${version}`, () => {
    it('is that version', () => {
      opened();
      expect(Host.version.split('.')[0]).toBe(String(version));
    });

    for (const preset of ['recommended', 'strict', 'all'] as const) {
      it(`preset ${preset}`, async () => {
        opened();
        const found = await project.lint(['src'], [typescript, plugin.configs[preset]], Host);
        expect(rulesOf(found['src/invoices.ts'])).toEqual(leak);
        expect(rulesOf(found['src/plain.js'])).toEqual(leak);
      });
    }

    it('the typescript-eslint parser with type information', async () => {
      opened();
      const found = await project.lint(['src/invoices.ts'], [typed(), plugin.configs.recommended], Host);
      expect(rulesOf(found['src/invoices.ts'])).toEqual(leak);
    });

    it('the same line and column as the command', async () => {
      opened();
      const found = await project.lint(['src/invoices.ts'], [typescript, plugin.configs.recommended], Host);
      expect(found['src/invoices.ts']).toEqual(await project.command('src/invoices.ts'));
      expect(found['src/invoices.ts']).toHaveLength(1);
    });

    it('the same after a byte order mark and with CRLF', async () => {
      opened({
        'src/mark.ts': `\uFEFFimport { Pool } from 'pg'; export const all = () => new Pool().query('select * from invoices');\n`,
        'src/crlf.ts': leaking.replaceAll('\n', '\r\n'),
      });
      const found = await project.lint(['src/mark.ts', 'src/crlf.ts'], [typescript, plugin.configs.recommended], Host);
      expect(found['src/mark.ts']).toEqual(await project.command('src/mark.ts'));
      expect(found['src/mark.ts']).toHaveLength(1);
      expect(found['src/crlf.ts']).toEqual(await project.command('src/crlf.ts'));
      expect(rulesOf(found['src/crlf.ts'])).toEqual(leak);
    });

    it("ESLint's own comments, and ours", async () => {
      opened({
        'src/eslint.ts': leaking.replace(
          'export',
          '// eslint-disable-next-line tenant-lint/require-tenant-filter\nexport',
        ),
        'src/ours.ts': leaking.replace(
          'export',
          '// tenant-lint-disable-next-line require-tenant-filter -- counts all\nexport',
        ),
      });
      const found = await project.lint(
        ['src/eslint.ts', 'src/ours.ts'],
        [typescript, plugin.configs.recommended],
        Host,
      );
      expect(found).toEqual({ 'src/eslint.ts': [], 'src/ours.ts': [] });
    });
  });
}

describe('one analysis', () => {
  it('for all rules and all files of a run', async () => {
    opened(Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`src/more${i}.ts`, leaking])));
    const before = counters.analyses;
    const found = await project.lint(['src'], [typescript, plugin.configs.all]);
    expect(Object.values(found).map(rulesOf)).toEqual(Array.from({ length: 14 }, () => leak));
    expect(Object.keys(plugin.configs.all.rules ?? {}).length).toBeGreaterThan(3);
    expect(counters.analyses - before).toBe(1);
  });

  it('made again when another file changes', async () => {
    opened();
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() });
    const config = [typescript, plugin.configs.recommended];
    expect(rulesOf((await project.lint(['src/invoices.ts'], config))['src/invoices.ts'])).toEqual(leak);
    const before = counters.analyses;
    vi.setSystemTime(Date.now() + 5_000);
    await project.lint(['src/invoices.ts'], config);
    expect(counters.analyses - before).toBe(0);
    // The table is no longer a tenant's.
    project.write('migrations/002_open.sql', 'alter table invoices drop column organization_id;');
    vi.setSystemTime(Date.now() + 5_000);
    expect(rulesOf((await project.lint(['src/invoices.ts'], config))['src/invoices.ts'])).toEqual([]);
    expect(counters.analyses - before).toBe(1);
  });

  it('made again when the configuration changes', async () => {
    opened({ 'tenant-lint.config.json': '{}' });
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() });
    const config = [typescript, plugin.configs.recommended];
    expect(rulesOf((await project.lint(['src/invoices.ts'], config))['src/invoices.ts'])).toEqual(leak);
    project.write('tenant-lint.config.json', '{ "intended": [{ "files": ["src/**"], "reason": "staff only" }] }');
    utimesSync(project.path('tenant-lint.config.json'), new Date(1e9), new Date(1e9));
    vi.setSystemTime(Date.now() + 5_000);
    expect((await project.lint(['src/invoices.ts'], config))['src/invoices.ts']).toEqual([]);
  });

  it('with the text of the editor instead of the file', async () => {
    opened();
    const eslint = project.eslint([typescript, plugin.configs.recommended]);
    const filePath = project.path('src/invoices.ts');
    const texts = [
      leaking,
      `\n\n${leaking}`,
      leaking.replace("invoices'", "invoices where organization_id = $1', [id]"),
      'const half = pool.query(',
    ];
    const lines: unknown[] = [];
    for (const text of texts) {
      const [result] = await eslint.lintText(text, { filePath });
      lines.push(result?.messages.map((m) => (m.fatal === true ? 'fatal' : m.line)));
    }
    expect(lines).toEqual([[5], [7], [], ['fatal']]);
    const [unsaved] = await eslint.lintText(leaking, { filePath: project.path('src/unsaved.ts') });
    expect(unsaved?.messages.map((m) => m.line)).toEqual([5]);
  });
});

describe('configuration', () => {
  it('of the project: off is off, and severities are those of ESLint', async () => {
    opened({ 'tenant-lint.config.json': '{ "rules": { "require-tenant-filter": "info" } }' });
    expect(
      (await project.lint(['src/invoices.ts'], [typescript, plugin.configs.recommended]))['src/invoices.ts']?.[0]
        ?.severity,
    ).toBe(2);
    project.remove();
    opened({ 'tenant-lint.config.json': '{ "rules": { "require-tenant-filter": "off" } }' });
    expect((await project.lint(['src/invoices.ts'], [typescript, plugin.configs.all]))['src/invoices.ts']).toEqual([]);
  });

  it('in TypeScript, with defineConfig', async () => {
    opened({
      'tenant-lint.config.ts':
        "import { defineConfig } from 'tenant-lint';\nexport default defineConfig({ tenancy: { shared: ['invoices'] } });\n",
    });
    expect(
      (await project.lint(['src/invoices.ts'], [typescript, plugin.configs.recommended]))['src/invoices.ts'],
    ).toEqual([]);
  });

  it('that is not valid ends the run with a message, not with a clean file', async () => {
    opened({ 'tenant-lint.config.json': '{ "tenancy": { "kyes": [] } }' });
    await expect(project.lint(['src/invoices.ts'], [typescript, plugin.configs.recommended])).rejects.toThrow(
      /tenant-lint: The configuration is not valid:\n {2}tenancy\.kyes: no such key, did you mean keys\?/,
    );
  });

  it('one rule alone', async () => {
    opened();
    const alone = {
      plugins: { 'tenant-lint': plugin },
      rules: { 'tenant-lint/require-tenant-filter': 'warn' as const },
    };
    const found = await project.lint(['src/invoices.ts'], [typescript, alone]);
    expect(found['src/invoices.ts']?.map((m) => [m.rule, m.severity])).toEqual([
      ['tenant-lint/require-tenant-filter', 1],
    ]);
  });

  it('a block that a processor cuts out of another file is no file of the project', async () => {
    opened({ 'docs/example.md': leaking });
    const processor: Linter.Processor = {
      meta: { name: 'whole', version: '1' },
      preprocess: (text) => [{ text, filename: '0.ts' }],
      postprocess: (messages) => messages.flat(),
    };
    const before = counters.analyses;
    const alone = {
      plugins: { 'tenant-lint': plugin },
      rules: { 'tenant-lint/require-tenant-filter': 'error' as const },
    };
    const found = await project.lint(['docs/example.md'], [{ files: ['**/*.md'], processor }, typescript, alone]);
    expect(found).toEqual({ 'docs/example.md': [] });
    expect(counters.analyses).toBe(before);
  });

  it('without a schema nothing is reported', async () => {
    opened({ 'migrations/001_init.sql': 'select 1;' });
    expect(await project.lint(['src'], [typescript, plugin.configs.all])).toEqual({
      'src/invoices.ts': [],
      'src/plain.js': [],
    });
  });
});

describe('the plugin', () => {
  it('has its name, version and documentation', () => {
    expect(plugin.meta).toEqual({ name: 'eslint-plugin-tenant-lint', version: '0.1.0', namespace: 'tenant-lint' });
    for (const [id, rule] of Object.entries(plugin.rules)) expect(rule.meta?.docs?.description, id).toMatch(/\.$/);
  });

  it('has rules that name their languages, and presets that put none on another one', () => {
    expect(plugin.rules['no-unscoped-get']?.meta?.languages).toEqual(['js/js', 'tenant-lint/sql']);
    expect(plugin.rules['require-forced-row-security']?.meta?.languages).toEqual(['tenant-lint/sql']);
    for (const [name, preset] of Object.entries(plugin.configs)) {
      const language = name.endsWith('-sql') ? 'tenant-lint/sql' : 'js/js';
      const ids = Object.keys(preset.rules ?? {});
      expect(ids.length, name).toBeGreaterThan(3);
      for (const id of ids) expect(plugin.rules[id.split('/')[1]!]?.meta?.languages, id).toContain(language);
    }
  });
});
