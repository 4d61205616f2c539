import { describe, expect, it } from 'vitest';
import type { TenancyModel } from '@tenant-lint/model';
import { inferTenancy, unmatchedTenancyOptions, type TenancyHints, type TenancyOptions } from '../src/tenancy/index.js';
import { fold, foldSql } from './fold-support.js';

const infer = (sql: string, options: TenancyOptions = {}, hints?: TenancyHints): TenancyModel =>
  inferTenancy(foldSql(sql), options, hints);

/** One line for each table: `docs keyed org_id`, `lines child order_id`; `?` marks a key that may be NULL. */
function lines(model: TenancyModel): string[] {
  return [...model.tables]
    .map(([id, t]) => {
      const name = id.replace(/^public\./, '');
      if (t.kind === 'keyed') return `${name} keyed ${t.keys.map((k) => k.column + (k.nullable ? '?' : '')).join(' ')}`;
      if (t.kind === 'child') return `${name} child ${t.through.map((h) => h.columns.join('+')).join(' ')}`;
      return `${name} ${t.kind}`;
    })
    .sort();
}

const why = (model: TenancyModel, table: string): string => model.tables.get(`public.${table}`)?.why ?? '';

describe('one key in most tables', () => {
  const sql = `
    create table plans (id uuid primary key, name text not null unique);
    create table tenants (id uuid primary key, plan_id uuid not null references plans, slug text unique);
    create table users (id uuid primary key, tenant_id uuid not null references tenants, email text);
    create table customers (id uuid primary key, tenant_id uuid not null references tenants, name text);
    create table invoices (id uuid primary key, tenant_id uuid not null references tenants, customer_id uuid not null references customers, created_by uuid references users);
    create table lines (id uuid primary key, invoice_id uuid not null references invoices, total int);
    create table notes (id uuid primary key, line_id uuid not null references lines);
    create table sessions (id uuid primary key, user_id uuid not null references users);`;

  it('root, keyed, child and shared tables', () => {
    const model = infer(sql);
    expect(lines(model)).toEqual([
      'customers keyed tenant_id',
      'invoices keyed tenant_id',
      'lines child invoice_id',
      'notes child line_id',
      'plans shared',
      'sessions child user_id',
      'tenants root',
      'users keyed tenant_id',
    ]);
    expect(model).toMatchObject({ roots: ['public.tenants'], keys: ['tenant_id'], strategy: 'row' });
    expect(model.refused).toBeUndefined();
    expect(why(model, 'lines')).toBe('invoice_id leads to invoices, which carries tenant_id');
    expect(why(model, 'plans')).toContain('tenants look it up');
  });

  it('the same without any foreign key, by names alone', () => {
    const model = infer(sql.replace(/references \w+/g, ''));
    expect(lines(model)).toEqual(lines(infer(sql)));
    expect(why(model, 'customers')).toContain('without a foreign key');
  });

  it('the same in camel case from a Prisma schema', () => {
    const model = inferTenancy(
      fold({
        'schema.prisma': `
model Tenant {
  id        String     @id
  customers Customer[]
}
model Customer {
  id       String  @id
  tenantId String
  tenant   Tenant  @relation(fields: [tenantId], references: [id])
  orders   Order[]
}
model Order {
  id         String   @id
  customerId String
  customer   Customer @relation(fields: [customerId], references: [id])
}
`,
      }),
    );
    expect(lines(model)).toEqual(['Customer keyed tenantId', 'Order child customerId', 'Tenant root']);
  });

  it('a key whose table is elsewhere', () => {
    const model = infer(`
      create table a (id uuid primary key, tenant_id uuid not null);
      create table b (id uuid primary key, tenant_id uuid not null);
      create table c (id uuid primary key, a_id uuid not null references a);`);
    expect(lines(model)).toEqual(['a keyed tenant_id', 'b keyed tenant_id', 'c child a_id']);
    expect(model.roots).toEqual([]);
  });

  it('spellings count as one key', () => {
    const model = infer(`
      create table organizations (id uuid primary key);
      create table members (user_id uuid, role text, organization_id uuid not null references organizations);
      create table a (id uuid primary key, org_id uuid not null);
      create table b (id uuid primary key, "organisationId" uuid not null);
      create table c (id uuid primary key, "_orgID" uuid not null);
      create table d (id uuid primary key, organization uuid not null references organizations);
      create table e (id uuid primary key, orgId uuid not null);`);
    expect(lines(model)).toEqual([
      'a keyed org_id',
      'b keyed organisationId',
      'c keyed _orgID',
      'd keyed organization',
      'e keyed orgid',
      'members keyed organization_id',
      'organizations root',
    ]);
  });

  it('a key that may be NULL is a key that may be NULL', () => {
    const model = infer(`create table tenants (id uuid primary key);
      create table a (id uuid primary key, tenant_id uuid references tenants);
      create table b (id uuid primary key, tenant_id uuid not null references tenants);`);
    expect(lines(model)).toContain('a keyed tenant_id?');
  });

  it('the order of statements that do not depend on each other does not matter', () => {
    const statements = sql.split(';').filter((s) => s.trim() !== '');
    const soft = statements.map((s) => s.replace(/ references \w+/g, ''));
    expect(lines(infer([...soft].reverse().join(';')))).toEqual(lines(infer(soft.join(';'))));
  });
});

