import { extractSql } from '@tenant-lint/sql';
import type { Access } from '@tenant-lint/model';
import { describe, expect, test } from 'vitest';
import { pg } from '../src/adapters/pg/index.js';
import { fakeContext } from './support/context.js';
import { factsOf, loweredBy } from './support/drizzle.js';
import { showAccess, showValue } from './support/render.js';

const migration = extractSql(
  'create table orgs (id uuid primary key); create table invoices (id uuid primary key, org_id uuid not null references orgs(id), total int);',
  { file: 'migrations/1.sql', role: 'migration' },
);

interface Result {
  readonly accesses: readonly Access[];
  readonly unknown: readonly string[];
  readonly source: string;
}

/** Lowers the body of a function; parameters: orgId, id, schema, ids, client, extra, anything. */
function lower(body: string, top = ''): Result {
  const source = `
import { Pool, PoolClient, escapeIdentifier } from 'pg';
import format from 'pg-format';
${top}
const pool = new Pool();
const TEXT = 'SELECT * FROM invoices WHERE org_id = $1';
export async function run(orgId: string, id: string, schema: string, ids: string[], client: PoolClient, extra: boolean, anything) {
${body}
}`;
  const facts = factsOf({ 'query.ts': source });
  return { ...loweredBy(pg, facts, fakeContext([...facts, migration])), source };
}

const shown = (r: Result): string[] => r.accesses.flatMap(showAccess);
const interpolations = (r: Result): string[] =>
  r.accesses.flatMap((a) =>
    (a.interpolations ?? []).map(
      (i) => `${i.position}${i.quoted ? ' quoted' : ''} ${showValue(i.value)} in ${i.around}`,
    ),
  );
const read = (predicate: string): string[] => [`root read invoices t0 many: ${predicate}`];

describe('parameters', () => {
  test.each([
    [
      'of a literal',
      `return pool.query('SELECT * FROM invoices WHERE org_id = $1 AND id = $2', [orgId, id]);`,
      '(t0.org_id = p0 and t0.id = p1)',
    ],
    ['of a constant', `return pool.query(TEXT, [orgId]);`, 't0.org_id = p0'],
    ['of a config object', `return pool.query({ name: 'load', text: TEXT, values: [orgId] });`, 't0.org_id = p0'],
    [
      'of a template without holes',
      'return pool.query(`SELECT * FROM invoices\n WHERE org_id = $1`, [orgId]);',
      't0.org_id = p0',
    ],
    [
      'of a concatenation',
      `return pool.query('SELECT * FROM invoices ' + 'WHERE org_id = $1', [orgId]);`,
      't0.org_id = p0',
    ],
    ['that are missing', `return pool.query(TEXT);`, 't0.org_id = $1'],
    ['of a list that is not known', `return pool.query(TEXT, anything);`, 't0.org_id = p6.0'],
    ['that are lists', `return pool.query('SELECT * FROM invoices WHERE id = ANY($1)', [ids]);`, 't0.id in (p3.* ...)'],
  ])('%s', (_name, body, predicate) => {
    expect(shown(lower(body))).toEqual(read(predicate));
  });

  test('a computed number of a parameter is a value that is not known', () => {
    expect(
      shown(lower('return pool.query(`SELECT * FROM invoices WHERE org_id = $1 AND id = $${id}`, [orgId, id]);')),
    ).toEqual(read('(t0.org_id = p0 and t0.id = unknown)'));
  });

  test('named placeholders of another driver', () => {
    expect(
      shown(
        lower(`return anything.query('SELECT * FROM invoices WHERE org_id = :org', { replacements: { org: orgId } });`),
      ),
    ).toEqual(read('t0.org_id = p0'));
  });
});

