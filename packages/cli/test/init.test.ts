import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { app, project, run } from './support/project.js';

let remove: () => void = () => undefined;
afterEach(() => remove());

function opened(files: Readonly<Record<string, string>> = app): string {
  const made = project(files);
  remove = made.remove;
  return made.root;
}

const file = 'tenant-lint.config.ts';
const written = (root: string): string => readFileSync(path.join(root, file), 'utf8');

describe('init', () => {
  it('says what it found, and what to do next', async () => {
    const { code, stdout } = await run(opened(), 'init');
    expect(code).toBe(0);
    expect(stdout).toMatch(/libraries +node-postgres/);
    expect(stdout).toMatch(/schema +4 tables, from migrations/);
    expect(stdout).toMatch(/tenancy +row, by organization_id; tenants in public\.organizations/);
    expect(stdout).toMatch(/tenant-lint check reports/);
  });

  it('writes a configuration that changes nothing until it is edited', async () => {
    const root = opened();
    const before = (await run(root)).stdout;
    await run(root, 'init');
    expect(written(root)).toContain("// keys: ['organization_id'],");
    expect(written(root)).toContain("// migrations: ['migrations'],");
    const after = await run(root);
    expect(after.stderr).toBe('');
    expect(after.stdout).toBe(before);
  });

  it('what stands there as a comment is valid once the comment signs are gone', async () => {
    const root = opened();
    await run(root, 'init');
    const said = written(root).replace(/^( +)\/\/ (?=(?:strategy|keys|roots|migrations):)/gm, '$1');
    expect(said).toContain("    keys: ['organization_id'],");
    writeFileSync(path.join(root, file), said);
    const { code, stderr } = await run(root);
    expect([code, stderr]).toEqual([1, '']);
  });

  it('names the candidates where nothing convincing was found', async () => {
    const root = opened({
      'migrations/001.sql':
        'create table a (id int primary key, shop_id int);\ncreate table b (id int primary key, place_id int);\n',
      'package.json': '{}',
    });
    expect((await run(root)).code).toBe(2);
    const { code, stdout } = await run(root, 'init');
    expect([code, stdout]).toEqual([0, expect.stringContaining('undecided')]);
    expect(written(root)).toContain('could not be inferred');
    expect((await run(root)).code).toBe(2);
  });

  it('does not overwrite a configuration, but with --force', async () => {
    const root = opened({ ...app, [file]: 'export default {};\n' });
    const refused = await run(root, 'init');
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('a configuration already')]);
    expect(written(root)).toBe('export default {};\n');
    expect((await run(root, 'init', '--force')).code).toBe(0);
    expect(written(root)).toContain('defineConfig');
  });

  it('names of a stranger stay strings', async () => {
    const root = opened({
      'package.json': '{}',
      'migrations/001.sql': `create table "x'];\nglobalThis.owned=1;//" (id uuid primary key);
create table organizations (id uuid primary key);
create table b (id uuid primary key, organization_id uuid not null references organizations (id));
create table c (id uuid primary key, organization_id uuid not null references organizations (id));
`,
    });
    expect((await run(root, 'init')).code).toBe(0);
    expect(written(root)).not.toMatch(/^globalThis/m);
    const said = written(root).replace(/^( +)\/\/ (?=(?:shared):)/gm, '$1');
    expect(said).toContain('    shared: [');
    writeFileSync(path.join(root, file), said);
    expect((await run(root)).code).not.toBe(2);
    expect('owned' in globalThis).toBe(false);
    expect(existsSync(path.join(root, file))).toBe(true);
  });
});
