import type { CallChain, FunctionFacts, Span, Table, Value } from '@tenant-lint/model';
import { precedes, stripped } from '../judge/conditions.js';
import type { Program } from '../link/program.js';
import type { LinkedAccess } from '../model.js';
import { isUnawaited, type Sessions } from './sessions.js';
import type { SettingWrite } from './setting-writes.js';

/**
 * A tenant that is set in vain, or for too long. `alone`: for a transaction that nothing else is in; `late`: after the query, or on another
 * path than that to it; `unawaited`: by a statement that never runs; `unended`: in a transaction that is not ended where something fails, so that
 * whoever gets the connection next is in it; `kept`: for the session, and taken back only where nothing fails.
 */
export interface SessionMistake {
  readonly kind: 'alone' | 'late' | 'unawaited' | 'unended' | 'kept';
  readonly setting: string;
  readonly access: LinkedAccess;
  readonly span: Span;
  /** The queries that go without the tenant. */
  readonly uses: readonly LinkedAccess[];
}

export interface MistakesWorld {
  readonly program: Program;
  readonly sessions: Sessions;
  readonly accessesOf: (f: string) => readonly LinkedAccess[];
  /** The tables of an access whose policies read a setting, and through which foreign rows are reached. */
  readonly reaches: (access: LinkedAccess, setting: string) => readonly Table[];
}

export function sessionMistakes(world: MistakesWorld): readonly SessionMistake[] {
  const found: SessionMistake[] = [];
  for (const { access, chain, write } of world.sessions.writes()) {
    const f = world.program.function(chain.function);
    if (!f) continue;
    const note = (kind: SessionMistake['kind'], uses: readonly LinkedAccess[] = []): void => {
      found.push({ kind, setting: write.name, access, span: chain.span, uses });
    };
    const connection = stripped(access.client.transaction ?? access.client.receiver);
    if (isUnawaited(access, chain)) {
      note('unawaited', without(f, connection, write, chain, world));
      continue;
    }
    if (write.local === true && isShared(connection, access) && !world.sessions.isInBatch(chain)) {
      note('alone');
      continue;
    }
    const missed = without(f, connection, write, chain, world);
    if (missed.length > 0) note('late', missed);
    if (connection.kind !== 'result') continue;
    const others = world.program.chainsOf(f.id).filter((c) => isOn(c, connection));
    const text = (c: CallChain): string => {
      const [first] = c.steps.at(-1)?.arguments ?? [];
      return first?.kind === 'constant' ? String(first.value) : '';
    };
    // Of a finally: it runs where the statements before it do not.
    const isFinally = (c: CallChain): boolean => c.block !== chain.block;
    if (write.local === true) {
      const begins = others.some((c) => /^\s*(?:begin|start\s+transaction)\b/i.test(text(c)));
      const ends = others.some(
        (c) => /^\s*(?:rollback|abort)\b/i.test(text(c)) || /rollback/i.test(c.steps.at(-1)?.name ?? ''),
      );
      const release = others.find((c) => c.steps.at(-1)?.name === 'release');
      const commit = others.find((c) => c.span.start > chain.span.end && /^\s*(?:commit|end)\b/i.test(text(c)));
      // An error of the database ends the transaction for all that comes; one of the program leaves it open.
      const mayFail = world.program
        .chainsOf(f.id)
        .some((c) => !isOn(c, connection) && c.span.start > chain.span.end && commit && c.span.end < commit.span.start);
      if (begins && !ends && release && isFinally(release) && mayFail) note('unended');
      continue;
    }
    const back = others.find((c) => c.span.start > chain.span.end && /^\s*(?:reset|discard\s+all)\b/i.test(text(c)));
    if (write.local === false && back && back.block === chain.block) note('kept');
  }
  return found;
}

const isOn = (chain: CallChain, connection: Value): boolean => {
  const receiver = stripped(chain.receiver);
  return receiver.kind === 'result' && connection.kind === 'result' && receiver.chain === connection.chain;
};

/** A pool, or a client that hands each statement to any connection. */
const isShared = (connection: Value, access: LinkedAccess): boolean =>
  access.client.kind !== 'transaction' && ['binding', 'import', 'this'].includes(connection.kind);

/** The queries of the same function on the same connection that the setting was meant for, and that run without it. */
function without(
  f: FunctionFacts,
  connection: Value,
  write: SettingWrite,
  chain: CallChain,
  world: MistakesWorld,
): readonly LinkedAccess[] {
  return world.accessesOf(f.id).filter((access) => {
    const other = access.chain === undefined ? undefined : world.program.chain(access.chain);
    if (!other || other.id === chain.id || access.targets.length === 0) return false;
    if (!world.sessions.isOn(access, connection)) return false;
    const isBefore = chain.span.end <= other.span.start && precedes(f, chain.block, other.block);
    if (isBefore && (chain.awaited || chain.use !== 'discarded')) return false;
    return world.sessions.of(access).length === 0 && world.reaches(access, write.name).length > 0;
  });
}
