import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { editedFiles, editorRuns, withModules } from './editor.js';
import { generateRepository } from './generate.js';
import { generateMigrations, migrationFiles } from './migrations.js';

/**
 * `npm run bench [-- FOLDER] [--rounds N] [--growth]`: whole-process wall time of `tenant-lint check`, cold (nothing cached) and warm (facts
 * cached, then one file edited), against oxlint (default rules) and ESLint (typescript-eslint parser, no rules) on the same files in the same
 * run, medians, as ratios; and our peak memory. The tools take turns, so that what else the machine does meets all of them. FOLDER is a real
 * repository instead of the generated one; nothing in it is changed but `node_modules/.cache`. `--growth` measures generated repositories of
 * 1,000 to 16,000 files instead, `--editor` what the plugin costs in ESLint.
 */
const require = createRequire(import.meta.url);
const files = 4_000;
const sizes = [1_000, 2_000, 4_000, 8_000, 16_000];
const bin = fileURLToPath(new URL('../../../cli/bin/tenant-lint.js', import.meta.url));

interface Tool {
  readonly name: string;
  readonly rounds: number;
  readonly command: readonly string[];
  /** Before each run. */
  readonly prepare?: () => void;
}

interface Measured {
  /** Medians, in milliseconds. */
  readonly wall: number;
  readonly cpu: number;
  /** The largest of all rounds, in megabytes; tools other than ours do not tell. */
  readonly peak: number;
}

