import {
  foldSchema,
  inferTenancy,
  policyLeaks,
  policyUnknowns,
  type Command,
  type PolicyLeak,
  type PolicyUnknown,
} from '@tenant-lint/analysis';
import { extractSql } from '@tenant-lint/sql';
import type { CaseDatabase, Embedded } from '../src/index.js';

/** What row security lets the application do to rows of other tenants. */
export type Deed = 'select' | 'update' | 'delete' | 'insert' | 'move';

/** The deed that a command's clause guards. */
export const deedOf = (command: Command, side: 'using' | 'check'): Deed =>
  side === 'using' ? (command as Deed) : command === 'insert' ? 'insert' : 'move';

/** Rows of the table `note` that every case has, by tenant. `A` is the current one. */
export const rows = [
  { tenant: 'A', isPublic: false, author: 'u1' },
  { tenant: 'B', isPublic: true, author: 'u2' },
  { tenant: 'B', isPublic: false, author: 'u1' },
  { tenant: 'AB', isPublic: false, author: 'u1' },
  { tenant: '', isPublic: false, author: 'u1' },
  { tenant: null, isPublic: false, author: 'u1' },
] as const;

const literal = (v: string | null): string => (v === null ? 'null' : `'${v}'`);
const valuesOf = (row: (typeof rows)[number], id: number): string =>
  `${id}, ${literal(row.tenant)}, ${row.isPublic}, '${row.author}'`;

/**
 * The schema of all cases. `nullable`: the key may be NULL. `own` and `mode` are names of settings that no other case uses, so that they are
 * unset in the beginning.
 */
export function schemaOf(policies: string, nullable: boolean): string {
  return `
    create table tenant (id text primary key, name text);
    create table note (id int primary key, tenant_id text ${nullable ? '' : 'not null'}, is_public boolean not null, author text);
    create table members (tenant_id text not null, user_id text not null, primary key (tenant_id, user_id));
    alter table note enable row level security;
    ${policies}`;
}

/** What exists before the migrations: roles, and the function of the platform that says who the user is. */
export const platform = `
  create role app;
  create role admin;
  create schema auth;
  create function auth.uid() returns text language sql stable as $$ select nullif(current_setting('request.jwt.claim.sub', true), '') $$;
  grant usage on schema auth to app;`;

/** What the cases need besides: rights, memberships, and a function that tries a statement. */
const harness = `
  grant select, insert, update, delete on note to app;
  grant select on members to app;
  insert into members values ('A', 'u1'), ('A', 'u2'), ('B', 'u2'), ('AB', 'u2');
  create function place(kind int) returns void language plpgsql security definer as $$
  begin
    delete from note;
    insert into note select * from (values ${rows.map((row, i) => `(${valuesOf(row, i)}::text)`).join(', ')}) v where column1 = kind;
  end $$;
  -- Does the statement to a table with one row, says how many rows it touched (-1: refused), and undoes it.
  create function attempt(kind int, statement text) returns int language plpgsql as $$
  declare n int;
  begin
    begin
      perform place(kind);
      execute statement;
      get diagnostics n = row_count;
      raise exception 'touched %', n;
    exception when others then
      if sqlerrm ~ '^touched' then return substr(sqlerrm, 9)::int; end if;
      return -1;
    end;
  end $$;`;

