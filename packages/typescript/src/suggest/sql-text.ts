import type TS from 'typescript';
import type { Edit } from '@tenant-lint/model';
import { conditionPlace, type ConditionPlace } from '@tenant-lint/sql';
import { skipTrivia } from '../extract/positions.js';
import { ts } from '../extract/typescript.js';
import type { Filter } from './insert.js';
import { bareNode, callsOf, callAt, insertion, propertyNamed, type Written } from './nodes.js';

/** Conditions in SQL text: `AND organization_id = $2`, and the value among the parameters. */
export const sqlFilter: Filter = (w, { span, column, alias, isJoined, expression }) => {
  const node = callAt(w, span);
  if (!node || (isJoined && alias === undefined)) return undefined;
  const name = /^[a-z_][a-z0-9_]*$/.test(column) ? column : `"${column.replaceAll('"', '""')}"`;
  const qualified = alias === undefined ? name : `${alias}.${name}`;
  for (const { call } of [...callsOf(node)].reverse()) {
    if (ts.isTaggedTemplateExpression(call)) {
      const text = sqlOf(w, call.template);
      const place = text && conditionPlace(text.sql);
      return place && edited(w, text.start, place, `${qualified} = \${${expression}}`);
    }
    const [first, ...others] = call.arguments;
    const query = first && textArgument(first);
    const text = query && sqlOf(w, query.text);
    if (!text) continue;
    // A hole of a template without a tag is text, and no parameter.
    if (text.hasHoles) return undefined;
    const place = conditionPlace(text.sql);
    if (!place) return undefined;
    const values = query.values ?? others[0];
    const given = values && bareNode(values);
    const bound = parameter(w, place, expression, given, query.object ?? first);
    return bound && [...edited(w, text.start, place, `${qualified} = ${bound.placeholder}`), bound.edit];
  }
  return undefined;
};

/** The text of a query and its values, where it is an argument: a string, or `{ text, values }`. */
function textArgument(node: TS.Expression):
  | {
      text: TS.Expression;
      values?: TS.Expression;
      object?: TS.ObjectLiteralExpression;
    }
  | undefined {
  const bare = bareNode(node);
  if (!ts.isObjectLiteralExpression(bare)) return { text: bare };
  const text = propertyNamed(bare, 'text');
  const values = propertyNamed(bare, 'values');
  if (!text || !ts.isPropertyAssignment(text) || !values || !ts.isPropertyAssignment(values)) return undefined;
  return { text: bareNode(text.initializer), values: values.initializer, object: bare };
}

/** What a literal says, offset by offset; undefined where it is none, or where what stands in the file is not what it says. */
function sqlOf(w: Written, node: TS.Expression): { sql: string; start: number; hasHoles: boolean } | undefined {
  if (!ts.isStringLiteralLike(node) && !ts.isTemplateExpression(node)) return undefined;
  const start = skipTrivia(w.text, node.pos) + 1;
  let sql = w.text.slice(start, node.end - 1);
  const spans = ts.isTemplateExpression(node) ? node.templateSpans : [];
  for (const span of spans) {
    const from = w.text.lastIndexOf('${', span.expression.pos) - start;
    const to = w.text.indexOf('}', span.expression.end) + 1 - start;
    // A hole takes the place of a value of the same length.
    sql = `${sql.slice(0, from)}${"'".padEnd(to - from - 1, '_')}'${sql.slice(to)}`;
  }
  return sql.includes('\\') ? undefined : { sql, start, hasHoles: spans.length > 0 };
}

function edited(w: Written, start: number, place: ConditionPlace, condition: string): readonly Edit[] {
  const edit = insertion(w.file, start + place.at, `${place.before}${condition}`);
  return place.open === undefined ? [edit] : [insertion(w.file, start + place.open, '('), edit];
}

/** How the text names one more parameter, and the edit that puts its value among the others. */
function parameter(
  w: Written,
  place: ConditionPlace,
  expression: string,
  values: TS.Expression | undefined,
  query: TS.Expression,
): { placeholder: string; edit: Edit } | undefined {
  if (values && !ts.isArrayLiteralExpression(values)) return undefined;
  const given = values?.elements ?? [];
  if (given.some((v) => ts.isSpreadElement(v))) return undefined;
  const last = given.at(-1);
  const isNumbered = place.highest > 0 || place.questionMarks === 0;
  if (isNumbered && place.highest !== given.length) return undefined;
  const placeholder = isNumbered ? `$${place.highest + 1}` : '?';
  if (!values) return { placeholder, edit: insertion(w.file, query.end, `, [${expression}]`) };
  if (!last) return { placeholder, edit: insertion(w.file, values.end - 1, expression) };
  if (isNumbered) return { placeholder, edit: insertion(w.file, last.end, `, ${expression}`) };
  const before = given[place.questionMarks - 1];
  return before && { placeholder, edit: insertion(w.file, before.end, `, ${expression}`) };
}
