import { literal } from '../session/session.js';
import type { Proof } from '../prove.js';
import { testsOf } from './shared.js';

/**
 * The proof as a pgTAP script (pg_prove, supabase test db) for a database that has the migrations already. Everything is rolled back. It
 * must run as a superuser, who alone may fill tables without triggers. Equal proofs give equal bytes.
 */
export function emitPgtap(proof: Proof): string {
  const tests = testsOf(proof);
  const array = (list: readonly string[]): string =>
    list.length === 0 ? `'{}'::text[]` : `array[\n    ${list.map((s) => literal(s)).join(',\n    ')}\n  ]::text[]`;
  return [
    '-- Written by tenant-lint prove --emit pgtap.',
    'begin;',
    'create extension if not exists pgtap;',
    `select plan(${tests.length});`,
    '',
    ...proof.setup.roles.map((sql) => `${sql};`),
    'set local session_replication_role = replica;',
    ...proof.setup.fill.map((sql) => `${sql};`),
    'set local session_replication_role = origin;',
    '',
    `-- Runs statements as the owner and as the application, tells whether a row of tenant B was reached, and undoes it all. What Postgres refuses
-- was not reached.
create function pg_temp.reaches(before text[], statement text, after text[], rows_leak boolean, probed boolean) returns boolean
language plpgsql as $reaches$
declare
  leaked boolean := false;
  sql text;
  found bigint;
begin
  begin
    foreach sql in array before loop execute sql; end loop;
    execute statement;
    get diagnostics found = row_count;
    leaked := rows_leak and found > 0;
    foreach sql in array after loop execute sql; get diagnostics found = row_count; end loop;
    leaked := leaked or (probed and found > 0);
    raise exception using errcode = 'TL000', message = leaked::text;
  exception
    when sqlstate 'TL000' then return sqlerrm::boolean;
    when others then return leaked;
  end;
end
$reaches$;`,
    '',
    ...tests.flatMap(({ name, attempts }) =>
      attempts.map(
        (a) =>
          `select ok(not pg_temp.reaches(${array(a.before)}, ${literal(a.statement)}, ${array(a.after)}, ${a.rowsLeak}, ${a.probed}), ${literal(name)});`,
      ),
    ),
    '',
    'select * from finish();',
    'rollback;',
    '',
  ].join('\n');
}
