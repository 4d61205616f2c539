import { defineRule } from '@tenant-lint/engine';
import { holdsTenants, partsByKind } from '../../lib/resources.js';

export default defineRule({
  meta: {
    id: 'require-tenant-in-job',
    group: 'resource',
    summary: 'Require that jobs carry the tenant they are for, and names of their own in its queue',
    since: 'next',
    severity: 'warning',
    recommended: true,
    hosts: ['typescript'],
    needs: ['schema', 'code'],
    catalogue: ['C-85', 'C-86'],
    messages: {
      payload: {
        what: '{method} puts {source} of the request into a job that says nothing of the tenant.',
        why: "The job runs later with the authority of the system, and works with whatever row has that {name}, another tenant's too.",
        fix: 'Load the row under the tenant of the session first, or put the tenant into the job and load under it there.',
      },
      name: {
        what: '{method} names the job by {source}, which two tenants can have in common.',
        why: 'A queue keeps one job of a name: the job of the second tenant is dropped, or replaces that of the first.',
        fix: 'Put the tenant in front of the name of the job.',
      },
    },
  },
  subject: 'project',
  *check(model) {
    if (!holdsTenants(model)) return;
    for (const resource of model.resources) {
      if (resource.kind !== 'job') continue;
      const { own, unknown, request, random } = partsByKind(model.partsOf(resource, resource.payload));
      const chosen = request.find((p) => /(?:^|_)ids?$|Ids?$|^key$|^url$/.test(p.name ?? ''));
      if (chosen && own.length === 0 && random.length === 0) {
        yield {
          message: 'payload',
          data: { method: resource.method, source: chosen.claim.what, name: chosen.name ?? 'identifier' },
          span: resource.span,
          confidence: unknown.length > 0 || chosen.claim.confidence === 'possible' ? 'possible' : 'likely',
          key: `${resource.span.file} ${resource.library}.${resource.method} payload`,
        };
      }
      const name = partsByKind(model.partsOf(resource, resource.key));
      const said = [...name.common.map((p) => p.column), ...name.request.map((p) => `${p.claim.what} of the request`)];
      if (said.length === 0 || name.own.length > 0 || name.unknown.length > 0 || name.random.length > 0) continue;
      yield {
        message: 'name',
        data: { method: resource.method, source: said[0] ?? '' },
        span: resource.span,
        confidence: 'likely',
        key: `${resource.span.file} ${resource.library}.${resource.method} name`,
      };
    }
  },
});
