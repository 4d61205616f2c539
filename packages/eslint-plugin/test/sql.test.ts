import type { Linter } from 'eslint';
import { afterEach, describe, expect, it } from 'vitest';
import plugin from '../src/index.js';
import { Folder, hosts, rulesOf } from './support.js';

const first = `create table organizations (id uuid primary key);
create table members (organization_id uuid not null references organizations (id), user_id uuid not null);
create index on members (organization_id);
create table invoices (id uuid primary key, organization_id uuid not null references organizations (id));
create index on invoices (organization_id);
alter table invoices enable row level security;
alter table members enable row level security;
`;
const policy = (condition: string): string =>
  `-- who may see invoices\ncreate policy own on invoices using (${condition});\n`;
const leaking = policy('true');
const isolating = policy("organization_id = current_setting('app.organization')::uuid");

let project: Folder;
afterEach(() => project.remove());
const opened = (more: Readonly<Record<string, string>> = {}): void => {
  project = new Folder({ 'package.json': '{ "name": "app" }', 'migrations/001_init.sql': first, ...more });
};

const leak = ['2 tenant-lint/no-leaking-policy'];

for (const [version, Host] of hosts) {
  describe(`ESLint ${version}`, () => {
    for (const preset of ['recommended-sql', 'strict-sql', 'all-sql'] as const) {
      it(`preset ${preset}`, async () => {
        opened({ 'migrations/002_policy.sql': leaking });
        const found = await project.lint(['migrations'], [plugin.configs[preset]], Host);
        expect(rulesOf(found['migrations/002_policy.sql'])).toEqual(expect.arrayContaining(leak));
      });
    }

    it('the findings of the command, place by place', async () => {
      opened({ 'migrations/002_policy.sql': leaking });
      const found = await project.lint(['migrations'], [plugin.configs['recommended-sql']], Host);
      const all = await project.command();
      expect(Object.values(found).flat()).toEqual(all);
      expect(all.length).toBeGreaterThan(1);
    });

    it('in the same run as code', async () => {
      opened({
        'migrations/002_policy.sql': leaking,
        'src/a.js':
          "import { Pool } from 'pg';\nexport const all = () => new Pool().query('select * from members where user_id = $1');\n",
      });
      const found = await project.lint(['.'], [plugin.configs.recommended, plugin.configs['recommended-sql']], Host);
      expect(rulesOf(found['migrations/002_policy.sql'])).toEqual(leak);
      expect(Object.keys(found).sort()).toEqual(['migrations/001_init.sql', 'migrations/002_policy.sql', 'src/a.js']);
    });

    it("ESLint's own comments, and unused ones", async () => {
      const rule = 'tenant-lint/no-leaking-policy';
      opened({
        'migrations/002_policy.sql': leaking.replace('-- who', `-- eslint-disable-next-line ${rule} -- public; who`),
        'migrations/003_block.sql': `/* eslint-disable ${rule} */\n${leaking.replace(' own ', ' second ')}/* eslint-enable ${rule} */\n`,
        'migrations/004_line.sql': `create policy third on invoices using (true); -- eslint-disable-line ${rule}\n`,
        'migrations/005_level.sql': `/* eslint ${rule}: "warn" */\ncreate policy fourth on invoices using (true);\n`,
        'migrations/006_unused.sql': `select 1; -- eslint-disable-line ${rule}\n`,
        'migrations/007_text.sql': `create policy "-- eslint-disable-line" on invoices using (true);\n`,
      });
      const found = await project.lint(['migrations'], [plugin.configs['recommended-sql']], Host);
      expect(found['migrations/002_policy.sql']).toEqual([]);
      expect(found['migrations/003_block.sql']).toEqual([]);
      expect(found['migrations/004_line.sql']).toEqual([]);
      expect(found['migrations/005_level.sql']?.map((m) => [m.line, m.severity])).toEqual([[2, 1]]);
      expect(found['migrations/006_unused.sql']?.map((m) => m.rule)).toEqual([
        expect.stringContaining('Unused eslint-disable directive'),
      ]);
      expect(rulesOf(found['migrations/007_text.sql'])).toEqual(['1 tenant-lint/no-leaking-policy']);
    });

    it('a migration while it is written, with the schema of the earlier ones', async () => {
      opened();
      const eslint = project.eslint([plugin.configs['recommended-sql']], Host);
      const lines: unknown[] = [];
      for (const text of [leaking, `\r\n\r\n${leaking}`, isolating, 'create policy own on invo', '', '$$ "'] as const) {
        const [result] = await eslint.lintText(text, { filePath: project.path('migrations/002_new.sql') });
        lines.push(result?.messages.map((m) => (m.fatal === true ? 'fatal' : `${m.line} ${m.ruleId}`)));
      }
      expect(lines).toEqual([leak, ['4 tenant-lint/no-leaking-policy'], [], [], [], []]);
    });

    it('an unknown language option is refused', async () => {
      opened();
      const config = { ...plugin.configs['recommended-sql'], languageOptions: { dialect: 'mysql' } } as Linter.Config;
      await expect(project.lint(['migrations'], [config], Host)).rejects.toThrow('no language option "dialect"');
    });
  });
}

describe('the tree', () => {
  it('has statements and comments that selectors and other rules can ask for', async () => {
    const text = '-- a\nSELECT 1;\n/* b\n */ alter table invoices add column note text';
    opened({ 'migrations/002_note.sql': text });
    const seen: unknown[] = [];
    const config: Linter.Config = {
      files: ['**/002*.sql'],
      language: 'tenant-lint/sql',
      plugins: {
        'tenant-lint': plugin,
        own: {
          rules: {
            look: {
              create: (context) => ({
                Statement(node: { words: string[] }) {
                  const { sourceCode } = context as unknown as {
                    sourceCode: {
                      getText(node: unknown): string;
                      comments: { value: string }[];
                      getParent(n: unknown): { type: string };
                    };
                  };
                  seen.push([
                    node.words.slice(0, 2),
                    sourceCode.getText(node),
                    sourceCode.comments.map((c) => c.value),
                    sourceCode.getParent(node).type,
                  ]);
                },
              }),
            },
          },
        },
      },
      rules: { 'own/look': 'error' },
    };
    await project.lint(['migrations/002_note.sql'], [config]);
    const comments = [' a', ' b\n '];
    expect(seen).toEqual([
      [['select'], 'SELECT 1', comments, 'Script'],
      [['alter', 'table'], 'alter table invoices add column note text', comments, 'Script'],
    ]);
  });
});
