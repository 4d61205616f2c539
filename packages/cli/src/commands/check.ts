import { changeSince, Failure, stagedChange, type Change } from '@tenant-lint/workspace';
import { analyse } from '../analyse.js';
import { baselineFor } from '../baseline.js';
import { changedPart } from '../changed.js';
import { withFixes } from '../fix/code.js';
import { limited } from '../limit.js';
import type { Io } from '../main.js';
import { isWithin, open, type Opened } from '../open.js';
import type { CheckFlags } from '../options.js';
import { exitCode, writeReport } from '../output.js';
import { shardOf } from '../shard.js';

/** `tenant-lint check`. Returns the exit code; throws Failure where the job cannot be done. */
export async function check(paths: readonly string[], flags: CheckFlags, io: Io): Promise<number> {
  const opened = await open(paths, flags, io.cwd);
  const baseline = baselineFor(flags, opened.root, io);
  const change = changeOf(flags, opened);
  const analysed = analyse(change ? { ...opened, source: change.after } : opened, flags, io, baseline);
  const whole = change
    ? changedPart(analysed.report, change.files, () => analysed.on(change.before)?.report)
    : analysed.report;
  const asked = limited(whole, (file) => isWithin(file, opened.within));
  const part = flags.shard ? shardOf(asked, flags.shard) : asked;
  // Each edit is analysed before it is offered; only formats that tell edits pay for that.
  const report = flags.format.some(({ format }) => format === 'json' || format === 'sarif')
    ? withFixes(part, analysed, change?.after ?? opened.source)
    : part;
  writeReport(report, flags, io, opened.root, analysed.built.model);
  return exitCode(report, flags);
}

/** The change that the report is limited to, if any. Throws Failure. */
function changeOf(flags: CheckFlags, { root, source }: Opened): Change | undefined {
  if (flags.staged && flags.since !== undefined)
    throw new Failure('--staged and --since exclude each other.', { advice: 'Give one of them.' });
  if (flags.staged) return stagedChange(root);
  return flags.since === undefined ? undefined : changeSince(root, flags.since, source);
}
