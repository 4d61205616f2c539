import path from 'node:path';
import { emitPgtap, emitVitest, type Proof } from '@tenant-lint/prove';
import { buildModel } from '@tenant-lint/workspace';
import type { Io } from '../main.js';
import { writeNotices } from '../notices.js';
import { open } from '../open.js';
import { progressLine } from '../progress.js';
import { compared, leaksIn, migrationsOf, proved } from '../proving.js';
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
  const leaks = leaksIn(proof, comparison);
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
