import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { app, leaking, project, run, schema } from './support/project.js';

let root = '';
let remove: () => void = () => undefined;
afterEach(() => remove());

const git = (...args: string[]): string =>
  execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.org', '-c', 'commit.gpgsign=false', ...args], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  }).toString();

const write = (file: string, text: string): void => {
  mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
  writeFileSync(path.join(root, file), text);
};

const clean = leaking.replace(
  "select * from invoices'",
  "select * from invoices where organization_id = $1', [process.env.ORG]",
);

async function found(...args: string[]): Promise<string[]> {
  const { stdout, stderr } = await run(root, '--format', 'json', ...args);
  expect(stdout, stderr).not.toBe('');
  const { findings, unchecked } = JSON.parse(stdout) as {
    findings: { file: string; start: { line: number }; rule: string }[];
    unchecked: { file: string; reason: string }[];
  };
  return [
    ...findings.map((f) => `${f.file}:${f.start.line} ${f.rule}`),
    ...unchecked.map((u) => `${u.file} not checked: ${u.reason}`),
  ];
}

/** A repository with one leak that is known: what a change must not be blamed for. */
beforeEach(() => {
  const made = project({ ...app, 'src/clean.ts': clean });
  root = made.root;
  remove = made.remove;
  git('init', '--quiet', '--initial-branch=main');
  git('add', '.');
  git('commit', '--quiet', '-m', 'first');
});

describe('--staged', () => {
  it('says nothing where nothing is staged', async () => {
    write('src/later.ts', leaking);
    expect(await found('--staged')).toEqual([]);
    expect((await run(root, '--staged')).code).toBe(0);
  });

  it('reports what the commit touches, and not the rest', async () => {
    write('src/new.ts', leaking);
    git('add', 'src/new.ts');
    expect(await found('--staged')).toEqual(['src/new.ts:6 require-tenant-filter']);
    expect((await run(root, '--staged')).code).toBe(1);
  });

  it('reads the index, not the work tree: the leak is staged, the mended file is not', async () => {
    write('src/clean.ts', leaking);
    git('add', '.');
    write('src/clean.ts', clean);
    expect(await found('--staged')).toEqual(['src/clean.ts:6 require-tenant-filter']);
  });

  it('and the other way round: the mended file is staged, the leak is not', async () => {
    write('src/invoices.ts', clean);
    git('add', '.');
    write('src/invoices.ts', leaking);
    expect(await found('--staged')).toEqual([]);
  });

  it('reports elsewhere what the commit causes: a table gets a tenant', async () => {
    write('migrations/001_init.sql', `${schema}create table notes (id uuid primary key, organization_name text);\n`);
    write('src/notes.ts', leaking.replaceAll('invoices', 'notes').replaceAll('organization_id', 'id'));
    git('add', '.');
    git('commit', '--quiet', '-m', 'notes of nobody');
    write(
      'migrations/002_owner.sql',
      'alter table notes add column organization_id uuid not null references organizations (id);\ncreate index on notes (organization_id);\n',
    );
    git('add', '.');
    expect(await found('--staged')).toContain('src/notes.ts:6 require-tenant-filter');
    expect(await found('--staged')).not.toContain('src/invoices.ts:6 require-tenant-filter');
  });

  it('works in a repository without a commit, and in a folder of one', async () => {
    rmSync(path.join(root, '.git'), { recursive: true });
    git('init', '--quiet');
    git('add', '.');
    expect(await found('--staged')).toEqual(['src/invoices.ts:6 require-tenant-filter']);
    const inner = path.join(root, 'apps');
    write('apps/migrations/001_init.sql', schema);
    write('apps/src/a.ts', leaking);
    write('apps/package.json', '{}');
    git('add', '.');
    const { stdout } = await run(inner, '--staged', '--format', 'json');
    const { findings } = JSON.parse(stdout) as { findings: { file: string }[] };
    expect(findings.map((f) => f.file)).toEqual(['src/a.ts']);
  });

  it('names what could not be read in the commit, and only that', async () => {
    write('migrations/002.sql', 'create tabel x (id int);\n');
    git('add', '.');
    git('commit', '--quiet', '-m', 'broken');
    expect(await found('--staged')).toEqual([]);
    write('migrations/003.sql', 'alter tabel y;\n');
    git('add', '.');
    expect(await found('--staged')).toEqual(['migrations/003.sql not checked: syntax']);
  });
});

