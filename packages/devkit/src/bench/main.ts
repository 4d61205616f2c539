import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { generateRepository } from './generate.js';

/**
 * `npm run bench [-- FOLDER]`: whole-process wall time of `tenant-lint check` against oxlint (default rules) and ESLint (typescript-eslint
 * parser, no rules) on the same files in the same run, medians, as ratios; and our peak memory. FOLDER is a real repository instead of the
 * generated one.
 */
const require = createRequire(import.meta.url);
const files = 4_000;
const rounds = 5;

interface Tool {
  readonly name: string;
  readonly rounds: number;
  readonly command: readonly string[];
}

function main(): void {
  const given = process.argv.slice(2).find((a) => !a.startsWith('-'));
  const work = mkdtempSync(path.join(os.tmpdir(), 'tenant-lint-bench-'));
  try {
    const folder = given === undefined ? path.join(work, 'generated') : path.resolve(given);
    if (given === undefined) generateRepository(folder, files);
    const config = eslintConfig(work);
    const bin = fileURLToPath(new URL('../../../cli/bin/tenant-lint.js', import.meta.url));
    const tools: Tool[] = [
      {
        name: 'tenant-lint',
        rounds,
        command: [process.execPath, bin, 'check', folder, '--no-cache', '--timing', '--fail-on', 'never'],
      },
      { name: 'oxlint', rounds, command: [binOf('oxlint'), '--silent', folder] },
      {
        name: 'eslint',
        rounds: given === undefined ? 3 : 1,
        command: [
          process.execPath,
          '--max-old-space-size=8192',
          binOf('eslint'),
          '--no-config-lookup',
          '-c',
          config,
          '--no-warn-ignored',
          folder,
        ],
      },
    ];
    const medians = new Map<string, number>();
    let peak = '';
    for (const tool of tools) {
      const times: number[] = [];
      for (let i = 0; i < tool.rounds; i++) {
        const begun = process.hrtime.bigint();
        const run = spawnSync(tool.command[0]!, tool.command.slice(1), {
          cwd: folder,
          encoding: 'utf8',
          maxBuffer: 1 << 28,
        });
        times.push(Number(process.hrtime.bigint() - begun) / 1e6);
        if (run.error || run.status === 2 || run.status === null) {
          console.error(
            `${tool.name} ended with ${run.status ?? run.signal ?? ''}: ${(run.stderr || run.stdout).slice(0, 600)}`,
          );
        }
        if (tool.name === 'tenant-lint') peak = /peak memory (\d+ MB)/.exec(run.stderr)?.[1] ?? peak;
      }
      medians.set(tool.name, times.sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0);
    }
    const ours = medians.get('tenant-lint')!;
    const ratio = (name: string): string => (ours / medians.get(name)!).toFixed(2);
    console.log(`${given === undefined ? `generated repository of ${files} files` : given}`);
    for (const tool of tools)
      console.log(`  ${tool.name.padEnd(12)} ${Math.round(medians.get(tool.name)!)} ms (median of ${tool.rounds})`);
    console.log(
      `  tenant-lint / oxlint ${ratio('oxlint')}, tenant-lint / eslint ${ratio('eslint')}, peak memory ${peak}`,
    );
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function binOf(name: string): string {
  const manifest = require.resolve(`${name}/package.json`);
  const { bin } = JSON.parse(readFileSync(manifest, 'utf8')) as { bin: string | Record<string, string> };
  return path.join(path.dirname(manifest), typeof bin === 'string' ? bin : bin[name]!);
}

/** A configuration that only parses: the typescript-eslint parser on every code file, no rules. */
function eslintConfig(work: string): string {
  const file = path.join(work, 'eslint.config.mjs');
  writeFileSync(
    file,
    `import parser from ${JSON.stringify(`file://${require.resolve('@typescript-eslint/parser')}`)};
export default [
  { ignores: ['**/node_modules/**', '**/dist/**'] },
  { files: ['**/*.{ts,tsx,mts,cts,js,jsx,mjs,cjs}'], languageOptions: { parser, parserOptions: { ecmaFeatures: { jsx: true } } }, linterOptions: { reportUnusedDisableDirectives: 'off' } },
];
`,
  );
  return file;
}

main();
