import type {
  DeleteStatement,
  From,
  InsertStatement,
  QName,
  QNameAliased,
  SelectedColumn,
  SelectFromStatement,
  SelectStatement,
  Statement,
  UpdateStatement,
  WithRecursiveStatement,
  WithStatement,
  WithStatementBinding,
} from 'pgsql-ast-parser';
import { definition } from './definitions.js';
import { Expressions } from './expressions.js';
import { only, string, Untranslated, type Locate, type Tree } from './shape.js';

/** Statements as trees of PostgreSQL's own grammar, so that one lowering serves both parsers. Throws Untranslated. */
export class Statements {
  readonly #locate: Locate;
  readonly expressions: Expressions;

  constructor(locate: Locate) {
    this.#locate = locate;
    this.expressions = new Expressions(locate, (select) => this.query(select));
  }

  statement(s: Statement): Tree {
    switch (s.type) {
      case 'select':
      case 'union':
      case 'union all':
      case 'values':
        return this.query(s);
      case 'with':
      case 'with recursive':
        return this.#binding(s);
      case 'insert':
        return this.#insert(s);
      case 'update':
        return this.#update(s);
      case 'delete':
        return this.#delete(s);
      case 'truncate table':
        return {
          TruncateStmt: {
            relations: s.tables.map((t) => ({ RangeVar: this.relation(t) })),
            behavior: s.cascade === 'cascade' ? 'DROP_CASCADE' : 'DROP_RESTRICT',
          },
        };
      case 'begin':
      case 'start transaction':
        return { TransactionStmt: { kind: 'TRANS_STMT_BEGIN' } };
      case 'commit':
        return { TransactionStmt: { kind: 'TRANS_STMT_COMMIT' } };
      case 'rollback':
        return { TransactionStmt: { kind: 'TRANS_STMT_ROLLBACK' } };
      default: {
        const made = definition(s, this);
        if (made) return made;
        throw new Untranslated(`a statement of type ${s.type}`);
      }
    }
  }

  /** A table as a relation of the tree, without the wrapper. */
  relation(name: QNameAliased | QName, columns?: readonly { readonly name: string }[] | null): Tree {
    const alias = 'alias' in name ? name.alias : undefined;
    return only({
      schemaname: name.schema,
      relname: name.name,
      inh: true,
      relpersistence: 'p',
      alias:
        alias === undefined
          ? undefined
          : only({ aliasname: alias, colnames: (columns ?? []).map((c) => string(c.name)) }),
      location: this.#locate(name),
    });
  }

  query(s: SelectStatement | WithStatement | WithStatementBinding): Tree {
    switch (s.type) {
      case 'select':
        return { SelectStmt: this.#select(s) };
      case 'union':
      case 'union all':
        return {
          SelectStmt: only({
            limitOption: 'LIMIT_OPTION_DEFAULT',
            op: 'SETOP_UNION',
            all: s.type === 'union all',
            larg: this.query(s.left)['SelectStmt'],
            rarg: this.query(s.right)['SelectStmt'],
          }),
        };
      case 'values':
        return {
          SelectStmt: {
            valuesLists: s.values.map((row) => ({ List: { items: this.expressions.all(row) } })),
            limitOption: 'LIMIT_OPTION_DEFAULT',
            op: 'SETOP_NONE',
          },
        };
      default:
        return this.#binding(s);
    }
  }

  #binding(s: WithStatementBinding): Tree {
    if (s.type === 'insert') return this.#insert(s);
    if (s.type === 'update') return this.#update(s);
    if (s.type === 'delete') return this.#delete(s);
    if (s.type !== 'with' && s.type !== 'with recursive') return this.query(s);
    const inner = this.#binding(s.in);
    const [kind] = Object.keys(inner);
    if (kind === undefined) throw new Untranslated('WITH');
    const ctes = s.type === 'with' ? this.#bound(s) : this.#recursive(s);
    const withClause = only({ ctes, recursive: s.type === 'with recursive', location: this.#locate(s) });
    return { [kind]: { ...(inner[kind] as Tree), withClause } };
  }

  #bound(s: WithStatement): readonly Tree[] {
    return s.bind.map(({ alias, statement }) => ({
      CommonTableExpr: {
        ctename: alias.name,
        ctematerialized: 'CTEMaterializeDefault',
        ctequery: this.#binding(statement),
        location: this.#locate(alias),
      },
    }));
  }

  #recursive(s: WithRecursiveStatement): readonly Tree[] {
    return [
      {
        CommonTableExpr: only({
          ctename: s.alias.name,
          aliascolnames: s.columnNames.map((c) => string(c.name)),
          ctematerialized: 'CTEMaterializeDefault',
          ctequery: this.query(s.bind),
          location: this.#locate(s.alias),
        }),
      },
    ];
  }

