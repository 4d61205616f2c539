import { unknownValue, type Step, type Value } from '@tenant-lint/model';
import type { Build } from '../query-text/build.js';
import type { Call } from '../query-text/calls.js';
import { bind, joined, sql, unknownName, type Frag } from '../query-text/frag.js';
import { itemsOf } from '../query-text/items.js';
import { piecesOf } from '../sql-pieces.js';
import { expressionOf } from './operands.js';

/** The function of the library's `sql` that a call is: '' for a template, 'raw', 'ref', 'join' ... */
export function sqlFunction(call: Call, build: Build): { name: string; step: Step; rest: readonly Step[] } | undefined {
  const at = call.steps.findIndex((s) => s.arguments !== undefined);
  const step = call.steps[at];
  if (at < 0 || !step) return undefined;
  const names = call.steps.slice(0, at + 1).flatMap((s) => (s.name === '' ? [] : [s.name]));
  const base = call.base.kind === 'import' || call.base.kind === 'binding' ? origin(call.base, build) : undefined;
  if (base?.kind !== 'import' || !isKysely(base.module)) return undefined;
  const path = [...(base.name === '*' ? [] : [base.name]), ...names];
  if (path[0] !== 'sql' || path.length > 2) return undefined;
  const name = path[1] ?? '';
  if (name === '' && !step.template) return undefined;
  return { name, step, rest: call.steps.slice(at + 1) };
}

export const isKysely = (module: string): boolean => module === 'kysely' || /(?:^|\/|:)kysely(?:@[^/]*)?$/.test(module);

function origin(base: Value, build: Build): Value {
  return base.kind === 'import' && isKysely(base.module) ? base : build.context.resolve(base);
}

/** What a template, or another function of `sql`, writes. */
export function sqlText(name: string, step: Step, build: Build): Frag {
  const { span } = step;
  const [first, second] = step.arguments ?? [];
  const given = first ?? unknownValue('an empty template');
  switch (name) {
    case '':
      return templateText(given, step, build);
    case 'raw':
      return rawText(build.value(given), step, build);
    case 'ref':
    case 'id':
      return name === 'id' && (step.arguments?.length ?? 0) > 1
        ? joined(
            (step.arguments ?? []).map((a) => build.name(a, span)),
            '.',
            span,
          )
        : build.name(given, span);
    case 'table': {
      const text = build.text(given);
      return text === undefined ? unknownName(build.value(given), span) : build.table(text, span);
    }
    case 'join': {
      const items = itemsOf(given, build);
      const separator = second ? expressionOf(second, build, step) : sql(span, ', ');
      if (!items || items.some((i) => i.spread)) return bind(unknownValue('a list that was not followed'), span);
      return items.flatMap((item, i) => [...(i > 0 ? separator : []), ...expressionOf(item.value, build, step)]);
    }
    default:
      return bind(build.value(given), span);
  }
}

function templateText(given: Value, step: Step, build: Build): Frag {
  const text = build.value(given);
  if (text.kind === 'constant')
    return [{ text: String(text.value), start: step.span.start, end: step.span.end, exact: false }];
  if (text.kind !== 'text') return bind(unknownValue('a template that was not followed'), step.span);
  return text.parts.flatMap((p): Frag => ('text' in p ? [p] : expressionOf(p.hole, build, { ...step, span: p.span })));
}

/** Text that becomes part of the statement as it is. */
export function rawText(text: Value, step: Step, build: Build): Frag {
  const alternatives = piecesOf(text, step.span, build.context, undefined, 'splice');
  const [only] = typeof alternatives === 'string' ? [] : alternatives;
  if (only && alternatives.length === 1)
    return only.map((p) => ('hole' in p && p.as === 'any' ? { ...p, as: 'spliced' } : p));
  return [{ hole: text, span: step.span, as: 'spliced' }];
}
