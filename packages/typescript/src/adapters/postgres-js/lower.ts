import type {
  CallChain,
  ChainId,
  Client,
  FileFacts,
  LowerContext,
  Lowered,
  Step,
  TextPart,
  Value,
} from '@tenant-lint/model';
import { accessesOf } from '../finish.js';
import { lowerSqlText } from '../sql-text.js';
import { sqlClientOfSteps } from './client.js';
import { callOf, chainOf, expandHole, expandRaw, prepared } from './fragments.js';

/** Lowers a template of postgres.js, or `sql.unsafe(text, values)`. */
export function lower(chain: CallChain, context: LowerContext): Lowered {
  const call = callOf(chain);
  if (!call) return 'not mine';
  if (call.kind === 'helper' || call.kind === 'other') {
    const at = call.kind === 'other' ? chain.steps.findIndex((s) => s.name === call.name) : 0;
    const found = sqlClientOfSteps(chain.receiver, chain.steps.slice(0, at), context);
    if (!found) return 'not mine';
    // Neon: `sql(text, values)`, `sql.query(text, values)`.
    const isQuery = call.kind === 'helper' ? isStatement(call.arguments[0], context) : call.name === 'query';
    return isQuery
      ? run(chain, call.arguments[0], call.arguments[1], found, chain.steps.slice(0, at), context)
      : 'no access';
  }
  const found = sqlClientOfSteps(chain.receiver, call.before, context);
  if (!found) return 'not mine';
  if (!chain.awaited && isPart(chain, context)) return 'no access';
  if (call.kind === 'unsafe') return run(chain, call.arguments[0], call.arguments[1], found, call.before, context);
  const parts: readonly TextPart[] =
    call.text.kind === 'text'
      ? call.text.parts
      : call.text.kind === 'constant'
        ? [
            {
              text: String(call.text.value),
              start: call.text.span ? call.text.span.start + 1 : call.step.span.start,
              exact: true,
            },
          ]
        : [];
  // A piece of a statement that nobody is seen to put into one is none by itself.
  const [first] = parts;
  const begins = first && 'text' in first ? first.text.trim() : '';
  if (!chain.awaited && begins !== '' && !statement.test(begins)) return 'no access';
  const text: Value = { kind: 'text', parts: prepared(parts, context), span: call.step.span };
  const lowered = lowerSqlText(text, undefined, {
    ...optionsOf(chain, context),
    holes: 'bind',
    expand: (hole) => expandRaw(hole) ?? expandHole(hole, context),
  });
  return accessesOf(lowered, chain, 'sql', { receiver: receiverOf(chain, call.before), kind: found.kind });
}

const statement =
  /^(?:--[^\n]*\n|\/\*[\s\S]*?\*\/|\s|\()*(?:select|insert|update|delete|with|merge|truncate|set|create|alter|drop|grant|call|do|copy|table|values|begin|commit|explain|lock|refresh|listen|notify)\b/i;

function isStatement(value: Value | undefined, context: LowerContext): boolean {
  const found = value && (value.kind === 'text' ? value : context.resolve(value));
  const [first] = found?.kind === 'text' ? found.parts : [];
  const text = found?.kind === 'constant' ? String(found.value) : first && 'text' in first ? first.text : '';
  return statement.test(text);
}

const optionsOf = (
  chain: CallChain,
  context: LowerContext,
): { file: string; library: string; id: string; span: CallChain['span']; context: LowerContext } => ({
  file: chain.span.file,
  library: 'postgres-js',
  id: chain.id,
  span: chain.span,
  context,
});

const receiverOf = (chain: CallChain, before: readonly Step[]): Value => {
  const last = before.at(-1);
  return 'path' in chain.receiver && last && !before.some((s) => s.arguments)
    ? ({ ...chain.receiver, path: [...chain.receiver.path, ...before.map((s) => s.name)] } as Value)
    : chain.receiver;
};

/** Text with numbered parameters. */
function run(
  chain: CallChain,
  text: Value | undefined,
  values: Value | undefined,
  found: { readonly kind: Client['kind'] },
  before: readonly Step[],
  context: LowerContext,
): Lowered {
  if (!text) return 'no access';
  const list = values && (values.kind === 'list' ? values : context.resolve(values));
  const open = list?.kind === 'list' ? list.of.findIndex((i) => i.spread) : -1;
  const parameters =
    list?.kind === 'list' ? (open < 0 ? list.of : list.of.slice(0, open)).map((i) => i.value) : undefined;
  const lowered = lowerSqlText(text, parameters, optionsOf(chain, context));
  return accessesOf(lowered, chain, 'unsafe', { receiver: receiverOf(chain, before), kind: found.kind });
}

const partsOf = new WeakMap<FileFacts, ReadonlySet<ChainId>>();

/** Whether a template is a fragment: it is put into another one of the file. */
function isPart(chain: CallChain, context: LowerContext): boolean {
  const facts = context.facts(chain.span.file);
  if (!facts) return false;
  let parts = partsOf.get(facts);
  if (!parts) {
    const found = new Set<ChainId>();
    for (const other of facts.chains)
      for (const step of other.steps)
        if (step.template)
          for (const argument of step.arguments ?? [])
            if (argument.kind === 'text')
              for (const part of argument.parts) if ('hole' in part) collect(part.hole, context, found, 0);
    partsOf.set(facts, (parts = found));
  }
  return parts.has(chain.id);
}

function collect(value: Value, context: LowerContext, into: Set<ChainId>, depth: number): void {
  if (depth > 6) return;
  switch (value.kind) {
    case 'choice':
      return value.of.forEach((v) => collect(v, context, into, depth + 1));
    case 'list':
      return value.of.forEach((i) => collect(i.value, context, into, depth + 1));
    case 'apply':
      return value.to.forEach((v) => collect(v, context, into, depth + 1));
    case 'missing-able':
      return collect(value.of, context, into, depth + 1);
    default: {
      const chain = chainOf(value, context);
      if (chain) into.add(chain.id);
      const resolved = context.resolve(value);
      if (resolved.kind === 'choice' || resolved.kind === 'list') collect(resolved, context, into, depth + 1);
    }
  }
}
