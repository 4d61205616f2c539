import {
  propertyOf,
  type CallChain,
  type Client,
  type LowerContext,
  type Lowered,
  type Span,
  type TextPart,
  type Value,
} from '@tenant-lint/model';
import { traceSteps, type ClientKinds } from '../client-trace.js';
import { accessesOf } from '../finish.js';
import { expandMarked, marked, quotedName, textPart } from '../markers.js';
import { packageOf } from '../packages.js';
import { itemOf, replacePlaceholders } from '../placeholders.js';
import { lowerSqlText } from '../sql-text.js';

const isModule = (module: string): boolean => /^(?:mysql2?|promise-mysql|mariadb)(?:\/promise)?$/.test(module);

const kinds: ClientKinds<Client['kind']> = {
  typed: ({ text, name }) =>
    name?.kind === 'import' &&
    isModule(packageOf(name.module)) &&
    /\b(?:Pool|PoolConnection|Connection|PoolCluster)\b/.test(text)
      ? 'plain'
      : undefined,
  called: (module, name) =>
    isModule(module) && /^(?:default\.)?(?:createPool|createConnection|createPoolCluster)$/.test(name)
      ? 'plain'
      : undefined,
  member: (client, name) => (['getConnection', 'promise', 'of'].includes(name) ? client : undefined),
};

/** Lowers `query(sql, values)` and `execute(sql, values)`. What only MySQL understands is not read; see Adapter. Never throws. */
export function lower(chain: CallChain, context: LowerContext): Lowered {
  const at = chain.steps.findIndex((s) => s.arguments && (s.name === 'query' || s.name === 'execute'));
  const step = chain.steps[at];
  const [given, second] = step?.arguments ?? [];
  if (!step || !given) return 'not mine';
  const kind = traceSteps(chain.receiver, chain.steps.slice(0, at), kinds, context);
  if (!kind) return 'not mine';
  const resolved = given.kind === 'text' || given.kind === 'constant' ? given : context.resolve(given);
  const config = resolved.kind === 'object' ? resolved : undefined;
  const text = config ? propertyOf(config, 'sql') : given;
  const own = config && propertyOf(config, 'values');
  const values = own && own.kind !== 'undefined' ? own : second;
  const parts = formatted(text, values && settled(values, context), step.span, context);
  if (!parts) return { unknown: 'the SQL text was not found', span: step.span };
  const lowered = lowerSqlText({ kind: 'text', parts, span: step.span }, undefined, {
    file: chain.span.file,
    library: 'mysql2',
    id: chain.id,
    span: chain.span,
    context,
    expand: expandMarked,
  });
  const unchecked = lowered.unchecked.map((u) => ({
    ...u,
    reason: u.reason.startsWith('syntax') ? 'a statement that only MySQL understands' : u.reason,
  }));
  return accessesOf({ ...lowered, unchecked }, chain, step.name, { receiver: chain.receiver, kind });
}

function settled(value: Value, context: LowerContext): Value {
  if (value.kind === 'list' || value.kind === 'object') return value;
  const resolved = context.resolve(value);
  return resolved.kind === 'list' || resolved.kind === 'object' ? resolved : value;
}

/** Quoted text and names, and the placeholders outside of them. */
const tokens = /'(?:[^'\\]|\\.|'')*'|"((?:[^"\\]|\\.|"")*)"|`((?:[^`]|``)*)`|(\?\??)|:([A-Za-z_]\w*)/g;

/** The statement with the quotes of the standard, and with values in the place of `?`, `??` and `:name`. */
function formatted(
  statement: Value,
  values: Value | undefined,
  place: Span,
  context: LowerContext,
): readonly TextPart[] | undefined {
  let next = 0;
  return replacePlaceholders(
    statement,
    tokens,
    ({ groups, before, span }) => {
      const [text, name, mark, named] = groups;
      if (name !== undefined) return [{ text: `"${name}"`, start: span.start, exact: true }];
      if (text !== undefined) return [textPart(`'${text.replaceAll("'", "''")}'`, span)];
      if (named !== undefined)
        return values?.kind === 'object' ? [marked(propertyOf(values, named), 'bind', span)] : undefined;
      if (mark === undefined || !values) return undefined;
      const isOnly = values.kind !== 'list' && (values.kind === 'object' || values.kind === 'constant');
      const value = isOnly ? values : itemOf(values, next++);
      if (!value) return undefined;
      return mark === '??' ? nameOf(value, span, context) : valueOf(value, before, span, context);
    },
    place,
    context,
  );
}

/** `escapeId` of the library: a dot divides a name. */
function nameOf(value: Value, span: Span, context: LowerContext): readonly TextPart[] {
  const resolved = value.kind === 'list' || value.kind === 'constant' ? value : context.resolve(value);
  const names = resolved.kind === 'list' ? resolved.of.map((i) => i.value) : [resolved];
  return names.flatMap((one, i): TextPart[] => {
    const part =
      one.kind === 'constant'
        ? textPart(String(one.value).split('.').map(quotedName).join('.'), span)
        : marked(resolved.kind === 'list' ? one : value, 'name', span);
    return i > 0 ? [textPart(', ', span), part] : [part];
  });
}

/** A list becomes its items, an object assignments. */
function valueOf(value: Value, before: string, span: Span, context: LowerContext): readonly TextPart[] {
  const resolved = value.kind === 'list' || value.kind === 'object' ? value : context.resolve(value);
  const separated = (items: readonly (readonly TextPart[])[]): TextPart[] =>
    items.flatMap((item, i) => (i > 0 ? [textPart(', ', span), ...item] : item));
  if (resolved.kind === 'list') {
    return separated(
      resolved.of.map((item): readonly TextPart[] => {
        const inner = item.value.kind === 'list' ? item.value : undefined;
        if (inner) return [textPart('(', span), ...valueOf(inner, '', span, context), textPart(')', span)];
        return [marked(item.spread ? propertyOf(item.value, '*') : item.value, 'bind', span)];
      }),
    );
  }
  if (resolved.kind === 'object' && /\bset\s*$/i.test(before))
    return separated(
      resolved.entries.map((e): readonly TextPart[] =>
        'set' in e ? [textPart(`${quotedName(e.set)} = `, span), marked(e.value, 'bind', span)] : [],
      ),
    );
  // A list that is not seen, where only a list makes sense.
  const isList = /\bin\s*\(\s*$/i.test(before) && value.kind !== 'constant';
  return [marked(isList ? propertyOf(value, '*') : value, 'bind', span)];
}
