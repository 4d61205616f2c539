import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  buildModel,
  discover,
  memoryCache,
  memorySource,
  readSource,
  rememberedFacts,
  settingsOf,
  stampOf,
} from '../src/index.js';

let root = '';
beforeEach(() => {
  root = realpathSync(mkdtempSync(path.join(tmpdir(), 'tenant-lint-sources-')));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(file: string, content: string | Buffer = ''): void {
  mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
  writeFileSync(path.join(root, file), content);
}
const git = (...args: string[]): Buffer => execFileSync('git', args, { cwd: root, stdio: 'pipe' });
const found = (): string[] => [...discover(root).files.keys()];

describe('discovery', () => {
  it('classes files by name, sorted, without what is generated or installed', () => {
    for (const file of [
      'src/b.tsx',
      'src/a.mts',
      'src/types.d.ts',
      'public/lib.min.js',
      'db/1.sql',
      'schema.prisma',
      'package.json',
      'tsconfig.base.json',
      'drizzle/meta/_journal.json',
      'node_modules/x/index.js',
      'dist/a.js',
      'packages/p/.next/a.js',
      'README.md',
      'data.json',
    ])
      write(file);
    expect([...discover(root).files]).toEqual([
      ['db/1.sql', 'sql'],
      ['drizzle/meta/_journal.json', 'journal'],
      ['package.json', 'manifest'],
      ['schema.prisma', 'prisma'],
      ['src/a.mts', 'code'],
      ['src/b.tsx', 'code'],
      ['tsconfig.base.json', 'compiler'],
    ]);
  });

  it('sees what git sees: tracked and new files, not ignored ones', () => {
    git('init', '-q');
    write('.gitignore', 'ignored.ts\n');
    for (const file of ['tracked.ts', 'new.ts', 'ignored.ts', 'folder with space/ü.ts']) write(file);
    git('add', 'tracked.ts', 'folder with space');
    expect(found()).toEqual(['folder with space/ü.ts', 'new.ts', 'tracked.ts']);
  });

  it('walks a folder that a repository around it ignores', () => {
    git('init', '-q');
    write('.gitignore', 'generated/\n');
    write('generated/a.ts');
    expect([...discover(path.join(root, 'generated')).files.keys()]).toEqual(['a.ts']);
  });

  it('names a repository inside the repository', () => {
    git('init', '-q');
    write('a.ts');
    write('inner/b.ts');
    execFileSync('git', ['init', '-q'], { cwd: path.join(root, 'inner') });
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '-q', '--allow-empty', '-m', 'x'], {
      cwd: path.join(root, 'inner'),
    });
    expect(discover(root).unchecked).toEqual([
      { file: 'inner', reason: 'submodule', detail: 'a repository of its own' },
    ]);
  });

  it('reads links to files, says which links to folders it does not follow', () => {
    write('src/a.ts', 'export const a = 1;');
    symlinkSync('a.ts', path.join(root, 'src/b.ts'));
    // What is behind it is read at its own place.
    symlinkSync('src', path.join(root, 'again'));
    symlinkSync(tmpdir(), path.join(root, 'elsewhere'));
    symlinkSync('..', path.join(root, 'src/up'));
    const { files, unchecked } = discover(root);
    expect([...files.keys()]).toEqual(['src/a.ts', 'src/b.ts']);
    expect(unchecked.map((u) => `${u.file} ${u.detail}`)).toEqual([
      expect.stringContaining('elsewhere a link to a folder'),
      'src/up a link to a folder above it is not followed',
    ]);
  });
});

describe('reading', () => {
  const text = (file: string): unknown => readSource(root, file);

  it('UTF-8 and UTF-16, the byte order mark is no part of the text', () => {
    write('plain.ts', 'ü');
    write('marked.ts', '\uFEFFü');
    write('little.ts', Buffer.from('\uFEFFü', 'utf16le'));
    write('big.ts', Buffer.from('\uFEFFü', 'utf16le').swap16());
    write('empty.ts');
    expect(['plain.ts', 'marked.ts', 'little.ts', 'big.ts'].map(text)).toEqual(
      Array.from({ length: 4 }, () => ({ text: 'ü' })),
    );
    expect(text('empty.ts')).toEqual({ text: '' });
  });

  it('names what holds no text, and what is gone', () => {
    write('blob.sql', Buffer.from([1, 0, 2]));
    mkdirSync(path.join(root, 'x.sql'));
    symlinkSync('nowhere', path.join(root, 'dangling.sql'));
    symlinkSync('circle.sql', path.join(root, 'circle.sql'));
    expect(text('blob.sql')).toEqual({ unchecked: 'binary' });
    expect(text('x.sql')).toEqual({ unchecked: 'unreadable', detail: 'a folder' });
    expect(text('dangling.sql')).toEqual({ unchecked: 'unreadable', detail: 'ENOENT' });
    expect(text('circle.sql')).toEqual({ unchecked: 'unreadable', detail: 'ELOOP' });
    expect(text('deleted.sql')).toEqual({ gone: true });
  });
});

