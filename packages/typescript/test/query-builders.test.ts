import type { Adapter } from '@tenant-lint/model';
import { describe, expect, test } from 'vitest';
import { knex } from '../src/adapters/knex/index.js';
import { kysely } from '../src/adapters/kysely/index.js';
import { objection } from '../src/adapters/objection/index.js';
import { lowered, shape } from './support/sent.js';

/** What an adapter makes of code: targets with their conditions, one line each. */
const read = (adapter: Adapter, code: string): readonly string[] => lowered(adapter, code).accesses.flatMap(shape);

describe('builders of Kysely are immutable', () => {
  const header = `import { Kysely, sql } from 'kysely';\nconst db = new Kysely({});\n`;
  const run = (body: string): readonly string[] =>
    read(kysely, `${header}export async function run(org, flag, list) {\n${body}\n}`);

  test('a condition in a branch hangs on the test', () => {
    const body = `let q = db.selectFrom('invoices').select('id'); if (flag) q = q.where('org_id', '=', org); return await q.execute();`;
    expect(run(body)).toEqual(['root read invoices t0 many: either(p1 ? t0.org_id = p0 | always) columns id']);
  });

  test('conditions of both branches are one of two', () => {
    const body = `let q = db.selectFrom('invoices').select('id'); if (flag) q = q.where('org_id', '=', org); else q = q.where('total', '=', 1); return q.execute();`;
    expect(run(body)).toEqual(['root read invoices t0 many: either(p1 ? t0.org_id = p0 | t0.total = 1) columns id']);
  });

  test('what is not assigned is lost', () => {
    const body = `const q = db.selectFrom('invoices').select('id'); q.where('org_id', '=', org); return await q.execute();`;
    expect(run(body)).toEqual(['root read invoices t0 many: always columns id']);
  });

  test('a builder of a function goes on where it is called', () => {
    const code = `${header}const of = (org) => db.selectFrom('invoices').where('org_id', '=', org);
      export const run = async (tenant) => await of(tenant).select('id').where('id', '=', 'i').execute();`;
    expect(read(kysely, code)).toEqual(["root read invoices t0 many: (t0.org_id = p0 and t0.id = 'i') columns id"]);
  });

  test('a builder that is handed away may get more conditions', () => {
    const code = `${header}import { paginate } from './pages.js';
      export const run = (org) => paginate(db.selectFrom('invoices').select('id').where('org_id', '=', org), 3);`;
    const [only] = read(kysely, code);
    expect(only).toContain('unknown(the builder is handed to a function that may add conditions)');
  });

  test('names in camel case are those of the tables', () => {
    expect(
      run(`return await db.selectFrom('invoices').select('authorId').where('orgId', '=', org).execute();`),
    ).toEqual(['root read invoices t0 many: t0.org_id = p0 columns author_id']);
  });

  test('a name of the program that looks like the library is not taken for it', () => {
    const code = `export const run = (store) => store.selectFrom('elsewhere').select('id').execute();`;
    expect(read(kysely, code)).toEqual([]);
  });
});

describe('builders of Knex are changed in place', () => {
  const header = `import knexOf from 'knex';\nconst knex = knexOf({});\n`;
  const run = (body: string): readonly string[] =>
    read(knex, `${header}export async function run(org, flag, list) {\n${body}\n}`);

  test('what other statements add counts', () => {
    const body = `const q = knex('invoices').select('id'); q.where('org_id', org); return await q;`;
    expect(run(body)).toEqual(['root read invoices t0 many: t0.org_id = p0 columns id']);
  });

  test('an alternative in a loop widens', () => {
    const body = `const q = knex('invoices').select('id').where('org_id', org); for (const id of list) q.orWhere('id', id); return await q;`;
    expect(run(body)).toEqual([
      'root read invoices t0 many: (t0.org_id = p0 or either(unknown ? t0.id = p2.* | never)) columns id',
    ]);
  });

  test('a clone leaves the builder as it is', () => {
    const body = `const q = knex('invoices').select('id').where('org_id', org); const n = await q.clone().where('total', 1); return await q;`;
    expect(run(body)).toEqual([
      'root read invoices t0 many: t0.org_id = p0 columns id',
      'root read invoices t0 many: (t0.org_id = p0 and t0.total = 1) columns id',
    ]);
  });

  test('a function that gets the builder adds to it', () => {
    const code = `${header}function scoped(q, org) { q.where('org_id', org); }
      export async function run(tenant) { const q = knex('invoices').select('id'); scoped(q, tenant); return await q; }`;
    expect(read(knex, code)).toEqual(['root read invoices t0 many: t0.org_id = p0 columns id']);
  });

  test('a method that the program added to the builder is not understood', () => {
    expect(run(`return await knex('invoices').select('id').forTenant(org);`)).toEqual([
      'root read invoices t0 many: unknown(what a function adds to the query was not followed) columns id',
    ]);
  });

  test('a builder that nobody waits for does not run', () => {
    expect(run(`knex('invoices').where('org_id', org);`)).toEqual([]);
  });

  test('a call with a text is no query', () => {
    expect(
      read(knex, `import { get } from './store.js';\nexport const run = async () => (await get('invoices')).first();`),
    ).toEqual([]);
  });
});

describe('models of Objection', () => {
  const models = `import { Model } from 'objection';
    class Line extends Model { static tableName = 'lines'; }
    class Invoice extends Model {
      static tableName = 'invoices';
      static relationMappings = { lines: { relation: Model.HasManyRelation, modelClass: Line, join: { from: 'invoices.id', to: 'lines.invoice_id' } } };
      open() { return this.$relatedQuery('lines').where('text', 't'); }
    }\n`;

  test('rows of a relation are tied to their parent', () => {
    const [first] = read(objection, models);
    expect(first).toBe("root read lines t0 many: (t0.invoice_id = this.id and t0.text = 't')");
  });

  test('a row of a loaded model is found by its key', () => {
    const code = `${models}export async function run(id, org) { const row = await Invoice.query().findById(id).where('org_id', org); await row.$query().delete(); }`;
    expect(read(objection, code).slice(1)).toEqual([
      'root read invoices t0 many: (t0.id = p0 and t0.org_id = p1)',
      'root delete invoices t0 many: t0.id = result.id columns ',
    ]);
  });

  test('skipUndefined drops what is missing', () => {
    const code = `${models}export const run = async (org?: string) => await Invoice.query().skipUndefined().where('org_id', org);`;
    expect(read(objection, code).at(-1)).toBe(
      'root read invoices t0 many: optional(t0.org_id = p0? on p0? else always)',
    );
  });

  test('a graph that is written says what is not followed', () => {
    const [access] = lowered(
      objection,
      `${models}export const run = async (graph) => await Invoice.query().upsertGraph(graph);`,
    ).accesses.slice(-1);
    expect(access?.unchecked?.map((u) => u.reason)).toEqual(['upsertGraph() also writes related rows']);
  });
});
