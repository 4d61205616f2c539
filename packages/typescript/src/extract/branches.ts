import type TS from 'typescript';
import type { Block, Value } from '@tenant-lint/model';
import { forget, learn, negated, recall } from './conditions.js';
import { assign, changesSince, takeChanges } from './scope.js';
import { startOf, type Changes, type Exit, type Extraction, type Mutable, type Presence } from './state.js';
import { ts } from './typescript.js';
import { bare } from './values.js';

/** What walking one branch left behind. The walk itself goes on where the branch began. */
export interface Branch {
  readonly changes: Changes;
  readonly exit: Exit | undefined;
  /** The last block of the branch. */
  readonly end: number;
  readonly known: ReadonlyMap<string, Presence> | undefined;
}

export function newBlock(
  x: Extraction,
  parent: number,
  start: number,
  because: NonNullable<Block['because']>,
  holds?: Value,
): number {
  const block: Mutable<Block> = { parent, because, start };
  if (holds) block.holds = bare(holds);
  return x.fn.facts.blocks.push(block) - 1;
}

/** Walks `body` as a block of its own in which the condition has the given truth, and undoes its effects on variables. */
export function branch(
  x: Extraction,
  condition: Value | undefined,
  truth: boolean,
  because: NonNullable<Block['because']>,
  start: number,
  body: () => void,
): Branch {
  const before = x.fn.block;
  const exitBefore = x.fn.exit;
  const mark = x.trail.length;
  const log = x.presentLog.length;
  const { facts } = x.fn;
  const counts = [x.chains.length, x.functions.length, facts.returns.length];
  const holds = condition && (truth ? condition : negated(condition));
  x.fn.block = newBlock(x, before, start, because, holds);
  x.fn.exit = undefined;
  const first = x.fn.block;
  if (condition) learn(x, condition, truth);
  body();
  const end = x.fn.block;
  const { exit } = x.fn;
  // Where the path goes on, everything counts that it changed since the loop or try began.
  const target = exit === 'loop' ? x.fn.breaks.at(-1) : exit ? x.fn.throws.at(-1) : undefined;
  target?.ways.push(changesSince(x, target.mark));
  const changes = takeChanges(x, mark);
  const known = forget(x, log);
  x.fn.block = before;
  x.fn.exit = exitBefore;
  const empty = counts[0] === x.chains.length && counts[1] === x.functions.length && counts[2] === facts.returns.length;
  if (empty && !facts.blocks.slice(first).some((b) => b.because === 'exit')) {
    // Nothing refers to its blocks: no chain, function or return was met, and nothing was found out by leaving.
    facts.blocks.length = first;
    return { changes, exit, end: before, known };
  }
  return { changes, exit, end, known };
}

/** Walks an operand that runs only where the condition has the given truth. One that calls nothing gets no block. */
export function operand(
  x: Extraction,
  condition: Value,
  truth: boolean,
  node: TS.Expression,
  body: () => void,
): Changes {
  if (!isPlain(node)) return branch(x, condition, truth, 'branch', startOf(x, node), body).changes;
  const log = x.presentLog.length;
  learn(x, condition, truth);
  body();
  forget(x, log);
  return [];
}

/** Names, literals and property reads. */
function isPlain(node: TS.Expression): boolean {
  let at: TS.Node = node;
  while (ts.isPropertyAccessExpression(at)) at = at.expression;
  const { kind } = at;
  return (
    kind === ts.SyntaxKind.Identifier ||
    kind === ts.SyntaxKind.ThisKeyword ||
    (kind >= ts.SyntaxKind.FirstLiteralToken && kind <= ts.SyntaxKind.LastLiteralToken) ||
    kind === ts.SyntaxKind.TrueKeyword ||
    kind === ts.SyntaxKind.FalseKeyword ||
    kind === ts.SyntaxKind.NullKeyword
  );
}

/** Goes on after a branch as its continuation: it is the only way to here, what it did and learned is sure. */
export function adopt(x: Extraction, way: Branch): void {
  for (const { variable, value, added } of way.changes) assign(x, variable, value, added);
  recall(x, way.known);
  x.fn.block = way.end;
}

/** After a branch that was left early: the rest is a block in which the condition has the other truth. */
export function afterExit(x: Extraction, condition: Value, truth: boolean, start: number): void {
  const holds = truth ? condition : negated(condition);
  x.fn.block = newBlock(x, x.fn.block, start, 'exit', holds);
  learn(x, condition, truth);
}
