import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { generateRepository } from '../../devkit/src/bench/generate.js';
import { generateMigrations } from '../../devkit/src/bench/migrations.js';
import { bin } from './support/project.js';

const work = mkdtempSync(path.join(tmpdir(), 'tenant-lint-determinism-'));
afterAll(() => rmSync(work, { recursive: true, force: true }));

/** Runs the built command: its report, and how many files came from the cache and from other threads. */
function run(folder: string, ...flags: readonly string[]): { report: string; remembered: number; elsewhere: number } {
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [bin, 'check', '--format', 'json', '--timing', '--fail-on', 'never', '--confidence', 'possible', ...flags],
    { cwd: folder, encoding: 'utf8', maxBuffer: 1 << 28 },
  );
  const [, remembered, elsewhere] = /(\d+) from the cache, (\d+) by other threads/.exec(stderr) ?? [];
  return { report: stdout, remembered: Number(remembered), elsewhere: Number(elsewhere) };
}

describe('the report does not depend on threads or cache', () => {
  it('of a repository that is large enough for several threads', () => {
    const folder = path.join(work, 'generated');
    generateRepository(folder, 700);
    // Too deep for any stack, and nothing that can be parsed: whoever reads them, the report names them alike.
    writeFileSync(
      path.join(folder, 'src/data/deep.ts'),
      `import { db } from '@/lib/db';\nexport const x = ${'('.repeat(20_000)}1${')'.repeat(20_000)};\n`,
    );
    writeFileSync(path.join(folder, 'src/data/broken.ts'), `import { db } from '@/lib/db';\nexport const = {\n`);
    mkdirSync(path.join(folder, 'node_modules'));
    const alone = run(folder, '--threads', '1', '--no-cache');
    expect(alone.elsewhere).toBe(0);
    expect(JSON.parse(alone.report).findings.length).toBeGreaterThan(0);
    const together = run(folder, '--threads', '3', '--no-cache');
    expect(together.elsewhere).toBeGreaterThan(0);
    expect(together.report).toBe(alone.report);

    const cold = run(folder, '--threads', '3');
    expect(cold.remembered).toBe(0);
    expect(cold.report).toBe(alone.report);
    const warm = run(folder, '--threads', '3');
    expect(warm.remembered).toBeGreaterThan(250);
    expect(warm.report).toBe(alone.report);

    // A damaged cache is an empty one.
    writeFileSync(path.join(folder, 'node_modules/.cache/tenant-lint/facts.bin'), Buffer.from([0, 0, 0, 9, 1, 2, 3]));
    const damaged = run(folder, '--threads', '1');
    expect(damaged.remembered).toBe(0);
    expect(damaged.report).toBe(alone.report);
  });

  it('of a long history of migrations', () => {
    const folder = path.join(work, 'migrations');
    generateMigrations(folder, 0.5);
    const migrations = path.join(folder, 'supabase/migrations');
    // How deep a body may be depends on the stack: the main thread has the last word.
    const deep = `${'if true then '.repeat(3_000)}perform 1;${'end if;'.repeat(3_000)}`;
    writeFileSync(
      path.join(migrations, '20230101000000_deep.sql'),
      `create function public.deep() returns void language plpgsql as $$ begin ${deep} end $$;\n`,
    );
    writeFileSync(path.join(migrations, '20230102000000_broken.sql'), 'create table public.broken (id uuid;\n');
    mkdirSync(path.join(folder, 'node_modules'));
    const alone = run(folder, '--threads', '1', '--no-cache');
    expect(JSON.parse(alone.report).findings.length).toBeGreaterThan(0);
    expect(alone.elsewhere).toBe(0);
    const together = run(folder, '--threads', '3', '--no-cache');
    expect(together.elsewhere).toBeGreaterThan(0);
    expect(together.report).toBe(alone.report);
    expect(run(folder, '--threads', '3').report).toBe(alone.report);
    const warm = run(folder, '--threads', '1');
    expect(warm.remembered).toBeGreaterThan(150);
    expect(warm.report).toBe(alone.report);
    // Facts of another parser are other facts, whoever made them.
    writeFileSync(path.join(folder, 'tenant-lint.config.json'), '{ "sqlParser": "pgsql-ast-parser" }\n');
    const other = run(folder, '--threads', '1', '--no-cache');
    expect(other.report).not.toBe(alone.report);
    expect(run(folder, '--threads', '3').report).toBe(other.report);
  });

  it('of a small system, which stays in one thread', () => {
    const folder = path.join(work, 'system');
    cpSync(fileURLToPath(new URL('../../../fixtures/systems/task-tracker/unsafe', import.meta.url)), folder, {
      recursive: true,
    });
    mkdirSync(path.join(folder, 'node_modules'), { recursive: true });
    const alone = run(folder, '--threads', '1', '--no-cache');
    expect(JSON.parse(alone.report).findings.length).toBeGreaterThan(0);
    expect(run(folder, '--threads', '4', '--no-cache')).toEqual(alone);
    expect(run(folder).report).toBe(alone.report);
    expect(run(folder).report).toBe(alone.report);
  });
});