describe('hierarchies', () => {
  const sql = `
    create table users (id uuid primary key);
    create table organizations (id uuid primary key);
    create table organization_members (user_id uuid not null references users, organization_id uuid not null references organizations, primary key (user_id, organization_id));
    create table projects (id uuid primary key, organization_id uuid not null references organizations);
    create table environments (id uuid primary key, project_id uuid not null references projects);
    create table surveys (id uuid primary key, environment_id uuid not null references environments);
    create table responses (id uuid primary key, survey_id uuid not null references surveys);
    create table api_keys (id uuid primary key, organization_id uuid not null references organizations, project_id uuid references projects);
    create table tags (id uuid primary key, project_id uuid not null references projects);
    create table flags (id uuid primary key, environment_id uuid not null references environments);
    create table accounts (id uuid primary key, user_id uuid not null references users, provider text);`;

  it('projects and environments are keys of their own, from the root downwards', () => {
    const model = infer(sql);
    expect(lines(model)).toEqual([
      'accounts unknown',
      'api_keys keyed organization_id project_id?',
      'environments keyed project_id',
      'flags keyed environment_id',
      'organization_members keyed organization_id',
      'organizations root',
      'projects keyed organization_id',
      'responses child survey_id',
      'surveys keyed environment_id',
      'tags keyed project_id',
      'users unknown',
    ]);
    expect(model.roots).toEqual(['public.organizations']);
    expect(model.tables.get('public.tags')).toMatchObject({
      keys: [{ column: 'project_id', root: 'public.projects' }],
    });
    expect(why(model, 'accounts')).toContain('belongs to a user, not to a tenant');
    expect(why(model, 'users')).toContain('organization_members');
  });

  it('the outermost that every row has is the root, even if most tables carry the inner key', () => {
    const model = infer(`create table companies (id uuid primary key);
      create table workspaces (id uuid primary key, company_id uuid not null references companies);
      create table members (user_id uuid not null, workspace_id uuid not null references workspaces, role text);
      create table users (id uuid primary key);
      create table a (id uuid primary key, workspace_id uuid not null references workspaces);
      create table b (id uuid primary key, workspace_id uuid not null references workspaces);`);
    expect(model.roots).toEqual(['public.companies']);
    expect(lines(model)).toContain('a keyed workspace_id');
    expect(lines(model)).toContain('workspaces keyed company_id');
  });

  it('what may be without the outer one is the root itself', () => {
    const model = infer(`create table organizations (id uuid primary key);
      create table workspaces (id uuid primary key, organization_id uuid references organizations);
      create table a (id uuid primary key, workspace_id uuid not null references workspaces);
      create table b (id uuid primary key, workspace_id uuid not null references workspaces);
      create table c (id uuid primary key, workspace_id uuid not null references workspaces);`);
    expect(model.roots).toEqual(['public.workspaces']);
  });

  it('the customers, companies and accounts of an address book are data, not tenants', () => {
    const model = infer(`create table users (id uuid primary key);
      create table organizations (id uuid primary key);
      create table memberships (user_id uuid not null references users, organization_id uuid not null references organizations, role text);
      create table companies (id uuid primary key, organization_id uuid not null references organizations);
      create table customers (id uuid primary key, organization_id uuid not null references organizations);
      create table contacts (id uuid primary key, company_id uuid not null references companies);
      create table deals (id uuid primary key, company_id uuid not null references companies, customer_id uuid not null references customers);`);
    expect(model.roots).toEqual(['public.organizations']);
    expect(lines(model)).toContain('contacts child company_id');
    expect(lines(model)).toContain('deals child company_id customer_id');
  });
});

