import type { Expr, ExprBinary, ExprCall, ExprUnary, SelectStatement, WithStatement } from 'pgsql-ast-parser';
import { only, string, strings, Untranslated, type Locate, type Tree } from './shape.js';
import { typeName } from './types.js';

/** Translates expressions; sub-queries are handed to `query`. */
export class Expressions {
  readonly #locate: Locate;
  readonly #query: (select: SelectStatement | WithStatement) => Tree;

  constructor(locate: Locate, query: (select: SelectStatement | WithStatement) => Tree) {
    this.#locate = locate;
    this.#query = query;
  }

  all = (list: readonly Expr[] | null | undefined): readonly Tree[] => (list ?? []).map(this.one);

  one = (e: Expr): Tree => {
    const location = this.#locate(e);
    switch (e.type) {
      case 'ref': {
        const fields = [
          ...(e.table?.schema === undefined ? [] : [string(e.table.schema)]),
          ...(e.table === undefined ? [] : [string(e.table.name)]),
          e.name === '*' ? { A_Star: {} } : string(e.name),
        ];
        return { ColumnRef: { fields, location } };
      }
      case 'parameter':
        return { ParamRef: only({ number: Number(e.name.replace(/^\$/, '')), location }) };
      case 'null':
        return { A_Const: { isnull: true, location } };
      case 'integer':
        return {
          A_Const:
            Math.abs(e.value) > 2147483647
              ? { fval: { fval: String(e.value) }, location }
              : { ival: e.value === 0 ? {} : { ival: e.value }, location },
        };
      case 'numeric':
        return { A_Const: { fval: { fval: String(e.value) }, location } };
      case 'string':
        return { A_Const: { sval: { sval: e.value }, location } };
      case 'boolean':
        return { A_Const: { boolval: e.value ? { boolval: true } : {}, location } };
      case 'default':
        return { SetToDefault: { location } };
      case 'list':
        return { RowExpr: { args: this.all(e.expressions), row_format: 'COERCE_IMPLICIT_CAST', location } };
      case 'array':
        return { A_ArrayExpr: only({ elements: this.all(e.expressions), location }) };
      case 'array select':
        return { SubLink: { subLinkType: 'ARRAY_SUBLINK', subselect: this.#query(e.select), location } };
      case 'cast':
        return { TypeCast: { arg: this.one(e.operand), typeName: typeName(e.to), location } };
      case 'member': {
        const member: Tree =
          typeof e.member === 'number'
            ? { A_Const: { ival: e.member === 0 ? {} : { ival: e.member } } }
            : { A_Const: { sval: { sval: e.member } } };
        return this.#operator(e.op, this.one(e.operand), member, location);
      }
      case 'arrayIndex':
        return { A_Indirection: { arg: this.one(e.array), indirection: [{ A_Indices: { uidx: this.one(e.index) } }] } };
      case 'ternary':
        return {
          A_Expr: {
            kind: e.op === 'BETWEEN' ? 'AEXPR_BETWEEN' : 'AEXPR_NOT_BETWEEN',
            name: strings(e.op),
            lexpr: this.one(e.value),
            rexpr: { List: { items: [this.one(e.lo), this.one(e.hi)] } },
            location,
          },
        };
      case 'case':
        return {
          CaseExpr: only({
            arg: e.value ? this.one(e.value) : undefined,
            args: e.whens.map((w) => ({
              CaseWhen: { expr: this.one(w.when), result: this.one(w.value), location: this.#locate(w) },
            })),
            defresult: e.else ? this.one(e.else) : undefined,
            location,
          }),
        };
      case 'extract':
        return {
          FuncCall: {
            funcname: strings('pg_catalog', 'extract'),
            args: [{ A_Const: { sval: { sval: e.field.name } } }, this.one(e.from)],
            funcformat: 'COERCE_SQL_SYNTAX',
            location,
          },
        };
      case 'keyword':
        return this.#keyword(e.keyword, location);
      case 'call':
        return this.#call(e, location);
      case 'unary':
        return this.#unary(e, location);
      case 'binary':
        return this.#binary(e, location);
      case 'substring':
        return this.#sqlFunction('substring', [e.value, e.from, e.for], location);
      case 'overlay':
        return this.#sqlFunction('overlay', [e.value, e.placing, e.from, e.for], location);
      case 'select':
      case 'union':
      case 'union all':
      case 'values':
      case 'with':
      case 'with recursive':
        return { SubLink: { subLinkType: 'EXPR_SUBLINK', subselect: this.#query(e), location } };
      default:
        throw new Untranslated(`an expression of type ${e.type}`);
    }
  };

  #operator(op: string, lexpr: Tree | undefined, rexpr: Tree, location: number, kind = 'AEXPR_OP'): Tree {
    return { A_Expr: only({ kind, name: strings(op), lexpr, rexpr, location }) };
  }

  #sqlFunction(name: string, args: readonly (Expr | null | undefined)[], location: number): Tree {
    const given = args.flatMap((a) => (a ? [this.one(a)] : []));
    return {
      FuncCall: { funcname: strings('pg_catalog', name), args: given, funcformat: 'COERCE_SQL_SYNTAX', location },
    };
  }

  #keyword(keyword: string, location: number): Tree {
    if (keyword === 'distinct') throw new Untranslated('DISTINCT as an expression');
    const op = keyword === 'user' ? 'SVFOP_USER' : `SVFOP_${keyword.toUpperCase()}`;
    return { SQLValueFunction: { op, typmod: -1, location } };
  }

  #unary(e: ExprUnary, location: number): Tree {
    const arg = this.one(e.operand);
    switch (e.op) {
      case 'NOT':
        return { BoolExpr: { boolop: 'NOT_EXPR', args: [arg], location } };
      case 'IS NULL':
      case 'IS NOT NULL':
        return { NullTest: { arg, nulltesttype: e.op.replaceAll(' ', '_'), location } };
      case 'IS TRUE':
      case 'IS FALSE':
      case 'IS NOT TRUE':
      case 'IS NOT FALSE':
        return { BooleanTest: { arg, booltesttype: e.op.replaceAll(' ', '_'), location } };
      default: {
        // The grammar folds the sign into a number.
        const constant = arg['A_Const'] as { ival?: { ival?: number }; fval?: { fval: string } } | undefined;
        if (e.op === '-' && constant?.ival)
          return { A_Const: { ival: { ival: -(constant.ival.ival ?? 0) }, location } };
        if (e.op === '-' && constant?.fval) return { A_Const: { fval: { fval: `-${constant.fval.fval}` }, location } };
        return this.#operator(e.op, undefined, arg, location);
      }
    }
  }

  #binary(e: ExprBinary, location: number): Tree {
    const { op } = e;
    if (op === 'AND' || op === 'OR') {
      const boolop = `${op}_EXPR`;
      const flat = (operand: Expr): readonly Tree[] =>
        operand.type === 'binary' && operand.op === op
          ? [...flat(operand.left), ...flat(operand.right)]
          : [this.one(operand)];
      return { BoolExpr: { boolop, args: [...flat(e.left), ...flat(e.right)], location } };
    }
    if (op === 'IN' || op === 'NOT IN') return this.#in(e, location);
    if (op === 'AT TIME ZONE')
      return {
        FuncCall: {
          funcname: strings('pg_catalog', 'timezone'),
          args: [this.one(e.right), this.one(e.left)],
          funcformat: 'COERCE_SQL_SYNTAX',
          location,
        },
      };
    const likes = { LIKE: '~~', 'NOT LIKE': '!~~', ILIKE: '~~*', 'NOT ILIKE': '!~~*' } as const;
    const like = Object.hasOwn(likes, op) ? likes[op as 'LIKE'] : undefined;
    const name = op === '!=' ? '<>' : (like ?? op);
    const quantified = e.right.type === 'call' && e.right.function.schema === undefined ? e.right : undefined;
    const word = quantified?.function.name;
    const [only1] = quantified?.args ?? [];
    if (quantified && only1 && quantified.args.length === 1 && (word === 'any' || word === 'some' || word === 'all'))
      return this.#quantified(e, name, word === 'all' ? 'all' : 'any', only1, location);
    const kind = like === undefined ? 'AEXPR_OP' : op.includes('ILIKE') ? 'AEXPR_ILIKE' : 'AEXPR_LIKE';
    return this.#operator(name, this.one(e.left), this.one(e.right), location, kind);
  }