describe('text that is put together', () => {
  test('values in quotes and bare', () => {
    const result = lower("return pool.query(`SELECT * FROM invoices WHERE org_id = '${orgId}' AND id = ${id}`);");
    expect(shown(result)).toEqual(read('(t0.org_id = p0 and t0.id = p1)'));
    expect(interpolations(result)).toEqual([
      "value p0 in SELECT * FROM invoices WHERE org_id = '?' AND id = ?",
      "value p1 in invoices WHERE org_id = '?' AND id = ?",
    ]);
  });

  test('part of a literal, with quotes inside', () => {
    const result = lower(
      "return pool.query(`SELECT * FROM invoices WHERE id LIKE 'it''s %${id}%' AND org_id = E'a${orgId}'`);",
    );
    expect(shown(result)).toEqual(read("(t0.id like `it's %${p1}%` and t0.org_id = `a${p0}`)"));
  });

  test.each([
    ['a schema', 'SELECT * FROM ${schema}.invoices WHERE id = $1', 'schema p2 in SELECT * FROM ?.invoices WHERE id ='],
    [
      'a part of a schema',
      'SELECT * FROM tenant_${schema}.invoices WHERE id = $1',
      'schema p2 in SELECT * FROM tenant_?.invoices WHERE id =',
    ],
    [
      'a schema in quotes',
      'SELECT * FROM "${schema}".invoices WHERE id = $1',
      'schema p2 in SELECT * FROM "?".invoices WHERE id',
    ],
    [
      'a sort key',
      'SELECT * FROM invoices WHERE id = $1 ORDER BY ${schema}',
      'fragment p2 in * FROM invoices WHERE id = $1 ORDER BY ?',
    ],
    [
      'a list of columns',
      'SELECT ${schema} FROM invoices WHERE id = $1',
      'fragment p2 in SELECT ? FROM invoices WHERE',
    ],
    ['in a comment', 'SELECT * FROM invoices /* ${schema} */ WHERE id = $1', undefined],
  ])('%s', (_name, text, interpolation) => {
    const result = lower(`return pool.query(\`${text}\`, [id]);`);
    expect(shown(result)[0]).toMatch(/^root read invoices t0 many: t0\.id = p1/);
    expect(interpolations(result)).toEqual(interpolation === undefined ? [] : [interpolation]);
  });

  test('a table whose name is computed', () => {
    const result = lower('return pool.query(`SELECT * FROM ${schema} WHERE id = $1`, [id]);');
    expect(shown(result)).toEqual(['root read ?(dynamic table name) t0 many: t0.id = p1']);
    expect(interpolations(result)).toEqual(['identifier p2 in SELECT * FROM ? WHERE id = $1']);
  });

  test('a condition that is not found is unknown, and never counts as no condition', () => {
    expect(shown(lower('return pool.query(`SELECT * FROM invoices WHERE ${id}`);'))).toEqual(
      read('unknown(part of the condition is text that was not found)'),
    );
    expect(shown(lower('return pool.query(`SELECT * FROM invoices ${id}`);'))).toEqual(
      read('unknown(part of the condition is text that was not found)'),
    );
    expect(shown(lower('return pool.query(`SELECT * FROM invoices WHERE org_id = $1 ${id}`, [orgId]);'))).toEqual(
      read('unknown(part of the condition is text that was not found)'),
    );
    expect(
      shown(lower('return pool.query(`SELECT * FROM invoices WHERE org_id = $1 ORDER BY id ${id}`, [orgId]);')),
    ).toEqual(read('t0.org_id = p0'));
  });

  test('text that differs from path to path is one access for each', () => {
    const body =
      "let text = 'SELECT * FROM invoices WHERE org_id = $1'; if (extra) text += ' AND id = $2'; return pool.query(text, [orgId, id]);";
    const result = lower(body);
    expect(shown(result)).toEqual([...read('(t0.org_id = p0 and t0.id = p1)'), ...read('t0.org_id = p0')]);
    expect(new Set(result.accesses.map((a) => a.id)).size).toBe(2);
  });

  test('the first part of text that grows stands where its literal does', () => {
    const { accesses, source } = lower(
      "let text = 'SELECT * FROM invoices WHERE org_id = $1'; if (extra) text += ' AND id = $2'; return pool.query(text, [orgId, id]);",
    );
    expect(accesses.length).toBe(2);
    for (const { targets, span } of accesses) {
      const [target] = targets;
      expect(source.slice(target!.span.start, target!.span.end)).toBe('invoices');
      expect(source.slice(span.start)).toMatch(/^SELECT \* FROM invoices/);
      const { predicate } = target!;
      const first = predicate.kind === 'and' ? predicate.of[0]! : predicate;
      expect(first).toMatchObject({ kind: 'compare' });
      if (first.kind === 'compare') expect(source.slice(first.span!.start, first.span!.end)).toBe('org_id = $1');
    }
  });

  test('a condition that only some paths have', () => {
    expect(
      shown(lower("return pool.query(`SELECT * FROM invoices ${extra ? 'WHERE org_id = $1' : ''}`, [orgId]);")),
    ).toEqual([...read('t0.org_id = p0'), ...read('always')]);
  });

  const optional = (word: string): string =>
    [1, 2, 3, 4].map((n) => `\${extra ? ' ${word} total > ${n}' : ''}`).join('');

  test('more combinations than are looked at leave the condition unknown', () => {
    const targets = shown(
      lower(`return pool.query(\`SELECT * FROM invoices WHERE org_id = $1 ${optional('OR')}\`, [orgId]);`),
    );
    expect(targets.length).toBeGreaterThan(0);
    for (const target of targets) expect(target).toMatch(/unknown\(/);
  });

  test('however many parts only narrow it, the text without them is one of those looked at', () => {
    const targets = shown(
      lower(`return pool.query(\`SELECT * FROM invoices WHERE org_id = $1 ${optional('AND')}\`, [orgId]);`),
    );
    expect(targets).toEqual(expect.arrayContaining(read('t0.org_id = p0')));
  });
});

describe('escaping', () => {
  test('escapeIdentifier makes a quoted name', () => {
    const result = lower(
      'return client.query(`SELECT * FROM ${escapeIdentifier(schema)}.invoices WHERE id = $1`, [id]);',
    );
    expect(interpolations(result)).toEqual(['schema quoted p2 in SELECT * FROM ?.invoices WHERE id =']);
  });

  test('format strings: %I is a quoted name, %L a value, %s text', () => {
    const result = lower(
      `return client.query(format('SELECT * FROM %I.invoices WHERE org_id = %L AND id = %L ORDER BY %s', schema, orgId, id, extra));`,
    );
    expect(shown(result)).toEqual(read('(t0.org_id = p0 and t0.id = p1)'));
    expect(interpolations(result).map((i) => i.split(' in ')[0])).toEqual(['schema quoted p2', 'fragment p5']);
  });

  test('arguments of a format string by number', () => {
    expect(
      shown(
        lower(`return client.query(format('SELECT * FROM invoices WHERE org_id = %2$L AND id = %1$L', id, orgId));`),
      ),
    ).toEqual(read('(t0.org_id = p0 and t0.id = p1)'));
  });
});

describe('escaping in a helper', () => {
  test('that returns a quoted name', () => {
    const result = lower(
      'return client.query(`SELECT * FROM ${schemaOf(schema)}.invoices WHERE id = $1`, [id]);',
      "const schemaOf = (t: string) => escapeIdentifier('tenant_' + t);",
    );
    expect(shown(result)).toEqual(read('t0.id = p1'));
    expect(interpolations(result).map((i) => i.replace(/^(schema quoted) .* in /, '$1 in '))).toEqual([
      'schema quoted in SELECT * FROM ?.invoices WHERE id =',
    ]);
  });

  test('that returns plain text is read through, and the statement around stays', () => {
    const result = lower(
      'return client.query(`INSERT INTO ${schemaOf(schema)}.invoices SELECT * FROM ${schemaOf(id)}.invoices`);',
      'const schemaOf = (t: string) => `tenant_${t}`;',
    );
    expect(interpolations(result).map((i) => i.replace(/^(schema) .* in /, '$1 in '))).toEqual([
      'schema in INSERT INTO tenant_?.invoices SELECT * F',
      'schema in tenant_?.invoices SELECT * FROM tenant_?.invoices',
    ]);
  });

  test('a name in quotes whose own quotes are doubled', () => {
    const doubled = lower(
      `return client.query(\`SELECT * FROM "\${schema.replaceAll('"', '""')}".invoices WHERE id = $1\`, [id]);`,
    );
    expect(interpolations(doubled).map((i) => i.split(' ')[1])).toEqual(['quoted']);
    const bare = lower(`return client.query(\`SELECT * FROM "\${schema.trim()}".invoices WHERE id = $1\`, [id]);`);
    expect(interpolations(bare).map((i) => i.split(' ')[1])).not.toContain('quoted');
  });
});

describe('statements that Postgres cannot read', () => {
  test.each([
    ['SET search_path TO $1, public', /^syntax: Postgres takes no parameter here; use set_config/],
    ['SET LOCAL app.tenant = $1', /^syntax: Postgres takes no parameter here; use set_config/],
    ['CREATE SCHEMA $1', /^syntax: Postgres takes no parameter here/],
    ['SELEC * FROM invoices', /^syntax: syntax error at or near "SELEC"/],
    ['SELECT * FROM invoices WHERE (org_id = $1', /^syntax: /],
  ])('%s', (text, reason) => {
    const result = lower(`await client.query('${text}', [schema]);`);
    expect(result.accesses).toEqual([]);
    expect(result.unknown).toEqual([expect.stringMatching(reason)]);
  });
});

describe('statements', () => {
  test('transaction words are no accesses, a schema name in them is', () => {
    const result = lower(
      "const c = await pool.connect(); await c.query('BEGIN'); await c.query(`SET search_path TO ${schema}`); await c.query('COMMIT'); c.release();",
    );
    expect(result.accesses.map((a) => [a.operation, a.targets.length])).toEqual([['raw', 0]]);
    expect(interpolations(result)).toEqual(['schema p2 in SET search_path TO ?']);
  });

  test('several in one text, each with what is put into it', () => {
    const result = lower(
      'return pool.query(`CREATE SCHEMA ${schema}; DELETE FROM invoices; UPDATE invoices SET total = ${id}`);',
    );
    expect(result.accesses.map((a) => a.operation)).toEqual(['raw', 'delete', 'update']);
    expect(result.accesses.map((a) => a.interpolations?.length ?? 0)).toEqual([1, 0, 1]);
  });

  test('an upsert', () => {
    expect(
      shown(
        lower(
          `return pool.query('INSERT INTO invoices (id, org_id) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET total = 1', [id, orgId]);`,
        ),
      ),
    ).toEqual([
      'root upsert invoices t0 one: t0.id = p1 set { id: p1, org_id: p0 } else { total: 1 } conflict id columns ',
    ]);
  });
});

describe('receivers', () => {
  const text = `'SELECT * FROM invoices WHERE id = $1', [id]`;
  test.each([
    ['a pool', `return pool.query(${text});`, 'plain'],
    ['a client of it', `const c = await pool.connect(); return c.query(${text});`, 'plain'],
    ['an annotated parameter', `return client.query(${text});`, 'plain'],
    ['anything that is asked for a known table', `return anything.query(${text});`, 'unknown'],
  ])('%s', (_name, body, kind) => {
    expect(lower(body).accesses.map((a) => a.client.kind)).toEqual([kind]);
  });

  test('a field of a class', () => {
    const result = lower(
      '',
      `export class Repo { constructor(private readonly db: Pool) {} load(id: string) { return this.db.query(${text}); } }`,
    );
    expect(result.accesses.map((a) => a.client.kind)).toEqual(['plain']);
  });

  test('a drop-in replacement and its tagged template', () => {
    const result = lower(
      'return sql`SELECT * FROM invoices WHERE id = ${id}`;',
      `import { sql } from '@vercel/postgres';`,
    );
    expect(shown(result)).toEqual(read('t0.id = p1'));
    expect(interpolations(result)).toEqual([]);
  });

  test.each([
    [
      'a client in the same expression, its template',
      'return createPool().sql`SELECT * FROM invoices WHERE id = ${id}`;',
      `import { createPool } from '@vercel/postgres';`,
    ],
    [
      'a client in the same expression, text',
      `return createPool().query('SELECT * FROM invoices WHERE id = $1', [id]);`,
      `import { createPool } from '@vercel/postgres';`,
    ],
    [
      'the driver for Deno',
      `const c = await deno.connect(); return c.queryObject('SELECT * FROM invoices WHERE id = $1', [id]);`,
      `import { Pool as DenoPool } from 'https://deno.land/x/postgres@v0.19.3/mod.ts'; const deno = new DenoPool('', 3);`,
    ],
    [
      'the driver for Deno, with options',
      `const c = await deno.connect(); return c.queryArray({ text: 'SELECT * FROM invoices WHERE id = $1', args: [id] });`,
      `import { Pool as DenoPool } from 'https://deno.land/x/postgres@v0.19.3/mod.ts'; const deno = new DenoPool('', 3);`,
    ],
  ])('%s', (_name, body, top) => {
    expect(shown(lower(body, top))).toEqual(read('t0.id = p1'));
  });

  test.each([
    ['a query of something else', `return anything.query('SELECT * FROM elsewhere WHERE id = $1', [id]);`],
    ['no SQL', `return anything.query('all invoices please');`],
    ['a query object', `return anything.query({ where: { id } });`],
    ['a query of a query client', `return anything.query(['invoices', id]);`],
    ['nothing', `return anything.query();`],
  ])('%s is not ours', (_name, body) => {
    const { accesses, unknown } = lower(body);
    expect({ accesses, unknown }).toEqual({ accesses: [], unknown: [] });
  });
});

describe('lists that are joined', () => {
  const sql = "pool.query(`SELECT * FROM invoices WHERE ${where.join(' AND ')}`, values)";
  test.each<[string, string, string[]]>([
    [
      'of constants',
      `const where = ['org_id = $1', 'total > 3']; const values = [orgId]; return ${sql};`,
      ['(t0.org_id = p0 and t0.total > 3)'],
    ],
    [
      'with an item on some paths',
      `const where = ['org_id = $1']; const values = [orgId]; if (extra) { values.push(id); where.push(\`id = $\${values.length}\`); } return ${sql};`,
      ['t0.org_id = p0', '(t0.org_id = p0 and t0.id = unknown)'],
    ],
    [
      'with items on some paths alone',
      `const where: string[] = []; const values = []; if (extra) where.push('total > 3'); if (id) where.push('total < 9'); return ${sql};`,
      ['t0.total > 3', 't0.total < 9', '(t0.total > 3 and t0.total < 9)'],
    ],
    [
      'without what is not there',
      `const values = [orgId]; return pool.query('SELECT * FROM invoices WHERE ' + ['org_id = $1', extra && 'total > 3', false].filter(Boolean).join(' AND '), values);`,
      ['t0.org_id = p0', '(t0.org_id = p0 and t0.total > 3)'],
    ],
    [
      'under a condition',
      `const where = ['org_id = $1']; const values = [orgId]; return pool.query(\`SELECT * FROM invoices \${where.length ? 'WHERE ' + where.join(' AND ') : ''}\`, values);`,
      ['t0.org_id = p0', 'always'],
    ],
  ])('%s', (_name, body, expected) => {
    const result = lower(body);
    expect(interpolations(result)).toEqual([]);
    expect(result.unknown).toEqual([]);
    expect(shown(result).map((line) => line.replace(/^[^:]*: /, ''))).toEqual(expected);
  });

  test('an item that the program does not fix is said', () => {
    const result = lower(
      `const where = ['org_id = $1']; where.push(anything); return pool.query(\`SELECT * FROM invoices WHERE \${where.join(' AND ')}\`, [orgId]);`,
    );
    expect(interpolations(result)).toHaveLength(1);
  });
});

describe('what is not understood is said', () => {
  test.each([
    ['text that is not found', `return pool.query(id);`, /SQL text was not found/],
    ['text that is no SQL', `return pool.query('SELEC nonsense');`, /syntax/],
    ['no text at all', `return pool.query({ rowMode: 'array' });`, /the SQL text was not found/],
  ])('%s', (_name, body, reason) => {
    const { accesses, unknown } = lower(body);
    expect(accesses).toEqual([]);
    expect(unknown).toEqual([expect.stringMatching(reason)]);
  });
});

describe('positions', () => {
  const at = (body: string): string[] => {
    const { accesses, source } = lower(body);
    return accesses.flatMap((a) => a.targets.map((t) => source.slice(t.span.start, t.span.end)));
  };

  test.each([
    ['in a literal', `return pool.query('SELECT * FROM invoices AS i WHERE i.id = $1', [id]);`],
    ['in a template behind a hole', 'return pool.query(`SELECT ${id}, * FROM invoices AS i`);'],
    ['behind a literal with a hole', "return pool.query(`SELECT '${id}' AS x, * FROM invoices AS i`);"],
    ['behind characters of several bytes', "return pool.query(`SELECT 'äöü 😀' AS x, * FROM invoices AS i`);"],
    ['in the second part of a concatenation', `return pool.query('SELECT * ' + 'FROM invoices AS i');`],
    ['at the end', 'return pool.query(`SELECT ${id} FROM invoices`);'],
  ])('%s', (_name, body) => {
    expect(at(body)).toEqual([expect.stringMatching(/^invoices/)]);
  });

  test('the access is where its text is', () => {
    const { accesses, source } = lower('return pool.query(`SELECT * FROM invoices WHERE id = ${id}`);');
    expect(source.slice(accesses[0]!.span.start, accesses[0]!.span.end)).toBe('SELECT * FROM invoices WHERE id = ${id');
  });
});
