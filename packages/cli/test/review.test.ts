import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { HtmlRenderer, Parser } from 'commonmark';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { leaking, project, run } from './support/project.js';

let root = '';
let remove: () => void = () => undefined;
afterEach(() => remove());

const git = (...args: string[]): string =>
  execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.org', '-c', 'commit.gpgsign=false', ...args], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  }).toString();

const write = (file: string, text: string): void => {
  mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
  writeFileSync(path.join(root, file), text);
};

/** A system in which the database isolates. */
const base = {
  'package.json': '{ "name": "app", "dependencies": { "pg": "8.13.0" } }',
  'migrations/001_init.sql': `create table organizations (id uuid primary key);
alter table organizations enable row level security;
create policy own on organizations using (id = (select nullif(current_setting('app.org', true), '')::uuid));
create table invoices (id uuid primary key, organization_id uuid not null references organizations (id), total int, unique (organization_id, id));
create index on invoices (organization_id);
alter table invoices enable row level security;
alter table invoices force row level security;
create policy own on invoices using (organization_id = (select nullif(current_setting('app.org', true), '')::uuid));
create view open_invoices with (security_invoker = true) as select id, organization_id from invoices where total > 0;
`,
};

beforeEach(() => {
  const made = project(base);
  root = made.root;
  remove = made.remove;
  git('init', '--quiet', '--initial-branch=main');
  git('add', '.');
  git('commit', '--quiet', '-m', 'first');
});

interface Json {
  readonly summary: Readonly<Record<string, number | boolean>>;
  readonly changes: readonly {
    readonly thing: string;
    readonly effect: string;
    readonly text: string;
    readonly after?: { readonly file: string; readonly start: { readonly line: number } };
    readonly before?: { readonly file: string };
  }[];
  readonly introduced: readonly { readonly rule: string; readonly file: string }[];
  readonly fixed: readonly { readonly rule: string }[];
  readonly unchecked: readonly { readonly file: string }[];
  readonly executed?: {
    readonly failed?: string;
    readonly tables: readonly string[];
    readonly matrix: readonly {
      readonly table: string;
      readonly way: string;
      readonly command: string;
      readonly outcome: string;
      readonly isNew: boolean;
      readonly before?: string;
    }[];
  };
}

async function reviewed(...args: string[]): Promise<{ code: number; json: Json }> {
  const { code, stdout, stderr } = await run(root, 'review', '--since', 'main', '--format', 'json', ...args);
  expect(stdout, stderr).not.toBe('');
  return { code, json: JSON.parse(stdout) as Json };
}
const effects = ({ changes }: Json): string[] => changes.map((c) => `${c.thing} ${c.effect}`);

describe('what weakens isolation closes the gate', () => {
  it.each([
    [
      'a policy that lets more through',
      'alter policy own on invoices using (true);',
      'policy weaker',
      /policy own of public\.invoices now lets through/,
    ],
    [
      'another policy beside it',
      'create policy audit on invoices for select using (total > 100);',
      'policy weaker',
      /policy audit/,
    ],
    [
      'row security off',
      'alter table invoices disable row level security;',
      'row security weaker',
      /row security of public\.invoices is off now/,
    ],
    [
      'no longer forced',
      'alter table invoices no force row level security;',
      'row security weaker',
      /forced row security/,
    ],
    [
      'a tenant that may be NULL',
      'alter table invoices alter column organization_id drop not null;',
      'column weaker',
      /may now be NULL/,
    ],
    [
      'a view without its option',
      'create or replace view open_invoices as select id, organization_id from invoices where total > 0;',
      'view weaker',
      /has lost security_invoker/,
    ],
    [
      'a constraint within the tenant that is gone',
      'alter table invoices drop constraint invoices_organization_id_id_key;',
      'constraint weaker',
      /unique \(organization_id, id\).* is gone/,
    ],
    ['a grant to everybody', 'grant select on invoices to public;', 'grant weaker', /public may select/i],
    [
      'a role that goes past row security',
      'create role reporting bypassrls;',
      'role weaker',
      /role reporting is new, with bypassrls/,
    ],
  ])('%s', async (_, sql, effect, says) => {
    write('migrations/002.sql', `${sql}\n`);
    const { code, json } = await reviewed();
    expect(effects(json)).toContain(effect);
    expect(json.changes.find((c) => `${c.thing} ${c.effect}` === effect)!.text).toMatch(says);
    expect(code).toBe(1);
    expect((await reviewed('--fail-on', 'never')).code).toBe(0);
  });

  it('a query that leaks', async () => {
    write('src/invoices.ts', leaking);
    write(
      'migrations/001_init.sql',
      base['migrations/001_init.sql'].replace(
        /^(?:alter table \w+ (?:enable|force)|create policy|create view).*\n/gm,
        '',
      ),
    );
    git('add', '.');
    git('commit', '--quiet', '-m', 'isolated by the application');
    git('switch', '--quiet', '-c', 'branch');
    write('src/more.ts', leaking);
    const { code, json } = await reviewed();
    expect(json.introduced.map((f) => `${f.file} ${f.rule}`)).toEqual(['src/more.ts require-tenant-filter']);
    expect(json.changes).toEqual([]);
    expect(code).toBe(1);
  });
});

