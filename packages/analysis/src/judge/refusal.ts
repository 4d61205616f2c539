import type { CallChain, FunctionFacts, FunctionId, Path, Value } from '@tenant-lint/model';
import type { Program } from '../link/program.js';
import { componentsOf } from './components.js';
import { dominates, stripped } from './conditions.js';

/** Where a function finds something of what it was handed: a parameter, or a property of one. */
interface Place {
  readonly index: number;
  readonly path: Path;
}

const maxDepth = 3;
/** How many values, one inside the other, are looked through for a parameter. */
const maxValues = 6;

/**
 * Whether a function that was handed a row and an identity can throw because of what the two are to one another: a test before that depends on
 * both, in the function or in what it hands both to.
 */
export function refusesByBoth(
  call: CallChain,
  isOfRow: (value: Value) => boolean,
  isIdentity: (value: Value) => boolean,
  program: Program,
  depth = maxDepth,
): boolean {
  const callee = program.calleeOf(call);
  const f = callee && program.function(callee.function);
  const args = callee && call.steps[callee.step]?.arguments;
  if (!callee || !f || !args || depth <= 0) return false;
  if (callee.wrapped) return true;
  const rows = placesOf(args, isOfRow);
  const identities = placesOf(args, isIdentity);
  const isOfBoth = (value: Value): boolean => holds(value, f, rows, program) && holds(value, f, identities, program);
  return (
    closuresOf(f, program).some((g) =>
      g.blocks.some((b, i) => b.because === 'exit' && b.holds && throwsBefore(g, i) && isOfBoth(b.holds)),
    ) ||
    program.chainsOf(f.id).some((inner) =>
      refusesByBoth(
        inner,
        (v) => holds(v, f, rows, program),
        (v) => holds(v, f, identities, program),
        program,
        depth - 1,
      ),
    )
  );
}

/** Whether the way that was not taken to a block ended by throwing: a caller that does not look at the answer goes on after a return. */
function throwsBefore(f: FunctionFacts, block: number): boolean {
  const { parent, start } = f.blocks[block]!;
  const other = f.blocks.findLastIndex(
    (b, i) => i < block && b.parent === parent && b.because === 'branch' && b.start <= start,
  );
  return other < 0 || !f.returns.some((r) => dominates(f, other, r.block));
}

const closuresOf = (f: FunctionFacts, program: Program): readonly FunctionFacts[] =>
  program.facts(f.span.file)?.functions.filter((g) => g.id === f.id || g.parent === f.id) ?? [f];

function placesOf(args: readonly Value[], wanted: (value: Value) => boolean): readonly Place[] {
  const within = (value: Value, depth: number): readonly Path[] => {
    const own = stripped(value);
    if (own.kind !== 'object' || depth <= 0) return wanted(own) ? [[]] : [];
    return own.entries.flatMap((e) =>
      'set' in e
        ? within(e.value, depth - 1).map((path) => [e.set, ...path])
        : 'spread' in e
          ? within(e.spread, depth - 1)
          : [],
    );
  };
  return args.flatMap((argument, index) => within(argument, 3).map((path) => ({ index, path })));
}

/** Whether a value is made of what stands at one of the places. */
function holds(value: Value, f: { readonly id: FunctionId }, places: readonly Place[], program: Program): boolean {
  const seen = new Set<string>();
  const walk = (v: Value, depth: number): boolean => {
    if (depth <= 0) return false;
    const again = (inner: Value): boolean => walk(inner, depth - 1);
    switch (v.kind) {
      case 'parameter':
        return (
          v.function === f.id &&
          places.some((p) => p.index === v.index && p.path.every((name, i) => i >= v.path.length || v.path[i] === name))
        );
      case 'missing-able':
        return again(v.of);
      case 'result': {
        if (seen.has(v.chain)) return false;
        seen.add(v.chain);
        const chain = program.chain(v.chain);
        return chain !== undefined && (again(chain.receiver) || chain.steps.some((s) => s.arguments?.some(again)));
      }
      default:
        return componentsOf(v).some(again);
    }
  };
  return walk(value, maxValues);
}

/** Whether a value is a parameter of one of these functions (its parameter number `index`), or holds one. */
export function holdsParameter(
  value: Value,
  functions: ReadonlySet<FunctionId>,
  depth: number,
  index?: number,
): boolean {
  const own = stripped(value);
  const within = (v: Value): boolean => depth > 0 && holdsParameter(v, functions, depth - 1, index);
  if (own.kind === 'parameter') return functions.has(own.function) && (index === undefined || own.index === index);
  return componentsOf(own).some(within);
}
