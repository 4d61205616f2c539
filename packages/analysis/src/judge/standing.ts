import type { CallChain, Confidence, FunctionId, Reason, Span, Value } from '@tenant-lint/model';
import type { Program } from '../link/program.js';
import type { LinkedAccess, Standing } from '../model.js';
import type { InputProvenance, Provenance } from '../trace/provenance.js';
import type { BeforeHandler } from './before-handler.js';
import { worst } from './confidence.js';
import type { Reached } from './reach.js';

export interface StandingWorld {
  readonly program: Program;
  readonly sourcesOf: (value: Value) => readonly Provenance[];
  readonly rowIsOwn: (chain: string) => 'own' | 'foreign' | 'unknown';
  readonly reachOf: (f: FunctionId) => Reached;
  /** The check of a value that every path to a call has passed. */
  readonly before: (value: Value, chain: CallChain) => Reason | undefined;
  readonly unreadOf: (source: InputProvenance, access: LinkedAccess) => Reason | undefined;
  readonly beforeHandler: BeforeHandler;
}

/** On whose word a value rests where an access uses it: the session's, the tenant's own rows', a check's, or the request's alone. */
export function standingOf(value: Value, access: LinkedAccess, world: StandingWorld): Standing {
  const { program } = world;
  const chain = access.chain === undefined ? undefined : program.chain(access.chain);
  const sources = world.sourcesOf(value);
  if (sources.every((s) => s.kind === 'constant')) return { kind: 'fixed' };
  const checked = chain && world.before(value, chain);
  if (checked) return { kind: 'checked', because: checked };
  let found: Extract<Standing, { kind: 'request' }> | undefined;
  let passed: Reason | undefined;
  for (const source of sources) {
    if (source.kind !== 'input') continue;
    const reason = world.beforeHandler.check(source);
    if (reason) {
      passed ??= reason;
      continue;
    }
    const reached = source.at === undefined ? undefined : world.reachOf(source.at);
    if (reached === 'staff') continue;
    const unread = world.unreadOf(source, access);
    let confidence: Confidence =
      reached === 'system' || reached === 'no request' || source.assumed ? 'possible' : 'certain';
    if (reached === 'public' || unread) confidence = worst(confidence, 'likely');
    // A way that was not followed to its end may be the one on which it is checked.
    if (sources.some((s) => s.kind === 'unknown')) confidence = worst(confidence, 'likely');
    if (found && worst(found.confidence, confidence) === confidence) continue;
    found = {
      kind: 'request',
      confidence,
      what: inWords(source),
      place: placeOf(source, access, program),
      ...(source.at === undefined ? {} : { entry: source.at }),
      decoded: source.decoded === true,
      ...(source.parsed === undefined ? {} : { parsed: source.parsed }),
      because: [...source.via, ...(unread ? [unread] : [])],
    };
  }
  if (found) return found;
  if (passed) return { kind: 'checked', because: passed };
  if (sources.some((s) => s.kind === 'unknown')) return { kind: 'unknown' };
  if (sources.some((s) => s.kind === 'parameter')) return { kind: 'open' };
  const foreign = sources.some((s) => s.kind === 'row' && world.rowIsOwn(s.chain) !== 'own');
  return { kind: foreign ? 'unknown' : 'own' };
}

/** What of the request a value is, as code writes it. */
const inWords = (source: InputProvenance): string =>
  source.named === undefined ? source.what : `${source.what}('${source.named}')`;

/** Where the value is read from the request; where that is no call, where it is handed on first, or used. */
function placeOf(source: InputProvenance, access: LinkedAccess, program: Program): Span {
  const first = source.through?.[0];
  return source.span ?? (first === undefined ? undefined : program.chain(first)?.span) ?? access.span;
}
