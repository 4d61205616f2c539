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
import { itemOf, replacePlaceholders, type Found } from '../placeholders.js';
import { lowerSqlText } from '../sql-text.js';

interface Db {
  /** The library itself makes databases; these and tasks run statements. */
  readonly stage: 'library' | 'database';
  readonly kind: Client['kind'];
}

const database: Db = { stage: 'database', kind: 'plain' };

const kinds: ClientKinds<Db> = {
  typed: ({ text }) =>
    /\bITask\b/.test(text)
      ? { stage: 'database', kind: 'transaction' }
      : /\bI(?:Database|BaseProtocol|ConnectedT?)\b/.test(text)
        ? database
        : undefined,
  called: (module, name) =>
    module === 'pg-promise' && (name === 'default' || name === 'pgPromise')
      ? { stage: 'library', kind: 'plain' }
      : undefined,
  member: (db, name) => (name === '' && db.stage === 'library' ? database : name === 'connect' ? db : undefined),
  handed: (db, name) =>
    name === 'tx' || name === 'txIf'
      ? { ...db, kind: 'transaction' }
      : name === 'task' || name === 'taskIf'
        ? db
        : undefined,
};

/** Methods that run a statement, by how many rows they expect. */
const methods = new Set([
  ...[
    'any',
    'each',
    'many',
    'manyOrNone',
    'map',
    'multi',
    'multiResult',
    'none',
    'one',
    'oneOrNone',
    'query',
    'result',
  ],
  'stream',
]);
const others = new Set(['tx', 'txIf', 'task', 'taskIf', 'batch', 'connect', 'sequence', 'page']);

/** Lowers a call of a query method of pg-promise; see Adapter. Never throws. */
export function lower(chain: CallChain, context: LowerContext): Lowered {
  const at = chain.steps.findIndex(
    (s) => s.arguments && (methods.has(s.name) || others.has(s.name) || s.name === 'func'),
  );
  const step = chain.steps[at];
  if (!step?.arguments) return 'not mine';
  const db = traceSteps(chain.receiver, chain.steps.slice(0, at), kinds, context);
  if (others.has(step.name)) return db?.stage === 'database' ? 'no access' : 'not mine';
  const isProven = db?.stage === 'database';
  // Without a proof only words that no other library has are looked at.
  if (!isProven && !/^(?:manyOrNone|oneOrNone|none)$/.test(step.name)) return 'not mine';
  const [given, values] = step.arguments;
  if (!given) return 'not mine';
  const client: Client = { receiver: chain.receiver, kind: db?.kind ?? 'unknown' };
  const { text, parameters, native } = statementOf(given, values, context);
  const options = { file: chain.span.file, library: 'pg-promise', id: chain.id, span: chain.span, context };
  if (step.name === 'func') {
    const name = context.resolve(given);
    if (name.kind !== 'constant') return { unknown: 'the function is chosen at run time', span: step.span };
    const call = `select * from ${String(name.value)}()`;
    return accessesOf(lowerSqlText({ kind: 'constant', value: call }, undefined, options), chain, 'func', client);
  }
  const parts = text && (native ? undefined : formatted(text, parameters, step.span, context));
  if (!text || (!native && !parts))
    return isProven ? { unknown: 'the SQL text was not found', span: step.span } : 'not mine';
  const list =
    native && parameters
      ? Array.from({ length: 40 }, (_, i) => itemOf(parameters, i)).filter((v) => v !== undefined)
      : undefined;
  const lowered = lowerSqlText(parts ? { kind: 'text', parts, span: step.span } : text, list, {
    ...options,
    expand: expandMarked,
  });
  const isKnown = lowered.accesses.some((a) =>
    a.targets.some((t) => t.table.known && context.table(t.table.value) !== undefined),
  );
  return isProven || isKnown ? accessesOf(lowered, chain, step.name, client) : 'not mine';
}

