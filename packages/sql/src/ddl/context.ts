import type { Node } from '@pgsql/types';
import type { Access, Known, ObjectName, Predicate, SchemaAction, Span, Unchecked, Value } from '@tenant-lint/model';
import { known, notKnown } from '@tenant-lint/model';
import { lowerCondition, lowerExpression, lowerStatement, policyScope } from '../lower/index.js';
import { Lexer, type ParsedStatement } from '../parser/index.js';

/** What reading the statements of one file shares. */
export interface Reading {
  readonly file: string;
  /** Ids for the queries of the file. */
  queryId(): string;
  unchecked(entry: Omit<Unchecked, 'file'>): void;
}

/** A statement being read. */
export interface Ddl extends Reading {
  readonly statement: ParsedStatement;
}

/** What a statement of one kind does to the schema; `irrelevant` names kinds that do nothing to it. */
export type Outcome = readonly SchemaAction[] | { readonly irrelevant: string };

export const spanOf = (ddl: Ddl): Span => ({ file: ddl.file, start: ddl.statement.start, end: ddl.statement.end });

/** From a node's location up to the end of its element in a list: the next comma or closing bracket. */
export function elementSpan(ddl: Ddl, location: number | undefined, before = Infinity): Span {
  if (location === undefined || location < 0) return spanOf(ddl);
  const { start: origin, text } = ddl.statement;
  const start = ddl.statement.offset(location);
  const lexer = new Lexer(text, start - origin, Math.min(text.length, before - origin));
  let end = start;
  for (let depth = 0; lexer.next();) {
    if (lexer.kind === 'space' || lexer.kind === 'comment') continue;
    const c = lexer.kind === 'punctuation' ? text[lexer.start] : '';
    if (c === '(' || c === '[') depth++;
    if (depth === 0 && (c === ',' || c === ')')) break;
    if (c === ')' || c === ']') depth--;
    end = origin + lexer.end;
  }
  return { file: ddl.file, start, end: Math.min(end, Math.max(start, ddl.statement.end)) };
}

/** The inside of the first parentheses behind a keyword (`using (`, `check (`) outside of any other parentheses. */
export function clauseSpan(ddl: Ddl, keyword: string): Span | undefined {
  const { start: origin, text } = ddl.statement;
  const lexer = new Lexer(text);
  let depth = 0;
  let seen = false;
  let inside = -1;
  while (lexer.next()) {
    if (lexer.kind === 'space' || lexer.kind === 'comment') continue;
    const c = lexer.kind === 'punctuation' ? text[lexer.start] : '';
    if (c === '(') {
      if (depth === 0 && seen) inside = lexer.end;
      depth++;
    } else if (c === ')') {
      depth--;
      if (depth === 0 && inside >= 0) {
        const expression = text.slice(inside, lexer.start);
        const leading = expression.length - expression.trimStart().length;
        return { file: ddl.file, start: origin + inside + leading, end: origin + inside + expression.trimEnd().length };
      }
    } else if (depth === 0) seen = lexer.kind === 'word' && lexer.value.toLowerCase() === keyword;
  }
  return undefined;
}

/** A condition on the rows of `table`, over target `self`. */
export const rowCondition = (ddl: Ddl, table: ObjectName, node: Node): Predicate =>
  lowerCondition(node, policyScope(ddl.file, table, ddl.statement));

/** An expression on the rows of `table`, over target `self`. */
export const rowValue = (ddl: Ddl, table: ObjectName, node: Node): Value =>
  lowerExpression(node, policyScope(ddl.file, table, ddl.statement));

/** The query inside another statement: of a view, of CREATE TABLE AS. */
export function innerQuery(ddl: Ddl, node: Node | undefined): Known<Access> {
  if (node === undefined) return notKnown('no query');
  const access = lowerStatement({ ...ddl.statement, node }, { file: ddl.file, id: ddl.queryId(), library: 'sql' });
  if (access === undefined) return notKnown('not a query');
  return 'unknown' in access ? notKnown(access.unknown) : known(access);
}
