import type { Linter } from 'eslint';
import * as svelteParser from 'svelte-eslint-parser';
import { parser } from 'typescript-eslint';
import { afterEach, describe, expect, it } from 'vitest';
import * as vueParser from 'vue-eslint-parser';
import plugin from '../src/index.js';
import { Folder, hosts, rulesOf } from './support.js';

const schema = `create table organizations (id uuid primary key);
create table members (organization_id uuid not null references organizations (id), user_id uuid not null);
create index on members (organization_id);
create table invoices (id uuid primary key, organization_id uuid not null references organizations (id));
create index on invoices (organization_id);
`;
const files = {
  'package.json': '{ "name": "app", "type": "module", "dependencies": { "pg": "8.13.0" } }',
  'migrations/001_init.sql': schema,
};
const code = `import { Pool } from 'pg';
const pool = new Pool();
export async function all() {
  return pool.query('select * from invoices');
}
`;
const inScript = (attributes: string): string => `<script${attributes}>\n${code}</script>\n`;
const rules = plugin.configs.recommended.rules!;
const plugins = { 'tenant-lint': plugin };

let project: Folder;
afterEach(() => project.remove());

for (const [version, Host] of hosts) {
  describe(`ESLint ${version}`, () => {
    it('the script blocks of Vue components', async () => {
      project = new Folder({
        ...files,
        'src/a.vue': `<template>\n  <p>{{ rows }}</p>\n</template>\n\n${inScript('')}`,
        'src/typed.vue': `${inScript(' lang="ts"').replace('all()', 'all(id?: string): Promise<unknown>')}<style scoped>\np { color: red }\n</style>\n`,
        'src/none.vue': '<template><p /></template>\n',
      });
      const config: Linter.Config = {
        files: ['**/*.vue'],
        plugins,
        rules,
        languageOptions: { parser: vueParser as Linter.Parser, parserOptions: { parser, sourceType: 'module' } },
      };
      const found = await project.lint(['src'], [config], Host);
      expect(rulesOf(found['src/a.vue'])).toEqual(['9 tenant-lint/require-tenant-filter']);
      expect(rulesOf(found['src/typed.vue'])).toEqual(['5 tenant-lint/require-tenant-filter']);
      expect(found['src/none.vue']).toEqual([]);
      expect([...found['src/a.vue']!, ...found['src/typed.vue']!]).toEqual(await project.command());
    });

    it('the script blocks of Svelte components', async () => {
      project = new Folder({
        ...files,
        'src/a.svelte': `${inScript(' context="module"')}<script>\n  let rows = [];\n</script>\n\n<p>{rows}</p>\n`,
        'src/typed.svelte': `<h1>x</h1>\n${inScript(' lang="ts" context="module"').replace('all()', 'all(id?: string)')}`,
      });
      const config: Linter.Config = {
        files: ['**/*.svelte'],
        plugins,
        rules,
        languageOptions: { parser: svelteParser as unknown as Linter.Parser, parserOptions: { parser } },
      };
      const found = await project.lint(['src'], [config], Host);
      expect(rulesOf(found['src/a.svelte'])).toEqual(['5 tenant-lint/require-tenant-filter']);
      expect(rulesOf(found['src/typed.svelte'])).toEqual(['6 tenant-lint/require-tenant-filter']);
      expect([...found['src/a.svelte']!, ...found['src/typed.svelte']!]).toEqual(await project.command());
    });

    it('espree, for modules and for CommonJS', async () => {
      project = new Folder({
        ...files,
        'src/a.js': code,
        'src/b.cjs': code.replace("import { Pool } from 'pg'", "const { Pool } = require('pg')").replace('export ', ''),
      });
      const found = await project.lint(['src'], [plugin.configs.recommended], Host);
      expect(rulesOf(found['src/a.js'])).toEqual(['4 tenant-lint/require-tenant-filter']);
      expect(rulesOf(found['src/b.cjs'])).toEqual(['4 tenant-lint/require-tenant-filter']);
    });

    it('a monorepo: packages with a tenancy of their own, in one run', async () => {
      const other = schema.replaceAll('organization', 'workspace');
      project = new Folder({
        'package.json': '{ "name": "root", "private": true, "workspaces": ["apps/*"] }',
        'apps/one/package.json': files['package.json'],
        'apps/one/tenant-lint.config.json': '{ "tenancy": { "keys": ["organization_id"] } }',
        'apps/one/migrations/001.sql': schema,
        'apps/one/src/a.js': code,
        'apps/two/package.json': files['package.json'],
        'apps/two/tenant-lint.config.json': '{ "rules": { "require-tenant-filter": "off" } }',
        'apps/two/migrations/001.sql': other,
        'apps/two/src/a.js': code,
        'apps/three/package.json': files['package.json'],
        'apps/three/tenant-lint.config.json': '{ "tenancy": { "shared": ["invoices"] } }',
        'apps/three/migrations/001.sql': other,
        'apps/three/src/a.js': code,
      });
      const found = await project.lint(['apps'], [plugin.configs.recommended], Host);
      expect(Object.entries(found).map(([file, messages]) => [file, rulesOf(messages)])).toEqual([
        ['apps/one/src/a.js', ['4 tenant-lint/require-tenant-filter']],
        ['apps/three/src/a.js', []],
        ['apps/two/src/a.js', []],
      ]);
    });
  });
}
