import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { demo, systemsOf } from '../src/demo.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));
let reports = '';
beforeAll(() => {
  reports = mkdtempSync(path.join(tmpdir(), 'tenant-lint-demo-test-'));
});
afterAll(() => rmSync(reports, { recursive: true, force: true }));

const said: string[] = [];
const options = (at: string): Parameters<typeof demo>[1] => ({
  root: at,
  reports,
  say: (line) => said.push(line),
  shows: false,
});

it.each(systemsOf(root))(
  'shows check, review and the report of %s, as expected',
  (system) => {
    expect(demo([system], options(root))).toEqual([]);
    expect(said.join('\n')).toContain('tenant-lint review --since HEAD');
    expect(readFileSync(path.join(reports, `${system}-unsafe.html`), 'utf8')).toContain('<!doctype html>');
  },
  120_000,
);

it('tells what is not as expected', () => {
  const changed = path.join(reports, 'changed');
  mkdirSync(path.join(changed, 'fixtures/systems'), { recursive: true });
  symlinkSync(path.join(root, 'packages'), path.join(changed, 'packages'), 'junction');
  const folder = path.join(changed, 'fixtures/systems/agent-platform');
  cpSync(path.join(root, 'fixtures/systems/agent-platform'), folder, { recursive: true });
  const expected = path.join(folder, 'safe/expected.json');
  writeFileSync(expected, '{ "findings": [{ "rule": "no-unscoped-get", "file": "src/none.ts", "line": 1 }] }');
  expect(demo(['agent-platform'], options(changed))).toEqual([
    'agent-platform/safe: the exit code is 0, not 1',
    'agent-platform/safe: expected, and not reported: src/none.ts:1 no-unscoped-get',
  ]);
}, 120_000);