describe('users', () => {
  it('are the tenants where nothing else is', () => {
    const model = infer(`create table users (id uuid primary key);
      create table projects (id uuid primary key, user_id uuid not null references users);
      create table tasks (id uuid primary key, project_id uuid not null references projects);
      create table labels (id uuid primary key, owner_id uuid not null references users);`);
    expect(model.roots).toEqual(['public.users']);
    expect(lines(model)).toContain('projects keyed user_id');
    expect(lines(model)).toContain('labels keyed owner_id');
    expect(lines(model)).toContain('tasks child project_id');
  });

  it('are the tenants as auth.users too, with what extends it one to one', () => {
    const model = infer(`create table profiles (id uuid primary key references auth.users on delete cascade, name text);
      create table todos (id uuid primary key, user_id uuid not null references auth.users);
      create table lists (id uuid primary key, profile_id uuid not null references profiles);`);
    expect(model.refused).toBeUndefined();
    expect(model.roots).toEqual(['auth.users']);
    expect(lines(model)).toEqual(['lists keyed profile_id', 'profiles keyed id', 'todos keyed user_id']);
  });

  it('own rows inside a tenant, and are not the key', () => {
    const model = infer(`create table users (id uuid primary key);
      create table organizations (id uuid primary key);
      create table members (user_id uuid not null references users, organization_id uuid not null references organizations, unique (user_id, organization_id));
      create table docs (id uuid primary key, organization_id uuid not null references organizations, user_id uuid not null references users);
      create table sessions (id uuid primary key, user_id uuid not null references users, active_organization_id uuid references organizations);`);
    expect(lines(model)).toContain('docs keyed organization_id');
    expect(lines(model)).toContain('sessions unknown');
  });

  it('own the rows that belong to no tenant: personal and shared ones in one table', () => {
    const model = infer(`create table users (id uuid primary key);
      create table organizations (id uuid primary key);
      create table members (user_id uuid not null references users, organization_id uuid not null references organizations, unique (user_id, organization_id));
      create table a (id uuid primary key, organization_id uuid not null references organizations);
      create table tasks (id uuid primary key, organization_id uuid references organizations, user_id uuid not null references users);`);
    expect(lines(model)).toContain('tasks keyed organization_id? user_id');
    expect(why(model, 'tasks')).toContain('belongs to its user');
  });
});

