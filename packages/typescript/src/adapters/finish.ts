import type { Access, CallChain, Client, Lowered } from '@tenant-lint/model';
import type { LoweredText } from './sql-text.js';

/** The accesses of a statement as those of the call that runs it; what was not understood goes with the first, or is all there is. */
export function accessesOf(lowered: LoweredText, chain: CallChain, method: string, client: Client): Lowered {
  const [first, ...others] = lowered.accesses.map((a): Access => ({
    ...a,
    method,
    client,
    chain: chain.id,
    function: chain.function,
  }));
  if (!first) {
    const [why] = lowered.unchecked;
    return why ? { unknown: why.reason, span: why.span } : 'no access';
  }
  const unchecked = [...(first.unchecked ?? []), ...lowered.unchecked];
  return { accesses: [unchecked.length > 0 ? { ...first, unchecked } : first, ...others] };
}
