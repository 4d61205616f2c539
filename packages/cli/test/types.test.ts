import { existsSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { project, run } from './support/project.js';

let remove: () => void = () => undefined;
afterEach(() => remove());

function opened(files: Readonly<Record<string, string>>): string {
  const made = project(files);
  remove = made.remove;
  return made.root;
}

const migration = `create table organizations (id uuid primary key, name text not null);
create table members (organization_id uuid not null references organizations (id), user_id uuid not null, primary key (organization_id, user_id));
create table orders (id uuid primary key, organization_id uuid not null references organizations (id), total int not null);
create index on orders (organization_id);
`;

/** Declarations as an installed package has them, as far as a receiver needs them. */
const stub = (name: string, declarations: string): Readonly<Record<string, string>> => ({
  [`node_modules/${name}/package.json`]: JSON.stringify({ name, version: '1.0.0', types: 'index.d.ts' }),
  [`node_modules/${name}/index.d.ts`]: declarations,
});

const stubs = {
  ...stub('pg', 'export class Pool { query(text: string, values?: unknown[]): Promise<{ rows: any[] }>; }'),
  ...stub(
    'knex',
    'declare namespace knex { interface QueryBuilder { where(o: object): QueryBuilder; first(): Promise<any>; } interface Knex { (table: string): QueryBuilder; } }\n' +
      'export type Knex = knex.Knex; export declare function knex(config: object): Knex;',
  ),
  ...stub(
    'typeorm',
    'export declare class Repository<T> { findOne(o: { where: Partial<T> }): Promise<T | null>; }\n' +
      'export declare function Entity(name: string): any; export declare function Column(o?: object): any; export declare function PrimaryColumn(o?: object): any;',
  ),
  ...stub('kysely', 'export declare class Kysely<DB> { selectFrom(t: keyof DB): any; }'),
  ...stub(
    'express',
    'export interface Request { params: Record<string, string>; } export declare function Router(): any;',
  ),
};

const dependencies = { pg: '8.0.0', knex: '3.0.0', typeorm: '0.3.0', kysely: '0.28.0', express: '5.0.0' };

/** A registry whose types are all that says what comes out of it. */
const registry = `import type { Knex } from 'knex';
import type { Pool } from 'pg';
import type { Repository } from 'typeorm';
import type { Order } from './order.js';

export interface Services { sql: Pool; builder: Knex; orders: Repository<Order>; }
class Registry<T> {
  readonly #made = new Map<keyof T, unknown>();
  get<K extends keyof T>(name: K): T[K] { return this.#made.get(name) as T[K]; }
}
export const registry = new Registry<Services>();
`;

const order = `import { Column, Entity, PrimaryColumn } from 'typeorm';
@Entity('orders')
export class Order {
  @PrimaryColumn() id!: string;
  @Column() organization_id!: string;
  @Column() total!: number;
}
`;

const tsconfig =
  '{ "compilerOptions": { "module": "nodenext", "target": "es2022", "strict": true, "experimentalDecorators": true }, "include": ["src"] }';

const base = {
  'package.json': JSON.stringify({ name: 'app', type: 'module', dependencies }),
  'tsconfig.json': tsconfig,
  'migrations/001_init.sql': migration,
};

interface Report {
  readonly findings: readonly {
    readonly rule: string;
    readonly file: string;
    readonly confidence: string;
    readonly start: { readonly line: number };
  }[];
  readonly unchecked: readonly { readonly file: string; readonly reason: string; readonly detail?: string }[];
}

async function report(root: string, ...args: string[]): Promise<Report & { readonly stderr: string }> {
  const { stdout, stderr } = await run(root, '--format', 'json', '--no-cache', ...args);
  expect(stdout, stderr).not.toBe('');
  return { ...(JSON.parse(stdout) as Report), stderr };
}

const lines = ({ findings }: Report): string[] => findings.map((f) => `${f.file}:${f.start.line} ${f.rule}`);

describe('receivers that only types show', () => {
  const receivers: readonly { readonly of: string; readonly code: string }[] = [
    { of: 'pg', code: "registry.get('sql').query('select * from orders where id = $1', [id])" },
    { of: 'knex', code: "registry.get('builder')('orders').where({ id }).first()" },
    { of: 'typeorm', code: "registry.get('orders').findOne({ where: { id } })" },
  ];
  for (const { of, code } of receivers) {
    const files = {
      ...base,
      'src/registry.ts': registry,
      'src/order.ts': order,
      'src/orders.ts': `import { registry } from './registry.js';\nexport const load = (id: string) => ${code};\n`,
    };

    it(`${of}: unseen by syntax, found with --types`, async () => {
      const root = opened({ ...files, ...stubs });
      expect(lines(await report(root))).toEqual([]);
      const typed = await report(root, '--types');
      expect(lines(typed)).toEqual(['src/orders.ts:2 no-unscoped-get']);
      expect(typed.unchecked).toEqual([]);
    });

    it(`${of}: with the tenant in the condition it is silent`, async () => {
      const safe = code
        .replace('where id = $1', 'where id = $1 and organization_id = $2')
        .replace('[id]', '[id, org]')
        .replace('{ id }', '{ id, organization_id: org }');
      const root = opened({
        ...files,
        ...stubs,
        'src/orders.ts': `import { registry } from './registry.js';\nconst load = (id: string, org: string) => ${safe};\nexport const mine = (id: string) => load(id, process.env.ORG!);\n`,
      });
      expect(lines(await report(root, '--types'))).toEqual([]);
    });
  }
});

describe('callees that only types show', () => {
  const port = `export interface OrderPort { byId(id: string): Promise<unknown>; }\n`;
  const adapter = `import { Pool } from 'pg';
import type { OrderPort } from './port.js';
const pool = new Pool();
export class PgOrders implements OrderPort {
  async byId(id: string) {
    return (await pool.query('select * from orders where id = $1', [id])).rows[0];
  }
}
`;
  const route = `import { Router, type Request } from 'express';
import type { OrderPort } from './port.js';
declare const container: { resolve<T>(token: { readonly of?: T }): T };
const token: { readonly of?: OrderPort } = {};
const router = Router();
router.get('/orders/:id', async (req: Request, res: any) => {
  const order = await container.resolve(token).byId(req.params.id!);
  res.json(order);
});
`;
  const files = { ...base, 'src/port.ts': port, 'src/adapter.ts': adapter, 'src/route.ts': route };

  it('a method of an interface that one class implements: the finding knows its caller', async () => {
    const root = opened({ ...files, ...stubs });
    const by = (r: Report): string[] => r.findings.map((f) => `${f.file}:${f.start.line} ${f.confidence}`);
    expect(by(await report(root))).toEqual(['src/adapter.ts:6 likely']);
    expect(by(await report(root, '--types'))).toEqual(['src/adapter.ts:6 certain']);
  });

  it('two classes that implement it: either may be called, and nothing is certain', async () => {
    const root = opened({
      ...files,
      ...stubs,
      'src/memory.ts': `import type { OrderPort } from './port.js';\nexport class MemoryOrders implements OrderPort { async byId(id: string) { return { id }; } }\n`,
    });
    const { stdout } = await run(root, '--no-cache', '--types');
    expect(stdout).toContain('src/adapter.ts:6:31  error  no-unscoped-get  likely');
    expect(stdout).toContain('params.id of the request');
    expect(stdout).toContain('as far as this is the implementation that is called');
  });
});

describe('layouts', () => {
  const query = "query('select * from orders where id = $1', [id])";

  it('a monorepo: references, aliases, and packages of the workspace that nobody built', async () => {
    const root = opened({
      'package.json': JSON.stringify({ name: 'mono', private: true, workspaces: ['packages/*', 'apps/*'] }),
      'tsconfig.json':
        '{ "files": [], "references": [{ "path": "packages/db" }, { "path": "apps/api/tsconfig.app.json" }] }',
      'packages/db/package.json': JSON.stringify({
        name: '@app/db',
        type: 'module',
        main: './dist/index.js',
        types: './dist/index.d.ts',
        dependencies: { pg: '8.0.0' },
      }),
      'packages/db/tsconfig.json':
        '{ "compilerOptions": { "composite": true, "module": "nodenext", "strict": true }, "include": ["src"] }',
      'packages/db/src/index.ts':
        "import type { Pool } from 'pg';\nexport interface Context { readonly stores: Map<string, Pool> }\n",
      'apps/api/package.json': JSON.stringify({
        name: 'api',
        type: 'module',
        dependencies: { '@app/db': 'workspace:*', pg: '8.0.0' },
      }),
      'apps/api/tsconfig.json': '{ "files": [], "references": [{ "path": "./tsconfig.app.json" }] }',
      'apps/api/tsconfig.app.json':
        '{ "compilerOptions": { "composite": true, "module": "esnext", "moduleResolution": "bundler", "strict": true, "target": "es2022", "paths": { "~/*": ["./src/*"] } }, "include": ["src"] }',
      'apps/api/src/context.ts':
        "import type { Context } from '@app/db';\nexport declare function current(): Context;\n",
      'apps/api/src/orders.ts': `import { current } from '~/context';\nexport const load = (id: string) => current().stores.get('main')!.${query};\n`,
      'migrations/001_init.sql': migration,
      ...stubs,
    });
    expect(lines(await report(root))).toEqual([]);
    const typed = await report(root, '--types');
    expect(lines(typed)).toEqual(['apps/api/src/orders.ts:2 no-unscoped-get']);
    expect(typed.unchecked).toEqual([]);
  });

  it('globals and modules that other files add to', async () => {
    const root = opened({
      ...base,
      ...stubs,
      'src/globals.d.ts': "import type { Pool } from 'pg';\ndeclare global { var stores: Map<string, Pool>; }\n",
      'src/plugin.ts':
        "import type { Knex } from 'knex';\ndeclare module 'express' { interface Request { builders: Map<string, Knex>; } }\n",
      'src/orders.ts': `import type { Request } from 'express';
export const byGlobal = (id: string) => stores.get('main')!.${query};
export const byRequest = (req: Request, id: string) => req.builders.get('main')!('orders').where({ id }).first();
`,
    });
    expect(lines(await report(root, '--types'))).toEqual([
      'src/orders.ts:2 no-unscoped-get',
      'src/orders.ts:3 no-unscoped-get',
    ]);
  });

  it('JavaScript with types in comments, and no configuration', async () => {
    const root = opened({
      'package.json': JSON.stringify({ name: 'app', type: 'module', dependencies }),
      'migrations/001_init.sql': migration,
      ...stubs,
      'src/stores.js': "/** @type {Map<string, import('pg').Pool>} */\nexport const stores = new Map();\n",
      'src/orders.js': `import { stores } from './stores.js';\nexport const load = (id) => stores.get('main').${query};\n`,
    });
    expect(lines(await report(root))).toEqual([]);
    expect(lines(await report(root, '--types'))).toEqual(['src/orders.js:2 no-unscoped-get']);
  });

  it('the script block of a component', async () => {
    const root = opened({
      ...base,
      ...stubs,
      'src/registry.ts': registry,
      'src/order.ts': order,
      'src/Orders.vue': `<template><p>{{ order }}</p></template>\n<script setup lang="ts">\nimport { registry } from './registry.js';\nconst props = defineProps<{ id: string }>();\nconst id = props.id;\nconst order = await registry.get('sql').${query};\n</script>\n`,
    });
    const typed = await report(root, '--types', '--confidence', 'possible');
    expect(lines(typed)).toEqual(['src/Orders.vue:6 no-unscoped-get']);
  });

  it('a class that only its type gives away', async () => {
    const root = opened({
      ...base,
      'package.json': JSON.stringify({ name: 'app', type: 'module', dependencies: { objection: '3.0.0' } }),
      ...stub('objection', 'export declare class Model { static query(): any; }'),
      'src/order.ts':
        "import { Model } from 'objection';\nexport class Order extends Model { static tableName = 'orders'; id!: string; organization_id!: string; }\n",
      'src/orders.ts':
        "import { Order } from './order.js';\nconst models = new Map<string, typeof Order>([['order', Order]]);\nexport const load = (id: string) => models.get('order')!.query().findById(id);\n",
    });
    expect(lines(await report(root, '--types'))).toEqual(['src/orders.ts:3 no-unscoped-get']);
  });

  it("the delegate of a model of Prisma's client", async () => {
    const root = opened({
      'package.json': JSON.stringify({ name: 'app', type: 'module', dependencies: { '@prisma/client': '6.0.0' } }),
      'tsconfig.json': tsconfig,
      'prisma/schema.prisma':
        'datasource db {\n  provider = "postgresql"\n  url = env("URL")\n}\nmodel Organization {\n  id String @id\n  orders Order[]\n}\nmodel Order {\n  id String @id\n  organizationId String\n  organization Organization @relation(fields: [organizationId], references: [id])\n  @@index([organizationId])\n}\n',
      ...stub(
        '@prisma/client',
        'export namespace Prisma { interface OrderDelegate { findUnique(o: { where: { id: string } }): Promise<unknown>; } }\nexport declare class PrismaClient { readonly order: Prisma.OrderDelegate; }',
      ),
      'src/orders.ts':
        "import type { Prisma } from '@prisma/client';\nexport const load = (rows: () => Prisma.OrderDelegate, id: string) => rows().findUnique({ where: { id } });\n",
    });
    expect(lines(await report(root))).toEqual([]);
    expect(lines(await report(root, '--types'))).toEqual(['src/orders.ts:2 no-unscoped-get']);
  });
});

describe('what types take away', () => {
  it('a finding that a check known by its type alone answers is said to be gone, and why', async () => {
    const root = opened({
      ...base,
      ...stubs,
      'src/guard.ts': `import { Pool } from 'pg';
const pool = new Pool();
export class OrderGuard {
  async own(id: string, org: string) {
    const { rows } = await pool.query('select id from orders where id = $1 and organization_id = $2', [id, org]);
    if (!rows[0]) throw new Error('not found');
  }
}
`,
      'src/route.ts': `import { Pool } from 'pg';
import { Router, type Request } from 'express';
import type { OrderGuard } from './guard.js';
const pool = new Pool();
const router = Router();
const guards = new Map<string, OrderGuard>();
router.get('/orders/:id', async (req: Request & { session: { organizationId: string } }, res: any) => {
  await guards.get('order')!.own(req.params.id!, req.session.organizationId);
  const { rows } = await pool.query('select * from orders where id = $1', [req.params.id!]);
  res.json(rows[0]);
});
`,
    });
    // Without types the check is a call that nobody read: the leak rests on the assumption that it checks nothing.
    const plain = await report(root, '--confidence', 'possible');
    const typed = await report(root, '--types', '--confidence', 'possible');
    expect(lines(plain)).toEqual(['src/route.ts:9 no-unscoped-get']);
    expect(lines(typed)).toEqual([]);
    expect(plain.findings[0]!.confidence).not.toBe('certain');
    expect(typed.stderr).toContain('with --types no no-unscoped-get at src/route.ts:9:');
    expect(typed.stderr).toContain('guarded');
  });
});

describe('what keeps types from showing more', () => {
  const files = {
    ...base,
    'src/registry.ts': registry,
    'src/order.ts': order,
    'src/orders.ts':
      "import { registry } from './registry.js';\nexport const load = (id: string) => registry.get('sql').query('select * from orders where id = $1', [id]);\n",
  };

  it('packages that are not installed are named', async () => {
    const { findings, unchecked } = await report(opened(files), '--types');
    expect(findings).toEqual([]);
    expect(unchecked).toEqual([
      {
        file: 'package.json',
        reason: 'types:not-installed',
        detail: '3 packages have no types here: knex, pg, typeorm; what they declare stays unresolved',
      },
    ]);
  });

  it('a configuration that is no JSON is named, and the rest is still done', async () => {
    const { unchecked } = await report(
      opened({ ...files, ...stubs, 'tsconfig.json': '{ "compilerOptions": { "strict": ' }),
      '--types',
    );
    expect(unchecked.map((u) => `${u.file} ${u.reason}`)).toContain('tsconfig.json types:configuration');
  });

  it('plugins of a compiler configuration are not loaded', async () => {
    const root = opened({
      ...files,
      ...stubs,
      'tsconfig.json':
        '{ "compilerOptions": { "plugins": [{ "name": "./evil.cjs" }, { "transform": "./evil.cjs" }] } }',
      'evil.cjs': "require('node:fs').writeFileSync(__dirname + '/executed', '');\nmodule.exports = () => ({});\n",
    });
    expect(lines(await report(root, '--types'))).toEqual(['src/orders.ts:2 no-unscoped-get']);
    expect(existsSync(path.join(root, 'executed'))).toBe(false);
  });

  it('without the option nothing depends on what is installed', async () => {
    const bare = await run(opened(files), '--format', 'json', '--no-cache');
    remove();
    const installed = await run(opened({ ...files, ...stubs }), '--format', 'json', '--no-cache');
    expect(installed).toEqual(bare);
  });
});
