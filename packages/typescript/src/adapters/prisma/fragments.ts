import type { LowerContext, Step, TextPart, Value } from '@tenant-lint/model';

/** A text of a tagged query with its fragments put in. `raw` are the holes that Prisma.raw makes text of, `open` those that may be a fragment nobody saw. */
export interface QueryText {
  readonly parts: readonly TextPart[];
  readonly raw: ReadonlySet<Value>;
}

const maxAlternatives = 6;
const maxDepth = 12;

/** A part of the text: where the fragment that it belongs to is chosen at run time, one of several. */
type Alternatives = readonly (readonly Part[])[];
type Part = TextPart & { readonly raw?: true };

/**
 * The texts that a value made with Prisma.sql, or the template of `$queryRaw` itself, may be: fragments of Prisma.sql, join, raw and empty
 * are put in. A condition that is only added on some paths is left out, as that is the wider query; other choices give a text each.
 * Undefined where the value is none of that.
 */
export function queryTexts(value: Value, context: LowerContext): readonly QueryText[] | undefined {
  const alternatives = fragment(value, context, 0);
  return alternatives?.slice(0, maxAlternatives).map((parts) => ({
    parts: parts.map(({ raw: _, ...part }) => part as TextPart),
    raw: new Set(parts.flatMap((part) => ('hole' in part && part.raw ? [part.hole] : []))),
  }));
}

function fragment(given: Value, context: LowerContext, depth: number): Alternatives | undefined {
  if (depth > maxDepth) return undefined;
  const value =
    given.kind === 'result' || given.kind === 'text' || given.kind === 'choice' ? given : context.resolve(given);
  switch (value.kind) {
    case 'text':
      return depth === 0 ? expanded(value.parts, context, depth) : undefined;
    case 'import':
      return isPrisma(value) && memberOf(value) === 'empty' ? [[]] : undefined;
    case 'missing-able':
      return fragment(value.of, context, depth + 1);
    case 'choice':
      return chosen(value.of, context, depth);
    case 'apply':
      // `condition && Prisma.sql...`: Prisma binds the falsy value, so it is written as `condition ? ... : Prisma.empty` in working code.
      return value.function === '??' || value.function === '||' ? chosen(value.to, context, depth) : undefined;
    case 'result':
      return made(value, context, depth) ?? resolvedFragment(value, context, depth);
    default:
      return undefined;
  }
}

function resolvedFragment(value: Value, context: LowerContext, depth: number): Alternatives | undefined {
  const resolved = context.resolve(value);
  return resolved === value ? undefined : fragment(resolved, context, depth + 1);
}

function chosen(of: readonly Value[], context: LowerContext, depth: number): Alternatives | undefined {
  const found = of.map((one) => fragment(one, context, depth + 1));
  if (found.some((one) => one === undefined)) return undefined;
  const all = (found as Alternatives[]).flat();
  const wider = all.filter((parts) => !onlyNarrows(parts));
  return all.some(isEmpty) && wider.length > 0 ? wider : all;
}

const isEmpty = (parts: readonly Part[]): boolean => parts.every((p) => 'text' in p && p.text.trim() === '');

/** A part of a statement that only takes rows away: without it the query reaches all that it reaches with it, and more. */
const onlyNarrows = (parts: readonly Part[]): boolean => {
  const first = parts.find((p) => !('text' in p) || p.text.trim() !== '');
  return first !== undefined && 'text' in first && /^\s*(?:and|where|order\s+by|limit|offset)\b/i.test(first.text);
};

