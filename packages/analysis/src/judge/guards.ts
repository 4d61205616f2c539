import {
  mapValue,
  valueAt,
  type Block,
  type CallChain,
  type FunctionFacts,
  type Table,
  type Value,
} from '@tenant-lint/model';
import type { LinkedAccess } from '../model.js';
import { Program } from '../link/program.js';
import { atomsAt, chosen, dominates, entailed, presenceOf, type Atom, stripped } from './conditions.js';
import { isSecret } from './confidence.js';

/** The path that a value reads from the result of `chain`; undefined where it is something else. */
export function pathInto(value: Value, chain: string, program: Program): readonly string[] | undefined {
  if (value.kind === 'missing-able') return pathInto(value.of, chain, program);
  // One of several rows, whichever was found.
  if (value.kind === 'choice')
    return value.of.map((v) => pathInto(v, chain, program)).find((path) => path !== undefined);
  if (value.kind !== 'result') return undefined;
  if (Program.originalChain(value.chain) === chain) return value.path;
  // A chain on the row: `(await rows).at(0)`, `row.members.some(...)`.
  const inner = program.chain(value.chain);
  if (!inner) return undefined;
  const shown = value.path.length === 0 ? sameIdentifier(inner) : undefined;
  return pathInto(shown ?? inner.receiver, chain, program);
}

/** What a chain only writes in another form: `row.orgId.toString()`, `String(row.orgId)`. */
function sameIdentifier({ receiver, steps }: CallChain): Value | undefined {
  const last = steps.at(-1);
  const reads = steps.slice(0, -1);
  if (!last?.arguments || reads.some((s) => s.arguments !== undefined)) return undefined;
  if (last.name === '' && receiver.kind === 'global' && receiver.name === 'String') return last.arguments[0];
  const isForm = ['toString', 'toHexString', 'valueOf', 'toJSON'].includes(last.name);
  return isForm
    ? valueAt(
        receiver,
        reads.map((s) => s.name),
      )
    : undefined;
}

/** A property that holds a secret which was given to somebody; a password was chosen by a user, whom another look-up has to find. */
export const isGiven = (path: readonly string[]): boolean =>
  isSecret(path.at(-1) ?? '') && !/pass/i.test(path.at(-1) ?? '');

/** A function that is asked whether two things belong together: `safeEqual(token, row.token)`. The two; not where the answer is no truth. */
export function pairOf(value: Value, program: Program): readonly Value[] | undefined {
  const chain = value.kind === 'result' && value.path.length === 0 ? program.chain(value.chain) : undefined;
  const called = chain?.steps.filter((s) => s.arguments !== undefined) ?? [];
  const [only, more] = called;
  return only?.arguments?.length === 2 && !more ? only.arguments : undefined;
}

