import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { positionAt } from '@tenant-lint/model';
import { ruleNamed, runRules } from '@tenant-lint/engine';
import { openEmbedded, type Embedded } from '@tenant-lint/prove';
import { rules } from '@tenant-lint/rules';
import { buildModel, folderSource, settingsOf, type Config, type Settings } from '@tenant-lint/workspace';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { main } from '../packages/cli/src/main.js';

const folder = fileURLToPath(new URL('../fixtures/systems/', import.meta.url));
const systems = readdirSync(folder).sort();
const sides = ['unsafe', 'safe'] as const;

/** A finding as `expected.json` lists it; findings that the configuration or a comment excuses are listed as suppressed. */
interface Expected {
  readonly rule: string;
  readonly file: string;
  readonly line: number;
  readonly suppressed?: true;
}

/** A defect of a system that rules to come will report; `rule` is null where it is none of isolation, `file` where it is an absence. */
interface Waiting {
  readonly rule: string | null;
  readonly file: string | null;
  readonly why: string;
  /** What a rule that is there still lacks to find it. */
  readonly waits?: string;
}

const read = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'));

function settingsIn(root: string): Settings {
  const file = join(root, 'tenant-lint.config.json');
  return settingsOf(existsSync(file) ? (read(file) as Config) : {});
}

function findingsOf(root: string): Expected[] {
  const settings = settingsIn(root);
  const { model } = buildModel(folderSource(root), { settings });
  expect(model.tenancy.refused).toBeUndefined();
  const report = runRules(model, rules, {
    settings: settings.config.rules ?? {},
    intended: (file) => settings.intended(file),
  });
  return report.findings.map(({ rule, span, suppressed }) => {
    if (span === undefined) throw new Error(`a finding of ${rule} has no place`);
    const { line } = positionAt(report.lineStarts[span.file] ?? [0], span.start);
    return { rule, file: span.file, line, ...(suppressed ? { suppressed } : {}) };
  });
}

const inOrder = (findings: readonly Expected[]): string[] =>
  findings.map((f) => `${f.file}:${f.line} ${f.rule}${f.suppressed ? ' suppressed' : ''}`).sort();

/** What the command writes and how it ends. */
async function commandOn(root: string, ...options: string[]): Promise<{ code: number; out: string; errors: string }> {
  let out = '';
  let errors = '';
  const code = await main(['check', root, '--no-cache', ...options], {
    cwd: root,
    stdout: { write: (text: string) => (out += text) },
    stderr: { write: (text: string) => (errors += text) },
    env: {},
  });
  return { code, out, errors };
}

/** Every column of a schema with whether it may be NULL, as lines. */
function columnsOf(root: string): string[] {
  const { model } = buildModel(folderSource(root), { settings: settingsIn(root) });
  return [...model.schema.tables.values()].flatMap((table) => {
    const key = table.constraints.flatMap((c) => (c.kind === 'primary key' ? c.columns : []));
    return [...table.columns.values()].map(
      ({ name, notNull }) => `${table.id}.${name} ${notNull || key.includes(name) ? 'not null' : 'null'}`,
    );
  });
}

let postgres: Embedded;
beforeAll(async () => {
  postgres = await openEmbedded();
});
afterAll(() => postgres.close());

it('finds the systems', () => {
  expect(systems).toEqual(
    expect.arrayContaining(['agent-platform', 'asset-anchor', 'dotmac', 'satox', 'task-tracker']),
  );
});