async function main(): Promise<void> {
  const argv = process.argv.slice(2);
  const at = argv.indexOf('--rounds');
  const rounds = at < 0 ? 5 : Number(argv[at + 1]);
  const given = argv.find((a, i) => !a.startsWith('-') && (at < 0 || i !== at + 1));
  const work = mkdtempSync(path.join(os.tmpdir(), 'tenant-lint-bench-'));
  try {
    if (argv.includes('--growth')) return growth(work, rounds);
    if (argv.includes('--migrations')) return migrations(work, rounds);
    const folder = given === undefined ? path.join(work, 'generated') : path.resolve(given);
    if (given === undefined) generateRepository(folder, files);
    if (argv.includes('--editor')) return await editor(folder, work, rounds);
    compare(folder, work, rounds, given === undefined ? `generated repository of ${files} files` : given);
    if (given === undefined) migrations(work, rounds);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

const ours = (folder: string, ...flags: readonly string[]): readonly string[] => [
  process.execPath,
  bin,
  'check',
  folder,
  '--timing',
  '--fail-on',
  'never',
  ...flags,
];

function compare(folder: string, work: string, rounds: number, title: string): void {
  const hadModules = existsSync(path.join(folder, 'node_modules'));
  mkdirSync(path.join(folder, 'node_modules'), { recursive: true });
  const scratch = path.join(folder, 'tenant-lint-bench.ts');
  try {
    const tools: Tool[] = [
      { name: 'oxlint', rounds, command: [binOf('oxlint'), '--silent', folder] },
      { name: 'cold', rounds, command: ours(folder, '--no-cache') },
      { name: 'warm', rounds, command: ours(folder) },
      {
        name: 'warm, edited',
        rounds,
        command: ours(folder),
        prepare: () => writeFileSync(scratch, `import pg from 'pg';\nexport const at = ${process.hrtime.bigint()}n;\n`),
      },
      {
        name: 'eslint',
        rounds: Math.min(rounds, 1),
        command: [
          process.execPath,
          '--max-old-space-size=8192',
          binOf('eslint'),
          '--no-config-lookup',
          '-c',
          eslintConfig(work),
          '--no-warn-ignored',
          folder,
        ],
      },
    ];
    measure({ name: 'first', rounds: 1, command: ours(folder) }, folder);
    const medians = inTurns(tools, folder);
    console.log(title);
    const reference = medians.get('oxlint')!;
    const eslint = medians.get('eslint')!;
    for (const [name, { wall, cpu, peak }] of medians) {
      const ratios =
        name === 'oxlint' || name === 'eslint'
          ? ''
          : `  oxlint x ${(wall / reference.wall).toFixed(1)} (processor time ${(cpu / reference.cpu).toFixed(1)}), eslint x ${(wall / eslint.wall).toFixed(2)} (${(cpu / eslint.cpu).toFixed(2)}), peak memory ${peak} MB`;
      console.log(`  ${name.padEnd(14)}${String(Math.round(wall)).padStart(7)} ms${ratios}`);
    }
  } finally {
    rmSync(scratch, { force: true });
    if (!hadModules) rmSync(path.join(folder, 'node_modules'), { recursive: true, force: true });
  }
}

/** What the plugin costs in ESLint: whole runs, and a file in an open process. */
async function editor(folder: string, work: string, rounds: number): Promise<void> {
  const restore = withModules(folder);
  try {
    const runs = inTurns(editorRuns(folder, work, rounds, binOf('eslint')), folder);
    const alone = runs.get('eslint')!;
    for (const [name, { wall, cpu }] of runs)
      console.log(
        `  ${name.padEnd(20)}${String(Math.round(wall)).padStart(7)} ms  x ${(wall / alone.wall).toFixed(2)} (processor time ${(cpu / alone.cpu).toFixed(2)})`,
      );
    const { parse = 1, ...others } = await editedFiles(folder);
    console.log(`  a file: parsed in ${parse.toFixed(1)} ms`);
    for (const [name, time] of Object.entries(others))
      console.log(`  ${name.padEnd(20)}${time.toFixed(1).padStart(9)} ms  parse x ${(time / parse).toFixed(2)}`);
  } finally {
    restore();
  }
}

/** A long history of migrations: against squawk in the same run, and ten times as long. */
function migrations(work: string, rounds: number): void {
  const folder = path.join(work, 'migrations');
  generateMigrations(folder);
  const cold = (at: string): Tool => ({ name: 'cold', rounds, command: ours(at, '--no-cache') });
  const squawk = squawkOn(path.join(folder, 'supabase', 'migrations'));
  const medians = inTurns([...(squawk ? [{ name: 'squawk', rounds, command: squawk }] : []), cold(folder)], folder);
  const own = medians.get('cold')!;
  const other = medians.get('squawk');
  console.log(`generated history of ${migrationFiles} migrations`);
  console.log(
    other
      ? `  squawk        ${String(Math.round(other.wall)).padStart(7)} ms\n  cold          ${String(Math.round(own.wall)).padStart(7)} ms  squawk x ${(own.wall / other.wall).toFixed(1)} (processor time ${(own.cpu / other.cpu).toFixed(1)}), peak memory ${own.peak} MB`
      : `  cold          ${String(Math.round(own.wall)).padStart(7)} ms; squawk does not run on this platform: nothing to compare with`,
  );
  const longer = path.join(work, 'longer');
  generateMigrations(longer, 10);
  const long = inTurns([{ ...cold(longer), rounds: Math.min(rounds, 3) }], longer).get('cold')!;
  console.log(
    `  ten times     ${String(Math.round(long.wall)).padStart(7)} ms  time x ${(long.wall / own.wall).toFixed(1)} (processor time ${(long.cpu / own.cpu).toFixed(1)}), peak memory ${long.peak} MB`,
  );
  rmSync(longer, { recursive: true, force: true });
}

/**
 * squawk on every file of a folder: the pinned package where it has a binary for this platform, else what PATH finds. Undefined where neither
 * runs. It is the last version of which every platform's part can be had: `npm ci` refuses others.
 */
function squawkOn(folder: string): readonly string[] | undefined {
  const files = readdirSync(folder).map((name) => path.join(folder, name));
  const commands = [['squawk']];
  try {
    commands.unshift([process.execPath, binOf('squawk-cli', 'squawk')]);
  } catch {
    // Not installed.
  }
  const found = commands.find(([program, ...rest]) => spawnSync(program!, [...rest, '--version']).status === 0);
  return found && [...found, ...files];
}

/** How time and memory grow with the number of files. */
function growth(work: string, rounds: number): void {
  let before: Measured | undefined;
  for (const size of sizes) {
    const folder = path.join(work, String(size));
    generateRepository(folder, size);
    const cold: Tool = { name: 'cold', rounds, command: ours(folder, '--no-cache') };
    const now = inTurns([cold], folder).get('cold')!;
    const grown = before ? `, time x ${(now.cpu / before.cpu).toFixed(2)}` : '';
    console.log(
      `${String(size).padStart(6)} files  processor time ${Math.round(now.cpu)} ms, peak memory ${now.peak} MB${grown}`,
    );
    before = now;
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The medians of each tool, one round of every tool after the other. */
function inTurns(tools: readonly Tool[], cwd: string): Map<string, Measured> {
  const runs = new Map<string, Measured[]>(tools.map((t) => [t.name, []]));
  for (let round = 0; round < Math.max(...tools.map((t) => t.rounds)); round++)
    for (const tool of tools) if (round < tool.rounds) runs.get(tool.name)!.push(measure(tool, cwd));
  return new Map([...runs].map(([name, all]) => [name, middle(all)]));
}

function middle(all: readonly Measured[]): Measured {
  const median = (of: readonly number[]): number => [...of].sort((a, b) => a - b)[Math.floor(of.length / 2)] ?? 0;
  return {
    wall: median(all.map((m) => m.wall)),
    cpu: median(all.map((m) => m.cpu)),
    peak: Math.max(...all.map((m) => m.peak)),
  };
}

function measure(tool: Tool, cwd: string): Measured {
  tool.prepare?.();
  const begun = process.hrtime.bigint();
  const before = childTime();
  const run = spawnSync(tool.command[0]!, tool.command.slice(1), { cwd, encoding: 'utf8', maxBuffer: 1 << 28 });
  const wall = Number(process.hrtime.bigint() - begun) / 1e6;
  if (run.error || run.status === 2 || run.status === null)
    console.error(
      `${tool.name} ended with ${run.status ?? run.signal ?? ''}: ${(run.stderr || run.stdout).slice(0, 600)}`,
    );
  return { wall, cpu: childTime() - before, peak: Number(/peak memory (\d+) MB/.exec(run.stderr)?.[1] ?? 0) };
}

/** What ended children took of the processors, in milliseconds; 0 where the system does not say (fields 16 and 17 of /proc/self/stat, in hundredths of a second). */
function childTime(): number {
  try {
    const fields = readFileSync('/proc/self/stat', 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return (Number(fields[13]) + Number(fields[14])) * 10;
  } catch {
    return 0;
  }
}

function binOf(name: string, command = name): string {
  const manifest = require.resolve(`${name}/package.json`);
  const { bin } = JSON.parse(readFileSync(manifest, 'utf8')) as { bin: string | Record<string, string> };
  return path.join(path.dirname(manifest), typeof bin === 'string' ? bin : bin[command]!);
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

void main();
