import { createRequire } from 'node:module';
import type { ESLint, Linter } from 'eslint';
import { generated } from './gen/rules.gen.js';
import { eslintRule } from './rule.js';
import { sqlLanguage } from './sql-language.js';

const { name, version } = createRequire(import.meta.url)('../package.json') as { name: string; version: string };

/** Files of a language, and by which of ESLint's languages they are read. */
const languages = {
  code: { files: ['**/*.{ts,tsx,mts,cts,js,jsx,mjs,cjs}'] },
  sql: { files: ['**/*.sql'], language: 'tenant-lint/sql' },
} satisfies Record<string, Linter.Config>;

const rules = Object.fromEntries(generated.rules.map((rule) => [rule.id, eslintRule(rule)]));

type Preset = keyof typeof generated.presets;

const preset = (which: Preset): Linter.Config => ({
  name: `tenant-lint/${which}`,
  ...(which.endsWith('-sql') ? languages.sql : languages.code),
  rules: generated.presets[which] as Linter.RulesRecord,
});

const plugin = {
  meta: { name, version, namespace: 'tenant-lint' },
  languages: { sql: sqlLanguage as unknown as NonNullable<ESLint.Plugin['languages']>[string] },
  rules,
  configs: Object.fromEntries(
    (Object.keys(generated.presets) as Preset[]).map((which) => [which, preset(which)]),
  ) as Record<Preset, Linter.Config>,
} satisfies ESLint.Plugin;
for (const config of Object.values(plugin.configs)) config.plugins = { 'tenant-lint': plugin };

export default plugin;

// What `require` gives a CommonJS configuration is the plugin itself.
export { plugin as 'module.exports' };
