import type { Block, FunctionFacts, Table, Value } from '@tenant-lint/model';
import type { LinkedAccess } from '../model.js';
import { Program } from '../link/program.js';

/** An atomic condition known to hold (or, with `holds: false`, known not to). */
export interface Atom {
  readonly value: Value;
  readonly holds: boolean;
}

/** The atomic conditions that a JavaScript condition entails: `!(!a || b !== c)` entails a, and b === c. */
export function entailed(condition: Value, holds = true): readonly Atom[] {
  if (condition.kind === 'missing-able') return entailed(condition.of, holds);
  if (condition.kind !== 'apply') return [{ value: condition, holds }];
  const [left, right] = condition.to;
  switch (condition.function) {
    case '!':
      return left ? entailed(left, !holds) : [];
    case '&&':
      return holds && left && right ? [...entailed(left), ...entailed(right)] : [];
    case '||':
      return !holds && left && right ? [...entailed(left, false), ...entailed(right, false)] : [];
    case '!=':
    case '!==':
      return [{ value: { ...condition, function: '===' }, holds: !holds }];
    case '==':
      return [{ value: { ...condition, function: '===' }, holds }];
    default:
      return [{ value: condition, holds }];
  }
}

/** Whether block `inner` is `outer` or lies below it in the dominator tree: every path to `inner` goes through `outer`. */
export function dominates(f: FunctionFacts, outer: number, inner: number): boolean {
  for (let block: number | undefined = inner; block !== undefined; block = f.blocks[block]?.parent)
    if (block === outer) return true;
  return false;
}

/** The atoms that hold in a block, with those of its dominators. */
export function atomsAt(f: FunctionFacts, block: number): readonly Atom[] {
  const atoms: Atom[] = [];
  for (let at: number | undefined = block; at !== undefined; at = f.blocks[at]?.parent) {
    const holds: Value | undefined = f.blocks[at]?.holds;
    if (holds) atoms.push(...entailed(holds));
  }
  return atoms;
}

/** The path that a value reads from the result of `chain`; undefined where it is something else. */
export function pathInto(value: Value, chain: string, program: Program): readonly string[] | undefined {
  if (value.kind === 'missing-able') return pathInto(value.of, chain, program);
  if (value.kind !== 'result') return undefined;
  if (Program.originalChain(value.chain) === chain) return value.path;
  // A chain on the row: `(await rows).at(0)`, `row.members.some(...)`.
  const inner = program.chain(value.chain);
  return inner ? pathInto(inner.receiver, chain, program) : undefined;
}

/** Whether a condition guarantees one of the wanted atoms: a conjunction in some part, a disjunction in every part. */
export function guarantees(condition: Value, wanted: (atom: Atom) => boolean, holds = true): boolean {
  if (condition.kind === 'missing-able') return guarantees(condition.of, wanted, holds);
  if (condition.kind === 'apply') {
    const [left, right] = condition.to;
    if (condition.function === '!' && left) return guarantees(left, wanted, !holds);
    if ((condition.function === '&&' || condition.function === '||') && left && right) {
      const all = (condition.function === '||') === holds;
      const [a, b] = [guarantees(left, wanted, holds), guarantees(right, wanted, holds)];
      return all ? a && b : a || b;
    }
  }
  return entailed(condition, holds).some(wanted);
}

/**
 * A comparison of the loaded row's tenant key with something else, after which only the equal case (or no row at all) goes on. `isKey`
 * tells whether a path reads the tenant of the row; any property will do where it has to equal a verified identity (`isVerified`).
 */
export function comparesKey(
  f: FunctionFacts,
  chain: string,
  after: number,
  isKey: (path: readonly string[]) => boolean,
  isVerified: (value: Value) => boolean,
  program: Program,
): Block | undefined {
  const wanted = ({ value, holds }: Atom): boolean => {
    if (!holds) return pathInto(value, chain, program)?.length === 0;
    if (value.kind !== 'apply' || value.function !== '===') return false;
    const paths = value.to.map((side) => pathInto(side, chain, program));
    return paths.some((path, side) => {
      const other = value.to[1 - side];
      if (path === undefined || path.length === 0 || !other || paths[1 - side] !== undefined) return false;
      return (isKey(path) && other.kind !== 'constant') || isVerified(other);
    });
  };
  return f.blocks.find((block) => {
    if (!block.holds || block.start < after) return false;
    // The row's absence alone is no comparison.
    return guarantees(block.holds, wanted) && mentionsComparison(block.holds);
  });
}

function mentionsComparison(condition: Value): boolean {
  if (condition.kind !== 'apply') return false;
  return /^[!=]==?$/.test(condition.function) || condition.to.some(mentionsComparison);
}

/** Whether on every path to `block` the result of `chain` has been found to be there. */
export function isTested(f: FunctionFacts, chain: string, block: number, program: Program): boolean {
  return atomsAt(f, block).some(({ value, holds }) => {
    if (value.kind === 'apply' && value.function === '===') {
      // `x !== null`, `x !== undefined`
      const other = value.to.find(
        (side) => side.kind === 'undefined' || (side.kind === 'constant' && side.value === null),
      );
      return !holds && other !== undefined && value.to.some((side) => pathInto(side, chain, program) !== undefined);
    }
    return holds && pathInto(value, chain, program) !== undefined;
  });
}

/** Whether any later block rests on the result of `chain` being there (a check after the load). */
export function isTestedLater(f: FunctionFacts, chain: string, after: number, program: Program): boolean {
  return f.blocks.some(
    (block, index) => block.holds !== undefined && block.start >= after && isTested(f, chain, index, program),
  );
}

/** A call that throws by itself where it finds nothing. */
export const throwsWhenMissing = (access: LinkedAccess): boolean => /OrThrow$|OrFail$/.test(access.method);

/** The property under which code reads a column. */
export const propertyOfColumn = (table: Table, column: string): string => table.columns.get(column)?.property ?? column;
