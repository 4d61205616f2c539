import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { app, leaking, project, run } from './support/project.js';

let remove: () => void = () => undefined;
afterEach(() => remove());

function opened(files: Readonly<Record<string, string>> = app): string {
  const made = project(files);
  remove = made.remove;
  return made.root;
}

const file = 'tenant-lint-baseline.json';
const accepted = (root: string): { fingerprint: string; rule: string; file: string }[] =>
  (
    JSON.parse(readFileSync(path.join(root, file), 'utf8')) as {
      findings: { fingerprint: string; rule: string; file: string }[];
    }
  ).findings;

/** The same leak once more, in a function of its own. */
const second = `${leaking}
export async function everyInvoice() {
  return pool.query('select * from invoices');
}
`;

describe('baseline', () => {
  it("accepts today's findings; check reads it without being told", async () => {
    const root = opened();
    expect((await run(root)).code).toBe(1);
    const made = await run(root, 'baseline');
    expect([made.code, made.stdout]).toEqual([0, expect.stringContaining('1 finding accepted')]);
    expect(accepted(root)).toMatchObject([{ rule: 'require-tenant-filter', file: 'src/invoices.ts' }]);
    const after = await run(root);
    expect([after.code, after.stdout]).toEqual([0, expect.stringContaining('1 in the baseline')]);
    expect((await run(root, '--no-baseline')).code).toBe(1);
  });

  it('holds when code moves', async () => {
    const root = opened();
    await run(root, 'baseline');
    writeFileSync(path.join(root, 'src/invoices.ts'), `// one\n\n// two\n${leaking}`);
    expect((await run(root)).code).toBe(0);
  });

  it('only shrinks: what is new is not accepted, and said', async () => {
    const root = opened();
    await run(root, 'baseline');
    writeFileSync(path.join(root, 'src/invoices.ts'), second);
    expect((await run(root)).code).toBe(1);
    const again = await run(root, 'baseline');
    expect(again.code).toBe(1);
    expect(again.stdout).toContain('1 finding not accepted');
    expect(accepted(root)).toHaveLength(1);
    const grown = await run(root, 'baseline', '--allow-growth');
    expect([grown.code, grown.stdout]).toEqual([0, expect.stringContaining('2 findings accepted')]);
    expect((await run(root)).code).toBe(0);
  });

  it('forgets what is mended, so that it is a finding when it comes back', async () => {
    const root = opened();
    await run(root, 'baseline');
    writeFileSync(path.join(root, 'src/invoices.ts'), 'export const nothing = 1;\n');
    const shrunk = await run(root, 'baseline');
    expect([shrunk.code, shrunk.stdout]).toEqual([
      0,
      expect.stringContaining('0 findings accepted, 1 no longer there'),
    ]);
    writeFileSync(path.join(root, 'src/invoices.ts'), leaking);
    expect((await run(root)).code).toBe(1);
  });

  it('is the same file whenever the findings are the same', async () => {
    const root = opened();
    await run(root, 'baseline');
    const first = readFileSync(path.join(root, file), 'utf8');
    await run(root, 'baseline');
    expect(readFileSync(path.join(root, file), 'utf8')).toBe(first);
  });

  it('a file that is none is not overwritten', async () => {
    const root = opened();
    writeFileSync(path.join(root, file), '[]');
    const made = await run(root, 'baseline');
    expect([made.code, made.stderr]).toEqual([2, expect.stringContaining('no baseline')]);
    expect(readFileSync(path.join(root, file), 'utf8')).toBe('[]');
  });
});
