import type { CallChain, LinkContext, Path, Step, Value } from '@tenant-lint/model';

/** A step of a builder; `when`: only on paths where this holds. */
export interface BuilderStep extends Step {
  readonly when?: Value;
}

/** A chain in normal form: the receiver without a path, and every property read or call as a step of its own. */
export interface Call {
  readonly base: Value;
  readonly steps: readonly Step[];
  readonly chain: CallChain;
}

/** Splits a value into what it is read from and the properties read. */
export function splitPath(value: Value): { readonly base: Value; readonly path: Path } {
  switch (value.kind) {
    case 'missing-able':
      return splitPath(value.of);
    case 'element': {
      const inner = splitPath(value.of);
      return { base: inner.base, path: [...inner.path, ...value.path] };
    }
    case 'row':
    case 'input':
    case 'parameter':
    case 'result':
    case 'binding':
    case 'global':
    case 'this':
    case 'import':
      return value.path.length === 0 ? { base: value, path: [] } : { base: { ...value, path: [] }, path: value.path };
    default:
      return { base: value, path: [] };
  }
}

/** The normal form of a chain: `eb.fn.count('x')` and `fn.count('x')` with `fn` taken out of `eb` have the same steps. */
export function callOf(chain: CallChain): Call {
  const { base, path } = splitPath(chain.receiver);
  const reads = path.map((name): Step => ({ name, span: chain.span }));
  const steps = [...reads, ...chain.steps];
  const last = reads.at(-1);
  const [first] = chain.steps;
  // `const { and } = eb; and(...)`: a call without a name is one of what was read before.
  if (last && first?.name === '' && first.arguments)
    return { base, steps: [...reads.slice(0, -1), { ...first, name: last.name }, ...chain.steps.slice(1)], chain };
  return { base, steps, chain };
}

/** The chain that a value is the result of, with nothing read from it; through imports and bindings. */
export function chainOf(value: Value, context: LinkContext): CallChain | undefined {
  if (value.kind === 'missing-able') return chainOf(value.of, context);
  if (value.kind === 'result') return value.path.length === 0 ? context.chain(value.chain) : undefined;
  if (value.kind !== 'binding' && value.kind !== 'import' && value.kind !== 'this') return undefined;
  const resolved = context.resolve(value);
  return resolved.kind === 'result' && resolved.path.length === 0 ? context.chain(resolved.chain) : undefined;
}

/** The chains whose results occur in a value. */
export function resultsIn(value: Value, depth = 0): readonly string[] {
  if (depth > 12) return [];
  const deeper = (v: Value): readonly string[] => resultsIn(v, depth + 1);
  switch (value.kind) {
    case 'result':
      return value.path.length === 0 ? [value.chain] : [];
    case 'missing-able':
    case 'element':
      return deeper(value.of);
    case 'choice':
      return value.of.flatMap(deeper);
    case 'apply':
      return value.to.flatMap(deeper);
    case 'list':
      return value.of.flatMap((i) => deeper(i.value));
    case 'object':
      return value.entries.flatMap((e) => deeper('spread' in e ? e.spread : e.value));
    case 'text':
      return value.parts.flatMap((p) => ('hole' in p ? deeper(p.hole) : []));
    default:
      return [];
  }
}

/** Both tests. */
export const both = (a: Value | undefined, b: Value | undefined): Value | undefined =>
  a && b ? { kind: 'apply', function: '&&', to: [a, b] } : (a ?? b);

/** A builder: where it starts, and every step that is taken on it. */
export interface Builder {
  /** On what it was started, and the property reads from there to the start. */
  readonly base: Value;
  readonly reads: readonly Step[];
  /** The table it was started with: `knex('invoices')`. */
  readonly table?: Value;
  /** Started by a call, `knex(...)`, and not by a word of the library. */
  readonly called: boolean;
  /** A model's: what it is needs no further sign. */
  readonly sure?: true;
  readonly steps: readonly BuilderStep[];
}
