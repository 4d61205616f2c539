import { enter } from '../identity.js';
import { literal, type Ran, type Session } from '../session/session.js';
import { isRefusal } from '../refusal.js';
import { cellName, type Attempt, type Cell, type Planned } from './attempt.js';

/**
 * Tries what is planned, cell by cell, each attempt in a savepoint that is rolled back. `skip`: cells that did not end in an earlier try.
 * @throws TimedOut, OutOfMemory
 */
export async function executeAttempts(
  session: Session,
  planned: readonly Planned[],
  skip: ReadonlySet<string>,
  progress: (done: number, total: number) => void,
): Promise<readonly Cell[]> {
  const cells: Cell[] = [];
  const unset = new Map<string, boolean>();
  for (const [i, plan] of planned.entries()) {
    progress(i + 1, planned.length);
    cells.push(await cellOf(session, plan, skip, unset));
  }
  return cells;
}

async function cellOf(
  session: Session,
  plan: Planned,
  skip: ReadonlySet<string>,
  unset: Map<string, boolean>,
): Promise<Cell> {
  const { attempts, notTried, ...cell } = plan;
  const name = cellName(cell);
  if (notTried !== undefined || attempts.length === 0)
    return { ...cell, outcome: 'not tried', reason: notTried ?? 'nothing to try' };
  if (skip.has(name)) return { ...cell, outcome: 'not tried', reason: 'it does not end in the time or memory allowed' };
  const wasSet = await firstSet(session, attempts[0]!, unset);
  if (wasSet !== undefined)
    return { ...cell, outcome: 'not tried', reason: `${wasSet} was set before and cannot be unset in this session` };
  let first: Pick<Cell, 'outcome' | 'reason' | 'attempt'> | undefined;
  for (const attempt of attempts) {
    const tried = await tryOne(session, attempt, name);
    if (tried.outcome === 'leaked') return { ...cell, ...tried, attempt };
    // The plain row says most; an attempt that could not be made says least.
    if (
      first === undefined ||
      (first.outcome === 'not tried' && tried.outcome !== 'not tried') ||
      (first.outcome === 'refused' && tried.outcome === 'blocked')
    )
      first = { ...tried, attempt };
  }
  return { ...cell, ...(first ?? { outcome: 'not tried', reason: 'nothing to try' }) };
}

/** The first setting of a context that should never have been set and was. */
async function firstSet(session: Session, attempt: Attempt, known: Map<string, boolean>): Promise<string | undefined> {
  for (const [name, value] of Object.entries(attempt.context.settings)) {
    if (value !== null) continue;
    let isSet = known.get(name);
    if (isSet === undefined) {
      const [ran] = await session.run([`select current_setting(${literal(name)}, true)`]);
      isSet = ran?.ok === true && ran.rows[0]?.[0] !== null;
      known.set(name, isSet);
    }
    if (isSet) return name;
  }
  return undefined;
}

/** The statements of an attempt within its savepoint. */
export function statementsOf(attempt: Attempt): {
  readonly before: readonly string[];
  readonly statement: string;
  readonly after: readonly string[];
} {
  const entered = enter(attempt.role, attempt.context);
  return {
    before: [...attempt.prepare, ...entered],
    statement: attempt.statement,
    after: [
      'set constraints all immediate',
      ...(attempt.probe === undefined
        ? []
        : ['set local role none', ...(attempt.between ?? []), ...(attempt.probeAsRole ? entered : []), attempt.probe]),
    ],
  };
}

async function tryOne(session: Session, attempt: Attempt, name: string): Promise<Pick<Cell, 'outcome' | 'reason'>> {
  const { before, statement, after } = statementsOf(attempt);
  const outcomes = await session.run(['savepoint attempt', ...before, statement, ...after], name);
  await session.run(['rollback to savepoint attempt', 'release savepoint attempt'], name);
  const judged = judge(attempt, outcomes.slice(1), before.length);
  if (attempt.control === undefined || judged.outcome !== 'blocked') return judged;
  const own = await session.run(['savepoint attempt', ...before, attempt.control], name);
  await session.run(['rollback to savepoint attempt', 'release savepoint attempt'], name);
  const last = own[before.length + 1];
  return last?.ok === true && last.rows.length > 0
    ? judged
    : { outcome: 'blocked', reason: `${judged.reason}, and none of A's own either` };
}

function judge(attempt: Attempt, outcomes: readonly Ran[], before: number): Pick<Cell, 'outcome' | 'reason'> {
  const failedAt = outcomes.findIndex((o) => !o.ok);
  const failed = outcomes[failedAt];
  if (failed?.ok === false && failedAt < before) {
    if (attempt.constraintBlocks && isRefusal(failed.code))
      return { outcome: 'blocked', reason: `no such row can be: ${told(failed.message)}` };
    return { outcome: 'not tried', reason: `it could not be prepared: ${told(failed.message)}` };
  }
  const ran = outcomes[before];
  const statementRan = ran?.ok === true;
  if (statementRan && attempt.rowsLeak && ran.rows.length > 0) return { outcome: 'leaked', reason: leakText(attempt) };
  if (failed?.ok === false) {
    // Row security and the constraint of a reference keep the row out; anything else merely stands in the way.
    if (failed.code === '42501' && /row-level security/.test(failed.message))
      return { outcome: 'blocked', reason: 'row security refuses the row' };
    if (attempt.constraintBlocks && failed.code === '23503')
      return { outcome: 'blocked', reason: 'the reference carries the tenant' };
    return { outcome: 'refused', reason: `${told(failed.message)} (${failed.code})` };
  }
  const probe = outcomes.at(-1);
  if (attempt.probe !== undefined && probe?.ok === true && probe.rows.length > 0)
    return { outcome: 'leaked', reason: leakText(attempt) };
  return { outcome: 'blocked', reason: 'no row of B is reached' };
}

const done: Readonly<Record<Attempt['command'], string>> = {
  read: 'a row of B is read',
  insert: 'a row of B is inserted',
  update: 'a row of B is updated',
  delete: 'a row of B is deleted',
  move: 'a row of A becomes a row of B',
  upsert: 'a row of B is overwritten',
  truncate: 'the rows of B are gone',
  reference: 'a row of A refers to a row of B',
  cascade: 'a row of B goes or loses its reference with a row of A',
  call: 'it returns data of B, or rows of B are others afterwards',
};

const leakText = (attempt: Attempt): string =>
  `${done[attempt.command]}${attempt.world === undefined ? '' : `: ${attempt.world}`}`;

/** A message without what differs from run to run: UUIDs that are not ours. */
const told = (message: string): string =>
  message
    .split('\n')[0]!
    .replaceAll(/\b(?!a{8}-|b{8}-)[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi, '<uuid>');
