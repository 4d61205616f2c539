import type { FunctionFacts, Value } from '@tenant-lint/model';
import type { Program } from '../link/program.js';
import type { LinkedAccess } from '../model.js';
import { componentsOf } from './components.js';
import { entailed, presenceOf, stripped } from './conditions.js';
import type { Ground } from './ground.js';
import { pathInto } from './guards.js';

/** Whether nothing of what a read gives is used but whether there is something: `if (await find(slug)) throw`. */
export function isAskedForPresence(access: LinkedAccess, ground: Ground): boolean {
  const { program } = ground;
  const { chain, in: f } = access;
  if (access.operation !== 'read' || chain === undefined || !f) return false;
  const mentions = (value: Value): boolean => isMentioned(value, chain, program);
  let isAsked = false;
  const isPresence = (value: Value): boolean => {
    const own = stripped(value);
    if (own.kind === 'apply' && logic.test(own.function)) return own.to.every(isPresence);
    if (!mentions(own)) return true;
    const asked = presenceOf({ value: own, holds: true });
    const path = asked && pathInto(asked.value, chain, program);
    const isThere = path !== undefined && path.every((name) => presentParts.test(name));
    const isCounted =
      own.kind === 'apply' &&
      /^(?:[!=]==?|[<>]=?)$/.test(own.function) &&
      own.to.every((v) => v.kind === 'constant' || pathInto(stripped(v), chain, program));
    if (isThere || isCounted) isAsked = true;
    return isThere || isCounted;
  };
  return (
    family(f, program).every(
      (g) =>
        g.blocks.every((b) => b.holds === undefined || isPresence(b.holds)) &&
        // The row itself is no answer; whether there is one is.
        g.returns.every((r) => !mentions(r.value) || (stripped(r.value).kind === 'apply' && isPresence(r.value))) &&
        program
          .chainsOf(g.id)
          .every((c) => c.id === chain || !(mentions(c.receiver) || c.steps.some((s) => s.arguments?.some(mentions)))),
    ) && isAsked
  );
}

/** Whether a row that is found ends it, and nothing else is done with one: `if (existing) throw new Error('taken')`. */
export function refusesPresence(access: LinkedAccess, ground: Ground): boolean {
  const { chain, in: f } = access;
  if (chain === undefined || !f || !isAskedForPresence(access, ground)) return false;
  return f.blocks.some(
    (b) =>
      b.because === 'exit' &&
      b.holds !== undefined &&
      entailed(b.holds).some((atom) => {
        const asked = presenceOf(atom);
        return asked?.holds === false && pathInto(asked.value, chain, ground.program) !== undefined;
      }),
  );
}

const logic = /^(?:!|&&|\|\||!!)$/;
/** The first row of a list, its number. */
const presentParts = /^(?:\d+|length|rowCount|count)$/;

const family = (f: FunctionFacts, program: Program): readonly FunctionFacts[] =>
  program.facts(f.span.file)?.functions.filter((g) => g.id === f.id || g.parent === f.id) ?? [f];

/** Whether something of what a chain gave is part of a value. */
function isMentioned(value: Value, chain: string, program: Program, depth = 6): boolean {
  const own = stripped(value);
  if (pathInto(own, chain, program) !== undefined) return true;
  if (depth <= 0) return true;
  const within = (v: Value): boolean => isMentioned(v, chain, program, depth - 1);
  switch (own.kind) {
    case 'choice':
      return componentsOf(own).some(within) || (own.test !== undefined && within(own.test));
    case 'text':
      return own.parts.some((p) => 'hole' in p && within(p.hole));
    // What was not understood may show it: a page.
    case 'unknown':
      return true;
    default:
      return componentsOf(own).some(within);
  }
}
