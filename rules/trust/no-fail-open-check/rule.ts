import type { LinkedAccess, Model } from '@tenant-lint/analysis';
import { defineRule, obligations } from '@tenant-lint/engine';
import type { Confidence, Span, Table, Target, View } from '@tenant-lint/model';
import { leakOf } from '../../lib/leak.js';
import { functionPath, keyColumns, methodName, participle, tableName, tieOf } from '../../lib/naming.js';

export default defineRule({
  meta: {
    id: 'no-fail-open-check',
    group: 'trust',
    summary: 'Disallow checks and scopes that let through whoever has no tenant',
    since: 'next',
    severity: 'error',
    recommended: true,
    hosts: ['typescript'],
    needs: ['schema', 'code'],
    catalogue: ['C-35', 'C-59'],
    messages: {
      skipped: {
        what: 'What holds {method} on {table} to the tenant is checked only for those who have one.',
        why: 'Whoever has none passes by the check: rows of every tenant can be {done}.',
        fix: 'Refuse where there is no tenant, and check always.',
      },
      unscoped: {
        what: 'Queries of {tables} go on without the condition on {tie} where there is no tenant.',
        why: 'Whatever runs outside of a context, or loses it, reaches the rows of every tenant.',
        fix: 'Throw where there is no tenant, and give code that works for all tenants a client of its own.',
      },
    },
  },
  subject: 'project',
  *check(_, model) {
    for (const { access, target } of obligations(model)) {
      const leak = leakOf({ access, target }, model);
      const at = leak && model.openCheck(access, target);
      if (!at) continue;
      yield {
        message: 'skipped',
        data: {
          method: methodName(access),
          table: tableName(leak.table.id),
          done: participle(target.operation),
        },
        span: access.span,
        // That somebody without a tenant comes here is what the test itself takes for possible.
        confidence: leak.verdict.confidence === 'certain' ? 'likely' : leak.verdict.confidence,
        evidence: leak.verdict.evidence,
        witness: leak.verdict.witness.text,
        table: leak.table.id,
        related: [{ span: at, text: 'the check is passed by here' }],
        key: `${access.file} ${functionPath(model, access)} ${leak.table.id}`,
        cause: `target ${access.id} ${target.ref}`,
      };
    }
    for (const { at, uses } of scopesLeftOut(model)) {
      const tables = [...new Set(uses.map((use) => tableName(use.table.id)))].sort();
      const shown = tables.slice(0, 3).join(', ') + (tables.length > 3 ? ` and ${tables.length - 3} others` : '');
      const confidence: Confidence = 'likely';
      yield {
        message: 'unscoped',
        data: { tables: shown, tie: tieOf(model.tenancyOf(uses[0].table.id)) },
        span: at,
        confidence,
        related: uses.slice(0, 20).map(({ access }) => ({ span: access.span, text: 'this relies on it' })),
        key: `${at.file} scope ${tables[0] ?? ''}`,
      };
    }
  },
});

interface Use {
  readonly access: LinkedAccess;
  readonly target: Target;
  readonly table: Table | View;
}

/** Where scopes leave the tenant out, each once, with what relies on them. */
function scopesLeftOut(model: Model): readonly { readonly at: Span; readonly uses: readonly [Use, ...Use[]] }[] {
  const found = new Map<string, { readonly at: Span; readonly uses: [Use, ...Use[]] }>();
  for (const { access, target } of obligations(model)) {
    const table = model.tableOf(target);
    if (!table) continue;
    const keys = new Set(keyColumns(model.tenancyOf(table.id)));
    for (const lost of access.lost ?? []) {
      if (lost.how !== 'skipped' || !lost.at) continue;
      const parts = lost.predicate.kind === 'and' ? lost.predicate.of : [lost.predicate];
      const isAboutTenant = parts.some(
        (p) =>
          p.kind === 'compare' && p.left.kind === 'column' && p.left.target === target.ref && keys.has(p.left.column),
      );
      if (!isAboutTenant) continue;
      const use: Use = { access, target, table };
      const key = `${lost.at.file} ${lost.at.start}`;
      const known = found.get(key);
      if (known) known.uses.push(use);
      else found.set(key, { at: lost.at, uses: [use] });
    }
  }
  return [...found.values()];
}
