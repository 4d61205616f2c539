import { runRules, type Report } from '@tenant-lint/engine';
import { rules } from '@tenant-lint/rules';
import {
  buildModel,
  checkRuleName,
  defaultThreads,
  liveModel,
  memoryCache,
  factsOfFolders,
  foldersMatching,
  nearest,
  rememberedFacts,
  type Built,
  type Edited,
  type Settings,
  type Source,
} from '@tenant-lint/workspace';
import type { FileFacts } from '@tenant-lint/model';
import type { Io } from './main.js';
import { writeNotices } from './notices.js';
import type { Opened } from './open.js';
import type { CheckFlags } from './options.js';
import { progressLine } from './progress.js';
import { refusal } from './refusal.js';
import { oneLine } from './report/printable.js';
import { timing } from './timing.js';
import { lostWithTypes } from './types-notes.js';

export interface Analysed {
  readonly built: Built;
  /** On the whole project, whatever paths were given. */
  readonly report: Report;
  /** The same on another state of the project, made quietly; undefined where nothing says there which rows belong to which tenant. */
  readonly on: (state: Source) => { readonly built: Built; readonly report: Report } | undefined;
  /** The report with other texts of some code files, by linking these anew; undefined where that is not enough. */
  readonly edited: (files: readonly Edited[]) => Report | undefined;
}

/** Builds the model of what was opened, and runs the rules over it. Throws Failure where nothing says which rows belong to which tenant. */
export function analyse(
  { root, source, settings }: Pick<Opened, 'root' | 'source' | 'settings'>,
  flags: Pick<CheckFlags, 'rule' | 'severity' | 'confidence' | 'cache' | 'threads' | 'timing' | 'types'> &
    Partial<Pick<CheckFlags, 'facts'>> & { readonly live?: FileFacts },
  io: Io,
  baseline?: ReadonlySet<string>,
): Analysed {
  for (const name of [...flags.rule, ...Object.keys(flags.severity)]) checkRuleName(name, rules);
  const progress = progressLine(io);
  const live = flags.live ? { live: flags.live } : {};
  const own = flags.cache ? rememberedFacts(root) : undefined;
  const given = flags.facts?.length ? factsOfFolders(foldersMatching(flags.facts, io.cwd), own) : undefined;
  const cache = given ?? own;
  const built = buildModel(source, {
    settings,
    progress: progress.update,
    threads: flags.threads ?? defaultThreads(),
    ...(cache ? { cache } : {}),
    ...(flags.types ? { types: root } : {}),
    ...live,
  });
  const linked = performance.now();
  progress.end();
  cache?.save();
  writeNotices(settings, built, io, given?.notices(built.listed));
  const refused = refusal(built);
  if (refused) throw refused;
  const report = ruled(built, settings, flags, baseline);
  if (built.bySyntax) {
    const before = ruled({ model: built.bySyntax }, settings, flags, baseline);
    for (const note of lostWithTypes(before, report, built.model)) io.stderr.write(`tenant-lint: ${oneLine(note)}\n`);
  }
  if (flags.timing) io.stderr.write(timing(built, performance.now() - linked, given?.used));
  return {
    built,
    report,
    on(state) {
      // Facts of files that do not differ are known by now; those of the other state are not kept.
      const peek = cache && { ...cache, remember: () => undefined, save: () => undefined };
      const other = buildModel(state, {
        settings,
        ...(peek ? { cache: peek } : {}),
        ...live,
        ...(flags.types ? { types: root } : {}),
      });
      return refusal(other) ? undefined : { built: other, report: ruled(other, settings, flags, undefined) };
    },
    edited(files) {
      const model = liveModel(built, files, settings, memoryCache());
      return model && ruled({ model }, settings, flags, undefined);
    },
  };
}

const ruled = (
  { model }: Pick<Built, 'model'>,
  settings: Settings,
  flags: Pick<CheckFlags, 'rule' | 'severity' | 'confidence'>,
  baseline: ReadonlySet<string> | undefined,
): Report =>
  runRules(model, rules, {
    settings: { ...settings.config.rules, ...flags.severity },
    overrides: settings.overrides,
    only: flags.rule,
    confidence: flags.confidence,
    intended: (file) => settings.intended(file),
    nearest,
    ...(baseline ? { baseline } : {}),
  });
