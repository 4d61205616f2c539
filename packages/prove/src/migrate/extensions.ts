/** Extensions that PGlite brings along, by the name CREATE EXTENSION uses, to the file of PGlite's package. */
const contrib: Readonly<Record<string, string>> = {
  'uuid-ossp': 'uuid_ossp',
  ...Object.fromEntries(
    [
      'amcheck',
      'bloom',
      'btree_gin',
      'btree_gist',
      'citext',
      'cube',
      'dict_int',
      'dict_xsyn',
      'earthdistance',
      'fuzzystrmatch',
      'hstore',
      'intarray',
      'isn',
      'ltree',
      'moddatetime',
      'pg_trgm',
      'pgcrypto',
      'seg',
      'tablefunc',
      'tcn',
      'tsm_system_rows',
      'tsm_system_time',
      'unaccent',
    ].map((name) => [name, name]),
  ),
};

/** Statements in place of an extension that is not there: its types and functions as far as migrations usually name them. */
const standIns: Readonly<Record<string, readonly string[]>> = {
  vector: ['create domain vector as text', 'create domain halfvec as text', 'create domain sparsevec as text'],
  postgis: ['create domain geometry as text', 'create domain geography as text'],
  pg_cron: [
    'create schema if not exists cron',
    'create table if not exists cron.job (jobid bigserial primary key, schedule text, command text, jobname text, active boolean default true)',
    `create function cron.schedule(job_name text, schedule text, command text) returns bigint language sql as $$ select 1::bigint $$`,
    `create function cron.schedule(schedule text, command text) returns bigint language sql as $$ select 1::bigint $$`,
    `create function cron.unschedule(job_name text) returns boolean language sql as $$ select true $$`,
  ],
  pg_net: [
    'create schema if not exists net',
    `create function net.http_post(url text, body jsonb default '{}', params jsonb default '{}', headers jsonb default '{}', timeout_milliseconds int default 5000) returns bigint language sql as $$ select 1::bigint $$`,
    `create function net.http_get(url text, params jsonb default '{}', headers jsonb default '{}', timeout_milliseconds int default 5000) returns bigint language sql as $$ select 1::bigint $$`,
  ],
  pgjwt: [],
  pg_graphql: ['create schema if not exists graphql'],
  supabase_vault: [],
  pg_stat_statements: [],
  pgaudit: [],
  plpgsql: [],
  pg_uuidv7: [
    `create function uuid_generate_v7() returns uuid language sql volatile as $$ select gen_random_uuid() $$`,
  ],
};

export interface ExtensionPlan {
  /** File of PGlite's package to load, where it brings the extension. */
  readonly contrib?: string;
  /** Statements in its place. */
  readonly standIn?: readonly string[];
}

/** How an extension is had without a server: brought along, imitated, or neither. */
export function extensionPlan(name: string): ExtensionPlan {
  const file = contrib[name];
  if (file !== undefined) return { contrib: file };
  const standIn = standIns[name];
  return standIn === undefined ? {} : { standIn };
}

/** The extensions that statements create, in order of first use. */
export function extensionsIn(texts: Iterable<string>): readonly string[] {
  const names = new Set<string>();
  for (const text of texts)
    for (const [, quoted, plain] of text.matchAll(
      /\bcreate\s+extension\s+(?:if\s+not\s+exists\s+)?(?:"([^"]+)"|([\w]+))/gi,
    ))
      names.add(quoted ?? (plain ?? '').toLowerCase());
  return [...names];
}
