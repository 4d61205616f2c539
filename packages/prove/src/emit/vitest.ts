import type { Proof } from '../prove.js';
import { testsOf } from './shared.js';

/**
 * The proof as a test file for vitest and PGlite, without tenant-lint: it reads the migrations again, so that it guards those to come. A cell that leaks
 * today is a test that fails today. Equal proofs give equal bytes. `root`: the way from the test file to the root of the project.
 */
export function emitVitest(proof: Proof, root: string): string {
  const { plan, roles, fill } = proof.setup;
  const changes = new Map<string, { start: number; end: number; run: string }[]>();
  const ran = new Set(proof.applied.ran.map((s) => `${s.file} ${s.start}`));
  const late = new Set(proof.applied.late);
  for (const step of plan.steps) {
    const hasRun = ran.has(`${step.file} ${step.start}`) && !late.has(step);
    const run = [...step.run, ...(step.commits ? ['commit', 'begin'] : [])];
    const asWritten = hasRun && step.instead === undefined && run.length === 1;
    const list = changes.get(step.file) ?? [];
    changes.set(step.file, list);
    if (!asWritten) list.push({ start: step.start, end: step.end, run: hasRun ? run.join(';\n') : '' });
  }
  const migrations = [...changes].map(([file, list]) => ({ file, changes: list }));
  const json = (value: unknown): string => JSON.stringify(value, undefined, 2);
  const loaded = plan.contrib.map((name) => `import { ${name} } from '@electric-sql/pglite/contrib/${name}';`);
  return `// Written by tenant-lint prove --emit vitest. Runs with vitest and @electric-sql/pglite.
import { readFileSync } from 'node:fs';
import { PGlite } from '@electric-sql/pglite';
${loaded.join('\n')}${loaded.length > 0 ? '\n' : ''}import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = new URL(${JSON.stringify(root.endsWith('/') ? root : `${root}/`)}, import.meta.url);

/** What the platform and its extensions would have made. */
const before = ${json(plan.before)};

/** Files in their order; \`changes\` are places in them that do not run in an embedded Postgres, and what runs instead. */
const migrations = ${json(migrations)};

/** One row of tenant A and one of tenant B in every table, after what the migrations could only do in the end. */
const rows = ${json([...proof.applied.late.flatMap((s) => s.run), ...roles, ...fill])};

const tests = ${json(testsOf(proof))};

function textOf({ file, changes }) {
  let text = readFileSync(new URL(file, root), 'utf8').replace(/^\\uFEFF/, '');
  for (const { start, end, run } of [...changes].reverse()) text = text.slice(0, start) + run + text.slice(end);
  return text;
}

/** Whether an attempt reaches a row of tenant B; an error of Postgres means that it does not. */
async function reaches(db, { before, statement, after, rowsLeak, probed }) {
  await db.query('savepoint attempt');
  let leaked = false;
  try {
    for (const sql of before) await db.query(sql);
  } catch {
    await db.exec('rollback to savepoint attempt; release savepoint attempt');
    return false;
  }
  try {
    const result = await db.query(statement);
    leaked = rowsLeak && result.rows.length > 0;
    let last;
    for (const sql of after) last = await db.query(sql);
    leaked ||= probed && last.rows.length > 0;
  } catch {
    // Refused.
  }
  await db.exec('rollback to savepoint attempt; release savepoint attempt');
  return leaked;
}

describe('tenant A does not reach tenant B', () => {
  let db;
  beforeAll(async () => {
    db = await PGlite.create(${plan.contrib.length > 0 ? `{ extensions: { ${plan.contrib.join(', ')} } }` : ''});
    await db.query('begin');
    for (const sql of before) await db.query(sql);
    for (const migration of migrations) {
      await db.exec(textOf(migration));
      await db.exec(${JSON.stringify(plan.before.length > 0 ? 'set search_path to "$user", public, extensions' : 'set search_path to "$user", public')});
    }
    await db.query('set local session_replication_role = replica');
    for (const sql of rows) await db.query(sql);
    await db.query('set local session_replication_role = origin');
  }, 120_000);
  afterAll(() => db.close());

  for (const { name, attempts } of tests) {
    it(name, async () => {
      for (const attempt of attempts) expect(await reaches(db, attempt), attempt.statement).toBe(false);
    });
  }
});
`;
}
