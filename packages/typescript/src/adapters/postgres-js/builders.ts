import { propertyOf, type LowerContext, type Step, type TextPart, type Value } from '@tenant-lint/model';

/** The words that decide what a helper writes; the last of them counts. `src/types.js` of postgres.js, `builders`. */
const words = ['values', 'in', 'select', 'as', 'returning', '\\(', 'update', 'insert'] as const;

/**
 * What `sql(...)` in a template writes behind the text `before`: names, a list of values, assignments, rows. Undefined where it is a
 * name, or columns, that are not seen.
 */
export function written(
  before: string,
  args: readonly Value[],
  step: Step,
  context: LowerContext,
): readonly TextPart[] | undefined {
  const [given, ...rest] = args;
  if (!given) return undefined;
  const first = given.kind === 'list' || given.kind === 'object' ? given : context.resolve(given);
  const named = rest.flatMap((r) => namesIn(r, context) ?? []);
  const text = (value: string): TextPart => ({ text: value, start: step.span.start, exact: false });
  const hole = (value: Value): TextPart => ({ hole: value, span: step.span });
  const names = (list: readonly string[]): TextPart[] => [text(list.map(quoted).join(','))];
  const word = lastWord(before);
  if (first.kind === 'constant' && typeof first.value === 'string')
    return names([first.value, ...(rest.length > 0 ? named : [])]);
  const rows = first.kind === 'list' ? first.of.map((i) => (i.spread ? undefined : i.value)) : [first];
  const columnsOf = (row: Value | undefined): readonly string[] | undefined =>
    named.length > 0
      ? named
      : row?.kind === 'object' && row.entries.every((e) => 'set' in e)
        ? row.entries.map((e) => ('set' in e ? e.set : ''))
        : undefined;
  const tuple = (row: Value, columns: readonly string[]): TextPart[] => [
    text('('),
    ...columns.flatMap((c, i) => [...(i > 0 ? [text(',')] : []), hole(propertyOf(row, c))]),
    text(')'),
  ];
  if (word === 'in' || word === 'values') {
    if (first.kind === 'list' && !rows.some((r) => r?.kind === 'list')) {
      if (rows.length === 0) return word === 'in' ? [text('(null)')] : undefined;
      return [
        text('('),
        ...first.of.flatMap((item, i) => [
          ...(i > 0 ? [text(',')] : []),
          hole(item.spread ? propertyOf(item.value, '*') : item.value),
        ]),
        text(')'),
      ];
    }
    // A list that is not seen: one value of it stands for all.
    return word === 'in' && first.kind !== 'list' ? [text('('), hole(propertyOf(given, '*')), text(')')] : undefined;
  }
  if (word === 'update') {
    const columns = columnsOf(first);
    if (!columns || first.kind === 'list') return undefined;
    return columns.flatMap((c, i) => [text(`${i > 0 ? ',' : ''}${quoted(c)}=`), hole(propertyOf(first, c))]);
  }
  if (word === 'insert') {
    const columns = columnsOf(rows[0]);
    if (!columns) return undefined;
    return [
      text(`(${columns.map(quoted).join(',')})values`),
      ...rows.flatMap((row, i) => [
        ...(i > 0 ? [text(',')] : []),
        ...tuple(row ?? { kind: 'unknown', reason: 'a row' }, columns),
      ]),
    ];
  }
  const list = namesIn(first, context);
  if (list && first.kind === 'list') return names(list);
  if (first.kind === 'object' && word !== undefined) {
    const columns = columnsOf(first);
    return columns?.flatMap((c, i) => [
      ...(i > 0 ? [text(',')] : []),
      hole(propertyOf(first, c)),
      text(` as ${quoted(c)}`),
    ]);
  }
  return undefined;
}

function lastWord(before: string): (typeof words)[number] | undefined {
  let best: { word: (typeof words)[number]; at: number } | undefined;
  for (const word of words) {
    const found = [...before.matchAll(new RegExp(`(?:^|[\\s(])${word}(?=$|[\\s(])`, 'gi'))].at(-1);
    if (found && (!best || found.index >= best.at)) best = { word, at: found.index };
  }
  return best?.word;
}

/** Names given as texts: one, or a list. */
function namesIn(value: Value, context: LowerContext): readonly string[] | undefined {
  const resolved = value.kind === 'list' || value.kind === 'constant' ? value : context.resolve(value);
  if (resolved.kind === 'constant') return [String(resolved.value)];
  if (resolved.kind !== 'list' || resolved.of.length === 0) return undefined;
  const found = resolved.of.map((i) => (i.value.kind === 'constant' && !i.spread ? String(i.value.value) : undefined));
  return found.every((n) => n !== undefined) ? found : undefined;
}

/** As the library quotes a name: a dot separates a schema from a table. */
const quoted = (name: string): string => `"${name.replaceAll('"', '""').replaceAll('.', '"."')}"`;
