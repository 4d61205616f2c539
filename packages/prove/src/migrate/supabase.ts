/**
 * The smallest stand-in for what a Supabase project has before its first migration: roles, and the schemas auth, storage, realtime
 * and vault. Names and bodies as in https://github.com/supabase/postgres (migrations/db), only what migrations refer to. Each entry is
 * one statement.
 */
export const supabaseStandIn: readonly string[] = [
  ...[
    'anon',
    'authenticated',
    'service_role',
    'authenticator',
    'supabase_admin',
    'supabase_auth_admin',
    'supabase_storage_admin',
    'dashboard_user',
  ].map(
    (role) =>
      `do $$ begin if not exists (select from pg_roles where rolname = '${role}') then create role ${role} nologin${role === 'service_role' || role === 'supabase_admin' ? ' bypassrls' : ''}; end if; end $$`,
  ),
  'grant anon, authenticated, service_role to authenticator',
  'create schema if not exists auth',
  'create schema if not exists storage',
  'create schema if not exists realtime',
  'create schema if not exists extensions',
  'create schema if not exists vault',
  'create schema if not exists graphql_public',
  'grant usage on schema public, auth, storage, realtime, extensions to anon, authenticated, service_role',
  ...['tables', 'functions', 'sequences'].map(
    (what) => `alter default privileges in schema public grant all on ${what} to anon, authenticated, service_role`,
  ),
  `create table auth.users (
    instance_id uuid, id uuid primary key, aud varchar(255), role varchar(255), email varchar(255), encrypted_password varchar(255),
    email_confirmed_at timestamptz, invited_at timestamptz, confirmed_at timestamptz, last_sign_in_at timestamptz,
    raw_app_meta_data jsonb, raw_user_meta_data jsonb, is_super_admin boolean, created_at timestamptz, updated_at timestamptz,
    phone text, is_sso_user boolean not null default false, is_anonymous boolean not null default false, deleted_at timestamptz)`,
  `create table auth.identities (
    provider_id text not null, user_id uuid not null references auth.users on delete cascade, identity_data jsonb not null default '{}',
    provider text not null, id uuid primary key default gen_random_uuid(), email text, created_at timestamptz, updated_at timestamptz)`,
  `create table auth.sessions (id uuid primary key, user_id uuid not null references auth.users on delete cascade, created_at timestamptz, updated_at timestamptz)`,
  `create function auth.uid() returns uuid language sql stable as $$
    select coalesce(nullif(current_setting('request.jwt.claim.sub', true), ''),
      (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub'))::uuid $$`,
  `create function auth.role() returns text language sql stable as $$
    select coalesce(nullif(current_setting('request.jwt.claim.role', true), ''),
      (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'role'))::text $$`,
  `create function auth.email() returns text language sql stable as $$
    select coalesce(nullif(current_setting('request.jwt.claim.email', true), ''),
      (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'email'))::text $$`,
  `create function auth.jwt() returns jsonb language sql stable as $$
    select coalesce(nullif(current_setting('request.jwt.claim', true), ''), nullif(current_setting('request.jwt.claims', true), ''))::jsonb $$`,
  'grant execute on all functions in schema auth to anon, authenticated, service_role',
  `create table storage.buckets (
    id text primary key, name text not null unique, owner uuid, owner_id text, public boolean default false, avif_autodetection boolean default false,
    file_size_limit bigint, allowed_mime_types text[], created_at timestamptz default now(), updated_at timestamptz default now())`,
  `create table storage.objects (
    id uuid primary key default gen_random_uuid(), bucket_id text references storage.buckets, name text, owner uuid, owner_id text,
    created_at timestamptz default now(), updated_at timestamptz default now(), last_accessed_at timestamptz default now(), metadata jsonb,
    path_tokens text[] generated always as (string_to_array(name, '/')) stored, version text, user_metadata jsonb)`,
  `create function storage.foldername(name text) returns text[] language sql immutable as $$
    select (string_to_array(name, '/'))[1:array_length(string_to_array(name, '/'), 1) - 1] $$`,
  `create function storage.filename(name text) returns text language sql immutable as $$
    select (string_to_array(name, '/'))[array_length(string_to_array(name, '/'), 1)] $$`,
  `create function storage.extension(name text) returns text language sql immutable as $$
    select reverse(split_part(reverse(name), '.', 1)) $$`,
  'alter table storage.buckets enable row level security',
  'alter table storage.objects enable row level security',
  'grant all on all tables in schema storage to anon, authenticated, service_role',
  `create table realtime.messages (
    id uuid primary key default gen_random_uuid(), topic text not null, extension text not null, payload jsonb, event text,
    private boolean default false, updated_at timestamp not null default now(), inserted_at timestamp not null default now())`,
  `create function realtime.topic() returns text language sql stable as $$ select nullif(current_setting('realtime.topic', true), '')::text $$`,
  'alter table realtime.messages enable row level security',
  'grant select, insert, update on realtime.messages to anon, authenticated, service_role',
  'create table vault.secrets (id uuid primary key default gen_random_uuid(), name text, description text, secret text not null)',
  `create view vault.decrypted_secrets as select id, name, description, secret, secret as decrypted_secret from vault.secrets`,
  'create publication supabase_realtime',
];

/** Schemas of the stand-in, whose tables are the platform's own. */
export const platformSchemas: ReadonlySet<string> = new Set([
  'auth',
  'storage',
  'realtime',
  'vault',
  'extensions',
  'graphql_public',
  'cron',
  'net',
  'pgmq',
]);

/** Whether migrations refer to the platform without making it themselves. */
export const wantsSupabase = (text: string): boolean =>
  /\bauth\s*\.\s*(?:uid|jwt|role|email|users|identities|sessions)\b|\bstorage\s*\.\s*(?:objects|buckets)\b|\brealtime\s*\.\s*\w+|\bto\s+"?(?:anon|authenticated|service_role)"?\b/i.test(
    text,
  ) && !/\bcreate\s+(?:or\s+replace\s+)?function\s+"?auth"?\s*\.\s*"?uid"?/i.test(text);
