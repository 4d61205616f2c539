import { afterEach, describe, expect, it } from 'vitest';
import { project, run } from './support/project.js';

let remove: () => void = () => undefined;
afterEach(() => remove());

/** Two databases: the tenants of one are organizations, those of the other accounts, and each has a column that looks like the other's key. */
const files: Readonly<Record<string, string>> = {
  'package.json': '{ "name": "app", "dependencies": { "pg": "8.13.0" } }',
  'apps/web/migrations/001.sql': `create table organizations (id uuid primary key);
create table members (organization_id uuid not null references organizations (id), user_id uuid not null, primary key (organization_id, user_id));
create table projects (id uuid primary key, organization_id uuid not null references organizations (id), account_id uuid);
create index on projects (organization_id);
create table notes (id uuid primary key, organization_id uuid not null references organizations (id));
create index on notes (organization_id);
`,
  'services/billing/migrations/001.sql': `create table accounts (id uuid primary key);
create table charges (id uuid primary key, account_id uuid not null references accounts (id), organization_id uuid);
create index on charges (account_id);
create table payments (id uuid primary key, account_id uuid not null references accounts (id));
create index on payments (account_id);
`,
  'apps/web/src/projects.ts': `import { Pool } from 'pg';
const pool = new Pool();
export const everyProject = () => pool.query('select * from projects');
`,
  'services/billing/src/charges.ts': `import { Pool } from 'pg';
const pool = new Pool();
export const everyCharge = () => pool.query('select * from charges');
`,
};
const overrides = (tenancy: unknown, glob = 'services/billing/**'): string =>
  JSON.stringify({ tenancy: { keys: ['organization_id'] }, overrides: [{ files: [glob], tenancy }] });

async function ran(config: string, ...args: string[]): Promise<Awaited<ReturnType<typeof run>>> {
  const made = project({ ...files, 'tenant-lint.config.json': config });
  remove = made.remove;
  return run(made.root, ...args);
}

interface Json {
  readonly findings: readonly {
    readonly rule: string;
    readonly file: string;
    readonly text: { readonly what: string };
  }[];
}
const found = (stdout: string): string[] =>
  (JSON.parse(stdout) as Json).findings
    .filter((f) => f.rule === 'require-tenant-filter')
    .map((f) => `${f.file}: ${f.text.what}`);

describe('tenancy.roles.admin', () => {
  const policies = `alter table charges enable row level security;
create role migrator login;
create role app_user login;
create policy own on charges to app_user using (account_id = nullif(current_setting('app.account', true), '')::uuid);
create policy everything on charges to migrator using (true);
`;
  it.each([
    ['counts as any other role without it', [], ['services/billing/migrations/002.sql']],
    ['may be given every row', ['migrator'], []],
  ])('%s', async (_, admin, expected) => {
    const made = project({
      ...files,
      'services/billing/migrations/002.sql': policies,
      'tenant-lint.config.json': JSON.stringify({ tenancy: { keys: ['account_id'], roles: { admin } } }),
    });
    remove = made.remove;
    const { stdout, stderr } = await run(made.root, '--format', 'json', '--confidence', 'possible');
    expect(stderr).toBe('');
    const leaks = (JSON.parse(stdout) as Json).findings.filter((f) => f.rule === 'no-leaking-policy');
    expect(leaks.map((f) => f.file)).toEqual(expected);
  });
});

describe('overrides[].tenancy', () => {
  it('decides about the tables that its files declare, and about no others', async () => {
    const { stdout, stderr } = await ran(overrides({ keys: ['account_id'], roots: ['accounts'] }), '--format', 'json');
    expect(stderr).toBe('');
    expect(found(stdout)).toEqual([
      'apps/web/src/projects.ts: query on projects has no condition on organization_id.',
      'services/billing/src/charges.ts: query on charges has no condition on account_id.',
    ]);
  });

  it('is inferred from the tables of its files where it names nothing', async () => {
    const { stdout } = await ran(overrides({}), '--format', 'json');
    expect(found(stdout)).toContain(
      'services/billing/src/charges.ts: query on charges has no condition on account_id.',
    );
  });

  it('makes the difference: one tenancy for both is another verdict', async () => {
    const { stdout } = await ran('{ "tenancy": { "keys": ["organization_id"] } }', '--format', 'json');
    expect(found(stdout)).not.toContain(
      'services/billing/src/charges.ts: query on charges has no condition on account_id.',
    );
  });

  it('is what inspect shows', async () => {
    const { stdout } = await ran(overrides({ keys: ['account_id'], roots: ['accounts'] }), 'inspect');
    expect(stdout).toMatch(/^tenants in public\.organizations, public\.accounts$/m);
    expect(stdout).toMatch(/in services\/billing\/\*\*: /);
    expect(stdout).toMatch(/public\.charges +keyed +\S+ +by account_id/);
    expect(stdout).toMatch(/public\.projects +keyed +\S+ +by organization_id/);
  });

  it('names that none of its tables has are reported with the nearest', async () => {
    const { stderr } = await ran(overrides({ keys: ['account_id'], roots: ['acounts'], shared: ['projects'] }));
    expect(stderr).toContain('overrides.0.tenancy.roots: there is no table acounts, did you mean accounts?');
    expect(stderr).toContain('overrides.0.tenancy.shared: there is no table projects');
  });

  it('of files that declare no table changes nothing, which is said', async () => {
    const { stderr } = await ran(overrides({ keys: ['account_id'] }, 'services/billing/src/**'));
    expect(stderr).toBe(
      'tenant-lint: overrides.0.tenancy: no table is declared in services/billing/src/**, so it changes nothing\n',
    );
  });

  it('that cannot be decided ends the run, and says for which files', async () => {
    const { code, stderr } = await ran(overrides({ keys: ['tenant'] }));
    expect(code).toBe(2);
    expect(stderr).toContain('in services/billing/**: no table has a column tenant');
  });
});
