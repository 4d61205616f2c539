import type TS from 'typescript';
import type { Edit } from '@tenant-lint/model';
import { parsed } from '../extract/extract.js';
import { skipTrivia } from '../extract/positions.js';
import { ts } from '../extract/typescript.js';
import { bareNode, callsOf, imports, insertion, propertyNamed, withProperty, type Written } from '../suggest/nodes.js';
import { sameList, type DeclaredChange } from './change.js';

const core = 'drizzle-orm/pg-core';

/** A table as Drizzle declares it: `pgTable(name, columns, extra)`. */
interface Declared {
  readonly call: TS.CallExpression;
  readonly columns: TS.ObjectLiteralExpression;
  readonly extra: TS.ArrowFunction | undefined;
}

/**
 * The edits of a file that make a Drizzle table say something more; undefined where it has a form that they are not known for, or cannot say it. Pure;
 * never throws. https://orm.drizzle.team/docs/indexes-constraints
 */
export function declareInDrizzle(
  text: string,
  file: string,
  binding: string,
  change: DeclaredChange,
): readonly Edit[] | undefined {
  const read = parsed(text, file);
  const w = read && { file, text: read.code, source: read.source };
  const table = w && tableOf(w, binding);
  return table && editsFor(w, table, change);
}

function tableOf(w: Written, binding: string): Declared | undefined {
  for (const statement of w.source.statements) {
    if (!ts.isVariableStatement(statement)) continue;
    for (const d of statement.declarationList.declarations) {
      if (!ts.isIdentifier(d.name) || d.name.text !== binding || !d.initializer) continue;
      const call = callsOf(d.initializer)[0]?.call;
      const columns = call && ts.isCallExpression(call) ? call.arguments[1] : undefined;
      if (!call || !ts.isCallExpression(call) || !columns || !ts.isObjectLiteralExpression(columns)) return undefined;
      const third = call.arguments[2];
      if (third && !ts.isArrowFunction(third)) return undefined;
      return { call, columns, extra: third && ts.isArrowFunction(third) ? third : undefined };
    }
  }
  return undefined;
}

function editsFor(w: Written, table: Declared, change: DeclaredChange): readonly Edit[] | undefined {
  const row = rowName(table);
  const of = (properties: readonly string[]): string => properties.map((p) => `${row}${member(p)}`).join(', ');
  const has = (property: string): boolean => propertyNamed(table.columns, property) !== undefined;
  switch (change.kind) {
    case 'not null': {
      const column = columnAt(table, change.property);
      if (!column) return undefined;
      return callsOf(column).some((c) => c.name === 'notNull') ? [] : [insertion(w.file, column.end, '.notNull()')];
    }
    case 'index':
      return change.properties.every(has)
        ? added(w, table, change.name, `index(${quoted(change.name)}).on(${of(change.properties)})`, ['index'])
        : undefined;
    case 'unique': {
      if (!change.properties.every(has)) return undefined;
      const entry = (word: string): string => `${word}(${quoted(change.name)}).on(${of(change.properties)})`;
      if (!change.instead) return added(w, table, change.name, entry('unique'), ['unique']);
      const old = entries(table).find((e) => {
        const [first, on] = callsOf(e);
        return (
          first !== undefined &&
          /^(?:unique|uniqueIndex)$/.test(callee(first.call)) &&
          on?.name === 'on' &&
          ts.isCallExpression(on.call) &&
          sameList(on.call.arguments.map(lastName), change.instead ?? [])
        );
      });
      if (old) {
        const word = callee(callsOf(old)[0]?.call);
        return [{ file: w.file, start: skipTrivia(w.text, old.pos), end: old.end, text: entry(word) }];
      }
      const [only, ...more] = change.instead;
      const column = only === undefined || more.length > 0 ? undefined : columnAt(table, only);
      const removed = column && without(w, column, 'unique');
      const rest = removed && added(w, table, change.name, entry('unique'), ['unique']);
      return removed && rest && [removed, ...rest];
    }
    case 'reference': {
      const [only, ...more] = change.instead;
      const column = only === undefined || more.length > 0 ? undefined : columnAt(table, only);
      const call = column && callsOf(column).find((c) => c.name === 'references')?.call;
      const target = call && ts.isCallExpression(call) ? call.arguments[0] : undefined;
      if (!column || !target || !ts.isArrowFunction(target) || !call || !ts.isCallExpression(call)) return undefined;
      const body = ts.isBlock(target.body) ? undefined : bareNode(target.body);
      if (!body || !ts.isPropertyAccessExpression(body) || !change.properties.every(has)) return undefined;
      const parent = w.text.slice(skipTrivia(w.text, body.expression.pos), body.expression.end);
      const actions = actionsOf(call.arguments[1]);
      if (actions === undefined) return undefined;
      const removed = without(w, column, 'references');
      const foreign = change.references.map((r) => `${parent}${member(r)}`).join(', ');
      const entry = `foreignKey({ name: ${quoted(change.name)}, columns: [${of(change.properties)}], foreignColumns: [${foreign}] })${actions}`;
      const rest = removed && added(w, table, change.name, entry, ['foreignKey']);
      return removed && rest && [removed, ...rest];
    }
    case 'restrict': {
      const [only, ...more] = change.properties;
      const column = only === undefined || more.length > 0 ? undefined : columnAt(table, only);
      const call = column && callsOf(column).find((c) => c.name === 'references')?.call;
      const options = call && ts.isCallExpression(call) ? call.arguments[1] : undefined;
      const action = options && ts.isObjectLiteralExpression(options) ? propertyNamed(options, 'onDelete') : undefined;
      if (!action || !ts.isPropertyAssignment(action)) return undefined;
      return [
        {
          file: w.file,
          start: skipTrivia(w.text, action.initializer.pos),
          end: action.initializer.end,
          text: "'restrict'",
        },
      ];
    }
    case 'column': {
      const parent = tableOf(w, change.like.table);
      const like = parent && columnAt(parent, change.like.property);
      if (!like || has(change.property)) return undefined;
      const kept = callsOf(like).map((c) => c.name);
      if (kept.some((n) => n !== '' && !['notNull', 'references'].includes(n))) return undefined;
      const text = w.text.slice(skipTrivia(w.text, like.pos), like.end);
      return [
        withProperty(
          w,
          table.columns,
          `${/^[A-Za-z_$][\w$]*$/.test(change.property) ? change.property : JSON.stringify(change.property)}: ${text}${kept.includes('notNull') ? '' : '.notNull()'}`,
        ),
      ];
    }
  }
}

