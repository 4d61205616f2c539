import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { applied, LanguageClient } from './language-client.js';

/** ESLint's language server as editors run it, with the plugin as it is built. */

const repository = fileURLToPath(new URL('../..', import.meta.url));
const server = path.join(
  path.dirname(createRequire(import.meta.url).resolve('vscode-langservers-extracted/package.json')),
  'bin/vscode-eslint-language-server',
);

const code = `import { auth } from '@clerk/nextjs/server';
import { Pool } from 'pg';

const pool = new Pool();

export async function members() {
  const { orgId } = await auth();
  return pool.query('select * from members where organization_id = $1', [orgId]);
}

export async function invoice(id: string) {
  const { orgId } = await auth();
  return pool.query('select * from invoices where id = $1', [id]);
}
`;
const policies = 'alter table invoices enable row level security;\ncreate policy own on invoices using (true);\n';
const files = {
  'package.json': '{ "name": "app", "dependencies": { "pg": "8.13.0", "@clerk/nextjs": "6.0.0" } }',
  'migrations/001_init.sql': `create table organizations (id uuid primary key);
create table members (organization_id uuid not null references organizations (id), user_id uuid not null);
create index on members (organization_id);
create table invoices (id uuid primary key, organization_id uuid not null references organizations (id));
create index on invoices (organization_id);
`,
  'migrations/002_policies.sql': '',
  'src/invoice.ts': code,
  'eslint.config.mjs': `import tenant from '${pathToFileURL(path.join(repository, 'packages/eslint-plugin/dist/index.js')).href}';
import parser from '${pathToFileURL(path.join(repository, 'node_modules/@typescript-eslint/parser/dist/index.js')).href}';
export default [
  { files: ['**/*.ts'], languageOptions: { parser } },
  tenant.configs.recommended,
  tenant.configs['recommended-sql'],
];
`,
};

let root = '';
let client: LanguageClient;
afterEach(async () => {
  await client.stop();
  rmSync(root, { recursive: true, force: true });
});

async function started(eslint: string): Promise<void> {
  root = realpathSync(mkdtempSync(path.join(tmpdir(), 'tenant-lint-editor-')));
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    writeFileSync(path.join(root, file), text);
  }
  mkdirSync(path.join(root, 'node_modules'));
  symlinkSync(path.join(repository, 'node_modules', eslint), path.join(root, 'node_modules/eslint'), 'junction');
  client = new LanguageClient(server, root);
  await client.start();
}

const uriOf = (file: string): string => pathToFileURL(path.join(root, file)).href;
const places = async (uri: string): Promise<string[]> =>
  (await client.diagnostics(uri)).map((d) => `${d.range.start.line + 1} ${d.code}`);

for (const [version, eslint] of [
  [10, 'eslint'],
  [9, 'eslint9'],
] as const) {
  describe(`the language server with ESLint ${version}`, () => {
    it('shows findings, moves them with the text, and applies a suggestion', { timeout: 120_000 }, async () => {
      await started(eslint);
      const uri = uriOf('src/invoice.ts');
      client.open(uri, 'typescript', code);
      expect(await places(uri), client.problems.join('')).toEqual(['13 tenant-lint/no-unscoped-get']);

      const moved = `// edited\n\n${code}`;
      client.change(uri, 2, moved);
      const [diagnostic] = await client.diagnostics(uri);
      expect(diagnostic?.range.start.line).toBe(14);

      const actions = await client.actions(uri, diagnostic!);
      const suggestion = actions.find((a) => a.title.startsWith('Hold organization_id to orgId'));
      expect(suggestion, actions.map((a) => a.title).join()).toBeDefined();
      await client.execute(suggestion!);
      expect(client.edits).toHaveLength(1);
      const mended = applied(moved, client.edits[0]!.edits);
      expect(mended).toContain("'select * from invoices where id = $1 AND organization_id = $2', [id, orgId]");
      client.change(uri, 3, mended);
      expect(await places(uri)).toEqual([]);
    });

    it('shows what a migration does while it is written', { timeout: 120_000 }, async () => {
      await started(eslint);
      const uri = uriOf('migrations/002_policies.sql');
      client.open(uri, 'sql', '');
      expect(await places(uri), client.problems.join('')).toEqual([]);
      client.change(uri, 2, policies);
      expect(await places(uri)).toContain('2 tenant-lint/no-leaking-policy');
      client.change(uri, 3, policies.replace('true', "organization_id = current_setting('app.organization')::uuid"));
      const left = await places(uri);
      expect(left.length).toBeGreaterThan(0);
      expect(left.join()).not.toContain('no-leaking-policy');
    });
  });
}