describe('what does not leaves it open', () => {
  it.each([
    ['nothing', undefined, []],
    ['an index', 'create index on invoices (organization_id, total);', ['index neutral']],
    [
      'a policy written otherwise',
      "alter policy own on invoices using ((select nullif(current_setting('app.org', true), '')::uuid) = organization_id);",
      ['policy neutral'],
    ],
    [
      'a policy dropped and made again',
      "drop policy own on invoices;\ncreate policy own on invoices using (organization_id = (select nullif(current_setting('app.org', true), '')::uuid));",
      [],
    ],
    ['a stricter policy', 'create policy paid on invoices as restrictive using (total > 0);', ['policy neutral']],
    ['a column', 'alter table invoices add column note text;', []],
  ])('%s', async (_, sql, expected) => {
    if (sql !== undefined) write('migrations/002.sql', `${sql}\n`);
    const { code, json } = await reviewed();
    expect(effects(json)).toEqual(expected);
    expect(json.introduced).toEqual([]);
    expect(code).toBe(0);
  });

  it('what is mended is said', async () => {
    write(
      'migrations/002.sql',
      'create table notes (id uuid primary key, organization_id uuid references organizations (id));\n',
    );
    git('add', '.');
    git('commit', '--quiet', '-m', 'notes');
    write(
      'migrations/003.sql',
      "alter table notes enable row level security;\nalter table notes force row level security;\ncreate policy own on notes using (organization_id = (select nullif(current_setting('app.org', true), '')::uuid));\n",
    );
    const { code, json } = await reviewed();
    expect(effects(json)).toContain('row security stricter');
    expect(json.fixed.map((f) => f.rule)).toContain('require-row-security');
    expect(code).toBe(0);
  });
});

