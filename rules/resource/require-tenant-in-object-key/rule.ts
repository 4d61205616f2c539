import type { Model, ResourcePart } from '@tenant-lint/analysis';
import { defineRule } from '@tenant-lint/engine';
import type { ResourceAccess } from '@tenant-lint/model';
import { holdsTenants, partsByKind } from '../../lib/resources.js';

export default defineRule({
  meta: {
    id: 'require-tenant-in-object-key',
    group: 'resource',
    summary: "Require that objects of tenants are stored and asked for under a key of the tenant's own",
    since: 'next',
    severity: 'warning',
    recommended: true,
    hosts: ['typescript'],
    needs: ['schema', 'code'],
    catalogue: ['C-83', 'C-84'],
    messages: {
      chosen: {
        what: '{method} takes the key of the object from {source} of the request.',
        why: "Whoever knows or guesses the key of another tenant's object reads, replaces or removes it: the store asks nobody else.",
        fix: 'Build the key from the tenant of the session, or load the row that names the object under the tenant.',
      },
      shared: {
        what: '{method} stores an object under a key in which nothing tells tenants apart.',
        why: 'Two tenants with the same name for a thing share one object, and each overwrites that of the other.',
        fix: 'Begin the key with the tenant, and a slash behind it.',
      },
      prefix: {
        what: '{method} lists objects by a prefix that ends with the tenant itself.',
        why: 'A prefix matches whatever begins with it: that of tenant 1 those of tenants 10 to 19, too.',
        fix: 'End the prefix with the separator that follows the tenant in keys.',
      },
    },
  },
  subject: 'project',
  *check(model) {
    if (!holdsTenants(model)) return;
    for (const resource of model.resources) {
      const found = resource.kind === 'object' ? judged(model, resource) : undefined;
      if (!found) continue;
      yield {
        message: found.message,
        data: { method: resource.method, source: found.source },
        span: resource.span,
        confidence: found.confidence,
        key: `${resource.span.file} ${resource.library}.${resource.method} ${found.message}`,
      };
    }
  },
});

interface Found {
  readonly message: 'chosen' | 'shared' | 'prefix';
  readonly source: string;
  readonly confidence: 'likely' | 'possible';
}

function judged(model: Model, resource: ResourceAccess): Found | undefined {
  const parts = model.partsOf(resource, resource.key);
  const { own, unknown, random, request, common } = partsByKind(parts);
  if (parts.length === 0 || own.length > 0) {
    return resource.operation === 'list' && endsWithTenant(model, parts)
      ? { message: 'prefix', source: '', confidence: 'likely' }
      : undefined;
  }
  const [first] = request;
  // A value that is not known, in front of it, may be the tenant.
  const isBehindUnknown = unknown.length > 0 && parts.findIndex((p) => p.kind === 'unknown') < parts.indexOf(first!);
  if (resource.operation !== 'write') {
    if (!first || isBehindUnknown) return undefined;
    return {
      message: 'chosen',
      source: first.claim.what,
      // A key of several parts has an order that the program made, and what comes first may be checked by a way of its own.
      confidence:
        unknown.length > 0 || request.length > 1 || first.claim.confidence === 'possible' ? 'possible' : 'likely',
    };
  }
  if (unknown.length > 0 || random.length > 0) return undefined;
  // One object that the program itself names is meant to be one.
  if (request.length === 0 && common.length === 0) return undefined;
  return { message: 'shared', source: '', confidence: first?.claim.confidence === 'possible' ? 'possible' : 'likely' };
}

/** Whether a prefix ends with an identifier that another one may begin with: of variable length, and nothing behind it. */
function endsWithTenant(model: Model, parts: readonly ResourcePart[]): boolean {
  if (parts.at(-1)?.kind !== 'own') return false;
  const roots = [...model.schema.tables.values()].filter((t) => model.tenancyOf(t.id).kind === 'root');
  const keys = roots.flatMap((table) => {
    const tenancy = model.tenancyOf(table.id);
    const column = tenancy.kind === 'root' ? table.columns.get(tenancy.key) : undefined;
    return column ? [column] : [];
  });
  // Generated texts and uuids are all of one length.
  return (
    keys.length > 0 &&
    keys.every((k) => !/uuid/i.test(k.type) && !(/text|char|string/i.test(k.type) && k.default !== undefined))
  );
}
