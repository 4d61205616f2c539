import type { CallChain, Reason, Value } from '@tenant-lint/model';
import type { Program } from '../link/program.js';
import type { LinkedAccess } from '../model.js';
import type { InputProvenance, Provenance } from '../trace/provenance.js';
import { conversions, iterations, trustedSources } from '../trust/sources.js';
import { precedes, stripped } from './conditions.js';

/**
 * Calls between the request and an access whose bodies are not in the program, and that may check what they are handed: they got a verified
 * identity or the whole request, before it was used. A leak behind one rests on the assumption that it does not check.
 */
export class Unread {
  readonly #memo = new Map<string, Reason | false>();

  constructor(
    private readonly program: Program,
    private readonly sourcesOf: (value: Value) => readonly Provenance[],
    /** Whether a call is one of a data library. */
    private readonly isOfData: (chain: string) => boolean,
  ) {}

  /** The first such call on the way of a source to an access. */
  onWay(source: InputProvenance, access: LinkedAccess): Reason | undefined {
    const opaque = source.unread === undefined ? undefined : this.program.chain(source.unread);
    if (opaque) return { text: `as far as ${nameOf(opaque)} does not check it`, span: opaque.span };
    const wrapper = source.at === undefined ? undefined : this.#wrapper(source.at);
    if (wrapper) return wrapper;
    for (const id of [access.chain, ...(source.through ?? [])]) {
      const found = id === undefined ? undefined : this.#before(id);
      if (found) return found;
    }
    return undefined;
  }

  /** A wrapper around the entry point that comes from elsewhere: `export const GET = withAuth(handler)`. */
  #wrapper(entry: string): Reason | undefined {
    const kind = this.program.entryOf(entry)?.kind ?? '';
    const handed = this.program.function(entry)?.handedTo;
    const chain = handed && this.program.chain(handed.chain);
    if (!chain || !/^(?:next|remix|sveltekit) /.test(kind) || this.program.calleeOf(chain)) return undefined;
    return { text: `as far as ${nameOf(chain)} does not check it`, span: chain.span };
  }

  #before(id: string): Reason | undefined {
    const known = this.#memo.get(id);
    if (known !== undefined) return known === false ? undefined : known;
    const chain = this.program.chain(id);
    const f = chain && this.program.function(chain.function);
    const found =
      f &&
      this.program
        .chainsOf(f.id)
        .find((c) => c.span.end <= chain.span.start && precedes(f, c.block, chain.block) && this.#mayCheck(c));
    const reason = found && { text: `as far as ${nameOf(found)} does not check it`, span: found.span };
    this.#memo.set(id, reason ?? false);
    return reason;
  }

  #mayCheck(chain: CallChain): boolean {
    if (this.isOfData(chain.id) || this.program.calleeOf(chain)) return false;
    const root = this.program.importOf(chain.receiver, 8);
    if (!root || trustedSources.some((s) => s.modules.test(root.module))) return false;
    const called = chain.steps.filter((s) => s.arguments !== undefined);
    const name = called[0]?.name === '' ? nameOf(chain) : (called[0]?.name ?? '');
    if (conversions.has(name) || iterations.has(name)) return false;
    return called.some((s) => s.arguments!.some((a) => this.#isIdentity(a)));
  }

  /** A verified identity as it stands, or first in an object. */
  #isIdentity(value: Value): boolean {
    const own = stripped(value);
    if (own.kind === 'object') return own.entries.some((e) => this.#isIdentity('spread' in e ? e.spread : e.value));
    if (own.kind === 'constant' || own.kind === 'function' || own.kind === 'text') return false;
    return this.sourcesOf(own).some((s) => s.kind === 'trusted');
  }
}

function nameOf(chain: CallChain): string {
  const steps = chain.steps.flatMap((s) => (s.name === '' ? [] : [s.name]));
  const first = 'name' in chain.receiver ? [chain.receiver.name] : [];
  return [...first, ...steps].slice(0, 3).join('.') || 'a call';
}
