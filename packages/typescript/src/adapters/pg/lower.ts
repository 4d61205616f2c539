import {
  propertyOf,
  type Access,
  type CallChain,
  type LowerContext,
  type Lowered,
  type Step,
  type Value,
} from '@tenant-lint/model';
import { lowerSqlText, type LoweredText } from '../sql-text.js';
import { expandCall, expandFormatHole } from './format.js';
import { isClientCall, provenanceOf } from './provenance.js';

/** Lowers `x.query(text, values)`, `x.query({ text, values })` and the tagged templates of drop-in replacements. */
export function lower(chain: CallChain, context: LowerContext): Lowered {
  const first = chain.steps.findIndex((s) => s.arguments !== undefined);
  // What the first call gives may be the client: `createPool().query(...)`.
  const behind = chain.steps.findIndex((s, i) => i > first && s.arguments && (s.template || runs.has(s.name)));
  const isMade = behind > 0 && isClientCall({ ...chain, steps: chain.steps.slice(0, first + 1) }, context);
  const at = isMade ? behind : first;
  const step = chain.steps[at];
  if (at < 0 || !step?.arguments) return 'not mine';
  const reads = chain.steps.slice(0, at).map((s) => s.name);
  const receiver = readFrom(chain.receiver, reads);
  if (step.template) return lowerTemplate(chain, step, receiver, isMade, context);
  if (step.name === 'connect' || step.name === 'release' || step.name === 'end' || step.name === 'on')
    return provenanceOf(receiver, context) ? 'no access' : 'not mine';
  if (!runs.has(step.name) || step.arguments.length === 0) return 'not mine';
  const provenance = isMade ? ({ kind: 'plain' } as const) : provenanceOf(receiver, context);
  const query = queryOf(step.arguments, context);
  const { text } = query;
  if (!text) return provenance ? { unknown: 'unresolved: the SQL text was not found', span: step.span } : 'not mine';
  const lowered = lowerText(text, query, chain, context);
  if (!provenance && !namesKnownTable(lowered, context)) return 'not mine';
  return finish(lowered, chain, { method: 'query', client: { receiver, kind: provenance?.kind ?? 'unknown' } });
}

/** `` sql`SELECT ...` `` of a drop-in replacement: every hole is a parameter. */
function lowerTemplate(chain: CallChain, step: Step, receiver: Value, isMade: boolean, context: LowerContext): Lowered {
  const provenance =
    (isMade ? ({ kind: 'plain' } as const) : provenanceOf(receiver, context)) ??
    (step.name === 'sql' ? provenanceOf(readFrom(receiver, ['sql']), context) : undefined);
  const [text] = step.arguments ?? [];
  if (!provenance || !text) return 'not mine';
  const lowered = lowerText(text, undefined, chain, context, 'bind');
  return finish(lowered, chain, { method: 'sql', client: { receiver, kind: provenance.kind } });
}

/** Methods that run SQL text: node-postgres', and those of the driver for Deno. */
const runs: ReadonlySet<string> = new Set(['query', 'queryObject', 'queryArray']);

const readFrom = (value: Value, names: readonly string[]): Value =>
  names.filter((n) => n !== '').reduce<Value>(propertyOf, value);

interface Query {
  readonly text: Value | undefined;
  readonly values: readonly Value[] | undefined;
  readonly named?: ((name: string) => Value | undefined) | undefined;
}

/** Text and parameters of a call: two arguments, or a config object. */
function queryOf(args: readonly Value[], context: LowerContext): Query {
  const [first, second] = args;
  if (!first) return { text: undefined, values: undefined };
  const resolved = isText(first) ? first : context.resolve(first);
  if (resolved.kind === 'object') {
    const text = optionOf(resolved, 'text');
    const values = optionOf(resolved, 'values') ?? optionOf(resolved, 'args') ?? second;
    return { text, values: listOf(values, context) };
  }
  const named = namedOf(second, context);
  return { text: first, values: named ? undefined : listOf(second, context), named };
}

const isText = (value: Value): boolean => value.kind === 'text' || value.kind === 'constant' || value.kind === 'choice';

function optionOf(value: Value, name: string): Value | undefined {
  const found = propertyOf(value, name);
  return found.kind === 'undefined' ? undefined : found;
}

/** The parameters as far as they are known: items from the first spread on are not. */
function listOf(value: Value | undefined, context: LowerContext): readonly Value[] | undefined {
  if (!value || value.kind === 'function') return value ? [] : undefined;
  const resolved = value.kind === 'list' ? value : context.resolve(value);
  if (resolved.kind === 'missing-able') return listOf(resolved.of, context);
  if (resolved.kind !== 'list') {
    // The n-th item of a list that is not known is still a property of it.
    return Array.from({ length: 40 }, (_, i) => propertyOf(resolved, String(i)));
  }
  const open = resolved.of.findIndex((i) => i.spread);
  return (open < 0 ? resolved.of : resolved.of.slice(0, open)).map((i) => i.value);
}

/** Values of named placeholders: an object of values, possibly inside an option of the driver. */
function namedOf(value: Value | undefined, context: LowerContext): ((name: string) => Value | undefined) | undefined {
  const resolved = value && (value.kind === 'object' ? value : context.resolve(value));
  if (resolved?.kind !== 'object') return undefined;
  return (name) => {
    const inner = optionOf(resolved, 'replacements') ?? optionOf(resolved, 'bind') ?? resolved;
    return optionOf(inner, name);
  };
}

function lowerText(
  text: Value,
  query: Query | undefined,
  chain: CallChain,
  context: LowerContext,
  holes: 'bind' | 'splice' = 'splice',
): LoweredText {
  return lowerSqlText(text, query?.values, {
    ...(query?.named ? { named: query.named } : {}),
    file: chain.span.file,
    library: 'pg',
    id: chain.id,
    span: chain.span,
    context,
    holes,
    expand: (hole) => expandFormatHole(hole) ?? expandCall(hole, context),
  });
}

/** Whether text on a receiver that nothing is known of is SQL for this database: it names a table of the schema. */
function namesKnownTable(lowered: LoweredText, context: LowerContext): boolean {
  return lowered.accesses.some((a) =>
    a.targets.some((t) => t.table.known && context.table(t.table.value) !== undefined),
  );
}

function finish(lowered: LoweredText, chain: CallChain, made: Pick<Access, 'method' | 'client'>): Lowered {
  const accesses = lowered.accesses.map((a): Access => ({ ...a, ...made, chain: chain.id, function: chain.function }));
  const [first, ...others] = accesses;
  if (!first) {
    const [why] = lowered.unchecked;
    return why ? { unknown: why.reason, span: why.span } : 'no access';
  }
  return {
    accesses:
      lowered.unchecked.length > 0
        ? [{ ...first, unchecked: [...(first.unchecked ?? []), ...lowered.unchecked] }, ...others]
        : accesses,
  };
}
