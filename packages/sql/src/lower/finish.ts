import type { Predicate, Target, TargetRef, Value, Writes } from '@tenant-lint/model';
import { always, and } from '@tenant-lint/model';
import type { Context, Draft, OutputItem } from './context.js';
import { isStar } from './context.js';
import { resolveUnions, resolveUnionsInValue } from './unions.js';

/** A draft with the conditions it has now as a target. `which`: the unions to resolve. */
export function targetOf(draft: Draft, context: Context, which?: (ref: TargetRef) => boolean): Target {
  const distinct = [...new Set<Predicate>(draft.conditions)];
  const predicate =
    distinct.length === 0 ? always(draft.vacuous) : resolveUnions(and(...distinct), draft.arms, context, which);
  const writes = draft.writes && resolveWrites(draft.writes, context, which);
  const updates = draft.updates && resolveWrites(draft.updates, context, which);
  return {
    ref: draft.ref,
    table: draft.table,
    ...(draft.alias !== undefined ? { alias: draft.alias } : {}),
    role: draft.role,
    operation: draft.operation,
    predicate,
    ...(writes ? { writes } : {}),
    ...(updates ? { updates } : {}),
    ...(draft.conflict ? { conflict: draft.conflict } : {}),
    ...(draft.conflictConstraint !== undefined ? { conflictConstraint: draft.conflictConstraint } : {}),
    cardinality: draft.cardinality,
    ...(draft.columns ? { columns: draft.columns } : {}),
    span: draft.span,
  };
}

function resolveWrites(writes: Writes, context: Context, which?: (ref: TargetRef) => boolean): Writes {
  const set = Object.entries(writes.set).map(
    ([name, value]) => [name, resolveUnionsInValue(value, context, which)] as const,
  );
  return { ...writes, set: Object.fromEntries(set) };
}

/** All targets of a statement, the root first, the others as they were met. */
export function finishDrafts(drafts: readonly Draft[], context: Context): Target[] {
  const number = (draft: Draft): number => (draft.role === 'root' ? -1 : Number(draft.ref.slice(1)));
  return [...new Set(drafts)].sort((a, b) => number(a) - number(b)).map((draft) => targetOf(draft, context));
}

/**
 * Notes for every draft which of its columns the output shows or another row gets; a star shows all, and then `columns` stays absent.
 */
export function noteColumns(drafts: readonly Draft[], output: readonly OutputItem[], context: Context): void {
  const shown = new Map<TargetRef, Set<string>>();
  const whole = new Set<TargetRef>();
  const visit = (value: Value): void => {
    if (value.kind === 'column') {
      for (const ref of value.target !== undefined ? [value.target] : (value.candidates?.[0] ?? [])) {
        shown.set(ref, (shown.get(ref) ?? new Set()).add(value.column));
        if (value.column === '*') whole.add(ref);
      }
      if (value.otherwise) visit(value.otherwise);
    } else if (value.kind === 'apply') value.to.forEach(visit);
    else if (value.kind === 'choice') value.of.forEach(visit);
    else if (value.kind === 'element') visit(value.of);
    else if (value.kind === 'list') value.of.forEach((item) => visit(item.value));
    else if (value.kind === 'query') for (const query of value.query.arms ?? [value.query]) query.output.forEach(visit);
    else if (value.kind === 'unknown' && value.reason === 'whole row') drafts.forEach((draft) => whole.add(draft.ref));
  };
  for (const draft of drafts) {
    for (const writes of [draft.writes, draft.updates])
      Object.values(writes?.set ?? {}).forEach((v) => visit(resolveUnionsInValue(v, context)));
  }
  for (const item of [...output, ...drafts.flatMap((draft) => draft.copied ?? [])]) {
    if (!isStar(item)) visit(resolveUnionsInValue(item.value, context));
    else for (const ref of item.star.flatMap((s) => behind(s.through, context))) whole.add(ref);
  }
  for (const draft of drafts) if (!whole.has(draft.ref)) draft.columns = [...(shown.get(draft.ref) ?? [])].sort();
}

/** The tables behind references, through the stars of unions. */
function behind(refs: readonly TargetRef[], context: Context): TargetRef[] {
  return refs.flatMap((ref) => {
    const arms = context.unions.get(ref);
    if (!arms) return [ref];
    return arms.flatMap((arm) =>
      behind(
        arm.output.filter(isStar).flatMap((item) => item.star.flatMap((s) => s.through)),
        context,
      ),
    );
  });
}
