import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rules } from '@tenant-lint/rules';
import { coverageTable, eslintMeta, explainTexts, rulesTable, sarifRules } from './gen/docs.js';
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

/**
 * Every generated file with the text it should have. The registry comes from the folders; all else from the rules as built, so a new
 * folder takes two runs with a build between them, which `npm run gen` does.
 */
export function outputs(root: string): Output[] {
  const generated = new Map<string, string>();
  const source: Source = {
    rules,
    read: (path) =>
      generated.get(path) ?? (existsSync(join(root, path)) ? readFileSync(join(root, path), 'utf8') : undefined),
  };
  const readmes = rules.map((rule) => readmeWithHeader(rule, source));
  for (const { path, text } of readmes) generated.set(path, text);
  return [
    registry(ruleFolders(root)),
    ...readmes,
    rulesTable(source),
    coverageTable(source),
    sarifRules(source),
    explainTexts(source),
    eslintMeta(source),
  ];
}

/** Paths whose text on disk is not what it should be. */
export const stale = (root: string): Output[] =>
  outputs(root).filter(({ path, text }) => {
    const file = join(root, path);
    return !existsSync(file) || readFileSync(file, 'utf8').replaceAll('\r\n', '\n') !== text;
  });

/** `gen` writes; `gen --check` names the files that differ and exits with 1. */
function main(root: string, check: boolean): void {
  const differing = stale(root);
  if (check) {
    for (const { path } of differing) console.error(`${path} is not up to date; run "npm run gen"`);
    process.exitCode = differing.length > 0 ? 1 : 0;
    return;
  }
  for (const { path, text } of differing) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
    console.log(`wrote ${path}`);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  main(fileURLToPath(new URL('../../../', import.meta.url)), process.argv.includes('--check'));
}
