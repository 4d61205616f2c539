import { createRequire } from 'node:module';
import type { ESLint, Linter } from 'eslint';
import { generated } from './gen/rules.gen.js';
import { eslintRule } from './rule.js';

const { name, version } = createRequire(import.meta.url)('../package.json') as { name: string; version: string };

const files = ['**/*.{ts,tsx,mts,cts,js,jsx,mjs,cjs}'];

/** Rules about code; what migrations say belongs to the command. */
const codeRules = generated.rules.filter((rule) => rule.hosts.some((host) => host === 'typescript'));

const rules = Object.fromEntries(codeRules.map((rule) => [rule.id, eslintRule(rule)]));

const preset = (which: 'recommended' | 'strict' | 'all'): Linter.Config => ({
  name: `tenant-lint/${which}`,
  files,
  rules: generated.presets[which] as Linter.RulesRecord,
});

const plugin = {
  meta: { name, version },
  rules,
  configs: { recommended: preset('recommended'), strict: preset('strict'), all: preset('all') },
} satisfies ESLint.Plugin;
for (const config of Object.values(plugin.configs)) config.plugins = { 'tenant-lint': plugin };

export default plugin;

// What `require` gives a CommonJS configuration is the plugin itself.
export { plugin as 'module.exports' };
