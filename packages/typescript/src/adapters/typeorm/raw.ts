import {
  propertyOf,
  type Access,
  type CallChain,
  type Client,
  type LowerContext,
  type Lowered,
  type Step,
  type Value,
} from '@tenant-lint/model';
import { lowerSqlText } from '../sql-text.js';

/** Lowers `query(sql, parameters)` of a manager, a repository, a data source or a query runner. */
export function lowerRaw(chain: CallChain, step: Step, client: Client, context: LowerContext): Lowered {
  const [text, parameters] = step.arguments ?? [];
  if (!text) return 'no access';
  const { accesses, unchecked } = lowerSqlText(text, valuesOf(parameters, context), {
    file: chain.span.file,
    library: 'typeorm',
    id: chain.id,
    span: chain.span,
    context,
    holes: step.template ? 'bind' : 'splice',
  });
  const made = { method: step.name, client, chain: chain.id, function: chain.function };
  const [first, ...others] = accesses.map((a): Access => ({ ...a, ...made }));
  const [why] = unchecked;
  if (!first) return why ? { unknown: why.reason, span: why.span } : 'no access';
  return unchecked.length === 0
    ? { accesses: [first, ...others] }
    : { accesses: [{ ...first, unchecked: [...(first.unchecked ?? []), ...unchecked] }, ...others] };
}

/** The parameters by position; of a list that is not known each is still an item of it. */
function valuesOf(value: Value | undefined, context: LowerContext): readonly Value[] {
  const list = value && (value.kind === 'list' ? value : context.resolve(value));
  if (!list) return [];
  if (list.kind !== 'list') return Array.from({ length: 40 }, (_, i) => propertyOf(list, String(i)));
  const open = list.of.findIndex((i) => i.spread);
  return (open < 0 ? list.of : list.of.slice(0, open)).map((i) => i.value);
}
