import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Fix } from '@tenant-lint/model';
import { edited } from '@tenant-lint/workspace';
import type { Log } from 'sarif';
import { afterAll, describe, expect, it } from 'vitest';
import { diffOfEdits, diffOfNew } from '../src/fix/diff.js';
import { main } from '../src/main.js';

const fixture = fileURLToPath(new URL('../../../fixtures/systems/task-tracker/unsafe', import.meta.url));
const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

async function run(root: string, ...argv: string[]): Promise<{ code: number; out: string; errors: string }> {
  let out = '';
  let errors = '';
  const code = await main(argv, {
    cwd: root,
    stdout: { write: (text: string) => (out += text) },
    stderr: { write: (text: string) => (errors += text) },
    env: {},
  });
  return { code, out, errors };
}

function project(files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), 'tenant-lint-fix-cli-'));
  folders.push(root);
  for (const [file, text] of Object.entries(files)) writeFileSync(join(root, file), text);
  return root;
}

describe('fixes of a report', () => {
  it('are edits that mend, in json and in sarif alike', async () => {
    const json = JSON.parse((await run(fixture, 'check', '--no-cache', '--format', 'json')).out) as {
      findings: { rule: string; file: string; fixes: Fix[] }[];
    };
    const [found, ...more] = json.findings.filter((f) => f.fixes.length > 0);
    expect(more).toEqual([]);
    expect([found?.rule, found?.file]).toEqual(['require-tenant-filter', 'src/services/admin.ts']);
    const fix = found!.fixes[0]!;
    const text = readFileSync(join(fixture, found!.file), 'utf8');
    expect(edited(text, fix.edits)).toContain('.where(eq(timeEntries.organizationId, organizationId)).orderBy(');

    const log = JSON.parse((await run(fixture, 'check', '--no-cache', '--format', 'sarif')).out) as Log;
    const fixes = log.runs[0]?.results?.flatMap((r) => r.fixes ?? []) ?? [];
    expect(fixes.map((f) => f.description?.text)).toEqual([fix.description]);
    expect(fixes[0]?.artifactChanges[0]?.replacements).toEqual(
      fix.edits.map((e) => ({
        deletedRegion: { charOffset: e.start, charLength: e.end - e.start },
        insertedContent: { text: e.text },
      })),
    );
  });
});

describe('fix', () => {
  const clean = { 'a.sql': '-- nothing\n', '001_init.sql': 'create table tenants (id uuid primary key);\n' };

  it('says that there is nothing to repair', async () => {
    const root = project({
      ...clean,
      '001_init.sql':
        'create table tenants (id uuid primary key);\ncreate table a (id uuid primary key, tenant_id uuid not null references tenants (id));\ncreate index on a (tenant_id);\n',
    });
    expect(await run(root, 'fix', '--no-cache')).toEqual({ code: 0, out: '# Nothing to repair.\n', errors: '' });
  });

  it('repairs what a rule finds where one is named, and ends as check would', async () => {
    const root = project({
      '001_init.sql':
        'create table tenants (id uuid primary key);\ncreate table a (id uuid primary key, tenant_id uuid not null references tenants (id), slug text unique);\n',
    });
    const shown = await run(root, 'fix', '--no-cache', '--rule', 'require-tenant-first-index', '--fail-on', 'warning');
    expect(shown.out).toContain('+CREATE INDEX IF NOT EXISTS a_tenant_id_idx ON a (tenant_id);\n');
    expect(shown.out).not.toContain('UNIQUE');
    expect(shown.code).toBe(1);
    const written = await run(
      root,
      'fix',
      '--no-cache',
      '--write',
      '--rule',
      'require-tenant-first-index',
      '--fail-on',
      'warning',
    );
    expect(written).toMatchObject({ code: 0, errors: '' });
    expect(written.out).toBe(
      '1 of 1 finding repaired, in 002_tenant_isolation.sql.\nRepaired:\n  001_init.sql:2:1  require-tenant-first-index\n',
    );
    expect(readFileSync(join(root, '002_tenant_isolation.sql'), 'utf8')).toContain('CREATE INDEX IF NOT EXISTS');
  }, 120_000);

  it('leaves out what Postgres refuses, and says what it said', async () => {
    const root = project({
      '001_init.sql':
        'create table tenants (id uuid primary key);\ncreate table a (id uuid primary key, tenant_id uuid not null references tenants (id), slug text);\ncreate table b (id uuid primary key, tenant_id uuid not null references tenants (id));\ncreate index on b (tenant_id);\ninsert into tenants values (gen_random_uuid());\ninsert into a select gen_random_uuid(), id from tenants;\ndrop table a cascade;\n',
      '002_again.sql': 'create table if not exists a (id uuid primary key, tenant_id json not null);\n',
    });
    const shown = await run(root, 'fix', '--no-cache', '--confidence', 'possible');
    expect(shown.out).toMatch(
      /require-tenant-first-index\n# {5}Postgres refuses it: data type json has no default operator class/,
    );
    expect(shown.out).not.toContain('\n+++ ');
  }, 120_000);
});

describe('diffs', () => {
  const text = Array.from({ length: 30 }, (_, i) => `line ${i + 1}\n`).join('');
  const at = (line: string): number => text.indexOf(line);

  it('keep changes that are near in one hunk and others apart', () => {
    const edit = (line: string, put: string) => ({
      file: 'a',
      start: at(line),
      end: at(line) + line.length,
      text: put,
    });
    const diff = diffOfEdits('a', text, [
      edit('line 2\n', ''),
      edit('line 6\n', 'six\nand a half\n'),
      edit('line 25', 'last'),
    ]);
    expect(diff).toBe(`diff --git a/a b/a
--- a/a
+++ b/a
@@ -1,9 +1,9 @@
 line 1
-line 2
 line 3
 line 4
 line 5
-line 6
+six
+and a half
 line 7
 line 8
 line 9
@@ -22,7 +22,7 @@
 line 22
 line 23
 line 24
-line 25
+last
 line 26
 line 27
 line 28
`);
  });

  it('tell a missing line end, and quote names that have to be', () => {
    expect(diffOfEdits('a', 'x\ny', [{ file: 'a', start: 2, end: 3, text: 'z' }])).toContain(
      ' x\n-y\n\\ No newline at end of file\n+z\n\\ No newline at end of file\n',
    );
    expect(diffOfNew('a"b', 'x\n')).toContain('+++ "b/a\\"b"\n@@ -0,0 +1,1 @@\n+x\n');
  });
});
