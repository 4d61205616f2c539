import { valueAt, type CallChain, type Value } from '@tenant-lint/model';
import type { Program } from '../link/program.js';
import { iterations } from '../trust/sources.js';

/** The value of a chain before its step `step`: `rows` in `rows.filter(f).map(g)` for either step, since iteration keeps the rows. */
export function prefixOf(chain: CallChain, step: number, program: Program): Value {
  const names: string[] = [];
  for (const s of chain.steps.slice(0, step)) {
    if (s.arguments === undefined) names.push(s.name);
    else if (!iterations.has(s.name)) {
      const whole = program.chain(chain.id);
      return whole ? { kind: 'result', chain: chain.id, path: [] } : valueAt(chain.receiver, names);
    }
  }
  return valueAt(chain.receiver, names);
}