describe('references that are no keys', () => {
  const base = `create table users (id uuid primary key);
    create table workspaces (id uuid primary key, parent_workspace_id uuid references workspaces);
    create table workspace_users (user_id uuid not null references users, workspace_id uuid not null references workspaces, unique (user_id, workspace_id));
    create table a (id uuid primary key, workspace_id uuid not null references workspaces);
    create table b (id uuid primary key, workspace_id uuid not null references workspaces);`;

  it('a default, a parent, a second party beside the proper one', () => {
    const model = infer(`${base}
      alter table users add column default_workspace_id uuid references workspaces;
      create table shares (id uuid primary key, workspace_id uuid not null references workspaces, target_workspace_id uuid not null references workspaces);`);
    expect(lines(model)).toContain('users unknown');
    expect(lines(model)).toContain('workspaces root');
    expect(lines(model)).toContain('shares keyed workspace_id');
  });

  it('two parties are two keys', () => {
    const model = infer(
      `${base} create table transfers (id uuid primary key, from_workspace uuid not null references workspaces, to_workspace uuid not null references workspaces);`,
    );
    expect(lines(model)).toContain('transfers keyed from_workspace to_workspace');
  });

  it('a polymorphic owner, a nullable parent and a lonely table are unknown, and say why', () => {
    const model = infer(`${base}
      create table comments (id uuid primary key, owner_type text not null, owner_id uuid not null);
      create table files (id uuid primary key, a_id uuid references a, b_id uuid references b);
      create table jobs (id uuid primary key, payload text);`);
    expect(lines(model).filter((l) => l.endsWith('unknown'))).toEqual([
      'comments unknown',
      'files unknown',
      'jobs unknown',
      'users unknown',
    ]);
    expect(why(model, 'files')).toBe('a_id may lead to a; b_id may lead to b, but may be NULL');
    expect(why(model, 'jobs')).toContain('no key');
  });

  it('what each row has of its own is not shared, and neither is what is known by a secret', () => {
    const model = infer(`${base}
      create table addresses (id uuid primary key, slug text unique);
      alter table a add column address_id uuid unique references addresses;
      create table secrets (id uuid primary key, key text unique);
      alter table b add column secret_id uuid references secrets;
      create table countries (code char(2) primary key, label text);
      alter table b add column country_code char(2) references countries;`);
    expect(lines(model)).toContain('addresses unknown');
    expect(lines(model)).toContain('secrets unknown');
    expect(lines(model)).toContain('countries shared');
  });

  it('a composite reference carries the key and leads to the parent', () => {
    const model = infer(`${base} alter table a add unique (workspace_id, id);
      create table c (id uuid primary key, workspace_id uuid not null, a_id uuid not null, foreign key (workspace_id, a_id) references a (workspace_id, id));`);
    expect(lines(model)).toContain('c keyed workspace_id');
  });
});

describe('choice between roots', () => {
  it('an unusual name is found by its members', () => {
    const model = infer(`create table users (id uuid primary key);
      create table clinics (id uuid primary key, country_id uuid not null);
      create table clinic_users (user_id uuid not null references users, clinic_id uuid not null references clinics, primary key (user_id, clinic_id));
      create table patients (id uuid primary key, clinic_id uuid not null references clinics);
      create table visits (id uuid primary key, patient_id uuid not null references patients);
      create table rooms (id uuid primary key, clinic_id uuid not null references clinics);`);
    expect(model.roots).toEqual(['public.clinics']);
  });

  it('what everything leads to is no tenant without a name or members: plans', () => {
    const model = infer(`create table users (id uuid primary key);
      create table plans (id uuid primary key, name text unique);
      create table teams (id uuid primary key, plan_id uuid not null references plans);
      create table a (id uuid primary key, team_id uuid not null references teams);
      create table b (id uuid primary key, team_id uuid not null references teams);
      create table team_members (user_id uuid not null references users, team_id uuid not null references teams, unique (user_id, team_id));`);
    expect(model.roots).toEqual(['public.teams']);
    expect(lines(model)).toContain('plans shared');
  });

  const two = `create table users (id uuid primary key);
    create table workspaces (id uuid primary key);
    create table organizations (id uuid primary key);
    create table w1 (id uuid primary key, workspace_id uuid not null references workspaces);
    create table o1 (id uuid primary key, organization_id uuid not null references organizations);`;

  it('two that have nothing to do with each other: the one that covers more, and the reason names the other', () => {
    const model = infer(`${two}
      create table w2 (id uuid primary key, workspace_id uuid not null references workspaces);
      create table w3 (id uuid primary key, workspace_id uuid not null references workspaces);
      create table o2 (id uuid primary key, organization_id uuid not null references organizations);
      create table w4 (id uuid primary key, workspace_id uuid not null references workspaces);`);
    expect(model.roots).toEqual(['public.workspaces']);
    expect(model.strategyReason).toContain('workspaces');
  });

  it('what the code filters by breaks a tie', () => {
    const hints = (table: string, column: string): TenancyHints => ({
      filteredColumns: new Map([[table, new Map([[column, 20]])]]),
    });
    expect(infer(two, {}, hints('public.w1', 'workspace_id')).roots).toEqual(['public.workspaces']);
    expect(infer(two, {}, hints('public.o1', 'organization_id')).roots).toEqual(['public.organizations']);
  });
});

