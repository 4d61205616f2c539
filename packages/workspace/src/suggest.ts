import type { LinkedAccess, Model } from '@tenant-lint/analysis';
import type { Edit, Finding, Fix, Target } from '@tenant-lint/model';
import { insertFilter, namesAt } from '@tenant-lint/typescript';

/** Rules whose findings a condition on the key mends. */
const mendable = new Set(['require-tenant-filter', 'no-unscoped-get']);

/**
 * The edit that holds an access to the current tenant, with a value that is in scope there and surely is the tenant; undefined where there is
 * none, or where the library's way to say it is not known. `text` is what the model was made of. Whoever offers it asks the analysis about
 * the edited text first, see `mends`.
 */
export function suggestionFor(model: Model, finding: Finding, text: string): Fix | undefined {
  const { span } = finding;
  if (!span || !mendable.has(finding.rule) || model.files.get(span.file)?.dialect !== 'typescript') return undefined;
  for (const access of model.accesses) {
    if (access.file !== span.file || access.span.start !== span.start || access.span.end !== span.end) continue;
    const target = access.targets.find(
      (t) => t.role === 'root' && model.tableOf(t)?.id === finding.table && model.verdict(access, t).kind === 'leak',
    );
    const fix = target && filterFor(model, access, target, text);
    if (fix) return fix;
  }
  return undefined;
}

function filterFor(model: Model, access: LinkedAccess, target: Target, text: string): Fix | undefined {
  const table = model.tableOf(target);
  const chain = model.files.get(access.file)?.chains.find(({ id }) => id === access.chain);
  if (!table || !('indexes' in table) || !chain) return undefined;
  for (const { expression, value } of namesAt(text, chain.span, model.tenantPaths())) {
    const column = model.keyHeldTo(access, target, value);
    if (column === undefined) continue;
    const property = table.columns.get(column)?.property ?? column;
    const edits = insertFilter(text, {
      library: access.library,
      method: access.method,
      span: chain.span,
      column,
      property,
      ...(target.alias === undefined ? {} : { alias: target.alias }),
      isJoined: access.targets.length > 1,
      expression,
    });
    if (edits) return { description: `Hold ${column} to ${expression}, the current tenant.`, edits };
  }
  return undefined;
}

/** A text after some edits of it, which do not overlap. */
export const edited = (text: string, edits: readonly Edit[]): string =>
  [...edits]
    .sort((a, b) => b.start - a.start)
    .reduce((now, { start, end, text: put }) => now.slice(0, start) + put + now.slice(end), text);

/** Whether some findings are gone after an edit and no other has come: the findings before, and after. */
export function mends(mended: readonly Finding[], before: readonly Finding[], after: readonly Finding[]): boolean {
  const left = new Map<string, number>();
  for (const f of before) left.set(kindOfFinding(f), (left.get(kindOfFinding(f)) ?? 0) + 1);
  for (const f of mended) left.set(kindOfFinding(f), (left.get(kindOfFinding(f)) ?? 0) - 1);
  return after.every((f) => {
    const count = left.get(kindOfFinding(f)) ?? 0;
    left.set(kindOfFinding(f), count - 1);
    return count > 0;
  });
}

/** What an edit elsewhere in a file does not change. */
const kindOfFinding = ({ rule, message, span, table, severity }: Finding): string =>
  [rule, message, span?.file, table, severity].join(' ');
