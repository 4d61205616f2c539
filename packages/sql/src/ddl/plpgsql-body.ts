import type { Node, ResTarget } from '@pgsql/types';
import type { Access, Predicate, Value } from '@tenant-lint/model';
import { constant, mapValue, not, or, unknownValue, valueAt } from '@tenant-lint/model';
import { functionBodyScope, lowerCondition, lowerExpression, type Parameters } from '../lower/index.js';
import type { ParsedStatement } from '../parser/index.js';
import { attempt, NotAnExpression, queriesOf, selected, withoutValue, type Body } from './body.js';
import type { Reading } from './context.js';
import { strings } from './names.js';
import { dynamicInterpolations } from './dynamic.js';
import { parseExpression, parseFragment, type Fragment } from './fragment.js';
import {
  fieldsOf,
  lineOf,
  listOf,
  locate,
  nestedLists,
  nodeOf,
  numberOf,
  parseFunction,
  queryText,
  type PlStatement,
  type PlVariable,
} from './plpgsql.js';

/** The steps that evaluating a body may take: branches double what follows them. */
const maxSteps = 400;

/**
 * The body of a function in PL/pgSQL, evaluated symbolically: variables hold values, branches become choices. `statement` is the whole CREATE
 * FUNCTION. Loops, dynamic SQL and results row by row are not expressions.
 */
export function plpgsqlBody(
  reading: Reading,
  statement: string,
  body: Fragment,
  parameters: Parameters,
  returns: string,
): Body {
  const parsed = parseFunction(statement, body);
  const noValue = withoutValue(returns);
  if ('error' in parsed) return { queries: [], value: noValue ?? { known: false, reason: parsed.error } };
  const evaluation = new Evaluation(reading, body, parsed.variables);
  const names = new Map(parameters.values);
  const values: Parameters = { ...parameters, values: names };
  // Queries see variables as what the function was called with or, for its own variables, as unknown: their value may differ at each query.
  for (const variable of parsed.variables) {
    if (variable.name !== '' && !names.has(variable.name) && !variable.name.includes(' ')) {
      names.set(variable.name, { kind: 'unknown', reason: `variable ${variable.name}` });
    }
  }
  // What a function only tests, or never hands out, does not reach its caller.
  const found = evaluation.queries(parsed.body, values);
  const keeps =
    found.some((access) => access.kept) &&
    (/^(?:void|boolean|)$/.test(returns) || evaluation.refuses(parsed.body, values));
  const queries = found.map(({ kept, ...access }): Access => (kept && keeps ? { ...access, kept } : access));
  const value =
    noValue ?? attempt(() => evaluation.run(parsed.body, new Map(parameters.values), parameters) ?? constant(null));
  return { queries, value };
}

type Variables = ReadonlyMap<string, Value>;

class Evaluation {
  private steps = 0;
  private readonly tests = new Map<string, Predicate>();
  private readonly guards = new Map<PlStatement['fields'], readonly Predicate[]>();

  constructor(
    private readonly reading: Reading,
    private readonly body: Fragment,
    private readonly variables: readonly PlVariable[],
  ) {}

