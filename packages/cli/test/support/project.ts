import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { main } from '../../src/main.js';

/** The built command, as users start it. */
export const bin = fileURLToPath(new URL('../../bin/tenant-lint.js', import.meta.url));

/** A schema of an ordinary application: organisations own invoices and projects. */
export const schema = `create table organizations (id uuid primary key, name text not null);
create table members (
  organization_id uuid not null references organizations (id),
  user_id uuid not null,
  primary key (organization_id, user_id)
);
create table invoices (
  id uuid primary key,
  organization_id uuid not null references organizations (id),
  total int not null
);
create index on invoices (organization_id);
create table projects (
  id uuid primary key,
  organization_id uuid not null references organizations (id),
  name text not null
);
create index on projects (organization_id);
`;

/** A query that reads the rows of every tenant, and one that does not. */
export const leaking = `import { Pool } from 'pg';

const pool = new Pool();

export async function allInvoices() {
  return pool.query('select * from invoices');
}

export async function invoicesOf(organizationId: string) {
  return pool.query('select * from invoices where organization_id = $1', [organizationId]);
}
`;

/** The smallest application with a finding. */
export const app: Readonly<Record<string, string>> = {
  'package.json': '{ "name": "app", "dependencies": { "pg": "8.13.0" } }',
  'migrations/001_init.sql': schema,
  'src/invoices.ts': leaking,
};

/** Writes files into a new temporary folder; `remove` deletes it. */
export function project(files: Readonly<Record<string, string | Buffer>>): { root: string; remove: () => void } {
  const root = realpathSync(mkdtempSync(path.join(tmpdir(), 'tenant-lint-')));
  for (const [file, content] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    writeFileSync(path.join(root, file), content);
  }
  return { root, remove: () => rmSync(root, { recursive: true, force: true }) };
}

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command in this process. */
export async function run(cwd: string, ...args: string[]): Promise<Outcome> {
  let stdout = '';
  let stderr = '';
  const code = await main(args, {
    cwd,
    stdout: { write: (text: string) => (stdout += text) },
    stderr: { write: (text: string) => (stderr += text) },
    env: {},
  });
  return { code, stdout, stderr };
}

/** Runs the built command in a process of its own; killed after `seconds`, and then its code is -1. */
export const spawned = (cwd: string, args: readonly string[], seconds = 30): Promise<Outcome> =>
  new Promise((resolve) => {
    execFile(
      process.execPath,
      [bin, ...args],
      {
        cwd,
        timeout: seconds * 1000,
        killSignal: 'SIGKILL',
        maxBuffer: 1 << 26,
        env: { ...process.env, NO_COLOR: '1' },
      },
      (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : -1, stdout, stderr });
      },
    );
  });
