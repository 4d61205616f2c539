import { maxNesting, nestingOf, parsePlpgsql, type Parsed } from '../parser/index.js';
import { partOf, type Fragment } from './fragment.js';

/**
 * A statement of PL/pgSQL as libpg-query prints it: one key with its kind ('PLpgSQL_stmt_if'), whose fields have no type definitions
 * anywhere. The accessors below are the only place that looks into them.
 */
export interface PlStatement {
  readonly kind: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface PlVariable {
  readonly name: string;
  readonly kind: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface PlFunction {
  readonly variables: readonly PlVariable[];
  readonly body: readonly PlStatement[];
}

type Fields = Readonly<Record<string, unknown>>;
const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function wrapped(value: unknown): PlStatement | undefined {
  if (!isFields(value)) return undefined;
  const [entry] = Object.entries(value);
  return entry && isFields(entry[1])
    ? { kind: entry[0].replace(/^PLpgSQL_(stmt_)?/, ''), fields: entry[1] }
    : undefined;
}

/** The wrapped nodes of a list field. */
export function listOf(fields: Fields, name: string): PlStatement[] {
  const list = fields[name];
  return Array.isArray(list) ? list.flatMap((item) => wrapped(item) ?? []) : [];
}

/** The fields of statements that hold further statements. */
export const nestedLists = [
  'body',
  'then_body',
  'elsif_list',
  'else_body',
  'stmts',
  'case_when_list',
  'else_stmts',
] as const;

export const nodeOf = (fields: Fields, name: string): PlStatement | undefined => wrapped(fields[name]);

export const numberOf = (fields: Fields, name: string): number | undefined => {
  const value = fields[name];
  return typeof value === 'number' ? value : undefined;
};

export const lineOf = (statement: PlStatement): number => numberOf(statement.fields, 'lineno') ?? 1;

/** The SQL text of an expression field. */
export function queryText(fields: Fields, name: string): string | undefined {
  const query = nodeOf(fields, name)?.fields.query;
  return typeof query === 'string' ? query : undefined;
}

/**
 * The parser knows no types but the built-in ones and takes a variable of any other for a record, which it then refuses where a scalar
 * must stand. Such variables are declared anew as text; lines and the texts of expressions stay as they are.
 */
function parseDeclared(statement: string): Parsed<unknown> {
  const parsed = parsePlpgsql(statement);
  if (!('error' in parsed) || !/is not a scalar variable|record variable cannot be part/.test(parsed.error))
    return parsed;
  const redeclared = statement.replace(/\bdeclare\b[\s\S]*?\bbegin\b/gi, (section) =>
    section.replace(declaration, (whole, before: string, name: string, type: string) =>
      type.toLowerCase() === 'record' || fieldsOf(statement, name).length > 0 ? whole : `${before}text`,
    ),
  );
  return parsePlpgsql(redeclared);
}

const declaration = /((\b\w+)\s+(?:constant\s+)?)([\w."]+)(?:\[\])?(?=\s*(?:;|:=|=|default\b|not\s+null\b))/gi;

/** The fields of a variable that a text names, in lower case. */
export function fieldsOf(text: string, variable: string): string[] {
  const fields = Array.from(text.matchAll(/\b(\w+)\s*\.\s*(\w+)/g), ([, record, field]) =>
    record?.toLowerCase() === variable.toLowerCase() ? (field ?? '').toLowerCase() : '',
  );
  return [...new Set(fields)].filter((field) => field !== '');
}

/** Parses a whole CREATE FUNCTION or DO statement, whose body is `body`. */
export function parseFunction(statement: string, body: Fragment): PlFunction | { readonly error: string } {
  if (nestingOf(body.text) > maxNesting) return { error: `a body nested deeper than ${maxNesting} levels` };
  const parsed = parseDeclared(statement);
  if ('error' in parsed) return parsed;
  const functions = isFields(parsed.tree) ? listOf(parsed.tree, 'plpgsql_funcs') : [];
  const [only] = functions;
  const action = only && nodeOf(only.fields, 'action');
  if (!only || !action) return { error: 'no body' };
  const variables = listOf(only.fields, 'datums').map(({ kind, fields }) => ({
    kind,
    fields,
    name: typeof fields.refname === 'string' ? fields.refname : '',
  }));
  return { variables, body: [action] };
}

/**
 * Where the text of an expression stands in the body. PL/pgSQL keeps its expressions as they are written, but for an INTO clause, which
 * it overwrites with spaces, and for PERFORM, which becomes SELECT; it tells the line (from 1, counted from the body's opening quote) of
 * the statement only.
 */
export function locate(body: Fragment, query: string, line: number, perform = false): Fragment {
  const head = perform ? (/^\s*select/i.exec(query)?.[0].length ?? 0) : 0;
  const written = query.slice(head);
  const first = /\S+/.exec(written);
  if (!first) return partOf(body, query, lineStart(body, line));
  for (let from = lineStart(body, line); ; from++) {
    from = body.text.indexOf(first[0], from);
    if (from < 0) break;
    const start = from - first.index;
    if (matches(body.text, start, written)) {
      if (head === 0) return partOf(body, query, start);
      const keyword = Math.max(0, start - 'perform'.length);
      return { text: query, at: (offset) => body.at(offset < head ? keyword : start + offset - head) };
    }
  }
  // The line is still right.
  const there = body.at(lineStart(body, line));
  return { text: query, at: () => there };
}

function matches(text: string, start: number, query: string): boolean {
  if (start < 0) return false;
  for (let i = 0; i < query.length; i++) if (query[i] !== ' ' && query[i] !== text[start + i]) return false;
  return true;
}

/** The lines of a body, looked up for every statement in it. */
const lineStarts = new WeakMap<Fragment, readonly number[]>();

function lineStart(body: Fragment, line: number): number {
  let starts = lineStarts.get(body);
  if (!starts) {
    starts = [0, ...Array.from(body.text.matchAll(/\n/g), (found) => found.index + 1)];
    lineStarts.set(body, starts);
  }
  return starts[Math.min(Math.max(line, 1), starts.length) - 1] ?? 0;
}