  /** The value returned by a list of statements; undefined where control falls off its end. */
  run(statements: readonly PlStatement[], variables: Variables, base: Parameters): Value | undefined {
    const [statement, ...rest] = statements;
    if (!statement) return undefined;
    if (++this.steps > maxSteps) throw new NotAnExpression('too many branches');
    const { kind, fields } = statement;
    const line = lineOf(statement);
    const evaluate = (name: string): Value =>
      this.expression(queryText(fields, name), line, { ...base, values: variables });
    switch (kind) {
      case 'block':
        this.checkHandlers(fields, variables, base);
        return this.run([...listOf(fields, 'body'), ...rest], this.declared(variables, base), base);
      case 'return': {
        if (nodeOf(fields, 'expr')) return evaluate('expr');
        const variable = this.variables[numberOf(fields, 'retvarno') ?? -1];
        return variable ? (variables.get(variable.name) ?? constant(null)) : constant(null);
      }
      case 'return_query': {
        const only = rest.every((next) => next.kind === 'return');
        const [parsed] = parseFragment(locate(this.body, queryText(fields, 'query') ?? '', line));
        if (!only || !parsed) throw new NotAnExpression('a result of several queries');
        return selected(this.reading, parsed, { ...base, values: variables });
      }
      case 'assign':
        return this.run(rest, this.assigned(statement, variables, base), base);
      case 'execsql':
        return this.run(rest, this.fetched(statement, variables, base), base);
      case 'perform':
      case 'assert':
        return this.run(rest, variables, base);
      case 'raise':
        // 21 is ERROR: the query ends, and no row passes. NULL lets none pass either.
        return numberOf(fields, 'elog_level') === 21 ? constant(null) : this.run(rest, variables, base);
      case 'if': {
        const branches = [
          { condition: queryText(fields, 'cond'), line, then: listOf(fields, 'then_body') },
          ...listOf(fields, 'elsif_list').map((branch) => ({
            condition: queryText(branch.fields, 'cond'),
            line: lineOf(branch),
            then: listOf(branch.fields, 'stmts'),
          })),
        ];
        return this.branch(branches, [...listOf(fields, 'else_body')], rest, variables, base);
      }
      case 'getdiag':
        throw new NotAnExpression('GET DIAGNOSTICS');
      case 'dynexecute':
        throw new NotAnExpression('dynamic SQL');
      default:
        throw new NotAnExpression(`the body has ${kind.replaceAll('_', ' ')}`);
    }
  }

  private branch(
    branches: readonly { condition: string | undefined; line: number; then: readonly PlStatement[] }[],
    otherwise: readonly PlStatement[],
    rest: readonly PlStatement[],
    variables: Variables,
    base: Parameters,
  ): Value | undefined {
    const [first, ...more] = branches;
    if (!first) return this.run([...otherwise, ...rest], variables, base);
    const test = this.condition(first.condition, first.line, { ...base, values: variables });
    const yes = this.run([...first.then, ...rest], variables, base);
    const no = this.branch(more, otherwise, rest, variables, base);
    return { kind: 'choice', of: [yes ?? constant(null), no ?? constant(null)], test };
  }

  /** A handler is passed over where all it does is to return NULL or FALSE: then an error lets no row pass, like the NULL put for it. */
  private checkHandlers(fields: PlStatement['fields'], variables: Variables, base: Parameters): void {
    const handlers = nodeOf(fields, 'exceptions');
    if (!handlers) return;
    for (const handler of listOf(handlers.fields, 'exc_list')) {
      const value = this.run(listOf(handler.fields, 'action'), variables, base);
      const denies = value?.kind === 'constant' && (value.value === null || value.value === false);
      if (value !== undefined && !denies) throw new NotAnExpression('an exception handler that returns a value');
    }
  }

  /** Declared variables start with their default, or NULL. */
  private declared(variables: Variables, base: Parameters): Variables {
    const all = new Map(variables);
    for (const { kind, name, fields } of this.variables) {
      if (
        all.has(name) ||
        name === '' ||
        (kind !== 'var' && kind !== 'rec') ||
        numberOf(fields, 'lineno') === undefined
      )
        continue;
      const text = queryText(fields, 'default_val');
      const line = numberOf(fields, 'lineno') ?? 1;
      all.set(name, text === undefined ? constant(null) : this.expression(text, line, { ...base, values: all }));
    }
    return all;
  }

