import { guarded, type Session } from '../session/session.js';
import type { MigrationPlan, Step } from './plan.js';

/** A statement that did not run, or did not run as written. */
export interface Exception {
  readonly file: string;
  readonly start: number;
  readonly end: number;
  readonly kind: 'failed' | 'replaced' | 'left out';
  readonly reason: string;
}

export interface Applied {
  readonly total: number;
  readonly applied: number;
  readonly exceptions: readonly Exception[];
  /** What ran, in order: for tests that are written out. */
  readonly ran: readonly Step[];
  /** Those of them that ran after all others, because something they need comes later. */
  readonly late: readonly Step[];
}

/** Errors that a statement of another history, which comes later, may cure. */
const missing = new Set(['42P01', '42883', '42704', '3F000', '42703']);

/**
 * Runs the steps, each in a savepoint: one that fails is named and the rest goes on. What failed for lack of an object is tried once more at
 * the end, as histories of one database may lie in several folders. `skip`: steps that did not end in an earlier try.
 * @throws TimedOut, OutOfMemory
 */
export async function applyMigrations(
  session: Session,
  plan: MigrationPlan,
  skip: ReadonlySet<string>,
  progress: (done: number, total: number) => void,
): Promise<Applied> {
  for (const sql of plan.before) await guarded(session, [sql], 'the stand-ins');
  const exceptions: Exception[] = [];
  const ran: Step[] = [];
  const late: Step[] = [];
  let waiting: { step: Step; reason: string }[] = [];
  let file = '';
  let done = 0;
  const tell = (step: Step, kind: Exception['kind'], reason: string): void => {
    exceptions.push({ file: step.file, start: step.start, end: step.end, kind, reason });
  };
  for (const step of plan.steps) {
    progress(++done, plan.steps.length);
    if (step.file !== file) await freshFile(session, plan);
    file = step.file;
    if (step.left !== undefined) {
      tell(step, 'left out', step.left);
      continue;
    }
    const name = stepName(step);
    if (skip.has(name)) {
      tell(step, 'failed', 'it does not end in the time or memory allowed');
      continue;
    }
    const result = await guarded(session, step.run, name);
    if (result.ok) {
      await keep(session, step);
      ran.push(step);
      if (step.instead !== undefined) tell(step, 'replaced', step.instead);
    } else if (missing.has(result.code)) waiting.push({ step, reason: result.message });
    else tell(step, 'failed', result.message);
  }
  for (let before = Infinity; waiting.length < before && waiting.length > 0;) {
    before = waiting.length;
    const still: typeof waiting = [];
    for (const { step } of waiting) {
      await freshFile(session, plan);
      const result = await guarded(session, step.run, stepName(step));
      if (result.ok) {
        await keep(session, step);
        ran.push(step);
        late.push(step);
        tell(step, 'replaced', 'after what it needs, which comes later');
      } else still.push({ step, reason: result.message });
    }
    waiting = still;
  }
  for (const { step, reason } of waiting) tell(step, 'failed', reason);
  await freshFile(session, plan);
  exceptions.sort((a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : a.start - b.start));
  return { total: plan.steps.length, applied: ran.length, exceptions, ran, late };
}

/** The name of a step in messages and among those to skip. */
export const stepName = (step: Step): string => `${step.file} at ${step.start}`;

/** Commits what a step did where the next ones need that; the database is thrown away all the same. */
async function keep(session: Session, step: Step): Promise<void> {
  if (step.commits) await session.run(['commit', 'begin'], stepName(step));
}

/** Each file is its own session for the tools that apply it. */
async function freshFile(session: Session, plan: MigrationPlan): Promise<void> {
  await guarded(session, ['reset session authorization', 'reset role']);
  // Only a superuser may have changed it, and only one may set it back.
  await guarded(session, ['set session_replication_role = origin']);
  await guarded(session, [
    'set row_security = on',
    'set check_function_bodies = on',
    plan.before.length > 0 ? 'set search_path to "$user", public, extensions' : 'set search_path to "$user", public',
  ]);
}
