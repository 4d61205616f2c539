import { existsSync } from 'node:fs';
import path from 'node:path';
import { analyse } from '../analyse.js';
import { acceptedOf, baselineText, readBaseline, usualBaseline } from '../baseline.js';
import type { Io } from '../main.js';
import { open } from '../open.js';
import type { BaselineFlags } from '../options.js';
import { plural } from '../report/words.js';
import { writeFile } from '../write-file.js';

/**
 * `tenant-lint baseline`: accepts today's findings into a file. A file that is there only loses entries, those that are mended, unless growth
 * is allowed. Returns 1 where findings were left out for that reason; throws Failure where the job cannot be done.
 */
export async function baseline(flags: BaselineFlags, io: Io): Promise<number> {
  const opened = await open([], flags, io.cwd);
  const file =
    flags.baseline === undefined ? path.join(opened.root, usualBaseline) : path.resolve(io.cwd, flags.baseline);
  const before = existsSync(file) ? readBaseline(file) : undefined;
  const { report } = analyse(opened, { rule: [], severity: {}, ...flags }, io);
  const today = report.findings.filter((f) => !f.suppressed).map(acceptedOf);
  const known = new Set(before?.map((a) => a.fingerprint));
  const grown = before === undefined ? [] : today.filter((a) => !known.has(a.fingerprint));
  const kept = before === undefined || flags.allowGrowth ? today : today.filter((a) => known.has(a.fingerprint));
  writeFile(file, baselineText(kept), 'The baseline', 'Check --baseline.');

  const name = path.relative(io.cwd, file) || file;
  const mended = before === undefined ? 0 : before.length - (today.length - grown.length);
  const lines = [
    `${name}: ${plural(kept.length, 'finding')} accepted${before === undefined ? '' : `, ${mended} no longer there`}.`,
    ...(grown.length === 0
      ? []
      : flags.allowGrowth
        ? [`${plural(grown.length, 'finding')} of them new.`]
        : [
            `${plural(grown.length, 'finding')} not accepted, because a baseline only shrinks: mend them, or say --allow-growth.`,
            ...grown.slice(0, shownGrown).map((a) => `  ${a.file ?? ''} ${a.rule ?? ''}`),
            ...(grown.length > shownGrown ? [`  ... and ${grown.length - shownGrown} more`] : []),
          ]),
    ...(before === undefined ? [`Commit it; tenant-lint check reads it from now on.`] : []),
  ];
  io.stdout.write(`${lines.join('\n')}\n`);
  return grown.length > 0 && !flags.allowGrowth ? 1 : 0;
}

const shownGrown = 10;
