import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { main } from '../packages/cli/src/main.js';

const fixtures = fileURLToPath(new URL('../fixtures/systems/', import.meta.url));

/** The findings of each system that a migration repairs, by rule; a system whose defects are all in code has none. */
const repairs: Readonly<Record<string, readonly string[]>> = {
  'agent-platform': [],
  // A user that is found by a mail address alone is told by another rule once that is no longer unique.
  'asset-anchor': [
    'no-tenant-nulling-action',
    'require-tenant-first-index',
    'require-tenant-in-unique',
    'require-tenant-not-null',
  ],
  dotmac: [
    'no-fail-open-policy',
    'no-fail-open-policy',
    'no-per-row-policy-call',
    'no-per-row-policy-call',
    'require-forced-row-security',
    'require-pinned-search-path',
    'require-pinned-search-path',
    'require-pinned-search-path',
    'require-pinned-search-path',
    'require-pinned-search-path',
    'require-policy-role',
    'require-row-security',
    'require-row-security',
    'require-tenant-first-index',
  ],
  satox: [
    'no-fail-open-policy',
    'require-composite-reference',
    'require-composite-reference',
    'require-forced-row-security',
    'require-policy-role',
    'require-row-security',
    'require-row-security',
    'require-row-security-on-partition',
    'require-row-security-on-partition',
    'require-tenant-in-unique',
    'require-tenant-in-unique',
    'require-tenant-in-unique',
    'require-tenant-reference',
  ],
  'task-tracker': [
    'no-foreign-link',
    'require-composite-reference',
    'require-composite-reference',
    'require-composite-reference',
    'require-tenant-column',
    'require-tenant-filter',
    'require-tenant-first-index',
    'require-tenant-in-unique',
    'require-tenant-not-null',
  ],
};

interface Reported {
  readonly rule: string;
  readonly file: string | null;
  readonly fingerprint: string;
  readonly suppressed: boolean;
  readonly table?: string;
  readonly start?: { readonly line: number; readonly column: number };
}
interface Cell {
  readonly table: string;
  readonly outcome: string;
  readonly way: { readonly kind: string };
}

const made: string[] = [];
afterAll(() => {
  for (const folder of made) rmSync(folder, { recursive: true, force: true });
});

function copyOf(system: string): string {
  const root = mkdtempSync(join(tmpdir(), 'tenant-lint-fix-'));
  made.push(root);
  cpSync(join(fixtures, system, 'unsafe'), root, { recursive: true });
  return root;
}

async function run(root: string, ...argv: string[]): Promise<{ code: number; out: string }> {
  let out = '';
  let errors = '';
  const code = await main(argv, {
    cwd: root,
    stdout: { write: (text: string) => (out += text) },
    stderr: { write: (text: string) => (errors += text) },
    env: {},
  });
  expect(errors).toBe('');
  return { code, out };
}

const findingsOf = async (root: string): Promise<readonly Reported[]> =>
  (JSON.parse((await run(root, 'check', '--no-cache', '--format', 'json')).out) as { findings: Reported[] }).findings;

const isAt = (a: Reported, b: Reported): boolean =>
  a.file === b.file && a.start?.line === b.start?.line && a.start?.column === b.start?.column;

const filesOf = (root: string): string[] =>
  readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((e) => e.isFile())
    .map((e) => join(e.parentPath, e.name).slice(root.length + 1))
    .sort();

it('speaks of every system', () => {
  expect(Object.keys(repairs).sort()).toEqual(readdirSync(fixtures).sort());
});

describe.each(Object.entries(repairs))('%s', (system, expected) => {
  it('is repaired as far as a migration can: applied, gone, nothing new, and blocked when executed', async () => {
    const root = copyOf(system);
    const before = await findingsOf(root);
    const shown = await run(root, 'fix', '--no-cache');
    expect(filesOf(root)).toEqual(filesOf(copyOf(system)));

    // The diff is what --write writes, and one that git takes.
    const patched = copyOf(system);
    execFileSync('git', ['init', '-q'], { cwd: patched });
    writeFileSync(join(patched, '.git', 'patch'), shown.out);
    if (expected.length > 0) execFileSync('git', ['apply', '.git/patch'], { cwd: patched });
    rmSync(join(patched, '.git'), { recursive: true });

    await run(root, 'fix', '--write', '--no-cache');
    expect(filesOf(root)).toEqual(filesOf(patched));
    for (const file of filesOf(root))
      expect(readFileSync(join(root, file), 'utf8')).toBe(readFileSync(join(patched, file), 'utf8'));

    const after = await findingsOf(root);
    const known = new Set(before.map((f) => f.fingerprint));
    const left = new Set(after.map((f) => f.fingerprint));
    const fresh = after.filter((f) => !known.has(f.fingerprint) && !f.suppressed);
    const lost = before.filter((f) => !left.has(f.fingerprint));
    const gone = lost.filter((f) => !fresh.some((now) => isAt(now, f)));
    expect(fresh.filter((f) => !lost.some((was) => isAt(was, f)))).toEqual([]);
    expect(gone.map((f) => f.rule).sort()).toEqual(expected);
    const said = shown.out.split('# Left to you:')[0]?.split('\n# ').slice(2) ?? [];
    expect(said.map((line) => line.trim().split('  ')[1]).sort()).toEqual(expected);
    if (expected.length === 0) return;

    const proof = JSON.parse((await run(root, 'prove', '--format', 'json')).out) as {
      matrix: readonly Cell[];
      migrations: { readonly exceptions: readonly { readonly file: string; readonly kind: string }[] };
    };
    const written = filesOf(root).filter((f) => !filesOf(copyOf(system)).includes(f));
    expect(written.length).toBeGreaterThan(0);
    expect(proof.migrations.exceptions.filter((e) => written.includes(e.file) && e.kind === 'failed')).toEqual([]);
    const policies = new Set(gone.filter((f) => /policy|row-security/.test(f.rule)).flatMap((f) => f.table ?? []));
    expect(
      proof.matrix.filter((c) => policies.has(c.table) && c.way.kind === 'table' && c.outcome === 'leaked'),
    ).toEqual([]);

    // What is repaired is not repaired again.
    expect((await run(root, 'fix', '--no-cache')).out).not.toContain('\n+++ ');
  }, 300_000);
});
