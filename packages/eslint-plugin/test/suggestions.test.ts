import type { Linter } from 'eslint';
import { parser } from 'typescript-eslint';
import { afterEach, describe, expect, it } from 'vitest';
import plugin from '../src/index.js';
import { Folder, hosts } from './support.js';

const files = {
  'package.json': '{ "name": "app", "type": "module", "dependencies": { "pg": "8.13.0", "@clerk/nextjs": "6.0.0" } }',
  'migrations/001_init.sql': `create table organizations (id uuid primary key);
create table members (organization_id uuid not null references organizations (id), user_id uuid not null);
create index on members (organization_id);
create table invoices (id uuid primary key, organization_id uuid not null references organizations (id));
create index on invoices (organization_id);
`,
  'src/members.ts': `import { auth } from '@clerk/nextjs/server';
import { pool } from './pool';
export async function members() {
  const { orgId } = await auth();
  return pool.query('select * from members where organization_id = $1', [orgId]);
}
`,
  'src/pool.ts': `import { Pool } from 'pg';\nexport const pool = new Pool();\n`,
};
const leaking = `import { auth } from '@clerk/nextjs/server';
import { pool } from './pool';
export async function invoice(id: string) {
  const { orgId } = await auth();
  return pool.query('select * from invoices where id = $1', [id]);
}
`;
const typescript: Linter.Config = { files: ['**/*.ts'], languageOptions: { parser: parser as Linter.Parser } };
const config = [typescript, plugin.configs.recommended];

let project: Folder;
afterEach(() => project.remove());

for (const [version, Host] of hosts) {
  describe(`ESLint ${version}`, () => {
    it('suggests the condition with the tenant in scope; what is suggested has no finding', async () => {
      project = new Folder({ ...files, 'src/invoice.ts': leaking });
      const eslint = project.eslint(config, Host);
      const [result] = await eslint.lintFiles(['src/invoice.ts']);
      const [message] = result?.messages ?? [];
      expect(message?.suggestions?.map((s) => s.desc)).toEqual(['Hold organization_id to orgId, the current tenant.']);
      const { range, text } = message!.suggestions![0]!.fix;
      const mended = leaking.slice(0, range[0]) + text + leaking.slice(range[1]);
      expect(mended).toContain(
        "pool.query('select * from invoices where id = $1 AND organization_id = $2', [id, orgId])",
      );
      const [after] = await eslint.lintText(mended, { filePath: project.path('src/invoice.ts') });
      expect(after?.messages).toEqual([]);
    });

    it('suggests it while the file is edited', async () => {
      project = new Folder({ ...files, 'src/invoice.ts': leaking });
      const eslint = project.eslint(config, Host);
      await eslint.lintFiles(['src/invoice.ts']);
      const [result] = await eslint.lintText(`// edited\n${leaking}`, { filePath: project.path('src/invoice.ts') });
      expect(result?.messages.map((m) => [m.line, m.suggestions?.length])).toEqual([[6, 1]]);
    });

    it('changes nothing with --fix', async () => {
      project = new Folder({ ...files, 'src/invoice.ts': leaking });
      const fixing = new Host({ cwd: project.root, overrideConfigFile: true, overrideConfig: config, fix: true });
      const [result] = await fixing.lintFiles(['src/invoice.ts']);
      expect(result?.output).toBeUndefined();
      expect(result?.fixableErrorCount).toBe(0);
      expect(result?.messages).toHaveLength(1);
    });

    it('suggests nothing where no tenant is in scope', async () => {
      project = new Folder({ ...files, 'src/invoice.ts': leaking.replace('{ orgId }', '{ userId }') });
      const [result] = await project.eslint(config, Host).lintFiles(['src/invoice.ts']);
      expect(result?.messages.map((m) => m.suggestions ?? [])).toEqual([[]]);
    });
  });
}
