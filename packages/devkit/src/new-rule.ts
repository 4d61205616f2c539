import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CatalogueEntry } from './gen/docs.js';
import type { Output } from './gen/outputs.js';

/**
 * The files of a new rule `group/rule-id`: everything is in place, and its bad forms fail until the rule is written. Throws an Error with a
 * sentence for a person where the name cannot be a rule's, or where no entry of the catalogue is assigned to it.
 */
export function scaffold(name: string, entries: readonly CatalogueEntry[]): Output[] {
  const match = /^([a-z]+)\/((?:require|no|consistent|[a-z]+-(?:require|no))-[a-z0-9]+(?:-[a-z0-9]+)*)$/.exec(name);
  if (match === null) {
    throw new Error(
      `"${name}" is no name of a rule; write group/rule-id, where the id begins with require-, no- or consistent-`,
    );
  }
  const [, group = '', id = ''] = match;
  const own = entries.filter((entry) => entry.rule === id).map((entry) => entry.id);
  if (own.length === 0) {
    throw new Error(`no entry of the catalogue is assigned to ${id}; add the defect to test/catalogue/ids.json first`);
  }
  const folder = `rules/${group}/${id}`;
  return [
    { path: `${folder}/rule.ts`, text: ruleText(group, id, own) },
    { path: `${folder}/README.md`, text: readmeText() },
    { path: `${folder}/cases.md`, text: casesText(id, own) },
  ];
}

const ruleText = (
  group: string,
  id: string,
  entries: readonly string[],
): string => `import { defineRule } from '@tenant-lint/engine';

export default defineRule({
  meta: {
    id: '${id}',
    group: '${group}',
    summary: 'Say in one line what is asked for, without a full stop',
    since: 'next',
    severity: 'error',
    recommended: false,
    hosts: ['sql'],
    needs: ['migrations'],
    catalogue: [${entries.map((entry) => `'${entry}'`).join(', ')}],
    messages: {
      found: {
        what: 'Say what is wrong with {table}.',
        why: 'Say what follows for the rows of other tenants.',
        fix: 'Say what to do.',
      },
    },
  },
  subject: 'table',
  *check(table, model) {
    if (model.tenancyOf(table.id).kind !== 'keyed') return;
    // Ask the model here, leave early where there is nothing to say, and yield a draft of a finding otherwise.
    yield* [];
  },
});
`;

const readmeText = (): string => `Say in a few sentences what goes wrong, for whom, and when.

## Invalid

\`\`\`sql migrations/001_init.sql
create table tenants (id uuid primary key);
create table orders (id uuid primary key, tenant_id uuid references tenants (id));
create table customers (id uuid primary key, tenant_id uuid not null references tenants (id));
\`\`\`

## Valid

\`\`\`sql migrations/001_init.sql
create table tenants (id uuid primary key);
create table orders (id uuid primary key, tenant_id uuid not null references tenants (id));
create table customers (id uuid primary key, tenant_id uuid not null references tenants (id));
\`\`\`

## Options

None.

## When not to use it

Say where the rule does not fit.

## Limits

Say what the rule will not chase.
`;

const casesText = (id: string, entries: readonly string[]): string => `# Cases of ${id}

## A bad form, named by its situation [${entries.join(', ')}]

Say what is shown, and why it is wrong. Execute its leak where it is SQL.

\`\`\`sql migrations/001_init.sql
create table tenants (id uuid primary key);
create table orders (id uuid primary key, tenant_id uuid references tenants (id)); -- error: ${id}
create table customers (id uuid primary key, tenant_id uuid not null references tenants (id));
\`\`\`

\`\`\`sql probe bad
insert into orders values ('b1000000-0000-0000-0000-000000000000', null) returning *;
\`\`\`

## The good form, which differs by one thing

Say what makes it right.

\`\`\`sql migrations/001_init.sql
create table tenants (id uuid primary key);
create table orders (id uuid primary key, tenant_id uuid not null references tenants (id));
create table customers (id uuid primary key, tenant_id uuid not null references tenants (id));
\`\`\`

\`\`\`sql probe good
insert into orders values ('b1000000-0000-0000-0000-000000000000', null) returning *;
\`\`\`
`;

/** `new-rule group/rule-id` writes the folder and says what comes next; exits with 2 where it cannot. */
function main(root: string, name: string | undefined): void {
  try {
    const entries = JSON.parse(readFileSync(join(root, 'test/catalogue/ids.json'), 'utf8')) as CatalogueEntry[];
    const files = scaffold(name ?? '', entries);
    const taken = files.find(({ path }) => existsSync(join(root, path)));
    if (taken) throw new Error(`${taken.path} is there already`);
    for (const { path, text } of files) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
      console.log(`wrote ${path}`);
    }
    console.log('Next: npm run gen, then write the cases, then the rule.');
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 2;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  main(fileURLToPath(new URL('../../../', import.meta.url)), process.argv[2]);
}
