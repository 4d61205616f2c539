import { changeSince, Failure, stagedChange, type Change } from '@tenant-lint/workspace';
import type { Report } from '@tenant-lint/engine';
import { analyse, type Analysed } from '../analyse.js';
import { baselineFor } from '../baseline.js';
import { changedPart, findingKey, uncheckedKey } from '../changed.js';
import { withFixes } from '../fix/code.js';
import { KnownStates } from '../known-states.js';
import { driftOf, factsOfDatabase, writeDrift } from '../live.js';
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
  const live = flags.url === undefined ? undefined : await factsOfDatabase(flags.url);
  const state = change ? { ...opened, source: change.after } : opened;
  const analysed = analyse(state, live ? { ...flags, live } : flags, io, baseline);
  if (live) writeDrift(driftOf(state.source, state.settings, analysed.built), io, flags.verbose ?? false);
  const whole = change ? changeOnly(analysed, change, opened, flags) : analysed.report;
  const asked = limited(whole, (file) => isWithin(file, opened.within));
  const part = flags.shard ? shardOf(asked, flags.shard) : asked;
  // Each edit is analysed before it is offered; only formats that tell edits pay for that.
  const report = flags.format.some(({ format }) => format === 'json' || format === 'sarif')
    ? withFixes(part, analysed, change?.after ?? opened.source)
    : part;
  writeReport(report, flags, io, opened.root, analysed.built.model);
  return exitCode(report, flags);
}

/** What a change touches or causes. The state before is analysed where something is found elsewhere, and was not kept when it was new. */
function changeOnly({ report, on }: Analysed, change: Change, { root, settings }: Opened, flags: CheckFlags): Report {
  const states = new KnownStates(root, settings, flags);
  const part = changedPart(report, change.files, () => {
    const known = states.of(change.before);
    if (known) return known;
    const before = on(change.before)?.report;
    if (before) states.keep(change.before, before);
    return before && { findings: before.findings.map(findingKey), unchecked: before.unchecked.map(uncheckedKey) };
  });
  states.keep(change.after, report);
  return part;
}

/** The change that the report is limited to, if any. Throws Failure. */
function changeOf(flags: CheckFlags, { root, source }: Opened): Change | undefined {
  if (flags.staged && flags.since !== undefined)
    throw new Failure('--staged and --since exclude each other.', { advice: 'Give one of them.' });
  if (flags.staged) return stagedChange(root);
  return flags.since === undefined ? undefined : changeSince(root, flags.since, source);
}
