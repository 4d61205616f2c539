import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { app, leaking, project, run } from './support/project.js';

/** A repository that a stranger wrote, checked in CI before anybody has looked at it: what SECURITY.md promises. */
let outside = '';
let root = '';
let remove: () => void = () => undefined;

beforeEach(() => {
  outside = realpathSync(mkdtempSync(path.join(tmpdir(), 'outside-')));
  const made = project(app);
  root = made.root;
  remove = () => {
    made.remove();
    rmSync(outside, { recursive: true, force: true });
  };
});
afterEach(() => remove());

interface Json {
  readonly findings: readonly { readonly file: string }[];
  readonly unchecked: readonly { readonly file: string; readonly reason: string; readonly detail?: string }[];
}
const json = async (...args: string[]): Promise<Json> =>
  JSON.parse((await run(root, '--format', 'json', ...args)).stdout) as Json;

const git = (...args: string[]): void => void execFileSync('git', args, { cwd: root, stdio: 'ignore' });

describe('a cache of facts', () => {
  const cache = (): string => path.join(root, 'node_modules/.cache/tenant-lint/facts.bin');
  type Entries = [file: string, key: string, length: number][];

  /** The table of the cache that a run with this text of the file leaves, and the bytes after it. */
  async function cached(text: string): Promise<{ version: string; entries: Entries; facts: Buffer }> {
    writeFileSync(path.join(root, 'src/invoices.ts'), text);
    await json();
    const all = readFileSync(cache());
    const end = 4 + all.readUInt32BE();
    return {
      ...(JSON.parse(all.toString('utf8', 4, end)) as { version: string; entries: Entries }),
      facts: all.subarray(end),
    };
  }

  /** Leaves a cache in which the file that leaks has the facts of one that does not. */
  async function forge(): Promise<void> {
    mkdirSync(path.join(root, 'node_modules'), { recursive: true });
    const leaky = await cached(leaking);
    const safe = await cached('export const nothing = 1;\n// new Pool().query()\n');
    const key = leaky.entries.find(([file]) => file === 'src/invoices.ts')?.[1];
    const entries = safe.entries.map((e) => (e[0] === 'src/invoices.ts' ? [e[0], key, e[2]] : e));
    const table = Buffer.from(JSON.stringify({ version: safe.version, entries }));
    const length = Buffer.alloc(4);
    length.writeUInt32BE(table.length);
    writeFileSync(cache(), Buffer.concat([length, table, safe.facts]));
    writeFileSync(path.join(root, 'src/invoices.ts'), leaking);
  }

  it('that git brings along is neither believed nor written', async () => {
    await forge();
    expect((await json()).findings, 'the forgery works where nobody brought it along').toEqual([]);
    await forge();
    git('init', '--quiet');
    git('add', '--force', '.');
    const before = readFileSync(cache());
    expect((await json()).findings.map((f) => f.file)).toEqual(['src/invoices.ts']);
    expect(readFileSync(cache()).equals(before)).toBe(true);
  });

  it('is not written through a link that leads out of the project', async () => {
    symlinkSync(outside, path.join(root, 'node_modules'));
    expect((await json()).findings.map((f) => f.file)).toEqual(['src/invoices.ts']);
    expect(readdirSync(outside)).toEqual([]);
  });
});

describe('files outside the root', () => {
  const secret = leaking.replaceAll('allInvoices', 'secretInvoices');

  it.each([
    ['tracked by git', true],
    ['not tracked', false],
  ])('are not read through a link that is %s', async (_, tracked) => {
    writeFileSync(path.join(outside, 'secret.ts'), secret);
    git('init', '--quiet');
    if (!tracked) git('add', '.');
    symlinkSync(path.join(outside, 'secret.ts'), path.join(root, 'src/link.ts'));
    if (tracked) git('add', '.');
    const { findings, unchecked } = await json();
    expect(findings.map((f) => f.file)).toEqual(['src/invoices.ts']);
    expect(unchecked).toContainEqual(
      expect.objectContaining({
        file: 'src/link.ts',
        reason: 'link',
        detail: expect.stringContaining('out of the project'),
      }),
    );
  });

  it('are not read without git either', async () => {
    writeFileSync(path.join(outside, 'secret.ts'), secret);
    symlinkSync(path.join(outside, 'secret.ts'), path.join(root, 'src/link.ts'));
    const { findings, unchecked } = await json();
    expect(findings.map((f) => f.file)).toEqual(['src/invoices.ts']);
    expect(unchecked.map((u) => u.file)).toContain('src/link.ts');
  });

  it('are not read as what a compiler configuration extends', async () => {
    writeFileSync(path.join(outside, 'tsconfig.json'), '[]');
    writeFileSync(
      path.join(root, 'tsconfig.json'),
      JSON.stringify({ extends: `../${path.basename(outside)}/tsconfig.json` }),
    );
    // The file outside is no object: read, it would be named as unchecked, as it is inside.
    expect((await json()).unchecked).toEqual([]);
    writeFileSync(path.join(root, 'tsconfig.json'), '{ "extends": "./base.json" }');
    writeFileSync(path.join(root, 'base.json'), '[]');
    expect((await json()).unchecked.map((u) => u.file)).toEqual(['base.json']);
  });
});

describe('code of the project', () => {
  it('is not executed with --no-config-code', async () => {
    const mark = path.join(outside, 'executed');
    const code = `import { writeFileSync } from 'node:fs'; writeFileSync(${JSON.stringify(mark)}, ''); export default {};\n`;
    mkdirSync(path.join(root, 'node_modules'), { recursive: true });
    for (const file of [
      'eslint.config.js',
      'prisma.config.ts',
      'drizzle.config.ts',
      'knexfile.js',
      'migrations/002.ts',
    ])
      writeFileSync(path.join(root, file), code);
    expect((await run(root, '--no-config-code')).code).toBe(1);
    writeFileSync(path.join(root, 'tenant-lint.config.ts'), code);
    expect((await run(root, '--no-config-code')).code).toBe(2);
    expect(existsSync(mark)).toBe(false);
    // The counter-proof: without the option that file is code.
    await run(root);
    expect(existsSync(mark)).toBe(true);
  });
});
