import type { Access, SchemaAction, Span } from '@tenant-lint/model';
import type { DoStmt, Node } from '@pgsql/types';
import type { ParsedStatement } from '../parser/index.js';
import { spanOf, type Ddl } from './context.js';
import { constantText, constantTexts, type Texts } from './constant-text.js';
import { parseExpression, parseFragment, stringAt, type Fragment } from './fragment.js';
import {
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

/** What a statement inside the block does; the reader of statements, handed in because it reads blocks itself. */
export type ReadStatement = (statement: ParsedStatement) => {
  readonly actions: readonly SchemaAction[];
  readonly queries: readonly Access[];
};

export interface DoneEvent {
  readonly action: SchemaAction;
  readonly span: Span;
}

export interface Block {
  readonly events: readonly DoneEvent[];
  readonly queries: readonly Access[];
}

/**
 * A DO block, read for what it surely does: its static statements, those that are guarded by a test whether the thing exists
 * already, EXECUTE of constant text, and loops over constant lists. Everything else is named as unchecked.
 */
export function doBlock(ddl: Ddl, node: DoStmt, read: ReadStatement): Block {
  const options = (node.args ?? []).flatMap((arg) => ('DefElem' in arg ? [arg.DefElem] : []));
  const language = options.find((option) => option.defname === 'language')?.arg;
  const as = options.find((option) => option.defname === 'as');
  const body = as && stringAt(ddl.statement, as.location);
  const refuse = (reason: string, detail?: string): Block => {
    ddl.unchecked({ reason: `unsupported: ${reason}`, ...(detail !== undefined ? { detail } : {}), span: spanOf(ddl) });
    return { events: [], queries: [] };
  };
  if (language && 'String' in language && language.String.sval !== 'plpgsql')
    return refuse(`DO block in ${language.String.sval ?? ''}`);
  if (!body) return refuse('DO block without a body');
  const parsed = parseFunction(ddl.statement.text, body);
  if ('error' in parsed) {
    ddl.unchecked({ reason: 'syntax', detail: parsed.error, span: spanOf(ddl) });
    return { events: [], queries: [] };
  }
  const reader = new BlockReader(ddl, body, parsed.variables, read);
  reader.list(parsed.body, new Map());
  return reader;
}

/** A loop over a longer list of constants is not unrolled. */
const maxTurns = 1000;

class BlockReader implements Block {
  readonly events: DoneEvent[] = [];
  readonly queries: Access[] = [];
  private turns = 0;

  constructor(
    private readonly ddl: Ddl,
    private readonly body: Fragment,
    private readonly variables: readonly PlVariable[],
    private readonly read: ReadStatement,
  ) {}

  /** Reads statements in order; `known` are the variables whose value is a constant text. */
  list(statements: readonly PlStatement[], known: Texts): void {
    let texts = known;
    for (const statement of statements) texts = this.statement(statement, texts);
  }

  private statement(statement: PlStatement, texts: Texts): Texts {
    const { kind, fields } = statement;
    const line = lineOf(statement);
    switch (kind) {
      case 'block':
        // A handler runs when the statements failed, so what it does is not what the block is for.
        this.list(listOf(fields, 'body'), this.declared(texts));
        return texts;
      case 'execsql':
        this.run(locate(this.body, queryText(fields, 'sqlstmt') ?? '', line));
        return this.forgotten(fields, texts);
      case 'perform':
        this.run(locate(this.body, queryText(fields, 'expr') ?? '', line, true));
        return texts;
      case 'dynexecute':
        this.execute(locate(this.body, queryText(fields, 'query') ?? '', line), texts);
        return texts;
      case 'if':
        this.conditional(statement, texts);
        return texts;
      case 'foreach_a':
        this.loop(statement, texts);
        return texts;
      case 'assign':
        return this.assigned(statement, texts);
      case 'fors':
      case 'fori':
      case 'forc':
      case 'while':
      case 'loop':
        this.uncertain(listOf(fields, 'body'), line);
        return texts;
      case 'exit':
      case 'raise':
      case 'return':
      case 'assert':
        return texts;
      default:
        this.refuse(`${kind.replaceAll('_', ' ')} in a DO block`, line);
        return texts;
    }
  }

  /** Runs static SQL. */
  private run(fragment: Fragment): void {
    for (const statement of parseFragment(fragment)) {
      const span = { file: this.ddl.file, start: statement.start, end: statement.end };
      if (statement.error) this.ddl.unchecked({ reason: 'syntax', detail: statement.error.message, span });
      const { actions, queries } = this.read(statement);
      this.events.push(...actions.map((action) => ({ action, span })));
      this.queries.push(...queries);
    }
  }

  /** EXECUTE of text that is known. Its statements have the place of the expression. */
  private execute(fragment: Fragment, texts: Texts): void {
    const expression = parseExpression(fragment);
    const text = expression && constantText(expression.node, texts);
    const start = fragment.at(0);
    const end = Math.max(start, fragment.at(Math.max(0, fragment.text.length - 1)) + 1);
    if (text === undefined) {
      this.ddl.unchecked({
        reason: 'unsupported: dynamic SQL',
        detail: fragment.text.slice(0, 200),
        span: { file: this.ddl.file, start, end },
      });
      return;
    }
    for (const statement of parseFragment({ text, at: () => start })) {
      const span = { file: this.ddl.file, start, end };
      if (statement.error) this.ddl.unchecked({ reason: 'syntax', detail: statement.error.message, span });
      const { actions, queries } = this.read({ ...statement, start, end });
      this.events.push(...actions.map((action) => ({ action: placedAt(span, action), span })));
      this.queries.push(...queries.map((query) => placedAt(span, query)));
    }
  }

  /** Only a test whether something is there already is surely passed in the end: the thing is there then, made here or before. */
  private conditional(statement: PlStatement, texts: Texts): void {
    const { fields } = statement;
    const line = lineOf(statement);
    const condition = parseExpression(locate(this.body, queryText(fields, 'cond') ?? '', line));
    const otherwise = [...listOf(fields, 'else_body'), ...listOf(fields, 'elsif_list')];
    const then = listOf(fields, 'then_body');
    if (condition && otherwise.length === 0 && asksCatalogue(condition.node)) this.list(then, texts);
    else this.uncertain([...then, ...otherwise], line);
  }

  /** Statements that may run or not, or run often: their queries count, what they would do to the schema is not known. */
  private uncertain(statements: readonly PlStatement[], line: number): void {
    const before = this.events.length;
    const visit = (statement: PlStatement): void => {
      const { kind, fields } = statement;
      const own = lineOf(statement);
      if (kind === 'execsql') this.run(locate(this.body, queryText(fields, 'sqlstmt') ?? '', own));
      else if (kind === 'perform') this.run(locate(this.body, queryText(fields, 'expr') ?? '', own, true));
      else if (kind === 'dynexecute') this.execute(locate(this.body, queryText(fields, 'query') ?? '', own), new Map());
      for (const name of nestedLists) listOf(fields, name).forEach(visit);
    };
    statements.forEach(visit);
    if (this.events.length > before) {
      this.refuse('a schema change under a condition or in a loop of a DO block', line);
      this.events.length = before;
    }
  }

  private loop(statement: PlStatement, texts: Texts): void {
    const { fields } = statement;
    const variable = this.variables[numberOf(fields, 'varno') ?? 0]?.name;
    const list = parseExpression(locate(this.body, queryText(fields, 'expr') ?? '', lineOf(statement)));
    const items = list && constantTexts(list.node, texts);
    if (!items || variable === undefined)
      return this.refuse('a loop over an unknown list in a DO block', lineOf(statement));
    for (const item of items) {
      if (++this.turns > maxTurns) return this.refuse('a long loop in a DO block', lineOf(statement));
      this.list(listOf(fields, 'body'), new Map(texts).set(variable, [item]));
    }
  }

  private declared(texts: Texts): Texts {
    const all = new Map(texts);
    for (const { name, fields } of this.variables) {
      const text = queryText(fields, 'default_val');
      const parsed = text === undefined || all.has(name) ? undefined : parseExpression({ text, at: () => 0 });
      const items = parsed && constantTexts(parsed.node, all);
      if (items) all.set(name, items);
    }
    return all;
  }

  private assigned(statement: PlStatement, texts: Texts): Texts {
    const name = this.variables[numberOf(statement.fields, 'varno') ?? 0]?.name ?? '';
    const text = (queryText(statement.fields, 'expr') ?? '').replace(/^\s*[\w"$.]+\s*:?=/, '');
    const parsed = parseExpression({ text, at: () => 0 });
    const items = parsed && constantTexts(parsed.node, texts);
    const all = new Map(texts);
    if (items) all.set(name, items);
    else all.delete(name);
    return all;
  }

  /** SELECT ... INTO makes its variables unknown. */
  private forgotten(fields: PlStatement['fields'], texts: Texts): Texts {
    const target = nodeOf(fields, 'target');
    if (!target) return texts;
    const all = new Map(texts);
    for (const { name } of this.variables)
      if (JSON.stringify(target.fields).includes(JSON.stringify(name))) all.delete(name);
    return all;
  }

  private refuse(reason: string, line: number): void {
    const place = locate(this.body, '', line).at(0);
    this.ddl.unchecked({
      reason: `unsupported: ${reason}`,
      span: { file: this.ddl.file, start: Math.max(place, this.ddl.statement.start), end: this.ddl.statement.end },
    });
  }
}

/** Computed text stands nowhere in the file: all its spans become that of the expression. */
function placedAt<T>(span: Span, value: T): T {
  if (Array.isArray(value)) return value.map((item: unknown) => placedAt(span, item)) as T;
  if (typeof value !== 'object' || value === null) return value;
  if ('file' in value && 'start' in value && 'end' in value) return span as T;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, placedAt(span, item as unknown)])) as T;
}

/** Whether a condition is `[NOT] EXISTS (SELECT ... FROM a system catalogue)`, or a test of to_regclass and the like. */
function asksCatalogue(node: Node): boolean {
  if ('BoolExpr' in node) return (node.BoolExpr.args ?? []).every(asksCatalogue);
  if ('SubLink' in node) {
    const select = node.SubLink.subselect;
    if (node.SubLink.subLinkType !== 'EXISTS_SUBLINK' || !select || !('SelectStmt' in select)) return false;
    const tables = tablesOf(select.SelectStmt.fromClause ?? []);
    return (
      tables.length > 0 && tables.every((t) => t.schemaname === 'information_schema' || /^pg_/.test(t.relname ?? ''))
    );
  }
  if ('NullTest' in node) return JSON.stringify(node).includes('"to_reg');
  return false;
}

function tablesOf(from: readonly Node[]): { schemaname?: string; relname?: string }[] {
  return from.flatMap((node) => {
    if ('RangeVar' in node) return [node.RangeVar];
    if ('JoinExpr' in node) return tablesOf([node.JoinExpr.larg, node.JoinExpr.rarg].filter((n) => n !== undefined));
    return [{}];
  });
}
