import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { runRules, type Report } from '@tenant-lint/engine';
import { rules } from '@tenant-lint/rules';
import {
  buildModel,
  checkRuleName,
  codeOf,
  Failure,
  nearest,
  readSource,
  rememberedFacts,
} from '@tenant-lint/workspace';
import { readBaseline } from '../baseline.js';
import type { Io } from '../main.js';
import { isWithin, open } from '../open.js';
import type { CheckFlags } from '../options.js';
import { notices } from '../notices.js';
import { progressLine } from '../progress.js';
import { refusal } from '../refusal.js';
import { rendered } from '../report/formats.js';
import { limited } from '../limit.js';

/** `tenant-lint check`. Returns the exit code; throws Failure where the job cannot be done. */
export async function check(paths: readonly string[], flags: CheckFlags, io: Io): Promise<number> {
  const begun = performance.now();
  const { root, source, settings, within } = await open(paths, flags, io.cwd);
  for (const name of [...flags.rule, ...Object.keys(flags.severity)]) checkRuleName(name, rules);
  const baseline = flags.baseline === undefined ? undefined : readBaseline(path.resolve(io.cwd, flags.baseline));

  const progress = progressLine(io);
  const cache = flags.cache ? rememberedFacts(root) : undefined;
  const built = buildModel(source, { settings, progress: progress.update, ...(cache ? { cache } : {}) });
  const linked = performance.now();
  progress.end();
  cache?.save();
  for (const notice of notices(settings, built)) io.stderr.write(`tenant-lint: ${notice}\n`);
  const refused = refusal(built);
  if (refused) throw refused;
  const report = limited(
    runRules(built.model, rules, {
      settings: { ...settings.config.rules, ...flags.severity },
      overrides: settings.overrides,
      only: flags.rule,
      confidence: flags.confidence,
      intended: (file) => settings.intended(file),
      nearest,
      ...(baseline ? { baseline } : {}),
    }),
    (file) => isWithin(file, within),
  );
  if (flags.timing) {
    const done = performance.now();
    io.stderr.write(
      `read, parse and link ${Math.round(linked - begun)} ms (${built.counted.parsed} of ${built.counted.found} files parsed), rules ${Math.round(done - linked)} ms, peak memory ${Math.round(process.resourceUsage().maxRSS / 1024)} MB\n`,
    );
  }
  write(report, flags, io, root);
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
    else writeReport(path.resolve(io.cwd, file), text);
  }
}

function writeReport(file: string, text: string): void {
  try {
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
  } catch (error) {
    throw new Failure(`The report cannot be written (${codeOf(error)}).`, {
      where: file,
      advice: 'Check the file of --format.',
      cause: error,
    });
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
