import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { app, bin, project, run, schema } from './support/project.js';

let remove: () => void = () => undefined;
afterEach(() => remove());

function opened(files: Readonly<Record<string, string>>): string {
  const made = project(files);
  remove = made.remove;
  return made.root;
}

/** An application with every kind of source, and a helper without data vocabulary that decides a verdict. */
const whole: Readonly<Record<string, string>> = {
  ...app,
  'src/route.ts': `import express from 'express';
import { invoicesOf } from './invoices';

const app = express();
app.get('/invoices', async (req, res) => res.json(await invoicesOf(req.query.org)));
`,
  'prisma/schema.prisma': `model Note {
  id             String @id
  organizationId String @map("organization_id")
  @@map("notes")
}
`,
};

const formats = ['text', 'json', 'sarif', 'markdown', 'agent'];
const reports = async (root: string, ...args: string[]): Promise<string[]> => {
  const written: string[] = [];
  for (const format of formats) {
    const { code, stdout, stderr } = await run(root, 'check', '--format', format, '--verbose', ...args);
    expect([code, stderr]).toEqual([1, '']);
    written.push(stdout);
  }
  return written;
};

/** How many files had their facts from the folders, of how many that were looked at. */
async function used(root: string, ...args: string[]): Promise<string> {
  const { stderr } = await run(root, 'check', '--timing', ...args);
  const from = /(\d+) from --facts/.exec(stderr)?.[1];
  return `${from} of ${/^choose .* (\d+) files$/m.exec(stderr)?.[1]}`;
}

describe('facts', () => {
  it('make the same report as the files, in every format, and nothing is extracted again', async () => {
    const root = opened(whole);
    const { code, stdout } = await run(root, 'facts', '--out', 'out/facts');
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^Facts of 4 files in out\/facts \(\d+ KB\)\.\n$/)]);
    expect(await reports(root, '--facts', 'out/facts')).toEqual(await reports(root));
    expect(await used(root, '--facts', 'out/facts')).toBe('4 of 4');
  });

  it('are the same bytes whoever extracts them, and however often', async () => {
    const many = Object.fromEntries(
      Array.from({ length: 60 }, (_, i) => [`src/m${i}.ts`, `${app['src/invoices.ts']}\n// ${'x'.repeat(9_000)}\n`]),
    );
    const root = opened({ ...whole, ...many });
    await run(root, 'facts', '--out', 'a', '--threads', '1');
    await run(root, 'facts', '--out', 'b', '--threads', '4');
    await run(root, 'facts', '--out', 'b', '--threads', '4');
    expect(readFileSync(path.join(root, 'a/facts.bin')).equals(readFileSync(path.join(root, 'b/facts.bin')))).toBe(
      true,
    );
  });

  it('of parts and of shards complete each other', async () => {
    const root = opened(whole);
    await run(root, 'facts', 'src', '--out', 'f/src');
    await run(root, 'facts', 'prisma', 'migrations', '--out', 'f/rest');
    expect(await used(root, '--facts', 'f/src')).toBe('2 of 4');
    expect(await used(root, '--facts', 'f/src', '--facts', 'f/rest')).toBe('4 of 4');
    expect(await used(root, '--facts', 'f/*')).toBe('4 of 4');
    for (const part of [1, 2, 3]) await run(root, 'facts', '--shard', `${part}/3`, '--out', `g/${part}`);
    expect(await used(root, '--facts', 'g/{1,2,3}')).toBe('4 of 4');
    expect(await reports(root, '--facts', 'g/*')).toEqual(await reports(root));
  });

  it('are not used for a file that changed, nor where its role did', async () => {
    const root = opened(whole);
    await run(root, 'facts', '--out', 'facts');
    writeFileSync(path.join(root, 'src/invoices.ts'), app['src/invoices.ts']!.replace('invoicesOf', 'invoicesBy'));
    expect(await used(root, '--facts', 'facts')).toBe('3 of 4');
    writeFileSync(
      path.join(root, 'tenant-lint.config.json'),
      '{ "sources": { "schema": ["migrations/001_init.sql"] } }',
    );
    expect(await used(root, '--facts', 'facts')).toBe('1 of 3');
  });

  it('of files that are gone, or of another project, are not used, and the latter is said', async () => {
    const root = opened({ ...whole, 'other/db/schema.sql': schema });
    await run(root, 'facts', 'other', '--out', 'facts');
    rmSync(path.join(root, 'other'), { recursive: true });
    const { code, stderr } = await run(root, 'check', '--facts', 'facts');
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^tenant-lint: .*facts: its facts are of other files \(other\/db\/schema\.sql\); paths count from the folder of the configuration/,
    );
  });

  it.each([
    ['no folder', 'nowhere', 'This folder holds no facts.'],
    ['a folder without facts', 'src', 'This folder holds no facts.'],
    ['a file', 'package.json', 'This folder holds no facts.'],
    ['a pattern that nothing matches', 'packages/*/facts', 'No folder matches packages/*/facts'],
  ])('%s: says so, and does not check', async (_, given, message) => {
    const { code, stdout, stderr } = await run(opened(whole), 'check', '--facts', given);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
  });

  it('that are damaged are not used, and the report is the same', async () => {
    const root = opened(whole);
    const plain = await run(root, 'check');
    await run(root, 'facts', '--out', 'facts');
    const file = path.join(root, 'facts/facts.bin');
    const bytes = readFileSync(file);
    const flipped = Buffer.from(bytes);
    flipped[bytes.length >> 1]! ^= 1;
    for (const bad of [Buffer.alloc(0), Buffer.from('{}'), bytes.subarray(0, bytes.length - 1), flipped]) {
      writeFileSync(file, bad);
      const { code, stdout, stderr } = await run(root, 'check', '--facts', 'facts');
      expect([code, stdout]).toEqual([1, plain.stdout]);
      expect(stderr).toMatch(
        /^tenant-lint: .*facts: its facts are damaged, or no facts of tenant-lint; its files are read anew\n$/,
      );
    }
  });

  it('of another version are not used, and both are named', async () => {
    const root = opened(whole);
    await run(root, 'facts', '--out', 'facts');
    const file = path.join(root, 'facts/facts.bin');
    const content = readFileSync(file).subarray(0, -32);
    const at = content.indexOf('"version":"') + '"version":"'.length;
    content.write('9', at);
    writeFileSync(file, Buffer.concat([content, createHash('sha256').update(content).digest()]));
    const { code, stderr } = await run(root, 'check', '--facts', 'facts');
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /its facts are of another version of tenant-lint \(\S+, facts 9, this is \S+, facts \d+\); its files are read anew\n$/,
    );
    expect(await used(root, '--facts', 'facts')).toBe('0 of 4');
  });

  it('without --out, with a path that is not there, or in a folder with nothing to read: a message', async () => {
    const root = opened({ 'README.md': '' });
    expect((await run(root, 'facts')).stderr).toContain("required option '--out <dir>' not specified");
    expect(await run(root, 'facts', 'nowhere', '--out', 'f')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('There is no file, folder or command nowhere') as string,
    });
    expect(await run(root, 'facts', '--out', 'f')).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('nothing was found to extract') as string,
    });
    writeFileSync(path.join(root, 'taken'), '');
    expect(await run(root, 'facts', '--out', 'taken')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('The facts cannot be written') as string,
    });
  });
});

