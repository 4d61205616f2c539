import type TS from 'typescript';
import { skipTrivia } from '../extract/positions.js';
import { ts } from '../extract/typescript.js';
import type { Filter } from './insert.js';
import { bareNode, callsOf, callAt, imports, insertion, propertyNamed, withProperty, type Written } from './nodes.js';

/** Conditions of Drizzle: `and(eq(invoices.id, id), eq(invoices.organizationId, organizationId))`. */
export const drizzleFilter: Filter = (w, wanted) => {
  const node = callAt(w, wanted.span);
  if (!node) return undefined;
  const calls = callsOf(node);
  const on =
    calls.find(({ name }) => name === 'from') ?? calls.find(({ name }) => name === 'update' || name === 'delete');
  if (on && ts.isCallExpression(on.call)) {
    const [table] = on.call.arguments;
    if (!table || !ts.isIdentifier(bareNode(table))) return undefined;
    const condition = `eq(${sourceOf(w, table)}.${wanted.property}, ${wanted.expression})`;
    const where = calls.findLast(({ name }) => name === 'where')?.call;
    if (where) {
      const [given] = ts.isCallExpression(where) ? where.arguments : [];
      return given && joined(w, given, condition);
    }
    const after = calls.findLast(({ name }) => /^(?:from|update|delete|set|\w*[jJ]oin)$/.test(name))?.call ?? on.call;
    const used = imports(w, 'drizzle-orm', ['eq']);
    return used && [...used, insertion(w.file, after.end, `.where(${condition})`)];
  }
  return relational(w, calls, wanted.property, wanted.expression);
};

/** `db.query.invoices.findMany({ where })`: an object in version 2, else a condition or a function that makes one. */
function relational(
  w: Written,
  calls: ReturnType<typeof callsOf>,
  property: string,
  expression: string,
): ReturnType<Filter> {
  const found = calls.findLast(({ name }) => name === 'findMany' || name === 'findFirst')?.call;
  if (!found || !ts.isCallExpression(found) || !ts.isPropertyAccessExpression(found.expression)) return undefined;
  const [argument] = found.arguments;
  const options = argument && bareNode(argument);
  if (options && !ts.isObjectLiteralExpression(options)) return undefined;
  const where = options && propertyNamed(options, 'where');
  if (!where) {
    const text = `where: (table, { eq }) => eq(table.${property}, ${expression})`;
    if (!options) return [insertion(w.file, found.end - 1, `{ ${text} }`)];
    return options.properties.some(ts.isSpreadAssignment) ? undefined : [withProperty(w, options, text)];
  }
  if (!ts.isPropertyAssignment(where)) return undefined;
  const given = bareNode(where.initializer);
  if (ts.isObjectLiteralExpression(given))
    return propertyNamed(given, property) ? undefined : [withProperty(w, given, `${property}: ${expression}`)];
  if (ts.isArrowFunction(given)) return undefined;
  const table = found.expression.expression;
  const name = ts.isPropertyAccessExpression(table) ? table.name.text : undefined;
  return name === undefined ? undefined : joined(w, where.initializer, `eq(${name}.${property}, ${expression})`);
}

/** A condition and a further one, both of which must hold. */
function joined(w: Written, given: TS.Expression, condition: string): ReturnType<Filter> {
  const bare = bareNode(given);
  const isAnd = ts.isCallExpression(bare) && ts.isIdentifier(bare.expression) && bare.expression.text === 'and';
  const used = imports(w, 'drizzle-orm', isAnd ? ['eq'] : ['and', 'eq']);
  if (!used) return undefined;
  const last = isAnd ? bare.arguments.at(-1) : undefined;
  if (last) return [...used, insertion(w.file, last.end, `, ${condition}`)];
  return [
    ...used,
    insertion(w.file, skipTrivia(w.text, given.pos), 'and('),
    insertion(w.file, given.end, `, ${condition})`),
  ];
}

const sourceOf = (w: Written, node: TS.Node): string => w.text.slice(skipTrivia(w.text, node.pos), node.end);
