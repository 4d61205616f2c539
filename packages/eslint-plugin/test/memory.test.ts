import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Linter } from 'eslint';
import { parser } from 'typescript-eslint';
import { afterEach, expect, it } from 'vitest';
import plugin from '../src/index.js';
import { counters } from '../src/project.js';
import { Folder } from './support.js';

/** An editor that stays open: what an edit needs is given back when the next one comes. */

let project: Folder;
afterEach(() => project.remove());

setFlagsFromString('--expose_gc');
const collect = runInNewContext('gc') as () => void;

function heap(): number {
  collect();
  collect();
  return process.memoryUsage().heapUsed / 1e6;
}

const tables = 30;
const migration = [
  'create table organizations (id uuid primary key);',
  'create table members (organization_id uuid not null references organizations (id), user_id uuid not null);',
  'create index on members (organization_id);',
  ...Array.from(
    { length: tables },
    (_, i) =>
      `create table things_${i} (id uuid primary key, organization_id uuid not null references organizations (id));\ncreate index on things_${i} (organization_id);`,
  ),
].join('\n');
const service = (i: number): string => `import { Pool } from 'pg';
const pool = new Pool();
export async function all${i}(organizationId: string, id: string) {
  const one = await pool.query('select * from things_${i} where id = $1 and organization_id = $2', [id, organizationId]);
  const rest = await pool.query('select * from things_${i} where organization_id = $1', [organizationId]);
  return [...one.rows, ...rest.rows];
}
`;
const typescript: Linter.Config = { files: ['**/*.ts'], languageOptions: { parser: parser as Linter.Parser } };

it('stays flat over edits of code, of which some are saved', { timeout: 240_000 }, async () => {
  const services = Object.fromEntries(Array.from({ length: tables }, (_, i) => [`src/s${i}.ts`, service(i)]));
  project = new Folder({
    'package.json': '{ "name": "app", "type": "module", "dependencies": { "pg": "8.13.0" } }',
    'migrations/001.sql': migration,
    ...services,
  });
  const eslint = project.eslint([typescript, plugin.configs.recommended, plugin.configs['recommended-sql']]);
  const edit = async (n: number): Promise<number> => {
    const file = `src/s${n % tables}.ts`;
    const text = `${service(n % tables)}// edit ${n}\nexport const leak${n} = () => pool.query('select * from things_${n % tables}');\n`;
    if (n % 50 === 0) project.write(file, text);
    const [result] = await eslint.lintText(text, { filePath: project.path(file) });
    return result?.messages.length ?? 0;
  };
  for (let n = 0; n < 60; n++) expect([n, await edit(n)]).toEqual([n, 1]);
  const before = heap();
  const analyses = counters.analyses;
  for (let n = 60; n < 360; n++) expect([n, await edit(n)]).toEqual([n, 1]);
  const grown = heap() - before;
  expect(grown).toBeLessThan(8);
  // Saving a file has that file linked again, and not the project.
  expect(counters.analyses - analyses).toBe(0);
});
