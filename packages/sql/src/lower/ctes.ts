import type { CommonTableExpr, Node, SelectStmt, WithClause } from '@pgsql/types';
import type { Draft } from './context.js';
import type { Cte, Scope } from './scope.js';
import { renameOutput } from './scope.js';
import { lowerDml } from './dml.js';
import { namesTable, strings } from './nodes.js';
import type { Rows } from './select.js';
import { lowerSelect, noRows, unite } from './select.js';

/**
 * Brings the common table expressions of a WITH into scope. A query is lowered anew for each reference, since its rows are other rows
 * then and other conditions bind them. A data-modifying one runs exactly once, whether or not it is referenced.
 *
 * `drafts`, asked after the main query was lowered, are the targets of modifying expressions and of those that nothing references.
 */
export function withCtes(
  clause: WithClause | undefined,
  outer: Scope,
): { scope: Scope; drafts: () => readonly Draft[] } {
  if (!clause?.ctes) return { scope: outer, drafts: () => [] };
  const ctes = new Map(outer.ctes);
  const scope: Scope = { ...outer, ctes };
  const modified: Draft[] = [];
  const unused: (() => readonly Draft[])[] = [];
  for (const item of clause.ctes) {
    if (!('CommonTableExpr' in item)) continue;
    const cte = item.CommonTableExpr;
    const name = cte.ctename ?? '';
    // Without RECURSIVE an expression sees only those before it.
    const visible: Scope = clause.recursive ? scope : { ...outer, ctes: new Map(ctes) };
    const query = cte.ctequery;
    if (query && 'SelectStmt' in query) {
      const select = query.SelectStmt;
      let references = 0;
      const reference = (): Rows => {
        references++;
        return named(
          cte,
          clause.recursive && refersTo(select, name)
            ? lowerRecursive(cte, select, visible)
            : lowerSelect(select, visible, 'cte'),
        );
      };
      ctes.set(name, { reference });
      unused.push(() => (references === 0 ? reference().drafts : []));
    } else {
      const rows = named(cte, (query && lowerDml(query, visible, 'cte')) ?? noRows);
      modified.push(...rows.drafts);
      const reference = (): Rows => ({ ...rows, drafts: [] });
      ctes.set(name, { reference });
    }
  }
  return { scope, drafts: () => [...modified, ...unused.flatMap((drafts) => drafts())] };
}

const named = (cte: CommonTableExpr, rows: Rows): Rows => ({
  ...rows,
  output: renameOutput(rows.output, strings(cte.aliascolnames)),
});

/**
 * A recursive query: rows of the first arm, and rows that the second reaches from rows already found. Inside the second arm the name
 * stands for a row of the first. That is the step of an induction: if what holds of the first arm's rows holds of the rows that one step
 * reaches from them, it holds of all.
 */
function lowerRecursive(cte: CommonTableExpr, select: SelectStmt, scope: Scope): Rows {
  if ((select.op ?? 'SETOP_NONE') === 'SETOP_NONE' || !select.larg || !select.rarg)
    return lowerSelect(select, withoutCte(scope, cte), 'cte');
  const first = lowerSelect(select.larg, withoutCte(scope, cte), 'cte');
  const start = named(cte, first);
  const self: Cte = { reference: () => ({ ...start, drafts: [] }) };
  const second = lowerSelect(
    select.rarg,
    { ...scope, ctes: new Map([...scope.ctes, [cte.ctename ?? '', self]]) },
    'cte',
  );
  return unite([first, second], 'union', scope);
}

/** Where a query refers to itself in a place that Postgres refuses, the name is taken for a table; nothing recurses. */
function withoutCte(scope: Scope, cte: CommonTableExpr): Scope {
  const ctes = new Map(scope.ctes);
  ctes.delete(cte.ctename ?? '');
  return { ...scope, ctes };
}

const refersTo = (select: SelectStmt, name: string): boolean => namesTable({ SelectStmt: select } as Node, name);