/** The text and the values: two arguments, an object, a prepared or parameterised statement (which the server formats). */
function statementOf(
  given: Value,
  values: Value | undefined,
  context: LowerContext,
): { text: Value | undefined; parameters: Value | undefined; native: boolean } {
  const resolved = given.kind === 'text' || given.kind === 'constant' ? given : context.resolve(given);
  const config = resolved.kind === 'instance' ? resolved.arguments[0] : resolved;
  const object = config?.kind === 'object' ? config : undefined;
  if (!object)
    return {
      text: resolved.kind === 'instance' ? undefined : given,
      parameters: values && settled(values, context),
      native: false,
    };
  const text = propertyOf(object, 'text');
  const own = propertyOf(object, 'values');
  const parameters = own.kind === 'undefined' ? values : own;
  return {
    text: text.kind === 'undefined' ? undefined : text,
    parameters: parameters && settled(parameters, context),
    native: true,
  };
}

function settled(value: Value, context: LowerContext): Value {
  if (value.kind === 'list' || value.kind === 'object') return value;
  const resolved = context.resolve(value);
  return resolved.kind === 'list' || resolved.kind === 'object' ? resolved : value;
}

const modifier = '(\\^|~|#|:raw|:alias|:name|:json|:csv|:list|:value)?';
/** Index variables and named ones, in any of the brackets. */
const variables = new RegExp(
  `\\$([1-9]\\d{0,5})(?!\\d)${modifier}|\\$[{(<[/]\\s*([a-zA-Z0-9$_.]+?)${modifier}\\s*[})>\\]/]`,
  'g',
);

/** The parts of a statement as the library formats it: values are escaped, names quoted, raw text put in as it is. */
function formatted(
  statement: Value,
  values: Value | undefined,
  place: Span,
  context: LowerContext,
): readonly TextPart[] | undefined {
  const isNamed = values?.kind === 'object';
  return replacePlaceholders(
    statement,
    variables,
    (found) => {
      if (!values) return undefined;
      const [index, first, name, second] = found.groups;
      if (index !== undefined)
        return isNamed ? undefined : write(byIndex(values, Number(index)), first, found, context);
      if (name === undefined || values.kind === 'list') return undefined;
      const value = name === 'this' ? values : name.split('.').reduce<Value>(propertyOf, values);
      return write(value, second, found, context);
    },
    place,
    context,
  );
}

/** `$1` is the first of a list, or the only value there is. */
function byIndex(values: Value, index: number): Value {
  if (values.kind === 'list') return itemOf(values, index - 1) ?? { kind: 'undefined' };
  if (values.kind === 'constant' || values.kind === 'text') return values;
  return index === 1
    ? { kind: 'choice', of: [values, propertyOf(values, '0')] }
    : propertyOf(values, String(index - 1));
}

function write(value: Value, how: string | undefined, { span }: Found, context: LowerContext): readonly TextPart[] {
  const resolved =
    value.kind === 'list' || value.kind === 'constant' || value.kind === 'object' ? value : context.resolve(value);
  switch (how) {
    case '~':
    case ':name':
    case ':alias': {
      const names =
        resolved.kind === 'list'
          ? resolved.of.map((i) => i.value)
          : resolved.kind === 'object'
            ? resolved.entries.map((e): Value =>
                'set' in e ? { kind: 'constant', value: e.set } : { kind: 'unknown', reason: 'a name' },
              )
            : [value];
      return names.flatMap((one, i): TextPart[] => {
        const known = one.kind === 'constant' ? one : context.resolve(one);
        const part =
          known.kind === 'constant'
            ? textPart(known.value === '*' ? '*' : quotedName(String(known.value)), span)
            : marked(one, 'name', span);
        return i > 0 ? [textPart(',', span), part] : [part];
      });
    }
    case '^':
    case ':raw':
    case '#':
    case ':value':
      return [resolved.kind === 'constant' ? textPart(String(resolved.value), span) : { hole: value, span }];
    case ':csv':
    case ':list': {
      const items =
        resolved.kind === 'list'
          ? resolved.of.map((i) => (i.spread ? propertyOf(i.value, '*') : i.value))
          : resolved.kind === 'object' && resolved.entries.every((e) => 'set' in e)
            ? resolved.entries.map((e) => e.value)
            : [propertyOf(value, '*')];
      return items.flatMap((one, i): TextPart[] =>
        i > 0 ? [textPart(',', span), marked(one, 'bind', span)] : [marked(one, 'bind', span)],
      );
    }
    default:
      return resolved.kind === 'undefined' || (resolved.kind === 'constant' && resolved.value === null)
        ? [textPart('null', span)]
        : [marked(value, 'bind', span)];
  }
}