/** What a call of Prisma.sql, join or raw makes. */
function made(
  value: Extract<Value, { kind: 'result' }>,
  context: LowerContext,
  depth: number,
): Alternatives | undefined {
  const chain = value.path.length === 0 ? context.chain(value.chain) : undefined;
  const last = chain?.steps.at(-1);
  if (!chain || !last?.arguments || chain.steps.slice(0, -1).some((s) => s.arguments) || !isPrisma(chain.receiver)) {
    return undefined;
  }
  const [first, separator, prefix, suffix] = last.arguments;
  if (first === undefined) return undefined;
  switch (last.name || memberOf(chain.receiver)) {
    case 'sql': {
      if (first.kind === 'text') return expanded(first.parts, context, depth);
      const only = first.kind === 'list' ? context.resolve(first.of[0]?.value ?? first) : first;
      return only.kind === 'constant'
        ? [[text(String(only.value), last)]]
        : [[{ hole: { ...first }, span: last.span, raw: true }]];
    }
    case 'raw': {
      const found = context.resolve(first);
      return found.kind === 'constant'
        ? [[text(String(found.value), last)]]
        : [[{ hole: { ...first }, span: last.span, raw: true }]];
    }
    case 'join': {
      const list = context.resolve(first);
      const between = constantText(separator, context) ?? ',';
      const around = (inner: Alternatives): Alternatives =>
        concatenated([
          [[text(constantText(prefix, context) ?? '', last)]],
          inner,
          [[text(constantText(suffix, context) ?? '', last)]],
        ]);
      if (list.kind !== 'list') return around(mapped(list, context, depth) ?? [[element(first, last)]]);
      const items = list.of.map((item): Alternatives => {
        const seen = item.spread ? undefined : fragment(item.value, context, depth + 1);
        return seen ?? [[item.spread ? element(item.value, last) : { hole: { ...item.value }, span: last.span }]];
      });
      // A condition that is pushed only sometimes takes rows away: it is left out where the conditions are joined by AND.
      const kept = items.filter((_, i) => !(list.of[i]!.maybe && /\band\b/i.test(between)));
      return around(concatenated(kept.flatMap((item, i) => (i > 0 ? [[[text(between, last)]], item] : [item]))));
    }
    default:
      return undefined;
  }
}

/** `Prisma.join(rows.map((row) => Prisma.sql...))`: one of the fragments stands for all. */
function mapped(list: Value, context: LowerContext, depth: number): Alternatives | undefined {
  const last = list.kind === 'result' && list.path.length === 0 ? context.chain(list.chain)?.steps.at(-1) : undefined;
  const callback = last?.name === 'map' && last.arguments?.[0] ? context.resolve(last.arguments[0]) : undefined;
  const target = callback?.kind === 'function' ? context.function(callback.function) : undefined;
  const [only] = target?.returns ?? [];
  return only && target?.returns.length === 1 ? fragment(only.value, context, depth + 1) : undefined;
}

const expanded = (parts: readonly TextPart[], context: LowerContext, depth: number): Alternatives =>
  concatenated(
    parts.map((part): Alternatives => {
      if ('text' in part) return [[part]];
      return fragment(part.hole, context, depth + 1) ?? [[{ hole: { ...part.hole }, span: part.span }]];
    }),
  );

function concatenated(parts: readonly Alternatives[]): Alternatives {
  let all: readonly Part[][] = [[]];
  for (const part of parts) {
    all = all.flatMap((before) => part.map((one) => [...before, ...one])).slice(0, maxAlternatives);
  }
  return all;
}

const text = (value: string, step: Step): Part => ({ text: value, start: step.span.start, exact: false });
const element = (list: Value, step: Step): Part => ({
  hole: { kind: 'element', of: list, path: ['*'] },
  span: step.span,
});

const isPrisma = (value: Value): boolean =>
  value.kind === 'import' &&
  (value.name === 'Prisma' || ((value.name === '*' || value.name === 'default') && value.path[0] === 'Prisma'));

const memberOf = (value: Value): string | undefined => ('path' in value ? value.path.at(-1) : undefined);

function constantText(value: Value | undefined, context: LowerContext): string | undefined {
  const found = value && context.resolve(value);
  return found?.kind === 'constant' && typeof found.value === 'string' ? found.value : undefined;
}
