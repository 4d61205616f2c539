import type { Predicate, Value } from '@tenant-lint/model';
import type { Provenance } from '../trace/provenance.js';

/** What the request decides as a whole: `where: await request.json()`, `{ ...req.query, status }`. */
export interface Requested {
  /** The predicate with every such part held to be what the requester likes best: no condition. */
  readonly predicate: Predicate;
  /** What supplies them, in words; none where the request decides nothing. */
  readonly by: readonly string[];
}

/** Holds the parts of a predicate that the request writes to be no condition. Text that was parsed has the keys that its schema names. */
export function asRequested(predicate: Predicate, sourcesOf: (value: Value) => readonly Provenance[]): Requested {
  const by = new Set<string>();
  const replaced = (p: Predicate): Predicate => {
    switch (p.kind) {
      case 'and':
      case 'or':
      case 'either':
        return { ...p, of: p.of.map(replaced) };
      case 'unknown':
      case 'value': {
        const from = p.kind === 'unknown' ? p.from : p.of;
        const what = from && writtenBy(sourcesOf(from));
        if (what === undefined) return p;
        by.add(what);
        return { kind: 'always', why: `the condition is ${what} of the request`, ...(p.span ? { span: p.span } : {}) };
      }
      default:
        return p;
    }
  };
  return { predicate: replaced(predicate), by: [...by] };
}

function writtenBy(sources: readonly Provenance[]): string | undefined {
  const inputs = sources.filter((s) => s.kind === 'input');
  if (inputs.length === 0 || inputs.some((s) => s.parsed !== undefined)) return undefined;
  return sources.every((s) => s.kind === 'input' || s.kind === 'constant') ? inputs[0]!.what : undefined;
}
