import type { Access, CallChain, Client, LowerContext, Lowered, Step, TextPart, Value } from '@tenant-lint/model';
import { lowerSqlText, type LoweredText, type SqlTextOptions } from '../sql-text.js';
import { queryTexts, type QueryText } from './fragments.js';

/** Lowers `$queryRaw` and its kin: their SQL text goes to the SQL front end. */
export function lowerRaw(chain: CallChain, method: string, step: Step, client: Client, context: LowerContext): Lowered {
  const [text, ...rest] = step.arguments ?? [];
  if (text === undefined) return 'no access';
  if (method === '$runCommandRaw') return { unknown: 'a command of MongoDB', span: chain.span };
  if (method === '$queryRawTyped') return { unknown: 'typed SQL is in a file of its own', span: chain.span };
  const options = { file: chain.span.file, library: 'prisma', id: chain.id, span: chain.span, context };
  const { accesses, unchecked } = method.endsWith('Unsafe')
    ? lowerSqlText(text, rest, { ...options, holes: 'splice' })
    : lowerTagged(text, options);
  const finish = (access: Access): Access => ({ ...access, method, client, chain: chain.id, function: chain.function });
  const [first, ...others] = accesses;
  if (first) {
    const all = unchecked.length > 0 ? [...(first.unchecked ?? []), ...unchecked] : first.unchecked;
    return { accesses: [{ ...first, ...(all ? { unchecked: all } : {}) }, ...others].map(finish) };
  }
  if (unchecked.length === 0) return { accesses: [] };
  const bare: Access = {
    id: chain.id,
    library: 'prisma',
    method,
    operation: 'raw',
    targets: [],
    client,
    span: chain.span,
    unchecked,
  };
  return { accesses: [finish(bare)] };
}

/** A tagged template, or a value made by Prisma.sql: its holes are bind parameters, unless they are fragments. */
function lowerTagged(text: Value, options: SqlTextOptions): LoweredText {
  const texts = queryTexts(text, options.context);
  if (!texts) return lowerSqlText(text, undefined, { ...options, holes: 'bind' });
  const lowered = texts.map((one, i) =>
    lowerQuery(one, { ...options, id: texts.length > 1 ? `${options.id}.${i}` : options.id }),
  );
  return { accesses: lowered.flatMap((l) => l.accesses), unchecked: lowered.flatMap((l) => l.unchecked) };
}

function lowerQuery({ parts, raw }: QueryText, options: SqlTextOptions): LoweredText {
  const text: Value = { kind: 'text', parts, span: options.span };
  const asName = (hole: Value): { identifier: Value; quoted: boolean } | undefined =>
    raw.has(hole) ? { identifier: hole, quoted: false } : undefined;
  const bound = lowerSqlText(text, undefined, { ...options, holes: 'bind', expand: asName });
  if (bound.accesses.length > 0 || !bound.unchecked.some((u) => u.reason.startsWith('syntax'))) return bound;
  // A parameter is not allowed in every place: a hole where none can stand is a fragment that was made where nobody saw it.
  const values = new Set(parts.flatMap((p, i) => ('hole' in p && isValuePlace(parts[i - 1]) ? [p.hole] : [])));
  const spliced = lowerSqlText(text, undefined, {
    ...options,
    holes: 'splice',
    expand: (hole) => asName(hole) ?? (values.has(hole) ? { bind: hole } : undefined),
  });
  if (spliced.accesses.length === 0) return bound;
  const unseen = { reason: 'a fragment of the query was not found', span: options.span };
  const accesses = spliced.accesses.map((a): Access => {
    const kept = (a.interpolations ?? []).filter((i) => raw.has(i.value));
    const { interpolations: _, ...rest } = a;
    return kept.length > 0 ? { ...rest, interpolations: kept } : rest;
  });
  return { accesses, unchecked: [...spliced.unchecked, unseen] };
}

/** Whether a value is to come after this text: after an operator, a comma, an opening parenthesis, or a word like LIMIT. */
const isValuePlace = (before: TextPart | undefined): boolean =>
  before !== undefined &&
  'text' in before &&
  /(?:[=<>(,~|+*/%-]|\b(?:limit|offset|like|between|and|then|else|when))\s*$/i.test(before.text);