describe.each(systems)('%s', (system) => {
  describe.each(sides)('%s', (side) => {
    const root = join(folder, system, side);

    it('reports exactly the expected findings', () => {
      const { findings } = read(join(root, 'expected.json')) as { findings: Expected[] };
      expect(inOrder(findingsOf(root))).toEqual(inOrder(findings));
    });

    it('has no pattern in its configuration that matches nothing', () => {
      const { files } = folderSource(root).list();
      expect(settingsIn(root).unmatched(files.keys())).toEqual([]);
    });

    it('has migrations that Postgres runs, and that give the schema of the model', async () => {
      const files = [...folderSource(root).list().files].flatMap(([file, kind]) => (kind === 'sql' ? [file] : []));
      const columns = await postgres.withCase('', async (db) => {
        for (const file of files.sort()) await db.exec(readFileSync(join(root, file), 'utf8'));
        return db.query(
          `select table_schema || '.' || table_name || '.' || column_name || case is_nullable when 'NO' then ' not null' else ' null' end as line
           from information_schema.columns where table_schema not in ('pg_catalog', 'information_schema')`,
        );
      });
      expect(files.length).toBeGreaterThan(0);
      expect(columns.map((row) => row['line']).sort()).toEqual(columnsOf(root).sort());
    });

    it('gives the same bytes and the right exit code from run to run', async () => {
      for (const format of ['json', 'text', 'sarif']) {
        const first = await commandOn(root, '--format', format);
        const second = await commandOn(root, '--format', format);
        expect(first.errors).toBe('');
        expect(second.out).toBe(first.out);
        expect(first.code).toBe(side === 'unsafe' ? 1 : 0);
        expect(first.out).not.toContain(folder);
      }
    });
  });

  it('is repaired: what is expected of the safe twin is excused, and the unsafe one has findings that are not', () => {
    const of = (side: string): Expected[] =>
      (read(join(folder, system, side, 'expected.json')) as { findings: Expected[] }).findings;
    expect(of('unsafe').filter((f) => !f.suppressed).length).toBeGreaterThan(0);
    expect(of('safe').filter((f) => !f.suppressed)).toEqual([]);
  });

  it('lists as waiting only what no rule of today reports', () => {
    const { defects } = read(join(folder, system, 'unsafe', 'waiting.json')) as { defects: Waiting[] };
    const catalogue = read(fileURLToPath(new URL('catalogue/ids.json', import.meta.url))) as { rule?: string }[];
    const known = new Set(catalogue.map((entry) => entry.rule));
    for (const { rule, file, why, waits } of defects) {
      expect(why.length).toBeGreaterThan(20);
      if (file !== null) expect(existsSync(join(folder, system, 'unsafe', file)), file).toBe(true);
      if (rule === null) continue;
      expect(known.has(rule), `${rule} is in the catalogue`).toBe(true);
      if (waits === undefined)
        expect(ruleNamed(rules, rule), `${rule} exists: move the entry to expected.json`).toBeUndefined();
    }
  });
});

it('reports what docs/systems.md says of each design', () => {
  const text = readFileSync(fileURLToPath(new URL('../docs/systems.md', import.meta.url)), 'utf8');
  const sections = text.split(/^## /m).slice(1);
  expect(sections.map((s) => s.slice(0, s.indexOf('\n'))).sort()).toEqual(systems);
  for (const section of sections) {
    const root = join(folder, section.slice(0, section.indexOf('\n')), 'unsafe');
    const { findings } = read(join(root, 'expected.json')) as { findings: Expected[] };
    const { defects } = read(join(root, 'waiting.json')) as { defects: Waiting[] };
    const found = findings.map((f) => `${f.rule} at ${f.file}:${f.line}`);
    const named = [...section.matchAll(/`([\w-]+)` at `([^`]+)`/g)].map(([, rule, place]) => `${rule} at ${place}`);
    const waited = [...section.matchAll(/waits for `([\w-]+)`/g)].map(([, rule]) => rule);
    expect(named.length, section).toBeGreaterThan(3);
    expect(named.filter((n) => !found.includes(n))).toEqual([]);
    expect(waited.filter((rule) => !defects.some((d) => d.rule === rule))).toEqual([]);
  }
});

it('prints what README.md shows', async () => {
  const readme = readFileSync(fileURLToPath(new URL('../README.md', import.meta.url)), 'utf8');
  const shown = /^```text\n([\s\S]*?)^```$/m.exec(readme)?.[1];
  expect(shown).toMatch(/^src\/services\/documents\.ts:26:26 {2}error {2}no-unscoped-get\n/);
  expect((await commandOn(join(folder, 'task-tracker', 'unsafe'))).out).toContain(shown);
});
