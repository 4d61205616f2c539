import type { Node } from '@pgsql/types';
import { plainText, strings } from './names.js';

/** Variables whose value is known: one text, or the elements of a list. */
export type Texts = ReadonlyMap<string, readonly string[]>;

/** The text an expression computes: literals, known variables, concatenations, format() and quote_ident(). Undefined if it is not known. */
export function constantText(node: Node, texts: Texts): string | undefined {
  if ('A_Const' in node) return node.A_Const.isnull ? undefined : plainText(node);
  if ('TypeCast' in node) return node.TypeCast.arg && constantText(node.TypeCast.arg, texts);
  if ('ColumnRef' in node) {
    const [name, ...more] = strings(node.ColumnRef.fields);
    const known = name === undefined || more.length > 0 ? undefined : texts.get(name);
    return known?.length === 1 ? known[0] : undefined;
  }
  if ('A_Expr' in node) {
    const { name, lexpr, rexpr } = node.A_Expr;
    if (strings(name).join() !== '||' || !lexpr || !rexpr) return undefined;
    const left = constantText(lexpr, texts);
    const right = left === undefined ? undefined : constantText(rexpr, texts);
    return left === undefined || right === undefined ? undefined : left + right;
  }
  if (!('FuncCall' in node)) return undefined;
  const args = (node.FuncCall.args ?? []).map((arg) => constantText(arg, texts));
  if (!args.every((arg) => arg !== undefined)) return undefined;
  const [first = ''] = args;
  switch (strings(node.FuncCall.funcname).at(-1)) {
    case 'format':
      return format(first, args.slice(1));
    case 'quote_ident':
      return quoteName(first);
    case 'quote_literal':
      return quoteText(first);
    case 'lower':
      return first.toLowerCase();
    case 'concat':
      return args.join('');
    default:
      return undefined;
  }
}

/** The elements of a list of known texts: ARRAY['a', 'b'], '{a,b}' is left out. A single text is a list of one. */
export function constantTexts(node: Node, texts: Texts): readonly string[] | undefined {
  if ('TypeCast' in node && node.TypeCast.arg) return constantTexts(node.TypeCast.arg, texts);
  if ('ColumnRef' in node) {
    const [name, ...more] = strings(node.ColumnRef.fields);
    return name === undefined || more.length > 0 ? undefined : texts.get(name);
  }
  if ('A_ArrayExpr' in node) {
    const items = (node.A_ArrayExpr.elements ?? []).map((element) => constantText(element, texts));
    return items.every((item) => item !== undefined) ? items : undefined;
  }
  const text = constantText(node, texts);
  return text === undefined || text.startsWith('{') ? undefined : [text];
}

/** PostgreSQL's format(): %s, %I, %L with optional positions. Undefined for anything else. */
function format(pattern: string, args: readonly string[]): string | undefined {
  let next = 0;
  let complete = true;
  const text = pattern.replace(/%(?:(\d+)\$)?(.)/gs, (_, position: string | undefined, kind: string) => {
    if (kind === '%') return '%';
    const index = position === undefined ? next : Number(position) - 1;
    next = index + 1;
    const arg = args[index];
    if (arg === undefined || !'sIL'.includes(kind)) complete = false;
    return kind === 'I' ? quoteName(arg ?? '') : kind === 'L' ? quoteText(arg ?? '') : (arg ?? '');
  });
  // Drivers that put arguments in by % want it doubled: what would take none of its arguments was written for one of them.
  if (complete && next === 0 && args.length > 0 && /%%[sIL]/.test(pattern))
    return format(pattern.replaceAll('%%', '%'), args);
  return complete ? text : undefined;
}

/** Quoting a name that needs no quotes changes nothing. */
const quoteName = (name: string): string => `"${name.replaceAll('"', '""')}"`;
const quoteText = (text: string): string => `'${text.replaceAll("'", "''")}'`;