const quoted = (text: string): string =>
  `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;

const member = (name: string): string => (/^[A-Za-z_$][\w$]*$/.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`);

function columnAt({ columns }: Declared, property: string): TS.Expression | undefined {
  const found = propertyNamed(columns, property);
  return found && ts.isPropertyAssignment(found) ? found.initializer : undefined;
}

/** What the entries of a table call its row. */
function rowName({ extra }: Declared): string {
  const parameter = extra?.parameters[0]?.name;
  return parameter && ts.isIdentifier(parameter) ? parameter.text : 'table';
}

/** The list (or, in older code, the object) of indexes and constraints. */
function bodyOf({ extra }: Declared): TS.ArrayLiteralExpression | TS.ObjectLiteralExpression | undefined {
  const body = extra && !ts.isBlock(extra.body) ? bareNode(extra.body) : undefined;
  return body && (ts.isArrayLiteralExpression(body) || ts.isObjectLiteralExpression(body)) ? body : undefined;
}

function entries(table: Declared): readonly TS.Expression[] {
  const body = bodyOf(table);
  if (!body) return [];
  return ts.isArrayLiteralExpression(body)
    ? body.elements
    : body.properties.flatMap((p) => (ts.isPropertyAssignment(p) ? [p.initializer] : []));
}

/** One more entry, with what it takes from the library. */
function added(
  w: Written,
  table: Declared,
  name: string,
  entry: string,
  names: readonly string[],
): readonly Edit[] | undefined {
  const used = imports(w, core, names);
  if (!used) return undefined;
  const { extra } = table;
  if (!extra) return [...used, insertion(w.file, table.columns.end, `, (table) => [${entry}]`)];
  const body = bodyOf(table);
  if (!body || !ts.isIdentifier(extra.parameters[0]?.name ?? body)) return undefined;
  if (ts.isObjectLiteralExpression(body)) {
    const key = name.replaceAll(/\W/g, '_').replace(/_+(\w)/g, (_, c: string) => c.toUpperCase());
    return [...used, withProperty(w, body, `${key}: ${entry}`)];
  }
  const last = body.elements.at(-1);
  if (!last) return [...used, insertion(w.file, body.end - 1, entry)];
  const start = skipTrivia(w.text, last.pos);
  const lineStart = w.text.lastIndexOf('\n', start - 1) + 1;
  const indent = w.text.slice(lineStart, start);
  return [
    ...used,
    insertion(w.file, last.end, `${/^[ \t]*$/.test(indent) && lineStart > body.pos ? `,\n${indent}` : ', '}${entry}`),
  ];
}

/** The call of a name in a chain, taken out of it. */
function without(w: Written, chain: TS.Expression, name: string): Edit | undefined {
  const found = callsOf(chain).find((c) => c.name === name)?.call;
  if (!found || !ts.isCallExpression(found) || !ts.isPropertyAccessExpression(found.expression)) return undefined;
  return { file: w.file, start: found.expression.expression.end, end: found.end, text: '' };
}

function callee(call: TS.Expression | undefined): string {
  return call && ts.isCallExpression(call) && ts.isIdentifier(call.expression) ? call.expression.text : '';
}

const lastName = (node: TS.Expression): string => (ts.isPropertyAccessExpression(node) ? node.name.text : '');

/** `.onDelete('cascade')`; undefined where an action would take the tenant along. */
function actionsOf(options: TS.Expression | undefined): string | undefined {
  if (!options) return '';
  if (!ts.isObjectLiteralExpression(options)) return undefined;
  let text = '';
  for (const name of ['onDelete', 'onUpdate']) {
    const given = propertyNamed(options, name);
    if (!given) continue;
    if (!ts.isPropertyAssignment(given) || !ts.isStringLiteral(given.initializer)) return undefined;
    if (/^set /.test(given.initializer.text)) return undefined;
    text += `.${name}(${quoted(given.initializer.text)})`;
  }
  return text;
}