describe('a state that was analysed before', () => {
  const states = (): string => path.join(root, 'node_modules/.cache/tenant-lint/states.json');
  interface Kept {
    findings: string[];
  }
  const kept = (): Kept[] => JSON.parse(readFileSync(states(), 'utf8')) as Kept[];

  beforeEach(() => mkdirSync(path.join(root, 'node_modules')));

  it('is not analysed again: what is staged now is the commit before the next one', async () => {
    write('src/one.ts', leaking);
    git('add', 'src');
    const first = await found('--staged');
    expect(first).toEqual(['src/one.ts:6 require-tenant-filter']);
    expect(kept().map((k) => k.findings.length)).toEqual([2, 1]);
    git('commit', '--quiet', '-m', 'one');
    // Were it analysed, the leak of the first commit would be known.
    writeFileSync(states(), JSON.stringify(kept().map((k) => ({ ...k, findings: [] }))));
    write('src/two.ts', leaking);
    git('add', 'src');
    expect(await found('--staged')).toEqual([
      'src/invoices.ts:6 require-tenant-filter',
      'src/one.ts:6 require-tenant-filter',
      'src/two.ts:6 require-tenant-filter',
    ]);
    expect(await found('--staged', '--no-cache')).toEqual(['src/two.ts:6 require-tenant-filter']);
  });

  it('is another one under other settings', async () => {
    write('src/one.ts', leaking);
    git('add', 'src');
    await found('--staged');
    const before = kept().length;
    await found('--staged', '--confidence', 'possible');
    expect(kept().length).toBeGreaterThan(before);
  });

  it.each(['', '[', '{}', '[null, 1, {"key": 1}]'])(
    'is analysed where what was kept is damaged: %j',
    async (damaged) => {
      write('src/one.ts', leaking);
      git('add', 'src');
      await found('--staged');
      writeFileSync(states(), damaged);
      expect(await found('--staged')).toEqual(['src/one.ts:6 require-tenant-filter']);
    },
  );
});

describe('--since', () => {
  it('reports what the branch brings, committed or not', async () => {
    git('switch', '--quiet', '-c', 'branch');
    write('src/one.ts', leaking);
    git('add', '.');
    git('commit', '--quiet', '-m', 'one');
    write('src/two.ts', leaking);
    expect(await found('--since', 'main')).toEqual([
      'src/one.ts:6 require-tenant-filter',
      'src/two.ts:6 require-tenant-filter',
    ]);
  });

  it('counts from where the branch left, not from what came to main since', async () => {
    git('switch', '--quiet', '-c', 'branch');
    write('src/one.ts', clean);
    git('add', '.');
    git('commit', '--quiet', '-m', 'one');
    git('switch', '--quiet', 'main');
    write('src/invoices.ts', clean);
    git('add', '.');
    git('commit', '--quiet', '-m', 'mended');
    git('switch', '--quiet', 'branch');
    expect(await found('--since', 'main')).toEqual([]);
  });

  it('a moved file keeps nothing secret', async () => {
    git('mv', 'src/invoices.ts', 'src/moved.ts');
    expect(await found('--since', 'HEAD')).toEqual(['src/moved.ts:6 require-tenant-filter']);
  });

  it.each([
    ['a commit that git does not know', ['--since', 'nowhere'], /git knows no commit nowhere/],
    ['what looks like an option', ['--since=--output=x'], /git knows no commit --output=x/],
    ['both at once', ['--since', 'main', '--staged'], /exclude each other/],
  ])('%s is refused', async (_, args, says) => {
    const { code, stderr } = await run(root, ...args);
    expect(code).toBe(2);
    expect(stderr).toMatch(says);
  });

  it('needs a repository', async () => {
    rmSync(path.join(root, '.git'), { recursive: true });
    const { code, stderr } = await run(root, '--since', 'main');
    expect([code, stderr]).toEqual([2, expect.stringContaining('needs a git repository')]);
  });
});
