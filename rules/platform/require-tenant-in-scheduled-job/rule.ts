import { defineRule } from '@tenant-lint/engine';
import { tableName } from '../../lib/naming.js';
import { bypasses, isolatedTables } from '../../lib/roles.js';

export default defineRule({
  meta: {
    id: 'require-tenant-in-scheduled-job',
    group: 'platform',
    summary: 'Require that scheduled jobs keep tenants apart',
    since: 'next',
    severity: 'warning',
    recommended: false,

    hosts: ['sql'],
    needs: ['migrations'],
    catalogue: ['Z10'],
    messages: {
      job: {
        what: 'The scheduled job {job} works on {tables} of all tenants at once.',
        why: 'pg_cron runs it as whoever scheduled it, usually a superuser, so row security does not hold and one mistake reaches every tenant.',
        fix: 'Loop over the tenants with the setting of each, or run it under a role that policies hold for.',
      },
    },
  },
  subject: 'project',
  *check(_, model) {
    const isolated = new Map(isolatedTables(model).map((t) => [t.id, t]));
    for (const job of model.schema.jobs ?? []) {
      if (job.role !== undefined && model.schema.roles.has(job.role) && bypasses(model, job.role) === undefined)
        continue;
      const called = job.calls.flatMap(
        (name) => model.schema.functions.get(name.includes('.') ? name : `public.${name}`) ?? [],
      );
      // What a job calls runs with the rights of the job.
      const { leaks } = model.accessOf([...job.queries, ...called.flatMap((f) => f.queries)]);
      const tables = [
        ...new Set(leaks.filter((l) => l.cause === 'unbound' && isolated.has(l.table)).map((l) => tableName(l.table))),
      ];
      if (tables.length === 0) continue;
      yield {
        message: 'job',
        data: { job: job.name ?? 'without a name', tables: tables.join(', ') },
        span: job.span,
        confidence: 'certain',
        key: `job ${job.name ?? tables.join()}`,
      };
    }
  },
});
