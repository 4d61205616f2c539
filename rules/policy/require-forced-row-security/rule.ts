import type { Model } from '@tenant-lint/analysis';
import { defineRule } from '@tenant-lint/engine';
import type { Span, Table } from '@tenant-lint/model';
import { isSupabase } from '../../lib/grants.js';
import { tableName } from '../../lib/naming.js';
import { appRoleOwning } from '../../lib/roles.js';
import { readThroughDefiner } from '../../lib/definer.js';

export default defineRule({
  meta: {
    id: 'require-forced-row-security',
    group: 'policy',
    summary: 'Require that row security holds for the owner of a table, too',
    since: 'next',
    severity: 'warning',
    recommended: true,
    hosts: ['sql'],
    needs: ['migrations'],
    catalogue: ['R02'],
    messages: {
      unforced: {
        what: 'Row security of {table}{others} does not hold for {owner}.',
        why: "Whatever connects as the owner, or as a member of it, reads and changes all tenants' rows.",
        fix: 'Run ALTER TABLE {table} FORCE ROW LEVEL SECURITY, or make sure that the application never connects as the owner.',
      },
      ownedByApp: {
        severity: 'error',
        what: 'Row security of {table} does not hold for {owner}, which the application uses.',
        why: "The application connects with the owner's rights, so it reads and changes all tenants' rows.",
        fix: 'Run ALTER TABLE {table} FORCE ROW LEVEL SECURITY.',
      },
    },
  },
  subject: 'project',
  *check(_, model) {
    const byOwner = new Map<string, Table[]>();
    for (const table of model.schema.tables.values()) {
      const { enabled, forced } = table.rowSecurity;
      const { kind } = model.tenancyOf(table.id);
      if (!enabled || forced || (kind !== 'keyed' && kind !== 'root' && kind !== 'child')) continue;
      // FORCE taken away is the finding of no-weakened-isolation.
      if (model.schema.history?.some((loss) => loss.kind === 'forced row security' && loss.table === table.id))
        continue;
      const owner = table.owner?.role ?? '';
      if (isPlatformOwner(model, owner) || readThroughDefiner(model, table)) continue;
      byOwner.set(owner, [...(byOwner.get(owner) ?? []), table]);
    }
    for (const [owner, unordered] of byOwner) {
      const tables = [...unordered].sort(byPlace);
      const app = owner === '' ? undefined : appRoleOwning(model, owner);
      const ownerText = owner === '' ? 'the role that owns it' : owner;
      if (app !== undefined) {
        for (const table of tables) {
          yield {
            message: 'ownedByApp',
            data: { table: tableName(table.id), owner: app === owner ? owner : `${owner} and its member ${app}` },
            span: enabledAt(table),
            related: table.owner ? [{ span: table.owner.span, text: `${owner} becomes its owner` }] : [],
            confidence: 'certain',
            table: table.id,
            key: table.id,
            cause: `owned ${table.id}`,
          };
        }
        continue;
      }
      const [first, ...rest] = tables;
      // The configuration names the roles of the application, and none of them is the owner.
      if (first === undefined || model.tenancy.appRoles.length > 0) continue;
      yield {
        message: 'unforced',
        data: {
          table: tableName(first.id),
          others: rest.length === 0 ? '' : ` and of ${rest.length} other ${rest.length === 1 ? 'table' : 'tables'}`,
          owner: ownerText,
        },
        span: enabledAt(first),
        related: rest.map((table) => ({ span: enabledAt(table), text: `${tableName(table.id)} is not forced either` })),
        confidence: 'certain',
        table: first.id,
        key: `owner ${owner}`,
        ...(owner === '' ? {} : { cause: `owner ${owner}` }),
      };
    }
  },
});

/**
 * Whether tables belong to the administrator of a hosted platform: migrations of Supabase run as `postgres`, which has BYPASSRLS, so FORCE
 * would change nothing; requests come as other roles. https://supabase.com/docs/guides/database/postgres/roles
 */
const isPlatformOwner = (model: Model, owner: string): boolean =>
  isSupabase(model) && (owner === '' || owner === 'postgres' || owner === 'supabase_admin');

const byPlace = (a: Table, b: Table): number => {
  const [left, right] = [enabledAt(a), enabledAt(b)];
  return left.file < right.file ? -1 : left.file > right.file ? 1 : left.start - right.start;
};

/** The statement that enables row security: FORCE belongs beside it. */
const enabledAt = (table: Table): Span => table.rowSecurity.origin?.created ?? table.origin.created;
