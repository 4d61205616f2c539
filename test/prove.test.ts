import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { main } from '../packages/cli/src/main.js';

const folder = fileURLToPath(new URL('../fixtures/systems/', import.meta.url));
const sides = ['unsafe', 'safe'] as const;

interface Proof {
  readonly matrix: readonly { table: string; way: string; command: string; outcome: string; reason: string }[];
  readonly disagreements: readonly { kind: string; text: string }[];
  readonly unfilled: readonly { table: string; reason: string }[];
  readonly isolatedByApplication: readonly string[];
  readonly migrations: { readonly exceptions: readonly { what: string; reason: string; file: string; line: number }[] };
}

async function proofOf(root: string): Promise<{ proof: Proof; text: string; code: number }> {
  let text = '';
  let errors = '';
  const code = await main(['prove', root, '--format', 'json'], {
    cwd: root,
    stdout: { write: (t: string) => (text += t) },
    stderr: { write: (t: string) => (errors += t) },
    env: {},
  });
  expect(errors).toBe('');
  return { proof: JSON.parse(text) as Proof, text, code };
}

/** `matrix.json`: every cell as a line, so that a change of the proof is seen in review. */
const linesOf = (proof: Proof): string[] => proof.matrix.map((c) => `${c.table}: ${c.way}: ${c.command}: ${c.outcome}`);

describe.each(readdirSync(folder).sort())('%s', (system) => {
  it.each(sides)(
    '%s: execution agrees with the static side, cell by cell',
    async (side) => {
      const root = join(folder, system, side);
      const { proof, code } = await proofOf(root);
      expect(proof.disagreements).toEqual([]);
      expect(proof.unfilled).toEqual([]);
      expect(proof.migrations.exceptions.filter((e) => e.what === 'failed')).toEqual([]);
      // Leaks are only where the application is what isolates, or where a finding says so.
      const leaked = new Set(proof.matrix.filter((c) => c.outcome === 'leaked').map((c) => c.table));
      for (const table of proof.isolatedByApplication) leaked.delete(table);
      if (side === 'safe') expect([...leaked]).toEqual([]);
      expect(code).toBe(leaked.size > 0 ? 1 : 0);
      const expected = join(root, 'matrix.json');
      expect(existsSync(expected), expected).toBe(true);
      expect(linesOf(proof)).toEqual((JSON.parse(readFileSync(expected, 'utf8')) as { matrix: string[] }).matrix);
    },
    300_000,
  );
});

it('gives the same bytes from run to run', async () => {
  const root = join(folder, 'task-tracker', 'unsafe');
  expect((await proofOf(root)).text).toBe((await proofOf(root)).text);
}, 300_000);
