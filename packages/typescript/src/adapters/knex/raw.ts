import { propertyOf, unknownValue, type Value } from '@tenant-lint/model';
import type { Build } from '../query-text/build.js';
import type { BuilderStep } from '../query-text/calls.js';
import { bind, joined, type Frag } from '../query-text/frag.js';
import { itemsOf } from '../query-text/items.js';
import { piecesOf, type Piece } from '../sql-pieces.js';
import { operandOf } from './operands.js';

/** The text of `raw(sql, bindings)`: `?` and `:name` are values, `??` and `:name:` names. */
export function rawText(args: readonly Value[], build: Build, step: BuilderStep): Frag {
  const [given, bindings] = args;
  const { span } = step;
  if (!given) return bind(unknownValue('empty SQL text'), span);
  const alternatives = piecesOf(build.value(given), span, build.context, undefined, 'splice');
  const [found] = typeof alternatives === 'string' ? [] : alternatives;
  if (!found || alternatives.length !== 1) return [{ hole: build.value(given), span, as: 'spliced' }];
  const pieces = found.map((p): Piece => ('hole' in p && p.as === 'any' ? { ...p, as: 'spliced' } : p));
  const values = bindings && build.value(bindings);
  const named = values && objectOf(values, build);
  if (named) return pieces.flatMap((p) => ('text' in p ? byName(p, named, build, step) : [p]));
  const list = values === undefined ? [] : (itemsOf(values, build) ?? undefined);
  let next = 0;
  const take = (): Value => {
    const n = next++;
    if (!values) return unknownValue('a value that is not bound');
    if (list)
      return list.slice(0, n + 1).some((i) => i.spread)
        ? unknownValue('a list of values')
        : (list[n]?.value ?? (n === 0 && list.length === 0 ? values : { kind: 'undefined' }));
    // A single value may be given without a list.
    return values.kind === 'parameter' || values.kind === 'result' ? propertyOf(values, String(n)) : values;
  };
  return pieces.flatMap((p) => ('text' in p && values ? byPosition(p, take, build, step) : [p]));
}

function objectOf(value: Value, build: Build): Value | undefined {
  const own = value.kind === 'object' ? value : build.context.resolve(value);
  return own.kind === 'object' ? own : undefined;
}

type Text = Extract<Piece, { text: string }>;

function byPosition(p: Text, take: () => Value, build: Build, step: BuilderStep): Frag {
  return replaced(p, /\\\?|\?\??/g, (match) =>
    match[0] === '\\?'
      ? [{ text: '?', exact: false }]
      : match[0] === '??'
        ? nameOf(take(), build, step)
        : listed(take(), build, step),
  );
}

function byName(p: Text, values: Value, build: Build, step: BuilderStep): Frag {
  return replaced(p, /::\w+|:(\w+):|:(\w+)/g, (match) => {
    const name = match[1] ?? match[2];
    if (name === undefined) return undefined;
    const value = propertyOf(values, name);
    return match[1] === undefined ? listed(value, build, step) : nameOf(value, build, step);
  });
}

const nameOf = (value: Value, build: Build, step: BuilderStep): Frag => {
  const items = value.kind === 'list' ? value.of : undefined;
  return items
    ? joined(
        items.map((i) => build.name(i.value, step.span)),
        ', ',
        step.span,
      )
    : build.name(value, step.span);
};

/** A value, or the values of a list, which the library does not put in parentheses. */
function listed(value: Value, build: Build, step: BuilderStep): Frag {
  const items = value.kind === 'list' ? itemsOf(value, build) : undefined;
  return items && items.length > 0 && items.every((i) => !i.spread)
    ? joined(
        items.map((i) => operandOf(i.value, build, step)),
        ', ',
        step.span,
      )
    : operandOf(value, build, step);
}

function replaced(p: Text, pattern: RegExp, by: (match: RegExpMatchArray) => Frag | undefined): Frag {
  const out: Piece[] = [];
  let from = 0;
  const part = (a: number, b: number): Piece => ({
    ...p,
    text: p.text.slice(a, b),
    ...(p.start === undefined || p.end !== undefined ? {} : { start: p.start + a }),
  });
  for (const match of p.text.matchAll(pattern)) {
    const made = by(match);
    if (!made) continue;
    if (match.index > from) out.push(part(from, match.index));
    out.push(...made);
    from = match.index + match[0].length;
  }
  if (from < p.text.length) out.push(part(from, p.text.length));
  return out;
}
