import {
  propertyOf,
  type CallChain,
  type LowerContext,
  type Span,
  type Step,
  type TextPart,
  type Value,
} from '@tenant-lint/model';
import { importedName } from '../client-trace.js';
import { marked, quotedName, textPart } from '../markers.js';
import type { Expansion } from '../sql-pieces.js';

/** Tags whose templates are statements; `fragment` makes a part of one. */
const tags = new Set(['unsafe', 'type', 'typeAlias', 'fragment']);

/** A template of `sql.unsafe`, `sql.type(...)`, `sql.fragment`. */
export interface Template {
  readonly tag: string;
  readonly text: Value;
  readonly step: Step;
}

/** The template that a chain is, if its tag is one of slonik's. */
export function templateOf(chain: CallChain, context: LowerContext): Template | undefined {
  const at = chain.steps.findIndex((s) => s.template);
  const step = chain.steps[at];
  const [text] = step?.arguments ?? [];
  if (!step || !text) return undefined;
  const before = chain.steps.slice(0, at + 1).map((s) => s.name);
  const tag = before.filter((n) => n !== '' && tags.has(n)).at(-1);
  return tag !== undefined && isSql(chain.receiver, context) ? { tag, text, step } : undefined;
}

/** Whether a value is slonik's `sql`: imported, made by createSqlTag, or handed on under that name. */
function isSql(value: Value, context: LowerContext, depth = 0): boolean {
  if (depth > 6) return false;
  const imported = importedName(value, context);
  if (imported)
    return imported.name === 'sql' && (imported.module === 'slonik' || imported.module === '@slonik/sql-tag');
  const type = context.typeOf(value);
  if (type && /\bSqlTag\b/.test(type.text)) return true;
  const resolved = context.resolve(value);
  const chain = resolved.kind === 'result' && resolved.path.length === 0 ? context.chain(resolved.chain) : undefined;
  if (chain) return importedName(chain.receiver, context)?.name === 'createSqlTag';
  if ('path' in value && value.path.at(-1) === 'sql') {
    const owner = importedName({ ...value, path: value.path.slice(0, -1) } as Value, context);
    return owner?.module === 'slonik';
  }
  return false;
}

/** The template that a value is made by, through bindings and choices of one. */
export function templateIn(value: Value, context: LowerContext): { chain: CallChain; template: Template } | undefined {
  for (const v of [value, context.resolve(value)]) {
    const chain = v.kind === 'result' && v.path.length === 0 ? context.chain(v.chain) : undefined;
    const template = chain && templateOf(chain, context);
    if (template) return { chain, template };
  }
  return undefined;
}

/** The text of a template. */
export const partsOf = (template: Template): readonly TextPart[] =>
  template.text.kind === 'text'
    ? template.text.parts
    : template.text.kind === 'constant'
      ? [
          {
            text: String(template.text.value),
            start: template.text.span ? template.text.span.start + 1 : template.step.span.start,
            exact: true,
          },
        ]
      : [];

/** What a hole stands for: a fragment, a name, a list, a set of rows; anything else is a parameter. */
export function expandHole(hole: Value, context: LowerContext): Expansion | undefined {
  if (hole.kind === 'choice') return narrowest(hole, context);
  const inner = templateIn(hole, context);
  if (inner) return partsOf(inner.template);
  const resolved = hole.kind === 'result' ? hole : context.resolve(hole);
  const chain = resolved.kind === 'result' && resolved.path.length === 0 ? context.chain(resolved.chain) : undefined;
  const last = chain?.steps.at(-1);
  if (!chain || !last?.arguments || !isSql(chain.receiver, context)) return undefined;
  const [first, second] = last.arguments;
  if (!first) return undefined;
  switch (last.name) {
    case 'identifier':
      return name(first, last.span, context);
    case 'join':
      return joined(first, second, last.span, context);
    case 'unnest':
      return rows(first, second, last.span, context);
    default:
      // array, json, date, literalValue, uuid: values.
      return { bind: first };
  }
}

