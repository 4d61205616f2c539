import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv } from 'ajv';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../src/config.js';
import { Failure, findConfig, nearest, projectRoot, settingsOf, type Config } from '../src/index.js';

let root = '';
beforeEach(() => {
  root = realpathSync(mkdtempSync(path.join(tmpdir(), 'tenant-lint-config-')));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(file: string, text: string): string {
  mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
  writeFileSync(path.join(root, file), text);
  return path.join(root, file);
}

const load = (): Config => loadConfig({ cwd: root, allowCode: true }).config;

function failure(run: () => unknown): Failure {
  try {
    run();
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  throw new Error('did not fail');
}

/** Every key there is. */
const whole: Config = {
  $schema: './config.schema.json',
  tenancy: {
    strategy: 'hybrid',
    keys: ['tenant_id'],
    roots: ['tenants'],
    shared: ['plans', { table: 'countries', reason: 'ISO' }],
    tables: { audit_log: { keys: ['tenant_id'], append: true, shared: false } },
    settings: ['app.tenant'],
    roles: { app: ['app_user'], admin: ['migrator'] },
    schemas: 'tenant_*',
  },
  sources: { code: ['src'], migrations: ['db'], schema: ['prisma/schema.prisma'], ignore: ['**/seed/**'] },
  trust: {
    tenant: ['getTenant()'],
    input: ['ctx.input'],
    guards: { assertMember: { tenant: 0, user: 1, id: 2 } },
    clients: { adminDb: 'bypass', tenantDb: 'scoped' },
  },
  intended: [{ files: ['apps/admin/**'], reason: 'staff' }],
  overrides: [{ files: ['a/**'], rules: { 'no-unscoped-get': 'off' } }],
  rules: { 'no-unscoped-get': 'error', 'require-tenant-filter': ['warning'], 'require-policy': ['info', {}] },
  sqlParser: 'libpg-query',
  libraries: { strictUndefinedChecks: true },
};

describe('loading', () => {
  it('accepts every key, in JSON and in code', () => {
    write('tenant-lint.config.json', JSON.stringify(whole));
    expect(load()).toEqual(whole);
    rmSync(path.join(root, 'tenant-lint.config.json'));
    write(
      'tenant-lint.config.ts',
      `import { defineConfig } from 'tenant-lint';\nexport default defineConfig(${JSON.stringify(whole)});`,
    );
    expect(load()).toEqual(whole);
  });

  it('the generated JSON schema accepts the same, and refuses what the command refuses', () => {
    const file = fileURLToPath(new URL('../../../docs/config.schema.json', import.meta.url));
    const valid = new Ajv({ allErrors: true, strict: false }).compile(JSON.parse(readFileSync(file, 'utf8')) as object);
    expect([valid(whole), valid.errors]).toEqual([true, null]);
    for (const wrong of [
      { tenancy: { kyes: [] } },
      { tenancy: { keys: 'tenant_id' } },
      { rules: { 'no-such-rule': 'error' } },
      { rules: { 'no-unscoped-get': 'loud' } },
      { intended: [{ files: ['a'], reason: '' }] },
      { intended: [{ files: [], reason: 'none' }] },
      { strategy: 'row' },
      [],
    ])
      expect(valid(wrong), JSON.stringify(wrong)).toBe(false);
  });

  it('names every wrong key, with the nearest that is right', () => {
    write(
      'tenant-lint.config.json',
      JSON.stringify({ tenency: {}, sources: { cod: [] }, overrides: [{ file: ['a'], files: ['a'] }] }),
    );
    const { message, where } = failure(load);
    expect(message).toContain('tenency: no such key, did you mean tenancy?');
    expect(message).toContain('sources.cod: no such key, did you mean code?');
    expect(message).toContain('overrides.0.file: no such key, did you mean files?');
    expect(where).toBe(path.join(root, 'tenant-lint.config.json'));
  });

  it('reads JSON with comments, a byte order mark and a trailing comma', () => {
    write('tenant-lint.config.json', '\uFEFF{ // here\n "rules": {}, }');
    expect(load()).toEqual({ rules: {} });
  });

  it('gives the place where JSON ends being JSON', () => {
    const file = write('tenant-lint.config.json', '{\n  "rules": {\n    oops\n  }\n}');
    expect(failure(load).where).toBe(`${file}:3:5`);
  });

  it('does not run code where only JSON is allowed', () => {
    write('tenant-lint.config.mjs', "throw new Error('ran');");
    expect(failure(() => loadConfig({ cwd: root, allowCode: false })).message).toContain('allows JSON only');
  });

  it('a configuration may import its own files', () => {
    write('shared.ts', "export const keys: string[] = ['tenant_id'];");
    write('tenant-lint.config.ts', "import { keys } from './shared';\nexport default { tenancy: { keys } };");
    expect(load()).toEqual({ tenancy: { keys: ['tenant_id'] } });
  });
});

describe('finding', () => {
  it('goes up to the root of the repository, and no further', () => {
    mkdirSync(path.join(root, 'repository/.git'), { recursive: true });
    mkdirSync(path.join(root, 'repository/apps/web'), { recursive: true });
    write('tenant-lint.config.json', '{}');
    expect(findConfig(path.join(root, 'repository/apps/web'))).toBeUndefined();
    const file = write('repository/tenant-lint.config.json', '{}');
    expect(findConfig(path.join(root, 'repository/apps/web'))).toBe(file);
    expect(projectRoot(path.join(root, 'repository/apps/web'), '/')).toBe(path.join(root, 'repository'));
  });

  it('takes a manifest only for its key', () => {
    mkdirSync(path.join(root, '.git'));
    write('package.json', '{ "name": "about-tenantLint", "config": { "tenantLint": {} } }');
    expect(findConfig(root)).toBeUndefined();
    const file = write('package.json', '{ "tenantLint": {} }');
    expect(findConfig(root)).toBe(file);
    write('package.json', '{ "tenantLint": ');
    expect(findConfig(root)).toBeUndefined();
  });

  it('without a configuration the root is the working directory, else the folder of the manifest', () => {
    mkdirSync(path.join(root, '.git'));
    mkdirSync(path.join(root, 'app/src'), { recursive: true });
    write('app/package.json', '{}');
    expect(projectRoot(path.join(root, 'app/src'), root)).toBe(root);
    expect(projectRoot(path.join(root, 'app/src'), path.join(root, 'elsewhere'))).toBe(path.join(root, 'app'));
  });
});

describe('settings', () => {
  it('a pattern means a file, a folder and what is below it', () => {
    const { isIgnored } = settingsOf({ sources: { ignore: ['legacy', './tools/', '**/*.gen.ts', 'a/{b,c}/*.ts'] } });
    expect(['legacy/x.ts', 'legacy/deep/y.sql', 'tools/z.ts', 'src/q.gen.ts', 'a/b/1.ts'].map(isIgnored)).toEqual([
      true,
      true,
      true,
      true,
      true,
    ]);
    expect(['src/legacy.ts', 'legacy2/x.ts', 'a/d/1.ts', 'a/b/c/1.ts'].map(isIgnored)).toEqual([
      false,
      false,
      false,
      false,
    ]);
  });

  it('tests and seeds are no product code unless the configuration says so', () => {
    const files = ['src/a.ts', 'src/a.test.ts', 'test/a.ts', 'prisma/seed.ts', 'src/testimonials/a.ts'];
    expect(files.map((f) => settingsOf({}).isCode(f))).toEqual([true, false, false, false, true]);
    expect(files.map((f) => settingsOf({ sources: { code: ['test/**'] } }).isCode(f))).toEqual([
      false,
      false,
      true,
      false,
      false,
    ]);
  });

  it('the first area that holds a file gives the reason', () => {
    const { intended } = settingsOf({
      intended: [
        { files: ['a/**'], reason: 'one' },
        { files: ['a/b/**', 'c.ts'], reason: 'two' },
      ],
    });
    expect([intended('a/b/x.ts'), intended('c.ts'), intended('d.ts')]).toEqual(['one', 'two', undefined]);
  });

  it('tells what is unmatched and what has no effect', () => {
    const settings = settingsOf(whole);
    expect(settings.unmatched(['src/a.ts', 'a/x.ts', 'db/1.sql']).map((u) => u.key)).toEqual([
      'sources.schema',
      'sources.ignore',
      'intended.0.files',
    ]);
    expect(settings.withoutEffect).toEqual(['tenancy.tables.audit_log.append']);
    expect(settingsOf({}).withoutEffect).toEqual([]);
  });

  it('knows a tenancy of a part of the repository by the files of that part', () => {
    const { areas } = settingsOf({ overrides: [{ files: ['b/**'] }, { files: ['a/**'], tenancy: { keys: ['x'] } }] });
    expect(areas.map(({ option, files, options }) => ({ option, files, options }))).toEqual([
      { option: 'overrides.1.tenancy', files: 'a/**', options: { keys: ['x'] } },
    ]);
    expect(['a/1.sql', 'b/1.sql'].filter((file) => areas[0]!.matches(file))).toEqual(['a/1.sql']);
  });
});

it('a nearest name is near', () => {
  expect(nearest('require-tenant-filtre', ['no-leaking-policy', 'require-tenant-filter'])).toBe(
    'require-tenant-filter',
  );
  expect(nearest('zzzzzz', ['no-leaking-policy', 'require-tenant-filter'])).toBeUndefined();
  expect(nearest('a', [])).toBeUndefined();
});
