import type { Model } from '@tenant-lint/analysis';
import { defineRule } from '@tenant-lint/engine';
import type { SchemaFunction } from '@tenant-lint/model';
import {
  callersOf,
  definedAt,
  functionKey,
  functionName,
  isolatesAnything,
  isTriggerFunction,
} from '../../lib/functions.js';
import { isSupabase } from '../../lib/grants.js';

export default defineRule({
  meta: {
    id: 'require-pinned-search-path',
    group: 'function',
    summary: 'Require that SECURITY DEFINER functions say where their names are looked up',
    since: 'next',
    severity: 'error',
    recommended: true,
    hosts: ['sql'],
    needs: ['migrations'],
    catalogue: ['F02'],
    messages: {
      missing: {
        what: '{function} is SECURITY DEFINER and has no search_path of its own.',
        why: "Its names are looked up along the caller's search_path, so a caller can put tables and functions in the place of yours, with the rights of the owner.",
        fix: "Add SET search_path = '' and qualify all names, or SET search_path = {schema}, pg_temp.",
      },
      missingBehindApi: {
        severity: 'warning',
        what: '{function} is SECURITY DEFINER and has no search_path of its own.',
        why: "Its names are looked up along the caller's search_path; requests cannot set that, whoever runs SQL of their own can.",
        fix: "Add SET search_path = '' and qualify all names, or SET search_path = {schema}, pg_temp.",
      },
      temporary: {
        severity: 'warning',
        what: '{function} is SECURITY DEFINER, and its search_path {path} does not name pg_temp at its end.',
        why: 'Without a mention, temporary tables are found first: a caller creates a temporary {table}, and the function uses that.',
        fix: 'Write SET search_path = {path}, pg_temp, or qualify {table}.',
      },
    },
  },
  subject: 'function',
  *check(f, model) {
    if (!f.securityDefiner || !isolatesAnything(model)) return;
    if (!isTriggerFunction(f) && callersOf(model, f).length === 0) return;
    const path = f.settings['search_path'];
    const byApi = isSupabase(model);
    const base = {
      span: definedAt(f),
      key: functionKey(f),
      cause: `search path ${functionKey(f)}`,
    };
    const data = { function: functionName(f), schema: f.name.schema ?? 'public' };
    if (path === undefined) {
      yield {
        ...base,
        message: byApi ? 'missingBehindApi' : 'missing',
        data: { ...data, path: '', table: '' },
        confidence: 'certain',
      };
      return;
    }
    const table = endsInTemp(path) ? undefined : unqualified(f, model);
    if (table === undefined) return;
    // Requests of a platform create no temporary tables.
    yield { ...base, message: 'temporary', data: { ...data, path, table }, confidence: byApi ? 'possible' : 'certain' };
  },
});

/** An empty path, or one that ends in pg_temp. */
function endsInTemp(path: string): boolean {
  const schemas = path
    .split(',')
    .map((s) => s.trim().replace(/^["']|["']$/g, ''))
    .filter((s) => s !== '');
  return schemas.length === 0 || schemas.at(-1) === 'pg_temp';
}

/** A table that the body names without its schema. Tables are found in pg_temp, functions and operators never are. */
function unqualified(f: SchemaFunction, model: Model): string | undefined {
  for (const query of f.queries)
    for (const { table } of query.targets) {
      if (!table.known || table.value.by !== 'sql' || table.value.schema !== undefined) continue;
      if (model.schema.tables.size > 0) return table.value.name;
    }
  return undefined;
}
