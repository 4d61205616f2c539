import type { CallChain, LowerContext, Step, TextPart, Value } from '@tenant-lint/model';
import type { Expansion } from '../sql-pieces.js';
import { written } from './builders.js';
import { sqlClientOfSteps } from './client.js';

/** What a chain makes of a `sql`: a template, a helper call, raw text. */
export type Call =
  | {
      readonly kind: 'template';
      readonly text: Value;
      readonly step: Step;
      readonly rest: readonly Step[];
      readonly before: readonly Step[];
    }
  | { readonly kind: 'helper'; readonly arguments: readonly Value[]; readonly step: Step }
  | {
      readonly kind: 'unsafe';
      readonly arguments: readonly Value[];
      readonly step: Step;
      readonly rest: readonly Step[];
      readonly before: readonly Step[];
    }
  | { readonly kind: 'other'; readonly name: string; readonly arguments: readonly Value[] };

/** Names under which a `sql` is read from an object: `this.sql`, `db.sql`. */
export function callOf(chain: CallChain): Call | undefined {
  const at = chain.steps.findIndex((s) => s.arguments && (s.template || isMember(s) || s.name === ''));
  const step = chain.steps[at];
  if (!step?.arguments) return undefined;
  const rest = chain.steps.slice(at + 1);
  // `` db.sql`...` ``: the tag is a property of what comes before.
  const before = [
    ...chain.steps.slice(0, at),
    ...(step.template && step.name !== '' ? [{ name: step.name, span: step.span }] : []),
  ];
  const [first] = step.arguments;
  if (step.template) return first ? { kind: 'template', text: first, step, rest, before } : undefined;
  if (step.name === 'unsafe') return { kind: 'unsafe', arguments: step.arguments, step, rest, before };
  if (step.name === '') {
    // `getSql()` and then a template.
    const next = rest[0];
    if (next?.template && next.arguments?.[0])
      return {
        kind: 'template',
        text: next.arguments[0],
        step: next,
        rest: rest.slice(1),
        before: [...before, step],
      };
    return { kind: 'helper', arguments: step.arguments, step };
  }
  return { kind: 'other', name: step.name, arguments: step.arguments };
}

const members = new Set([
  'unsafe',
  'json',
  'array',
  'typed',
  'file',
  'begin',
  'reserve',
  'savepoint',
  'notify',
  'listen',
  'end',
  'transaction',
  'query',
]);
const isMember = (step: Step): boolean => members.has(step.name);

/** What a hole of a template stands for: a fragment, a helper, raw text; anything else is a bind parameter. */
export function expandHole(hole: Value, context: LowerContext): Expansion | undefined {
  if (hole.kind === 'choice') return narrowest(hole, context);
  const chain = chainOf(hole, context);
  const call = chain && callOf(chain);
  if (!chain || !call) return fragments(hole, context);
  const isMine = (steps: readonly Step[]): boolean => sqlClientOfSteps(chain.receiver, steps, context) !== undefined;
  switch (call.kind) {
    case 'template': {
      if (!isMine(call.before) || call.text.kind !== 'text')
        return isMine(call.before) ? constantText(call.text, call.step) : undefined;
      return prepared(call.text.parts, context);
    }
    case 'unsafe': {
      const [text] = call.arguments;
      if (!text || !isMine(call.before)) return undefined;
      const found = text.kind === 'constant' || text.kind === 'text' ? text : context.resolve(text);
      if (found.kind === 'constant') return constantText(found, call.step);
      if (found.kind !== 'text') return { identifier: text, quoted: false };
      const [only] = found.parts;
      return found.parts.length === 1 && only && 'hole' in only
        ? { identifier: only.hole, quoted: false }
        : found.parts.map(rawPart);
    }
    case 'helper': {
      if (!isMine(chain.steps.slice(0, -1))) return undefined;
      const [first] = call.arguments;
      return written('', call.arguments, call.step, context) ?? (first && { identifier: first, quoted: true });
    }
    case 'other':
      return ['json', 'array', 'typed'].includes(call.name) && call.arguments[0]
        ? { bind: call.arguments[0] }
        : undefined;
  }
}

