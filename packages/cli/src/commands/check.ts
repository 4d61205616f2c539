import { analyse } from '../analyse.js';
import { baselineFor } from '../baseline.js';
import { limited } from '../limit.js';
import type { Io } from '../main.js';
import { isWithin, open } from '../open.js';
import type { CheckFlags } from '../options.js';
import { exitCode, writeReport } from '../output.js';
import { shardOf } from '../shard.js';

/** `tenant-lint check`. Returns the exit code; throws Failure where the job cannot be done. */
export async function check(paths: readonly string[], flags: CheckFlags, io: Io): Promise<number> {
  const opened = await open(paths, flags, io.cwd);
  const baseline = baselineFor(flags, opened.root, io);
  const analysed = analyse(opened, flags, io, baseline);
  const asked = limited(analysed.report, (file) => isWithin(file, opened.within));
  const report = flags.shard ? shardOf(asked, flags.shard) : asked;
  writeReport(report, flags, io, opened.root);
  return exitCode(report, flags);
}
