import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
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

/**
 * `demo [system...]` runs the real command on a fixture system and on its repaired twin, and lets it print its reports. Returns what is not
 * as expected, in sentences; empty where every expected finding was reported, nothing else was, and the twin is clean.
 */
export function demo(root: string, systems: readonly string[], say: (line: string) => void): string[] {
  const wrong: string[] = [];
  for (const system of systems) {
    const folder = join(root, 'fixtures/systems', system);
    for (const side of ['unsafe', 'safe'] as const) {
      const project = join(folder, side);
      say(`\n$ tenant-lint check ${relative(root, project)}\n`);
      const run = check(root, project);
      const expected = read<{ findings: (Omit<Stated, 'suppressed'> & { suppressed?: true })[] }>(
        join(project, 'expected.json'),
      ).findings.map((f) => ({ ...f, suppressed: f.suppressed ?? false }));
      const code = expected.some((f) => !f.suppressed) ? 1 : 0;
      if (run.code !== code) wrong.push(`${system}/${side}: the exit code is ${run.code}, not ${code}`);
      wrong.push(
        ...differences(expected, run.findings).map((f) => `${system}/${side}: expected, and not reported: ${f}`),
        ...differences(run.findings, expected).map((f) => `${system}/${side}: reported, and not expected: ${f}`),
      );
    }
  }
  return wrong;
}

/** Runs the command as a user would: the text goes to the terminal, and the same findings are read back from its json. */
function check(root: string, project: string): Run {
  const scratch = mkdtempSync(join(tmpdir(), 'tenant-lint-demo-'));
  try {
    const report = join(scratch, 'report.json');
    const command = join(root, 'packages/cli/bin/tenant-lint.js');
    const { status } = spawnSync(
      process.execPath,
      [command, 'check', project, '--format', 'text', '--format', `json=${report}`],
      { cwd: root, stdio: 'inherit' },
    );
    if (!existsSync(report)) return { code: status, findings: [] };
    const { findings } = read<{
      findings: { rule: string; file: string; start: { line: number }; suppressed: boolean }[];
    }>(report);
    return {
      code: status,
      findings: findings.map(({ rule, file, start, suppressed }) => ({ rule, file, line: start.line, suppressed })),
    };
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

/** Exits with 0 where all is as expected, with 1 where it is not, with 2 for a system that does not exist. */
function main(root: string, given: readonly string[]): void {
  const present = readdirSync(join(root, 'fixtures/systems')).sort().reverse();
  const unknown = given.find((system) => !present.includes(system));
  if (unknown !== undefined) {
    console.error(`There is no system ${unknown}. There are: ${present.join(', ')}.`);
    process.exitCode = 2;
    return;
  }
  const systems = given.length > 0 ? given : present;
  const wrong = demo(root, systems, (line) => console.log(line));
  console.log('');
  for (const line of wrong) console.error(line);
  if (wrong.length > 0) process.exitCode = 1;
  else console.log(`${systems.join(', ')}: every expected finding was reported, and the repaired twin is clean.`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  main(fileURLToPath(new URL('../../../', import.meta.url)), process.argv.slice(2));
}