describe('odd names', () => {
  it('of tables and columns do no harm', () => {
    const model = infer(`create table tenants (id uuid primary key);
      create table constructors (id uuid primary key, tenant_id uuid not null references tenants);
      create table "__proto__" (id uuid primary key, constructor_id uuid not null references constructors);
      create table "Größe ✓" (id uuid primary key, "tenant id" uuid not null);
      create table "toString" ("hasOwnProperty" uuid, "valueOf_id" uuid);`);
    expect(lines(model)).toEqual([
      'Größe ✓ keyed tenant id',
      '__proto__ child constructor_id',
      'constructors keyed tenant_id',
      'tenants root',
      'toString unknown',
    ]);
  });
});

describe('refusal', () => {
  it('without any table', () => {
    expect(inferTenancy(fold({})).refused).toEqual({ reason: 'no schema found', candidates: [] });
  });

  it('with the best candidates where none convinces', () => {
    const model = infer(`create table authors (id uuid primary key);
      create table books (id uuid primary key, author_id uuid not null references authors);
      create table shelves (id uuid primary key);
      create table shops (id uuid primary key);
      create table stock (id uuid primary key, shop_id uuid references shops);
      create table x (id uuid primary key); create table y (id uuid primary key); create table z (id uuid primary key);`);
    expect(model.refused?.reason).toContain('nothing shows convincingly');
    expect(model.refused?.candidates.map((c) => c.root)).toContain('public.shops');
    expect(model.refused?.candidates[0]?.why).toMatch(/1 tables have/);
    expect([...model.tables.values()].every((t) => t.kind === 'unknown')).toBe(true);
  });

  it('with keys of the configuration that no table has', () => {
    expect(infer('create table a (id int)', { keys: ['tenant_id'] }).refused?.reason).toBe(
      'no table has a column tenant_id',
    );
  });
});

