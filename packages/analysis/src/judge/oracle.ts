import { mapValue, type Block, type CallChain, type FunctionFacts, type Span, type Value } from '@tenant-lint/model';
import { entailed, presenceOf } from './conditions.js';
import { guarantees, pathInto } from './guards.js';
import type { Program } from '../link/program.js';

/** How far before the place where a condition holds the other way of it ends. */
const reach = 600;
const notFound = /NotFound|Missing|DoesNotExist/i;
const refused = /Forbidden|AccessDenied|Unauthori[sz]ed|Permission|NotAllowed/i;

/** What is answered for a row that is not there, and for one of another tenant. */
export interface Answers {
  readonly missing: number;
  readonly foreign: number;
  /** Where the second is given. */
  readonly span: Span;
}

/** The answers that a function gives before it goes on with a loaded row; undefined where they are not seen, or the same. */
export function answersOf(f: FunctionFacts, chain: string, compared: Block, program: Program): Answers | undefined {
  const foreign = answerBefore(f, compared.start, program);
  if (!foreign) return undefined;
  const isRow = (value: Value): boolean => pathInto(value, chain, program)?.length === 0;
  for (const block of f.blocks) {
    if (!block.holds || block === compared || block.because !== 'exit' || block.start > foreign.span.start) continue;
    const isThere = guarantees(block.holds, (atom) => {
      const presence = presenceOf(atom);
      return presence?.holds === true && isRow(presence.value);
    });
    const alone = entailed(block.holds).length === 1;
    const missing = isThere && alone ? answerBefore(f, block.start, program) : undefined;
    if (missing && missing.status !== foreign.status)
      return { missing: missing.status, foreign: foreign.status, span: foreign.span };
  }
  return undefined;
}

/** The status that the last answer before a place carries. */
function answerBefore(f: FunctionFacts, end: number, program: Program): { status: number; span: Span } | undefined {
  let found: { status: number; span: Span } | undefined;
  const note = (status: number | undefined, span: Span): void => {
    if (status === undefined || span.end > end || span.start < end - reach) return;
    if (!found || span.start > found.span.start) found = { status, span };
  };
  for (const { value, span } of [...f.returns, ...(f.thrown ?? [])]) note(statusOf(value, program), span);
  for (const chain of program.chainsOf(f.id)) note(statusOfChain(chain, program), chain.span);
  return found;
}

const statusOfChain = (chain: CallChain, program: Program): number | undefined => {
  for (const step of chain.steps) {
    const [first] = step.arguments ?? [];
    if (/^(?:status|sendStatus|code|writeHead)$/.test(step.name) && first) return numberOf(first);
  }
  return chain.steps
    .flatMap((s) => s.arguments ?? [])
    .map((a) => statusOf(a, program))
    .find((s) => s !== undefined);
};

function numberOf(value: Value): number | undefined {
  return value.kind === 'constant' && typeof value.value === 'number' && value.value >= 400 && value.value < 500
    ? value.value
    : undefined;
}

function statusOf(value: Value, program: Program): number | undefined {
  let found: number | undefined;
  if (value.kind === 'result' && value.path.length === 0) {
    const chain = program.chain(value.chain);
    return chain && statusOfChain(chain, program);
  }
  mapValue(value, (inner) => {
    if (inner.kind === 'object')
      for (const entry of inner.entries)
        if ('set' in entry && /^(?:status|statusCode|code)$/.test(entry.set)) found ??= numberOf(entry.value);
    if (inner.kind === 'instance') {
      for (const argument of inner.arguments) found ??= numberOf(argument);
      const name = 'name' in inner.of ? inner.of.name : '';
      found ??= notFound.test(name) ? 404 : refused.test(name) ? 403 : undefined;
    }
    return inner;
  });
  return found;
}