const monorepos = fileURLToPath(new URL('../../../fixtures/monorepos/', import.meta.url));

interface Manifest {
  readonly scripts: Readonly<Record<string, string>>;
}

/** The worked examples, with a stand-in for the build tool: it runs the script of each package, or restores what a package wrote before. */
describe.each([
  ['turborepo', 'turbo run facts'],
  ['nx', 'nx run-many -t facts'],
])('the example of %s', (name, first) => {
  it('checks the whole repository from what its packages wrote or a cache restored', () => {
    const root = realpathSync(mkdtempSync(path.join(tmpdir(), 'tenant-lint-')));
    remove = () => rmSync(root, { recursive: true, force: true });
    cpSync(path.join(monorepos, name), root, { recursive: true });
    const modules = path.join(root, 'node_modules/.bin');
    mkdirSync(modules, { recursive: true });
    writeFileSync(path.join(modules, 'tenant-lint'), `#!/bin/sh\nexec "${process.execPath}" "${bin}" "$@"\n`, {
      mode: 0o755,
    });
    const sh = (folder: string, script: string): string =>
      execFileSync('sh', ['-c', script], {
        cwd: path.join(root, folder),
        encoding: 'utf8',
        env: { ...process.env, PATH: `${modules}${path.delimiter}${process.env['PATH'] ?? ''}` },
      });
    const manifest = (folder: string): Manifest =>
      JSON.parse(readFileSync(path.join(root, folder, 'package.json'), 'utf8')) as Manifest;
    const packages = ['apps/web', 'packages/db'];
    const [build, check] = manifest('.').scripts['lint:tenants']!.split(' && ');
    expect(build).toBe(first);
    // What the build tool caches is what the scripts write.
    const settings = readFileSync(path.join(root, name === 'nx' ? 'nx.json' : 'turbo.json'), 'utf8');
    expect(settings).toContain('.tenant-lint');

    for (const folder of packages) expect(sh(folder, manifest(folder).scripts['facts']!)).toMatch(/^Facts of \d/);
    const json = (): string => sh('.', `${check} --format json --fail-on never`);
    const report = json();
    expect(report).toContain('"no-unscoped-get"');
    expect(sh('.', 'tenant-lint check --no-cache --format json --fail-on never')).toBe(report);

    // A cache restores the folder of one package; that of the other is made again.
    cpSync(path.join(root, 'packages/db/.tenant-lint'), path.join(root, 'kept'), { recursive: true });
    for (const folder of packages) rmSync(path.join(root, folder, '.tenant-lint'), { recursive: true });
    cpSync(path.join(root, 'kept'), path.join(root, 'packages/db/.tenant-lint'), { recursive: true });
    sh('apps/web', manifest('apps/web').scripts['facts']!);
    expect(json()).toBe(report);
    expect(sh('.', `${check} --no-cache --timing --fail-on never 2>&1 >/dev/null`)).toContain('3 from --facts');
  });
});
