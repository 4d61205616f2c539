import { extractSql } from '@tenant-lint/sql';
import { mapPredicate, type Predicate, type SchemaAction, type Span, type Value } from '@tenant-lint/model';
import { rewritePredicate } from '../substitute.js';

/** The one action of a statement, read by the SQL front end. */
export function parsed(sql: string): SchemaAction | undefined {
  const facts = extractSql(sql, { file: 'declared.sql', role: 'migration' });
  return facts.unchecked.length > 0 ? undefined : facts.schema[0]?.action;
}

/** The condition with the positions of the statement that it was read from replaced by one place in the file. */
export function relocated(predicate: Predicate, span: Span): Predicate {
  const value = (v: Value): Value => ('span' in v && v.span ? ({ ...v, span } as Value) : v);
  return rewritePredicate(mapPredicate(predicate, value), (p) => {
    const at = 'span' in p && p.span ? ({ ...p, span } as Predicate) : p;
    if (at.kind !== 'exists' && at.kind !== 'in-query') return at;
    return { ...at, query: { ...at.query, span, targets: at.query.targets.map((t) => ({ ...t, span })) } };
  });
}
