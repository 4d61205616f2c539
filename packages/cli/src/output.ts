import path from 'node:path';
import type { Model } from '@tenant-lint/analysis';
import type { Report } from '@tenant-lint/engine';
import { readSource } from '@tenant-lint/workspace';
import type { Io } from './main.js';
import type { OutputFlags } from './options.js';
import { rendered } from './report/formats.js';
import { writeFile } from './write-file.js';

/** Writes a report in every format that was asked for, to stdout or to files. Throws Failure. */
export function writeReport(report: Report, flags: OutputFlags, io: Io, root: string, model?: Model): void {
  const wanted: OutputFlags['format'] = flags.format.length === 0 ? [{ format: 'text' }] : flags.format;
  for (const { format, file } of wanted) {
    const text = rendered(format, report, {
      color: inColor(flags, io, file === undefined),
      quiet: flags.quiet ?? false,
      verbose: flags.verbose ?? false,
      textOf: (name) => {
        const read = readSource(root, name);
        return 'text' in read ? read.text : undefined;
      },
      model,
      fails: (f) => f.severity === 'error' || (flags.failOn === 'warning' && f.severity === 'warning'),
    });
    if (file === undefined) io.stdout.write(text);
    else writeFile(path.resolve(io.cwd, file), text, 'The report', 'Check the file of --format.');
  }
  const { unchecked } = report.summary;
  if (flags.strict && unchecked > 0)
    io.stderr.write(
      `tenant-lint: ${unchecked} ${unchecked === 1 ? 'input was' : 'inputs were'} not checked, and --strict makes that a failure\n`,
    );
}

const inColor = (flags: OutputFlags, io: Io, toStdout: boolean): boolean =>
  flags.color === 'always' ||
  (flags.color === 'auto' && toStdout && io.stdout.isTTY === true && (io.env['NO_COLOR'] ?? '') === '');

/** 0: nothing at or above the threshold; 1: findings; 2: input that was not checked, where that is a failure. */
export function exitCode({ summary }: Report, flags: OutputFlags): number {
  if (flags.strict && summary.unchecked > 0) return 2;
  if (flags.failOn === 'never') return 0;
  if (summary.error > 0 || (flags.failOn === 'warning' && summary.warning > 0)) return 1;
  return flags.maxWarnings !== undefined && summary.warning > flags.maxWarnings ? 1 : 0;
}
