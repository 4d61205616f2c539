import { afterEach, describe, expect, it } from 'vitest';
import { app, project, run } from './support/project.js';

let remove: () => void = () => undefined;
afterEach(() => remove());

function opened(files: Readonly<Record<string, string>> = app): string {
  const made = project(files);
  remove = made.remove;
  return made.root;
}

async function fingerprint(root: string): Promise<string> {
  const { stdout } = await run(root, '--format', 'json');
  return (JSON.parse(stdout) as { findings: { fingerprint: string }[] }).findings[0]!.fingerprint;
}

describe('explain', () => {
  it('a rule, by its name', async () => {
    const { code, stdout } = await run(opened(), 'explain', 'no-unscoped-get');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^no-unscoped-get \(access, error\)/);
  });

  it('a finding, by its fingerprint, the beginning of it, or its place', async () => {
    const root = opened();
    const print = await fingerprint(root);
    const whole = await run(root, 'explain', print);
    expect(whole.code).toBe(0);
    expect(whole.stdout).toContain('src/invoices.ts:6:');
    expect(whole.stdout).toContain(`fingerprint  ${print}`);
    expect(whole.stdout).toContain('reaches public.invoices (root, read)');
    expect(whole.stdout).toContain('condition  no condition');
    expect((await run(root, 'explain', print.slice(0, 6))).stdout).toBe(whole.stdout);
    expect((await run(root, 'explain', './src/invoices.ts:6')).stdout).toBe(whole.stdout);
  });

  it('a place without a finding: what was understood there', async () => {
    const { code, stdout } = await run(opened(), 'explain', 'src/invoices.ts:10');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^No finding at src\/invoices\.ts:10\./);
    expect(stdout).toContain('condition  invoices.organization_id = ');
    expect(stdout).toMatch(/verdict {4}isolated/);
  });

  it.each([
    [
      'a rule that does not exist, with the nearest name',
      'no-unscoped-gets',
      /There is no rule no-unscoped-gets.*no-unscoped-get/,
    ],
    ['a fingerprint that no finding has', 'abcdef012345', /There is no finding abcdef012345/],
    ['a line where nothing is', 'src/invoices.ts:1', /There is no finding and no access at/],
    ['a file that is not there', 'src/none.ts:1', /There is no finding and no access at/],
  ])('%s: says so, and 2', async (_, subject, says) => {
    const { code, stdout, stderr } = await run(opened(), 'explain', subject);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(says);
  });
});
