import path from 'node:path';
import { compareModels } from '@tenant-lint/analysis';
import { changeSince } from '@tenant-lint/workspace';
import { analyse } from '../analyse.js';
import { baselineFor } from '../baseline.js';
import { findingsBeyond, uncheckedBeyond } from '../changed.js';
import type { Io } from '../main.js';
import { open } from '../open.js';
import type { ReviewFlags } from '../options.js';
import { reviewJson } from '../report/review-json.js';
import { reviewMarkdown } from '../report/review-markdown.js';
import { failsReview, type Review } from '../report/review.js';
import { writeFile } from '../write-file.js';

/**
 * `tenant-lint review --since REF`: the model before and after a change, compared. Returns 1 where it weakens isolation or introduces
 * findings at or above the threshold; throws Failure where the job cannot be done.
 */
export async function review(flags: ReviewFlags, io: Io): Promise<number> {
  const opened = await open([], flags, io.cwd);
  const change = changeSince(opened.root, flags.since, opened.source);
  const asked = { rule: [], severity: {}, ...flags };
  const baseline = baselineFor({}, opened.root, io);
  const { built, report, on } = analyse({ ...opened, source: change.after }, asked, io, baseline);
  const earlier = on(change.before);
  const unsuppressed = (findings: Review['introduced']): Review['introduced'] => findings.filter((f) => !f.suppressed);
  const result: Review = {
    since: flags.since,
    files: change.files.size,
    after: { model: built.model, report },
    ...(earlier ? { before: { model: earlier.built.model, report: earlier.report } } : {}),
    changes: earlier ? compareModels(earlier.built.model, built.model) : [],
    introduced: unsuppressed(findingsBeyond(report, earlier?.report)),
    fixed: earlier ? unsuppressed(findingsBeyond(earlier.report, report)) : [],
    unchecked: uncheckedBeyond(report, earlier?.report),
  };
  for (const { format, file } of flags.format.length === 0
    ? [{ format: 'markdown' as const, file: undefined }]
    : flags.format) {
    const text = format === 'json' ? reviewJson(result) : reviewMarkdown(result);
    if (file === undefined) io.stdout.write(text);
    else writeFile(path.resolve(io.cwd, file), text, 'The review', 'Check the file of --format.');
  }
  return failsReview(result, flags.failOn) ? 1 : 0;
}
