import type { Access, CallChain, LowerContext, Lowered, Step, Value } from '@tenant-lint/model';
import { lowerSqlText } from '../sql-text.js';
import { optionOf } from './models.js';

/** `sequelize.query(text, { replacements, bind })`. */
export function lowerQuery(chain: CallChain, step: Step, receiver: Value, context: LowerContext): Lowered {
  const [given, second] = step.arguments ?? [];
  if (!given) return 'not mine';
  const settings = second && context.resolve(second);
  const resolved = given.kind === 'object' ? given : context.resolve(given);
  const text = resolved.kind === 'object' ? (optionOf(resolved, 'query') ?? given) : given;
  const bind = valuesOf(
    optionOf(settings, 'bind') ?? (resolved.kind === 'object' ? optionOf(resolved, 'bind') : undefined),
    context,
  );
  const replaced = valuesOf(optionOf(settings, 'replacements'), context);
  const numbered = bind.list ?? replaced.list;
  const { accesses, unchecked } = lowerSqlText(questionMarks(text, replaced.list !== undefined, context), numbered, {
    file: chain.span.file,
    library: 'sequelize',
    id: chain.id,
    span: chain.span,
    context,
    holes: 'splice',
    named: (name) => replaced.named?.(name) ?? bind.named?.(name),
  });
  const transaction = optionOf(settings, 'transaction');
  const finish = (a: Access): Access => ({
    ...a,
    method: 'query',
    client: transaction ? { receiver, kind: 'transaction', transaction } : { receiver, kind: 'plain' },
    chain: chain.id,
    function: chain.function,
  });
  const [first, ...others] = accesses.map(finish);
  if (!first) {
    const [why] = unchecked;
    return why ? { unknown: why.reason, span: why.span } : 'no access';
  }
  if (unchecked.length === 0) return { accesses: [first, ...others] };
  return { accesses: [{ ...first, unchecked: [...(first.unchecked ?? []), ...unchecked] }, ...others] };
}

interface Values {
  readonly list?: readonly Value[];
  readonly named?: (name: string) => Value | undefined;
}

function valuesOf(value: Value | undefined, context: LowerContext): Values {
  const v = value && context.resolve(value);
  if (!v) return {};
  if (v.kind === 'list')
    return { list: v.of.map((i) => (i.spread ? { kind: 'unknown', reason: 'a spread' } : i.value)) };
  return { named: (name) => optionOf(v, name) };
}

/** Replacements of a list take the place of `?`, one after another: as numbered parameters. */
function questionMarks(text: Value, isList: boolean, context: LowerContext): Value {
  if (!isList) return text;
  const v = text.kind === 'constant' || text.kind === 'text' ? text : context.resolve(text);
  if (v.kind !== 'constant' || typeof v.value !== 'string' || !v.value.includes('?')) return text;
  let n = 0;
  const value = v.value.replace(/'(?:[^']|'')*'|\?/g, (m) => (m === '?' ? `$${++n}` : m));
  return { kind: 'constant', value };
}
