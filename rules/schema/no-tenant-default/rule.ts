import type { Model } from '@tenant-lint/analysis';
import { defineRule } from '@tenant-lint/engine';
import { spanContains, type Column, type Table, type Value } from '@tenant-lint/model';
import { tableName } from '../../lib/naming.js';
import { placeInTable } from '../../lib/place.js';
import { tenantKeys } from '../../lib/schema.js';

export default defineRule({
  meta: {
    id: 'no-tenant-default',
    group: 'schema',
    summary: 'Disallow defaults of the tenant column that do not come from the session',
    since: 'next',
    severity: 'error',
    recommended: true,
    hosts: ['typescript', 'sql'],
    needs: ['schema'],
    catalogue: ['T04', 'T05'],
    messages: {
      constant: {
        what: '{table}.{column} defaults to {value}.',
        why: 'Every insert that forgets the tenant puts its row into that one, instead of failing.',
        fix: 'Drop the default, or make it the tenant of the session, so that an insert without one fails.',
      },
      backfill: {
        what: '{table}.{column} was added with the default {value}, and keeps it.',
        why: 'All rows that were there, and every insert that forgets the tenant, land in that one tenant.',
        fix: 'Fill the old rows from what they belong to, set {column} NOT NULL, and drop the default.',
      },
      generated: {
        what: '{table}.{column} defaults to a new value for each row.',
        why: 'A row that is inserted without its tenant belongs to one that does not exist, instead of being refused.',
        fix: 'Drop the default, so that an insert without the tenant fails.',
      },
    },
  },
  subject: 'table',
  *check(table, model) {
    if (table.partitionOf !== undefined) return;
    for (const { column: name } of tenantKeys(model, table)) {
      const column = table.columns.get(name);
      if (column === undefined) continue;
      const message = problemOf(model, table, column);
      if (message === undefined) continue;
      yield {
        message,
        data: { table: tableName(table.id), column: name, value: shown(column.default) },
        ...placeInTable(column, table),
        confidence: 'certain',
        table: table.id,
        key: `${table.id}.${name}`,
      };
    }
  },
});

function problemOf(model: Model, table: Table, column: Column): 'constant' | 'backfill' | 'generated' | undefined {
  if (column.identity === true || /^(?:big|small)?serial/.test(column.type)) return 'generated';
  const value = withoutCasts(column.default);
  if (value?.kind === 'constant' && value.value !== null) return isAddedLater(table, column) ? 'backfill' : 'constant';
  if (value?.kind === 'apply' && makesValues(model, value)) return 'generated';
  return undefined;
}

/** Whether the column came with a statement of its own: there may have been rows. */
const isAddedLater = (table: Table, column: Column): boolean =>
  !spanContains(table.origin.created, column.origin.created);

function withoutCasts(value: Value | undefined): Value | undefined {
  let inner = value;
  while (inner?.kind === 'apply' && inner.function.startsWith('cast:')) inner = inner.to[0];
  return inner;
}

/** Functions of Postgres, its extensions and of schema languages that make a new identifier at each call. */
const makers =
  /^(?:gen_random_uuid|uuid_generate_v\w+|uuidv[47]|nextval|random|cuid2?|ulid|uuid|nanoid|autoincrement)$/;

/** Whether a call makes up a value. A function of the project that reads nothing of the session does so if what it calls does. */
function makesValues(model: Model, call: Extract<Value, { kind: 'apply' }>, depth = 0): boolean {
  const name = call.function.replace(/^(?:public|extensions|pg_catalog)\./, '');
  const own = model.schema.functions.get(call.function) ?? model.schema.functions.get(`public.${call.function}`);
  const body = own?.[0]?.body;
  if (body !== undefined) {
    const value = body.known ? withoutCasts(body.value) : undefined;
    return depth < 4 && value?.kind === 'apply' && makesValues(model, value, depth + 1);
  }
  return makers.test(name);
}

function shown(value: Value | undefined): string {
  const inner = withoutCasts(value);
  return inner?.kind === 'constant' ? (typeof inner.value === 'string' ? `'${inner.value}'` : String(inner.value)) : '';
}