describe('configuration wins', () => {
  const sql = `create table users (id uuid primary key);
    create table organizations (id uuid primary key);
    create table shops (id uuid primary key);
    create table a (id uuid primary key, organization_id uuid not null references organizations, shop_id uuid not null references shops);
    create table b (id uuid primary key, "shopId" uuid not null references shops);
    create table c (id uuid primary key, a_id uuid not null references a);
    create table log (id uuid primary key, shop uuid);`;

  it('keys, in any spelling, and what they refer to', () => {
    const model = infer(sql, { keys: ['shop_id'] });
    expect(lines(model)).toEqual([
      'a keyed shop_id',
      'b keyed shopId',
      'c child a_id',
      'log keyed shop?',
      'organizations unknown',
      'shops root',
      'users unknown',
    ]);
    expect(model.keys[0]).toBe('shop_id');
  });

  it('several keys', () => {
    expect(lines(infer(sql, { keys: ['shop_id', 'organization_id'] }))).toContain('a keyed shop_id organization_id');
  });

  it('roots', () => {
    expect(infer(sql, { roots: ['shops'] })).toMatchObject({ roots: ['public.shops'] });
  });

  it('shared tables with a reason, single tables, patterns', () => {
    const model = infer(sql, {
      keys: ['shop_id'],
      shared: [{ table: 'b', reason: 'catalogue' }, 'us*'],
      tables: { log: { keys: ['shop'] }, c: { shared: true } },
    });
    expect(why(model, 'b')).toBe('catalogue');
    expect(lines(model)).toContain('users shared');
    expect(lines(model)).toContain('c shared');
    expect(why(model, 'log')).toBe('declared in the configuration');
  });

  it('settings, roles and strategy', () => {
    const model = infer(sql, { keys: ['shop_id'], settings: ['app.x'], roles: { app: ['web'] }, strategy: 'rls' });
    expect(model).toMatchObject({ settings: ['app.x'], appRoles: ['web'], strategy: 'rls' });
  });

  it('names that match nothing are found', () => {
    const options: TenancyOptions = {
      keys: ['shop_id', 'nokey'],
      roots: ['nope'],
      shared: ['gone*'],
      tables: { a: { keys: ['x'] } },
    };
    expect(unmatchedTenancyOptions(foldSql(sql), options)).toEqual([
      { option: 'tenancy.roots', name: 'nope' },
      { option: 'tenancy.shared', name: 'gone*' },
      { option: 'tenancy.tables.a.keys', name: 'x' },
      { option: 'tenancy.keys', name: 'nokey' },
    ]);
  });
});

describe('policies', () => {
  const tables = `create table accounts (id uuid primary key);
    create table a (id uuid primary key, customer uuid not null);
    create table b (id uuid primary key, customer uuid not null);`;
  const secured = (table: string, using: string): string =>
    `alter table ${table} enable row level security; create policy p on ${table} using (${using});`;

  it('settings compared with the key, helper functions read through', () => {
    const model = infer(`create table tenants (id uuid primary key);
      create table a (id uuid primary key, tenant_id uuid not null references tenants, user_id uuid);
      create table b (id uuid primary key, tenant_id uuid not null references tenants);
      create function current_tenant() returns uuid language sql stable as $$ select nullif(current_setting('app.tenant_id', true), '')::uuid $$;
      ${secured('a', `tenant_id = current_tenant() and user_id = current_setting('app.user_id')::uuid`)}
      ${secured('b', `tenant_id = (select current_setting('app.current_tenant'))::uuid`)}
      ${secured('tenants', `id = current_setting('app.root')::uuid`)}`);
    expect(model.settings).toEqual(['app.current_tenant', 'app.root', 'app.tenant_id']);
    expect(model.strategy).toBe('rls');
  });

  it('claims of a request are no setting that carries the tenant', () => {
    const model = infer(`create table tenants (id uuid primary key);
      create table a (id uuid primary key, tenant_id uuid not null references tenants);
      ${secured('a', `tenant_id = (current_setting('request.jwt.claims')::json ->> 'tenant_id')::uuid`)}`);
    expect(model.settings).toEqual([]);
  });

  it('the share of secured tables decides the strategy', () => {
    const keyed = `create table tenants (id uuid primary key); ${['a', 'b', 'c'].map((t) => `create table ${t} (id uuid primary key, tenant_id uuid not null references tenants);`).join('')}`;
    const mine = `tenant_id = current_setting('app.t')::uuid`;
    expect(infer(keyed).strategy).toBe('row');
    expect(infer(keyed + secured('a', mine)).strategy).toBe('hybrid');
    expect(infer(keyed + secured('a', mine) + secured('b', mine)).strategy).toBe('rls');
    expect(
      infer(`${keyed} alter table a enable row level security; alter table b enable row level security;`).strategy,
    ).toBe('row');
  });

  it('a column that policies compare with a setting is a key, whatever it is called', () => {
    const mine = `customer = current_setting('app.customer')::uuid`;
    expect(infer(tables).refused).toBeDefined();
    const model = infer(tables + secured('a', mine) + secured('b', mine));
    expect(lines(model)).toEqual(['a keyed customer', 'accounts unknown', 'b keyed customer']);
    expect(model.settings).toEqual(['app.customer']);
  });
});

