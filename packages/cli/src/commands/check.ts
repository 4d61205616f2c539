import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ruleNamed, runRules, type Report } from '@tenant-lint/engine';
import { rules } from '@tenant-lint/rules';
import { buildModel, Failure, hint, nearest, readSource, rememberedFacts } from '@tenant-lint/workspace';
import { readBaseline } from '../baseline.js';
import type { Io } from '../main.js';
import { isWithin, open } from '../open.js';
import type { CheckFlags } from '../options.js';
import { progressLine } from '../progress.js';
import { refusal } from '../refusal.js';
import { jsonReport } from '../report/json.js';
import { sarifReport } from '../report/sarif.js';
import { textReport } from '../report/text.js';
import { limited } from '../limit.js';

/** `tenant-lint check`. Returns the exit code; throws Failure where the job cannot be done. */
export async function check(paths: readonly string[], flags: CheckFlags, io: Io): Promise<number> {
  const begun = performance.now();
  const { root, source, settings, within } = await open(paths, flags, io.cwd);
  const named = [...flags.rule, ...Object.keys(flags.severity), ...Object.keys(settings.config.rules ?? {})];
  for (const name of named) if (!ruleNamed(rules, name)) throw unknownRule(name);
  const baseline = flags.baseline === undefined ? undefined : readBaseline(path.resolve(io.cwd, flags.baseline));

  const progress = progressLine(io);
  const cache = rememberedFacts(root, flags.cache);
  const built = buildModel(source, { settings, progress: progress.update, ...cache });
  const linked = performance.now();
  progress.end();
  cache.save();
  const refused = refusal(built.model);
  if (refused) throw refused;
  const report = limited(
    runRules(built.model, rules, {
      settings: { ...settings.config.rules, ...flags.severity },
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
  for (const { key, pattern } of settings.unmatched(source.list().files.keys()))
    io.stderr.write(`tenant-lint: ${key}: '${pattern}' matches no file\n`);
  write(report, flags, io, root);
  return exitCode(report, flags);
}

const unknownRule = (name: string): Failure =>
  new Failure(
    `There is no rule ${name}${hint(
      name,
      rules.map((r) => r.meta.id),
    )}`,
    { advice: 'See docs/rules.md for the rules there are.' },
  );

function write(report: Report, flags: CheckFlags, io: Io, root: string): void {
  const wanted = flags.format.length === 0 ? [{ format: 'text' as const }] : flags.format;
  for (const { format, file } of wanted as CheckFlags['format']) {
    const text = rendered(format, report, flags, io, root, file === undefined);
    if (file === undefined) io.stdout.write(text);
    else {
      const target = path.resolve(io.cwd, file);
      mkdirSync(path.dirname(target), { recursive: true });
      writeFileSync(target, text);
    }
  }
}

function rendered(
  format: CheckFlags['format'][number]['format'],
  report: Report,
  flags: CheckFlags,
  io: Io,
  root: string,
  toTerminal: boolean,
): string {
  if (format === 'json') return jsonReport(report);
  if (format === 'sarif') return sarifReport(report);
  const color =
    flags.color === 'always' ||
    (flags.color === 'auto' && toTerminal && io.stdout.isTTY === true && io.env['NO_COLOR'] === undefined);
  return textReport(report, {
    color,
    quiet: flags.quiet ?? false,
    verbose: flags.verbose ?? false,
    textOf: (file) => {
      const read = readSource(root, file);
      return 'text' in read ? read.text : undefined;
    },
  });
}

function exitCode({ summary }: Report, flags: CheckFlags): number {
  if (flags.strict && summary.unchecked > 0) return 2;
  if (flags.failOn === 'never') return 0;
  if (summary.error > 0 || (flags.failOn === 'warning' && summary.warning > 0)) return 1;
  return flags.maxWarnings !== undefined && summary.warning > flags.maxWarnings ? 1 : 0;
}
