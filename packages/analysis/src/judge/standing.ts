import type { CallChain, Confidence, FunctionId, Reason, Span, Value } from '@tenant-lint/model';
import type { Program } from '../link/program.js';
import type { LinkedAccess, Standing } from '../model.js';
import { mayBeSameInput, type InputProvenance, type Provenance } from '../trace/provenance.js';
import { formOf } from './form.js';
import type { BeforeHandler } from './before-handler.js';
import { precedes } from './conditions.js';
import { worst } from './confidence.js';
import { memberTests, type MemberTestWorld } from './member-test.js';
import type { Reached } from './reach.js';
import type { UnreadCall } from './unread.js';

export interface StandingWorld extends MemberTestWorld {
  readonly rowIsOwn: (chain: string) => 'own' | 'foreign' | 'unknown';
  readonly reachOf: (f: FunctionId) => Reached;
  /** The check of a value that every path to a call has passed. */
  readonly before: (value: Value, chain: CallChain) => Reason | undefined;
  readonly unreadOf: (source: InputProvenance, access: LinkedAccess) => UnreadCall | undefined;
  readonly beforeHandler: BeforeHandler;
  /** The guard that has looked at it before the handler. */
  readonly guardOf: (source: InputProvenance) => Reason | undefined;
  /** The check that what a call returned is handed to afterwards, together with a verified identity. */
  readonly after: (chain: CallChain) => Reason | undefined;
  /** Whether a function refuses callers without an identity, itself or in what it calls. */
  readonly asks: (f: FunctionId) => boolean;
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
    const ways = [access.chain, ...(source.through ?? [])].flatMap((id) =>
      id === undefined ? [] : (program.chain(id) ?? []),
    );
    const isSame = (s: Provenance): boolean => s.kind === 'input' && mayBeSameInput(s, source);
    const isNamed = (v: Value): boolean => world.sourcesOf(v).some(isSame);
    const tests = ways.flatMap((way) => {
      const f = program.function(way.function);
      return f ? memberTests(f, isNamed, world).map((test) => ({ f, way, test })) : [];
    });
    const isTested = tests.some(({ f, way, test }) => test.load.chain === way.id || precedes(f, test.block, way.block));
    if (isTested) {
      passed ??= { text: 'the user is looked for among its members', span: tests[0]!.test.load.span };
      continue;
    }
    const reason =
      world.guardOf(source) ??
      world.beforeHandler.check(source) ??
      ways.map((way) => world.after(way)).find((r) => r !== undefined);
    if (reason) {
      passed ??= reason;
      continue;
    }
    const reached = source.at === undefined ? undefined : world.reachOf(source.at);
    if (reached === 'staff') continue;
    const unread = world.unreadOf(source, access);
    let confidence: Confidence =
      reached === 'system' || reached === 'no request' || source.assumed ? 'possible' : 'certain';
    if (reached === 'public' || unread) confidence = worst(confidence, unread?.isHandedBoth ? 'possible' : 'likely');
    // It is handed to a function that asks who is there and can refuse, though not plainly because of it.
    const isRead = access.operation === 'read';
    if (confidence !== 'possible' && (tests.length > 0 || ways.some((way) => isAsked(way, isNamed, isRead, world))))
      confidence = 'possible';
    // A way that was not followed to its end may be the one on which it is checked.
    if (sources.some((s) => s.kind === 'unknown')) confidence = worst(confidence, 'likely');
    if (found && worst(found.confidence, confidence) === confidence) continue;
    found = {
      kind: 'request',
      confidence,
      what: inWords(source),
      ...(source.property === undefined ? {} : { property: source.property }),
      place: placeOf(source, access, program),
      ...(source.at === undefined ? {} : { entry: source.at }),
      decoded: source.decoded === true,
      ...formOf(source, program),
      because: [...source.via, ...(unread ? [unread.reason] : [])],
    };
  }
  if (found) return found;
  if (passed) return { kind: 'checked', because: passed };
  if (sources.some((s) => s.kind === 'unknown')) return { kind: 'unknown' };
  if (sources.some((s) => s.kind === 'parameter')) return { kind: 'open' };
  const foreign = sources.some((s) => s.kind === 'row' && world.rowIsOwn(s.chain) !== 'own');
  return { kind: foreign ? 'unknown' : 'own' };
}

/** Whether what the request says is handed to a function that asks for an identity: before `chain`, or where that only reads, after it. */
function isAsked(chain: CallChain, isNamed: (v: Value) => boolean, isRead: boolean, world: StandingWorld): boolean {
  const { program } = world;
  const f = program.function(chain.function);
  if (!f) return false;
  return program.chainsOf(f.id).some((other) => {
    if (other.id === chain.id) return false;
    const isBefore = other.span.end <= chain.span.start && precedes(f, other.block, chain.block);
    if (!isBefore && !(isRead && other.span.start >= chain.span.end)) return false;
    const callee = program.calleeOf(other);
    if (!callee || !world.asks(callee.function)) return false;
    return other.steps.some((s) => s.arguments?.some(isNamed));
  });
}

/** What of the request a value is, as code writes it. */
const inWords = (source: InputProvenance): string =>
  source.named === undefined ? source.what : `${source.what}('${source.named}')`;

/** Where the value is read from the request; where that is no call, where it is handed on first, or used. */
function placeOf(source: InputProvenance, access: LinkedAccess, program: Program): Span {
  const first = source.through?.[0];
  return source.span ?? (first === undefined ? undefined : program.chain(first)?.span) ?? access.span;
}
