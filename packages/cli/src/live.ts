import { compareModels, type Change } from '@tenant-lint/analysis';
import {
  buildModel,
  databaseName,
  Failure,
  liveFacts,
  type Built,
  type Settings,
  type Source,
} from '@tenant-lint/workspace';
import type { FileFacts, Span } from '@tenant-lint/model';
import type { Io } from './main.js';
import { locatedIn } from './report/place.js';
import { oneLine } from './report/printable.js';

/** The facts of the database that a URL names. Throws Failure, whose message holds nothing of the URL. */
export async function factsOfDatabase(url: string): Promise<FileFacts> {
  const { readLiveCatalogue, ServerRefused } = await import('@tenant-lint/prove');
  try {
    return liveFacts(await readLiveCatalogue(url));
  } catch (error) {
    if (error instanceof ServerRefused)
      throw new Failure(error.message, {
        advice: 'Check --url: postgres://user@host:5432/database. PGPASSWORD and ~/.pgpass are read too.',
      });
    throw error;
  }
}

/** So many differences are told one by one. */
const shownDrift = 20;

/**
 * What the database is otherwise than the files say, one line each, what it protects less first: drift, or migrations that have not run yet. What
 * only one of them spells (names, grants one by one, indexes) is not told. Nothing where the files make no schema.
 */
export function driftOf(source: Source, settings: Settings, live: Built): readonly string[] {
  const files = buildModel(source, { settings });
  if (files.model.schema.tables.size === 0) return [];
  const place = (span: Span | undefined): string =>
    span === undefined || span.file === databaseName ? '' : ` (${locatedIn(files.model, span)})`;
  return [
    ...compareModels(files.model, live.model)
      .filter(isDrift)
      .map(
        ({ text, before, effect }) =>
          `${text}${place(before)}${effect === 'weaker' ? ': weaker than the files say' : ''}`,
      ),
    ...[...(live.model.schema.notInDatabase ?? [])].map(
      (id) => `table ${id} is not there${place(live.model.schema.tables.get(id)?.origin.created)}`,
    ),
  ];
}

const isDrift = ({ thing, what, effect }: Change): boolean =>
  effect === 'weaker' ||
  (effect === 'stricter' && thing !== 'grant') ||
  (effect === 'unknown' && thing === 'policy') ||
  ((thing === 'table' || thing === 'view') && what !== 'changed');

/** Says the drift on stderr. */
export function writeDrift(drift: readonly string[], io: Pick<Io, 'stderr'>, verbose: boolean): void {
  const shown = verbose ? drift : drift.slice(0, shownDrift);
  for (const line of shown) io.stderr.write(`tenant-lint: in the database ${oneLine(line)}\n`);
  if (shown.length < drift.length)
    io.stderr.write(
      `tenant-lint: in the database ... and ${drift.length - shown.length} more (--verbose lists them)\n`,
    );
}
