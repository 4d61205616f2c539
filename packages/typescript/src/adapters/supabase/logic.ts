/** A condition in PostgREST's own language, before columns and values are known. */
export type Logic =
  | { readonly kind: 'and' | 'or'; readonly of: readonly Logic[] }
  | { readonly kind: 'not'; readonly of: Logic }
  | { readonly kind: 'test'; readonly column: string; readonly operator: string; readonly value: string };

/** Reads what stands between the parentheses of `or=(...)`; undefined where it does not follow the grammar. */
export function parseLogic(text: string, kind: 'and' | 'or'): Logic | undefined {
  const parts = splitList(text);
  const of = parts?.map((part) => parseOne(part.trim(), 0));
  return of && of.length > 0 && of.every((l) => l !== undefined) ? { kind, of } : undefined;
}

function parseOne(text: string, depth: number): Logic | undefined {
  if (depth > 20) return undefined;
  const group = /^(not\.)?(and|or)\(([\s\S]*)\)$/.exec(text);
  if (group) {
    const parts = splitList(group[3] ?? '')?.map((p) => parseOne(p.trim(), depth + 1));
    if (!parts || parts.length === 0 || !parts.every((p) => p !== undefined)) return undefined;
    const inner: Logic = { kind: group[2] === 'and' ? 'and' : 'or', of: parts };
    return group[1] === undefined ? inner : { kind: 'not', of: inner };
  }
  const column = /^(?:"[^"]*"|[^."]+(?:->>?[^.]+)?)(?=\.)/.exec(text)?.[0];
  if (column === undefined) return undefined;
  return parseTest(column.replace(/^"|"$/g, ''), text.slice(column.length + 1));
}

const operator =
  /^(eq|neq|gte|gt|lte|lt|like|ilike|match|imatch|in|isdistinct|is|(?:pl|ph|w)?fts|cs|cd|ov|sl|sr|nxr|nxl|adj)(\((?:any|all|\w+)\))?\./;

/** Reads `not.eq.5`; the first dot that ends a known operator ends it. A path of an embedded resource may come before. */
export function parseTest(column: string, text: string): Logic | undefined {
  let rest = text;
  let negated = false;
  while (rest.startsWith('not.')) {
    negated = !negated;
    rest = rest.slice(4);
  }
  const found = operator.exec(rest);
  if (!found) {
    // `orgs.name.eq.x`: a column of an embedded resource.
    const next = /^[\w]+(?=\.)/.exec(rest)?.[0];
    return next === undefined || negated ? undefined : parseTest(`${column}.${next}`, rest.slice(next.length + 1));
  }
  const test: Logic = {
    kind: 'test',
    column,
    operator: `${found[1] ?? ''}${found[2] ?? ''}`,
    value: rest.slice(found[0].length),
  };
  return negated ? { kind: 'not', of: test } : test;
}

/** The parts of a list separated by commas outside of parentheses, braces and quotes; undefined where these do not close. */
export function splitList(text: string): readonly string[] | undefined {
  const parts: string[] = [];
  let depth = 0;
  let quoted = false;
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (quoted) {
      if (c === '\\') i++;
      else if (c === '"') quoted = false;
    } else if (c === '"') quoted = true;
    else if (c === '(' || c === '{') depth++;
    else if (c === ')' || c === '}') depth--;
    else if (c === ',' && depth === 0) {
      parts.push(text.slice(from, i));
      from = i + 1;
    }
    if (depth < 0) return undefined;
  }
  if (depth !== 0 || quoted) return undefined;
  return [...parts, text.slice(from)];
}

/** A value without the quotes that PostgREST takes off. */
export const unquoted = (text: string): string =>
  /^".*"$/s.test(text) ? text.slice(1, -1).replace(/\\(.)/g, '$1') : text;