describe('the summary', () => {
  it('says first what a reviewer has to look at, with the places in both states', async () => {
    write('migrations/002.sql', 'alter policy own on invoices using (true);\n');
    const { stdout } = await run(root, 'review', '--since', 'main');
    const page = new HtmlRenderer().render(new Parser().parse(stdout));
    expect(page).toMatch(/<strong>This change lets one tenant nearer to the rows of another\.<\/strong>/);
    expect(page).toMatch(/<h3>Weaker isolation<\/h3>/);
    expect(page).toContain('<code>migrations/002.sql:1</code>, before <code>migrations/001_init.sql:8</code>');
  });

  it('says that nothing is weaker, and what was not checked', async () => {
    write('migrations/002.sql', 'create tabel x (id int);\n');
    const { code, stdout } = await run(root, 'review', '--since', 'main');
    expect(stdout).toContain('Nothing in this change weakens');
    expect(stdout).toContain('Some of it could not be decided');
    expect(stdout).toMatch(/### Not checked\n\n- `migrations\/002\.sql`/);
    expect(code).toBe(0);
  });

  it('is the same from run to run', async () => {
    write('migrations/002.sql', 'alter policy own on invoices using (true);\n');
    expect(await run(root, 'review', '--since', 'main')).toEqual(await run(root, 'review', '--since', 'main'));
  });

  it('everything counts as introduced where nothing was understood before', async () => {
    write('migrations/001_init.sql', 'create table a (id int);\n');
    git('add', '.');
    git('commit', '--quiet', '--amend', '-m', 'first');
    write(
      'migrations/001_init.sql',
      base['migrations/001_init.sql'].replace(/^alter table invoices (?:enable|force).*\n/gm, ''),
    );
    const { stdout, code } = await run(root, 'review', '--since', 'main');
    expect(stdout).toContain('Nothing said before this change');
    expect(code).toBe(1);
  });
});

it('needs --since', async () => {
  const { code, stderr } = await run(root, 'review');
  expect([code, stderr]).toEqual([2, expect.stringContaining('--since')]);
});

describe('--prove executes what the change is about', () => {
  const leaks = ({ executed }: Json): string[] =>
    executed!.matrix
      .filter((c) => c.outcome === 'leaked')
      .map((c) => `${c.table} ${c.command} ${c.isNew ? 'new' : 'known'} ${c.before ?? ''}`.trim());
  const orders = `create table orders (id uuid primary key, organization_id uuid not null references organizations (id), total int);
create index on orders (organization_id);
alter table orders enable row level security;
alter table orders force row level security;
`;

  it('a leak that the change makes closes the gate, with the statement that reached the row', async () => {
    write('migrations/002.sql', 'create policy audit on invoices for select using (total is not null);\n');
    const { code, json } = await reviewed('--prove');
    expect(code).toBe(1);
    expect(json.executed!.tables).toEqual(['public.invoices']);
    expect(leaks(json)).toContain('public.invoices read new blocked');
    const markdown = await run(root, 'review', '--since', 'main', '--prove');
    expect(markdown.stdout).toContain('### Executed');
    expect(markdown.stdout).toMatch(
      /\*\*leaked\*\* `public\.invoices` read by table public\.invoices .*_\(before: blocked\)_/,
    );
    expect(markdown.stdout).toMatch(/`select .* from "?public"?\."?invoices"?/i);
    // Execution alone closes the gate, whatever the static side says.
    expect(markdown.code).toBe(1);
  }, 120_000);

  it('a table that holds leaves it open, and tables that did not change are not listed', async () => {
    write(
      'migrations/002.sql',
      `${orders}create policy own on orders using (organization_id = (select nullif(current_setting('app.org', true), '')::uuid));\n`,
    );
    const { code, json } = await reviewed('--prove');
    expect(json.executed!.tables).toEqual(['public.orders']);
    expect(json.executed!.matrix.filter((c) => c.command === 'read').map((c) => c.outcome)).toContain('blocked');
    expect(leaks(json)).toEqual([]);
    expect(code).toBe(0);
  }, 120_000);

  it('a leak that was there before is shown, and closes nothing', async () => {
    write('migrations/002.sql', `${orders}create policy all_of_them on orders using (true);\n`);
    git('add', '.');
    git('commit', '--quiet', '-m', 'leaking');
    git('branch', 'base');
    write('migrations/003.sql', 'create index on orders (organization_id, total);\n');
    const { stdout, code } = await run(root, 'review', '--since', 'base', '--format', 'json', '--prove');
    const json = JSON.parse(stdout) as Json;
    expect(leaks(json)).toContain('public.orders read known leaked');
    expect(code).toBe(0);
  }, 120_000);

  it('reaches neither files nor servers, whatever the migrations of the change say', async () => {
    const mark = path.join(root, 'written');
    write(
      'migrations/002.sql',
      `${orders}create policy own on orders using (organization_id = (select nullif(current_setting('app.org', true), '')::uuid));
copy organizations to '${mark}';
copy organizations to program 'touch ${mark}';
do $$ begin execute 'copy (select 1) to ''${mark}'''; exception when others then null; end $$;
create table secrets as select pg_read_file('/etc/passwd') as content;
`,
    );
    const { code, stdout, stderr } = await run(root, 'review', '--since', 'main', '--format', 'json', '--prove');
    expect(stderr).toBe('');
    expect(existsSync(mark)).toBe(false);
    expect(stdout).not.toContain('root:');
    expect((JSON.parse(stdout) as Json).executed!.tables).toContain('public.orders');
    expect(code).toBe(0);
    const asked = await run(root, 'review', '--since', 'main', '--prove', '--url', 'postgres://localhost/x');
    expect(asked.code).toBe(2);
    expect(asked.stderr).toContain("unknown option '--url'");
  }, 120_000);

  it('what could not be executed is said, and is no success', async () => {
    write('migrations/002.sql', 'create index on invoices (total);\nselect pg_sleep(1000);\n');
    const { code, stdout, stderr } = await run(root, 'review', '--since', 'main', '--prove', '--timeout', '5');
    expect(stdout).toContain('Nothing was executed: The proof was ended');
    expect(stderr).toContain('Nothing was executed');
    expect(code).toBe(2);
    expect((await run(root, 'review', '--since', 'main')).code).toBe(0);
  }, 120_000);
});

describe('what is no news', () => {
  const helper = (body: string): string =>
    `create or replace function touch() returns void language sql security definer as 'update invoices set total = ${body}';\n`;

  it('a function that a later migration makes again as it was', async () => {
    write('migrations/002_touch.sql', helper('1'));
    git('add', '.');
    git('commit', '--quiet', '-m', 'second');
    write('migrations/003_touch.sql', helper('2'));
    const { json } = await reviewed();
    expect([json.introduced, json.fixed]).toEqual([[], []]);
  });

  it('a first policy where nothing held a row back', async () => {
    git('checkout', '--quiet', '-b', 'open');
    const table =
      'create table notes (id uuid primary key, organization_id uuid not null references organizations (id));\n';
    write('migrations/002_notes.sql', table);
    git('add', '.');
    git('commit', '--quiet', '-m', 'second');
    write(
      'migrations/003_notes.sql',
      "alter table notes enable row level security;\ncreate policy own on notes using (organization_id = current_setting('app.org', true)::uuid or current_setting('app.org', true) is null);\n",
    );
    const { stdout } = await run(root, 'review', '--since', 'open', '--format', 'json');
    const json = JSON.parse(stdout) as Json;
    expect(json.changes.filter((c) => c.effect === 'weaker')).toEqual([]);
  });

  it('published rows are for a person to look at', async () => {
    write(
      'migrations/002_public.sql',
      'alter table invoices add column is_public boolean not null default false;\ncreate policy shown on invoices for select using (is_public);\n',
    );
    const { json } = await reviewed();
    expect(json.changes.filter((c) => c.thing === 'policy').map((c) => [c.effect, c.text])).toEqual([
      [
        'unknown',
        'policy shown of public.invoices is new, and lets through rows that are marked as meant for everybody',
      ],
    ]);
  });
});