  #quantified(e: ExprBinary, name: string, how: 'any' | 'all', operand: Expr, location: number): Tree {
    const left = this.one(e.left);
    if (!isQuery(operand))
      return this.#operator(name, left, this.one(operand), location, how === 'all' ? 'AEXPR_OP_ALL' : 'AEXPR_OP_ANY');
    const subselect = this.#query(operand);
    if (how === 'any' && name === '=')
      return { SubLink: { subLinkType: 'ANY_SUBLINK', testexpr: left, subselect, location } };
    const subLinkType = how === 'all' ? 'ALL_SUBLINK' : 'ANY_SUBLINK';
    return { SubLink: { subLinkType, testexpr: left, operName: strings(name), subselect, location } };
  }

  #in(e: ExprBinary, location: number): Tree {
    const { left, right } = e;
    if (isQuery(right)) {
      const link: Tree = {
        SubLink: { subLinkType: 'ANY_SUBLINK', testexpr: this.one(left), subselect: this.#query(right), location },
      };
      return e.op === 'IN' ? link : { BoolExpr: { boolop: 'NOT_EXPR', args: [link], location } };
    }
    if (right.type !== 'list') {
      // One value in parentheses.
      return this.#operator(
        e.op === 'IN' ? '=' : '<>',
        this.one(left),
        { List: { items: [this.one(right)] } },
        location,
        'AEXPR_IN',
      );
    }
    return this.#operator(
      e.op === 'IN' ? '=' : '<>',
      this.one(left),
      { List: { items: this.all(right.expressions) } },
      location,
      'AEXPR_IN',
    );
  }

  #call(e: ExprCall, location: number): Tree {
    const { name, schema } = e.function;
    const [first, second] = e.args;
    if (schema === undefined) {
      if (name === 'exists' && first && isQuery(first))
        return { SubLink: { subLinkType: 'EXISTS_SUBLINK', subselect: this.#query(first), location } };
      if (name === 'coalesce') return { CoalesceExpr: { args: this.all(e.args), location } };
      if (name === 'nullif' && first && second)
        return this.#operator('=', this.one(first), this.one(second), location, 'AEXPR_NULLIF');
      if (name === 'greatest' || name === 'least')
        return { MinMaxExpr: { op: `IS_${name.toUpperCase()}`, args: this.all(e.args), location } };
      if (name === 'row')
        return { RowExpr: only({ args: this.all(e.args), row_format: 'COERCE_EXPLICIT_CALL', location }) };
    }
    const star = first?.type === 'ref' && first.name === '*' && first.table === undefined;
    return {
      FuncCall: only({
        funcname: strings(...(schema === undefined ? [] : [schema]), name),
        args: star ? [] : this.all(e.args),
        agg_star: star,
        agg_distinct: e.distinct === 'distinct',
        agg_order: (e.orderBy ?? []).map((o) => ({ SortBy: { node: this.one(o.by) } })),
        agg_filter: e.filter ? this.one(e.filter) : undefined,
        over: e.over
          ? only({
              partitionClause: this.all(e.over.partitionBy),
              orderClause: (e.over.orderBy ?? []).map((o) => ({ SortBy: { node: this.one(o.by) } })),
              frameOptions: 1058,
            })
          : undefined,
        funcformat: 'COERCE_EXPLICIT_CALL',
        location,
      }),
    };
  }
}

export const isQuery = (e: Expr): e is SelectStatement | WithStatement =>
  ['select', 'union', 'union all', 'values', 'with', 'with recursive'].includes(e.type);
