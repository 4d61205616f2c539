import type { Model } from '@tenant-lint/analysis';
import { defineRule } from '@tenant-lint/engine';
import type { ResourceAccess } from '@tenant-lint/model';
import { tableName } from '../../lib/naming.js';
import { holdsTenants, partsByKind } from '../../lib/resources.js';

export default defineRule({
  meta: {
    id: 'require-tenant-in-search',
    group: 'resource',
    summary: 'Require that searches outside of the database are limited to the tenant',
    since: 'next',
    severity: 'warning',
    recommended: true,
    hosts: ['typescript'],
    needs: ['schema', 'code'],
    catalogue: ['C-87'],
    messages: {
      unfiltered: {
        what: '{method} searches {index} and nothing in it says for which tenant.',
        why: 'What is found may belong to any tenant: policies and conditions of the database do not hold here.',
        fix: 'Add a filter on the tenant of the session, or search an index, namespace or key of its own.',
      },
    },
  },
  subject: 'project',
  *check(model) {
    if (!holdsTenants(model)) return;
    for (const resource of model.resources) {
      if (resource.kind !== 'search') continue;
      const parts = model.partsOf(resource, resource.key);
      const { own, unknown, common } = partsByKind(parts);
      const table = indexed(model, resource);
      if (own.length > 0 || common.length > 0 || !table) continue;
      yield {
        message: 'unfiltered',
        data: { method: resource.method, index: `the index of ${tableName(table)}` },
        span: resource.span,
        confidence: unknown.length > 0 ? 'possible' : 'likely',
        table,
        key: `${resource.span.file} ${resource.library}.${resource.method} ${table}`,
      };
    }
  },
});

/** The table of tenants' rows by whose name an index is called: one that holds documentation is no tenant's. */
function indexed(model: Model, resource: ResourceAccess): string | undefined {
  const texts = model.partsOf(resource, resource.key).flatMap((p) => (p.kind === 'fixed' ? [p.text] : []));
  const words = new Set(texts.flatMap(namesIn).map(singular));
  for (const table of model.schema.tables.values()) {
    const kind = model.tenancyOf(table.id).kind;
    if ((kind === 'keyed' || kind === 'child') && words.has(singular(table.name.name.toLowerCase()))) return table.id;
  }
  return undefined;
}

/** The words of a text that may name what is searched: in SQL the tables, not its keywords. */
function namesIn(text: string): readonly string[] {
  const lower = text.toLowerCase();
  if (!/\bselect\b[^]*\bfrom\b/.test(lower)) return lower.match(/[a-z][a-z0-9_-]*/g) ?? [];
  return [...lower.matchAll(/\b(?:from|join)\s+([`"\w.]+)/g)].flatMap((m) => m[1]!.match(/[a-z]\w*(?=[`"]?$)/) ?? []);
}

const singular = (word: string): string =>
  word
    .replace(/[_-](?:index|v\d+)$/, '')
    .replace(/ies$/, 'y')
    .replace(/s$/, '');
