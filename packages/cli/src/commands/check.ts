import path from 'node:path';
import type { Report } from '@tenant-lint/engine';
import { readSource } from '@tenant-lint/workspace';
import { analyse } from '../analyse.js';
import { baselineFor } from '../baseline.js';
import { limited } from '../limit.js';
import type { Io } from '../main.js';
import { isWithin, open } from '../open.js';
import type { CheckFlags } from '../options.js';
import { rendered } from '../report/formats.js';
import { writeFile } from '../write-file.js';

/** `tenant-lint check`. Returns the exit code; throws Failure where the job cannot be done. */
export async function check(paths: readonly string[], flags: CheckFlags, io: Io): Promise<number> {
  const opened = await open(paths, flags, io.cwd);
  const baseline = baselineFor(flags, opened.root, io);
  const analysed = analyse(opened, flags, io, baseline);
  const report = limited(analysed.report, (file) => isWithin(file, opened.within));
  write(report, flags, io, opened.root);
  const { unchecked } = report.summary;
  if (flags.strict && unchecked > 0)
    io.stderr.write(
      `tenant-lint: ${unchecked} ${unchecked === 1 ? 'input was' : 'inputs were'} not checked, and --strict makes that a failure\n`,
    );
  return exitCode(report, flags);
}

function write(report: Report, flags: CheckFlags, io: Io, root: string): void {
  const wanted = flags.format.length === 0 ? [{ format: 'text' as const }] : flags.format;
  for (const { format, file } of wanted as CheckFlags['format']) {
    const text = rendered(format, report, {
      color: inColor(flags, io, file === undefined),
      quiet: flags.quiet ?? false,
      verbose: flags.verbose ?? false,
      textOf: (name) => {
        const read = readSource(root, name);
        return 'text' in read ? read.text : undefined;
      },
      fails: (f) => f.severity === 'error' || (flags.failOn === 'warning' && f.severity === 'warning'),
    });
    if (file === undefined) io.stdout.write(text);
    else writeFile(path.resolve(io.cwd, file), text, 'The report', 'Check the file of --format.');
  }
}

const inColor = (flags: CheckFlags, io: Io, toStdout: boolean): boolean =>
  flags.color === 'always' ||
  (flags.color === 'auto' && toStdout && io.stdout.isTTY === true && (io.env['NO_COLOR'] ?? '') === '');

function exitCode({ summary }: Report, flags: CheckFlags): number {
  if (flags.strict && summary.unchecked > 0) return 2;
  if (flags.failOn === 'never') return 0;
  if (summary.error > 0 || (flags.failOn === 'warning' && summary.warning > 0)) return 1;
  return flags.maxWarnings !== undefined && summary.warning > flags.maxWarnings ? 1 : 0;
}