/** The deeds that succeed on a foreign row, for the role `app` under the given settings. `tenant`: who the current tenant is, if anybody. */
async function deeds(db: CaseDatabase, tenant: string | null, nullable: boolean): Promise<ReadonlySet<Deed>> {
  const statements: { deed: Deed; kind: number; sql: string }[] = [];
  for (const [kind, row] of rows.entries()) {
    if (row.tenant === null && !nullable) continue;
    // Every row is foreign to nobody in particular.
    const foreign = tenant === null || row.tenant !== tenant;
    if (foreign) {
      statements.push({ deed: 'select', kind, sql: 'select * from note' });
      statements.push({ deed: 'update', kind, sql: `update note set author = 'u3'` });
      // Where the new row has to belong to the current tenant, the foreign row can still be taken over.
      statements.push({ deed: 'update', kind, sql: `update note set tenant_id = ${literal(tenant)}` });
      statements.push({ deed: 'delete', kind, sql: 'delete from note' });
      statements.push({ deed: 'insert', kind: -1, sql: `insert into note values (${valuesOf(row, 99)})` });
    }
    for (const to of rows) {
      if (to.tenant === tenant || (to.tenant === null && !nullable)) continue;
      statements.push({
        deed: 'move',
        kind,
        sql: `update note set tenant_id = ${literal(to.tenant)}, is_public = ${to.isPublic}`,
      });
    }
  }
  const calls = statements.map((s) => `attempt(${s.kind}, ${literal(s.sql.replaceAll("'", "''"))})`);
  const [result] = await db.query(`select array[${calls.join(', ')}] as n`);
  const counts = result?.['n'] as number[];
  // An UPDATE that changes the row of another tenant without moving it is the deed 'update'; 'move' is what the new row may be.
  return new Set(statements.filter((_, i) => (counts[i] ?? 0) > 0).map((s) => s.deed));
}

export interface Executed {
  /** With the proper setting and user. */
  readonly proper: ReadonlySet<Deed>;
  /** With an unset or empty setting, without a user, or with another setting set by the session. */
  readonly open: ReadonlySet<Deed>;
}

/** Runs the policies against two tenants in Postgres. */
export async function execute(
  database: Embedded,
  policies: string,
  nullable: boolean,
  settings: { own: string; mode: string },
): Promise<Executed> {
  return database.withCase(`${schemaOf(policies, nullable)}\n${harness}`, async (db) => {
    const user = { 'request.jwt.claim.sub': 'u1' };
    const as = (values: Readonly<Record<string, string | null>>, tenant: string | null): Promise<ReadonlySet<Deed>> =>
      db.asRole('app', values, (role) => deeds(role, tenant, nullable));
    // Unset first: a setting that was set is never NULL again.
    const unset = await as({ [settings.own]: null, [settings.mode]: null, ...user }, 'A');
    const anonymous = await as({ [settings.own]: null, [settings.mode]: null, 'request.jwt.claim.sub': '' }, null);
    const both = await as({ [settings.own]: null, [settings.mode]: 'on', ...user }, 'A');
    const proper = await as({ [settings.own]: 'A', [settings.mode]: '', ...user }, 'A');
    const empty = await as({ [settings.own]: '', [settings.mode]: '', ...user }, 'A');
    const selfMade = await as({ [settings.own]: 'A', [settings.mode]: 'on', ...user }, 'A');
    const emptyAndSelfMade = await as({ [settings.own]: '', [settings.mode]: 'on', ...user }, 'A');
    const open = [unset, anonymous, both, empty, selfMade, emptyAndSelfMade];
    return { proper, open: new Set(open.flatMap((found) => [...found])) };
  });
}

/** What the prover says about the same policies. */
export function judge(
  policies: string,
  nullable: boolean,
  own: string,
): { leaks: readonly PolicyLeak[]; unknowns: readonly PolicyUnknown[] } {
  const facts = extractSql(schemaOf(policies, nullable), { file: 'migrations/1.sql', role: 'migration' });
  const schema = foldSchema([facts]);
  const tenancy = inferTenancy(schema, {
    keys: ['tenant_id'],
    roots: ['tenant'],
    settings: [own],
    roles: { app: ['app'] },
    tables: { note: { keys: ['tenant_id'] }, members: { keys: ['tenant_id'] } },
  });
  const table = [...schema.tables.values()].find((t) => t.name.name === 'note');
  if (!table) throw new Error('the schema has no table note');
  return { leaks: policyLeaks(table, { schema, tenancy }), unknowns: policyUnknowns(table, { schema, tenancy }) };
}