const raw = 'raw text';
/** A hole of raw text is no parameter: it is marked, and becomes part of the text. */
const rawPart = (part: TextPart): TextPart =>
  'text' in part ? part : { hole: { kind: 'apply', function: raw, to: [part.hole] }, span: part.span };

/** The value that stands in raw text. */
export function expandRaw(hole: Value): Expansion | undefined {
  const [of] = hole.kind === 'apply' && hole.function === raw ? hole.to : [];
  return of && { identifier: of, quoted: false };
}

const constantText = (value: Value, step: Step): readonly TextPart[] =>
  value.kind === 'constant'
    ? [{ text: String(value.value), start: value.span ? value.span.start + 1 : step.span.start, exact: false }]
    : [];

/**
 * The parts of a template in which the helpers are written out: what they become depends on the words before them.
 */
export function prepared(parts: readonly TextPart[], context: LowerContext): readonly TextPart[] {
  const out: TextPart[] = [];
  let before = '';
  for (const part of parts) {
    if ('text' in part) {
      out.push(part);
      before += part.text;
      continue;
    }
    const chain = chainOf(part.hole, context);
    const call = chain && callOf(chain);
    const helper =
      chain && call?.kind === 'helper' && sqlClientOfSteps(chain.receiver, chain.steps.slice(0, -1), context)
        ? written(before, call.arguments, call.step, context)
        : undefined;
    for (const one of helper ?? [part]) {
      out.push(one);
      before += 'text' in one ? one.text : ' ? ';
    }
  }
  return out;
}

/** `[sql`a = 1`, sql`b = 2`]`: fragments with a space between. */
function fragments(hole: Value, context: LowerContext): Expansion | undefined {
  const list = hole.kind === 'list' ? hole : undefined;
  if (!list || list.of.length === 0 || list.of.some((i) => i.spread)) return undefined;
  if (!list.of.every((i) => Array.isArray(expandHole(i.value, context)))) return undefined;
  const span = list.span ?? { file: '', start: 0, end: 0 };
  return list.of.flatMap((item): TextPart[] =>
    item.maybe
      ? []
      : [
          { text: ' ', start: span.start, exact: false },
          { hole: item.value, span },
        ],
  );
}

/** A condition that only some paths add is left out, as that is the wider query; undefined where each is a text of its own. */
function narrowest(hole: Extract<Value, { kind: 'choice' }>, context: LowerContext): Expansion | undefined {
  const all = hole.of.map((v) => expandHole(v, context));
  const lists = all.flatMap((a): (readonly TextPart[])[] => (Array.isArray(a) ? [a as readonly TextPart[]] : []));
  if (lists.length !== all.length || !lists.some(isEmpty)) return undefined;
  return lists.every((parts) => isEmpty(parts) || onlyNarrows(parts)) ? [] : undefined;
}

const isEmpty = (parts: readonly TextPart[]): boolean => parts.every((p) => 'text' in p && p.text.trim() === '');
const onlyNarrows = (parts: readonly TextPart[]): boolean => {
  const first = parts.find((p) => !('text' in p) || p.text.trim() !== '');
  return first !== undefined && 'text' in first && /^\s*(?:and|where|order\s+by|limit|offset)\b/i.test(first.text);
};

/** The chain that a value is the result of, through bindings. */
export function chainOf(value: Value, context: LowerContext): CallChain | undefined {
  const inner = value.kind === 'missing-able' ? value.of : value;
  if (inner.kind === 'result' && inner.path.length === 0) {
    const chain = context.chain(inner.chain);
    if (chain && callOf(chain)?.kind !== undefined && !isHelperOfProgram(chain, context)) return chain;
  }
  const resolved = context.resolve(inner);
  return resolved.kind === 'result' && resolved.path.length === 0 ? context.chain(resolved.chain) : undefined;
}

/** A call of a function of the program, which resolution reads through. */
const isHelperOfProgram = (chain: CallChain, context: LowerContext): boolean =>
  callOf(chain)?.kind === 'helper' && context.resolve(chain.receiver).kind === 'function';