const application = {
  'migrations/001.sql':
    'create table tenants (id int primary key);\ncreate table notes (id int primary key, tenant_id int references tenants (id));',
  'src/db.ts': "import { Pool } from 'pg';\nexport const pool = new Pool();",
  'src/notes.ts': "import { pool } from './db';\nexport const notes = () => pool.query('select * from notes');",
  'src/route.ts': "import { notes } from './notes';\nexport const GET = () => notes();",
  'src/page.ts': "import { GET } from './route';\nexport const page = GET;",
  'src/app.ts': "import { page } from './page';\nexport default page;",
  'src/unrelated.ts': 'export const two = 2;',
};

describe('the pipeline', () => {
  it('parses what touches data and its callers, and nothing else', () => {
    const { counted, model } = buildModel(memorySource(application), { settings: settingsOf({}) });
    expect([...model.files.keys()]).toEqual([
      'migrations/001.sql',
      'src/db.ts',
      'src/notes.ts',
      'src/page.ts',
      'src/route.ts',
    ]);
    expect(counted).toMatchObject({ found: 7, parsed: 5 });
    expect(model.accesses.map((a) => a.file)).toEqual(['src/notes.ts']);
    expect(model.unchecked).toEqual([]);
  });

  it('asks the cache by content, and by what the configuration says of a file', () => {
    const cache = memoryCache();
    let extracted = 0;
    const counting = {
      ...cache,
      remember: (...args: Parameters<typeof cache.remember>) => {
        extracted++;
        cache.remember(...args);
      },
    };
    const build = (texts: Readonly<Record<string, string>>, config = {}): number => {
      extracted = 0;
      buildModel(memorySource(texts), { settings: settingsOf(config), cache: counting });
      return extracted;
    };
    expect(build(application)).toBe(5);
    expect(build(application)).toBe(0);
    expect(build({ ...application, 'src/db.ts': `${application['src/db.ts']}\n` })).toBe(1);
    expect(
      build(
        { ...application, 'src/db.ts': `${application['src/db.ts']}\n` },
        { sources: { migrations: ['migrations'] } },
      ),
    ).toBe(1);
  });

  it('keeps facts between runs where there is a place for them', () => {
    for (const [file, text] of Object.entries(application)) write(file, text);
    const file = path.join(root, 'node_modules/.cache/tenant-lint/facts.bin');
    const run = (): unknown => {
      const cache = rememberedFacts(root);
      const { model } = buildModel(memorySource(application), { settings: settingsOf({}), cache });
      cache.save();
      return [model.schema, model.tenancy, model.accesses];
    };
    const without = run();
    expect(() => readFileSync(file)).toThrow('ENOENT');
    mkdirSync(path.join(root, 'node_modules'));
    expect(run()).toEqual(without);
    const kept = readFileSync(file, 'latin1');
    expect(run()).toEqual(without);
    expect(readFileSync(file, 'latin1')).toBe(kept);
    for (const damaged of [
      '',
      '{}',
      kept.replace('"version":"3', '"version":"x'),
      kept.slice(0, -100),
      `${kept.slice(0, -100)}${'\xff'.repeat(100)}`,
    ]) {
      writeFileSync(file, damaged, 'latin1');
      expect(run()).toEqual(without);
    }
  });

  it('names manifests and compiler configurations that do not parse', () => {
    const { model } = buildModel(memorySource({ ...application, 'package.json': '[', 'tsconfig.json': 'oops' }), {
      settings: settingsOf({}),
    });
    expect(model.unchecked.map((u) => `${u.file} ${u.reason}`)).toEqual([
      'package.json syntax',
      'tsconfig.json syntax',
    ]);
  });
});

it('a stamp changes with a file', () => {
  write('a.ts', '1');
  const before = stampOf(root, 'a.ts');
  expect(stampOf(root, 'a.ts')).toBe(before);
  write('a.ts', '22');
  const edited = stampOf(root, 'a.ts');
  expect(edited).not.toBe(before);
  unlinkSync(path.join(root, 'a.ts'));
  expect(stampOf(root, 'a.ts')).not.toBe(edited);
});
