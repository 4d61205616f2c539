import path from 'node:path';
import { compareModels } from '@tenant-lint/analysis';
import { changeSince, Failure } from '@tenant-lint/workspace';
import { analyse } from '../analyse.js';
import { baselineFor } from '../baseline.js';
import { findingsBeyond, findingsGone, uncheckedBeyond } from '../changed.js';
import type { Io } from '../main.js';
import { open } from '../open.js';
import type { ReviewFlags } from '../options.js';
import { reviewJson } from '../report/review-json.js';
import { reviewMarkdown } from '../report/review-markdown.js';
import { failsReview, type Executed, type Review } from '../report/review.js';
import type { ReviewProof } from '../review-proof.js';
import { writeFile } from '../write-file.js';

/**
 * `tenant-lint review --since REF`: the model before and after a change, compared. Returns 1 where it weakens isolation or introduces
 * findings at or above the threshold; throws Failure where the job cannot be done. With `--prove`, embedded and nowhere else, the migrations of
 * the change are executed as well.
 */
export async function review(flags: ReviewFlags, io: Io): Promise<number> {
  const opened = await open([], flags, io.cwd);
  const change = changeSince(opened.root, flags.since, opened.source);
  const asked = { rule: [], severity: {}, ...flags };
  const baseline = baselineFor({}, opened.root, io);
  const { built, report, on } = analyse({ ...opened, source: change.after }, asked, io, baseline);
  const earlier = on(change.before);
  const unsuppressed = (findings: Review['introduced']): Review['introduced'] => findings.filter((f) => !f.suppressed);
  const compared: Review = {
    since: flags.since,
    files: change.files.size,
    after: { model: built.model, report },
    ...(earlier ? { before: { model: earlier.built.model, report: earlier.report } } : {}),
    changes: earlier ? compareModels(earlier.built.model, built.model) : [],
    introduced: unsuppressed(findingsBeyond(report, earlier?.report)),
    fixed: earlier ? unsuppressed(findingsGone(earlier.report, report)) : [],
    unchecked: uncheckedBeyond(report, earlier?.report),
  };
  const result: Review = flags.prove
    ? { ...compared, executed: await executed({ review: compared, change, built, earlier, opened, flags, io }) }
    : compared;
  for (const { format, file } of flags.format.length === 0
    ? [{ format: 'markdown' as const, file: undefined }]
    : flags.format) {
    const text = format === 'json' ? reviewJson(result) : reviewMarkdown(result);
    if (file === undefined) io.stdout.write(text);
    else writeFile(path.resolve(io.cwd, file), text, 'The review', 'Check the file of --format.');
  }
  if (failsReview(result, flags.failOn)) return 1;
  // What was to be executed and could not be leaves the question open; the gate stays closed.
  if (result.executed && 'failed' in result.executed)
    throw new Failure(`Nothing was executed: ${result.executed.failed}`);
  return 0;
}

/** Loads the database only where it is asked for. */
async function executed(input: ReviewProof): Promise<Executed> {
  const { executedFor } = await import('../review-proof.js');
  return executedFor(input);
}
