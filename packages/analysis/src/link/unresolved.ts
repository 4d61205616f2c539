import type { CallChain, ChainId, FileFacts, Unresolved } from '@tenant-lint/model';
import type { Program } from './program.js';

/** What begins with one of these is no client and no function of the program. */
const literals: ReadonlySet<string> = new Set(['constant', 'undefined', 'text', 'list', 'input', 'row']);

/** The chains of which syntax does not show the receiver or a callee: nobody takes them for an access, or what they call is not known. */
export function unresolvedChains(
  files: Iterable<FileFacts>,
  program: Program,
  open: ReadonlySet<ChainId>,
): readonly Unresolved[] {
  const found: Unresolved[] = [];
  for (const facts of files) {
    // A migration runs once, and is read by its own rules.
    if (facts.dialect !== 'typescript' || facts.sql) continue;
    for (const chain of facts.chains) {
      if (literals.has(chain.receiver.kind)) continue;
      const receiver = open.has(chain.id);
      const callees = calleesOf(chain, program);
      if (receiver || callees.length > 0) found.push({ chain, receiver, callees });
    }
  }
  return found;
}

const calleesOf = (chain: CallChain, program: Program): number[] =>
  program.calleeOf(chain)?.wrapped
    ? []
    : chain.steps.flatMap((s, i) => (s.arguments && program.calleeAt(chain, i) === undefined ? [i] : []));