describe('a schema for each tenant', () => {
  it('by pattern of the configuration', () => {
    const model = infer(
      'create schema tenant_1; create table tenant_1.orders (id uuid primary key); create table plans (id int primary key);',
      {
        schemas: 'tenant_*',
      },
    );
    expect(model.strategy).toBe('schema');
    expect(model.refused).toBeUndefined();
    expect(model.tables.get('tenant_1.orders')?.why).toContain('belongs to one tenant');
  });

  it('by schemas with the same tables', () => {
    const model = infer(`create schema tenant_1; create schema tenant_2;
      create table tenant_1.orders (id uuid); create table tenant_2.orders (id uuid);
      create table tenant_1.items (id uuid); create table tenant_2.items (id uuid);`);
    expect(model.strategy).toBe('schema');
    expect(model.strategyReason).toContain('tenant_1, tenant_2');
  });

  it('by a function that makes schemas, beside shared tables with a key', () => {
    const model = infer(`create table tenants (id uuid primary key);
      create table users (id uuid primary key, tenant_id uuid not null references tenants);
      create function make(n text) returns void language plpgsql as $$ begin execute format('create schema %I', 'tenant_' || n); end $$;`);
    expect(model.strategy).toBe('hybrid');
  });

  it('by what code puts into schema names', () => {
    expect(infer('create table a (id int)', {}, { dynamicSchemas: 3 }).strategy).toBe('schema');
  });
});

describe('users that join a tenant later', () => {
  const sql = (column: string): string => `
    create table organizacoes (id uuid primary key, nome text);
    create table profiles (id uuid primary key references auth.users, email text, ${column} uuid references organizacoes);
    create table clientes (id uuid primary key, organization_id uuid not null references organizacoes);
    create table pedidos (id uuid primary key, organization_id uuid not null references organizacoes, created_by uuid references profiles);
    create table itens (id uuid primary key, organization_id uuid not null references organizacoes);`;

  it('by a reference in another spelling than the key', () => {
    expect(lines(infer(sql('organizacao_id')))).toContain('profiles keyed organizacao_id? id');
  });

  it('not by one that is qualified', () => {
    expect(lines(infer(sql('last_seen_organizacao_id')))).not.toContain('profiles keyed last_seen_organizacao_id? id');
  });
});

describe('workspaces of one person', () => {
  const sql = (policy: string): string => `
    create table workspaces (id uuid primary key, user_id uuid not null references auth.users, name text);
    ${['chats', 'folders', 'files']
      .map(
        (name) => `
    create table ${name} (id uuid primary key, user_id uuid not null references auth.users, workspace_id uuid not null references workspaces);
    alter table ${name} enable row level security;
    create policy own on ${name} using (${policy});`,
      )
      .join('')}`;

  it('belong to the user where all policies compare the user', () => {
    const model = infer(sql('user_id = auth.uid()'));
    expect(lines(model)).toContain('chats keyed user_id workspace_id');
    expect(model.roots).toEqual(['auth.users']);
  });

  it('are the tenants where policies compare them', () => {
    const model = infer(sql("workspace_id = (auth.jwt() ->> 'workspace_id')::uuid"));
    expect(model.roots).toEqual(['public.workspaces']);
  });
});

describe('figures about tenants', () => {
  const sql = (column: string): string => `
    create table orgs (id bigint primary key);
    create table apps (id uuid primary key, org_id bigint not null references orgs);
    create table bills (id uuid primary key, org_id bigint not null references orgs);
    create table daily_figures (day date primary key, ${column} bigint not null default 0);`;

  it('a number called by a plural counts tenants and names none', () => {
    expect(lines(infer(sql('orgs')))).not.toContain('daily_figures keyed orgs');
  });

  it('a number called by the singular names one', () => {
    expect(lines(infer(sql('org')))).toContain('daily_figures keyed org');
  });
});
