import type { Change } from '@tenant-lint/analysis';
import { cellName, type Cell } from '@tenant-lint/prove';
import { Failure, type Built, type Source } from '@tenant-lint/workspace';
import type { Io } from './main.js';
import type { Opened } from './open.js';
import { progressLine } from './progress.js';
import { compared, leaksIn, migrationsOf, proved } from './proving.js';
import type { Executed, Review } from './report/review.js';

export interface ReviewProof {
  readonly review: Review;
  readonly change: { readonly before: Source; readonly after: Source };
  readonly built: Built;
  readonly earlier: { readonly built: Built } | undefined;
  readonly opened: Pick<Opened, 'settings'>;
  readonly flags: { readonly timeout: number };
  readonly io: Io;
}

/**
 * Executes the migrations as the change leaves them, in an embedded Postgres, and keeps what concerns the changed tables. Where something leaks
 * there, the state before is executed too, so that only what is new closes the gate. Never throws Failure: why nothing was executed is part
 * of the answer.
 */
export async function executedFor({
  review,
  change,
  built,
  earlier,
  opened,
  flags,
  io,
}: ReviewProof): Promise<Executed> {
  const progress = progressLine(io);
  const run = (of: Built, source: Source): ReturnType<typeof proved> =>
    proved({ migrations: migrationsOf(of, source), built: of, flags, progress: progress.update });
  try {
    const proof = await run(built, change.after);
    const isAbout = subjectsOf(review);
    const cells = proof.cells.filter(isAbout);
    const leaks = new Set(leaksIn(proof, compared(proof, built, opened.settings)).map(cellName));
    const leaked = cells.some((c) => leaks.has(cellName(c)));
    const before = leaked && earlier ? await outcomesBefore(() => run(earlier.built, change.before)) : undefined;
    return {
      database: proof.database,
      statements: { applied: proof.applied.applied, total: proof.applied.total },
      about: [...new Set(cells.map((c) => c.table))].sort(),
      cells: cells.map((cell) => {
        const was = before?.get(cellName(cell));
        return {
          cell,
          isNew: leaks.has(cellName(cell)) && was !== 'leaked',
          ...(was === undefined ? {} : { before: was }),
        };
      }),
    };
  } catch (error) {
    if (error instanceof Failure) return { failed: error.message };
    throw error;
  } finally {
    progress.end();
  }
}

/** What came of each attempt before the change; nothing where that state cannot be executed, and then everything counts as new. */
async function outcomesBefore(run: () => ReturnType<typeof proved>): Promise<ReadonlyMap<string, Cell['outcome']>> {
  try {
    return new Map((await run()).cells.map((c) => [cellName(c), c.outcome]));
  } catch (error) {
    if (error instanceof Failure) return new Map();
    throw error;
  }
}

/** Which cells a change is about: those of its tables, and those by its views and functions; a change of roles is about all. */
function subjectsOf({ changes, introduced, before }: Review): (cell: Cell) => boolean {
  if (!before || changes.some((c) => c.thing === 'role')) return () => true;
  const tables = new Set([...changes, ...introduced].flatMap((c) => c.table ?? []));
  const ways = new Set(changes.flatMap((c) => (isWay(c) ? [nameOf(c.name)] : [])));
  return (cell) => tables.has(cell.table) || ways.has(nameOf(cell.way.name));
}

const isWay = (c: Change): boolean => c.thing === 'view' || c.thing === 'function' || c.thing === 'table';

/** A function by its name: how the types of its parameters are spelt differs between a migration and the catalogue. */
const nameOf = (name: string): string => name.replace(/\(.*$/s, '');