/** `sql.identifier(['schema', 'table'])`: each part is quoted by itself. */
function name(given: Value, span: Span, context: LowerContext): Expansion {
  const list = given.kind === 'list' ? given : context.resolve(given);
  if (list.kind !== 'list') return { identifier: given, quoted: true };
  return list.of.flatMap((item, i): TextPart[] => {
    const value = item.value.kind === 'constant' ? item.value : context.resolve(item.value);
    const written =
      value.kind === 'constant' ? textPart(quotedName(String(value.value)), span) : marked(item.value, 'name', span);
    return i > 0 ? [textPart('.', span), written] : [written];
  });
}

/** `sql.join(members, glue)`; of a list that a callback makes, one member stands for all. */
function joined(list: Value, glue: Value | undefined, span: Span, context: LowerContext): Expansion {
  const between = glue && templateIn(glue, context);
  const separator = between ? partsOf(between.template) : [textPart(', ', span)];
  const found = list.kind === 'list' ? list : context.resolve(list);
  const hole = (value: Value): TextPart => ({ hole: value, span });
  if (found.kind !== 'list') return [hole(memberOf(found, context) ?? propertyOf(list, '*'))];
  // What is pushed only sometimes to a list joined by AND takes rows away.
  const ands = separator.some((p) => 'text' in p && /\band\b/i.test(p.text));
  const kept = found.of.filter((i) => !(i.maybe && ands));
  if (kept.length === 0) return ands ? [textPart('true', span)] : [];
  return kept.flatMap((item, i) => [
    ...(i > 0 ? separator : []),
    hole(item.spread ? (memberOf(context.resolve(item.value), context) ?? propertyOf(item.value, '*')) : item.value),
  ]);
}

/** What the callback of `list.map(callback)` returns. */
function memberOf(value: Value, context: LowerContext): Value | undefined {
  const chain = value.kind === 'result' && value.path.length === 0 ? context.chain(value.chain) : undefined;
  const last = chain?.steps.at(-1);
  const callback = last?.name === 'map' ? last.arguments?.[0] : undefined;
  const returns = callback?.kind === 'function' ? context.function(callback.function)?.returns : undefined;
  return returns?.length === 1 ? returns[0]!.value : undefined;
}

/** `sql.unnest(tuples, types)`: an array of each column. */
function rows(tuples: Value, types: Value | undefined, span: Span, context: LowerContext): Expansion {
  const list = types && (types.kind === 'list' ? types : context.resolve(types));
  const columns = list?.kind === 'list' ? list.of : [];
  return [
    textPart('unnest(', span),
    ...columns.flatMap((column, i): TextPart[] => [
      ...(i > 0 ? [textPart(', ', span)] : []),
      marked(propertyOf(propertyOf(tuples, '*'), String(i)), 'bind', span),
      textPart(`::${column.value.kind === 'constant' ? quotedName(String(column.value.value)) : 'text'}[]`, span),
    ]),
    textPart(')', span),
  ];
}

/** A condition that only some paths add is left out, as that is the wider query; undefined where each is a text of its own. */
function narrowest(hole: Extract<Value, { kind: 'choice' }>, context: LowerContext): Expansion | undefined {
  const found = hole.of.map((v) => templateIn(v, context));
  if (!found.every((f) => f !== undefined)) return undefined;
  const texts = found.map((f) => partsOf(f.template));
  const isEmpty = (parts: readonly TextPart[]): boolean => parts.every((p) => 'text' in p && p.text.trim() === '');
  const narrows = (parts: readonly TextPart[]): boolean => {
    const [first] = parts;
    return first !== undefined && 'text' in first && /^\s*(?:and|where|order\s+by|limit|offset)\b/i.test(first.text);
  };
  return texts.some(isEmpty) && texts.every((t) => isEmpty(t) || narrows(t)) ? [] : undefined;
}
