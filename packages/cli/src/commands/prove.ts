import path from 'node:path';
import { sourcesOf } from '@tenant-lint/analysis';
import type { FileFacts } from '@tenant-lint/model';
import { runRules } from '@tenant-lint/engine';
import {
  claimedRules,
  compare,
  emitPgtap,
  emitVitest,
  openServerSession,
  OutOfMemory,
  OutOfTime,
  proveIsolation,
  ServerRefused,
  TimedOut,
  type Comparison,
  type MigrationFile,
  type Proof,
  type ProveInput,
} from '@tenant-lint/prove';
import { rules } from '@tenant-lint/rules';
import { buildModel, Failure, type Built, type Settings, type Source } from '@tenant-lint/workspace';
import type { Io } from '../main.js';
import { writeNotices } from '../notices.js';
import { open } from '../open.js';
import { progressLine } from '../progress.js';
import { proofJson } from '../report/proof-json.js';
import { proofText } from '../report/proof-text.js';
import { printable, printableJson } from '../report/printable.js';
import type { ProveFlags } from '../prove-options.js';
import { refusal } from '../refusal.js';
import { writeFile } from '../write-file.js';

/**
 * `tenant-lint prove`: runs the migrations in a database that is thrown away and tries to reach the rows of another tenant. Returns the exit
 * code; throws Failure where there is nothing to run or the database cannot be had.
 */
export async function prove(paths: readonly string[], flags: ProveFlags, io: Io): Promise<number> {
  const { root, source, settings } = await open(paths, flags, io.cwd);
  const progress = progressLine(io);
  const built = buildModel(source, { settings, progress: progress.update });
  writeNotices(settings, built, io);
  const refused = refusal(built);
  if (refused) throw refused;
  const migrations = migrationsOf(built, source);
  const proof = await proved({ migrations, built, flags, progress: progress.update });
  progress.end();
  if (flags.emit) {
    emit(proof, flags.emit, root, io);
    return 0;
  }
  const comparison = compared(proof, built, settings);
  io.stdout.write(
    flags.format === 'json'
      ? printableJson(proofJson(proof, comparison, built.model))
      : printable(proofText(proof, comparison, built.model)),
  );
  const { open: byApplication } = comparison;
  const leaks = proof.cells.filter(
    (c) => c.outcome === 'leaked' && !c.grantedByPlatform && !byApplication.includes(c.table),
  );
  return leaks.length > 0 || comparison.disagreements.length > 0 ? 1 : 0;
}

/** Writes the tests to a file, or to stdout as if they stood in the root. */
function emit(proof: Proof, { as, file }: NonNullable<ProveFlags['emit']>, root: string, io: Io): void {
  const target = file === undefined ? undefined : path.resolve(io.cwd, file);
  const toRoot =
    target === undefined ? '.' : path.relative(path.dirname(target), root).split(path.sep).join('/') || '.';
  const text = as === 'vitest' ? emitVitest(proof, toRoot.startsWith('.') ? toRoot : `./${toRoot}`) : emitPgtap(proof);
  if (target === undefined) {
    io.stdout.write(text);
    return;
  }
  writeFile(target, text, 'The tests', 'Check the file of --emit.');
}

/** Against all findings: weak and excused ones are claims about the database too. */
function compared(proof: Proof, { model }: Built, settings: Settings): Comparison {
  const everyRule = Object.fromEntries(rules.map((r) => [r.meta.id, r.meta.severity]));
  const report = runRules(model, rules, {
    settings: { ...everyRule, ...settings.config.rules },
    overrides: settings.overrides,
    only: claimedRules.filter((id) => rules.some((r) => r.meta.id === id)),
    confidence: 'possible',
    intended: (file) => settings.intended(file),
  });
  return compare(proof, model, report.findings);
}

/** The files of all histories in the order in which they apply, else of dumps. Throws Failure where there are none. */
function migrationsOf({ model }: Built, source: Source): readonly MigrationFile[] {
  const sources = sourcesOf([...model.files.values()]);
  const sql = (kind: 'migrations' | 'dump'): readonly FileFacts[] =>
    sources.filter((s) => s.kind === kind).flatMap((s) => s.files.filter((f) => f.dialect === 'postgres'));
  const histories = sql('migrations');
  const files = (histories.length > 0 ? histories : sql('dump')).flatMap(({ file }) => {
    const read = source.read(file);
    return 'text' in read ? [{ file, text: read.text }] : [];
  });
  if (files.length === 0)
    throw new Failure('There are no SQL migrations to run.', {
      advice:
        'prove runs .sql files: migrations, or a structure dump. Let your library write them (prisma migrate diff, drizzle-kit generate), or name them in tenant-lint.config.ts: sources: { migrations: [...] }.',
    });
  return files;
}

async function proved({
  migrations,
  built,
  flags,
  progress,
}: {
  readonly migrations: readonly MigrationFile[];
  readonly built: Built;
  readonly flags: ProveFlags;
  readonly progress: (phase: string, done: number, total: number) => void;
}): Promise<Proof> {
  try {
    return await proveIsolation({
      migrations,
      tenancy: built.model.tenancy,
      limits: { totalSeconds: flags.timeout },
      progress,
      ...(flags.url === undefined ? {} : atServer(flags.url)),
    });
  } catch (error) {
    if (error instanceof ServerRefused)
      throw new Failure(error.message, {
        advice:
          'The role of --url must be able to log in and to create databases. Without --url an embedded Postgres is used.',
      });
    if (error instanceof TimedOut || error instanceof OutOfTime || error instanceof OutOfMemory)
      throw new Failure(`The proof was ended: ${error.message}.`, {
        advice: 'Give it more time with --timeout, or leave the file out with sources.ignore.',
        cause: error,
      });
    throw error;
  }
}

/** Nothing but an explicit URL leads to a server. */
const atServer = (url: string): Pick<ProveInput, 'open' | 'where'> => ({
  where: 'server',
  open: (limits) => openServerSession(url, limits),
});
