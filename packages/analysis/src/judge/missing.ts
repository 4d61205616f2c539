import type { Predicate, Value } from '@tenant-lint/model';
import { valueAt } from '@tenant-lint/model';
import type { Program } from '../link/program.js';

const maxDepth = 4;

/**
 * Whether a condition can lose a part, by what the program's callers hand over: an optional parameter that every caller supplies is never
 * missing.
 */
export function canVanish(predicate: Predicate, program: Program): boolean {
  const open: Value[] = [];
  collect(predicate, open);
  return open.length === 0 || open.some((value) => canBeMissing(value, program, maxDepth));
}

/** The values within a condition that may be missing. */
function collect(node: unknown, into: Value[]): void {
  if (Array.isArray(node)) for (const item of node) collect(item, into);
  else if (typeof node === 'object' && node !== null) {
    if ('kind' in node && node.kind === 'missing-able') into.push(node as Value);
    else for (const inner of Object.values(node)) collect(inner, into);
  }
}

function canBeMissing(value: Value, program: Program, depth: number): boolean {
  switch (value.kind) {
    case 'undefined':
      return true;
    case 'constant':
      return value.value === null;
    case 'missing-able': {
      const of = value.of;
      return of.kind === 'parameter' ? isLeftOut(of, program, depth) : true;
    }
    case 'parameter':
      return false;
    case 'choice':
      return value.of.some((v) => canBeMissing(v, program, depth));
    default:
      return false;
  }
}

function isLeftOut(parameter: Extract<Value, { kind: 'parameter' }>, program: Program, depth: number): boolean {
  const callers = program.callersOf(parameter.function);
  if (depth <= 0 || callers.length === 0 || program.entryOf(parameter.function)) return true;
  return callers.some((site) => {
    const argument = site.chain.steps[site.step]?.arguments?.[parameter.index];
    return argument === undefined || canBeMissing(valueAt(argument, parameter.path), program, depth - 1);
  });
}
