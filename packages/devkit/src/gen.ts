import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Rule } from '@tenant-lint/engine';
import { configSchema, coverageTable, eslintMeta, explainTexts, rulesTable, sarifRules } from './gen/docs.js';
import { readmeWithHeader } from './gen/readme.js';
import { registry } from './gen/registry.js';
import type { Output, Source } from './gen/outputs.js';

/** Folders `group/rule-id` that hold a rule, sorted. */
export function ruleFolders(root: string): string[] {
  const folders = (path: string): string[] =>
    readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && entry.name !== 'dist' && entry.name !== 'node_modules')
      .map((entry) => entry.name);
  return folders(join(root, 'rules'))
    .flatMap((group) => folders(join(root, 'rules', group)).map((id) => `${group}/${id}`))
    .filter((folder) => existsSync(join(root, 'rules', folder, 'rule.ts')))
    .sort();
}

/** The rules of these folders as built; the registry is not asked, since it may be what is out of date. */
export const builtRules = (root: string, folders: readonly string[]): Promise<Rule[]> =>
  Promise.all(
    folders.map(async (folder) => {
      const built = pathToFileURL(join(root, 'rules', 'dist', folder, 'rule.js')).href;
      return ((await import(built)) as { default: Rule }).default;
    }),
  );

/** Every generated file with the text it should have. */
export function outputs(root: string, folders: readonly string[], rules: readonly Rule[]): Output[] {
  const generated = new Map<string, string>();
  const source: Source = {
    rules,
    read: (path) =>
      generated.get(path) ?? (existsSync(join(root, path)) ? readFileSync(join(root, path), 'utf8') : undefined),
  };
  const readmes = rules.map((rule) => readmeWithHeader(rule, source));
  for (const { path, text } of readmes) generated.set(path, text);
  return [
    registry(folders),
    ...readmes,
    rulesTable(source),
    coverageTable(source),
    sarifRules(source),
    explainTexts(source),
    eslintMeta(source),
    configSchema(source),
  ];
}

/** Those of the outputs whose text on disk is another. */
export const staleOf = (root: string, all: readonly Output[]): Output[] =>
  all.filter(({ path, text }) => {
    const file = join(root, path);
    return !existsSync(file) || readFileSync(file, 'utf8').replaceAll('\r\n', '\n') !== text;
  });

/** `gen` writes what differs; `gen --check` names it and exits with 1. */
async function main(root: string, check: boolean): Promise<void> {
  const folders = ruleFolders(root);
  const stale = staleOf(root, outputs(root, folders, await builtRules(root, folders)));
  if (check) {
    for (const { path } of stale) console.error(`${path} is not up to date; run "npm run gen"`);
    process.exitCode = stale.length > 0 ? 1 : 0;
    return;
  }
  for (const { path, text } of stale) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
    console.log(`wrote ${path}`);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  void main(fileURLToPath(new URL('../../../', import.meta.url)), process.argv.includes('--check'));
}