  private assigned(statement: PlStatement, variables: Variables, base: Parameters): Variables {
    const variable = this.variables[numberOf(statement.fields, 'varno') ?? 0];
    const text = queryText(statement.fields, 'expr') ?? '';
    const assignment = /^\s*[\w"$.]+\s*:?=/.exec(text);
    if (!variable || variable.kind !== 'var' || !assignment)
      throw new NotAnExpression('an assignment to a part of a variable');
    const whole = locate(this.body, text, lineOf(statement));
    const skip = assignment[0].length;
    const fragment: Fragment = { text: text.slice(skip), at: (offset) => whole.at(offset + skip) };
    return new Map(variables).set(variable.name, this.parsed(fragment, { ...base, values: variables }));
  }

  /** SELECT ... INTO: each variable gets its column of the query. */
  private fetched(statement: PlStatement, variables: Variables, base: Parameters): Variables {
    const { fields } = statement;
    const [parsed] = parseFragment(locate(this.body, queryText(fields, 'sqlstmt') ?? '', lineOf(statement)));
    if (!parsed?.node || !('SelectStmt' in parsed.node)) throw new NotAnExpression('the body writes to a table');
    const target = nodeOf(fields, 'target');
    if (!target) throw new NotAnExpression('a query without destination');
    const names = listFieldNames(target);
    const record = typeof target.fields.refname === 'string' ? target.fields.refname : undefined;
    const single = names.length > 1 ? undefined : (names[0] ?? record);
    const all = new Map(variables);
    const parameters = { ...base, values: variables };
    if (single !== undefined) all.set(single, this.record(single, parsed, parameters));
    else names.forEach((name, i) => all.set(name, selected(this.reading, parsed, parameters, i)));
    const scope = functionBodyScope(this.reading.file, parameters, parsed);
    const exists: Node = { SubLink: { subLinkType: 'EXISTS_SUBLINK', subselect: parsed.node, location: -1 } };
    return all.set('found', { kind: 'predicate', predicate: lowerCondition(exists, scope) });
  }

  /** What the variable of an INTO holds: a record as an object of those of its fields that the body names. */
  private record(name: string, statement: ParsedStatement, parameters: Parameters): Value {
    const { node } = statement;
    if (!node || !('SelectStmt' in node)) throw new NotAnExpression('the body writes to a table');
    const select = node.SelectStmt;
    const targets = select.targetList ?? [];
    const used = fieldsOf(this.body.text, name);
    // A scalar, whatever the parser takes it for: it does not know the types of the schema.
    if (used.length === 0) return selected(this.reading, statement, parameters);
    const entries = used.map((field) => {
      const named = targets.findIndex((target) => 'ResTarget' in target && outputName(target.ResTarget) === field);
      if (named >= 0) return { set: field, value: selected(this.reading, statement, parameters, named) };
      const val: Node = { ColumnRef: { fields: [{ String: { sval: field } }], location: -1 } };
      const targetList: Node[] = [{ ResTarget: { val, location: -1 } }];
      const narrowed: ParsedStatement = { ...statement, node: { SelectStmt: { ...select, targetList } } };
      return { set: field, value: selected(this.reading, narrowed, parameters, 0) };
    });
    return { kind: 'object', entries };
  }

  private expression(text: string | undefined, line: number, parameters: Parameters): Value {
    if (text === undefined) throw new NotAnExpression('an expression that was not parsed');
    return this.parsed(locate(this.body, text, line), parameters);
  }

  private parsed(fragment: Fragment, parameters: Parameters): Value {
    const parsed = parseExpression(fragment);
    if (!parsed) throw new NotAnExpression('an expression that was not parsed');
    return fieldsRead(lowerExpression(parsed.node, functionBodyScope(this.reading.file, parameters, parsed.statement)));
  }

  private condition(text: string | undefined, line: number, parameters: Parameters): Value {
    const parsed = text === undefined ? undefined : parseExpression(locate(this.body, text, line));
    if (!parsed) throw new NotAnExpression('a condition that was not parsed');
    const scope = functionBodyScope(this.reading.file, parameters, parsed.statement);
    return fieldsRead({ kind: 'predicate', predicate: lowerCondition(parsed.node, scope) });
  }

  /** All static queries of a body, wherever they stand in it, with what must have held for control to come there. */
  queries(statements: readonly PlStatement[], parameters: Parameters, guards: readonly Predicate[] = []): Access[] {
    const passed = [...guards];
    return statements.flatMap((statement) => {
      const found = this.queriesIn(statement, parameters, [...passed]);
      passed.push(...this.guardsBehind(statement, parameters));
      return found;
    });
  }

  /** Whether some test in the body may end the function before its end. */
  refuses(statements: readonly PlStatement[], parameters: Parameters): boolean {
    return statements.some(
      (statement) =>
        this.guardsBehind(statement, parameters).length > 0 ||
        nestedLists.some((name) => this.refuses(listOf(statement.fields, name), parameters)),
    );
  }

  private queriesIn(statement: PlStatement, parameters: Parameters, guards: readonly Predicate[]): Access[] {
    const { kind, fields } = statement;
    const line = lineOf(statement);
    if (kind === 'if') {
      const before = [...guards];
      const found = this.branchesOf(statement, parameters).flatMap(({ condition, then }) => {
        const inside = this.queries(then, parameters, [...before, condition]);
        before.push(untrue(condition));
        return inside;
      });
      return [...found, ...this.queries(listOf(fields, 'else_body'), parameters, before)];
    }
    const text =
      queryText(fields, 'sqlstmt') ??
      queryText(fields, 'query') ??
      (kind === 'perform' ? queryText(fields, 'expr') : undefined);
    const isStatic = text !== undefined && kind !== 'dynexecute' && kind !== 'dynfors';
    const dynamic = kind === 'dynexecute' || kind === 'dynfors' ? this.dynamic(text ?? '', line, parameters) : [];
    const own = isStatic ? parseFragment(locate(this.body, text, line, kind === 'perform')) : [];
    const inner = kind === 'case' ? [...guards, { kind: 'unknown', reason: 'a branch of CASE' } as const] : guards;
    return [
      ...dynamic,
      ...own
        .flatMap((parsed) => queriesOf(this.reading, parsed, parameters))
        .map((access) => ({
          ...access,
          ...(guards.length > 0 ? { guards } : {}),
          ...(access.operation === 'read' && (kind === 'perform' || kind === 'execsql') ? { kept: true as const } : {}),
        })),
      ...nestedLists.flatMap((name) => this.queries(listOf(fields, name), parameters, inner)),
      ...this.queries(handlersOf(fields), parameters, guards),
    ];
  }

  private branchesOf(
    { fields, ...statement }: PlStatement,
    parameters: Parameters,
  ): { readonly condition: Predicate; readonly then: readonly PlStatement[] }[] {
    const of = (text: string | undefined, line: number, then: readonly PlStatement[]) => ({
      condition: this.test(text, line, parameters),
      then,
    });
    return [
      of(queryText(fields, 'cond'), lineOf({ fields, ...statement }), listOf(fields, 'then_body')),
      ...listOf(fields, 'elsif_list').map((branch) =>
        of(queryText(branch.fields, 'cond'), lineOf(branch), listOf(branch.fields, 'stmts')),
      ),
    ];
  }

  /** The condition of a branch; asked for again by every statement behind it. */
  private test(text: string | undefined, line: number, parameters: Parameters): Predicate {
    const key = `${line} ${text ?? ''}`;
    let known = this.tests.get(key);
    if (!known) this.tests.set(key, (known = this.tested(text, line, parameters)));
    return known;
  }

  private tested(text: string | undefined, line: number, parameters: Parameters): Predicate {
    try {
      const value = this.condition(text, line, parameters);
      return value.kind === 'predicate' ? value.predicate : { kind: 'value', of: value };
    } catch (error) {
      if (error instanceof NotAnExpression) return { kind: 'unknown', reason: error.message };
      throw error;
    }
  }

  /** What holds behind a statement because it would have left the function otherwise. */
  private guardsBehind(statement: PlStatement, parameters: Parameters): readonly Predicate[] {
    let known = this.guards.get(statement.fields);
    if (!known) this.guards.set(statement.fields, (known = this.guardsRead(statement, parameters)));
    return known;
  }

  private guardsRead(statement: PlStatement, parameters: Parameters): readonly Predicate[] {
    const { kind, fields } = statement;
    const line = lineOf(statement);
    if (kind === 'assert') return [this.test(queryText(fields, 'cond'), line, parameters)];
    if (kind === 'perform' || kind === 'assign')
      return this.refusals(queryText(fields, 'expr') ?? '', line, parameters);
    if (kind === 'execsql') return this.refusals(queryText(fields, 'sqlstmt') ?? '', line, parameters);
    if (kind === 'block') return listOf(fields, 'body').flatMap((inner) => this.guardsBehind(inner, parameters));
    if (kind !== 'if') return [];
    const guards: Predicate[] = [];
    const stayed: Predicate[] = [];
    for (const { condition, then } of this.branchesOf(statement, parameters)) {
      if (leaves(then)) guards.push(or(...stayed, untrue(condition)));
      else stayed.push(condition);
    }
    if (leaves(listOf(fields, 'else_body'))) guards.push(or(...stayed));
    return guards;
  }

  /** A called function may refuse: whether it does is up to whoever knows it. Built-in ones that do not are left out. */
  private refusals(text: string, line: number, parameters: Parameters): readonly Predicate[] {
    const parsed = parseExpression(locate(this.body, text.replace(/^\s*(?:select\s+|[\w"$.]+\s*:?=)/i, ''), line));
    if (!parsed || !('FuncCall' in parsed.node)) return [];
    const name = strings(parsed.node.FuncCall.funcname).at(-1) ?? '';
    if (/^(?:pg_\w+|set_config)$/.test(name)) return [];
    const of = lowerExpression(parsed.node, functionBodyScope(this.reading.file, parameters, parsed.statement));
    return [{ kind: 'value', of }];
  }

  /** A dynamic statement as an access that shows only what is put into it. */
  private dynamic(text: string, line: number, parameters: Parameters): Access[] {
    const fragment = locate(this.body, text, line);
    const span = { file: this.reading.file, start: fragment.at(0), end: fragment.at(text.length) };
    this.reading.unchecked({ reason: 'unsupported: dynamic SQL', detail: text.slice(0, 200), span });
    const parsed = parseExpression(fragment);
    if (!parsed) return [];
    const value = lowerExpression(parsed.node, functionBodyScope(this.reading.file, parameters, parsed.statement));
    const interpolations = dynamicInterpolations(value, span);
    if (interpolations.length === 0) return [];
    return [
      {
        id: this.reading.queryId(),
        library: 'sql',
        method: 'execute',
        operation: 'raw',
        targets: [],
        client: { receiver: unknownValue('SQL text'), kind: 'unknown' },
        span,
        interpolations,
      },
    ];
  }
}

/** Control comes here if the condition is false, and if it is NULL. */
const untrue = (condition: Predicate): Predicate => not({ kind: 'is', of: condition, test: true });

/** Whether control never comes behind a list of statements: its last one raises an error or returns. */
function leaves(statements: readonly PlStatement[]): boolean {
  const last = statements.at(-1);
  if (!last) return false;
  const { kind, fields } = last;
  if (kind === 'return') return true;
  if (kind === 'raise') return numberOf(fields, 'elog_level') === 21;
  if (kind === 'block') return leaves(listOf(fields, 'body'));
  return (
    kind === 'if' &&
    leaves(listOf(fields, 'then_body')) &&
    listOf(fields, 'elsif_list').every((branch) => leaves(listOf(branch.fields, 'stmts'))) &&
    leaves(listOf(fields, 'else_body'))
  );
}

/** Fields of records read from the objects that stand for them. */
const fieldsRead = (value: Value): Value =>
  mapValue(value, (inner) =>
    inner.kind === 'element' && inner.of.kind === 'object' ? valueAt(inner.of, inner.path) : inner,
  );

/** The name of an output column, where it has one of its own. */
function outputName({ name, val }: ResTarget): string | undefined {
  if (name !== undefined || !val || !('ColumnRef' in val)) return name;
  return strings(val.ColumnRef.fields).at(-1);
}

const handlersOf = (fields: PlStatement['fields']): PlStatement[] => {
  const block = nodeOf(fields, 'exceptions');
  return block ? listOf(block.fields, 'exc_list').flatMap((handler) => listOf(handler.fields, 'action')) : [];
};

/** The variables of an INTO list. */
function listFieldNames(target: PlStatement): string[] {
  const { fields } = target.fields;
  if (!Array.isArray(fields)) return [];
  return fields.flatMap((field: unknown) =>
    typeof field === 'object' && field !== null && 'name' in field && typeof field.name === 'string'
      ? [field.name]
      : [],
  );
}
