import path from 'node:path';
import { defaultThreads, factsToStore, noFacts, rememberedFacts, writeFactsFolder } from '@tenant-lint/workspace';
import type { Io } from '../main.js';
import { isWithin, open } from '../open.js';
import type { FactsFlags } from '../options.js';
import { progressLine } from '../progress.js';
import { oneLine } from '../report/printable.js';
import { plural } from '../report/words.js';
import { isOfShard } from '../shard.js';

/**
 * `tenant-lint facts --out DIR`: what the files at some paths say, for a `check --facts DIR` of the whole project later, or elsewhere.
 * Returns 0; throws Failure where the job cannot be done.
 */
export async function facts(paths: readonly string[], flags: FactsFlags, io: Io): Promise<number> {
  const { root, source, settings, within } = await open(paths, flags, io.cwd);
  const { shard } = flags;
  const progress = progressLine(io);
  const { kept, unread } = factsToStore(source, {
    settings,
    wanted: (file) => isWithin(file, within) && (shard === undefined || isOfShard(file, shard)),
    cache: flags.cache ? rememberedFacts(root) : noFacts,
    threads: flags.threads ?? defaultThreads(),
    progress: progress.update,
  });
  progress.end();
  for (const { file, reason, detail } of unread)
    io.stderr.write(`tenant-lint: ${oneLine(`${file}: ${reason}${detail === undefined ? '' : ` (${detail})`}`)}\n`);
  const folder = path.resolve(io.cwd, flags.out);
  const bytes = writeFactsFolder(folder, kept);
  const name = path.relative(io.cwd, folder) || '.';
  io.stdout.write(`Facts of ${plural(kept.size, 'file')} in ${oneLine(name)} (${Math.ceil(bytes / 1024)} KB).\n`);
  if (kept.size === 0)
    io.stderr.write(
      'tenant-lint: nothing was found to extract; run it in the folder of the project, or name its parts as paths\n',
    );
  return 0;
}