/** `row.orgId.equals(orgId)`, as identifiers that are objects are compared: the two sides. */
function sidesOf(value: Value, program: Program): readonly Value[] | undefined {
  if (value.kind === 'apply') return value.function === '===' ? value.to : undefined;
  const chain = value.kind === 'result' && value.path.length === 0 ? program.chain(value.chain) : undefined;
  const last = chain?.steps.at(-1);
  const [other, more] = last?.arguments ?? [];
  if (!chain || last?.name !== 'equals' || !other || more) return undefined;
  const reads = chain.steps.slice(0, -1);
  if (reads.some((s) => s.arguments !== undefined)) return undefined;
  return [
    valueAt(
      chain.receiver,
      reads.map((s) => s.name),
    ),
    other,
  ];
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
 * tells whether a path reads the tenant of the row; `mayBeTenant` what it may be compared with; any
 * property will do where it has to equal a verified identity (`isVerified`).
 */
export function comparesKey(
  f: FunctionFacts,
  chain: string,
  after: number,
  isKey: (path: readonly string[]) => boolean,
  isVerified: (value: Value) => boolean,
  mayBeTenant: (value: Value) => boolean,
  program: Program,
  /** As if every verified value were there: finds the comparison that whoever has none passes by. */
  assuming = false,
): Block | undefined {
  const wanted = ({ value, holds }: Atom): boolean => {
    if (!holds) return pathInto(value, chain, program)?.length === 0;
    const pair = pairOf(value, program);
    const sides = sidesOf(value, program) ?? pair;
    if (!sides) return false;
    const paths = sides.map((side) => pathInto(side, chain, program));
    if (pair && !paths.some((path) => path && isGiven(path))) return false;
    return paths.some((path, side) => {
      const other = sides[1 - side];
      if (path === undefined || !other || paths[1 - side] !== undefined) return false;
      // Whoever presents the row's secret has been given it.
      if (isGiven(path) && other.kind !== 'constant' && other.kind !== 'undefined') return true;
      return (isKey(path) && mayBeTenant(other)) || (path.length > 0 && isVerified(other));
    });
  };
  return f.blocks.find((block) => {
    if (!block.holds || block.start < after) return false;
    const holds = ofEach(assuming ? withoutPresence(block.holds, isVerified) : block.holds, true, program);
    // The row's absence alone is no comparison.
    if (!guarantees(holds, wanted) || !mentionsComparison(holds, program)) return false;
    return assuming || !isPassedBy(f, block, chain, isVerified, program);
  });
}

/** What `rows.every(f)` says where it holds, and `rows.some(f)` where it does not, of each of the rows. */
function ofEach(condition: Value, holds: boolean, program: Program): Value {
  if (condition.kind === 'missing-able') return ofEach(condition.of, holds, program);
  if (condition.kind === 'apply') {
    if (condition.function !== '!' && condition.function !== '&&' && condition.function !== '||') return condition;
    const inner = condition.function === '!' ? !holds : holds;
    return { ...condition, to: condition.to.map((v) => ofEach(v, inner, program)) };
  }
  const chain = condition.kind === 'result' && condition.path.length === 0 ? program.chain(condition.chain) : undefined;
  const last = chain?.steps.at(-1);
  const [test, more] = last?.arguments ?? [];
  const f = test?.kind === 'function' && !more ? program.function(test.function) : undefined;
  const [only, others] = f?.returns ?? [];
  const reads = chain?.steps.slice(0, -1) ?? [];
  if (!chain || !f || !only || others || last?.name !== (holds ? 'every' : 'some') || f.blocks.length > 1)
    return condition;
  if (reads.some((s) => s.arguments !== undefined)) return condition;
  const names = reads.map((s) => s.name);
  return mapValue(only.value, (v) =>
    v.kind === 'parameter' && v.function === f.id && v.index === 0
      ? valueAt(chain.receiver, [...names, '*', ...v.path])
      : v,
  );
}

/** Whether a check stands in a branch for those who have a verified value, and the row is used after it by those who have none. */
function isPassedBy(
  f: FunctionFacts,
  check: Block,
  chain: string,
  isVerified: (value: Value) => boolean,
  program: Program,
): boolean {
  for (let at: number | undefined = check.parent; at !== undefined; at = f.blocks[at]?.parent) {
    const branch = f.blocks[at];
    if (branch?.because !== 'branch' || !branch.holds || !isPresenceOf(branch.holds, isVerified)) continue;
    const outside = (block: number, value: Value): boolean =>
      !dominates(f, at!, block) && pathInto(value, chain, program) !== undefined;
    const isReturned = f.returns.some((r) => r.span.start > check.start && outside(r.block, r.value));
    const isUsed = program
      .chainsOf(f.id)
      .some((c) => c.span.start > check.start && c.steps.some((s) => s.arguments?.some((a) => outside(c.block, a))));
    if (isReturned || isUsed) return true;
  }
  return false;
}

/** Whether a condition says no more than that verified values are there. */
export function isPresenceOf(condition: Value, isVerified: (value: Value) => boolean): boolean {
  const atoms = entailed(condition);
  return (
    atoms.length > 0 &&
    atoms.every((atom) => {
      const presence = presenceOf(atom);
      return presence?.holds === true && presence.value.kind !== 'apply' && isVerified(presence.value);
    })
  );
}

/** A condition without the parts that say that a verified value is there. */
function withoutPresence(condition: Value, isVerified: (value: Value) => boolean): Value {
  if (condition.kind === 'missing-able') return withoutPresence(condition.of, isVerified);
  if (condition.kind !== 'apply') return condition;
  const to = condition.to.map((v) => withoutPresence(v, isVerified));
  const [left, right] = to;
  if (!left || !right) return { ...condition, to };
  const negated = (v: Value): Value => ({ kind: 'apply', function: '!', to: [v] });
  if (condition.function === '&&') return isPresenceOf(left, isVerified) ? right : { ...condition, to };
  if (condition.function === '||') return isPresenceOf(negated(left), isVerified) ? right : { ...condition, to };
  return { ...condition, to };
}

function mentionsComparison(condition: Value, program: Program): boolean {
  if (condition.kind === 'missing-able') return mentionsComparison(condition.of, program);
  if (condition.kind !== 'apply') return (sidesOf(condition, program) ?? pairOf(condition, program)) !== undefined;
  return /^[!=]==?$/.test(condition.function) || condition.to.some((c) => mentionsComparison(c, program));
}

/** Whether on every path to `block` the result of `chain` (or something of it) has been found to be there. */
export function isTested(f: FunctionFacts, chain: string, block: number, program: Program): boolean {
  const atoms = atomsAt(f, block);
  const isOf = (value: Value): boolean => pathInto(chosen(value, atoms), chain, program) !== undefined;
  return atoms.some(({ value, holds }) => {
    if (value.kind !== 'apply') return holds && isOf(value);
    const [left, right] = value.to;
    if (!left || !right || !value.to.some(isOf)) return false;
    if (value.function === '===') {
      // `x !== null`, `x !== undefined`; `rows.length === 1`; `found.id === id`: what is missing equals nothing that is there.
      const other = isOf(left) ? right : left;
      const nothing = other.kind === 'undefined' || (other.kind === 'constant' && !other.value);
      return nothing ? !holds : holds;
    }
    return isOf(left) ? saysSome(value.function, right, holds) : saysSome(mirrored[value.function] ?? '', left, holds);
  });
}

const mirrored: Readonly<Record<string, string>> = { '<': '>', '>': '<', '<=': '>=', '>=': '<=' };

/** Whether `count <operator> number`, or its opposite, says that there is at least one: `rows.length > 0`, not `count < 1`. */
function saysSome(operator: string, number: Value, holds: boolean): boolean {
  if (number.kind !== 'constant' || typeof number.value !== 'number') return false;
  if (operator === (holds ? '>' : '<=')) return number.value >= 0;
  return operator === (holds ? '>=' : '<') && number.value >= 1;
}

/** Whether what a call answered has been asked on every path to `block`, either way: `if (ability.cannot('read')) throw`. */
export function isAsked(f: FunctionFacts, chain: string, block: number, program: Program): boolean {
  return atomsAt(f, block).some(({ value }) => {
    const own = stripped(value);
    const asked = own.kind === 'result' && own.path.length === 0 ? program.chain(own.chain) : undefined;
    const isCall = asked !== undefined && asked.id !== chain && asked.steps.at(-1)?.arguments !== undefined;
    return isCall && pathInto(asked.receiver, chain, program) !== undefined;
  });
}

/** Like isAsked, of any block after a place. */
export function isAskedLater(f: FunctionFacts, chain: string, after: number, program: Program): boolean {
  return f.blocks.some(
    (block, index) => block.holds !== undefined && block.start >= after && isAsked(f, chain, index, program),
  );
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
