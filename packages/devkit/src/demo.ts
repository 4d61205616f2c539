import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A finding as far as the fixtures state it. */
interface Stated {
  readonly rule: string;
  readonly file: string;
  readonly line: number;
  readonly suppressed: boolean;
}

interface Run {
  readonly code: number | null;
  readonly findings: readonly Stated[];
}

/** Where a demo runs: what it says goes to `say`, and what the command prints wherever the command's output goes. */
export interface DemoOptions {
  readonly root: string;
  /** The folder that the HTML reports are written to. */
  readonly reports: string;
  readonly say: (line: string) => void;
  /** Whether the command prints to the terminal. */
  readonly shows: boolean;
}

/**
 * `demo [system...]` runs the real command: check on a fixture system and on its repaired twin, and review of the change from the twin to the
 * system. Returns what is not as expected, in sentences; empty where every expected finding was reported, nothing else was, the twin is clean,
 * the review closes the gate, and the report to look at was written.
 */
export function demo(systems: readonly string[], options: DemoOptions): string[] {
  return systems.flatMap((system) => [...checked(system, options), ...reviewed(system, options)]);
}

function checked(system: string, options: DemoOptions): string[] {
  const { root, reports, say } = options;
  const wrong: string[] = [];
  for (const side of ['unsafe', 'safe'] as const) {
    const project = join(root, 'fixtures/systems', system, side);
    const page = join(reports, `${system}-${side}.html`);
    say(`\n$ tenant-lint check ${relative(root, project)} --format text --format html=${page}\n`);
    const run = check(project, page, options);
    const expected = read<{ findings: (Omit<Stated, 'suppressed'> & { suppressed?: true })[] }>(
      join(project, 'expected.json'),
    ).findings.map((f) => ({ ...f, suppressed: f.suppressed ?? false }));
    const code = expected.some((f) => !f.suppressed) ? 1 : 0;
    if (run.code !== code) wrong.push(`${system}/${side}: the exit code is ${run.code}, not ${code}`);
    if (!existsSync(page) || !readFileSync(page, 'utf8').trimEnd().endsWith('</html>'))
      wrong.push(`${system}/${side}: there is no page at ${page}`);
    wrong.push(
      ...differences(expected, run.findings).map((f) => `${system}/${side}: expected, and not reported: ${f}`),
      ...differences(run.findings, expected).map((f) => `${system}/${side}: reported, and not expected: ${f}`),
    );
  }
  return wrong;
}

/** Runs the command as a user would: the text goes to the terminal, and the same findings are read back from its json. */
function check(project: string, page: string, options: DemoOptions): Run {
  return inScratch((scratch) => {
    const report = join(scratch, 'report.json');
    const formats = ['text', `html=${page}`, `json=${report}`].flatMap((format) => ['--format', format]);
    const code = command(['check', project, ...formats], options.root, options);
    if (!existsSync(report)) return { code, findings: [] };
    const { findings } = read<{
      findings: { rule: string; file: string; start: { line: number }; suppressed: boolean }[];
    }>(report);
    return {
      code,
      findings: findings.map(({ rule, file, start, suppressed }) => ({ rule, file, line: start.line, suppressed })),
    };
  });
}

/** The repaired twin is what is committed, and the system what a pull request would make of it. */
function reviewed(system: string, options: DemoOptions): string[] {
  return inScratch((scratch) => {
    const folder = join(options.root, 'fixtures/systems', system);
    const project = join(scratch, system);
    mkdirSync(project);
    const git = (...args: string[]): boolean =>
      spawnSync('git', ['-c', 'user.name=demo', '-c', 'user.email=demo@example.com', ...args], { cwd: project })
        .status === 0;
    cpSync(join(folder, 'safe'), project, { recursive: true });
    if (!git('init', '-q') || !git('add', '-A') || !git('commit', '-q', '-m', 'safe'))
      return [`${system}: no repository could be made with git`];
    for (const name of readdirSync(project)) if (name !== '.git') rmSync(join(project, name), { recursive: true });
    cpSync(join(folder, 'unsafe'), project, { recursive: true });
    options.say(`\n$ tenant-lint review --since HEAD   # from ${system}/safe to ${system}/unsafe\n`);
    const code = command(['review', '--since', 'HEAD'], project, options);
    return code === 1 ? [] : [`${system}: the exit code of review is ${code}, not 1`];
  });
}

function command(args: readonly string[], cwd: string, { root, shows }: DemoOptions): number | null {
  const bin = join(root, 'packages/cli/bin/tenant-lint.js');
  return spawnSync(process.execPath, [bin, ...args], { cwd, stdio: shows ? 'inherit' : 'ignore' }).status;
}

function inScratch<T>(run: (scratch: string) => T): T {
  const scratch = mkdtempSync(join(tmpdir(), 'tenant-lint-demo-'));
  try {
    return run(scratch);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

const read = <T>(file: string): T => JSON.parse(readFileSync(file, 'utf8')) as T;

/** What `a` has more of than `b`: a finding that is stated twice must be found twice. */
function differences(a: readonly Stated[], b: readonly Stated[]): string[] {
  const left = new Map<string, number>();
  for (const finding of b) left.set(named(finding), (left.get(named(finding)) ?? 0) + 1);
  return a.map(named).filter((name) => {
    const count = left.get(name) ?? 0;
    left.set(name, count - 1);
    return count <= 0;
  });
}

const named = ({ rule, file, line, suppressed }: Stated): string =>
  `${file}:${line} ${rule}${suppressed ? ' (suppressed)' : ''}`;

/** The systems that demo runs on, the last first. */
export const systemsOf = (root: string): string[] =>
  readdirSync(join(root, 'fixtures/systems'))
    .filter((name) => statSync(join(root, 'fixtures/systems', name)).isDirectory())
    .sort()
    .reverse();

/** Exits with 0 where all is as expected, with 1 where it is not, with 2 for a system that does not exist. */
function main(root: string, given: readonly string[]): void {
  const present = systemsOf(root);
  const unknown = given.find((system) => !present.includes(system));
  if (unknown !== undefined) {
    console.error(`There is no system ${unknown}. There are: ${present.join(', ')}.`);
    process.exitCode = 2;
    return;
  }
  const systems = given.length > 0 ? given : present;
  const begun = performance.now();
  const reports = mkdtempSync(join(tmpdir(), 'tenant-lint-reports-'));
  const wrong = demo(systems, { root, reports, say: (line) => console.log(line), shows: true });
  console.log('');
  for (const line of wrong) console.error(line);
  if (wrong.length > 0) process.exitCode = 1;
  else
    console.log(
      [
        `${systems.join(', ')}: every expected finding was reported, the repaired twin is clean, and the review closes the gate.`,
        `Reports to look at: ${readdirSync(reports)
          .map((name) => join(reports, name))
          .join('\n                    ')}`,
        `${Math.round((performance.now() - begun) / 1000)} seconds`,
      ].join('\n'),
    );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  main(fileURLToPath(new URL('../../../', import.meta.url)), process.argv.slice(2));
}