  #select(s: SelectFromStatement): Tree {
    const { one, all } = this.expressions;
    return only({
      distinctClause: s.distinct === 'distinct' ? [{}] : Array.isArray(s.distinct) ? all(s.distinct) : undefined,
      targetList: this.#output(s.columns),
      fromClause: this.#from(s.from),
      whereClause: s.where ? one(s.where) : undefined,
      groupClause: all(s.groupBy),
      havingClause: s.having ? one(s.having) : undefined,
      sortClause: (s.orderBy ?? []).map((o) => ({ SortBy: { node: one(o.by) } })),
      limitCount: s.limit?.limit ? one(s.limit.limit) : undefined,
      limitOffset: s.limit?.offset ? one(s.limit.offset) : undefined,
      limitOption: s.limit ? 'LIMIT_OPTION_COUNT' : 'LIMIT_OPTION_DEFAULT',
      lockingClause: s.for
        ? [{ LockingClause: { strength: 'LCS_FORUPDATE', waitPolicy: 'LockWaitBlock' } }]
        : undefined,
      op: 'SETOP_NONE',
    });
  }

  #output(columns: readonly SelectedColumn[] | null | undefined): readonly Tree[] {
    return (columns ?? []).map((c) => ({
      ResTarget: only({ name: c.alias?.name, val: this.expressions.one(c.expr), location: this.#locate(c) }),
    }));
  }

  /** A list in which each table says how it is joined to what stands before it, as a tree of joins. */
  #from(list: readonly From[] | null | undefined): readonly Tree[] {
    const items: Tree[] = [];
    for (const item of list ?? []) {
      const right = this.#fromItem(item);
      const { join } = item;
      const left = items.at(-1);
      if (!join || !left) {
        items.push(right);
        continue;
      }
      const kinds = {
        'INNER JOIN': 'INNER',
        'LEFT JOIN': 'LEFT',
        'RIGHT JOIN': 'RIGHT',
        'FULL JOIN': 'FULL',
        'CROSS JOIN': 'INNER',
      };
      items[items.length - 1] = {
        JoinExpr: only({
          jointype: `JOIN_${kinds[join.type]}`,
          larg: left,
          rarg: right,
          usingClause: (join.using ?? []).map((u) => string(u.name)),
          quals: join.on ? this.expressions.one(join.on) : undefined,
        }),
      };
    }
    return items;
  }

  #fromItem(item: From): Tree {
    if (item.type === 'table') return { RangeVar: this.relation(item.name, item.name.columnNames) };
    if (item.type === 'statement') {
      const alias = only({ aliasname: item.alias, colnames: (item.columnNames ?? []).map((c) => string(c.name)) });
      return { RangeSubselect: only({ lateral: item.lateral === true, subquery: this.query(item.statement), alias }) };
    }
    const { alias, join: _, lateral, withOrdinality, ...call } = item;
    return {
      RangeFunction: only({
        lateral: lateral === true,
        ordinality: withOrdinality === true,
        functions: [{ List: { items: [this.expressions.one(call), {}] } }],
        alias: alias && only({ aliasname: alias.name, colnames: (alias.columns ?? []).map((c) => string(c.name)) }),
      }),
    };
  }

  #sets(sets: UpdateStatement['sets']): readonly Tree[] {
    return sets.map((s) => ({
      ResTarget: { name: s.column.name, val: this.expressions.one(s.value), location: this.#locate(s) },
    }));
  }

  #returning(columns: readonly SelectedColumn[] | null | undefined): Tree | undefined {
    return columns && columns.length > 0 ? { exprs: this.#output(columns) } : undefined;
  }

  #insert(s: InsertStatement): Tree {
    const { onConflict } = s;
    const select = this.query(s.insert)['SelectStmt'];
    return {
      InsertStmt: only({
        relation: this.relation(s.into),
        cols: (s.columns ?? []).map((c) => ({ ResTarget: { name: c.name, location: this.#locate(c) } })),
        selectStmt: { SelectStmt: select },
        onConflictClause: onConflict ? this.#conflict(onConflict) : undefined,
        returningClause: this.#returning(s.returning),
        override: 'OVERRIDING_NOT_SET',
      }),
    };
  }

  #conflict(c: NonNullable<InsertStatement['onConflict']>): Tree {
    const infer =
      c.on?.type === 'on constraint'
        ? { conname: c.on.constraint.name }
        : c.on && {
            indexElems: c.on.exprs.map((e) => ({
              IndexElem: e.type === 'ref' ? { name: e.name } : { expr: this.expressions.one(e) },
            })),
          };
    const sets = typeof c.do === 'object' ? c.do.sets : undefined;
    return only({
      action: sets ? 'ONCONFLICT_UPDATE' : 'ONCONFLICT_NOTHING',
      infer,
      targetList: sets && this.#sets(sets),
      whereClause: c.where ? this.expressions.one(c.where) : undefined,
    });
  }

  #update(s: UpdateStatement): Tree {
    return {
      UpdateStmt: only({
        relation: this.relation(s.table),
        targetList: this.#sets(s.sets),
        whereClause: s.where ? this.expressions.one(s.where) : undefined,
        fromClause: s.from ? this.#from([s.from]) : undefined,
        returningClause: this.#returning(s.returning),
      }),
    };
  }

  #delete(s: DeleteStatement): Tree {
    return {
      DeleteStmt: only({
        relation: this.relation(s.from),
        whereClause: s.where ? this.expressions.one(s.where) : undefined,
        returningClause: this.#returning(s.returning),
      }),
    };
  }
}
