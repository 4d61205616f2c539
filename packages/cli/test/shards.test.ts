import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { app, leaking, project, run } from './support/project.js';

let remove: () => void = () => undefined;
afterEach(() => remove());

/** Leaks in several files, and one that cannot be read. */
const wide = {
  ...app,
  ...Object.fromEntries(['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((name) => [`src/${name}.ts`, leaking])),
  'migrations/002.sql': 'create tabel x (id int);\n',
};

async function sharded(root: string, n: number): Promise<string[]> {
  const files: string[] = [];
  for (let i = 1; i <= n; i++) {
    const { stdout } = await run(root, '--format', 'json', '--shard', `${i}/${n}`);
    files.push(`shard-${i}.json`);
    writeFileSync(path.join(root, files.at(-1)!), stdout);
  }
  return files;
}

describe('shards', () => {
  it.each(['json', 'github', 'gitlab', 'junit', 'markdown', 'agent'])(
    'merged they are the report of one run, as %s',
    async (format) => {
      const made = project(wide);
      remove = made.remove;
      const whole = await run(made.root, '--format', format);
      const merged = await run(made.root, 'merge', ...(await sharded(made.root, 3)), '--format', format);
      expect(merged.stdout).toBe(whole.stdout);
      expect(merged.code).toBe(whole.code);
    },
  );

  it('share the findings among them', async () => {
    const made = project(wide);
    remove = made.remove;
    const counts: number[] = [];
    for (let i = 1; i <= 3; i++) {
      const { stdout } = await run(made.root, '--format', 'json', '--shard', `${i}/3`);
      counts.push((JSON.parse(stdout) as { findings: unknown[] }).findings.length);
    }
    expect(counts.reduce((a, b) => a + b, 0)).toBe(8);
    expect(Math.max(...counts)).toBeLessThan(8);
  });

  it('of different states of a project are not merged', async () => {
    const made = project(wide);
    remove = made.remove;
    const [first] = await sharded(made.root, 2);
    writeFileSync(path.join(made.root, 'src/h.ts'), leaking);
    const { stdout } = await run(made.root, '--format', 'json', '--shard', '2/2');
    writeFileSync(path.join(made.root, 'later.json'), stdout);
    const merged = await run(made.root, 'merge', first!, 'later.json');
    expect([merged.code, merged.stderr]).toEqual([2, expect.stringContaining('not of one run')]);
  });

  it.each([
    ['0/2', /Write i\/n/],
    ['3/2', /Write i\/n/],
    ['two', /Write i\/n/],
  ])('--shard %s is refused', async (shard, says) => {
    const made = project(app);
    remove = made.remove;
    const { code, stderr } = await run(made.root, '--shard', shard);
    expect(code).toBe(2);
    expect(stderr).toMatch(says);
  });

  it('what is no report is refused', async () => {
    const made = project({ ...app, 'x.json': '[]', 'y.json': 'no' });
    remove = made.remove;
    expect((await run(made.root, 'merge', 'x.json')).stderr).toContain('no report of the json format');
    expect((await run(made.root, 'merge', 'y.json')).stderr).toContain('not JSON');
    expect((await run(made.root, 'merge', 'z.json')).stderr).toContain('ENOENT');
  });
});
